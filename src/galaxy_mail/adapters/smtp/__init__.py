"""The SmtpSender on SMTP, by aiosmtplib."""
