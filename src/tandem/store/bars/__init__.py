"""Bars in `market_data`: loading, choosing, reading."""
