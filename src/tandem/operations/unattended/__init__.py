"""Sessions traded one after another, with nobody there."""
