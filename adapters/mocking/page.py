"""The mock world's pages for people: Swedish, server-rendered, without script.

They are a client of the control surface: what can be done here can be done by a program, in the same words.
"""

import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import httpx
import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.mocking.counterpart import NAMESPACE_HEADER
from adapters.mocking.parsed import parsed_lines
from contracts.time import STOCKHOLM

SHOWN: Final = 200
"""Exchanges in the list; the newest."""
_TEMPLATES: Final = Path(__file__).parent / "templates"
_POLICY: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}
ADVANCES: Final = (("PT1H", "en timme"), ("P1D", "ett dygn"), ("P7D", "sju dygn"), ("P30D", "trettio dygn"))
FAULTS: Final[dict[str, str]] = tomllib.loads((_TEMPLATES / "faults.toml").read_text(encoding="utf-8"))
"""The faults that a mock plays by itself, in Swedish."""


def _swedish_time(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M:%S")


_PAGES: Final = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters["swedish_time"] = _swedish_time
_SWEDISH: Final[dict[str, str]] = {
    "that is not there": "det finns inte här",
    "no address is set": "ingen adress är angiven",
    "care has answered": "vården har svarat",
}
"""What the control surface says in plain words, for people."""
_PAGES.filters["in_swedish"] = lambda words: _SWEDISH.get(words, words)


class _Refused(Exception):
    """The control surface says no, with the status for it."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Visit:
    """One request to a page, and the control surface to ask."""

    request: Request
    control: httpx.AsyncClient
    form: dict[str, str]

    @property
    def namespace(self) -> str:
        """As the page says, else as the address does (``/_ns/{namespace}/``)."""
        in_address = self.request.headers.get(NAMESPACE_HEADER, "")
        return self.form.get("namespace", self.request.query_params.get("namespace", in_address))

    @property
    def here(self) -> str:
        """The page that is looked at, for coming back to it; the first one where a form was sent."""
        return self.request.url.path if self.request.method == "GET" else "/"

    async def ask(self, method: str, path: str, content: Any = None) -> Any:
        """Raises ``_Refused``."""
        body = b"" if content is None else orjson.dumps(content)
        headers = {NAMESPACE_HEADER.encode(): self.namespace.encode("latin-1", "replace")}
        answer = await self.control.request(method, f"/_control/{path}", content=body, headers=headers)
        if answer.status_code not in (200, 409):
            raise _Refused(_words(answer.json()["error"]), 404 if answer.status_code == 404 else 422)
        return answer.json()

    def link(self, path: str, **query: str) -> str:
        """An address within these pages, in the same namespace."""
        wanted = {"namespace": self.namespace, **query}
        kept = urlencode({name: value for name, value in wanted.items() if value})
        return f"{path}?{kept}" if kept else path


def _words(error: Any) -> str:
    return error if isinstance(error, str) else "; ".join(f"{each['at']}: {each['text']}" for each in error)


_Show = Callable[[_Visit], Awaitable[Response]]


async def _page(visit: _Visit, template: str, status: int = 200, **content: Any) -> Response:
    around = {
        "visit": visit,
        "namespaces": await visit.ask("GET", "namespaces"),
        "parties": await visit.ask("GET", "parties"),
        "now": (await visit.ask("GET", "clock"))["now"],
        "advances": ADVANCES,
        "told": visit.request.query_params.get("told", ""),
    }
    return HTMLResponse(_PAGES.get_template(template).render(**around, **content), status, headers=_POLICY)


def _back(visit: _Visit, path: str, told: str = "") -> Response:
    return RedirectResponse(visit.link(path, told=told), 303)


async def _exchanges(visit: _Visit) -> Response:
    systems = (await visit.ask("GET", "namespaces"))["systems"]
    wanted = visit.request.query_params.get("system", "")
    refused = "1" if visit.request.query_params.get("refused") else ""
    query = f"newest={SHOWN}&refused={refused}"
    entries = [
        {"system": system, **entry}
        for system in systems
        if wanted in ("", system)
        for entry in await visit.ask("GET", f"ledger/{system}?{query}")
    ]
    newest = sorted(entries, key=lambda entry: str(entry["at"]), reverse=True)
    counts = await visit.ask("GET", "ledger")
    return await _page(
        visit,
        "exchanges.html",
        entries=newest[:SHOWN],
        received=sum(each["received"] for each in counts.values()),
        dropped=sum(each["dropped"] for each in counts.values()),
        systems=systems,
        wanted=wanted,
        refused=refused,
    )


async def _exchange(visit: _Visit) -> Response:
    system, number = (visit.request.path_params[name] for name in ("system", "number"))
    entry = await visit.ask("GET", f"ledger/{system}/{number}")
    title = (await visit.ask("GET", "namespaces"))["systems"][system]
    parsed = {name: list(parsed_lines(entry[name])) for name in ("request", "answer")}
    return await _page(visit, "exchange.html", entry=entry, system=title, parsed=parsed)


def _whose(visit: _Visit) -> str:
    """The case worker of a page, as the control surface addresses it."""
    party = visit.request.path_params.get("party")
    return f"parties/{party}" if party else "officer"


async def _case_worker(visit: _Visit) -> Response:
    whose = _whose(visit)
    name = whose.removeprefix("parties/")
    system = "forsakringskassan" if whose == "officer" else name
    orders = await visit.ask("GET", whose)
    came = await visit.ask("GET", f"ledger/{system}?newest={SHOWN}")
    return await _page(
        visit,
        "case_worker.html",
        title="Försäkringskassans handläggare"
        if whose == "officer"
        else (await visit.ask("GET", "parties")).get(name, {}).get("title"),
        here=f"/_page/{whose}",
        orders=orders,
        system=system,
        numbers={each["id"]: each["number"] for each in came if each["accepted"] and each["direction"] == "in"},
        scripts=await visit.ask("GET", f"{whose}/scripts"),
        cases=(await visit.ask("GET", f"{whose}/cases"))[::-1],
        agenda=(await visit.ask("GET", "agenda"))["planned"],
    )


async def _instruct(visit: _Visit) -> Response:
    whose = _whose(visit)
    orders = {name: visit.form[name].strip() for name in ("deliverTo", "script") if name in visit.form}
    await visit.ask("PUT", whose, orders)
    return _back(visit, f"/_page/{whose}", "Handläggaren arbetar så från och med nu.")


async def _reply(visit: _Visit) -> Response:
    whose, number = _whose(visit), visit.request.path_params["number"]
    subject = visit.form.get("subject", "")
    step = {
        "text": visit.form.get("text", ""),
        "subject" if whose == "officer" else "label": subject,
        "answers": not subject,
    }
    sent = await visit.ask("POST", f"{whose}/cases/{number}/messages", step)
    words = "Meddelandet kom fram" if sent["state"] == "delivered" else "Meddelandet kom inte fram"
    return _back(visit, f"/_page/{whose}", f"{words}: {_SWEDISH.get(sent['told'], sent['told'])}.")


async def _faults(visit: _Visit) -> Response:
    systems = (await visit.ask("GET", "namespaces"))["systems"]
    waiting = {system: await visit.ask("GET", f"faults/{system}") for system in systems}
    return await _page(visit, "faults.html", systems=systems, waiting=waiting, faults=FAULTS)


async def _order(visit: _Visit) -> Response:
    system, times = visit.form.get("system", ""), visit.form.get("times", "1")
    fault = {"name": visit.form.get("name", ""), "times": int(times) if times.isdecimal() else None}
    waiting = await visit.ask("GET", f"faults/{system}")
    await visit.ask("PUT", f"faults/{system}", [*waiting, fault])
    return _back(visit, "/_page/faults", "Felet är beställt.")


async def _calm(visit: _Visit) -> Response:
    await visit.ask("DELETE", f"faults/{visit.form.get('system', '')}")
    return _back(visit, "/_page/faults", "Inga fel väntar hos systemet.")


async def _move(visit: _Visit) -> Response:
    moved = await visit.ask("PUT", "clock", {"advance": visit.form.get("advance", "")})
    here = visit.form.get("here", "")
    back = here if here.startswith("/_page/") else "/"
    return _back(visit, back, f"Klockan är flyttad. {moved['done']} planerade händelser inträffade.")


async def _forget(visit: _Visit) -> Response:
    await visit.ask("DELETE", "ledger")
    return _back(visit, "/", "Utbytena är glömda.")


async def _style(_: _Visit) -> Response:
    return Response((_TEMPLATES / "style.css").read_bytes(), media_type="text/css")


_ROUTES: Final[tuple[tuple[str, str, _Show], ...]] = (
    ("GET", "/_page/exchange/{system}/{number}", _exchange),
    *(
        row
        for here in ("/_page/officer", "/_page/parties/{party}")
        for row in (("GET", here, _case_worker), ("POST", here, _instruct), ("POST", f"{here}/{{number}}", _reply))
    ),
    ("GET", "/_page/faults", _faults),
    ("POST", "/_page/faults", _order),
    ("POST", "/_page/faults/clear", _calm),
    ("POST", "/_page/clock", _move),
    ("POST", "/_page/forget", _forget),
    ("GET", "/_page/style.css", _style),
)


def routes(control: ASGIApp, index: Callable[[], Response]) -> list[Route]:
    """The pages before a control surface. ``/`` is the first page for browsers, and ``index`` for programs."""
    first = _endpoint(control, _exchanges)

    async def root(request: Request) -> Response:
        return await first(request) if "text/html" in request.headers.get("accept", "") else index()

    listed = [Route(path, _endpoint(control, show), methods=[method]) for method, path, show in _ROUTES]
    return [Route("/", root), *listed]


def _endpoint(control: ASGIApp, show: _Show) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.method == "POST" and request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return PlainTextResponse("only the pages of the mock world may ask for that", 403)
        form = {
            name: values[-1]
            for name, values in parse_qs(
                (await request.body()).decode(errors="replace"), keep_blank_values=True
            ).items()
        }
        transport = httpx.ASGITransport(control)
        async with httpx.AsyncClient(transport=transport, base_url="http://mocks") as client:
            visit = _Visit(request, client, form)
            try:
                return await show(visit)
            except _Refused as refused:
                return await _page(visit, "refused.html", refused.status, why=str(refused))

    return endpoint
