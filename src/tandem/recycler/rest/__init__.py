"""What every REST request passes: keys, rate, fields that are never floats, answers."""
