"""What a world's facts come to, brought up to date fact by fact, bounded in memory."""
