"""A real SMTP server on loopback that does as it is told, misbehaves on cue and keeps a ledger.

async with ScriptedSmtpServer(rules=[greylist()]) as server:
    ...                                   # talk to 127.0.0.1:server.port
    await server.wait_for(Moment.DOT)     # tests wait for events, never for time
    assert server.ledger.copies[0].recipients == ("ada@example.org",)
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from galaxy_mail.testing.smtp_dialogue import Copy, Dialogue, Ledger, Offered
from galaxy_mail.testing.smtp_rules import Deed, Moment, Output, Rule
from galaxy_mail.testing.smtp_wire import Wire

__all__ = ["Copy", "Ledger", "Moment", "Offered", "Rule", "ScriptedSmtpServer"]


class ScriptedSmtpServer:
    """Listens on ``host`` (loopback) while entered, at ``port``, or at one that is free.

    ``tls`` is the server's context, for STARTTLS if that is offered, from the first octet with ``implicit_tls``.
    ``rules`` may be changed while it runs.
    """

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        offered: Offered | None = None,
        tls: ssl.SSLContext | None = None,
        *,
        implicit_tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.rules = list(rules)
        self.offered = offered or Offered()
        self.host = host
        self.port = port
        self.ledger = Ledger()
        self.connections = 0  # accepted so far
        self.peak = 0  # the most that were open at once
        self._tls = tls
        self._implicit_tls = implicit_tls
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Wire] = {}
        self._released = asyncio.Event()
        self._waiters: list[tuple[Moment, int, asyncio.Future[None]]] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Wire(self._accept), self.host, self.port, ssl=self._tls if self._implicit_tls else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        self._released.set()
        for wire in self._open.values():
            wire.abort()
        await asyncio.gather(*self._open)

    # --- for tests ------------------------------------------------------------------------------------------------

    @property
    def copies(self) -> list[Copy]:
        """The messages taken in so far."""
        return self.ledger.copies

    async def wait_for(self, moment: Moment, count: int = 1) -> None:
        """Return once ``moment`` has come ``count`` times, counted from the beginning."""
        if self.ledger.moments[moment] >= count:
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append((moment, count, waiter))
        await waiter

    def release(self) -> None:
        """Let everything that hangs go on, and nothing hang again."""
        self._released.set()

    def hang_again(self) -> None:
        """What was released goes on; what a rule makes hang from now on, hangs."""
        self._released.clear()

    def drop_all(self) -> None:
        """Close every connection that is open, as a server does with idle ones."""
        for wire in self._open.values():
            wire.close()

    def say_to_all(self, octets: bytes) -> None:
        """Send octets that nobody asked for on every open connection."""
        for wire in self._open.values():
            wire.transport.write(octets)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _note(self, moment: Moment) -> None:
        for wanted, count, waiter in self._waiters:
            if wanted is moment and self.ledger.moments[moment] >= count and not waiter.done():
                waiter.set_result(None)

    def _accept(self, wire: Wire) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(wire, self.connections))
        self._open[task] = wire
        self.peak = max(self.peak, len(self._open))
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._open[task]
        self.ledger.moments[Moment.GONE] += 1
        self._note(Moment.GONE)

    async def _serve(self, wire: Wire, number: int) -> None:
        dialogue = Dialogue(number, self.offered, self.rules, self.ledger, self._note)
        with contextlib.suppress(OSError):
            going_on = await self._perform(dialogue.greet(), wire)
            while going_on and (octets := await wire.read()):
                going_on = await self._perform(dialogue.feed(octets), wire)
        wire.close()

    async def _perform(self, outputs: Iterable[Output], wire: Wire) -> bool:
        """Do what the dialogue says; False once the connection shall end."""
        for output in outputs:
            if isinstance(output, bytes):
                await wire.write(output)
            elif output is Deed.HANG:
                await self._released.wait()
            elif output is Deed.START_TLS:
                assert self._tls, "STARTTLS is offered without a context"
                await wire.start_tls(self._tls)
            else:
                if output is Deed.RESET:
                    wire.reset()
                return False
        return True
