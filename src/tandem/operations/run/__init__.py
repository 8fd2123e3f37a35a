"""What a world came to, as a fold over its facts."""
