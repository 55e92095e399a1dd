"""Ports of this machine that no other machine can reach."""

from __future__ import annotations

import socket
import struct

HOST = "127.0.0.1"
ANSWER_SECONDS = 2.0
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # length and code (PostgreSQL, "Message Formats")


def answers(port: int) -> bool:
    """Whether a PostgreSQL accepts connections on this port.

    An accepted connection would prove little: the kernel accepts for a server that was killed a moment ago. So we ask
    whether it speaks TLS (SSLRequest), and either answer will do: it takes a living server to give one.
    """
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(SSL_REQUEST)
            return connection.recv(1) in {b"S", b"N"}
    except OSError:
        return False


def free_port() -> int:
    """A port that was free just now; another program may take it before we do."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
