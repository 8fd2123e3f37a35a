"""How things are written down: HTML, pictures, whole files."""
