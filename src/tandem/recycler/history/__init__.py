"""Historical data over REST: nothing later than the clock."""
