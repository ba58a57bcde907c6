"""Measurements and the table and pictures that show them."""
