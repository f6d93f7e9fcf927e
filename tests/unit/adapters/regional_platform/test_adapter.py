"""What each answer of the platform means for a message."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import orjson
import pytest
import respx

from adapters.regional_platform.adapter import RegionalPlatform, build
from adapters.regional_platform.settings import Mode, Settings
from contracts.activity import Identifier
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    OutcomeUnknown,
    Payload,
    RecordCopy,
    RecordEvent,
    RefusedForGood,
    RouteBroken,
    Transient,
)
from contracts.ports import Clock

URL = "https://platform.example/in/events"
ClaimOf = Callable[[Payload], Claim]


@pytest.fixture
async def channel(clock: Clock) -> AsyncIterator[RegionalPlatform]:
    channel = build(Settings(url="https://platform.example/in", token="secret"), clock)
    yield channel
    await channel.aclose()


@pytest.fixture
def claim(claim_of: ClaimOf, event: RecordEvent) -> Claim:
    return claim_of(event)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(200, json={"duplicate": False}), Delivered()),
        (httpx.Response(200, text="<html>thanks</html>"), Delivered()),
        (httpx.Response(204), Delivered()),
        (
            httpx.Response(200, html="<form>Logga in</form>"),
            OutcomeUnknown("HTTP 200: a page for people, as from somebody who stands in between"),
        ),
        (httpx.Response(202), Delivered("accepted, outcome not told")),
        (httpx.Response(200, json={"duplicate": True}), Delivered("the platform had it already")),
        (httpx.Response(409, json={"duplicate": True}), Delivered("the platform had it already")),
        (httpx.Response(409, json={"duplicate": "yes"}), RefusedForGood("HTTP 409")),
        (httpx.Response(409, json=[True]), RefusedForGood("HTTP 409")),
        (httpx.Response(400, json={"duplicate": True}), RefusedForGood("HTTP 400")),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), RefusedForGood("HTTP 302")),
        (httpx.Response(415), RefusedForGood("HTTP 415")),
        (httpx.Response(422), RefusedForGood("HTTP 422")),
        (httpx.Response(401), RouteBroken("HTTP 401: the recipient does not know this service")),
        (httpx.Response(403), RouteBroken("HTTP 403: the recipient does not let this service in")),
        (httpx.Response(410), RouteBroken("HTTP 410: the recipient wants no more")),
        (httpx.Response(429, headers={"Retry-After": "120"}), Transient("HTTP 429", timedelta(minutes=2))),
        (
            httpx.Response(503, headers={"Retry-After": "Mon, 04 May 2026 08:31:00 GMT"}),
            Transient("HTTP 503", timedelta(seconds=60)),
        ),
        (httpx.Response(503, headers={"Retry-After": "soon"}), Transient("HTTP 503")),
        (httpx.Response(502), Transient("HTTP 502")),
        (httpx.Response(500), OutcomeUnknown("HTTP 500")),
        (httpx.Response(504), OutcomeUnknown("HTTP 504")),
    ],
    ids=lambda value: str(value.status_code) if isinstance(value, httpx.Response) else None,
)
async def test_answers(
    channel: RegionalPlatform, claim: Claim, answer: httpx.Response, outcome: DeliveryOutcome
) -> None:
    with respx.mock(using="connections") as router:
        route = router.post(URL).mock(return_value=answer)
        assert await channel.send(claim) == outcome
        assert route.call_count == 1  # neither followed nor tried again here: the outbox does that


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError, Transient("no connection (ConnectError)")),
        (httpx.ConnectTimeout, Transient("no connection (ConnectTimeout)")),
        (httpx.ReadTimeout, OutcomeUnknown("no whole answer (ReadTimeout)")),
        (httpx.RemoteProtocolError, OutcomeUnknown("no whole answer (RemoteProtocolError)")),
    ],
)
async def test_no_answers(
    channel: RegionalPlatform, claim: Claim, error: type[httpx.TransportError], outcome: DeliveryOutcome
) -> None:
    with respx.mock(using="connections") as router:
        router.post(URL).mock(side_effect=error)
        assert await channel.send(claim) == outcome


async def test_what_is_sent(channel: RegionalPlatform, claim: Claim) -> None:
    with respx.mock(using="connections") as router:
        route = router.post(URL).respond(200)
        await channel.send(claim)
    sent = route.calls.last.request
    assert sent.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert sent.headers["authorization"] == "Bearer secret"
    assert orjson.loads(sent.content)["id"] == "e-1"


async def test_binary_mode(clock: Clock, claim: Claim, event: RecordEvent) -> None:
    channel = build(Settings(url="https://platform.example/in/", mode=Mode.BINARY), clock)
    with respx.mock(using="connections") as router:
        route = router.post(URL).respond(200)
        await channel.send(claim)
    await channel.aclose()
    assert route.calls.last.request.headers["ce-id"] == "e-1"
    assert route.calls.last.request.content == event.data.encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"data": '{"note": "hemligt"}'}, "the data breaks activity.coded.v1.schema.json at /: "),
        ({"data": "hemligt"}, "the data breaks activity.coded.v1.schema.json at /: not JSON"),
        ({"data": "\ud800"}, "the data breaks activity.coded.v1.schema.json at /: not JSON"),
        ({"subject": "Procedure/198001019804"}, "a personal number stands in the attribute subject"),
    ],
)
async def test_what_may_not_leave(
    channel: RegionalPlatform, claim_of: ClaimOf, event: RecordEvent, change: dict[str, str], reason: str
) -> None:
    with respx.mock(using="connections"):  # any request at all would fail the test
        outcome = await channel.send(claim_of(replace(event, **change)))  # type: ignore[arg-type]
    assert isinstance(outcome, RefusedForGood)
    assert outcome.reason.startswith(reason)
    assert "hemligt" not in outcome.reason
    assert "9804" not in outcome.reason


async def test_another_payload_is_refused(channel: RegionalPlatform, claim_of: ClaimOf) -> None:
    copy = RecordCopy("Procedure", Identifier("urn:x", "1"), "{}")
    assert await channel.send(claim_of(copy)) == RefusedForGood("the regional platform takes record events only")
