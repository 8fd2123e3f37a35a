"""The trading API: REST, trade updates and their events over one paper account."""
