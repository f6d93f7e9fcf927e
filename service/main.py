"""The ASGI application: the FHIR surface, the JSON API, the pages, health and metrics behind one edge."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from contracts.errors import NotFound, NotSupported, RekoError
from contracts.ports import Clock
from service.api.app import api_app, problem
from service.console.app import console_routes
from service.console.rendering import error_page
from service.console.sessions import Sessions
from service.fhir_api import answers
from service.fhir_api.router import fhir_app
from service.http_edge import Edge, ErrorPage, status_of, surface_of
from service.outbox.tending import standing
from service.page_tokens import OverviewPages
from service.settings import Settings
from service.telemetry import metrics_page, tell_outbox
from service.wiring import House, Transports, house

_log = logging.getLogger(__name__)


def create_app(settings: Settings, transports: Transports | None = None, clock: Clock | None = None) -> ASGIApp:
    """The service. ``transports`` let tests end an adapter's calls in a mock in this process, ``clock`` share its time."""
    routes: list[Route | Mount] = []
    lifespan = _lifespan(settings, transports, clock)
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _no_route})
    return Edge(app, _error_page)


def _lifespan(
    settings: Settings, transports: Transports | None, clock: Clock | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            async with house(settings, transports, clock) as built:
                app.router.routes[:] = _routes(built, settings.base)
                yield
                app.router.routes[:] = []
        except RekoError as error:
            _log.error("the service cannot run", extra={"event": "service.cannot-run", "reason": str(error)})
            raise

    return lifespan


def _routes(built: House, base: str) -> list[Route | Mount]:
    pages = OverviewPages(built.fhir.page_key)
    channels = frozenset(built.channels)
    api = api_app(
        built.store, built.context, built.clients, built.source, built.blocks, channels, pages, built.rounds.due
    )
    sessions = Sessions(built.clients, built.session_key, built.clock, built.context.ids)
    return [
        *console_routes(built.store, built.clock, sessions, base),
        Route("/health/live", _live),
        Route("/health/ready", _ready(built)),
        Route("/metrics", _metrics(built)),
        Mount("/fhir", fhir_app(built.fhir)),
        Mount("/api", api),
    ]


def _error_page(path: str) -> ErrorPage:
    """In the form of the surface that was asked."""
    return _ERROR_PAGES.get(surface_of(path), problem)


_ERROR_PAGES: Final[Mapping[str, ErrorPage]] = {"fhir": answers.error, "console": error_page}


def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    page = _error_page(request.url.path)
    return page(status, NotFound("there is no such address") if status == 404 else NotSupported("not done here"))


async def _live(_: Request) -> Response:
    """The process runs."""
    return PlainTextResponse("live")


def _ready(built: House) -> Callable[[Request], object]:
    async def ready(_: Request) -> Response:
        """The database can be written."""
        try:
            await asyncio.wait_for(built.store.run(lambda _: None), READY_WITHIN)
        except Exception:  # whatever it is, this process must get no traffic
            return JSONResponse({"ready": False}, 503)
        return JSONResponse({"ready": True})

    return ready


def _metrics(built: House) -> Callable[[Request], object]:
    async def metrics(request: Request) -> Response:
        """Prometheus text, for whoever has a token; the outbox is counted when somebody asks."""
        try:
            built.clients.caller(request.headers.get("authorization", ""), request.state.request_id)
        except RekoError as error:
            return problem(status_of(error), error)
        tell_outbox(await standing(built.store), built.clock.now())
        return Response(metrics_page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return metrics


READY_WITHIN: Final = 2.0
"""Seconds."""
