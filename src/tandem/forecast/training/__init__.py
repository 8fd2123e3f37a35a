"""Training and judging the models of many pairs."""
