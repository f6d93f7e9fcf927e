"""The engines that the suites of the store's ports run over.

To add one: a function that opens it on a home (opening it there again finds what was stored), in ``engine``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import pytest
from sqlalchemy import Select

from contracts.ports import Store
from contracts.record import Record, Version
from tests.postgres import TEMPLATE, Cluster
from tests.unit.service.store.samples import StillClock, open_new, open_store


class OpenStore(Store, Protocol):
    """The port, and what its owner may do beside it."""

    @property
    def numbers(self) -> Mapping[tuple[str, str], int]: ...

    def read(self, type: str, id: str) -> Record | None: ...
    def standing(self, type: str, id: str) -> Record | None: ...
    def version(self, type: str, id: str, version: int) -> Version | None: ...
    def versions(self, type: str, id: str) -> Sequence[Version]: ...
    async def select(self, statement: Select[Any]) -> Sequence[tuple[Any, ...]]: ...
    async def secret(self, name: str) -> bytes: ...
    def close(self) -> None: ...


Open = Callable[[Path, StillClock], OpenStore]


ENGINES: Final = ("sqlite", "postgres")


@contextmanager
def engine(name: str, request: pytest.FixtureRequest) -> Iterator[Open]:
    """How to open an engine; what was stored with it is gone afterwards."""
    if name == "sqlite":
        yield lambda home, clock: open_new(home / "reko.db", clock)
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    homes: set[Path] = set()

    def open_there(home: Path, clock: StillClock) -> OpenStore:
        homes.add(home)
        return open_store(cluster.database(home, TEMPLATE), clock)

    yield open_there
    for home in homes:
        cluster.drop(home)
