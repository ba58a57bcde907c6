"""`Berrut`."""
