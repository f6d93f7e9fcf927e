"""One try against a platform that behaves in every way."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx
from pydantic import ValidationError

from adapters import soap
from adapters.forsakringskassan import wire
from adapters.forsakringskassan.adapter import Forsakringskassan, build
from adapters.forsakringskassan.settings import PATH, Settings
from contracts.consent import InformationCategory
from contracts.dialogue import MessagePart, PartyMessage
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    EventType,
    OutcomeUnknown,
    Payload,
    RecordEvent,
    RefusedForGood,
    RouteBroken,
    Transient,
)
from contracts.ports import Channel, Clock

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
BASE = "https://platform.test/vp"
OK = f"""<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
<SendMessageToRecipientResponse xmlns="{wire.RESPONDER}"><result><resultCode xmlns="{wire.CORE}">OK</resultCode></result>
</SendMessageToRecipientResponse></soap:Body></soap:Envelope>""".encode()


@pytest.fixture
def platform() -> Iterator[respx.MockRouter]:
    with respx.mock(using="connections", assert_all_called=False) as router:
        yield router


@pytest.fixture
async def channel(platform: respx.MockRouter, clock: Clock) -> AsyncIterator[Forsakringskassan]:
    channel = build(Settings(url=BASE), clock, httpx.MockTransport(platform.async_handler))
    yield channel
    await channel.aclose()


def route(platform: respx.MockRouter) -> respx.Route:
    return platform.post(BASE + PATH)


@pytest.mark.anyio
async def test_delivered(platform: respx.MockRouter, channel: Forsakringskassan, claim: Claim) -> None:
    route(platform).respond(200, content=OK)
    port: Channel = channel
    assert await port.send(claim) == Delivered()


@pytest.mark.anyio
async def test_what_is_sent(
    platform: respx.MockRouter, channel: Forsakringskassan, claim: Claim, message: PartyMessage
) -> None:
    route(platform).respond(200, content=OK)
    await channel.send(claim)
    await channel.send(replace(claim, attempt=2, fence=7))
    first, second = (call.request for call in platform.calls)
    assert first.content == second.content == wire.request(message, "2021005521")
    assert first.headers["SOAPAction"] == f'"{wire.ACTION}"'
    assert first.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert "x-rivta-original-serviceconsumer-hsaid" not in first.headers


@pytest.mark.anyio
async def test_settings_say_as_whom_and_to_whom(platform: respx.MockRouter, clock: Clock, claim: Claim) -> None:
    platform.post(BASE + "/other").respond(200, content=OK)
    settings = Settings(url=BASE, path="/other", logical_address="FKORG", system_hsa_id="SE5565594230-SYS1")
    channel = build(settings, clock, httpx.MockTransport(platform.async_handler))
    assert await channel.send(claim) == Delivered()
    sent = platform.calls.last.request
    assert sent.headers["x-rivta-original-serviceconsumer-hsaid"] == "SE5565594230-SYS1"
    assert soap.logical_address(sent.content) == "FKORG"
    await channel.aclose()


@pytest.mark.parametrize("system", ["not an id", "SE5565594230-A\r\nX: y"])
def test_a_wrong_system_id_is_refused_at_the_start(system: str) -> None:
    with pytest.raises(ValidationError):
        Settings(system_hsa_id=system)


# Nothing, or no whole answer


@pytest.mark.anyio
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_not_reached(
    platform: respx.MockRouter, channel: Forsakringskassan, claim: Claim, error: type[httpx.TransportError]
) -> None:
    route(platform).mock(side_effect=error)
    assert await channel.send(claim) == Transient(f"no connection ({error.__name__})")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError],
)
async def test_no_whole_answer(
    platform: respx.MockRouter, channel: Forsakringskassan, claim: Claim, error: type[httpx.TransportError]
) -> None:
    calls = route(platform).mock(side_effect=error)
    assert await channel.send(claim) == OutcomeUnknown(f"no whole answer ({error.__name__})")
    assert calls.call_count == 1


@pytest.mark.anyio
async def test_a_lost_connection_is_tried_anew_only_before_anything_has_left(
    platform: respx.MockRouter, channel: Forsakringskassan, claim: Claim
) -> None:
    calls = route(platform).mock(side_effect=[httpx.ConnectError, httpx.Response(200, content=OK)])
    assert await channel.send(claim) == Delivered()
    assert calls.call_count == 2


class CutOff(httpx.AsyncByteStream):
    """Half an answer, then a reset."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield OK[: len(OK) // 2]
        raise httpx.ReadError("reset")


