"""Every fault that we can make, on the real thing: worker processes, PostgreSQL, an SMTP server with a ledger of its own."""
