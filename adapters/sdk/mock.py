"""SDK's message service (MT): Digg's interface between message client and message service, version 1.0.0.

Facts: sdk.md. One store for all parties: what one client posts to another's functional address, the other finds with a
filter; so the other side is played by posting as it (``mock_control`` answers for it). A message is NEW, waits for its receipt
a minute later, and has it after ten, on the world's clock; or ends otherwise, on order. What is for a party of this world is
handed over to it then (``mock_exchange``), and the receipt is the party's; all others accept. AS4, signing and the address book
are not there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.mocking import describing
from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.exchange import Answered, play
from adapters.mocking.faults import Fault
from adapters.mocking.validation import Level, issues, wrong
from adapters.sdk import mock_exchange
from adapters.sdk import mock_parties as parties
from adapters.sdk.mock_model import Body, Many, One, attributes
from adapters.sdk.settings import PATH
from adapters.sdk.wire import LIMIT

TITLE: Final = "SDK meddelandetjänst"
WAITS_AFTER: Final = timedelta(minutes=1)
ENDS_AFTER: Final = timedelta(minutes=10)
REMOVABLE: Final = frozenset({"NEW", "ACCEPTED", "REJECTED", "RETRIEVED", "ERROR", "MESSAGE_EXCHANGE_ERROR"})
"""The states in which this mock lets a message go; which ones the real services do is theirs to say."""
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "messageStatus": ("messageStatus",),
    "creationDateTime": ("creationDateTime",),
    "recipientAttention.subOrganization.extension": ("recipientAttention", "subOrganization", "extension"),
    "senderAttention.subOrganization.extension": ("senderAttention", "subOrganization", "extension"),
}
_IDS: Final = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_FILTER: Final = re.compile(r"filter\[([\w.]+)\]")


class _Refused(Exception):
    """A problem document, with its issues."""

    def __init__(self, status: int, title: str, rule: str, *issues: str) -> None:
        super().__init__(title)
        self.status, self.title, self.rule, self.issues = status, title, rule, issues


def create(counterpart: Counterpart) -> Starlette:
    """The four calls."""
    counterpart.plays.add("fate")
    service = Service(counterpart)

    async def endpoint(request: Request) -> Response:
        return await play(counterpart, request, service.answer)

    described = describing.route(TITLE, "Digg's MT-MK interface, as far as messages go.", _OPERATIONS)
    one = f"{PATH}/{{id}}"
    return Starlette(
        routes=[
            described,
            Route(PATH, endpoint, methods=["GET", "POST"]),
            Route(one, endpoint, methods=["GET", "DELETE"]),
        ]
    )


class Service:
    """The service as a whole."""

    def __init__(self, counterpart: Counterpart) -> None:
        self._counterpart = counterpart

    async def answer(self, request: Request, room: Room, fault: Fault | None) -> Answered:
        body = await request.body()
        try:
            if fault is not None and fault.kind != "fate":
                raise _Refused(400 if fault.kind == "result" else 500, fault.text or "refused on order", "ORDER")
            if not request.headers.get("Authorization", "").startswith("Bearer "):
                raise _Refused(401, "a token is missing", "TOKEN")
            return self._done(request, room, body, fault)
        except _Refused as refused:
            return _problem(refused)

    def _done(self, request: Request, room: Room, body: bytes, fault: Fault | None) -> Answered:
        if request.method == "POST":
            return self._taken(request, room, body, fault)
        if "id" not in request.path_params:
            return _listed(request, room)
        known = room.remembered("messages").get(request.path_params["id"])
        if known is None:
            raise _Refused(404, "there is no such message", "UNKNOWN")
        return _removed(room, known) if request.method == "DELETE" else _answered(_shown(request, known), One)

    def _taken(self, request: Request, room: Room, body: bytes, fault: Fault | None) -> Answered:
        if len(body) > LIMIT:
            raise _Refused(400, "the message is too large", "SIZE")
        attributes, report = _read(body, self._counterpart.validation(room).schema_)
        id = self.keep(room, attributes, fault.ends_as if fault else "ACCEPTED")
        summary = {"label": attributes["label"], "recipient": attributes["recipient"]}
        shown = _shown(request, room.remembered("messages")[id], 201)
        judge = partial(wrong, One)
        return Answered(shown, id=id, accepted=True, report=report, summary=summary, judge=judge)

    def keep(
        self, room: Room, attributes: dict[str, Any], ends_as: str = "ACCEPTED", at: datetime | None = None
    ) -> str:
        """Take a message (``at``: then, else now), and plan what becomes of it; its id. Refuses one that is known."""
        id = self._identified(room, attributes)
        messages = room.remembered("messages")
        if id in messages and self._counterpart.validation(room).rules is Level.STRICT:
            raise _Refused(400, "the message id is known", "MESSAGE_ID_NOT_UNIQUE", "data.attributes.messageId")
        messages[id] = attributes | {"messageStatus": "NEW", "events": []}
        room.remembered("sent")[id] = attributes["sender"], attributes["conversationId"]
        taken = at or self._counterpart.now()
        self._plan(room, id, taken + WAITS_AFTER, "WAITING_FOR_RECEIPT")
        party = parties.of(attributes["recipient"])
        if party and ends_as == "ACCEPTED" and self._counterpart.around.inside:
            self._plan_exchange(room, id, party, taken + ENDS_AFTER)
        else:
            self._plan(room, id, taken + ENDS_AFTER, ends_as)
        return id

    def _identified(self, room: Room, attributes: dict[str, Any]) -> str:
        """The ids and the time that the service sets where the client has not."""
        number = f"{room.namespace}/{room.ledger.received}"
        attributes.setdefault("messageId", str(uuid5(_IDS, f"message/{number}")))
        attributes.setdefault("conversationId", str(uuid5(_IDS, f"conversation/{number}")))
        now = self._counterpart.now().astimezone(UTC)
        attributes.setdefault("creationDateTime", now.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        return str(attributes["messageId"])

    def _plan(self, room: Room, id: str, at: datetime, status: str) -> None:
        async def step(_: datetime) -> None:
            _becomes(room, id, status, _EVENTS.get(status, []))

        self._counterpart.around.agenda.make(at, room.namespace, f"SDK-meddelande blir {status}", step)

    def _plan_exchange(self, room: Room, id: str, party: str, at: datetime, tries: int = mock_exchange.TRIES) -> None:
        """Hand it over then. Without a receipt it is sent again, with the same id, as often as there are tries."""

        async def step(due: datetime) -> None:
            message, inside = room.remembered("messages").get(id), self._counterpart.around.inside
            if message is None or inside is None:
                return
            receipt = await mock_exchange.hand_over(inside, party, message, room.namespace, due)
            if receipt is not None:
                _becomes(room, id, receipt.receipt, mock_exchange.events(receipt))
            elif tries > 1:
                _becomes(room, id, "SCHEDULED_FOR_RESEND", [])
                self._plan_exchange(room, id, party, due + mock_exchange.AGAIN_AFTER, tries - 1)
            else:
                _becomes(room, id, "MESSAGE_EXCHANGE_ERROR", _EVENTS["MESSAGE_EXCHANGE_ERROR"])

        self._counterpart.around.agenda.make(
            at, room.namespace, f"SDK-meddelande lämnas till {parties.PARTIES[party].title}", step
        )


def _becomes(room: Room, id: str, status: str, events: list[dict[str, Any]]) -> None:
    known = room.remembered("messages").get(id)
    if known is not None:
        known |= {"messageStatus": status, "events": events}


_EVENTS: Final[Mapping[str, list[dict[str, Any]]]] = {
    status: [mock_exchange.event(title)]
    for status, title in (
        ("REJECTED", "Meddelandet avvisades av mottagarens meddelandesystem"),
        ("MESSAGE_EXCHANGE_ERROR", "Meddelandet nådde inte mottagarens accesspunkt"),
        ("ERROR", "Meddelandet kunde inte behandlas"),
    )
}


def _read(body: bytes, level: Level) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What is said of the message, and what is wrong with it where that does not stop it."""
    try:
        message = Body.model_validate_json(body).data.attributes
    except ValidationError as error:
        loose = _readable(body) if level is not Level.STRICT else None
        if loose is None:
            raise _Refused(400, "the message breaks the interface", "SCHEMA", *issues(error)) from None
        return loose, issues(error) if level is Level.WARN else ()
    return message.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True), ()


