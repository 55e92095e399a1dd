from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader

from galaxy_mail.adapters.jinja.renderer import MAX_SUBJECT, JinjaTemplateRenderer
from galaxy_mail.domain.errors import InfrastructureError, TemplateInvalid, TemplateNotFound
from galaxy_mail.domain.ports import TemplateRenderer
from galaxy_mail.testing.contracts.template_renderer import TemplateRendererContract
from tests.adapters.jinja.conftest import Write

NOTE = {"note/subject.txt": "A note\n", "note/body.txt": "{{ text }}\n"}


class TestJinjaTemplateRenderer(TemplateRendererContract):
    @pytest.fixture
    def renderer(self, write: Write) -> TemplateRenderer:
        """One that knows the contract's templates."""
        files = {
            "greeting/subject.txt": "Hello {{ name }}\n",
            "greeting/body.txt": "Dear {{ name }},\n",
            "greeting/body.html": '<p title="{{ name }}">Dear {{ name }},</p>\n',
            "broken/subject.txt": "Hello {{ name",
            "broken/body.txt": "Dear {{ name }},\n",
        }
        return JinjaTemplateRenderer([write(files)])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text())
def test_a_subject_holds_the_data_exactly_or_is_refused(write: Write, name: str) -> None:
    """Nothing is trimmed, folded or replaced in a subject: it is what the template and the data make, or an error."""
    renderer = JinjaTemplateRenderer([write({"note/subject.txt": "<{{ name }}>\n", "note/body.txt": ""})])
    try:
        subject = renderer.render("note", {"name": name}).subject
    except TemplateInvalid:
        assert not name.isprintable() or len(name) > MAX_SUBJECT - 2 or "=?" in name
    else:
        assert subject == f"<{name}>"


@pytest.mark.parametrize(
    "source, problem",
    [
        ("", "empty"),
        (" \t{{ '' }}\n", "empty"),
        ("one\ntwo", "not one clean line"),
        ("x" * (MAX_SUBJECT + 1), f"over {MAX_SUBJECT} characters"),
        ("=?utf-8?q?x?=", "encoded word"),
    ],
)
def test_a_subject_that_no_header_can_hold_is_refused(write: Write, source: str, problem: str) -> None:
    """An empty, many-lined, endless or encoded subject is the template's error, told with its file."""
    renderer = JinjaTemplateRenderer([write({**NOTE, "note/subject.txt": source})])
    with pytest.raises(TemplateInvalid, match=f"note/subject.txt .*{problem}"):
        renderer.render("note", {"text": "x"})


def test_the_longest_subject_is_allowed(write: Write) -> None:
    """The limit itself is within the limit."""
    renderer = JinjaTemplateRenderer([write({**NOTE, "note/subject.txt": "x" * MAX_SUBJECT})])
    assert renderer.render("note", {"text": "x"}).subject == "x" * MAX_SUBJECT


@pytest.mark.parametrize("source", ["{{ text }}", "{{ text }}\n", "{{ text }}\r\n"])
def test_a_body_ends_with_one_line_break(write: Write, source: str) -> None:
    """Whether a file ends with a line break or not, the body does; what the data hold stays."""
    renderer = JinjaTemplateRenderer([write({**NOTE, "note/body.txt": source, "note/body.html": source})])
    content = renderer.render("note", {"text": "one\n\n\ntwo"})
    assert (content.text, content.html) == ("one\n\n\ntwo\n", "one\n\n\ntwo\n")


def test_a_block_takes_no_line(write: Write) -> None:
    """Control lines leave no empty lines behind, so a template can be indented as its author likes."""
    source = "list:\n  {% for item in text %}\n* {{ item }}\n  {% endfor %}\nend\n"
    renderer = JinjaTemplateRenderer([write({**NOTE, "note/body.txt": source})])
    assert renderer.render("note", {"text": "ab"}).text == "list:\n* a\n* b\nend\n"


def test_a_template_without_html_has_none(write: Write) -> None:
    """The HTML part is optional."""
    assert JinjaTemplateRenderer([write(NOTE)]).render("note", {"text": "x"}).html is None


