"""How pairs, models and signals fared over time, and what their P&L was made of."""
