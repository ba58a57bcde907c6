"""Published experiments, as commands: `anyk reproduce NAME`."""
