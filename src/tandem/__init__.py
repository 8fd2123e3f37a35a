"""Tandem: pairs trading on Alpaca, and a local Alpaca to try it on."""

__version__ = "0.1.0"