def _readable(body: bytes) -> dict[str, Any] | None:
    """The attributes of whatever can be handed on: it says who writes to whom, its label, and ids that are ids."""
    found = attributes(body) or {}
    try:
        for name in {"messageId", "conversationId", "refToMessageId"} & found.keys():
            UUID(found[name])
    except (ValueError, TypeError, AttributeError):
        return None
    return found if all(isinstance(found.get(name), str) for name in ("sender", "recipient", "label")) else None


def _listed(request: Request, room: Room) -> Answered:
    """Every filter holds; documents are never in a list."""
    found: list[dict[str, Any]] = list(room.remembered("messages").values())
    for name, value in request.query_params.items():
        asked = _FILTER.fullmatch(name)
        if asked is None or asked[1] not in FILTERS:
            raise _Refused(400, "there is no such filter", "FILTER")
        found = [each for each in found if _at(each, FILTERS[asked[1]]) == value]
    data = [_data({name: value for name, value in each.items() if name != "digitalDocument"}) for each in found]
    return _answered(JSONResponse({"data": data, "meta": _META}), Many)


def _answered(response: Response, model: type[BaseModel]) -> Answered:
    """What brings nothing stands in no ledger."""
    return Answered(response, judge=partial(wrong, model), noted=False)


def _removed(room: Room, known: dict[str, Any]) -> Answered:
    if known["messageStatus"] not in REMOVABLE:
        raise _Refused(400, "the message cannot be removed in this state", "STATE")
    del room.remembered("messages")[known["messageId"]]
    return Answered(Response(status_code=202), id=known["messageId"], summary={"removed": True})


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


_META: Final = {"version": "sdk api 1.0.0"}


def _data(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"type": "messages", "id": attributes["messageId"], "attributes": attributes}


def _shown(request: Request, attributes: dict[str, Any], status: int = 200) -> Response:
    link = f"{request.scope.get('root_path', '')}{PATH}/{attributes['messageId']}"
    return JSONResponse({"data": _data(attributes), "meta": _META, "links": {"self": link}}, status)


def _problem(refused: _Refused) -> Answered:
    issues = [{"typeCode": refused.rule, "title": each} for each in refused.issues]
    content = {"title": refused.title, "status": refused.status, "eventIssues": issues}
    response = JSONResponse(content, refused.status, media_type="application/problem+json")
    return Answered(response, report=(refused.title, *refused.issues), rule=refused.rule)


_OPERATIONS: Final = (
    describing.Operation(
        "POST",
        PATH,
        "Send a message",
        TypeAdapter(Body),
        headers=("Authorization",),
        answers=((201, "Taken"), (400, "Problem, with issues"), (401, "No token")),
    ),
    describing.Operation("GET", PATH, f"Messages without documents; filter[...] by {', '.join(FILTERS)}"),
    describing.Operation("GET", f"{PATH}/{{id}}", "One message", answers=((200, "With documents"), (404, "Unknown"))),
    describing.Operation(
        "DELETE", f"{PATH}/{{id}}", "Remove it", answers=((202, "Removed"), (400, "Not in this state"))
    ),
)
