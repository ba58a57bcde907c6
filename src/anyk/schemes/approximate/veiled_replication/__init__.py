"""`VeiledReplication`."""
