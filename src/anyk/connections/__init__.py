"""Connections to anybody: bytes by deadlines, TLS, and who is at the other end."""
