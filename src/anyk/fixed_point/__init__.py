"""Reals as residues: the format, its budget, rounding."""
