"""The routes of the FHIR surface: plain Starlette, so that stored bytes leave as they are (decision D13)."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.errors import NotAcceptable, NotFound, NotSupported, RekoError
from service.fhir_api import answers
from service.fhir_api.interactions.audit_event import read_audit_event, search_audit_events
from service.fhir_api.interactions.capabilities import capabilities
from service.fhir_api.interactions.create import create
from service.fhir_api.interactions.decide import decide
from service.fhir_api.interactions.history_instance import history_instance
from service.fhir_api.interactions.read import read
from service.fhir_api.interactions.search_type import search_type
from service.fhir_api.interactions.update import update
from service.fhir_api.interactions.vread import vread
from service.fhir_api.operations import table as operations
from service.fhir_api.surroundings import Surroundings
from service.http_edge import status_of

Interaction = Callable[[Surroundings, Request], Awaitable[Response]]

ROUTES: Final[tuple[tuple[str, str, Interaction], ...]] = (
    ("GET", "/metadata", capabilities),
    ("POST", "/Consent/$decide", decide),
    ("GET", "/AuditEvent", search_audit_events),
    ("GET", "/AuditEvent/{id}", read_audit_event),
    ("POST", "/{type}/_search", search_type),
    ("GET", "/{type}", search_type),
    ("POST", "/{type}", create),
    ("GET", "/{type}/{id}", read),
    ("PUT", "/{type}/{id}", update),
    ("GET", "/{type}/{id}/_history", history_instance),
    ("GET", "/{type}/{id}/_history/{vid}", vread),
    *operations.ROUTES,
)

_log = logging.getLogger(__name__)


def fhir_app(around: Surroundings) -> Starlette:
    """The application to mount under ``/fhir``."""
    routes = [Route(path, _endpoint(around, interaction), methods=[method]) for method, path, interaction in ROUTES]
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_route, Exception: _unforeseen})


def _endpoint(around: Surroundings, interaction: Interaction) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            _accepts_json(request)
            return await interaction(around, request)
        except RekoError as error:
            return answers.error(status_of(error), error)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as error:
            return _unforeseen(request, error)

    return answer


_READABLE: Final = ("*/*", "application/*", "application/fhir+json", "application/json", "text/json", "json")


def _accepts_json(request: Request) -> None:
    accepted = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    offers = [part.partition(";")[0].strip().lower().replace(" ", "+") for part in accepted.split(",")]
    if not any(offer in _READABLE for offer in offers):
        raise NotAcceptable("answers are application/fhir+json")


def _no_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    problem = (
        NotSupported("this is not done here: see /metadata") if status == 405 else NotFound("there is no such address")
    )
    return answers.error(status, problem)


def _unforeseen(request: Request, error: Exception) -> Response:
    """A defect of ours: the caller gets its number, the log gets its kind and place, nobody gets its content."""
    request_id = request.state.request_id
    _log.error("a request failed", exc_info=error, extra={"event": "http.failed", "request_id": request_id})
    return answers.error(500, RekoError(f"this service failed; say {request_id} to its operators"))
