"""OpenAPI 3.1 of what the mocks serve, from tables: the control surface's, and that of each counterpart without a WSDL."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

REFERENCE: Final = "#/components/schemas/{model}"
WSDL: Final = "wsdl"
OPENAPI: Final = "openapi"
"""What the routes are called at which a counterpart tells what it takes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``body`` is what it takes: a pydantic adapter, or a JSON schema as it stands; ``headers`` it knows."""

    method: str
    path: str
    words: str
    body: TypeAdapter[Any] | dict[str, Any] | None = None
    media: str = "application/json"
    headers: tuple[str, ...] = ()
    answers: tuple[tuple[int, str], ...] = ((200, "Done"),)


def openapi(title: str, words: str, operations: Iterable[Operation]) -> dict[str, Any]:
    """The document."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": words},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def route(title: str, words: str, operations: Iterable[Operation]) -> Route:
    """``/openapi.json`` of a counterpart, with the address it is asked at. Made when it is first asked for: most never are."""
    document = cache(partial(openapi, title, words, tuple(operations)))

    async def describe(request: Request) -> Response:
        return JSONResponse({**document(), "servers": [{"url": request.scope.get("root_path", "")}]})

    return Route("/openapi.json", describe, name=OPENAPI)


def contracts(prefix: str, routes: Iterable[BaseRoute]) -> list[str]:
    """Where the routes below a prefix tell what they take: an OpenAPI, and a WSDL at the address of each SOAP operation."""
    asked = {WSDL: "?wsdl", OPENAPI: ""}
    return [
        f"{prefix}{route.path}{asked[route.name]}"
        for route in routes
        if isinstance(route, Route) and route.name in asked
    ]


def door(title: str, contracts: list[str]) -> Callable[[Request], Awaitable[Response]]:
    """What a counterpart says to whom only knocks: its name, and where it tells what it takes."""

    async def answer(_: Request) -> Response:
        return JSONResponse({"system": title, "contracts": contracts})

    return answer


def _described(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    named = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in named]
    parameters += [{"name": name, "in": "header", "schema": {"type": "string"}} for name in operation.headers]
    described: dict[str, Any] = {
        "summary": operation.words,
        "parameters": parameters,
        "responses": {str(status): {"description": words} for status, words in operation.answers},
    }
    if operation.body is not None:
        content = {operation.media: {"schema": _schema(operation.body, schemas)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _schema(body: TypeAdapter[Any] | dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body, dict):
        return body
    schema = body.json_schema(ref_template=REFERENCE)
    schemas |= schema.pop("$defs", {})
    return schema
