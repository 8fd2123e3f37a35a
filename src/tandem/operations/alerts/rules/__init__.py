"""What is looked for in what is known of a world: pure, and listed in `table`."""
