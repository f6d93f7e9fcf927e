"""A pytest plugin for other projects: Sweden in a box as a fixture.

``reko_mock`` gives a test a namespace of its own in a mock world that is served in this process, on a free port of this
machine. After the test the namespace is forgotten; if the consent spy found something, the test fails by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from service.server import Server

_STARTED_WITHIN = 20.0


class RekoMock:
    """A namespace of the mock world, over HTTP."""

    def __init__(self, base: str, namespace: str) -> None:
        self.namespace = namespace
        self.base = f"{base}/_ns/{quote(namespace, safe='')}"

    def url(self, system: str) -> str:
        """The address of a counterpart: ``forsakringskassan``, ``intygstjanst``, ``consent_service`` ..."""
        return f"{self.base}/{system}"

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """Call the control surface: ``ask("PUT", "faults/forsakringskassan", {"name": "VP009"})``. Raises
        ``AssertionError`` with the answer unless it is 200, so that a verification that does not hold fails the test."""
        import httpx

        answer = httpx.request(method, f"{self.base}/_control/{path}", json=content, timeout=90, trust_env=False)
        if answer.status_code != 200:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def faults(self, system: str, *names: str) -> None:
        """Let the next calls go wrong, a name each."""
        self.ask("PUT", f"faults/{system}", [{"name": name} for name in names])

    def verify(self, system: str, check: str, within: float = 0, **about: Any) -> None:
        """Ask the ledger: ``verify("forsakringskassan", "exactly-once", id=...)``."""
        self.ask("POST", "verify", {"checks": [{"system": system, "check": check, "about": about}], "within": within})

    def move(self, advance: str) -> None:
        """Let time pass, as an ISO 8601 duration: ``move("P7D")``, in this namespace alone."""
        self.ask("PUT", "clock", {"advance": advance})


@pytest.fixture(scope="session")
def reko_mock_server() -> Iterator[str]:
    """The base address of a mock world that lives as long as the session."""
    from service.clock import MovableClock
    from service.mock_world import MockWorld
    from service.server import HOST, server

    serving = server(MockWorld(MovableClock()).app(), HOST, 0)
    thread = threading.Thread(target=serving.run, name="reko-mock", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{_port(serving)}"
    finally:
        serving.should_exit = True
        thread.join(timeout=10)


def _port(serving: Server) -> int:
    deadline = time.monotonic() + _STARTED_WITHIN
    while not serving.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the mock world did not start")
        time.sleep(0.005)
    port: int = serving.servers[0].sockets[0].getsockname()[1]
    return port


@pytest.fixture
def reko_mock(reko_mock_server: str, request: pytest.FixtureRequest) -> Iterator[RekoMock]:
    """A namespace of its own, named for the test."""
    world = RekoMock(reko_mock_server, f"{request.node.name}-{time.monotonic_ns()}")
    yield world
    try:
        world.ask("GET", "spy")
    finally:
        world.ask("DELETE", "namespace")
