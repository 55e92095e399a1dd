"""Shipped for tests: port contracts and servers to test against; nothing else imports this."""
