"""Codes over prime fields: linear algebra, Reed-Solomon."""
