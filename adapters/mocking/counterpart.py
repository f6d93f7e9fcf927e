"""One mocked system: its namespaces, what each exchange goes through, and how a fault on order is played."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.mocking import people
from adapters.mocking.agenda import Agenda
from adapters.mocking.courier import Courier
from adapters.mocking.faults import KINDS, Fault, Kind
from adapters.mocking.ledger import (
    KEPT_OF_ANSWER,
    KEPT_OF_REQUEST,
    LEDGER_SIZE,
    Budget,
    Entry,
    Ledger,
    Remembered,
    masked,
)
from adapters.mocking.recording import Replay, path_of
from adapters.mocking.spy import Spy
from adapters.mocking.validation import Level, Validation

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
    """What the counterparts of one world have in common. ``people``: who brings about which fault."""

    agenda: Agenda
    size: int = LEDGER_SIZE
    namespaces: int = NAMESPACES
    budget: Budget = field(default_factory=Budget)
    bell: Bell = field(default_factory=Bell)
    courier: Courier = field(default_factory=Courier)
    spies: Remembered[str, Spy] = field(default_factory=lambda: Remembered(NAMESPACES))
    people: dict[str, Fault] = field(default_factory=dict)

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
        self.around = around or Surroundings(Agenda(now))
        self.plays: set[Kind] = set(KINDS) - {"dialogue"}
        self.forgotten = 0
        self._rooms: OrderedDict[str, Room] = OrderedDict()

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


def nothing_wrong(_: bytes) -> tuple[str, ...]:
    """For answers that no contract judges."""
    return ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What a mock makes of a request. ``rule`` is what decided that it was not accepted; ``judge`` finds where the answer
    breaks the contract; ``noted`` is false for what brings nothing and stands in no ledger."""

    response: Response
    id: str = ""
    accepted: bool = False
    report: tuple[str, ...] = ()
    rule: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    judge: Callable[[bytes], tuple[str, ...]] = nothing_wrong
    noted: bool = True


Answer = Callable[[Request, Room, Fault | None], Awaitable[Answered]]
"""A mock's own answer. It plays the faults that speak its language: ``result``, ``soap-fault``, ``dialogue``."""


async def play(counterpart: Counterpart, request: Request, answer: Answer) -> Response:
    """Answer a request as the counterpart does, with the fault that is on order, and write it down."""
    room = counterpart.room(request.headers.get(NAMESPACE_HEADER, ""))
    exchange = _Exchange(counterpart, request, room, await request.body(), answer)
    return await exchange.respond()


class _Exchange:
    """One request on its way through a counterpart."""

    def __init__(self, counterpart: Counterpart, request: Request, room: Room, body: bytes, answer: Answer) -> None:
        self.counterpart = counterpart
        self.request = request
        self.room = room
        self.body = body
        self._answer = answer

    async def respond(self) -> Response:
        found = people.numbers(self.body)
        if people.stranger(found):
            return await self._turn_away()
        if self.room.replay is not None and (recorded := self.room.replay.answer(self.request)) is not None:
            return await self.settle(Answered(recorded, rule="replay", accepted=recorded.status_code < 300), None)
        fault = self.room.next_fault() or self._of_person(found)
        return await (_PLAYS.get(fault.kind, _plainly)(self, fault) if fault else self.handle(None))

    async def handle(self, fault: Fault | None, *, spoken: bool = False) -> Response:
        """Let the mock answer; with ``spoken`` it plays the fault itself."""
        answered = await self._answer(self.request, self.room, fault if spoken else None)
        return await self.settle(answered, fault)

    async def settle(self, answered: Answered, fault: Fault | None) -> Response:
        """Write the exchange down; the response that leaves."""
        response, report = await self._judged(answered)
        if answered.noted:
            entry = self.entry(answered, response, fault)
            response = _kept(response, entry.answer)
            self.counterpart.write(self.room, replace(entry, report=(*answered.report, *report)))
        return response

    def entry(self, answered: Answered, response: Response, fault: Fault | None) -> Entry:
        """What the ledger is told."""
        return Entry(
            at=self.counterpart.now(),
            id=answered.id,
            accepted=answered.accepted,
            raw=self.body[:KEPT_OF_REQUEST],
            rule=(fault.name or fault.kind) if fault else answered.rule,
            fault=fault.kind if fault else "",
            summary=dict(answered.summary),
            method=self.request.method,
            path=path_of(self.request),
            headers=masked(self.request.headers.items()),
            size=len(self.body),
            status=response.status_code,
            answer_headers=masked(response.headers.items()),
        )

    async def _judged(self, answered: Answered) -> tuple[Response, tuple[str, ...]]:
        level = self.counterpart.validation(self.room).answers
        if level is Level.OFF or answered.judge is nothing_wrong:
            return answered.response, ()
        response = await _whole(answered.response)
        wrong = tuple(f"answer: {line}" for line in answered.judge(bytes(response.body)))
        if wrong and level is Level.STRICT:
            return PlainTextResponse("the mock's own answer breaks the contract: see its ledger", 500), wrong
        return response, wrong

    def _of_person(self, found: list[str]) -> Fault | None:
        known = self.counterpart.around.people
        return next((known[number] for number in found if number in known), None)

    async def _turn_away(self) -> Response:
        """The ledger tells that it happened, and holds nothing of it."""
        self.body = b""
        words = "only personal numbers of the test series are accepted here"
        return await self.settle(Answered(PlainTextResponse(words, 403), rule="REAL_PERSON", report=(words,)), None)


