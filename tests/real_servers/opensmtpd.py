"""OpenSMTPD, which offers no pipelining: mail for our people goes to maildirs, all other mail is refused."""

from __future__ import annotations

from collections.abc import Mapping

from tests.real_servers.relays import DOMAIN, LIMIT, PEOPLE, RelayRecipe

CONFIGURATION = f"""
smtp max-message-size {LIMIT}
pki localhost cert "/srv/certificate.pem"
pki localhost key "/srv/key.pem"
listen on 127.0.0.1 port PORT tls pki localhost hostname localhost
table people {{ {", ".join(f'"{person}@{DOMAIN}" = "nobody"' for person in PEOPLE)} }}
action "mailbox" maildir "/srv/mail/%{{rcpt.user}}" virtual <people>
match from any for domain "{DOMAIN}" action "mailbox"
"""

SCRIPT = """
for user in opensmtpd opensmtpq; do id -u $user >/dev/null 2>&1 || useradd --system --user-group $user; done
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd
chmod 711 /var/spool/smtpd
smtpd -d
"""


def _files(port: int) -> Mapping[str, str]:
    return {"/etc/smtpd.conf": CONFIGURATION.replace("PORT", str(port))}


OPENSMTPD = RelayRecipe(
    program="smtpd",
    files=_files,
    script=SCRIPT,
    pipelining=False,
    queue=("smtpd/incoming", "smtpd/queue"),
    tls_excuse="OpenSMTPD 6 built with OpenSSL 3 fails every TLS handshake; 7.4 and newer do not",
)
