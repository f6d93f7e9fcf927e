"""A small world: one counterpart that takes everything, a clock that stands until it is moved, no network."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from adapters.mocking import Answered, Counterpart, Fault, Room, play
from adapters.mocking.control import routes
from adapters.mocking.control_rows import ROWS
from adapters.mocking.counterpart import InNamespace
from adapters.mocking.world import World


class Clock:
    """Stands."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move_to(self, at: datetime) -> None:
        self.at = at

    def advance(self, by: timedelta) -> None:
        self.at += by


def echo(counterpart: Counterpart) -> Starlette:
    """Takes what comes; the header ``Id`` is the message's id, and a body ``wrong`` gets an answer against the contract."""

    async def answer(request: Request, room: Room, fault: Fault | None) -> Answered:
        body = await request.body()
        if fault is not None:
            return Answered(Response(fault.text, 500), report=("on order",))
        known = room.remembered("known")
        again = body in known
        known[body] = True
        return Answered(
            Response(b"wrong" if body == b"wrong" else b"<ok/>", media_type="text/xml"),
            id=request.headers.get("Id", ""),
            accepted=True,
            report=("again",) if again else (),
            summary={"length": len(body)},
            judge=lambda written: ("it is wrong",) if written == b"wrong" else (),
        )

    async def endpoint(request: Request) -> Response:
        return await play(counterpart, request, answer)

    return Starlette(routes=[Route("/in", endpoint, methods=["POST"])])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return World(clock, {"echo": "Eko", "other": "Annat"}, size=20)


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx.AsyncClient]:
    inner = Starlette(
        routes=[*routes(world, ROWS), *(Mount(f"/{name}", echo(each)) for name, each in world.counterparts.items())]
    )
    app = Starlette(routes=[Mount("/_ns/{namespace}", InNamespace(inner)), Mount("/", inner)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mocks") as client:
        yield client
