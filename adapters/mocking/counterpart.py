"""One mocked system: its namespaces, and what it shares with the others of its world."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.mocking import people
from adapters.mocking.agenda import Agenda
from adapters.mocking.courier import Courier
from adapters.mocking.faults import KINDS, OWN, Fault, Kind
from adapters.mocking.ledger import (
    LEDGER_SIZE,
    Budget,
    Entry,
    Ledger,
    Remembered,
)
from adapters.mocking.recording import Replay
from adapters.mocking.spy import Spy
from adapters.mocking.validation import Validation

NAMESPACE_HEADER: Final = "X-Mock-Namespace"
NAMESPACES: Final = 256
"""Namespaces kept per counterpart; the one that was used longest ago goes first, the empty one never."""


class Room:
    """One namespace of one counterpart. ``state`` is what it was given (certificates and the like), ``memory`` what it
    remembers of its traffic, as much as its ledger keeps."""

    def __init__(self, namespace: str, size: int, budget: Budget) -> None:
        self.namespace = namespace
        self.ledger = Ledger(size, budget)
        self.state: dict[str, Any] = {}
        self.memory: dict[str, Remembered[Any, Any]] = {}
        self.validation: Validation | None = None
        self.replay: Replay | None = None
        self._faults: list[tuple[Fault, int | None]] = []

    def order(self, faults: list[Fault]) -> None:
        """Replace the faults that wait."""
        self._faults = [(fault, fault.times) for fault in faults]

    @property
    def waiting(self) -> list[Fault]:
        """The faults that wait, with the calls that are left of each."""
        return [fault.model_copy(update={"times": left}) for fault, left in self._faults]

    def next_fault(self) -> Fault | None:
        """The fault for this call, counted down."""
        if not self._faults:
            return None
        fault, left = self._faults[0]
        if left is not None:
            self._faults[:1] = [] if left == 1 else [(fault, left - 1)]
        return fault

    def remembered(self, what: str) -> Remembered[Any, Any]:
        """What it remembers of one kind."""
        return self.memory.setdefault(what, Remembered(self.ledger.size))

    def forget(self) -> None:
        """Its traffic, and what waits; what it was given stays."""
        self.ledger.clear()
        self.memory.clear()
        self.order([])


class Bell:
    """Rings at every new entry, for those who wait for one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or so long."""
        try:
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return


@dataclass(slots=True)
class Surroundings:
    """What the counterparts of one world have in common. ``people``: who brings about which fault; ``inside``: the world
    itself, for counterparts that reach each other in this process."""

    agenda: Agenda
    size: int = LEDGER_SIZE
    namespaces: int = NAMESPACES
    budget: Budget = field(default_factory=Budget)
    bell: Bell = field(default_factory=Bell)
    courier: Courier = field(default_factory=Courier)
    spies: Remembered[str, Spy] = field(default_factory=lambda: Remembered(NAMESPACES))
    people: dict[str, Fault] = field(default_factory=dict)
    inside: ASGIApp | None = None

    def spy(self, namespace: str) -> Spy:
        """The namespace's own spy."""
        if namespace not in self.spies:
            self.spies[namespace] = Spy()
        return self.spies[namespace]


class Counterpart:
    """One mocked system: its namespaces and the world's clock."""

    def __init__(self, system: str, now: Callable[[], datetime], around: Surroundings | None = None) -> None:
        self.system = system
        self.now = now
        self.around = around or Surroundings(Agenda(lambda _: now()))
        self.plays: set[Kind] = set(KINDS) - OWN
        self.has_result_codes = False
        """Whether its contract has a code that says that all is well, and can be ordered."""
        self.forgotten = 0
        self._rooms: OrderedDict[str, Room] = OrderedDict()

    def can_play(self, fault: Fault) -> bool:
        """Whether the fault can be told in its language."""
        says_well = fault.kind == "result" and fault.result_code in ("OK", "INFO")
        return fault.kind in self.plays and (self.has_result_codes or not says_well)

    @property
    def namespaces(self) -> list[str]:
        """Those that it keeps a room for."""
        return list(self._rooms)

    def room(self, namespace: str = "") -> Room:
        """The namespace's own room; the empty name is everybody's."""
        if namespace not in self._rooms:
            self._rooms[namespace] = Room(namespace, self.around.size, self.around.budget)
            self._make_place()
        self._rooms.move_to_end(namespace)
        return self._rooms[namespace]

    def validation(self, room: Room) -> Validation:
        """How strictly it judges there: as the namespace wants it, else as everybody does."""
        return room.validation or self.room().validation or Validation()

    def reset(self, namespace: str = "") -> None:
        """Forget the traffic and the faults of a namespace; its state (certificates and the like) stays."""
        self.room(namespace).forget()

    def leave(self, namespace: str = "") -> None:
        """Forget everything of a namespace."""
        gone = self._rooms.pop(namespace, None)
        if gone is not None:
            gone.forget()

    def write(self, room: Room, entry: Entry) -> Entry:
        """Put an entry into the ledger, numbered and looked at by the spy."""
        number = room.ledger.received + 1
        spy, seen = self.around.spies.get(room.namespace), tuple[str, ...]()
        if spy is not None:
            seen = spy.look(self.system, number, entry.request, people.numbers(entry.raw))
        written = replace(entry, number=number, report=(*entry.report, *seen))
        room.ledger.write(written)
        self.around.bell.ring()
        return written

    def _make_place(self) -> None:
        """The empty namespace does not count: it is everybody's and stays."""
        while len(self._rooms) - ("" in self._rooms) > self.around.namespaces:
            self.leave(next(name for name in self._rooms if name))
            self.forgotten += 1


class InNamespace:
    """The namespace in the address instead of the header: ``/_ns/{namespace}/...`` is the application seen from there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        namespace = scope["path_params"]["namespace"].encode()
        header = (NAMESPACE_HEADER.lower().encode(), namespace)
        others = [each for each in scope["headers"] if each[0] != header[0]]
        await self._app({**scope, "headers": [*others, header]}, receive, send)