def test_text_is_not_escaped(write: Write) -> None:
    """A text body shows data as they are."""
    assert JinjaTemplateRenderer([write(NOTE)]).render("note", {"text": "a < b & c"}).text == "a < b & c\n"


# --- whose template ---------------------------------------------------------------------------------------------------


def test_an_earlier_directory_wins(write: Write) -> None:
    """Of two directories that have a template, the first one's is used."""
    mine, theirs = write({**NOTE, "note/subject.txt": "mine"}), write({**NOTE, "note/subject.txt": "theirs"})
    assert JinjaTemplateRenderer([mine, theirs]).render("note", {"text": "x"}).subject == "mine"
    assert JinjaTemplateRenderer([theirs, mine]).render("note", {"text": "x"}).subject == "theirs"


def test_a_users_template_replaces_the_built_in_one_as_a_whole(write: Write) -> None:
    """A user's login_code without HTML has no HTML: parts of two templates never mix."""
    own = write({"login_code/subject.txt": "Code", "login_code/body.txt": "{{ code }}"})
    content = JinjaTemplateRenderer([str(own)]).render("login_code", {"code": "493817"})
    assert (content.subject, content.text, content.html) == ("Code", "493817\n", None)


@pytest.mark.parametrize("part", ["subject.txt", "body.txt"])
def test_a_template_without_subject_or_text_is_invalid(write: Write, part: str) -> None:
    """Both are required; the error names the one that is not there."""
    renderer = JinjaTemplateRenderer(
        [write({path: s for path, s in NOTE.items() if not path.endswith(part)})]
    )
    with pytest.raises(TemplateInvalid, match=f"'note' has no {part}"):
        renderer.render("note", {"text": "x"})


