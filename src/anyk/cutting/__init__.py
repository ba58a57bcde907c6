"""Data by their rows: cut in blocks, and put together again."""
