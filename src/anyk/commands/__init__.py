"""What the command `anyk` takes and does, where `cli.py` would be too long with it."""
