"""Every pair that moves together, ranked by how well it can be forecast."""
