"""Where templates are: folders in folders, each read once.

A template ``welcome`` is the first folder ``<dir>/welcome/`` in the order of the template directories. It is taken as a
whole, so that no part of one directory's template is mixed with parts of another's. What its parts include, extend or import
is looked up in all directories by its path (``layout/base.html``), never outside of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, meta
from jinja2.exceptions import TemplateNotFound as NoSuchFile

from galaxy_mail.domain.errors import TemplateNotFound

REQUIRED = ("subject.txt", "body.txt")
OPTIONAL = "body.html"

_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")


class Unfit(Exception):
    """A template that cannot be used; the text says why, in words of the template alone."""


def is_plain_name(name: object) -> bool:
    """Whether ``name`` can be a template's: lower-case letters, digits, ``_`` and ``-``, so never a path."""
    return isinstance(name, str) and _PLAIN_NAME.fullmatch(name) is not None


class Sources(FileSystemLoader):
    """The files below some directories. What was read is kept, so that the version is that of what was compiled."""

    def __init__(self, directories: Sequence[Path]) -> None:
        super().__init__(directories)
        self._directories = directories
        self._read: dict[str, str] = {}

    def parts(self, name: str) -> list[str]:
        """The paths of a template's parts: subject, text and, where it has one, HTML.

        Raises:
            TemplateNotFound: if no directory has a folder of this name.
            Unfit: if a part is missing that every template has.
        """
        folder = next((here / name for here in self._directories if (here / name).is_dir()), None)
        if folder is None:
            raise TemplateNotFound("template", f"there is none of the name {name!r}")
        for part in REQUIRED:
            if not (folder / part).is_file():
                raise Unfit(f"has no {part}")
        return [f"{name}/{part}" for part in (*REQUIRED, OPTIONAL) if (folder / part).is_file()]

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The source of one file, for Jinja; its path below the directory stands for its file name in tracebacks."""
        if template not in self._read:
            self._read[template] = super().get_source(environment, template)[0]
        return self._read[template], template, lambda: True

    def closure(self, environment: Environment, parts: Iterable[str]) -> dict[str, str]:
        """The sources of ``parts`` and of all that they include, extend or import, by path.

        Raises:
            Unfit: for a template chosen by a computed name, or text included in HTML, where it would not be escaped.
        """
        found: dict[str, str] = {}
        waiting = list(parts)
        while waiting:
            path = waiting.pop()
            if path not in found and (source := self._source(environment, path)) is not None:
                found[path] = source
                waiting += _references(environment, path, source)
        return found

    def _source(self, environment: Environment, path: str) -> str | None:
        try:
            return self.get_source(environment, path)[0]
        except NoSuchFile:  # `ignore missing` allows it; where it does not, rendering will say so
            return None


def version(sources: dict[str, str]) -> str:
    """Twelve hexadecimal digits that change with any of the sources."""
    digest = hashlib.sha256()
    for path, source in sorted(sources.items()):
        digest.update(f"{path}\0{source}\0".encode())
    return digest.hexdigest()[:12]


def _references(environment: Environment, path: str, source: str) -> list[str]:
    references = []
    for reference in meta.find_referenced_templates(environment.parse(source, path, path)):
        if reference is None:
            raise Unfit(f"{path} includes a template by a computed name")
        if PurePosixPath(reference).suffix != PurePosixPath(path).suffix:
            raise Unfit(f"{path} includes {reference}, which is of another kind")
        references.append(reference)
    return references
