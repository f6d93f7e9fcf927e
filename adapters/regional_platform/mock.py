"""The regional platform as others see it: takes CloudEvents in both modes and judges them (decision D7).

It refuses what breaks CloudEvents 1.0 or our event schemas, recognises an event it has seen, and notes in its report
what a consumer would wonder about: an event out of order, a gap.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.mocking import Counterpart, Entry, Fault, Ledger, Room, play
from adapters.regional_platform import schemas, wire
from contracts.outbox import EventType

_NAME: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_SEQUENCE: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the platform makes of a request: the status it answers, the event's id, and what it has to say."""

    status: int
    id: str = ""
    report: tuple[str, ...] = ()
    duplicate: bool = False
    summary: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Memory:
    """Sources and ids of events taken, and the highest sequence of each subject of each source."""

    ledger: Ledger
    seen: set[tuple[str, str]] = field(default_factory=set)
    highest: dict[tuple[str, str], int] = field(default_factory=dict)


def create(counterpart: Counterpart) -> Starlette:
    """The application: ``POST /events``."""

    async def events(request: Request) -> Response:
        return await play(counterpart, request, partial(_answer, counterpart))

    return Starlette(routes=[Route("/events", events, methods=["POST"])])


async def _answer(counterpart: Counterpart, request: Request, room: Room, fault: Fault | None) -> Response:
    body = await request.body()
    verdict = _played(fault) if fault else _judge(room, request.headers, body)
    room.ledger.write(
        Entry(
            at=counterpart.now(),
            id=verdict.id,
            accepted=verdict.status == 200,
            request=body.decode(errors="replace"),
            report=verdict.report,
            fault=fault.kind if fault else "",
            summary=dict(verdict.summary or {}),
        )
    )
    return _response(verdict)


def _played(fault: Fault) -> _Verdict:
    """The two faults that speak of an answer's content, in this platform's words."""
    return _Verdict(422 if fault.kind == "result" else 500, report=(fault.text or "refused on order",))


def _response(verdict: _Verdict) -> Response:
    if verdict.status == 200:
        return JSONResponse({"duplicate": verdict.duplicate})
    problem = {"title": "The event is not accepted", "status": verdict.status, "errors": list(verdict.report)}
    return JSONResponse(problem, verdict.status, media_type="application/problem+json")


def _judge(room: Room, headers: Mapping[str, str], body: bytes) -> _Verdict:
    if len(body) > wire.MAX_BYTES:
        return _Verdict(400, report=("the event is larger than 64 KiB",))
    try:
        event = wire.read(headers, body)
    except wire.OtherMedia as error:
        return _Verdict(415, report=(str(error),))
    except wire.NotAnEvent as error:
        return _Verdict(400, report=(str(error),))
    errors = tuple(_errors(event))
    return _refused(event, errors) if errors else _taken(room, event)


def _refused(event: wire.ReceivedEvent, errors: tuple[str, ...]) -> _Verdict:
    return _Verdict(400, event.key[1], errors)


def _taken(room: Room, event: wire.ReceivedEvent) -> _Verdict:
    memory, named = _memory(room), dict(event.attributes)
    if event.key in memory.seen:
        return _Verdict(200, named["id"], ("seen before",), duplicate=True, summary=named)
    memory.seen.add(event.key)
    return _Verdict(200, named["id"], _order(memory, named), summary=named)


def _memory(room: Room) -> _Memory:
    """What the room remembers, as long as its ledger: a reset forgets both."""
    memory: _Memory | None = room.state.get("memory")
    if memory is None or memory.ledger is not room.ledger:
        memory = room.state["memory"] = _Memory(room.ledger)
    return memory


def _order(memory: _Memory, attributes: Mapping[str, str]) -> tuple[str, ...]:
    """What is odd about the event's place among those of its subject. A gap is no fault: versions may bring no event."""
    if not {"subject", "sequence"} <= attributes.keys():
        return ()
    thread = (attributes["source"], attributes["subject"])
    before, now = memory.highest.get(thread, 0), int(attributes["sequence"])
    memory.highest[thread] = max(before, now)
    if now <= before:
        return (f"out of order: {now} after {before}",)
    return (f"gap: {now} after {before}",) if now > before + 1 else ()


def _errors(event: wire.ReceivedEvent) -> Iterator[str]:
    """Everything that is wrong with the event: attribute names and places, never values."""
    named = {name: value for name, value in event.attributes.items() if _NAME.fullmatch(name)}
    if len(named) < len(event.attributes):
        yield "an attribute's name is not lower-case letters and digits"
    yield from (f"{name} is required and not empty" for name in wire.REQUIRED if not named.get(name))
    yield from (f"{name} holds a control character" for name, value in named.items() if _CONTROL.search(value))
    yield from (f"{name} {words}" for name, words, right in _FORMS if name in named and not right(named[name]))
    yield from (f"a personal number stands in {name}" for name in wire.personal_attributes(named))
    if named.get("type") in set(EventType):
        yield from (f"data {place}" for place in schemas.broken_places(EventType(named["type"]), event.data))


def _is_time(text: str) -> bool:
    """RFC 3339 with its zone; ``fromisoformat`` is laxer and is asked for the calendar only."""
    try:
        return "T" in text.upper() and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_FORMS: Final[tuple[tuple[str, str, Callable[[str], bool]], ...]] = (
    ("specversion", "is not 1.0", wire.SPEC_VERSION.__eq__),
    ("type", "is not one that was agreed on", lambda text: text in set(EventType)),
    ("source", "is no absolute URI", lambda text: _URI.fullmatch(text) is not None),
    ("dataschema", "is no absolute URI", lambda text: _URI.fullmatch(text) is not None),
    ("time", "is no RFC 3339 time", _is_time),
    ("subject", "is empty", bool),
    ("sequence", "is no number", lambda text: _SEQUENCE.fullmatch(text) is not None),
)
