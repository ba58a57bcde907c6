"""Of which degree a function is: as its results say, or as its author says."""
