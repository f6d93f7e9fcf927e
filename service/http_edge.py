"""What every request passes before any route, and how errors become HTTP statuses.

A personal number in an address is refused before anything is logged (decision D10); a body larger than the limit is never
held in memory; every answer carries ``X-Request-Id``.
"""

import re
import string
from collections.abc import Callable
from datetime import date
from functools import cache, cached_property
from typing import Any, Final
from urllib.parse import quote, unquote_plus

import uuid_utils
from prometheus_client import Counter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Malformed,
    NotAcceptable,
    NotFound,
    NotSupported,
    RekoError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    VersionConflict,
    WrongMedia,
)
from service.telemetry import REQUESTS

MAX_BODY: Final = 5 * 1024 * 1024
"""Bytes of a request body."""

_STATUS: Final[tuple[tuple[type[RekoError], int], ...]] = (
    (TooLarge, 413),
    (WrongMedia, 415),
    (NotAcceptable, 406),
    (Malformed, 400),
    (Invalid, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (Gone, 410),
    (NotFound, 404),
    (NotSupported, 405),
    (VersionConflict, 412),
    (Conflict, 409),
    (Unavailable, 503),
)


def status_of(error: Exception) -> int:
    """The HTTP status of an error; 500 for one that nobody foresaw."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def headers_of(status: int) -> dict[str, str]:
    """What an error's status obliges to say."""
    return {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(status, {})


async def read_body(request: Request) -> bytes:
    """The whole body. Raises ``TooLarge`` as soon as it is."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and len(stated) < 20 and int(stated) > MAX_BODY:
        raise TooLarge(_TOO_LARGE)
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_BODY:
            raise TooLarge(_TOO_LARGE)
        pieces.append(piece)
    return b"".join(pieces)


_TOO_LARGE: Final = f"the body is larger than {MAX_BODY // 1024 // 1024} MiB"


ErrorPage = Callable[[int, RekoError], Response]
"""Makes the answer to an error in the form that was asked for."""


class AskedHeaders(Headers):
    """Headers of which one is found by one look: most of those that are asked for are not there, and of each request many
    are."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._first = dict(reversed(self._list))

    def __getitem__(self, name: str) -> str:
        """The first of the name. Raises ``KeyError``."""
        return self._first[name.lower().encode("latin-1")].decode("latin-1")

    def __contains__(self, name: object) -> bool:
        """Whether there is one."""
        return isinstance(name, str) and name.lower().encode("latin-1") in self._first

    def get(self, name: str, default: Any = None) -> Any:  # as ``Mapping`` says it
        """The first of the name."""
        found = self._first.get(name.lower().encode("latin-1"))
        return default if found is None else found.decode("latin-1")


class AskedRequest(Request):
    """A request with such headers."""

    @cached_property
    def headers(self) -> AskedHeaders:
        """See ``Request``."""
        return AskedHeaders(self.scope)


class Edge:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, error_page: Callable[[Scope], ErrorPage]) -> None:
        self._app = app
        self._error_page = error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stamp the request with an id, refuse personal numbers in its address, pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        scope["query_string"] = _escaped(scope["query_string"])

        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                count_answer(scope["path"], message["status"])
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        if names_a_person(scope["raw_path"] + b"?" + scope["query_string"]):
            response = self._error_page(scope)(400, _PERSON_IN_ADDRESS)
            await response(scope, receive, send_stamped)
            return
        await self._app(scope, receive, send_stamped)


def _escaped(query: bytes) -> bytes:
    """The query as ASCII, which RFC 3986 wants: what stands there in any other bytes is meant as if it were escaped."""
    return query if query.isascii() else quote(query, safe=string.printable).encode()


def count_answer(path: str, status: int) -> None:
    """One more answer on the surface that the path begins with."""
    _answered(surface_of(path), status // 100).inc()


@cache
def _answered(surface: str, status_class: int) -> Counter:
    """Finding a metric's child costs more than counting."""
    return REQUESTS.labels(surface, f"{status_class}xx")


def surface_of(path: str) -> str:
    """What an address belongs to; the pages for people are one surface."""
    return _SURFACES.get(path.split("/", 2)[1] if "/" in path else "", "other")


_SURFACES: Final = {name: name for name in ("fhir", "api", "soap", "health", "metrics")} | dict.fromkeys(
    ("", "login", "logout", "units", "static"), "console"
)

_PERSON_IN_ADDRESS: Final = Malformed(
    "the address holds what looks like a personal number, which never stands in an address: "
    "search with POST [type]/_search and the parameters in the body"
)

_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_PERSON: Final = re.compile(
    r"(?<![0-9A-Za-z])((?:1[89]|20)?\d{2})-?(\d{2})-?(\d{2})[-+ _\u2010-\u2015\u2212]?\d{4}(?![0-9A-Za-z])"
)
"""As people write it. A plus, which parts the number of somebody over a hundred, is a space in a query."""


_COULD_BE: Final = re.compile(rb"[0-9]{4}|[%\x80-\xff]")
"""The four digits at the end, or something that is escaped."""


def names_a_person(address: bytes) -> bool:
    """Whether an address holds a personal number, written as such or escaped. Most hold nothing that could be one."""
    return bool(_COULD_BE.search(address)) and holds_a_number(unquote_plus(unquote_plus(address.decode("latin-1"))))


def holds_a_number(text: str) -> bool:
    """Whether a text holds ten or twelve digits that begin with a date of birth. The control digit is not asked: a wrong
    number is mostly a real one with a typing error."""
    return any(_is_birth_date(*match.groups()) for match in _PERSON.finditer(_UUID.sub("", text)))


def loggable(id: str) -> str:
    """An id that another party made, as a log may hold it: not one in which a personal number may stand."""
    return "(an id that may name a person)" if names_a_person(id.encode()) else id


def _is_birth_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year[-2:]) + 2000, int(month), int(day) - 60 if int(day) > 60 else int(day))
    except ValueError:
        return False
    return True


def _request_id(scope: Scope) -> str:
    """The caller's own id if it is a harmless one, else a new one."""
    for name, given in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(given) and not names_a_person(given):
            return str(given, "ascii")
    return str(uuid_utils.uuid7())
