"""SmtpSenders without a server: one that takes everything and keeps it, and one that answers by a script."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import attrs

from galaxy_mail.domain.addresses import EmailAddress
from galaxy_mail.domain.ports import Gate
from galaxy_mail.domain.verdict_table import VerdictTable
from galaxy_mail.domain.verdicts import Envelope, Receipt, Signal, SmtpReply, Stage

Answer = tuple[Stage, Signal]
"""A reply or a fault, and the stage at which it comes."""

Script = Callable[[EmailAddress, int], Answer | None]
"""What the server says of a recipient at its nth attempt, counted from 1; None accepts it."""

_AFTER_THE_GATE = (Stage.BODY, Stage.DOT)


@attrs.frozen
class SentMail:
    """A message that was taken, for the recipients that were accepted."""

    envelope: Envelope
    message: bytes = attrs.field(repr=False)
    recipients: tuple[EmailAddress, ...]
    remote_id: str


class ScriptedSmtpSender:
    """Answers as ``script`` says, and keeps what it has taken in ``sent``.

    ``script`` is a function, or maps addresses to their answers at the first, second … attempt; afterwards, and for whom
    it does not name, it accepts. ``attempts`` counts the attempts for each address. ``verdicts`` is what its answers mean.

    .. code-block:: python

        ScriptedSmtpSender({"eve@example.org": [(Stage.RCPT, SmtpReply(450, "4.2.1 later"))]})
    """

    def __init__(
        self, script: Script | Mapping[str, Sequence[Answer | None]], verdicts: VerdictTable | None = None
    ) -> None:
        self.sent: list[SentMail] = []
        self.attempts: Counter[EmailAddress] = Counter()
        self._script = script if callable(script) else _from_lists(script)
        self._verdicts = verdicts or VerdictTable()
        self._happened = asyncio.Event()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} took {len(self.sent)} mails>"

    async def send(self, envelope: Envelope, message: bytes, gate: Gate) -> Receipt:
        """See ``SmtpSender.send``."""
        self.attempts.update(envelope.recipients)
        answers = [self._script(address, self.attempts[address]) for address in envelope.recipients]
        remote_id = f"memory-{len(self.sent) + 1}"
        last_word: Answer = (Stage.DOT, SmtpReply(250, f"2.0.0 Ok: queued as {remote_id}"))
        past_rcpt = any(answer is None or answer[0] in _AFTER_THE_GATE for answer in answers)
        if past_rcpt and (fault := gate()):
            last_word = (Stage.LOCAL, fault)
            answers = [None if each and each[0] in _AFTER_THE_GATE else each for each in answers]
        verdicts = tuple(self._verdicts.classify(*(answer or last_word)) for answer in answers)
        accepted = tuple(a for a, v in zip(envelope.recipients, verdicts, strict=True) if v.accepted)
        if accepted:
            self.sent.append(SentMail(envelope, message, accepted, remote_id))
        self._signal()
        return Receipt(verdicts, remote_id if accepted else None)

    async def aclose(self) -> None:
        """Nothing is open."""

    async def wait_for(self, mails: int) -> None:
        """Return as soon as so many mails were taken."""
        while len(self.sent) < mails:
            await self._happened.wait()

    def _signal(self) -> None:
        self._happened.set()
        self._happened = asyncio.Event()


class RecordingSmtpSender(ScriptedSmtpSender):
    """Takes every mail, and keeps it in ``sent``."""

    def __init__(self) -> None:
        super().__init__({})


def _from_lists(lists: Mapping[str, Sequence[Answer | None]]) -> Script:
    def script(address: EmailAddress, attempt: int) -> Answer | None:
        answers = lists.get(str(address), ())
        return answers[attempt - 1] if attempt <= len(answers) else None

    return script
