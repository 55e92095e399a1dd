"""What is secret in a run, and the forms in which it would be seen."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import quote

CODE = "c0de-493817"
VARIABLE = "v4riable hush"
NESTED = "n3sted/mum?"
BODY = "b0dy whisper"  # stands in the template, and in every body made of it
SMTP_PASSWORD = "p4ssw0rd@smtp"
TOKEN = "ya29.t0ken-for-smtp"

SECRETS = {
    "the code": CODE,
    "a secret variable": VARIABLE,
    "a secret deep in a variable": NESTED,
    "the body": BODY,
    "the relay's password": SMTP_PASSWORD,
    "the access token": TOKEN,
}


def forms(secret: str) -> set[str]:
    """As it is, escaped for a URL, and encoded as AUTH does, wherever in a triple of octets it begins."""
    octets = secret.encode()
    encoded = {
        b64encode(b"\0" * shift + octets).decode()[4 if shift else 0 :].rstrip("=")[:-1] for shift in range(3)
    }
    return {secret, quote(secret, safe=""), *encoded}


def leaks(written: Mapping[str, str], secrets: Mapping[str, str] = SECRETS) -> list[str]:
    """Which secret stands where in what was written; one line each."""
    return [
        f"{name} is in {place}"
        for place, text in written.items()
        for name, secret in secrets.items()
        if any(form in text for form in forms(secret))
    ]
