"""Faults put into workers on purpose."""
