"""What every mock counterpart shares: a ledger of what it got, faults on order, namespaces, and a clock to ask.

A mock is the other side of the same contract, a real ASGI application (decision D7). It writes down everything it
receives, also what it refuses, and misbehaves when told to (decision D27: faults at the level of answers).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

NAMESPACE_HEADER: Final = "X-Mock-Namespace"
LEDGER_SIZE: Final = 10_000
"""Entries kept per system and namespace; the oldest go first."""


class Fault(BaseModel):
    """One way to misbehave, for the next ``times`` calls (``null``: until it is taken away).

    ``result``: answer with ``resultCode``, ``errorId`` and ``text``; an ERROR is not accepted.
    ``soap-fault``: SOAP fault with ``text`` (``VP009 ...``) and HTTP 500. ``http``: ``status``, ``retryAfter`` seconds.
    ``delay``: wait ``seconds``, then go on as usual. ``lose-answer``: accept, then never answer (hold the connection
    for ``seconds``). ``nonsense``: HTTP 200 with ``body``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    kind: Literal["result", "soap-fault", "http", "delay", "lose-answer", "nonsense"]
    times: int | None = Field(default=1, ge=1)
    result_code: Literal["OK", "INFO", "ERROR"] = "ERROR"
    error_id: str | None = None
    text: str = ""
    fault_code: Literal["Client", "Server"] = "Server"
    status: int = Field(default=503, ge=200, le=599)
    retry_after: int | None = None
    seconds: float = Field(default=30.0, ge=0, le=300)
    body: str = "this is not an answer"


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange. ``id`` is the message's own id, the key for de-duplication. ``accepted`` says whether the
    counterpart took it; ``report`` why not, or what it found; ``fault`` the kind of the fault that was played."""

    at: datetime
    id: str
    accepted: bool
    request: str
    report: tuple[str, ...] = ()
    fault: str = ""
    summary: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """What one counterpart received in one namespace."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        """Add an exchange."""
        self.entries.append(entry)
        del self.entries[:-LEDGER_SIZE]

    def accepted_ids(self) -> list[str]:
        """The distinct ids that were accepted, in order of arrival."""
        return list(dict.fromkeys(entry.id for entry in self.entries if entry.accepted))


class Room:
    """One namespace of one counterpart: its ledger, its faults in order, and its own state."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.state: dict[str, Any] = {}
        self._faults: list[tuple[Fault, int | None]] = []

    def order(self, faults: list[Fault]) -> None:
        """Replace the faults that wait."""
        self._faults = [(fault, fault.times) for fault in faults]

    def next_fault(self) -> Fault | None:
        """The fault for this call, counted down."""
        if not self._faults:
            return None
        fault, left = self._faults[0]
        if left is not None:
            self._faults[:1] = [] if left == 1 else [(fault, left - 1)]
        return fault


class Counterpart:
    """One mocked system: its namespaces and the world's clock."""

    def __init__(self, system: str, now: Callable[[], datetime]) -> None:
        self.system = system
        self.now = now
        self._rooms: defaultdict[str, Room] = defaultdict(Room)

    def room(self, namespace: str = "") -> Room:
        """The namespace's own room; the empty name is everybody's."""
        return self._rooms[namespace]

    def reset(self, namespace: str = "") -> None:
        """Forget the ledger and the faults of a namespace; its state (certificates and the like) stays."""
        room = self._rooms[namespace]
        room.ledger = Ledger()
        room.order([])


Answer = Callable[[Request, Room, Fault | None], Awaitable[Response]]
"""A mock's own answer: it writes the ledger, and plays ``result`` and ``soap-fault`` itself."""


async def play(counterpart: Counterpart, request: Request, answer: Answer) -> Response:
    """Answer a request as the counterpart does, with the fault that is on order."""
    room = counterpart.room(request.headers.get(NAMESPACE_HEADER, ""))
    fault = room.next_fault()
    if fault is None or fault.kind in ("result", "soap-fault"):
        return await answer(request, room, fault)
    await request.body()  # read while the caller is still there
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return await answer(request, room, None)
    if fault.kind == "lose-answer":
        await answer(request, room, None)
        await asyncio.sleep(fault.seconds)
        return Response(status_code=504)
    return await _refuse(counterpart, request, room, fault)


async def _refuse(counterpart: Counterpart, request: Request, room: Room, fault: Fault) -> Response:
    body = (await request.body()).decode(errors="replace")
    room.ledger.write(Entry(counterpart.now(), "", accepted=False, request=body, fault=fault.kind))
    if fault.kind == "nonsense":
        return Response(fault.body, media_type="text/plain")
    wish = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Response(status_code=fault.status, headers=wish)
