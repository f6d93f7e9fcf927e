"""The routes of the FHIR surface: plain Starlette, so that stored bytes leave as they are (decision D13)."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.errors import NotFound, NotSupported, RekoError
from service.fhir_api import answers
from service.fhir_api.formats import accept_format, in_form
from service.fhir_api.guide_routes import GUIDE_ROUTES
from service.fhir_api.interactions.audit_event import read_audit_event, refuse_change, search_audit_events
from service.fhir_api.interactions.capabilities import capabilities
from service.fhir_api.interactions.create import create
from service.fhir_api.interactions.delete import delete
from service.fhir_api.interactions.history_instance import history_instance
from service.fhir_api.interactions.history_system import history_system
from service.fhir_api.interactions.history_type import history_type
from service.fhir_api.interactions.patch import patch
from service.fhir_api.interactions.read import read
from service.fhir_api.interactions.search_type import search_type
from service.fhir_api.interactions.transaction import transaction
from service.fhir_api.interactions.update import update
from service.fhir_api.interactions.vread import vread
from service.fhir_api.operations import table as operations
from service.fhir_api.operations.everything import everything
from service.fhir_api.operations.validate import validate
from service.fhir_api.surroundings import Surroundings
from service.http_edge import status_of

Interaction = Callable[[Surroundings, Request], Awaitable[Response]]


class _Id(Convertor[str]):
    """What may be an id: so that no operation and no history can be taken for one, in whatever order the routes stand."""

    regex = r"[A-Za-z0-9\-.]{1,64}"

    def convert(self, value: str) -> str:
        """As it stands."""
        return value

    def to_string(self, value: str) -> str:
        """As it stands."""
        return value


register_url_convertor("id", _Id())

ROUTES: Final[tuple[tuple[str, str, Interaction], ...]] = (
    # A name of one's own comes before the pattern that fits every type.
    ("GET", "/metadata", capabilities),
    ("GET", "/AuditEvent", search_audit_events),
    ("GET", "/AuditEvent/{id}", read_audit_event),
    ("POST", "/AuditEvent", refuse_change),
    *((method, "/AuditEvent/{id}", refuse_change) for method in ("PUT", "PATCH", "DELETE")),
    *GUIDE_ROUTES,
    *operations.ROUTES,
    # What is asked most often is found first.
    ("GET", "/{type:id}/{id:id}", read),
    ("POST", "/{type:id}", create),
    ("PUT", "/{type:id}/{id:id}", update),
    ("GET", "/{type:id}", search_type),
    ("POST", "/", transaction),
    ("POST", "/{type:id}/_search", search_type),
    ("DELETE", "/{type:id}/{id:id}", delete),
    ("PATCH", "/{type:id}/{id:id}", patch),
    ("PUT", "/{type:id}", update),
    ("PATCH", "/{type:id}", patch),
    ("DELETE", "/{type:id}", delete),
    ("GET", "/{type:id}/{id:id}/_history", history_instance),
    ("GET", "/{type:id}/{id:id}/_history/{vid}", vread),
    ("GET", "/{type:id}/_history", history_type),
    ("GET", "/_history", history_system),
    ("POST", "/{type:id}/$validate", validate),
    ("POST", "/{type:id}/{id:id}/$validate", validate),
    ("GET", "/{type:id}/{id:id}/$everything", everything),
)

_log = logging.getLogger(__name__)


def fhir_app(around: Surroundings) -> Starlette:
    """The application to mount under ``/fhir``."""
    routes = [Route(path, endpoint(around, interaction), methods=[method]) for method, path, interaction in ROUTES]
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_route, Exception: _unforeseen})


def endpoint(around: Surroundings, interaction: Interaction) -> Callable[[Request], Awaitable[Response]]:
    """An interaction, whose every error is an OperationOutcome, in the form that the request asks for."""

    async def answer(request: Request) -> Response:
        return in_form(request, await _answer(around, interaction, request))

    return answer


async def _answer(around: Surroundings, interaction: Interaction, request: Request) -> Response:
    try:
        accept_format(request)
        return await interaction(around, request)
    except RekoError as error:
        return answers.error(status_of(error), error)
    except ClientDisconnect:
        return Response(status_code=499)
    except Exception as error:
        return _unforeseen(request, error)


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