@pytest.mark.anyio
async def test_reset_in_the_middle_of_the_answer(clock: Clock, claim: Claim) -> None:
    channel = build(Settings(url=BASE), clock, httpx.MockTransport(lambda _: httpx.Response(200, stream=CutOff())))
    assert await channel.send(claim) == OutcomeUnknown("no whole answer (ReadError)")
    await channel.aclose()


# Every class of answer

ANSWERS: list[tuple[httpx.Response, DeliveryOutcome]] = [
    (httpx.Response(301, headers={"Location": "https://elsewhere.test/"}), RefusedForGood("HTTP 301")),
    (httpx.Response(307, headers={"Location": "/elsewhere"}), RefusedForGood("HTTP 307")),
    (httpx.Response(400), RefusedForGood("HTTP 400")),
    (httpx.Response(401), RouteBroken("HTTP 401: the recipient does not know this service")),
    (httpx.Response(404, text="hemligt"), RefusedForGood("HTTP 404")),
    (httpx.Response(429, headers={"Retry-After": "120"}), Transient("HTTP 429", timedelta(minutes=2))),
    (httpx.Response(500), OutcomeUnknown("HTTP 500, no readable fault")),
    (httpx.Response(502), OutcomeUnknown("HTTP 502, no readable fault")),
    (httpx.Response(503), Transient("HTTP 503")),
    (
        httpx.Response(503, headers={"Retry-After": "Mon, 04 May 2026 09:30:00 GMT"}),
        Transient("HTTP 503", timedelta(hours=1)),
    ),
    (httpx.Response(503, headers={"Retry-After": "9" * 5000}), Transient("HTTP 503")),
    (httpx.Response(503, headers={"Retry-After": f"Mon, 04 May 2026 09:30:00 +{'9' * 30}"}), Transient("HTTP 503")),
    (
        httpx.Response(200, text="this is not an answer"),
        RefusedForGood("the answer cannot be read: the document is not well-formed XML"),
    ),
    (httpx.Response(204), RefusedForGood("the answer cannot be read: the document is not well-formed XML")),
    (
        httpx.Response(500, content=soap.fault("Server", "VP009 [X] y")),
        OutcomeUnknown("VP009: error when contacting the producer"),
    ),
    (
        httpx.Response(500, content=soap.fault("Server", "VP012 [X] y"), headers={"Retry-After": "5"}),
        Transient("VP012: the platform lacks resources", timedelta(seconds=5)),
    ),
    (
        httpx.Response(500, content=soap.fault("Server", "VP007 [X] y")),
        RouteBroken("VP007: not authorised for the address and the contract"),
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("answer", "expected"), ANSWERS)
async def test_answer(
    platform: respx.MockRouter,
    channel: Forsakringskassan,
    claim: Claim,
    answer: httpx.Response,
    expected: DeliveryOutcome,
) -> None:
    calls = route(platform).mock(return_value=answer)
    assert await channel.send(claim) == expected
    assert calls.call_count == 1


# What never leaves


@pytest.mark.anyio
async def test_a_message_that_cannot_be_written_does_not_leave(
    platform: respx.MockRouter, channel: Forsakringskassan, claim_of: Callable[[Payload], Claim], message: PartyMessage
) -> None:
    parts = (MessagePart(InformationCategory.SENSITIVE_CIRCUMSTANCES, "hemligt"),)
    assert await channel.send(claim_of(replace(message, parts=parts))) == RefusedForGood(
        "the message cannot be written: the category sensitive_circumstances is never sent"
    )
    assert not platform.calls


@pytest.mark.anyio
async def test_without_certificate_another_channel_is_offered(
    channel: Forsakringskassan, claim_of: Callable[[Payload], Claim], message: PartyMessage
) -> None:
    outcome = await channel.send(claim_of(replace(message, certificate="")))
    assert isinstance(outcome, RefusedForGood)
    assert outcome.other_channel


@pytest.mark.anyio
async def test_what_breaks_the_schema_does_not_leave(
    platform: respx.MockRouter, channel: Forsakringskassan, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_timestamp", lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000Z")
    outcome = await channel.send(claim)
    assert isinstance(outcome, RefusedForGood)
    assert "skickatTidpunkt" in outcome.reason
    assert "2026" not in outcome.reason
    assert not platform.calls


@pytest.mark.anyio
async def test_a_payload_for_somebody_else_is_a_programming_error(
    channel: Forsakringskassan, claim_of: Callable[[Payload], Claim]
) -> None:
    event = RecordEvent("e-1", EventType.ACTIVITY_CODED, "Procedure/1", NOW, 1, "{}")
    with pytest.raises(TypeError, match="not RecordEvent"):
        await channel.send(claim_of(event))
