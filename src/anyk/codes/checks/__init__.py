"""Checks of single answers by secrets: whether a product is what it should be."""
