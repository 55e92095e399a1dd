from __future__ import annotations

import re
from base64 import b64encode

import pytest

from tests.faults.database import PASSWORD
from tests.faults.secrets import SECRET, SMTP_PASSWORD, SMTP_USER


@pytest.mark.parametrize(
    "line",
    [
        f"cannot log in with {SMTP_PASSWORD}",
        f"connecting to postgresql://mailer:{PASSWORD}@127.0.0.1",
        f"> AUTH PLAIN {b64encode(f'{chr(0)}{SMTP_USER}{chr(0)}{SMTP_PASSWORD}'.encode()).decode()}",
        "SECRET0000017 is the code",
        "Dear Ada, this is your letter.",
    ],
)
def test_what_a_worker_must_not_write_is_seen(line: str) -> None:
    """A password, as it is or as it is said to a relay; a code; a body. Not the talk of every day."""
    assert re.search(SECRET, line)
    assert not re.search(SECRET, "worker vm:17 starts; mail to o17@example.org: 550 at rcpt")
