"""What `anyk demo` shows: a coded computation on real handwritten digits."""
