"""Schemes for maps."""
