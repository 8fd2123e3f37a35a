"""The scheduled work of a trading day."""
