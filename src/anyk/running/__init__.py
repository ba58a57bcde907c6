"""Where a scheme meets an executor."""
