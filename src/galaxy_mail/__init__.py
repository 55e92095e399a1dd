"""galaxy_mail: your transaction commits an e-mail; it is accepted by your SMTP server at least once, or dead-lettered."""
