"""Positions, cash and P&L as a fold over facts."""

from tandem.book.attribution import Attribution, Held, Parts, Quote, attribute, minute_of, shared
from tandem.book.book import Book, Capital, Mark, Trade, merge

__all__ = [
    "Attribution",
    "Book",
    "Capital",
    "Held",
    "Mark",
    "Parts",
    "Quote",
    "Trade",
    "attribute",
    "merge",
    "minute_of",
    "shared",
]
