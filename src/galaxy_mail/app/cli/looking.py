"""The commands that look whether all is well: they change nothing, and their code says what they found."""

from __future__ import annotations

import argparse

from galaxy_mail.app.cli import reports
from galaxy_mail.app.cli.codes import DONE, FAILED
from galaxy_mail.app.cli.output import Output
from galaxy_mail.app.opening import OpenMail
from galaxy_mail.domain.diagnosis import Level


async def shape(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Show what waits."""
    seen = await mail.service.shape(domains=arguments.domains)
    out.give(reports.shape_document(seen), reports.shape_lines(seen))
    return DONE


async def audit(mail: OpenMail, arguments: argparse.Namespace, out: Output) -> int:
    """Ask whether everything adds up."""
    breaches = await mail.service.audit(limit=arguments.limit)
    out.give(reports.audit_document(breaches), reports.audit_lines(breaches, arguments.limit))
    return FAILED if breaches else DONE


async def doctor(mail: OpenMail, _: argparse.Namespace, out: Output) -> int:
    """Look at everything around, and say what to do."""
    findings = await mail.container.doctor().examine()
    out.give(reports.doctor_document(findings), reports.doctor_lines(findings))
    return FAILED if any(finding.level is Level.BAD for finding in findings) else DONE
