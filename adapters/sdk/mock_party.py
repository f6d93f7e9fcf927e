"""A party behind the message service: Arbetsförmedlingen, a municipality, an employer (``mock_parties.toml``).

Its door takes a message as the message service hands it over, judges it by the schema and by its rules (``mock_party_rules``),
answers with a receipt, and lets its case worker take it up. What it has seen before it accepts again, and does nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.mocking import Answered, Counterpart, Fault, Level, Room, describing, play
from adapters.mocking.validation import issues, wrong
from adapters.sdk import mock_party_rules
from adapters.sdk.mock_case_worker import PartyWorker
from adapters.sdk.mock_exchange import AT_HEADER, DOOR
from adapters.sdk.mock_model import HandedOver, Issue, Receipt, attributes
from adapters.sdk.mock_parties import Party
from adapters.sdk.mock_party_rules import Breach, Detail, Incoming, Known, Reason
from adapters.sdk.wire import LIMIT


@dataclass(frozen=True, slots=True)
class Judged:
    """A message as far as it could be read, what stops it, and what was found without stopping it."""

    incoming: Incoming = field(default_factory=Incoming)
    stops: tuple[Breach, ...] = ()
    notes: tuple[str, ...] = ()


_ON_ORDER: Final[Mapping[str, tuple[Reason, Detail]]] = {
    "VALIDATION_ERROR": ("SV", "invariant"),
    "APPLICATION_ERROR": ("BV", "forbidden"),
    "REVOKED": ("SIG", "security"),
}
"""Ordered results as receipts say them. A temporary one has no code there: then there is no receipt."""


def create(counterpart: Counterpart, party: Party, message_service: Counterpart) -> Starlette:
    """The party as an application; what it sends goes into the message service."""
    counterpart.plays.add("dialogue")
    counterpart.has_result_codes = True
    door = _Door(counterpart, party, message_service)

    async def endpoint(request: Request) -> Response:
        return await play(counterpart, request, door.answer)

    described = describing.route(party.title, "Takes what the message service has for it.", _OPERATIONS)
    return Starlette(routes=[described, Route(DOOR, endpoint, methods=["POST"])])


class _Door:
    def __init__(self, counterpart: Counterpart, party: Party, message_service: Counterpart) -> None:
        self._counterpart = counterpart
        self._party = party
        self._message_service = message_service
        self._worker = PartyWorker(counterpart, party, message_service)

    async def answer(self, request: Request, room: Room, fault: Fault | None) -> Answered:
        judged = self._judged(room, await request.body())
        answered = _answered(judged) if fault is None or fault.kind == "dialogue" else _on_order(judged, fault)
        if not answered.accepted or not judged.incoming.id:
            return answered
        return await self._take(request, room, judged, answered, fault)

    async def _take(
        self, request: Request, room: Room, judged: Judged, answered: Answered, fault: Fault | None
    ) -> Answered:
        seen, id = room.remembered("seen"), judged.incoming.id
        if id in seen:
            return _noted(answered, "DUPLICATE: seen before, accepted again, not taken up again")
        seen[id] = True
        await self._worker.take_up(room, judged.incoming, fault.twist if fault else "", _instant(request))
        return answered

    def _judged(self, room: Room, body: bytes) -> Judged:
        if len(body) > LIMIT:
            return Judged(stops=(Breach("TOO_LARGE", "SV", "too long", f"it is larger than {LIMIT} bytes"),))
        said = attributes(body)
        if said is None:
            return Judged(stops=(Breach("UNREADABLE", "SV", "structure", "it is no message"),))
        incoming, levels = mock_party_rules.read(said), self._counterpart.validation(room)
        schema = () if levels.schema_ is Level.OFF else _schema_breaches(body)
        if schema and levels.schema_ is Level.STRICT:
            return Judged(incoming, schema)
        rules = () if levels.rules is Level.OFF else self._broken(room, incoming)
        if rules and levels.rules is Level.STRICT:
            return Judged(incoming, rules, tuple(map(str, schema)))
        return Judged(incoming, notes=tuple(map(str, (*schema, *rules))))

    def _broken(self, room: Room, incoming: Incoming) -> tuple[Breach, ...]:
        sent = self._message_service.room(room.namespace).remembered("sent")
        return mock_party_rules.broken(incoming, Known(self._party, sent))


def _schema_breaches(body: bytes) -> tuple[Breach, ...]:
    try:
        HandedOver.model_validate_json(body)
    except ValidationError as error:
        long = any(each["type"] == "string_too_long" for each in error.errors(include_input=False))
        detail: Detail = "too long" if long else "structure"
        return tuple(Breach("SCHEMA", "SV", detail, line) for line in issues(error))
    return ()


def _answered(judged: Judged) -> Answered:
    stops = [Issue(type_code=each.detail, title=each.rule, detail=each.words) for each in judged.stops]
    if not stops:
        return _receipt(judged, accepted=True)
    return _receipt(judged, accepted=False, reason=judged.stops[0].reason, stops=stops, rule=judged.stops[0].rule)


def _on_order(judged: Judged, fault: Fault) -> Answered:
    if fault.kind != "result" or fault.error_id == "TECHNICAL_ERROR":
        return Answered(_problem(fault.text), **_told(judged))
    if not fault.result_code:
        return Answered(JSONResponse({}), **_told(judged))
    if fault.result_code != "ERROR":
        return _receipt(judged, accepted=True)
    reason, detail = _ON_ORDER.get(fault.error_id or "", (None, None))
    stops = [Issue(type_code=detail, title="ORDER", detail=fault.text or "refused on order")] if detail else []
    return _receipt(judged, accepted=False, reason=reason, stops=stops)


def _receipt(
    judged: Judged, *, accepted: bool, reason: Reason | None = None, stops: list[Issue] | None = None, rule: str = ""
) -> Answered:
    receipt = Receipt(
        receipt="ACCEPTED" if accepted else "REJECTED",
        message_id=judged.incoming.id,
        reason=reason,
        issues=stops or [],
    )
    content = receipt.model_dump(mode="json", by_alias=True, exclude_none=True)
    judge = partial(wrong, Receipt)
    return Answered(JSONResponse(content), accepted=accepted, rule=rule, judge=judge, **_told(judged))


def _told(judged: Judged) -> dict[str, Any]:
    """What the ledger is told, whatever the answer."""
    incoming = judged.incoming
    summary = {"label": incoming.subject, "function": incoming.function, "conversation": incoming.conversation}
    return {"id": incoming.id, "report": (*map(str, judged.stops), *judged.notes), "summary": summary}


def _noted(answered: Answered, line: str) -> Answered:
    return replace(answered, report=(*answered.report, line))


def _problem(words: str) -> Response:
    content = {"title": words or "refused on order", "status": 500}
    return JSONResponse(content, 500, media_type="application/problem+json")


def _instant(request: Request) -> datetime | None:
    try:
        told = datetime.fromisoformat(request.headers.get(AT_HEADER, ""))
    except ValueError:
        return None
    return told if told.tzinfo else None


_OPERATIONS: Final = (
    describing.Operation(
        "POST",
        DOOR,
        "Hand a message over",
        TypeAdapter(HandedOver),
        headers=(AT_HEADER,),
        answers=((200, "A receipt: ACCEPTED, or REJECTED with its reason"),),
    ),
)