def test_relative_directories_are_those_of_the_start(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A process that changes its directory keeps its templates."""
    folder = write(NOTE)
    monkeypatch.chdir(folder.parent)
    renderer = JinjaTemplateRenderer([folder.name])
    monkeypatch.chdir(tmp_path)
    assert renderer.render("note", {"text": "x"}).text == "x\n"


@pytest.mark.parametrize("name", [None, 7, ["note"], b"note", "Note", "-note", "_note", "n" * 101, "note\n"])
def test_a_name_is_lower_case_and_plain(write: Write, name: str) -> None:
    """What is no short word of a-z, 0-9, _ and - is no name, whatever its type, also where files ignore case."""
    with pytest.raises(TemplateNotFound, match="not a plain name"):
        JinjaTemplateRenderer([write(NOTE)]).render(name, {"text": "x"})


# --- what belongs together --------------------------------------------------------------------------------------------

LAYOUT = {
    **NOTE,
    "note/body.html": "{% extends 'layout/base.html' %}{% block main %}{{ text }}{% endblock %}",
    "layout/base.html": "<main>{% block main %}{% endblock %}</main>{% include 'layout/footer.html' %}",
    "layout/footer.html": "<hr>",
}


def test_parts_may_extend_and_include_files_of_all_directories(write: Write) -> None:
    """A layout can live in another directory than the templates that use it."""
    notes = {path: source for path, source in LAYOUT.items() if path.startswith("note")}
    layout = {path: source for path, source in LAYOUT.items() if path.startswith("layout")}
    content = JinjaTemplateRenderer([write(notes), write(layout)]).render("note", {"text": "<"})
    assert content.html == "<main>&lt;</main><hr>\n"


@pytest.mark.parametrize("path", LAYOUT)
def test_the_version_changes_with_every_file_that_counts(write: Write, path: str) -> None:
    """Changing a part, or anything that it includes however far away, changes the version; twelve hexadecimal digits."""
    before, after = (
        JinjaTemplateRenderer([write(files)]).render("note", {"text": "x"}).version
        for files in (LAYOUT, {**LAYOUT, path: LAYOUT[path].rstrip("\n") + " "})
    )
    assert before != after
    assert re.fullmatch("[0-9a-f]{12}", before)


def test_the_version_is_that_of_the_sources_alone(write: Write) -> None:
    """Two hosts with the same files say the same version, wherever the files are; unrelated files do not count."""
    one, other = write(LAYOUT), write({**LAYOUT, "layout/unused.html": "x", "another/body.txt": "x"})
    assert (
        JinjaTemplateRenderer([one]).render("note", {"text": "x"}).version
        == JinjaTemplateRenderer([other]).render("note", {"text": "x"}).version
    )


def test_losing_the_html_changes_the_version(write: Write) -> None:
    """A template with and the same template without HTML are two versions."""
    plain, rich = write(NOTE), write({**NOTE, "note/body.html": ""})
    versions = {JinjaTemplateRenderer([d]).render("note", {"text": "x"}).version for d in (plain, rich)}
    assert len(versions) == 2


def test_a_template_is_compiled_once(write: Write) -> None:
    """Once it was used, nothing that happens to its files changes it in this process, not even their end."""
    folder = write(NOTE)
    renderer = JinjaTemplateRenderer([folder])
    before = renderer.render("note", {"text": "x"})
    shutil.rmtree(folder)
    assert renderer.render("note", {"text": "x"}) == before


def test_each_file_is_read_once(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is made from the very text that is compiled, so a file changed in between cannot part them."""
    reads = Counter[str]()
    read = FileSystemLoader.get_source

    def counting(self: FileSystemLoader, environment: Environment, template: str) -> object:
        reads[template] += 1
        return read(self, environment, template)

    monkeypatch.setattr(FileSystemLoader, "get_source", counting)
    JinjaTemplateRenderer([write(LAYOUT)]).render("note", {"text": "x"})
    assert reads == dict.fromkeys(LAYOUT, 1)


def test_with_auto_reload_it_is_read_each_time(write: Write) -> None:
    """Whoever writes templates sees each change at once, in included files too."""
    folder = write(LAYOUT)
    renderer = JinjaTemplateRenderer([folder], auto_reload=True)
    before = renderer.render("note", {"text": "x"})
    (folder / "layout/footer.html").write_text("<hr class=new>")
    after = renderer.render("note", {"text": "x"})
    assert after.html == "<main>x</main><hr class=new>\n"
    assert after.version != before.version


# --- what is wrong, and where -----------------------------------------------------------------------------------------


def test_a_file_that_is_not_utf8_is_the_templates_fault(write: Write) -> None:
    """Latin-1 is told apart from a disk that fails."""
    folder = write(NOTE)
    (folder / "note/body.txt").write_bytes(b"\xe9")
    with pytest.raises(TemplateInvalid, match="not UTF-8"):
        JinjaTemplateRenderer([folder]).render("note", {"text": "x"})


def test_a_disk_that_fails_is_not_the_templates_fault(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of file descriptors, a template cannot be read now, so no mail must be given up for it; later it can."""
    renderer = JinjaTemplateRenderer([write(NOTE)])

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as broken:
        broken.setattr("builtins.open", refuse)
        with pytest.raises(InfrastructureError, match="'note' cannot be read: Too many open files"):
            renderer.render("note", {"text": "x"})
    assert renderer.render("note", {"text": "x"}).text == "x\n"


def test_a_part_that_vanishes_while_it_is_read_is_not_the_templates_fault(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment that swaps folders under us is worth another try."""
    folder = write(NOTE)
    renderer = JinjaTemplateRenderer([folder])
    monkeypatch.setattr(Path, "is_file", lambda _path: True)  # so it says that there is a body.html
    with pytest.raises(InfrastructureError, match="'note' cannot be read: a file is gone"):
        renderer.render("note", {"text": "x"})


def test_too_little_memory_is_not_the_templates_fault(write: Write) -> None:
    """A machine in trouble gives up no mail."""
    renderer = JinjaTemplateRenderer([write(NOTE)])

    class Heavy:
        def __str__(self) -> str:
            raise MemoryError

    with pytest.raises(InfrastructureError, match=r"out of memory while rendering note/body\.txt"):
        renderer.render("note", {"text": Heavy()})
