"""PgBouncer in transaction mode before a PostgreSQL: each transaction may meet another session."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from tests.real_servers.daemon import Recipe

CONFIGURATION = """
[databases]
* = host={host} port={to} user={user} password='{password}'

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 5
ignore_startup_parameters = extra_float_digits
unix_socket_dir =
user = nobody
"""


def pgbouncer(dsn: str) -> Recipe:
    """Before the server at ``dsn``."""
    there = urlsplit(dsn)

    def files(port: int) -> dict[str, str]:
        text = CONFIGURATION.format(
            host=there.hostname,
            to=there.port,
            user=unquote(there.username or ""),
            password=unquote(there.password or "").replace("'", "''"),
            port=port,
        )
        return {"/etc/pgbouncer/pgbouncer.ini": text}

    return Recipe(program="pgbouncer", files=files, script="pgbouncer /etc/pgbouncer/pgbouncer.ini")


def through(port: int, dsn: str) -> str:
    """The address of the same database by way of the pooler."""
    return f"postgresql://anybody@127.0.0.1:{port}{urlsplit(dsn).path}"
