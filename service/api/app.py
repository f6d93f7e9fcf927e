"""The JSON API: routes, rights, and errors as problem details (RFC 9457). OpenAPI under ``/api/docs``."""

import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from contracts.errors import Invalid, Issue, IssueType, Malformed, NotFound, NotSupported, RekoError, WrongMedia
from contracts.ports import BlockSource, Certificates, CertificateSource
from contracts.pulling import MOST_DAYS
from contracts.record import Caller, Right
from service.api import models, operating, pulling, records
from service.api.certificates import certificate_routes
from service.api.comparison import comparison_route
from service.api.dialogues import dialogue_routes
from service.api.meetings import meeting_routes
from service.api.outbox import outbox_routes
from service.api.overview import overview_routes
from service.api.plans import plan_routes
from service.http_edge import headers_of, read_body, status_of
from service.page_tokens import OverviewPages
from service.security import Clients, require
from service.store.store import SqlStore
from service.usecases.answering import blocks_on
from service.usecases.context import Context
from service.usecases.follow_sick_leaves import follow_sick_leaves

_log = logging.getLogger(__name__)

_bearer: Final = HTTPBearer(auto_error=False, description="The token that REKO_CLIENTS knows by its hash")


def api_app(
    store: SqlStore,
    context: Context,
    clients: Clients,
    source: CertificateSource | None,
    certificates: Certificates | None,
    blocks: BlockSource,
    destinations: frozenset[str],
    pages: OverviewPages,
    timetable: Callable[[], Awaitable[Mapping[str, datetime]]],
) -> FastAPI:
    """The application to mount under ``/api``. ``timetable`` tells when units are pulled by themselves."""
    app = FastAPI(
        title="Rekobryggan",
        version="0.1.0",
        description="Coordination of sick-leave rehabilitation, for systems without FHIR, and for operators.",
        docs_url="/docs",
        redoc_url=None,
        dependencies=[Depends(_bearer)],
    )
    app.router.route_class = Door
    app.state.clients = clients

    def caller_with(right: Right) -> Callable[[Request], Caller]:
        async def caller(request: Request) -> Caller:
            known = clients.caller(request.headers.get("authorization", ""), request.state.request_id)
            require(known, right)
            return known

        return caller  # type: ignore[return-value]  # FastAPI awaits it

    Reader = Annotated[Caller, Depends(caller_with(Right.FHIR_READ))]
    Author = Annotated[Caller, Depends(caller_with(Right.FHIR_WRITE))]
    Puller = Annotated[Caller, Depends(caller_with(Right.SICK_LEAVE_PULL))]

    # Records

    @app.post("/activities", status_code=201)
    async def post_activity(caller: Author, given: models.ActivityIn, response: Response) -> models.WrittenOut:
        """Record an occasion of coordination. The answer says which rule gave which KVÅ code."""
        return _told(response, await store.run(records.activity(context, caller, given)))

    @app.post("/consents", status_code=201)
    async def post_consent(caller: Author, given: models.ConsentIn, response: Response) -> models.WrittenOut:
        """Record a consent or a refusal. One that is too general is refused, saying which part."""
        return _told(response, await store.run(records.consent(context, caller, given)))

    @app.post("/consents/{id}/withdrawal")
    async def withdraw(caller: Author, id: str) -> models.WrittenOut:
        """The patient takes it back. The answer lists what was withheld and what had left before."""
        return await store.run(records.withdrawal(context, caller, id))

    @app.post("/notifications", status_code=201)
    async def post_notification(caller: Author, given: models.NotificationIn, response: Response) -> models.WrittenOut:
        """Ask that a recipient is told something. It is sent only with a consent that covers all of it."""
        return _told(response, await store.run(records.notification(context, caller, given)))

    @app.post("/consent/decision")
    async def post_decision(caller: Reader, given: models.DecisionIn) -> models.DecisionOut:
        """May this unit tell this recipient this, today? Every reason, and the consents used."""
        patient, asked = await store.run(records.named_patient(caller, given.patient)), given.asked()
        said = await blocks_on(store, blocks, caller, patient, asked.sources)
        return await store.run(records.decision(context, caller, patient, asked, said))

    @app.post("/decisions/{number}/replay")
    async def replay_decision(caller: Reader, number: int) -> models.DecisionReplayedOut:
        """Make a kept decision once more, from the inputs that were kept with it."""
        return await operating.replayed(store, caller, number)

    reader, author = (Depends(caller_with(right)) for right in (Right.FHIR_READ, Right.FHIR_WRITE))
    plan_routes(app, store, context, reader, author)

    # Sick leaves

    overview_routes(app, store, pages, reader, author)
    comparison_route(app, store, source, reader)
    certificate_routes(app, store, context, certificates, reader, author)
    dialogue_routes(app, store, context, reader, author)
    meeting_routes(app, store, context, reader, author)

    @app.post("/units/{unit}/pull")
    async def pull(
        caller: Puller, unit: str, max_days_since_end: int = 0, accept_empty: bool = False
    ) -> models.PulledOut:
        """Fetch the unit's sick leaves now. ``accept_empty``: also if the answer is empty, and takes back all of them."""
        if unit != caller.unit.value:
            raise NotFound("there is no such unit")
        if source is None:
            raise NotSupported("no source of sick leaves is configured: set REKO_ADAPTERS__INTYGSTJANST__URL")
        if not 0 <= max_days_since_end <= MOST_DAYS:
            raise Invalid(f"days since the end of a sick leave are 0 to {MOST_DAYS}")
        pulled = await follow_sick_leaves(store, source, context, caller, max_days_since_end, accept_empty=accept_empty)
        return await pulling.pulled(store, caller, pulled.number)

    @app.get("/pulls")
    async def get_pulls(caller: Puller) -> list[models.UnitPullsOut]:
        """The newest pull of each of the care provider's units, and when the next one is due."""
        return await pulling.newest(store, caller, await timetable())

    @app.get("/pulls/{number}")
    async def get_pull(caller: Puller, number: int) -> models.PulledOut:
        """One pull, with each certificate that was set aside."""
        return await pulling.pulled(store, caller, number)

    # Operating

    rights = {
        "list": Right.OUTBOX_LIST,
        "content": Right.OUTBOX_CONTENT,
        "replay": Right.OUTBOX_REPLAY,
        "release": Right.PROTECTED_RELEASE,
    }
    outbox_routes(
        app, store, context, destinations, {name: Depends(caller_with(each)) for name, each in rights.items()}
    )

    @app.get("/trace/{id}")
    async def get_trace(caller: Reader, id: str) -> models.TraceOut:
        """What was coded, decided and delivered because of a resource or a message."""
        return await operating.trace(store, caller, id)

    app.add_exception_handler(RekoError, _problem)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(Exception, _unforeseen)
    return app


