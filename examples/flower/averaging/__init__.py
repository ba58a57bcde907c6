"""Digits on several clients that show their models to nobody."""
