"""Codes over the complex numbers."""
