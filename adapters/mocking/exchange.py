"""What each exchange goes through: faults on order, the mock's own answer, the ledger. ``play`` is the way in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from adapters.mocking import people
from adapters.mocking.counterpart import NAMESPACE_HEADER, Counterpart, Room
from adapters.mocking.faults import Fault, Kind
from adapters.mocking.ledger import KEPT_OF_ANSWER, KEPT_OF_REQUEST, Entry, masked
from adapters.mocking.recording import path_of
from adapters.mocking.times import working_for
from adapters.mocking.validation import Level


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
"""A mock's own answer. It plays the faults that speak its language: ``result``, ``soap-fault``, ``dialogue``, ``fate``."""


async def play(counterpart: Counterpart, request: Request, answer: Answer) -> Response:
    """Answer a request as the counterpart does, with the fault that is on order, and write it down."""
    room = counterpart.room(request.headers.get(NAMESPACE_HEADER, ""))
    exchange = _Exchange(counterpart, request, room, await request.body(), answer)
    with working_for(room.namespace):
        return await exchange.respond()


class _Exchange:
    """One request on its way through a counterpart."""

    def __init__(self, counterpart: Counterpart, request: Request, room: Room, body: bytes, answer: Answer) -> None:
        self.counterpart = counterpart
        self.request = request
        self.room = room
        self.body = body
        self.path = path_of(request)
        self.headers = masked(request.headers.items())
        self._answer = answer

    async def respond(self) -> Response:
        found = people.numbers(self.body + b"\n" + str(self.request.url).encode())
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
            path=self.path,
            headers=self.headers,
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
        brought = (known[number] for number in found if number in known)
        return next((fault for fault in brought if self.counterpart.can_play(fault)), None)

    async def _turn_away(self) -> Response:
        """The ledger tells that it happened, and holds nothing of it."""
        self.body, self.path, self.headers = b"", "", {}
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
    return await exchange.settle(Answered(Response(fault.body, media_type=fault.media)), fault)


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
