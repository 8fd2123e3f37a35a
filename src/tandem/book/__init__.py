"""Positions, cash and P&L as a fold over facts."""

from tandem.book.book import Book, Capital, Mark, Trade, merge

__all__ = ["Book", "Capital", "Mark", "Trade", "merge"]
