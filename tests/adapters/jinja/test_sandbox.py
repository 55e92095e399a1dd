from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galaxy_mail.adapters.jinja.renderer import JinjaTemplateRenderer
from galaxy_mail.domain.errors import TemplateInvalid
from tests.adapters.jinja.conftest import Write

ORDER = {"number": 7, "items": ["tea"], "name": "Ada", "inner": "__class__"}

MISTAKES: dict[str, str | None] = {
    # what the template says on its second line: what the error says after "x/body.txt, line 2: "
    "{{ orde.number }}": "the variable 'orde' is missing",
    "{{ order.numbr }}": "the attribute 'numbr' is missing",
    "{{ order['numbr'] }}": "an item is missing",
    "{{ order[order.name] }}": "an item is missing",
    "{{ order | attr(order.name) }}": "an item is missing",
    "{{ [] | first }}": "No first item, sequence was empty.",
    "{% for i in orde %}{% endfor %}": "the variable 'orde' is missing",
    "{% if orde %}{% endif %}": "the variable 'orde' is missing",
    "{{ orde | upper }}": "the variable 'orde' is missing",
    "{{ order.items }}": "prints a method instead of a value (write order['items'], not order.items)",
    "{% macro m() %}{% endmacro %}{{ m }}": "prints a method instead of a value (write order['items'], not order.items)",
    "{{ order.number / 0 }}": "cannot be rendered (ZeroDivisionError)",
    "{{ order.number + order.name }}": "cannot be rendered (TypeError)",
    "{{ order.name.split('') }}": "cannot be rendered (ValueError)",
    "{{ order.name | random }}": "No filter named 'random'.",
    "{{ order.name.__class__ }}": "uses what is not safe to use",
    "{{ order[order.inner] }}": "uses what is not safe to use",
    "{% set _ = order.update({}) %}": "uses what is not safe to use",
    "{% set _ = order['items'].append(1) %}": "uses what is not safe to use",
    "{{ '{0.__class__}'.format(order.name) }}": "uses what is not safe to use",
    "{{ lipsum() }}": "the variable 'lipsum' is missing",
    "{% include 'x/none.txt' %}": "includes x/none.txt, which does not exist",
    "{% include ['x/none.txt', 'x/no.txt'] %}": "includes one of x/none.txt, x/no.txt, and there is none",
    "{% include '../../etc/hosts.txt' %}": "includes ../../etc/hosts.txt, which does not exist",
    "{% include 'x/body.txt' %}": "cannot be rendered (RecursionError)",
    "{{ order.number": "unexpected end of template, expected 'end of print statement'.",
    "{% if order %}": None,  # Jinja's own words, several sentences
    "{% nonsense %}": "Encountered unknown tag 'nonsense'.",
}


def note(body: str, files: dict[str, str] | None = None) -> dict[str, str]:
    """The files of a template ``x`` of that text body, and others."""
    return {"x/subject.txt": "x", "x/body.txt": body, **(files or {})}


@pytest.mark.parametrize("source", MISTAKES)
def test_a_mistake_is_told_with_file_and_line(write: Write, source: str) -> None:
    """The author reads which file, which line and what."""
    renderer = JinjaTemplateRenderer([write(note(f"first line\n{source}"))])
    with pytest.raises(TemplateInvalid) as caught:
        renderer.render("x", {"order": ORDER})
    place, _, what = caught.value.problem.partition(": ")
    assert place == "x/body.txt, line 2"
    assert MISTAKES[source] in (what, None)


@pytest.mark.parametrize("source", [source for source in MISTAKES if "body.txt" not in source])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(secret=st.text().map("{}sesame".format))
def test_no_mistake_tells_a_value(write: Write, source: str, secret: str) -> None:
    """Whatever goes wrong with data, what they are stays out of the error, and out of all that hangs on it."""
    renderer = JinjaTemplateRenderer([write(note(source))])
    with pytest.raises(TemplateInvalid) as caught:
        renderer.render("x", {"order": {**ORDER, "name": secret, "items": [secret]}, secret: secret})
    assert "sesame" not in repr((caught.value, caught.value.__cause__, caught.value.__context__))


