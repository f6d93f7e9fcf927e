"""The FHIR surface: its routes, and what every request to it passes. Stored bytes leave as they are (decision D13)."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contracts.errors import Gone, NotFound, NotSupported, RekoError, Unavailable
from service.fhir_api import answers
from service.fhir_api.formats import accept_format, in_form
from service.fhir_api.guide_routes import GUIDE_ROUTES, read_only
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
from service.fhir_api.resources import ROWS
from service.fhir_api.routing import Routes
from service.fhir_api.surroundings import Surroundings
from service.http_edge import AskedRequest, status_of

Interaction = Callable[[Surroundings, Request], Awaitable[Response]]


ROUTES: Final[tuple[tuple[str, str, Interaction], ...]] = (
    ("GET", "/metadata", capabilities),
    ("GET", "/AuditEvent", search_audit_events),
    ("GET", "/AuditEvent/{id}", read_audit_event),
    ("POST", "/AuditEvent/_search", search_audit_events),
    ("POST", "/AuditEvent", refuse_change),
    *((method, f"/AuditEvent{one}", refuse_change) for method in ("PUT", "PATCH", "DELETE") for one in ("", "/{id}")),
    *(("GET", f"/AuditEvent{of}", refuse_change) for of in ("/_history", "/{id}/_history", "/{id}/_history/{vid}")),
    *GUIDE_ROUTES,
    *operations.ROUTES,
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
    *((method, "/{type:id}/{id:id}/$everything", everything) for method in ("GET", "POST")),
)

_log = logging.getLogger(__name__)


_ROUTES: Final = Routes(ROUTES)


class FhirSurface:
    """The ASGI application of the FHIR surface. Every error is an OperationOutcome, in the form that the request asks for."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose path begins with ``/fhir``."""
        scope["app"] = self
        response = await self.answer(AskedRequest(scope, receive), scope["path"].removeprefix("/fhir"))
        await response(scope, receive, send)

    async def answer(self, request: Request, path: str) -> Response:
        """The answer to a request for a path below the base; entries of a batch are asked here one by one."""
        try:
            return in_form(request, await self._answer(request, path))
        except Exception as error:
            return _unforeseen(request, error)

    async def _answer(self, request: Request, path: str) -> Response:
        try:
            interaction, request.scope["path_params"] = _ROUTES.find(request.method, path)
            accept_format(request)
            return await interaction(self._around, request)
        except NotSupported as error:
            return answers.error(status_of(error), error, {"Allow": _allowed(path)})
        except (Gone, NotFound) as error:
            return await self._not_there(error)
        except RekoError as error:
            return answers.error(status_of(error), error)
        except ClientDisconnect:
            return Response(status_code=499)

    async def _not_there(self, error: RekoError) -> Response:
        """Told when the deletion that it may be would outlast a power loss."""
        try:
            await self._around.store.settled()
        except Unavailable as closed:
            error = closed
        return answers.error(status_of(error), error)


def _allowed(path: str) -> str:
    """The methods that are answered there, which 405 has to tell (RFC 9110 § 15.5.6)."""
    is_done: dict[str, bool] = {}
    for method, interaction, parameters in _ROUTES.ends(path):
        is_done.setdefault(method, _is_done(interaction, parameters.get("type")))
    is_done["HEAD"] = is_done.get("GET", False)
    return ", ".join(sorted(method for method in is_done if is_done[method]))


def _is_done(interaction: Interaction, type_: str | None) -> bool:
    """Whether it does anything but refuse; ``type_`` is that in the address, where it is any."""
    if type_ is None:
        return interaction not in (refuse_change, read_only)
    row = ROWS.get(type_)
    return row is not None and not (
        (row.written_once and interaction in (update, patch)) or (row.delete is None and interaction is delete)
    )


def _unforeseen(request: Request, error: Exception) -> Response:
    """A defect of ours: the caller gets its number, the log gets its kind and place, nobody gets its content."""
    request_id = request.state.request_id
    _log.error("a request failed", exc_info=error, extra={"event": "http.failed", "request_id": request_id})
    return answers.error(500, RekoError(f"this service failed; say {request_id} to its operators"))
