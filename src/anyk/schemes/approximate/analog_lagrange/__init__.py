"""`AnalogLagrange`."""
