"""A scenario: a TOML file whose tables are what the control surface takes, under the same names.

``[officer]`` is the body of ``PUT /_control/officer``, ``[validation.forsakringskassan]`` that of
``PUT /_control/validation/forsakringskassan``, ``[[faults.ehr]]`` a list of faults for it. They are played in the order of
the file; ``namespace`` at its top says where.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
from starlette.types import ASGIApp

from adapters.mocking.counterpart import NAMESPACE_HEADER

_CONTROL: Final = "/_control"


class BadScenario(ValueError):
    """The file cannot be played. Says where, and repeats no values."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is put where, in order."""

    namespace: str
    parts: tuple[tuple[str, Any], ...]


def read(file: Path) -> Scenario:
    """A file's scenario. Raises ``BadScenario``."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadScenario(f"{file} cannot be read ({type(error).__name__})") from None
    except ValueError as error:
        raise BadScenario(f"{file} is no TOML: {error}") from None
    namespace = content.pop("namespace", "")
    if not isinstance(namespace, str):
        raise BadScenario("namespace is no text")
    return Scenario(namespace, tuple(content.items()))


async def play(app: ASGIApp, scenario: Scenario) -> None:
    """Set a world up, through its own control surface. Raises ``BadScenario``; what came before the fault is done."""
    headers = {NAMESPACE_HEADER: scenario.namespace}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://mocks", headers=headers
    ) as client:
        described = (await client.get(f"{_CONTROL}/openapi.json")).json()["paths"]
        known = {path for path, operations in described.items() if "put" in operations}
        for name, content in scenario.parts:
            for path, body in _addressed(name, content, known):
                await _put(client, path, body)


def _addressed(name: str, content: Any, known: set[str]) -> Iterator[tuple[str, Any]]:
    path = f"{_CONTROL}/{name}"
    if path in known:
        yield path, content
    elif isinstance(content, dict) and any(each.startswith(f"{path}/") for each in known):
        yield from ((f"{path}/{system}", body) for system, body in content.items())
    else:
        parts = sorted({each.split("/")[2] for each in known})
        raise BadScenario(f"there is no part of that name; there are {', '.join(parts)}")


async def _put(client: httpx.AsyncClient, path: str, body: Any) -> None:
    answer = await client.put(path, content=orjson.dumps(body))
    if answer.status_code != 200:
        raise BadScenario(f"{path.removeprefix(_CONTROL)}: {answer.json()['error']}")
