"""Workers on other machines, which nobody has to trust."""
