"""One tree of errors: whose fault it is shows in the class.

``CallerError``          the call was wrong; fix the caller; nothing was written.
``ConfigurationError``   the wiring or a setting was wrong; fix the deployment; nothing ran.
``InfrastructureError``  the database or the machine failed; trying again later may help.

Messages name the field and never echo a value that may be secret. An ordinary refusal (a lost claim, a transient reply)
is a value and not an exception, so it has no place here.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID


class GalaxyMailError(Exception):
    """The root of every error that galaxy_mail raises to a caller."""


# --- the caller's fault ----------------------------------------------------------------------------------------------


class CallerError(GalaxyMailError):
    """The call cannot be carried out as it was made; nothing was written."""


class InvalidInput(CallerError):
    """An argument breaks a rule. ``field`` names it; ``problem`` says what is wrong without repeating the value."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[str, str]]:
        return type(self), (self.field, self.problem)


class InvalidAddress(InvalidInput):
    """Text that is not one plain e-mail address."""


class InvalidMessage(InvalidInput):
    """A message that cannot be composed within the wire contract (RFC 5322, RFC 2045–2047)."""


class TemplateNotFound(InvalidInput):
    """No template of that name exists where the renderer looks."""


class TemplateInvalid(InvalidInput):
    """The template exists and cannot be rendered with this context (missing variable, syntax, two-line subject)."""


class IdempotencyConflict(CallerError):
    """The idempotency key was used before for a mail with other content."""

    def __init__(self, first: UUID) -> None:
        super().__init__(f"idempotency_key: already used with other content, by delivery {first}")
        self.first = first

    def __reduce__(self) -> tuple[type[IdempotencyConflict], tuple[UUID]]:
        return type(self), (self.first,)


class UnusableTransaction(CallerError):
    """``within`` is not an open transaction of this store, so the mail could not share its fate."""


class UnknownDelivery(CallerError):
    """No delivery has this id."""

    def __init__(self, delivery_id: UUID) -> None:
        super().__init__(f"delivery_id: no delivery {delivery_id}")
        self.delivery_id = delivery_id

    def __reduce__(self) -> tuple[type[UnknownDelivery], tuple[UUID]]:
        return type(self), (self.delivery_id,)


class ResendRefused(CallerError):
    """This delivery cannot be sent (again): not a dead letter, its secrets are wiped, or it has expired."""


class IllegalTransition(GalaxyMailError):
    """An event met a status that has no exit for it. Always a bug of galaxy_mail or an adapter; nothing has moved."""


# --- the deployment's fault ------------------------------------------------------------------------------------------


class ConfigurationError(GalaxyMailError):
    """A setting or the wiring is wrong; raised before anything runs."""


class InvalidSettings(ConfigurationError):
    """Settings out of range. ``problems`` lists every one, each as ``name: what is wrong``, secrets masked."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("invalid settings:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[InvalidSettings], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class MissingWiring(ConfigurationError):
    """The container has holes. ``missing`` names each dependency that was not provided."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__("missing wiring: " + "; ".join(missing))
        self.missing = tuple(missing)

    def __reduce__(self) -> tuple[type[MissingWiring], tuple[tuple[str, ...]]]:
        return type(self), (self.missing,)


class SchemaOutdated(ConfigurationError):
    """The database schema is missing, or older or newer than this release needs: run ``galaxy-mail migrate``."""


class MissingExtra(ConfigurationError):
    """A feature needs an optional dependency that is not installed; the message names the extra."""


class EmbeddedServerError(ConfigurationError):
    """The embedded PostgreSQL cannot be found or started on this machine; the message names the ways out."""


# --- the world's fault -----------------------------------------------------------------------------------------------


class InfrastructureError(GalaxyMailError):
    """Something outside failed; the same call may succeed later."""


class StoreUnavailable(InfrastructureError):
    """The store failed. ``sqlstate`` is the five-character code where the database gave one (PostgreSQL, appendix A).

    The driver's own text is not repeated, since it may print the row that failed.
    """

    def __init__(self, operation: str, sqlstate: str | None = None, kind: str = "") -> None:
        detail = ", ".join(part for part in (kind, f"sqlstate {sqlstate}" if sqlstate else "") if part)
        super().__init__(f"the store failed in {operation}" + (f" ({detail})" if detail else ""))
        self.operation = operation
        self.sqlstate = sqlstate
        self.kind = kind

    @property
    def data_refused(self) -> bool:
        """Whether trying again is of no use: the data itself was refused (SQLSTATE classes 22 and 23)."""
        return self.sqlstate is not None and self.sqlstate.startswith(("22", "23"))

    def __reduce__(self) -> tuple[type[StoreUnavailable], tuple[str, str | None, str]]:
        return type(self), (self.operation, self.sqlstate, self.kind)
