"""The paper account that outlives its process."""
