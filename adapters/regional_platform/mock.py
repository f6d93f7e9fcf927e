"""The regional platform as others see it: takes CloudEvents in both modes and judges them (decision D7).

It refuses what breaks CloudEvents 1.0 or our event schemas, recognises an event it has seen, and notes in its report
what a consumer would wonder about: an event out of order, a gap.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.mocking import Answered, Counterpart, Fault, Level, Remembered, Room, describing, play
from adapters.mocking.validation import wrong
from adapters.regional_platform import schemas, signing, wire
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
    rule: str = ""
    duplicate: bool = False
    summary: Mapping[str, str] | None = None


def create(counterpart: Counterpart) -> Starlette:
    """The application: ``POST /events``."""

    async def events(request: Request) -> Response:
        return await play(counterpart, request, partial(_answer, counterpart))

    described = describing.route("Regional dataplattform", "CloudEvents 1.0 over HTTP, both modes.", (_EVENTS,))
    return Starlette(routes=[Route("/events", events, methods=["POST"]), described])


_EVENTS: Final = describing.Operation(
    "POST",
    "/events",
    "One event in structured mode; in binary mode its attributes stand in ce- headers",
    {
        "type": "object",
        "required": list(wire.REQUIRED),
        "properties": {
            **{name: {"type": "string"} for name in wire.REQUIRED},
            "type": {"enum": [str(each) for each in EventType]},
            "data": {"oneOf": [schemas.schema(each) for each in EventType]},
        },
    },
    wire.STRUCTURED_TYPE,
    answers=(
        (200, "Taken, or seen before"),
        (400, "Not accepted"),
        (401, "Not signed as expected"),
        (415, "Another media type"),
    ),
)


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    duplicate: bool


class _Problem(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(extra="forbid")

    title: str
    status: int
    errors: list[str]


_JUDGE: Final = partial(wrong, _Taken | _Problem)
"""CloudEvents defines no body; this is what this platform says that it answers."""


async def _answer(counterpart: Counterpart, request: Request, room: Room, fault: Fault | None) -> Answered:
    body = await request.body()
    verdict = _played(fault) if fault else _unsigned(counterpart, room, request.headers, body)
    verdict = verdict or _judge(room, request.headers, body, counterpart.validation(room).schema_)
    return Answered(
        _response(verdict),
        id=verdict.id,
        accepted=verdict.status == 200,
        report=verdict.report,
        rule=verdict.rule,
        summary=verdict.summary or {},
        judge=_JUDGE,
    )


def expect_signatures(counterpart: Counterpart, secrets: Sequence[str], namespace: str = "") -> None:
    """From now on believe what is signed with one of these secrets (``signing.keys``), and with none anything. Raises
    ``ValueError``."""
    counterpart.room(namespace).state["keys"] = signing.keys(" ".join(secrets))


def _unsigned(counterpart: Counterpart, room: Room, headers: Mapping[str, str], body: bytes) -> _Verdict | None:
    """The refusal of what nobody vouches for, where signatures are expected."""
    keys = room.state.get("keys")
    fault = signing.fault(keys, headers, body, counterpart.now()) if keys else ""
    return _Verdict(401, report=(fault,), rule="SIGNATURE") if fault else None


def _played(fault: Fault) -> _Verdict:
    """The two faults that speak of an answer's content, in this platform's words."""
    return _Verdict(422 if fault.kind == "result" else 500, report=(fault.text or "refused on order",))


def _response(verdict: _Verdict) -> Response:
    if verdict.status == 200:
        return JSONResponse({"duplicate": verdict.duplicate})
    problem = {"title": "The event is not accepted", "status": verdict.status, "errors": list(verdict.report)}
    return JSONResponse(problem, verdict.status, media_type="application/problem+json")


def _judge(room: Room, headers: Mapping[str, str], body: bytes, level: Level) -> _Verdict:
    if len(body) > wire.MAX_BYTES:
        return _Verdict(400, report=("the event is larger than 64 KiB",), rule="SIZE")
    try:
        event = wire.read(headers, body)
    except wire.OtherMedia as error:
        return _Verdict(415, report=(str(error),), rule="MEDIA")
    except wire.NotAnEvent as error:
        return _Verdict(400, report=(str(error),), rule="EVENT")
    errors = () if level is Level.OFF else tuple(_errors(event))
    return _refused(event, errors) if errors and level is Level.STRICT else _taken(room, event, errors)


def _refused(event: wire.ReceivedEvent, errors: tuple[str, ...]) -> _Verdict:
    return _Verdict(400, event.key[1], errors, "SCHEMA")


def _taken(room: Room, event: wire.ReceivedEvent, errors: tuple[str, ...]) -> _Verdict:
    seen, named = room.remembered("seen"), dict(event.attributes)
    id = event.key[1]
    if event.key in seen:
        return _Verdict(200, id, (*errors, "seen before"), duplicate=True, summary=named)
    seen[event.key] = True
    return _Verdict(200, id, (*errors, *_order(room.remembered("highest"), named)), summary=named)


def _order(highest: Remembered[tuple[str, str], int], attributes: Mapping[str, str]) -> tuple[str, ...]:
    """What is odd about the event's place among those of its subject. A gap is no fault: versions may bring no event."""
    if not {"subject", "sequence"} <= attributes.keys():
        return ()
    thread = (attributes["source"], attributes["subject"])
    before, now = highest.get(thread, 0), _number(attributes["sequence"])
    highest[thread] = max(before, now)
    if now <= before:
        return (f"out of order: {now} after {before}",)
    return (f"gap: {now} after {before}",) if now > before + 1 else ()


def _number(sequence: str) -> int:
    """What is no number counts as none: it was told elsewhere."""
    return int(sequence) if _SEQUENCE.fullmatch(sequence) else 0


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
