"""What a run shows to those who watch it."""
