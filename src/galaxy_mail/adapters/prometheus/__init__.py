"""The gauge mail_outbox_depth, read at scrape time."""
