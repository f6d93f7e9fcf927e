"""Time in the mock world: everybody's clock, and how far a namespace has moved its own ahead of it.

Whoever asks for the time has it of the namespace that it works for: a request's, or that of what is done because it came due. So
tests that move time do not meet, and what they move goes on as time does.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

MOVED: Final = 1024
"""Namespaces whose own time is kept; the one that moved it longest ago falls back to everybody's."""
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
FURTHEST: Final = LATEST - EARLIEST
_HERE: Final[ContextVar[str]] = ContextVar("mock_namespace", default="")


class MovableTime(Protocol):
    """A clock that can be moved."""

    def now(self) -> datetime:
        """The time."""
        ...

    def move_to(self, at: datetime) -> None:
        """Let it be that instant now."""
        ...

    def advance(self, by: timedelta) -> None:
        """Let that much time pass."""
        ...


class Times:
    """The clock of each namespace. The empty name is everybody's: moving it moves all."""

    def __init__(self, everybodys: MovableTime) -> None:
        self._everybodys = everybodys
        self._ahead: OrderedDict[str, timedelta] = OrderedDict()

    def now(self) -> datetime:
        """The time of whoever is being served."""
        return self.at(_HERE.get())

    def at(self, namespace: str) -> datetime:
        """The time of a namespace."""
        return self._everybodys.now() + self._ahead.get(namespace, timedelta(0))

    def move(self, namespace: str, now: datetime | None, advance: timedelta | None) -> None:
        """To an instant, or ahead. Raises ``ValueError`` for what lies so far off that nothing could be planned there."""
        by = advance if advance is not None else timedelta(0) if now is None else now - self.at(namespace)
        if not -FURTHEST < by < FURTHEST or not EARLIEST < self.at(namespace) + by < LATEST:
            raise ValueError(f"time is moved within {EARLIEST.year} to {LATEST.year}")
        if namespace:
            self._ahead[namespace] = self._ahead.pop(namespace, timedelta(0)) + by
            while len(self._ahead) > MOVED:
                self._ahead.popitem(last=False)
            return
        if now is not None:
            self._everybodys.move_to(now)
        if advance is not None:
            self._everybodys.advance(advance)

    def forget(self, namespace: str) -> None:
        """Let it be everybody's time there again."""
        self._ahead.pop(namespace, None)


@contextmanager
def working_for(namespace: str) -> Iterator[None]:
    """Meanwhile the time is that of the namespace."""
    before = _HERE.set(namespace)
    try:
        yield
    finally:
        _HERE.reset(before)
