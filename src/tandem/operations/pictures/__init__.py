"""Pictures of the day, the pairs and the models."""
