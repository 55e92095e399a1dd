"""The commands that look whether all is well: they change nothing, and their code says what they found."""

from __future__ import annotations

import argparse

from galaxy_mail.app.cli import reports
from galaxy_mail.app.cli.output import Output
from galaxy_mail.app.opening import OpenMail

WELL, UNWELL = 0, 1


async def audit(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Ask whether everything adds up."""
    breaches = await mail.service.audit(limit=arguments.limit)
    out.give(reports.audit_document(breaches), reports.audit_lines(breaches, arguments.limit))
    return UNWELL if breaches else WELL
