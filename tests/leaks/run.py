"""The run: real tables, a relay with TLS and a login that repeats whatever it is told, and every kind of failure on the way.

``written`` is all that came of it: what was logged and raised, every row, every notice, metrics, and each part's ``repr``.
"""

from __future__ import annotations

import logging
import traceback
from base64 import b64encode
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import attrs
import trustme
from prometheus_client import CollectorRegistry, generate_latest

from galaxy_mail.app import MailSettings, OpenMail, open_mail
from galaxy_mail.app.cli import output
from galaxy_mail.domain.errors import GalaxyMailError
from galaxy_mail.domain.leases import ClaimRequest
from galaxy_mail.domain.orders import Letter
from galaxy_mail.testing.smtp_rules import Moment, Rule, Situation, lines
from galaxy_mail.testing.smtp_server import Offered, ScriptedSmtpServer
from tests.adapters.smtp.certificates import server_context
from tests.leaks.secrets import BODY, CODE, NESTED, SECRETS, SMTP_PASSWORD, TOKEN, VARIABLE

ADMIN = "ops@example.org"
PINS = {"pin": VARIABLE, "deep": {"down": [NESTED]}}
MINUTES = timedelta(minutes=5)
GOOD = f"{BODY}: {{{{ pin }}}} {{{{ deep.down[0] }}}}"
TEMPLATES = {"pin": GOOD, "broken": GOOD, "divided": GOOD}
BROKEN = {
    "broken": GOOD + "{{ deep.down[0].nothing }}",
    "divided": GOOD + "{{ pin / deep }}",
}  # for the worker


