"""What workers do to a plan: how late they are, and what that costs."""