def test_a_mistake_in_an_included_file_is_told_there(write: Write) -> None:
    """The place is the innermost line: where the author has to look."""
    files = note("{% include 'y/part.txt' %}", {"y/part.txt": "\n\n{{ nobody }}"})
    with pytest.raises(TemplateInvalid, match=r"y/part\.txt, line 3: the variable 'nobody' is missing"):
        JinjaTemplateRenderer([write(files)]).render("x", {})


@pytest.mark.parametrize("broken", ["{% if %}", "{{ x | nofilter }}", "{{"])
def test_a_broken_file_is_told_however_seldom_it_is_included(write: Write, broken: str) -> None:
    """All files are compiled with the first mail, also those that this mail does not reach."""
    files = note("{% if never %}{% include 'y/part.txt' %}{% endif %}", {"y/part.txt": broken})
    with pytest.raises(TemplateInvalid, match=r"y/part\.txt, line 1: "):
        JinjaTemplateRenderer([write(files)]).render("x", {"never": False})


@pytest.mark.parametrize(
    "source",
    ["{% include name %}", "{% extends name %}", "{% import name as x %}", "{% include 'y/' ~ name %}"],
)
def test_data_choose_no_template(write: Write, source: str) -> None:
    """A file whose name is computed is refused: data could choose it, and the version could not cover it."""
    files = note(source, {"y/part.txt": "part"})
    with pytest.raises(TemplateInvalid, match=r"'x' x/body\.txt includes a template by a computed name"):
        JinjaTemplateRenderer([write(files)]).render("x", {"name": "y/part.txt"})


@pytest.mark.parametrize("part, other", [("x/body.html", "y/part.txt"), ("x/body.txt", "y/part.html")])
def test_kinds_do_not_mix(write: Write, part: str, other: str) -> None:
    """A text file is not escaped, so HTML cannot include it; nor the other way round, where data would be maimed."""
    files = note("", {other: "{{ name }}", part: f"{{% include '{other}' %}}"})
    with pytest.raises(TemplateInvalid, match=f"'x' {part} includes {other}, which is of another kind"):
        JinjaTemplateRenderer([write(files)]).render("x", {"name": "<b>"})


def test_data_are_escaped_in_included_html_too(write: Write) -> None:
    """Escaping goes by the kind of file, so it holds in layouts, macros and blocks."""
    files = note(
        "",
        {
            "x/body.html": "{% from 'y/bold.html' import bold %}{{ bold(name) }}{% include 'y/name.html' %}",
            "y/bold.html": "{% macro bold(it) %}<b>{{ it }}</b>{% endmacro %}",
            "y/name.html": "{{ name }}",
        },
    )
    assert JinjaTemplateRenderer([write(files)]).render("x", {"name": "<"}).html == "<b>&lt;</b>&lt;\n"


def test_a_file_may_be_missing_where_the_template_says_so(write: Write) -> None:
    """``ignore missing`` works, and the version changes when the file appears."""
    source = "{% include 'y/part.txt' ignore missing %}"
    without, within = (
        JinjaTemplateRenderer([write(note(source, more))]).render("x", {})
        for more in ({}, {"y/part.txt": "part"})
    )
    assert (without.text, within.text) == ("\n", "part\n")
    assert without.version != within.version


def test_methods_that_only_read_may_be_called(write: Write) -> None:
    """``order.items()`` is how a template walks a mapping."""
    source = "{% for key, value in order.items() %}{{ key }}={{ value }};{% endfor %}"
    text = JinjaTemplateRenderer([write(note(source))]).render("x", {"order": {"a": 1, "b": None}}).text
    assert text == "a=1;b=None;\n"


def test_deep_nesting_is_the_templates_fault(write: Write) -> None:
    """What Python cannot compile is an error of the template, not a crash."""
    source = "{% for a in b %}" * 30 + "{% endfor %}" * 30
    with pytest.raises(TemplateInvalid, match="nested too deeply"):
        JinjaTemplateRenderer([write(note(source))]).render("x", {"b": []})
