"""The engines that the suites of the store's ports run over.

To add one: a function that opens it on a home (opening it there again finds what was stored), in ``ENGINES``.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Select

from contracts.ports import Store
from contracts.record import Record, Version
from tests.unit.service.store.samples import StillClock, open_new


class OpenStore(Store, Protocol):
    """The port, and what its owner may do beside it."""

    def read(self, type: str, id: str) -> Record | None: ...
    def standing(self, type: str, id: str) -> Record | None: ...
    def version(self, type: str, id: str, version: int) -> Version | None: ...
    def versions(self, type: str, id: str) -> Sequence[Version]: ...
    async def select(self, statement: Select[Any]) -> Sequence[tuple[Any, ...]]: ...
    async def secret(self, name: str) -> bytes: ...
    def close(self) -> None: ...


Open = Callable[[Path, StillClock], OpenStore]


def _sqlite(home: Path, clock: StillClock) -> OpenStore:
    return open_new(home / "reko.db", clock)


ENGINES: Final[Mapping[str, Open]] = {"sqlite": _sqlite}
