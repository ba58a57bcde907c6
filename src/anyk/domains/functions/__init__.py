"""What numpy's functions are on field elements: those that move elements, sums, products."""
