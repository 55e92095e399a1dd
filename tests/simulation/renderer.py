"""Templates of which only the edition matters, so that a ledger can tell copies of one edition from those of another."""

from __future__ import annotations

from collections.abc import Mapping

from galaxy_mail.domain.mail import Content


class EditionRenderer:
    """A TemplateRenderer of one edition: a deployment brings workers with the next one."""

    def __init__(self, edition: int) -> None:
        self._edition = edition

    def render(self, template: str, variables: Mapping[str, object]) -> Content:
        """See ``TemplateRenderer.render``."""
        text = f"{template} {sorted(variables.items())}\nedition {self._edition}\n"
        return Content(f"A {template}", text, None, version=str(self._edition))
