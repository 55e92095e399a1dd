"""The laws of the RelayProbe port."""

from __future__ import annotations

from typing import Protocol

import pytest

from galaxy_mail.domain.operator_ports import RelayProbe
from galaxy_mail.domain.verdicts import Stage

HUSHED = "p4ssw0rd-of-the-relay"


class RelayProbeHarness(Protocol):
    """A fresh probe, with a login by ``HUSHED``, and the hands of a test on the relay that it looks at."""

    @property
    def probe(self) -> RelayProbe:
        """The probe under test."""
        ...

    def refuse_login(self) -> None:
        """From now on the relay refuses the login with a 535 that repeats the password."""
        ...

    def go_away(self) -> None:
        """From now on the relay closes each connection without a word."""
        ...

    def mails_begun(self) -> int:
        """How often the relay was named a sender."""
        ...


@pytest.mark.asyncio
class RelayProbeContract:
    """What a doctor may rely on. Override ``harness``."""

    @pytest.fixture
    def harness(self) -> RelayProbeHarness:
        """The probe under test, and its relay."""
        raise NotImplementedError

    async def test_a_probe_begins_no_mail(self, harness: RelayProbeHarness) -> None:
        """It comes as far as the login, twice, and not a step further."""
        for _ in range(2):
            report = await harness.probe.look()
            assert report.trouble is None
            assert report.logged_in
        assert harness.mails_begun() == 0

    async def test_a_probe_reports_what_fails(self, harness: RelayProbeHarness) -> None:
        """Where it failed, and what was said there."""
        harness.refuse_login()
        trouble = (await harness.probe.look()).trouble
        assert trouble is not None
        assert (trouble.stage, trouble.code) == (Stage.AUTH, 535)
        harness.go_away()
        trouble = (await harness.probe.look()).trouble
        assert trouble is not None
        assert trouble.stage is Stage.GREETING

    async def test_a_report_repeats_no_secret(self, harness: RelayProbeHarness) -> None:
        """Neither what went well nor what the relay repeats of the login."""
        assert HUSHED not in repr(await harness.probe.look())
        harness.refuse_login()
        assert HUSHED not in repr(await harness.probe.look())
