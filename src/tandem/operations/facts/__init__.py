"""What a desk that runs by itself puts on record beside its trading."""
