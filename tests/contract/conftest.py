"""An open store of each engine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.engines import ENGINES, Open, OpenStore, engine
from tests.unit.service.store.samples import StillClock


@pytest.fixture(params=ENGINES)
def open_it(request: pytest.FixtureRequest) -> Iterator[Open]:
    with engine(request.param, request) as opens:
        yield opens


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def store(open_it: Open, clock: StillClock, tmp_path: Path) -> AsyncIterator[OpenStore]:
    store = open_it(tmp_path, clock)
    yield store
    store.close()
