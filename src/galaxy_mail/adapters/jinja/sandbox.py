"""The Jinja environment: its authors are trusted, the data that they print are not.

Data cannot run code (sandbox), cannot be markup (escaped in whatever is not ``.txt``) and cannot choose a template (see
``sources``). And what they are never shows in an error: Jinja's own texts would repeat a key that was looked up.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Undefined
from jinja2.exceptions import SecurityError
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

_CODE = (FunctionType, BuiltinFunctionType, MethodType, Macro)


class Missing(StrictUndefined):
    """What is not there; any use of it raises, with a text that repeats nothing but names from the template."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f"the variable {self._undefined_name!r} is missing"
        return "an item is missing"  # its key may have been data


class Unprintable(Exception):
    """A template prints a function."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without surprises: nothing missing prints as nothing, and the same data give the same text."""

    def __init__(self, loader: BaseLoader) -> None:
        super().__init__(
            loader=loader,
            undefined=Missing,
            autoescape=_is_markup,
            finalize=_printable,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,  # a template is compiled once, and there are no more of them than files
            auto_reload=False,
        )
        del self.filters["random"], self.globals["lipsum"]  # every copy of a mail has the same octets

    def getattr(self, obj: Any, attribute: str) -> Any:
        """``obj.attribute``; the attribute's name stands in the template, so an error may tell it."""
        found = super().getattr(obj, attribute)
        if isinstance(found, Missing) and found._undefined_hint is None:
            return self.undefined(f"the attribute {attribute!r} is missing")
        return found

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Stands for an attribute that would lead out of the sandbox; its name may have been data."""
        return self.undefined("an attribute is not safe to use", exc=SecurityError)


def _is_markup(template: str | None) -> bool:
    return template is None or not template.endswith(".txt")


def _printable(value: object) -> object:
    """Refuse ``{{ order.items }}``: it prints the dict's method, and an address in memory that no copy repeats."""
    # The first test spares most prints the second, slower one.
    if type(value) is not str and isinstance(value, _CODE):
        raise Unprintable
    return value
