"""A small FHIR server for ``Procedure``, the way a record system has one (decision D7).

Create, read, update and conditional update as http://hl7.org/fhir/R4/http.html describes them; bodies are judged as R4.
An update that changes nothing makes no new version, so one write-back sent twice is one version. Reads bring nothing
and are not in the ledger.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, Final, TypeAlias

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.ehr import wire
from adapters.mocking import Answered, Counterpart, Fault, Level, Remembered, Room, describing, play
from contracts.activity import Identifier
from contracts.errors import IssueType, Malformed
from fhir_mappings import r4

_TYPE: Final = "Procedure"
_MEDIA: Final = (wire.CONTENT_TYPE, "application/json")
_SET_BY_SERVER: Final = ("id", "meta")


class _Refused(Exception):
    """The server does not do it: the status and the issue that it answers."""

    def __init__(self, status: int, type: IssueType, text: str) -> None:
        super().__init__(text)
        self.status, self.type = status, type


@dataclass(frozen=True, slots=True)
class _Done:
    """What the server did. ``label`` is what the ledger calls the record: what it was matched on, else its id."""

    status: int
    number: int
    content: dict[str, Any]
    label: str
    report: tuple[str, ...] = ()


class _Shelf:
    """The records of one namespace: of each, how many versions it has had, and the newest."""

    def __init__(self, room: Room, now: datetime, level: Level) -> None:
        self.level = level
        self.report: tuple[str, ...] = ()
        self._records: Remembered[str, tuple[int, dict[str, Any]]] = room.state.setdefault(_TYPE, Remembered())
        self._now = now

    def read(self, id: str) -> _Done | None:
        """The newest version."""
        if id not in self._records:
            return None
        number, content = self._records[id]
        return _Done(200, number, content, id)

    def matching(self, match: Identifier) -> list[str]:
        """Ids of the records that carry the identifier."""
        return [id for id, (_, content) in self._records.items() if _carries(content, match)]

    def save(self, id: str, content: dict[str, Any]) -> _Done:
        """The next version (201 for the first), or the newest one when nothing changes."""
        newest = self.read(id)
        if newest and _told(newest.content) == _told(content):
            return newest
        number = newest.number + 1 if newest else 1
        meta = {"versionId": str(number), "lastUpdated": self._now.isoformat()}
        given = content.get("meta")
        stored = content | {"id": id, "meta": (given if isinstance(given, dict) else {}) | meta}
        self._records[id] = number, stored
        return _Done(200 if newest else 201, number, stored, id)

    def fresh_id(self) -> str:
        """An id that no record has."""
        return next(id for id in map(str, count(len(self._records) + 1)) if id not in self._records)


Interaction: TypeAlias = Callable[[_Shelf, Request, bytes], _Done]


def create(counterpart: Counterpart) -> Starlette:
    """The application: ``/Procedure`` and ``/Procedure/{id}``."""

    def endpoint(interaction: Interaction) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return await play(counterpart, request, partial(_answer, counterpart, interaction))

        return answer

    one = f"/{_TYPE}/{{id}}"
    return Starlette(
        routes=[
            describing.route("Journalsystem", "A FHIR R4 server for one type.", _operations(one)),
            Route(f"/{_TYPE}", endpoint(_create), methods=["POST"]),
            Route(f"/{_TYPE}", endpoint(_conditional_update), methods=["PUT"]),
            Route(one, endpoint(_update), methods=["PUT"]),
            Route(one, endpoint(_read), methods=["GET"]),
        ]
    )


def _operations(one: str) -> list[describing.Operation]:
    resource = {"$ref": f"http://hl7.org/fhir/R4/{_TYPE.lower()}.schema.json"}
    refused = ((400, "Not R4"), (415, "Not FHIR JSON"))
    return [
        describing.Operation(
            "POST", f"/{_TYPE}", "Create", resource, wire.CONTENT_TYPE, (), ((201, "Created"), *refused)
        ),
        describing.Operation(
            "PUT",
            f"/{_TYPE}",
            "Conditional update: ?identifier=system|value",
            resource,
            wire.CONTENT_TYPE,
            (),
            ((200, "Updated"), (201, "Created"), (409, "The id is another's"), (412, "Several match"), *refused),
        ),
        describing.Operation("PUT", one, "Update", resource, wire.CONTENT_TYPE, (), ((200, "Updated"), *refused)),
        describing.Operation("GET", one, "Read", answers=((200, "The newest version"), (404, "Not there"))),
    ]


async def _answer(
    counterpart: Counterpart, interaction: Interaction, request: Request, room: Room, fault: Fault | None
) -> Answered:
    shelf = _Shelf(room, counterpart.now(), counterpart.validation(room).schema_)
    try:
        if fault:
            raise _played(fault)
        found = interaction(shelf, request, await request.body())
        done: _Done | _Refused = replace(found, report=(*shelf.report, *found.report))
    except _Refused as refused:
        done = refused
    answered = _answered(done, request.scope.get("root_path", ""), noted=request.method in ("POST", "PUT"))
    # What was taken although it is not R4 is given back as it came.
    return replace(answered, judge=_broken) if shelf.level is Level.STRICT else answered


def _broken(body: bytes) -> tuple[str, ...]:
    try:
        r4.parse(body)
    except Malformed as error:
        return (str(error),)
    return ()


def _create(shelf: _Shelf, request: Request, body: bytes) -> _Done:
    return shelf.save(shelf.fresh_id(), _judged(shelf, request, body))


def _read(shelf: _Shelf, request: Request, body: bytes) -> _Done:
    done = shelf.read(request.path_params["id"])
    if done is None:
        raise _Refused(404, IssueType.NOT_FOUND, "there is no such record")
    return done


def _update(shelf: _Shelf, request: Request, body: bytes) -> _Done:
    id, content = request.path_params["id"], _judged(shelf, request, body)
    if content.get("id") != id:
        raise _Refused(400, IssueType.VALUE, "the id in the body is not the id in the address")
    return shelf.save(id, content)


def _conditional_update(shelf: _Shelf, request: Request, body: bytes) -> _Done:
    match, content = _match(request), _judged(shelf, request, body)
    done = shelf.save(_target(shelf, match, content.get("id")), content)
    lost = () if _carries(content, match) else ("the body lacks the identifier it was matched on",)
    return replace(done, label=match.value, report=lost)


def _target(shelf: _Shelf, match: Identifier, own: str | None) -> str:
    """The id to write under (http.html#cond-update): none creates, one updates, several are refused."""
    ids = shelf.matching(match)
    if len(ids) > 1:
        raise _Refused(412, IssueType.DUPLICATE, "several records carry the identifier")
    if ids and own not in (None, *ids):
        raise _Refused(400, IssueType.VALUE, "the id in the body is not the matched record's")
    if not ids and own is not None and shelf.read(own):
        raise _Refused(409, IssueType.CONFLICT, "the id in the body belongs to a record without the identifier")
    return ids[0] if ids else own or shelf.fresh_id()


def _match(request: Request) -> Identifier:
    try:
        return wire.read(request.url.query)
    except wire.Unmatchable as error:
        raise _Refused(400, IssueType.VALUE, str(error)) from None


def _judged(shelf: _Shelf, request: Request, body: bytes) -> dict[str, Any]:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _MEDIA:
        raise _Refused(415, IssueType.NOT_SUPPORTED, "the content type is not FHIR JSON")
    try:
        return dict(r4.parse(body, expected=_TYPE))
    except Malformed as error:
        if shelf.level is Level.STRICT or (content := _object(body)) is None:
            raise _Refused(400, IssueType.STRUCTURE, str(error)) from None
        shelf.report = (str(error),) if shelf.level is Level.WARN else ()
        return content


def _object(body: bytes) -> dict[str, Any] | None:
    """A JSON object, whatever R4 says of it."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _carries(content: dict[str, Any], match: Identifier) -> bool:
    wanted = (match.system or None, match.value)
    found = content.get("identifier")  # of any shape, where nobody judged it
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return any((one.get("system"), one.get("value")) == wanted for one in listed)


def _told(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in _SET_BY_SERVER}


def _played(fault: Fault) -> _Refused:
    """The two faults that speak of an answer's content, in this server's words."""
    status, issue = (422, IssueType.BUSINESS_RULE) if fault.kind == "result" else (500, IssueType.EXCEPTION)
    return _Refused(status, issue, fault.text or "refused on order")


def _answered(done: _Done | _Refused, root: str, *, noted: bool) -> Answered:
    if isinstance(done, _Refused):
        rule = done.type.value.upper()
        return Answered(_refusal(done), report=(str(done),), rule=rule, summary={"status": done.status}, noted=noted)
    summary = {"status": done.status, "reference": f"{_TYPE}/{done.content['id']}", "version": done.number}
    return Answered(
        _success(done, root), f"{done.label}/{done.number}", True, done.report, summary=summary, noted=noted
    )


def _success(done: _Done, root: str) -> Response:
    headers = {"ETag": f'W/"{done.number}"'}
    if done.status == 201:
        headers["Location"] = f"{root}/{_TYPE}/{done.content['id']}/_history/{done.number}"
    return Response(orjson.dumps(done.content), done.status, headers, wire.CONTENT_TYPE)


def _refusal(refused: _Refused) -> Response:
    issue = {"severity": "error", "code": refused.type.value, "diagnostics": str(refused)}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Response(orjson.dumps(outcome), refused.status, media_type=wire.CONTENT_TYPE)