_Play = Callable[[_Exchange, Fault], Awaitable[Response]]


async def _plainly(exchange: _Exchange, fault: Fault) -> Response:
    return await exchange.handle(fault, spoken=True)


async def _delay(exchange: _Exchange, fault: Fault) -> Response:
    await asyncio.sleep(fault.seconds)
    return await exchange.handle(fault)


async def _late_answer(exchange: _Exchange, fault: Fault) -> Response:
    response = await exchange.handle(fault)
    await asyncio.sleep(fault.seconds)
    return response


async def _lose_answer(exchange: _Exchange, fault: Fault) -> Response:
    await exchange.handle(fault)
    await asyncio.sleep(fault.seconds)
    return Response(status_code=504)


async def _twice(exchange: _Exchange, fault: Fault) -> Response:
    await exchange.handle(fault)
    return await exchange.handle(fault)


async def _wrong_charset(exchange: _Exchange, fault: Fault) -> Response:
    response = await exchange.handle(fault)
    if isinstance(response, StreamingResponse):
        return Response(b"\xe5\xe4\xf6", response.status_code, media_type=response.media_type)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(_in_latin_1(bytes(response.body)), response.status_code, headers)


def _in_latin_1(body: bytes) -> bytes:
    """The same in ISO-8859-1; where there is no letter to spoil, one is put in."""
    text = body.decode()
    if text.isascii():
        text = text.replace("{", '{"å": "ä ö", ', 1) if text.startswith("{") else f"{text}<!-- å ä ö -->"
    return text.encode("iso-8859-1", "replace")


async def _refuse(exchange: _Exchange, fault: Fault) -> Response:
    wish = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return await exchange.settle(Answered(Response(status_code=fault.status, headers=wish)), fault)


async def _nonsense(exchange: _Exchange, fault: Fault) -> Response:
    return await exchange.settle(Answered(PlainTextResponse(fault.body)), fault)


_PLAYS: Final[Mapping[Kind, _Play]] = {
    "delay": _delay,
    "late-answer": _late_answer,
    "lose-answer": _lose_answer,
    "twice": _twice,
    "wrong-charset": _wrong_charset,
    "http": _refuse,
    "nonsense": _nonsense,
}
"""How each kind is played. The others are the mock's own to speak."""


def _kept(response: Response, answer: bytearray) -> Response:
    """The response, its body copied into the entry as far as that is kept; a streamed one is copied as it leaves."""
    if isinstance(response, StreamingResponse):
        response.body_iterator = _copying(response.body_iterator, answer)
    else:
        answer += bytes(response.body)[:KEPT_OF_ANSWER]
    return response


async def _whole(response: Response) -> Response:
    """A streamed answer read to its end, as it has to be judged."""
    if not isinstance(response, StreamingResponse):
        return response
    pieces = [piece.encode() if isinstance(piece, str) else bytes(piece) async for piece in response.body_iterator]
    return Response(b"".join(pieces), response.status_code, media_type=response.media_type)


async def _copying(pieces: Any, answer: bytearray) -> AsyncIterator[Any]:
    async for piece in pieces:
        answer += (piece.encode() if isinstance(piece, str) else bytes(piece))[: KEPT_OF_ANSWER - len(answer)]
        yield piece
