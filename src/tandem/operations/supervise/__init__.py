"""Processes that belong together: started, watched, started again, stopped."""
