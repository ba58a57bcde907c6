"""`ChebyshevLagrange`."""
