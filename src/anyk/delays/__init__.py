"""How late workers are: models, and traces of measured delays."""
