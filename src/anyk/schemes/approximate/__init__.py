"""Schemes over the reals, for any function."""
