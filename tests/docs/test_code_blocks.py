"""What the pages show is so: their Python runs, their SQL is accepted, their files are what they say.

A page is run from top to bottom, in one namespace, against a real PostgreSQL and a real SMTP conversation.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from galaxy_mail.adapters.postgres import migrate, open_pool
from tests.docs.pages import PAGES, ROOT, Block, blocks, blocks_in, named
from tests.docs.world import World, open_world

LANGUAGES = {
    "",
    "console",
    "dockerfile",
    "html",
    "ini",
    "jinja",
    "mermaid",
    "python",
    "sh",
    "sql",
    "text",
    "toml",
}
BY_THEMSELVES = (
    ROOT / "README.md",
    ROOT / "docs/tutorial/first-mail.md",
)  # more is said of them below and in test_tutorial


@pytest.fixture
async def world(postgres_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A world for one page, with the page's folder as the working one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    async with open_world(postgres_dsn, tmp_path) as world:
        yield world
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


async def play(world: World, page: list[Block]) -> None:
    """Run and write everything that a page shows, in its order."""
    for block in page:
        if block.norun:
            continue
        if block.file:
            world.write(block)
        elif block.language == "python":
            await world.run(block)
        elif block.language == "sql":
            await world.query(block)


def runnable(page: Path) -> bool:
    """Whether a page shows anything that can be run."""
    return page not in BY_THEMSELVES and any(block.language in ("python", "sql") for block in blocks(page))


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=named)
async def test_a_page_runs(world: World, page: Path) -> None:
    """Every block of Python and SQL of a page runs, and the tests that it shows pass."""
    if any(block.language == "sql" for block in blocks(page)):
        async with open_pool(world.dsn) as pool:
            await migrate(pool, "galaxy_mail")
    await play(world, blocks(page))
    if list(world.folder.rglob("test_*.py")):
        tested = await asyncio.to_thread(world.pytest)
        assert tested.returncode == 0, tested.stdout + tested.stderr


async def test_the_readme_sends_what_it_says(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The first example sends a login code and a welcome, keeps the host's row, and prints what became of them."""
    await play(world, blocks(ROOT / "README.md"))
    mails = [message_from_bytes(copy.octets, policy=policy.default) for copy in world.relay.copies]
    assert len(mails) == 2
    assert {"Welcome, Ada"} < {str(mail["Subject"]) for mail in mails}
    assert any("493817" in str(mail) for mail in mails)
    assert "'sent': 2" in capsys.readouterr().out


def test_every_page_speaks_known_languages() -> None:
    """A block says what it is; an unknown word would be one that nobody checks."""
    strangers = {block.place for page in PAGES for block in blocks(page) if block.language not in LANGUAGES}
    assert strangers == set()


def test_the_reader_sees_blocks_and_their_marks() -> None:
    """A caption makes a file, a mark with a reason keeps a block from running, and a hidden block is run."""
    text = """\
`shop/signup.py`:

```python
one = 1
```

<!-- norun: needs a network -->
```python
two
```
<!-- norun: -->
```python
three
```
<!-- run
four
-->
"""
    found = list(blocks_in(ROOT / "README.md", text))
    assert [(block.text, block.file, block.norun) for block in found] == [
        ("one = 1\n", "shop/signup.py", None),
        ("two\n", None, "needs a network"),
        ("three\n", None, None),
        ("four\n", None, None),
    ]
    assert found[0].line == 4


async def test_a_wrong_example_is_found_out(world: World) -> None:
    """A block that fails fails the test, awaited or not, and the traceback names the page."""
    text = "```python\nimport asyncio\nawait asyncio.sleep(0)\nassert mail.sent\n```\n"
    with pytest.raises(NameError) as raised:
        await play(world, list(blocks_in(ROOT / "README.md", text)))
    assert str(raised.traceback[-1].path) == str(ROOT / "README.md")
    assert raised.traceback[-1].lineno + 1 == 4
