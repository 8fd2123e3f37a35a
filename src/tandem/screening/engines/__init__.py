"""Where blocks of pairs are worked on: threads here, or a Dask cluster."""
