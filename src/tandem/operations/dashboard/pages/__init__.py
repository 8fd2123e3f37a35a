"""What the templates of each page are told."""
