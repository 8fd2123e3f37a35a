"""Which symbols and pairs may be tested at all."""
