"""What the day's models say, of many pairs at once."""
