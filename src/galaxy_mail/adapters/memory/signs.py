"""Signs of life in memory: those that were taken, and which of them are there."""

from __future__ import annotations

from galaxy_mail.domain.leases import Sign


class Signs:
    """Numbered from one, so that a run can be repeated exactly."""

    def __init__(self) -> None:
        self.there: set[Sign] = set()
        self._known: set[Sign] = set()
        self._drawn = 0

    def draw(self) -> Sign:
        """A number that nobody else has."""
        self._drawn += 1
        return self._drawn

    def take(self, sign: Sign) -> None:
        """Show it, until it is dropped."""
        self.there.add(sign)
        self._known.add(sign)

    def drop(self, sign: Sign) -> None:
        """Show it no longer, as if its worker were dead."""
        self.there.discard(sign)

    def forget(self, signs: frozenset[Sign]) -> None:
        """Look for them no longer."""
        self._known -= signs

    @property
    def missing(self) -> frozenset[Sign]:
        """Whose are known and not there."""
        return frozenset(self._known - self.there)
