"""A function of many items: who computes what, how often, and which answers count."""
