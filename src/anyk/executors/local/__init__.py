"""Workers in this process."""
