"""Random numbers that nobody can foresee: the source, masks, sketches."""
