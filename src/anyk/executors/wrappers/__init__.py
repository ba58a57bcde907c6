"""Executors around another executor."""
