"""Foreign exceptions die here: what aiosmtplib, ssl and the system raise becomes a stage and a signal."""

from __future__ import annotations

import os
import socket
import ssl

import aiosmtplib

from galaxy_mail.domain.verdicts import Fault, Signal, SmtpReply, Stage

# RuntimeError is uvloop's, on a closed transport.
FOREIGN = (aiosmtplib.SMTPException, OSError, ValueError, RuntimeError)


class HandshakeFailed(Exception):
    """No connection came about; ``why`` is what the system knows beside the signal. Never leaves this adapter."""

    def __init__(self, stage: Stage, signal: Signal, why: str = "") -> None:
        super().__init__(stage, signal, why)
        self.stage = stage
        self.signal = signal
        self.why = why


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
        return HandshakeFailed(Stage.TLS, signal, reason_of(cause))
    fault = signal if signal is Fault.TIMEOUT else Fault.UNREACHABLE
    return HandshakeFailed(Stage.CONNECT, fault, reason_of(cause))


def reason_of(error: BaseException) -> str:
    """Why a name, a connection or TLS failed, in the words of the resolver, the system or OpenSSL; empty for all else.

    Their fixed words alone: the text of an exception may repeat what a stranger said.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return (error.reason or "").replace("_", " ").lower()
    if isinstance(error, socket.gaierror):
        return "the name is not known" if error.errno == socket.EAI_NONAME else "the name cannot be looked up"
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else ""
