"""Schemes for matrix products."""
