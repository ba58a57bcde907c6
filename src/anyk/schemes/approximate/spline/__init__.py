"""`Spline`."""
