"""One world for all tests of a session; a test that fails costs the next one a new world."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import pytest
import pytest_asyncio

from tests.faults.world import Pace, World, open_world


@attrs.define
class Worlds:
    """The world that stands, if one does."""

    factory: pytest.TempPathFactory
    stack: AsyncExitStack = attrs.field(factory=AsyncExitStack)
    world: World | None = None

    async def a_good_one(self) -> World:
        """The world, made if need be."""
        if self.world is None:
            folder: Path = self.factory.mktemp("faults")
            self.world = await self.stack.enter_async_context(open_world(folder, Pace()))
        return self.world

    async def end(self) -> None:
        """Leave nothing of it."""
        self.world = None
        await self.stack.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worlds(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worlds]:
    """Where the world is kept."""
    worlds = Worlds(tmp_path_factory)
    yield worlds
    await worlds.end()


@pytest_asyncio.fixture(loop_scope="session")
async def world(worlds: Worlds, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A world in which all is well; when the test is over, it is healed, and every invariant holds."""
    world = await worlds.a_good_one()
    try:
        yield world
        await world.heal()
        await world.quiet()
        assert (await world.findings()).broken == ()
        assert world.crew.ends == []
        assert world.secrets_told() == []
    except BaseException:
        await worlds.end()
        raise


@pytest.fixture
def order_key() -> str:
    """The name of an order that no other test has."""
    return f"o{uuid.uuid4().hex[:12]}"
