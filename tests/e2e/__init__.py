"""The whole of it on a real PostgreSQL and a real SMTP conversation."""
