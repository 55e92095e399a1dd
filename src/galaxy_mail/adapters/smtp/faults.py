"""Foreign exceptions die here: what aiosmtplib, ssl and the system raise becomes a stage and a signal."""

from __future__ import annotations

import ssl

import aiosmtplib

from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage

# RuntimeError is uvloop's, on a closed transport.
FOREIGN = (aiosmtplib.SMTPException, OSError, ValueError, RuntimeError)


class HandshakeFailed(Exception):
    """No connection came about. Never leaves this adapter."""

    def __init__(self, stage: Stage, signal: Signal) -> None:
        super().__init__(stage, signal)
        self.stage = stage
        self.signal = signal


def signal_of(error: BaseException) -> Signal:
    """What an exception says. A reply inside it is a reply, if its code can be one."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return SmtpReply(error.code, error.message) if 200 <= error.code < 600 else Fault.GARBAGE
    if isinstance(error, ssl.SSLError):
        return Fault.TLS_FAILED
    if isinstance(error, TimeoutError):
        return Fault.TIMEOUT
    if isinstance(error, ConnectionError):  # SMTPServerDisconnected is one, too
        return Fault.CLOSED
    return Fault.UNREACHABLE


def connect_failure(error: BaseException) -> HandshakeFailed:
    """Where ``SMTP.connect`` failed: aiosmtplib raises the same for the connection and the greeting, and tells by cause."""
    cause = error.__cause__ or error
    if isinstance(cause, aiosmtplib.SMTPException):
        return HandshakeFailed(Stage.GREETING, signal_of(cause))
    signal = signal_of(cause)
    if signal is Fault.TLS_FAILED:
        return HandshakeFailed(Stage.TLS, signal)
    return HandshakeFailed(Stage.CONNECT, signal if signal is Fault.TIMEOUT else Fault.UNREACHABLE)
