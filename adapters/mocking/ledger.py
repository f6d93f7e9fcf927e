"""What a counterpart writes down: every exchange, also what it refused, in memory that is bounded however long it runs.

Three bounds: a ring of entries for each system and namespace, the bytes that are kept of one body, and the bytes of all
ledgers together. What is dropped is counted, so that nobody takes a part for the whole.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeVar
from weakref import WeakSet

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

LEDGER_SIZE: Final = 10_000
"""Entries kept per system and namespace, unless told otherwise; the oldest go first."""
KEPT_OF_REQUEST: Final = 1024 * 1024
"""Bytes kept of one request."""
KEPT_OF_ANSWER: Final = 256 * 1024
"""Bytes kept of one answer: a feed's may be many megabytes."""
KEPT_IN_ALL: Final = 256 * 1024 * 1024
"""Bytes of all ledgers of a world together."""

_OVERHEAD: Final = 1024
"""Bytes that an entry takes beside its bodies, roughly."""
_SECRET: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
MASK: Final = "***"


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange. ``id`` is the message's own id, the key for de-duplication. ``accepted`` says whether the
    counterpart took it; ``rule`` what decided the answer: a rule that was broken, or the fault that was ordered (empty: it was
    taken as it should be). ``report`` is everything that was found; ``fault`` the kind of
    the fault that was played. ``direction`` is ``out`` for what the counterpart sent by itself. Headers are masked, bodies
    cut after so many bytes; ``size`` is the request's true length. An answer that is streamed fills up while it leaves."""

    at: datetime
    id: str
    accepted: bool
    raw: bytes = b""
    report: tuple[str, ...] = ()
    rule: str = ""
    fault: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    direction: Literal["in", "out"] = "in"
    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    size: int = 0
    status: int = 0
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: bytearray = field(default_factory=bytearray)

    @property
    def request(self) -> str:
        """The request as text; bytes that are no UTF-8 show as U+FFFD."""
        return self.raw.decode(errors="replace")

    @property
    def weight(self) -> int:
        """What it costs to keep."""
        return len(self.raw) + max(len(self.answer), self.answer_room) + _OVERHEAD

    @property
    def answer_room(self) -> int:
        """What a streamed answer may come to; nobody tells its length beforehand."""
        return 0 if "content-length" in self.answer_headers else KEPT_OF_ANSWER


class Budget:
    """The bytes of all ledgers of a world. When they grow too many, the largest ledger pays."""

    def __init__(self, limit: int = KEPT_IN_ALL) -> None:
        self.limit = limit
        self.used = 0
        self.ledgers: WeakSet[Ledger] = WeakSet()

    def spend(self, weight: int) -> None:
        """Count bytes in, or out when negative."""
        self.used += weight
        if self.used > self.limit:  # a ledger may have gone without saying what it held
            self.used = sum(ledger.weight for ledger in self.ledgers)
        while self.used > self.limit:
            max(self.ledgers, key=lambda ledger: ledger.weight).shed()


class Ledger:
    """What one counterpart received in one namespace."""

    def __init__(self, size: int = LEDGER_SIZE, budget: Budget | None = None) -> None:
        self.size = size
        self.received = 0
        self.weight = 0
        self._ring: deque[Entry] = deque()
        self._budget = budget or Budget()
        self._budget.ledgers.add(self)

    @property
    def entries(self) -> list[Entry]:
        """What is kept, the oldest first."""
        return list(self._ring)

    @property
    def dropped(self) -> int:
        """How many came before and are kept no more."""
        return self.received - len(self._ring)

    def write(self, entry: Entry) -> None:
        """Add an exchange."""
        self.received += 1
        self._ring.append(entry)
        self._count(entry.weight)
        if len(self._ring) > self.size:
            self._drop()

    def entry(self, number: int) -> Entry | None:
        """The entry of that number, if it is kept."""
        return next((entry for entry in self._ring if entry.number == number), None)

    def accepted_ids(self) -> list[str]:
        """The distinct ids that were accepted, in order of arrival."""
        return list(dict.fromkeys(entry.id for entry in self._ring if entry.accepted and entry.direction == "in"))

    def shed(self) -> None:
        """Let the oldest tenth go."""
        for _ in range(max(1, len(self._ring) // 10)):
            self._drop()

    def clear(self) -> None:
        """Forget everything, and that there ever was anything."""
        while self._ring:
            self._drop()
        self.received = 0

    def _drop(self) -> None:
        self._count(-self._ring.popleft().weight)

    def _count(self, weight: int) -> None:
        self.weight += weight
        self._budget.spend(weight)


class Remembered(dict[KeyT, ValueT]):
    """The newest things by their key, as many as a ledger keeps; older ones are forgotten."""

    def __init__(self, size: int = LEDGER_SIZE) -> None:
        super().__init__()
        self._size = size

    def __setitem__(self, key: KeyT, value: ValueT) -> None:
        super().__setitem__(key, value)
        if len(self) > self._size:
            del self[next(iter(self))]


def masked(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers without their secrets: what they let in is for nobody to read."""
    return {name.lower(): MASK if name.lower() in _SECRET else value for name, value in headers}
