"""The web page: folds over facts in memory, rendered here, refreshed as facts come."""
