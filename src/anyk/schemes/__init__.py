"""One file a scheme; its name is the scheme's usual name."""
