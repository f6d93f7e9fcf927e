"""Tokens: fetched once, kept while they last, replaced once when they are refused; never told to anybody."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

import httpx
import pytest

from adapters.http import NoAnswer, NotReached
from adapters.oauth import AuthorizedSender, ClientRefused, NoToken, OAuthDestination

NOW: Final = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
SECRET: Final = "hemlig/ö:1"
Answer = Callable[[httpx.Request], httpx.Response]


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class Services:
    """A token service and the service itself, and what they were asked."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.token_requests: list[httpx.Request] = []
        self.calls: list[str] = []
        self.refused: set[str] = set()
        self.give: Answer = lambda _: self.token(f"t{len(self.token_requests)}")
        self.asked = asyncio.Event()
        self.slow = asyncio.Event()
        self.slow.set()

    def token(self, value: str, **more: Any) -> httpx.Response:
        return httpx.Response(200, json={"access_token": value, "token_type": "Bearer", "expires_in": 300, **more})

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "idp.example":
            self.token_requests.append(request)
            self.asked.set()
            await self.slow.wait()
            return self.give(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.calls.append(token)
        return httpx.Response(401 if token in self.refused else 200)

    @asynccontextmanager
    async def sender(self, **changes: Any) -> AsyncIterator[AuthorizedSender]:
        given = {
            "url": "http://mt.example",
            "token_url": "http://idp.example/token?x=1",
            "client_id": "re ko",
            "client_secret": SECRET,
            **changes,
        }
        destination = OAuthDestination.model_validate(given)
        sender = AuthorizedSender(destination, ("a", "b"), self.clock, httpx.MockTransport(self.answer))
        try:
            yield sender
        finally:
            await sender.aclose()


@pytest.fixture
def services() -> Services:
    return Services()


async def test_how_it_is_asked_for(services: Services) -> None:
    async with services.sender() as sender:
        await sender.request("GET", "/x")
    (asked,) = services.token_requests
    assert (asked.method, str(asked.url)) == ("POST", "http://idp.example/token?x=1")
    assert parse_qs(asked.content.decode()) == {"grant_type": ["client_credentials"], "scope": ["a b"]}
    scheme, _, told = asked.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(told)) == ("Basic", b"re+ko:hemlig%2F%C3%B6%3A1")


async def test_one_token_while_it_lasts(services: Services) -> None:
    async with services.sender() as sender:
        for seconds in (0, 200, 269, 270, 271):
            services.clock.at = NOW + timedelta(seconds=seconds)
            await sender.request("GET", "/x")
    assert services.calls == ["t1", "t1", "t1", "t2", "t2"]


@pytest.mark.parametrize(
    ("told", "lasts"),
    [
        ({"expires_in": 10}, 9),
        ({"expires_in": None}, 54),
        ({"expires_in": "300"}, 270),
        ({"expires_in": 10**12}, 86370),
    ],
)
async def test_how_long_it_lasts(services: Services, told: dict[str, Any], lasts: int) -> None:
    services.give = lambda _: services.token(f"t{len(services.token_requests)}", **told)
    async with services.sender() as sender:
        for seconds in (0, lasts - 1, lasts):
            services.clock.at = NOW + timedelta(seconds=seconds)
            await sender.request("GET", "/x")
    assert services.calls == ["t1", "t1", "t2"]


async def test_fetched_once_for_all_who_wait(services: Services) -> None:
    services.slow.clear()
    async with services.sender() as sender:
        waiting = [asyncio.create_task(sender.request("GET", "/x")) for _ in range(5)]
        await services.asked.wait()
        services.slow.set()
        await asyncio.gather(*waiting)
    assert len(services.token_requests) == 1
    assert services.calls == ["t1"] * 5


async def test_who_gives_up_takes_nothing_from_the_others(services: Services) -> None:
    services.slow.clear()
    async with services.sender() as sender:
        first, second = (asyncio.create_task(sender.request("GET", "/x")) for _ in range(2))
        await services.asked.wait()
        first.cancel()
        services.slow.set()
        assert (await second).status_code == 200
    assert len(services.token_requests) == 1


