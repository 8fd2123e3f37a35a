"""A search for better settings of the model on walk-forward blocks."""
