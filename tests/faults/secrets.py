"""What no worker may write anywhere and no row may hold, as a pattern that Python and PostgreSQL read alike."""

from __future__ import annotations

import re
from base64 import b64encode

from tests.faults.database import PASSWORD

SMTP_USER, SMTP_PASSWORD = "worker", "hunter2-of-the-relay"
SECRET = "|".join((
    re.escape(SMTP_PASSWORD),
    re.escape(PASSWORD),
    b64encode(f"\0{SMTP_USER}\0{SMTP_PASSWORD}".encode()).decode()[12:-4],  # what of AUTH PLAIN tells the password
    "SECRET[0-9]",  # codes look like that here
    "this is your (?:letter|circular|poison)",  # and bodies like that
))  # fmt: skip
