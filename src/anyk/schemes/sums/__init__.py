"""Schemes for sums."""
