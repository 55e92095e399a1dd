"""Postfix: mail for our people goes to maildirs by virtual(8), all other mail is refused."""

from __future__ import annotations

from collections.abc import Mapping

from tests.real_servers.relays import DOMAIN, LIMIT, PEOPLE, RelayRecipe

MAIN = f"""
compatibility_level = 3.6
maillog_file = /dev/stdout
myhostname = localhost
mydestination =
inet_interfaces = 127.0.0.1
mail_owner = postfix
setgid_group = postdrop
default_transport = error:nothing leaves this machine
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = /srv/mail
virtual_mailbox_maps = inline:{{ {", ".join(f"{person}@{DOMAIN}={person}/" for person in PEOPLE)} }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_error_sleep_time = 0
message_size_limit = {LIMIT}
smtpd_tls_security_level = may
smtpd_tls_cert_file = /srv/certificate.pem
smtpd_tls_key_file = /srv/key.pem
"""

SERVICES = """
127.0.0.1:PORT inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

SCRIPT = """
for user in postfix postdrop; do id -u $user >/dev/null 2>&1 || useradd --system --user-group $user; done
mkdir -p /var/spool/postfix /var/lib/postfix
chown postfix /var/lib/postfix
postfix start-fg
"""


def _files(port: int) -> Mapping[str, str]:
    return {"/etc/postfix/main.cf": MAIN, "/etc/postfix/master.cf": SERVICES.replace("PORT", str(port))}


POSTFIX = RelayRecipe(
    program="postfix",
    files=_files,
    script=SCRIPT,
    pipelining=True,
    queue=("postfix/maildrop", "postfix/incoming", "postfix/active", "postfix/deferred"),
)
