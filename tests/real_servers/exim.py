"""Exim: mail for our people goes to maildirs by appendfile, all other mail is refused."""

from __future__ import annotations

from collections.abc import Mapping

from tests.real_servers.relays import DOMAIN, LIMIT, PEOPLE, RelayRecipe

CONFIGURATION = f"""
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = PORT
host_lookup =
keep_environment =
log_file_path = /srv/exim-%slog
message_size_limit = {LIMIT}
# with the defaults, the eleventh mail of a connection would wait for a queue runner
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
tls_advertise_hosts = *
tls_certificate = /srv/certificate.pem
tls_privatekey = /srv/key.pem
acl_smtp_rcpt = check_recipient

begin acl
check_recipient:
  require domains = {DOMAIN}
          message = relay not permitted
  require verify = recipient
  accept

begin routers
people:
  driver = accept
  domains = {DOMAIN}
  local_parts = {" : ".join(PEOPLE)}
  transport = mailbox

begin transports
mailbox:
  driver = appendfile
  maildir_format
  directory = /srv/mail/$local_part_data
  user = nobody
  group = nogroup
"""

SCRIPT = """
id -u Debian-exim >/dev/null 2>&1 || useradd --system --user-group Debian-exim
mkdir -p /var/spool/exim4 /etc/exim4
chown Debian-exim:Debian-exim /var/spool/exim4 /srv/key.pem
chown Debian-exim:Debian-exim /srv
exim4 -bdf -q1m
"""


def _files(port: int) -> Mapping[str, str]:
    return {"/etc/exim4/exim4.conf": CONFIGURATION.replace("PORT", str(port))}


EXIM = RelayRecipe(
    program="exim4",
    files=_files,
    script=SCRIPT,
    pipelining=True,
    queue=("exim4/input",),
)
