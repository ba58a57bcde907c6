"""Compiled loops for what is bound by memory, where numba is installed: the same, bit for bit."""

from anyk.domains.compiled.calls import load, power, product, stack, times

__all__ = ["load", "power", "product", "stack", "times"]
