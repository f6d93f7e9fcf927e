"""What a process that serves does with its memory."""

import gc
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette

from service.server import HOST, YOUNG, Server, server, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    gc.unfreeze()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


async def started(one: Server) -> None:
    one.config.load()
    one.lifespan = one.config.lifespan_class(one.config)
    await one.startup()
    one.should_exit = True
    await one.shutdown()


async def test_the_collector_leaves_alone_what_a_process_has_read_by_its_start() -> None:
    one = server(Starlette(), HOST, 0)
    one.has_process = True
    await started(one)
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] == YOUNG


async def test_who_serves_beside_other_work_leaves_the_collector_as_it_is() -> None:
    async with serving(Starlette(), 0):
        assert (gc.get_freeze_count(), gc.get_threshold()[0] == YOUNG) == (0, False)
