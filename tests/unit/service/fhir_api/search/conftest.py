"""What the tests of searching share: a store for each module, and a loop to ask it in."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from service.store.store import SqlStore
from tests.unit.service.store.samples import open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    store = open_store(tmp_path_factory.mktemp("search") / "reko.db")
    yield store
    store.close()


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[Any], Any]]:
    with asyncio.Runner() as runner:
        yield runner.run
