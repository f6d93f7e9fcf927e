"""The control surface as a table: a row each, from which the routes, the index and the OpenAPI are made.

All under ``/_control``; JSON in, JSON out. The header ``X-Mock-Namespace`` says in which namespace. What is wrong is
answered 422 with places and reasons, never with what was sent; an unknown system 404.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.mocking import describing
from adapters.mocking.counterpart import NAMESPACE_HEADER
from adapters.mocking.times import working_for
from adapters.mocking.world import UnknownSystem, World


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to the control surface."""

    world: World
    request: Request
    body: bytes

    @property
    def namespace(self) -> str:
        """Where."""
        return self.request.headers.get(NAMESPACE_HEADER, "")

    @property
    def system(self) -> str:
        """The system in the address, empty where there is none."""
        system: str = self.request.path_params.get("system", "")
        return system

    def number(self, name: str) -> int:
        """A number in the address. Raises ``NotThere`` for what is none."""
        text: str = self.request.path_params[name]
        if not text.isdecimal():
            raise NotThere
        return int(text)


class NotThere(LookupError):
    """What the address names is not there."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An answer that says no, with the status for it."""

    content: Any
    status: int = 409


Deed = Callable[[Asked], Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One operation. ``body`` is what it takes."""

    method: str
    path: str
    deed: Deed
    words: str
    body: TypeAdapter[Any] | None = None


def routes(world: World, rows: Iterable[Row]) -> list[Route]:
    """The rows as routes, and their OpenAPI."""
    listed = list(rows)
    listed.append(Row("GET", "/_control/openapi.json", lambda _: openapi(listed), "This description"))
    return [Route(row.path, _endpoint(world, row.deed), methods=[row.method]) for row in listed]


def _endpoint(world: World, deed: Deed) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            asked = Asked(world, request, await request.body())
            with working_for(asked.namespace):
                done = deed(asked)
                answer = await done if inspect.isawaitable(done) else done
        except UnknownSystem:
            return answered({"error": "there is no such system", "systems": sorted(world.counterparts)}, 404)
        except NotThere:
            return answered({"error": "that is not there"}, 404)
        except ValidationError as error:
            return answered({"error": _places(error)}, 422)
        except ValueError as error:
            return answered({"error": str(error)}, 422)
        return answered(answer.content, answer.status) if isinstance(answer, Failed) else answered(answer)

    return endpoint


def _places(error: ValidationError) -> list[dict[str, str]]:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [{"at": ".".join(map(str, each["loc"])), "text": each["msg"]} for each in found]


def answered(content: Any, status: int = 200) -> Response:
    """JSON."""
    return Response(orjson.dumps(content, default=_plain), status, media_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def openapi(rows: Iterable[Row]) -> dict[str, Any]:
    """The rows as OpenAPI."""
    answers = ((200, "Done"), (404, "Not there"), (422, "Wrong, and where"))
    operations = [
        describing.Operation(row.method, row.path, row.words, row.body, headers=(NAMESPACE_HEADER,), answers=answers)
        for row in rows
    ]
    return describing.openapi("reko mock: control", __doc__ or "", operations)
