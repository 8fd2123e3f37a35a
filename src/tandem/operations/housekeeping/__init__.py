"""What a night does: gaps filled, the day sealed, what is old let go, tables vacuumed, a backup."""
