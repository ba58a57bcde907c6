"""What all executors have in common."""
