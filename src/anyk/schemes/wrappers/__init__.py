"""Schemes around another scheme."""
