"""Curves through values: interpolation, smoothing, filling in, and how far off they are."""
