"""The routes of the pages, signing in and out, and what every request passes."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from contracts.errors import RekoError, Unauthenticated
from contracts.ports import Certificates, Clock
from contracts.record import Caller
from service.console import words
from service.console.certificates import CertificatePages
from service.console.dialogue_forms import DEEDS
from service.console.dialogues import Dialogues, address
from service.console.forms import form
from service.console.overview import IN_ADDRESS, Overviews
from service.console.plans import Plans
from service.console.rendering import HEADERS, error_page, rendered
from service.console.sessions import LIFETIME, Sessions
from service.console.unsorted import Unsorted
from service.http_edge import status_of
from service.patient_document import html as document
from service.store.store import SqlStore
from service.usecases.context import Context

_log = logging.getLogger(__name__)

_PLAN: Final = "/units/{unit}/plans/{id}"

Handler = Callable[[Request], Awaitable[Response]]


def console_routes(
    store: SqlStore, context: Context, clock: Clock, source: Certificates | None, sessions: Sessions, base: str
) -> list[Route]:
    """Every page. ``base`` is the public address; ``source`` gives certificates as a whole."""
    return _Console(
        Overviews(store, clock),
        Plans(store, context),
        Dialogues(store, context, clock),
        Unsorted(store, context),
        CertificatePages(store, context, source),
        sessions,
        base,
    ).routes()


@dataclass(frozen=True, slots=True)
class _Console:
    overviews: Overviews
    plans: Plans
    dialogues: Dialogues
    unsorted: Unsorted
    certificates: CertificatePages
    sessions: Sessions
    base: str

    def routes(self) -> list[Route]:
        """In the order of the README."""
        unit = "/units/{unit}"
        return [
            _route("/", self._front),
            _route("/login", self._ask_who, self._sign_in),
            _route("/logout", self._to_front, self._sign_out),
            _route(f"{unit}/sick-leaves", self._first_list, self._list),
            _route(f"{unit}/sick-leaves/print", self._to_list, self._print),
            _route(f"{unit}/sick-leaves/summary", self._summary),
            _route(f"{unit}/patients/{{patient}}/reko-status", self._to_list, self._set_status),
            _route(f"{unit}/plans", self._plans),
            _route(_PLAN, self._plan),
            *(
                _route(f"{_PLAN}/{name}", self._to_plan, post)
                for name, post in {
                    "print": self._plan_printed,
                    "pdf": self._plan_on_paper,
                    "released": self._plan_released,
                    "handed-over": self._plan_handed_over,
                }.items()
            ),
            _route(f"{unit}/dialogues", self._dialogues),
            _route(f"{unit}/dialogues/{{id}}", self._dialogue),
            _route(f"{unit}/dialogues/{{id}}/letter", self._letter),
            _route(f"{unit}/dialogues/{{id}}/files/{{file}}", self._file),
            *(_route(f"{unit}/dialogues/{{id}}/{deed}", self._to_dialogue, self._doing(deed)) for deed in DEEDS),
            _route(f"{unit}/unsorted-messages", self._unsorted),
            _route(f"{unit}/unsorted-messages/{{id}}", self._to_unsorted, self._sort),
            _route(f"{unit}/patients/{{patient}}/certificates", self._certificates),
            _route(f"{unit}/certificates/{{id}}", self._certificate),
            _route(f"{unit}/certificates/{{id}}/confirm", self._certificate, self._confirm),
            Route("/static/console.css", _style),
            Route("/static/plan.css", _plan_style),
        ]

    # Signing in and out

    async def _front(self, request: Request) -> Response:
        try:
            return rendered("front.html", signed_in=self._caller(request))
        except Unauthenticated:
            return rendered("front.html", signed_in=None)

    async def _ask_who(self, request: Request) -> Response:
        return rendered("login.html", wrong="")

    async def _sign_in(self, request: Request) -> Response:
        sent = dict(await form(request, self.base))
        try:
            cookie = self.sessions.begin(sent.get("token", ""))
        except Unauthenticated:
            return rendered("login.html", 401, wrong=words.NOT_KNOWN)
        caller = self.sessions.caller(cookie, request.state.request_id)
        response = _see(_list_of(caller.unit.value))
        seconds = int(LIFETIME.total_seconds())
        response.set_cookie(
            self._cookie, cookie, max_age=seconds, httponly=True, samesite="strict", secure=self._is_secure
        )
        return response

    async def _sign_out(self, request: Request) -> Response:
        await form(request, self.base)
        response = _see("/")
        response.delete_cookie(self._cookie, httponly=True, samesite="strict", secure=self._is_secure)
        with suppress(Unauthenticated):
            self.sessions.end(request.cookies.get(self._cookie, ""))
        return response

    @property
    def _is_secure(self) -> bool:
        return self.base.startswith("https:")

    @property
    def _cookie(self) -> str:
        """The prefix makes browsers hold a cookie to its rules."""
        return "__Host-reko" if self._is_secure else "reko"

    def _caller(self, request: Request) -> Caller:
        return self.sessions.caller(request.cookies.get(self._cookie, ""), request.state.request_id)

    # The overview

    async def _first_list(self, request: Request) -> Response:
        caller, pairs = self._caller(request), request.query_params.multi_items()
        return await self.overviews.listed(caller, request.path_params["unit"], pairs, IN_ADDRESS)

    async def _list(self, request: Request) -> Response:
        caller = self._caller(request)
        return await self.overviews.listed(caller, request.path_params["unit"], await form(request, self.base))

    async def _print(self, request: Request) -> Response:
        caller = self._caller(request)
        return await self.overviews.printed(caller, request.path_params["unit"], await form(request, self.base))

    async def _set_status(self, request: Request) -> Response:
        caller, pairs = self._caller(request), await form(request, self.base)
        unit, patient = request.path_params["unit"], request.path_params["patient"]
        return await self.overviews.status_set(caller, unit, patient, pairs)

    async def _summary(self, request: Request) -> Response:
        caller, pairs = self._caller(request), request.query_params.multi_items()
        return await self.overviews.summary(caller, request.path_params["unit"], pairs)

    # Plans

    async def _plans(self, request: Request) -> Response:
        return await self.plans.listed(self._caller(request), request.path_params["unit"])

    async def _plan(self, request: Request) -> Response:
        return await self.plans.shown(self._caller(request), **request.path_params)

    async def _plan_printed(self, request: Request) -> Response:
        caller, _ = self._caller(request), await form(request, self.base)
        return await self.plans.printed(caller, **request.path_params)

    async def _plan_on_paper(self, request: Request) -> Response:
        caller, _ = self._caller(request), await form(request, self.base)
        return await self.plans.paper(caller, **request.path_params)

    async def _plan_released(self, request: Request) -> Response:
        caller, pairs = self._caller(request), await form(request, self.base)
        return await self.plans.released(caller, **request.path_params, pairs=pairs)

    async def _plan_handed_over(self, request: Request) -> Response:
        caller, pairs = self._caller(request), await form(request, self.base)
        return await self.plans.handed_over(caller, **request.path_params, pairs=pairs)

    # Dialogues

    async def _dialogues(self, request: Request) -> Response:
        asked = request.query_params
        return await self.dialogues.listed(
            self._caller(request), request.path_params["unit"], asked.get("show", ""), asked.get("patient", "")
        )

    async def _dialogue(self, request: Request) -> Response:
        unit, id = request.path_params["unit"], request.path_params["id"]
        return await self.dialogues.one(self._caller(request), unit, id, request.query_params.get("done", ""))

    async def _letter(self, request: Request) -> Response:
        caller = self._caller(request)
        return await self.dialogues.letter(caller, request.path_params["unit"], request.path_params["id"])

    async def _file(self, request: Request) -> Response:
        caller, named = self._caller(request), request.path_params
        return await self.dialogues.attached(caller, named["unit"], named["id"], named["file"])

    def _doing(self, deed: str) -> Handler:
        async def do(request: Request) -> Response:
            caller, pairs = self._caller(request), await form(request, self.base)
            return await self.dialogues.do(caller, request.path_params["unit"], request.path_params["id"], deed, pairs)

        return do

    async def _unsorted(self, request: Request) -> Response:
        return await self.unsorted.listed(self._caller(request), request.path_params["unit"])

    async def _sort(self, request: Request) -> Response:
        caller, pairs, named = self._caller(request), await form(request, self.base), request.path_params
        return await self.unsorted.sort(caller, named["unit"], named["id"], pairs)

    # Certificates

    async def _certificates(self, request: Request) -> Response:
        return await self.certificates.listed(self._caller(request), **request.path_params)

    async def _certificate(self, request: Request) -> Response:
        return await self.certificates.one(self._caller(request), **request.path_params)

    async def _confirm(self, request: Request) -> Response:
        caller, pairs = self._caller(request), await form(request, self.base)
        return await self.certificates.confirmed(caller, **request.path_params, pairs=pairs)

    # Addresses that answer a form, asked for without one

    async def _to_front(self, _: Request) -> Response:
        return _see("/")

    async def _to_list(self, request: Request) -> Response:
        return _see(_list_of(request.path_params["unit"]))

    async def _to_plan(self, request: Request) -> Response:
        return _see(_PLAN.format(**{name: quote(each, safe="") for name, each in request.path_params.items()}))

    async def _to_unsorted(self, request: Request) -> Response:
        return _see(f"/units/{quote(request.path_params['unit'], safe='')}/unsorted-messages")

    async def _to_dialogue(self, request: Request) -> Response:
        return _see(address(request.path_params["unit"], request.path_params["id"]))


def _route(path: str, get: Handler, post: Handler | None = None) -> Route:
    handlers = {"GET": get, "HEAD": get} | ({"POST": post} if post else {})

    async def answer(request: Request) -> Response:
        try:
            return await handlers[request.method](request)
        except Unauthenticated:
            return _see("/login") if request.method != "POST" else rendered("login.html", 401, wrong=words.SIGNED_OUT)
        except RekoError as error:
            return error_page(status_of(error), error)
        except Exception as error:
            return _unforeseen(request, error)

    return Route(path, answer, methods=list(handlers))


def _unforeseen(request: Request, error: Exception) -> Response:
    request_id = request.state.request_id
    _log.error("a page failed", exc_info=error, extra={"event": "http.failed", "request_id": request_id})
    heading, text = words.told(error)
    return rendered("error.html", 500, heading=heading, text=text, number=request_id)


def _list_of(unit: str) -> str:
    return f"/units/{quote(unit, safe='')}/sick-leaves"


def _see(address: str) -> Response:
    return RedirectResponse(address, 303, HEADERS)


_STYLE: Final = (Path(__file__).parent / "static" / "console.css").read_text(encoding="utf-8")


async def _plan_style(_: Request) -> Response:
    return Response(document.style(), media_type="text/css", headers=HEADERS | {"Cache-Control": "no-cache"})


async def _style(_: Request) -> Response:
    return Response(_STYLE, media_type="text/css", headers=HEADERS | {"Cache-Control": "no-cache"})
