"""What schemes make of the user's function: works of their own."""
