"""The day's models over HTTP, as MLflow would serve them."""
