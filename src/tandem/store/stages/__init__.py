"""Which recipe of a sector is in Production."""
