"""The mathematics of recovery: erasures and errors over a field, splines over the reals."""
