"""Randomness that hides, and measures of what it does not hide."""