async def test_a_failure_is_told_to_all_who_wait_and_kept_for_nobody(services: Services) -> None:
    good = services.give
    services.give = lambda _: httpx.Response(503)
    services.slow.clear()
    async with services.sender() as sender:
        waiting = [asyncio.create_task(sender.request("GET", "/x")) for _ in range(3)]
        await services.asked.wait()
        services.slow.set()
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(each) for each in told] == [NoToken] * 3
        services.give = good
        assert (await sender.request("GET", "/x")).status_code == 200
    assert len(services.token_requests) == 2
    assert services.calls == ["t2"]


async def test_a_kept_token_that_is_refused_is_replaced_once(services: Services) -> None:
    async with services.sender() as sender:
        await sender.request("GET", "/x")
        services.refused = {"t1"}
        assert (await sender.request("GET", "/x")).status_code == 200
        services.refused = {"t1", "t2", "t3"}
        assert (await sender.request("GET", "/x")).status_code == 401
    assert services.calls == ["t1", "t1", "t2", "t2", "t3"]


async def test_a_fresh_token_that_is_refused_is_not_replaced(services: Services) -> None:
    services.refused = {"t1"}
    async with services.sender() as sender:
        assert (await sender.request("GET", "/x")).status_code == 401
    assert services.calls == ["t1"]


async def test_many_who_are_refused_fetch_one(services: Services) -> None:
    async with services.sender() as sender:
        await sender.request("GET", "/x")
        services.refused = {"t1"}
        answers = await asyncio.gather(*(sender.request("GET", "/x") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(services.token_requests) == 2


async def test_a_token_that_is_set_is_sent_as_it_is(services: Services) -> None:
    services.refused = {"fixed"}
    async with services.sender(token_url="", client_id="", client_secret="", token="fixed") as sender:
        assert (await sender.request("GET", "/x")).status_code == 401
    assert (services.calls, services.token_requests) == (["fixed"], [])


def _raises(error: type[httpx.RequestError]) -> Answer:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return fail


@pytest.mark.parametrize(
    ("give", "expected"),
    [
        *((lambda _, status=status: httpx.Response(status), ClientRefused) for status in (400, 401, 403, 404)),
        *((lambda _, status=status: httpx.Response(status), NoToken) for status in (302, 408, 429, 500, 503)),
        *((_raises(error), NoToken) for error in (httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError)),
        *(
            (lambda _, body=body: httpx.Response(200, content=body), NoToken)
            for body in (
                b"",
                b"<html>Logga in</html>",
                b"[" * 100_000,
                b"\xff",
                b"{}",
                b'{"access_token": 1}',
                b'{"access_token": ""}',
                b'{"access_token": "a\\r\\nX: y"}',
                '{"access_token": "å"}'.encode(),
                b'{"access_token": "a", "token_type": "mac"}',
            )
        ),
    ],
)
async def test_without_a_token_nothing_leaves(services: Services, give: Answer, expected: type[NoToken]) -> None:
    """To whom a message was promised it is as if no connection had come about: nothing of it has left."""
    services.give = give
    async with services.sender() as sender:
        with pytest.raises(NotReached) as told:
            await sender.request("POST", "/x", content=b"y")
    assert type(told.value) is expected
    assert not isinstance(told.value, NoAnswer)
    assert services.calls == []


async def test_neither_secret_nor_token_is_told(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    services.give = lambda _: httpx.Response(400, text=f"client {SECRET} is unknown")
    async with services.sender() as sender:
        with pytest.raises(ClientRefused) as told:
            await sender.request("GET", "/x")
        services.give = lambda _: services.token("tokenvalue")
        await sender.request("GET", "/x")
        shown = f"{told.value!r} {vars(sender)!r} {sender._tokens._kept!r}"  # type: ignore[union-attr]
    logged = " ".join(f"{record.getMessage()} {record.exc_text}" for record in caplog.records)
    for secret in (SECRET, "hemlig", "tokenvalue"):
        assert secret not in shown + logged