class Told(logging.Handler):
    """Keeps every record whole: its text, its traceback, and what was put into it besides."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.text.append(f"{self.format(record)} {record.__dict__!r}")


@attrs.define
class Run:
    """One run, logged in by password or by token. Its database is ``dsn``, its schema ``schema``."""

    dsn: str
    schema: str
    folder: Path
    by_token: bool
    told: Told = attrs.field(factory=Told)
    raised: list[str] = attrs.field(factory=list)
    shown: list[str] = attrs.field(factory=list)
    token_fails: bool = False

    @property
    def secrets(self) -> dict[str, str]:
        """All of them: the database's password, too, if it has one."""
        password = unquote(urlsplit(self.dsn).password or "")
        return SECRETS | ({"the database's password": password} if password else {})

    async def written(self) -> dict[str, str]:
        """Run, and return all that was written, by where."""
        root = logging.getLogger()
        before = root.level
        root.addHandler(self.told)
        root.setLevel(logging.DEBUG)
        try:
            found = await self._run()
        finally:
            root.setLevel(before)
            root.removeHandler(self.told)
        return {
            **found,
            "a log": "\n".join(self.told.text),
            "an exception": "\n".join(self.raised),
            "a repr": "\n".join(self.shown),
        }

    async def _run(self) -> dict[str, str]:
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        offered = Offered(starttls=True, auth=("XOAUTH2" if self.by_token else "PLAIN",))
        server = ScriptedSmtpServer(self._rules(), offered, server_context(authority, "127.0.0.1"))
        async with server:
            producer, worker = (self._settings(server, name, those) for name, those in self._templates())
            async with self._open(producer) as mail, self._open(worker) as other:
                await mail.migrate()
                await self._order(mail)
                await self._show(mail, other)
                await other.worker().run_until_empty()
                server.rules[:] = [self._refusing_logins()]
                server.drop_all()
                self.token_fails = True
                await mail.service.enqueue_login_code(
                    "last@example.org", code=CODE, ttl=timedelta(seconds=1.5)
                )
                await other.worker().run_until_empty()
                found = await self._rows(mail)
                found["a metric"] = await self._metrics(mail)
                found["a notice"] = "".join(
                    copy.octets.decode() for copy in server.copies if ADMIN in copy.recipients
                )
                found["what the command line shows"] = await self._listed(mail)
            assert any(BODY in copy.octets.decode() for copy in server.copies), (
                "no mail has the secret to be kept"
            )
        return found

    # --- the parts ----------------------------------------------------------------------------------------------------

    def _templates(self) -> list[tuple[str, dict[str, str]]]:
        return [("producer", TEMPLATES), ("worker", TEMPLATES | BROKEN)]

    def _settings(self, server: ScriptedSmtpServer, name: str, templates: dict[str, str]) -> MailSettings:
        for template, body in templates.items():
            here = self.folder / name / template
            here.mkdir(parents=True)
            (here / "subject.txt").write_text("Your pin")
            (here / "body.txt").write_text(body)
        login = "worker" if self.by_token else f"worker:{quote(SMTP_PASSWORD, safe='')}"
        return MailSettings(
            dsn=self.dsn,
            schema=self.schema,
            smtp_url=f"smtp://{login}@{server.host}:{server.port}?tls=starttls",
            smtp_ca_file=self.folder / "ca.pem",
            sender="Galaxy <no-reply@example.org>",
            template_dirs=[self.folder / name],
            admins=() if self.by_token else (ADMIN,),
            log_notices=True,
            max_attempts=3,
            backoff_base=timedelta(milliseconds=10),
            backoff_cap=timedelta(milliseconds=20),
            poll_interval=timedelta(milliseconds=20),
        )

    def _open(self, settings: MailSettings) -> Any:
        return open_mail(settings, access_token=self._token if self.by_token else None)

    def _token(self) -> str:
        if self.token_fails:
            raise LookupError(f"{TOKEN} is stale")
        return TOKEN

    # --- the relay ----------------------------------------------------------------------------------------------------

    def _rules(self) -> list[Rule]:
        """A relay that repeats what it may have read in each mail, when it refuses it and when it takes it."""
        rules = [self._refusing_logins(454, "4.7.0 not now", nth=1)]
        for kind, secrets in (("pin", f"{VARIABLE} and {NESTED}"), ("code", CODE)):
            said = f"I know {secrets}"
            rules += [
                _at(Moment.RCPT, 550, f"5.1.1 {said}", f"{kind}-refused@example.org"),
                _at(Moment.RCPT, 450, f"4.2.0 {said}", f"{kind}-later@example.org"),
                _at(Moment.DATA, 554, f"5.7.1 {said}", f"{kind}-data@example.org"),
                _at(Moment.DOT, 554, f"5.7.1 {'x' * 490} {said}", f"{kind}-cut@example.org"),
                _at(Moment.DOT, 250, f"2.0.0 Ok: queued as {secrets}", f"{kind}-queued@example.org"),
            ]
        return rules

    def _refusing_logins(self, code: int = 535, text: str = "5.7.8 no", nth: int | None = None) -> Rule:
        login = f"user=worker\1auth=Bearer {TOKEN}\1\1" if self.by_token else f"\0worker\0{SMTP_PASSWORD}"
        echo = f"{text}: AUTH {_encoded(login)} {SMTP_PASSWORD if not self.by_token else TOKEN}"
        return Rule(Moment.AUTH, lambda _: [lines(code, echo)], lambda it: nth in (None, it.count), code=code)

    # --- what is done -------------------------------------------------------------------------------------------------

    async def _order(self, mail: OpenMail) -> None:
        service = mail.service
        for name in ("refused", "later", "data", "cut", "queued", "taken"):
            await service.enqueue_template("pin", to=f"pin-{name}@example.org", secrets=PINS)
            await service.enqueue_login_code(f"code-{name}@example.org", code=CODE, ttl=MINUTES)
        for template in BROKEN:
            await service.enqueue_template(template, to=ADMIN.replace("ops", template), secrets=PINS)
        taken: dict[str, Any] = {"to": "key@example.org", "secrets": PINS, "idempotency_key": "k"}
        await service.enqueue_template("pin", **taken)
        bad: list[dict[str, Any]] = [
            taken | {"secrets": {**PINS, "pin": VARIABLE * 2}},
            {"to": ADMIN, "secrets": {**PINS, "pin": object()}},
            {"to": ADMIN, "secrets": {**PINS, "pin": f"{VARIABLE}\0"}},
            {"to": ADMIN, "secrets": {**PINS, "deep": NESTED}},
            {"to": f"{VARIABLE}@example.org", "secrets": PINS},
            {"to": ADMIN, "secrets": PINS, "within": VARIABLE},
        ]
        for order in bad:
            await self._fails(service.enqueue_template("pin", **order))
        for code in (f"{CODE}\n", f" {CODE}", CODE * 9):
            await self._fails(service.enqueue_login_code(ADMIN, code=code, ttl=MINUTES))
        await mail.pool.execute(
            f"alter table {self.schema}.mail_payloads add constraint c check (secrets is null) not valid"
        )
        await self._fails(service.enqueue_template("pin", to=ADMIN, secrets=PINS))
        await mail.pool.execute(f"alter table {self.schema}.mail_payloads drop constraint c")

    async def _fails(self, call: Awaitable[object]) -> None:
        try:
            await call
        except GalaxyMailError as error:
            self.raised += traceback.format_exception(error)
            self.raised.append(f"{error!r} {error.args!r} {vars(error)!r} {error.__cause__!r}")
        else:
            raise AssertionError("it did not fail")

    async def _show(self, *mails: OpenMail) -> None:
        for mail in mails:
            parts = ("settings", "sender", "notifier", "renderer", "store", "composer", "service", "worker")
            self.shown += [repr(getattr(mail.container, part)()) for part in parts]
            self.shown += [repr(mail), repr(mail.service.config), str(mail.container.settings())]
        store = mails[0].container.store()
        claims = await store.claim(ClaimRequest("looking", 100, MINUTES, 5))
        self.shown += [repr(claims), repr(Letter(to=ADMIN, secrets=PINS))]
        await store.release([claim.held for claim in claims])

    async def _rows(self, mail: OpenMail) -> dict[str, str]:
        tables = await mail.pool.fetch(
            "select table_name from information_schema.tables where table_schema = $1", self.schema
        )
        rows = {
            f"a row of {name}": await mail.pool.fetchval(
                f"select string_agg(t::text, E'\\n') from {self.schema}.{name} as t"
            )
            or ""
            for (name,) in tables
        }
        assert len(rows) >= 5
        return rows

    async def _metrics(self, mail: OpenMail) -> str:
        registry, collector = CollectorRegistry(), mail.container.depth_collector()
        registry.register(collector)
        await collector.refresh()
        return generate_latest(registry).decode()

    async def _listed(self, mail: OpenMail) -> str:
        found = await mail.service.search(limit=1_000)
        assert {one.status.value for one in found} == {"sent", "dead_lettered"}
        records = [await mail.service.show(one.delivery_id) for one in found]
        shown = [f"{output.delivery_document(one)}{output.delivery_lines(one)}{one!r}" for one in records]
        return "\n".join([*shown, *output.list_lines(found)])


def _at(moment: Moment, code: int, text: str, recipient: str) -> Rule:
    def when(situation: Situation) -> bool:
        return recipient in situation.recipients

    return Rule(moment, lambda _: [lines(code, text)], when, code=code)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()
