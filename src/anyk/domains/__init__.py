"""Where the arithmetic lives: prime fields, the reals, the complex numbers."""
