"""The ASGI application: the FHIR surface, the JSON API, the pages, health and metrics behind one edge."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import NotFound, NotSupported, RekoError
from contracts.ports import Clock
from service.api.app import api_app, problem
from service.console.app import console_routes
from service.console.rendering import error_page
from service.console.sessions import Sessions
from service.fhir_api import answers
from service.fhir_api.formats import PACKED_FROM, in_form, takes_gzip
from service.fhir_api.router import FhirSurface
from service.http_edge import Edge, ErrorPage, status_of, surface_of
from service.outbox.tending import standing
from service.page_tokens import OverviewPages
from service.settings import Settings
from service.soap import fault as soap_fault
from service.soap import soap_app
from service.telemetry import metrics_page, tell_outbox
from service.wiring import House, Transports, house

_log = logging.getLogger(__name__)


def create_app(settings: Settings, transports: Transports | None = None, clock: Clock | None = None) -> ASGIApp:
    """The service. ``transports`` let tests end an adapter's calls in a mock in this process, ``clock`` share its time."""
    opened = partial(house, settings, transports, clock, works=not settings.is_shared)
    surfaces = _Surfaces(opened, lambda built: _routes(built, settings), lambda built: _fhir(built, settings))
    return Edge(surfaces, _error_page)


def create_worker(settings: Settings, transports: Transports | None = None, clock: Clock | None = None) -> ASGIApp:
    """What relays, pulls and tends beside services on a shared database; it answers how it is."""
    return Edge(_Surfaces(partial(house, settings, transports, clock, works=True), _own_routes), _error_page)


Opened = Callable[[], AbstractAsyncContextManager[House]]
RoutesOf = Callable[[House], list[Route | Mount]]


class _Surfaces:
    """The FHIR surface, which is asked most, at once; everything else by its routes."""

    def __init__(self, opened: Opened, routes_of: RoutesOf, fhir_of: Callable[[House], ASGIApp] | None = None) -> None:
        routes: list[Route | Mount] = []
        lifespan = self._lifespan(opened, routes_of, fhir_of)
        self._others = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _no_route})
        self._fhir: ASGIApp = self._others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        is_fhir = scope["type"] == "http" and surface_of(scope["path"]) == "fhir"
        await (self._fhir if is_fhir else self._others)(scope, receive, send)

    def _lifespan(
        self, opened: Opened, routes_of: RoutesOf, fhir_of: Callable[[House], ASGIApp] | None
    ) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            try:
                async with opened() as built:
                    app.router.routes[:] = routes_of(built)
                    self._fhir = fhir_of(built) if fhir_of else app
                    yield
                    app.router.routes[:], self._fhir = [], app
            except RekoError as error:
                _log.error("the service cannot run", extra={"event": "service.cannot-run", "reason": str(error)})
                raise

        return lifespan


def _routes(built: House, settings: Settings) -> list[Route | Mount]:
    pages = OverviewPages(built.fhir.page_key)
    channels = frozenset(built.channels)
    api = api_app(
        built.store,
        built.context,
        built.clients,
        built.source,
        built.source,
        built.blocks,
        channels,
        pages,
        built.rounds.timetable,
    )
    sessions = Sessions(built.clients, built.session_key, built.clock, built.context.ids)
    return [
        *console_routes(built.store, built.context, built.clock, built.source, sessions, settings.base),
        *_own_routes(built),
        Mount("/api", api),
        Mount("/soap", soap_app(built.store, built.context, built.clients, built.entrances)),
    ]


def _own_routes(built: House) -> list[Route | Mount]:
    """How the process is."""
    return [
        Route("/health/live", _live),
        Route("/health/ready", _ready(built)),
        Route("/metrics", _metrics(built)),
    ]


def _fhir(built: House, settings: Settings) -> ASGIApp:
    """The FHIR surface, compressed for whoever reads that, and open to the pages that the settings name."""
    app: ASGIApp = _Compressed(FhirSurface(built.fhir))
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    if not origins:
        return app
    return CORSMiddleware(app, allow_origins=origins, allow_methods=_METHODS, allow_headers=_SENT, expose_headers=_TOLD)


_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_SENT: Final = (
    "Accept",
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-Modified-Since",
    "If-None-Exist",
    "If-None-Match",
    "Prefer",
    "X-Request-Id",
)
_TOLD: Final = ("Content-Location", "ETag", "Last-Modified", "Location", "X-Request-Id")


class _Compressed:
    """Compresses long answers for whoever takes gzip; for all others nothing stands in between."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._packing = GZipMiddleware(app, minimum_size=PACKED_FROM, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        stated = (value for name, value in scope.get("headers", ()) if name == b"accept-encoding")
        takes = any(takes_gzip(value.decode("latin-1")) for value in stated)
        await (self._packing if takes else self._plain)(scope, receive, send)


def _error_page(scope: Scope) -> ErrorPage:
    """In the form of the surface that was asked, and of FHIR's the one that is liked better."""
    surface = surface_of(scope["path"])
    if surface == "fhir":
        return lambda status, error: in_form(Request(scope), answers.error(status, error))
    return _ERROR_PAGES.get(surface, problem)


_ERROR_PAGES: Final[Mapping[str, ErrorPage]] = {"console": error_page, "soap": soap_fault}


def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    page = _error_page(request.scope)
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
