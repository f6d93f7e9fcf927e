"""What each answer of the record system means for a message."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx
import pytest
import respx

from adapters.ehr.adapter import Ehr, build
from adapters.ehr.settings import Settings
from contracts.activity import Identifier
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    EventType,
    OutcomeUnknown,
    Payload,
    RecordCopy,
    RecordEvent,
    RefusedForGood,
    RouteBroken,
    Transient,
)
from contracts.ports import Clock

BASE = "https://ehr.example/fhir/Procedure"
RESOURCE = {"resourceType": "Procedure", "id": "7"}
CREATED = Delivered("the record system had no such record and created one")
ClaimOf = Callable[[Payload], Claim]


@pytest.fixture
async def channel(clock: Clock) -> AsyncIterator[Ehr]:
    channel = build(Settings(url="https://ehr.example/fhir", token="secret"), clock)
    yield channel
    await channel.aclose()


@pytest.fixture
def claim(claim_of: ClaimOf, copy: RecordCopy) -> Claim:
    return claim_of(copy)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(200, json=RESOURCE), Delivered()),
        (httpx.Response(200, json={"resourceType": "OperationOutcome"}), Delivered()),
        (httpx.Response(200), Delivered()),
        (httpx.Response(204), Delivered()),
        (httpx.Response(201, json=RESOURCE), CREATED),
        (httpx.Response(201), CREATED),
        (httpx.Response(202), Delivered("accepted, outcome not told")),
        (httpx.Response(200, text="<html>Välkommen</html>"), RefusedForGood("HTTP 200: the answer cannot be read")),
        (httpx.Response(201, json=["x"]), RefusedForGood("HTTP 201: the answer cannot be read")),
        (httpx.Response(412), RefusedForGood("HTTP 412: several records carry the identifier")),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example/"}), RefusedForGood("HTTP 302")),
        (httpx.Response(400), RefusedForGood("HTTP 400")),
        (httpx.Response(404), RefusedForGood("HTTP 404")),
        (httpx.Response(405), RefusedForGood("HTTP 405")),
        (httpx.Response(409), RefusedForGood("HTTP 409")),
        (httpx.Response(422, json={"resourceType": "OperationOutcome"}), RefusedForGood("HTTP 422")),
        (httpx.Response(401), RouteBroken("HTTP 401: the recipient does not know this service")),
        (httpx.Response(403), RouteBroken("HTTP 403: the recipient does not let this service in")),
        (httpx.Response(429, headers={"Retry-After": "120"}), Transient("HTTP 429", timedelta(minutes=2))),
        (
            httpx.Response(503, headers={"Retry-After": "Mon, 04 May 2026 08:31:00 GMT"}),
            Transient("HTTP 503", timedelta(seconds=60)),
        ),
        (httpx.Response(500, text="<html>"), OutcomeUnknown("HTTP 500")),
        (httpx.Response(504), OutcomeUnknown("HTTP 504")),
    ],
    ids=lambda value: str(value.status_code) if isinstance(value, httpx.Response) else None,
)
async def test_answers(channel: Ehr, claim: Claim, answer: httpx.Response, outcome: DeliveryOutcome) -> None:
    with respx.mock(using="connections") as router:
        route = router.put(url__startswith=BASE).mock(return_value=answer)
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
    channel: Ehr, claim: Claim, error: type[httpx.TransportError], outcome: DeliveryOutcome
) -> None:
    with respx.mock(using="connections") as router:
        router.put(url__startswith=BASE).mock(side_effect=error)
        assert await channel.send(claim) == outcome


async def test_what_is_sent(channel: Ehr, claim: Claim, copy: RecordCopy) -> None:
    with respx.mock(using="connections") as router:
        route = router.put(url__startswith=BASE).respond(200)
        await channel.send(claim)
    sent = route.calls.last.request
    assert sent.url.params["identifier"] == r"https://ehr.example/id/åtgärd|Å-1\|2\,3"
    assert sent.headers["authorization"] == "Bearer secret"
    assert sent.content == copy.body.encode()


async def test_a_person_number_is_not_matched_on(channel: Ehr, claim_of: ClaimOf) -> None:
    match = Identifier("http://electronichealth.se/identifier/personnummer", "198001019804")
    with respx.mock(using="connections"):  # any request at all would fail the test
        outcome = await channel.send(claim_of(RecordCopy("Procedure", match, "{}")))
    assert outcome == RefusedForGood("a national person identifier never stands in an address (D10)")


async def test_another_payload_is_refused(channel: Ehr, claim_of: ClaimOf, clock: Clock) -> None:
    event = RecordEvent("e-1", EventType.ACTIVITY_CODED, "Procedure/1", clock.now(), 1, "{}")
    assert await channel.send(claim_of(event)) == RefusedForGood(
        "the record system takes copies of its own records only"
    )
