"""Models in MLflow and what becomes of them: runs, registered days, stages mirrored there."""
