"""From a template's name and its variables to subject, text and HTML, by Jinja2."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
from jinja2 import Template
from jinja2.exceptions import SecurityError, TemplatesNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import TemplateNotFound as NoSuchFile

from galaxy_mail.adapters.jinja.sandbox import Sandbox, Unprintable
from galaxy_mail.adapters.jinja.sources import Sources, Unfit, is_plain_name, version
from galaxy_mail.domain.errors import InfrastructureError, TemplateInvalid, TemplateNotFound
from galaxy_mail.domain.mail import Content
from galaxy_mail.domain.text import forbidden_character

MAX_SUBJECT = 500  # characters
BUILT_IN = Path(__file__).with_name("templates")


@attrs.frozen
class _Compiled:
    parts: tuple[Template, ...]  # subject, text and perhaps HTML
    paths: frozenset[str]  # of all sources
    version: str


class JinjaTemplateRenderer:
    """The TemplateRenderer for folders ``<dir>/<name>/`` with subject.txt, body.txt and, if wanted, body.html.

    An earlier directory wins over a later one, and all win over the built-in templates (``login_code``). A template is read
    and compiled when it is first used, and never again in this process, unless ``auto_reload`` asks to read it each time (for
    those who write templates: it costs milliseconds a mail).

    Strict: a missing variable is an error, never an empty place. A trailing line break of a file does not count; a text or
    HTML body ends with exactly the one that it needs. Safe for many threads.
    """

    def __init__(self, template_dirs: Sequence[Path | str] = (), *, auto_reload: bool = False) -> None:
        self._directories = [Path(directory).absolute() for directory in (*template_dirs, BUILT_IN)]
        self._auto_reload = auto_reload
        self._forget()

    def render(self, template: str, variables: Mapping[str, object]) -> Content:
        """Render all parts of ``template`` with ``variables`` (JSON values).

        Raises:
            TemplateNotFound: if no directory has it, or its name is not plain.
            TemplateInvalid: naming the template, the file, the line and what is missing there; never a value.
            InfrastructureError: if a file cannot be read just now, or memory is short.
        """
        compiled = self._load(template)
        subject, *bodies = (self._render(part, variables, compiled) for part in compiled.parts)
        if problem := _subject_problem(subject):
            raise TemplateInvalid("template", f"{compiled.parts[0].name} {problem}")
        text, html = (*map(_ended, bodies), None)[:2]
        assert text is not None, "every template has a body.txt"
        return Content(subject, text, html, compiled.version)

    def _load(self, name: str) -> _Compiled:
        if not is_plain_name(name):
            raise TemplateNotFound("template", "is not a plain name (a-z, 0-9, _ and -)")
        if self._auto_reload:
            self._forget()
        compiled = self._compiled.get(name)
        if compiled is None:
            compiled = self._compiled[name] = self._compile(name)
        return compiled

    def _compile(self, name: str) -> _Compiled:
        try:
            parts = self._sources.parts(name)
            sources = self._sources.closure(self._sandbox, parts)
            for path in sources:  # what is broken is broken now, not at the first mail that gets there
                self._sandbox.get_template(path)
            templates = tuple(map(self._sandbox.get_template, parts))
            for template in templates:  # a plain dict: Jinja walks through its globals at every rendering
                template.globals = dict(template.globals)
        except TemplateSyntaxError as error:  # its text quotes the template alone; no data are near yet
            raise TemplateInvalid("template", f"{error.name}, line {error.lineno}: {error.message}") from None
        except Unfit as error:
            raise TemplateInvalid("template", f"{name!r} {error}") from None
        except UnicodeDecodeError:
            raise TemplateInvalid("template", f"{name!r} has a file that is not UTF-8") from None
        except (RecursionError, SyntaxError):
            raise TemplateInvalid("template", f"{name!r} is nested too deeply") from None
        except OSError as error:
            raise InfrastructureError(
                f"template {name!r} cannot be read: {error.strerror or 'a file is gone'}"
            ) from error
        return _Compiled(templates, frozenset(sources), version(sources))

    def _render(self, part: Template, variables: Mapping[str, object], compiled: _Compiled) -> str:
        try:
            return part.render(variables)
        except MemoryError:
            problem = None
        except Exception as error:  # noqa: BLE001 - a template can raise anything, and any text may repeat a value
            problem = f"{_place(error, compiled.paths) or part.name}: {_explained(error)}"
        # Raised out here, so that the error drags no context along that holds values.
        if problem is None:
            raise InfrastructureError(f"out of memory while rendering {part.name}")
        raise TemplateInvalid("template", problem)

    def _forget(self) -> None:
        self._sources = Sources(self._directories)
        self._sandbox = Sandbox(self._sources)
        self._compiled: dict[str, _Compiled] = {}


def _subject_problem(subject: str) -> str | None:
    if not subject.strip():
        return "makes an empty subject"
    if problem := forbidden_character(subject):
        return f"makes a subject that is not one clean line: it has {problem}"
    return f"makes a subject of over {MAX_SUBJECT} characters" if len(subject) > MAX_SUBJECT else None


def _ended(body: str) -> str:
    return body if body.endswith("\n") else body + "\n"


def _place(error: Exception, paths: frozenset[str]) -> str | None:
    """The innermost line of a template that the error came through, as ``welcome/body.txt, line 3``."""
    lines = [
        f"{frame.f_code.co_filename}, line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in paths
    ]
    return lines[-1] if lines else None


def _explained(error: Exception) -> str:
    if isinstance(error, UndefinedError):
        return str(error)  # a text of Missing, or a hint of Jinja's that quotes the template alone
    if isinstance(error, SecurityError):
        return "uses what is not safe to use"
    if isinstance(error, TemplatesNotFound):
        return f"includes one of {', '.join(map(str, error.templates))}, and there is none"
    if isinstance(error, NoSuchFile):
        return f"includes {error.name}, which does not exist"
    if isinstance(error, Unprintable):
        return "prints a method instead of a value (write order['items'], not order.items)"
    return f"cannot be rendered ({type(error).__name__})"
