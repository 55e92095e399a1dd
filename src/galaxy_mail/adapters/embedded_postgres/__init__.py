"""A real PostgreSQL server of our own, for the demo, the command line and the tests."""
