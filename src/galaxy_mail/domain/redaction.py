"""Taking secrets out of what a server said: a reply may echo a subject, and with it a login code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from galaxy_mail.domain.text import escaped
from galaxy_mail.domain.verdicts import MAX_DETAIL_OCTETS, Receipt

REDACTED = "[redacted]"


def redacted(receipt: Receipt, secrets: Mapping[str, object] | None) -> Receipt:
    """The receipt without any value of ``secrets`` in its details, and without a queue id that shares one or a part of one."""
    if not secrets:
        return receipt
    values = sorted(set(_texts(secrets)), key=len, reverse=True)
    if not values:
        return receipt
    verdicts = tuple(attrs.evolve(v, detail=_without(v.detail, values)) for v in receipt.verdicts)
    return attrs.evolve(receipt, verdicts=verdicts, remote_id=_unless_secret(receipt.remote_id, values))


def _unless_secret(remote_id: str | None, values: list[str]) -> str | None:
    shown = escaped(remote_id or "", MAX_DETAIL_OCTETS)
    return None if any(value in shown or shown in value for value in values) else remote_id


def _without(detail: str, values: list[str]) -> str:
    cut = len(detail) >= MAX_DETAIL_OCTETS
    detail = re.sub("|".join(map(re.escape, values)), REDACTED, detail)
    if cut:  # which may have left the beginning of a secret at the end
        detail = detail[: len(detail) - max(_overlap(detail, value) for value in values)]
    return detail[:MAX_DETAIL_OCTETS]


def _overlap(detail: str, value: str) -> int:
    """The length of the longest end of ``detail`` that is a beginning of ``value``."""
    return next(n for n in range(len(value), -1, -1) if detail.endswith(value[:n]))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for child in value.values():
            yield from _texts(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _texts(child)
    elif value is not None and value is not True and value is not False and value != "":
        yield escaped(str(value), MAX_DETAIL_OCTETS)
