"""Aggregators on machines of their own, over mutual TLS."""
