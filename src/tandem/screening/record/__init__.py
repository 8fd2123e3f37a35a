"""What a screen leaves in MLflow, and its pictures."""
