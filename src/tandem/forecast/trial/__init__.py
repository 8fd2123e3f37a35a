"""Champion and challenger: who is tried how, who is better, and whether the champion still is what it was."""
