"""The laws of the TemplateRenderer port.

They know nothing of a template language. The adapter's test writes these templates in its own:

``greeting``  subject ``Hello NAME``, text ``Dear NAME,`` and HTML ``<p title="NAME">Dear NAME,</p>``, where NAME prints the
              variable ``name``; a line break may follow text and HTML.
``broken``    one that the adapter cannot compile.
"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galaxy_mail.domain.errors import GalaxyMailError, TemplateInvalid, TemplateNotFound
from galaxy_mail.domain.ports import TemplateRenderer

_law = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
_HOSTILE = [
    "<b>",
    "&lt;",
    '" onload="',
    "'",
    "{{ 7 * 6 }}",
    "{% raw %}",
    "${x}",
    "%(name)s",
    "</p><script>",
    "<!--",
]
_NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1) | st.sampled_from(_HOSTILE)
_NO_PLAIN_NAMES = [
    "",
    ".",
    "..",
    "../greeting",
    "greeting/",
    "/greeting",
    "greeting\0",
    "Grüße",
    "a\nb",
    "a b",
]


class _Structure(HTMLParser):
    """What a browser would make of it: tags with attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[object] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.seen.append(data.rstrip("\n"))


class TemplateRendererContract:
    """What every TemplateRenderer does. Override ``renderer`` with one that knows the module's two templates."""

    @pytest.fixture
    def renderer(self) -> TemplateRenderer:
        """The renderer under test."""
        raise NotImplementedError

    @_law
    @given(name=_NAMES)
    def test_rendering_is_deterministic(self, renderer: TemplateRenderer, name: str) -> None:
        """The same name and variables give the same content twice, and the version does not depend on the variables."""
        first, again = (renderer.render("greeting", {"name": name}) for _ in range(2))
        assert first == again
        assert first.version
        assert renderer.render("greeting", {"name": "another"}).version == first.version

    @_law
    @given(name=_NAMES)
    def test_data_is_never_markup_or_code(self, renderer: TemplateRenderer, name: str) -> None:
        """Whatever a variable holds comes out as itself: in the subject, in the text, and as text in the HTML."""
        content = renderer.render("greeting", {"name": name})
        assert (content.subject, content.text.rstrip("\n")) == (f"Hello {name}", f"Dear {name},")
        assert content.html is not None
        seen = [part for part in _Structure(content.html).seen if part]
        assert seen == [("p", [("title", name)]), f"Dear {name},", "p"]

    @pytest.mark.parametrize("template", ["no_such_template", *_NO_PLAIN_NAMES])
    def test_an_unknown_template_is_named(self, renderer: TemplateRenderer, template: str) -> None:
        """A name that nobody knows is repeated in the error; one that is not plain is refused and not repeated."""
        with pytest.raises(TemplateNotFound) as caught:
            renderer.render(template, {"name": "Ada"})
        assert caught.value.field == "template"
        assert ("no_such_template" in str(caught.value)) == (template == "no_such_template")
        assert "\n" not in str(caught.value)

    def test_a_missing_variable_is_an_error(self, renderer: TemplateRenderer) -> None:
        """A variable that is not given is an error that names it; so is a template that cannot be compiled."""
        with pytest.raises(TemplateInvalid, match=r"greeting.*'name'"):
            renderer.render("greeting", {"nam": "Ada"})
        with pytest.raises(TemplateInvalid, match="broken"):
            renderer.render("broken", {"name": "Ada"})

    @_law
    @given(
        before=_NAMES,
        line_break=st.sampled_from("\n\r\v\f\x1c\x85\u2028\u2029\0"),
        after=_NAMES | st.just(""),
    )
    def test_a_subject_of_two_lines_is_refused(
        self, renderer: TemplateRenderer, before: str, line_break: str, after: str
    ) -> None:
        """No data can end the subject's line, so none can begin a header of its own."""
        with pytest.raises(TemplateInvalid, match=r"greeting.*subject"):
            renderer.render("greeting", {"name": before + line_break + after})

    @_law
    @given(secret=st.text().map("{}sesame".format))
    def test_errors_do_not_repeat_values(self, renderer: TemplateRenderer, secret: str) -> None:
        """Neither an error's text nor what it drags along shows a value that was passed in."""
        for template, variables in (
            ("greeting", {"code": secret, secret: secret}),
            ("greeting", {"name": secret + "\n"}),
            ("broken", {"name": secret}),
        ):
            with pytest.raises(GalaxyMailError) as caught:
                renderer.render(template, variables)
            told = caught.value, caught.value.__cause__, caught.value.__context__
            assert "sesame" not in repr(told)