class Door(APIRoute):
    """What a request passes before FastAPI reads it: a known token, its size, its media type, and that no member stands twice."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See ``APIRoute``."""
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            request.app.state.clients.caller(request.headers.get("authorization", ""), request.state.request_id)
            body = await read_body(request)
            if body:
                _check_json(request, body)
            request._body = body
            return await handle(request)

        return bounded


def _check_json(request: Request, body: bytes) -> None:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise WrongMedia("send application/json")
    try:
        json.loads(body, object_pairs_hook=_once)
    except RecursionError:
        raise Malformed("objects and lists stand too deep inside each other") from None
    except ValueError:  # its words may repeat what was sent
        raise Malformed("the body is no JSON in UTF-8") from None


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers would not agree on what a name that stands twice in one object says."""
    found = dict(members)
    if len(found) < len(members):
        raise Malformed("a member stands twice in one object")
    return found


def _told(response: Response, written: models.WrittenOut) -> models.WrittenOut:
    """200 instead of 201 when the same was there already."""
    if not written.changed:
        response.status_code = 200
    return written


# Errors


def problem(status: int, error: RekoError) -> Response:
    """Problem details. https://www.rfc-editor.org/rfc/rfc9457"""
    body = {
        "type": "about:blank",
        "title": type(error).__name__,
        "status": status,
        "detail": "; ".join(issue.text for issue in error.issues),
        "issues": [
            {"code": issue.type.value, "text": issue.text, "at": issue.expression, "rule": issue.rule}
            for issue in error.issues
        ],
    }
    return Response(orjson.dumps(body), status, headers_of(status), media_type="application/problem+json")


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, RekoError)  # noqa: S101 - registered for it
    return problem(status_of(error), error)


async def _bad_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    issues = [_issue(found) for found in error.errors()]
    malformed = any(found["type"] == "json_invalid" for found in error.errors())
    return problem(400 if malformed else 422, Malformed(*issues))


def _issue(found: Mapping[str, Any]) -> Issue:
    """Where and what; never what was sent. Unknown names are not repeated either: they may be anything."""
    if found["type"] == "extra_forbidden":
        return Issue(IssueType.STRUCTURE, "a member that is not known here", _place(found["loc"][:-1]))
    text = "the body is no JSON" if found["type"] == "json_invalid" else str(found["msg"])
    return Issue(IssueType.VALUE, text.removeprefix("Value error, "), _place(found["loc"]))


def _place(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path if step != "body")


async def _no_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return problem(405, NotSupported("this is not done here: see /api/docs"))
    if status == 404:
        return problem(404, NotFound("there is no such address"))
    return problem(status, Malformed("the request could not be read"))


async def _unforeseen(request: Request, error: Exception) -> Response:
    request_id = request.state.request_id
    _log.error("a request failed", exc_info=error, extra={"event": "http.failed", "request_id": request_id})
    return problem(500, RekoError(f"this service failed; say {request_id} to its operators"))
