"""`FilledReplication`."""
