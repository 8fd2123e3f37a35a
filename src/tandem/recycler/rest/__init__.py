"""Alpaca's trading REST, a noun a file."""
