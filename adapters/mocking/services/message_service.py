"""SDK's message service (MT): Digg's interface between message client and message service, version 1.0.0.

Facts: sdk.md. One store for all parties: what one client posts to another's functional address, the other finds with a
filter; so the other side is played by posting as it. A message is NEW, waits for its receipt a minute later, and is accepted
after ten, on the world's clock. Behind it nothing is sent: AS4, signing and the address book are not there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.mocking import describing
from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.exchange import Answered, play
from adapters.mocking.faults import Fault
from adapters.mocking.validation import Level

TITLE: Final = "SDK meddelandetjänst"
PATH: Final = "/v1/sdk/messages"
LIMIT: Final = 30 * 1024 * 1024
"""Bytes of a message in all."""
STEPS: Final = ((timedelta(minutes=1), "WAITING_FOR_RECEIPT"), (timedelta(minutes=10), "ACCEPTED"))
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

Organisation = Annotated[str, Field(pattern=r"^0203:[A-Za-z0-9.-]+$")]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Identified(_Model):
    """A root, an extension, and what people call it."""

    root: str
    extension: str = Field(max_length=256)
    label: str | None = None


class Attention(_Model):
    """The function that it is for or from; never a person alone."""

    sub_organization: Identified
    attention_person: list[Identified] = []
    reference_id: list[Identified] = []


class ContentFile(_Model):
    """A file, in base64."""

    file_name: str
    content_type: str
    content: str


class Document(_Model):
    """One document, in text or files."""

    document_id: str
    document_name: str | None = None
    index: int | None = Field(default=None, ge=1)
    content_text_body: list[str] = []
    content_files: list[ContentFile] = []


class Message(_Model):
    """What a client may say of a message that it sends."""

    confidentiality: bool
    label: str = Field(max_length=256)
    sender: Organisation
    recipient: Organisation
    recipient_attention: Attention | None = None
    sender_attention: Attention | None = None
    message_id: UUID | None = None
    conversation_id: UUID | None = None
    ref_to_message_id: UUID | None = None
    creation_date_time: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")] | None = None
    generating_system: Identified | None = None
    digital_document: list[Document] = []


class _Data(_Model):
    type: Literal["messages"]
    id: str | None = None
    attributes: Message


class Body(_Model):
    """The envelope."""

    data: _Data


class _Refused(Exception):
    """A problem document, with its issues."""

    def __init__(self, status: int, title: str, rule: str, *issues: str) -> None:
        super().__init__(title)
        self.status, self.title, self.rule, self.issues = status, title, rule, issues


def create(counterpart: Counterpart) -> Starlette:
    """The four calls."""
    service = _Service(counterpart)

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


class _Service:
    def __init__(self, counterpart: Counterpart) -> None:
        self._counterpart = counterpart

    async def answer(self, request: Request, room: Room, fault: Fault | None) -> Answered:
        body = await request.body()
        try:
            if fault is not None:
                raise _Refused(400 if fault.kind == "result" else 500, fault.text or "refused on order", "ORDER")
            if not request.headers.get("Authorization", "").startswith("Bearer "):
                raise _Refused(401, "a token is missing", "TOKEN")
            return self._done(request, room, body)
        except _Refused as refused:
            return _problem(refused)

    def _done(self, request: Request, room: Room, body: bytes) -> Answered:
        if request.method == "POST":
            return self._taken(request, room, body)
        if "id" not in request.path_params:
            return _listed(request, room)
        known = room.remembered("messages").get(request.path_params["id"])
        if known is None:
            raise _Refused(404, "there is no such message", "UNKNOWN")
        return _removed(room, known) if request.method == "DELETE" else Answered(_shown(request, known), noted=False)

    def _taken(self, request: Request, room: Room, body: bytes) -> Answered:
        if len(body) > LIMIT:
            raise _Refused(400, "the message is too large", "SIZE")
        attributes = _read(body)
        id = self._identified(room, attributes)
        messages = room.remembered("messages")
        if id in messages and self._counterpart.validation(room).rules is Level.STRICT:
            raise _Refused(400, "the message id is known", "MESSAGE_ID_NOT_UNIQUE", "data.attributes.messageId")
        messages[id] = attributes | {"messageStatus": "NEW", "events": []}
        self._plan(room, id)
        summary = {"label": attributes["label"], "recipient": attributes["recipient"]}
        return Answered(_shown(request, messages[id], 201), id=id, accepted=True, summary=summary)

    def _identified(self, room: Room, attributes: dict[str, Any]) -> str:
        """The ids and the time that the service sets where the client has not."""
        number = f"{room.namespace}/{room.ledger.received}"
        attributes.setdefault("messageId", str(uuid5(_IDS, f"message/{number}")))
        attributes.setdefault("conversationId", str(uuid5(_IDS, f"conversation/{number}")))
        now = self._counterpart.now().astimezone(UTC)
        attributes.setdefault("creationDateTime", now.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        return str(attributes["messageId"])

    def _plan(self, room: Room, id: str) -> None:
        for after, status in STEPS:

            async def step(_: datetime, status: str = status) -> None:
                known = room.remembered("messages").get(id)
                if known is not None:
                    known["messageStatus"] = status

            at = self._counterpart.now() + after
            self._counterpart.around.agenda.make(at, room.namespace, f"SDK-meddelande blir {status}", step)


def _read(body: bytes) -> dict[str, Any]:
    try:
        message = Body.model_validate_json(body).data.attributes
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        issues = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found]
        raise _Refused(400, "the message breaks the interface", "SCHEMA", *issues) from None
    return message.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def _listed(request: Request, room: Room) -> Answered:
    """Every filter holds; documents are never in a list."""
    found: list[dict[str, Any]] = list(room.remembered("messages").values())
    for name, value in request.query_params.items():
        asked = _FILTER.fullmatch(name)
        if asked is None or asked[1] not in FILTERS:
            raise _Refused(400, "there is no such filter", "FILTER")
        found = [each for each in found if _at(each, FILTERS[asked[1]]) == value]
    data = [_data({name: value for name, value in each.items() if name != "digitalDocument"}) for each in found]
    return Answered(JSONResponse({"data": data, "meta": _META}), noted=False)


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
