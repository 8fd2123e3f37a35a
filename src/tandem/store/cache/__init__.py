"""Bars of closed sessions as files, which the database vouches for."""
