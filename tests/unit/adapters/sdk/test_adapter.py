"""One try against a message service that behaves in every way, and rounds that something goes wrong in."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import httpx
import msgspec
import pytest

from adapters.sdk import wire
from adapters.sdk.adapter import FILTER, LARGEST, Sdk, build
from adapters.sdk.settings import PATH, Settings
from contracts.consent import Recipient, RecipientKind
from contracts.dialogue import Arrival, ReceivedMessage, Unreadable
from contracts.errors import Unavailable
from contracts.identity import HsaId
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    EventType,
    OutcomeUnknown,
    RecordEvent,
    RefusedForGood,
    RouteBroken,
    Transient,
)
from contracts.ports import AddressBook, Channel, Mailbox
from tests.unit.adapters.sdk.conftest import BOOK, MESSAGE, MUNICIPALITY, NOW, PATIENT, StillClock

US: Final = "0203:region.example"
EKEN: Final = "sdk:inkorg:0203:region.example:eken"
LINDEN: Final = "sdk:inkorg:0203:region.example:linden"
ONE: Final = f"{PATH}/{MESSAGE.id}"
Answers = Mapping[str, httpx.Response | type[httpx.RequestError]]
ClaimOf = Callable[..., Claim]


def shown(id: str = MESSAGE.id, sender: str = US, to: str = EKEN, **more: Any) -> dict[str, Any]:
    told = {
        "messageId": id,
        "sender": sender,
        "creationDateTime": "2026-05-04T08:30:00Z",
        "recipientAttention": {"subOrganization": {"extension": to}},
        **more,
    }
    return {"type": "messages", "id": id, "attributes": told}


def one(**more: Any) -> httpx.Response:
    return httpx.Response(more.pop("status", 200), content=msgspec.json.encode({"data": shown(**more)}))


def many(*entries: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, content=msgspec.json.encode({"data": list(entries)}))


class Service:
    """Answers by method and path, in order; what it was asked. Lists by the function that is asked for."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.asked: list[str] = []
        self.requests: list[httpx.Request] = []
        self._answers = {key: list(value) if isinstance(value, list) else [value] for key, value in answers.items()}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        listed = request.url.params.get(FILTER)
        key = f"{request.method} {listed or request.url.path}"
        self.asked.append(key)
        waiting = self._answers.get(key, [httpx.Response(404)])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, type):
            raise answer("broken", request=request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def sdk(service: Service) -> Sdk:
    settings = Settings(url="http://mt.example", addresses=BOOK, token="any")
    return build(settings, StillClock(), httpx.MockTransport(service))


POST: Final = f"POST {PATH}"
GET: Final = f"GET {ONE}"
DELETE: Final = f"DELETE {ONE}"
NOT_THERE: Final = httpx.Response(404)
KNOWN: Final = httpx.Response(400, json={"eventIssues": [{"typeCode": "MESSAGE_ID_NOT_UNIQUE"}]})
WRONG: Final = httpx.Response(400, json={"eventIssues": [{"typeCode": "SCHEMA", "title": PATIENT.digits}]})

TRIES: list[tuple[int, Mapping[str, Any], DeliveryOutcome, list[str]]] = [
    # try, answers, outcome, what was asked
    (1, {POST: one(status=201)}, Delivered(), [POST]),
    (2, {GET: NOT_THERE, POST: one(status=201)}, Delivered(), [GET, POST]),
    (2, {GET: one()}, wire.DELIVERED_EARLIER, [GET]),
    (3, {GET: one(messageStatus="MESSAGE_EXCHANGE_ERROR")}, wire.DELIVERED_EARLIER, [GET]),
    # a message that may be there is never sent before it is known that it is not
    (2, {GET: httpx.ReadTimeout}, OutcomeUnknown("no whole answer (ReadTimeout)"), [GET]),
    (2, {GET: httpx.Response(500)}, OutcomeUnknown("HTTP 500"), [GET]),
    (2, {GET: httpx.Response(200)}, OutcomeUnknown("HTTP 200 when the message was looked for"), [GET]),
    (2, {GET: httpx.Response(503, headers={"Retry-After": "9"})}, Transient("HTTP 503", timedelta(seconds=9)), [GET]),
    (2, {GET: httpx.PoolTimeout}, Transient("no connection (PoolTimeout)"), [GET]),
    (2, {GET: httpx.Response(401)}, RouteBroken("HTTP 401: the recipient does not know this service"), [GET]),
    # refused: is it because the message is there?
    (1, {POST: KNOWN, GET: one()}, wire.DELIVERED_EARLIER, [POST, GET]),
    (1, {POST: httpx.Response(409), GET: one()}, wire.DELIVERED_EARLIER, [POST, GET]),
    (1, {POST: WRONG, GET: NOT_THERE}, RefusedForGood("HTTP 400: SCHEMA"), [POST, GET]),
    (2, {POST: WRONG, GET: NOT_THERE}, RefusedForGood("HTTP 400: SCHEMA"), [GET, POST, GET]),
    (1, {POST: KNOWN, GET: NOT_THERE}, RefusedForGood("HTTP 400: MESSAGE_ID_NOT_UNIQUE"), [POST, GET]),
    (1, {POST: WRONG, GET: httpx.Response(503)}, OutcomeUnknown("HTTP 400: SCHEMA; HTTP 503"), [POST, GET]),
    (
        1,
        {POST: WRONG, GET: httpx.ReadError},
        OutcomeUnknown("HTTP 400: SCHEMA; no whole answer (ReadError)"),
        [POST, GET],
    ),
    # somebody else's message of our id is not ours
    (
        1,
        {POST: KNOWN, GET: one(sender="0203:af.example")},
        OutcomeUnknown("HTTP 400: MESSAGE_ID_NOT_UNIQUE; HTTP 200 when the message was looked for"),
        [POST, GET],
    ),
    # taken, says a body that cannot be read
    (1, {POST: httpx.Response(201), GET: one()}, wire.DELIVERED_EARLIER, [POST, GET]),
    (
        1,
        {POST: httpx.Response(200, text="Logga in"), GET: NOT_THERE},
        RefusedForGood("HTTP 200, and the message service does not have the message"),
        [POST, GET],
    ),
    # settled without a look
    (1, {POST: httpx.Response(413)}, RefusedForGood("HTTP 413"), [POST]),
    (1, {POST: httpx.Response(500)}, OutcomeUnknown("HTTP 500"), [POST]),
    (1, {POST: httpx.ReadTimeout}, OutcomeUnknown("no whole answer (ReadTimeout)"), [POST]),
    (1, {POST: httpx.PoolTimeout}, Transient("no connection (PoolTimeout)"), [POST]),
    (1, {}, RouteBroken("HTTP 404: no message service takes messages at that address"), [POST]),
]


@pytest.mark.parametrize(("attempt", "answers", "expected", "asked"), TRIES)
async def test_one_try(
    claim_of: ClaimOf, attempt: int, answers: Mapping[str, Any], expected: DeliveryOutcome, asked: list[str]
) -> None:
    service = Service(answers)
    channel: Channel = sdk(service)
    assert await channel.send(claim_of(MESSAGE, attempt)) == expected
    assert service.asked == asked


async def test_what_is_sent(claim_of: ClaimOf) -> None:
    service = Service({POST: one(status=201)})
    await sdk(service).send(claim_of(MESSAGE))
    (request,) = service.requests
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == "Bearer any"
    assert str(request.url) == f"http://mt.example{PATH}"


async def test_without_an_address_another_channel_is_offered_and_nothing_leaves(claim_of: ClaimOf) -> None:
    service = Service({})
    elsewhere = replace(MESSAGE, recipient=Recipient(RecipientKind.UNION, "8020000001"))
    assert await sdk(service).send(claim_of(elsewhere, 2)) == RefusedForGood(
        "the message cannot be written: there is no address for the recipient", other_channel=True
    )
    assert service.asked == []


@pytest.mark.parametrize(
    ("recipient", "unit", "expected"),
    [
        (MUNICIPALITY, "SE2321000016-1001", True),
        (MUNICIPALITY, "SE2321000016-1009", False),
        (Recipient(RecipientKind.MUNICIPALITY, "2120000142"), "SE2321000016-1001", False),
        (Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521"), "SE2321000016-1002", True),
    ],
)
async def test_who_is_reached_is_known_beforehand(
    claim_of: ClaimOf, recipient: Recipient, unit: str, expected: bool
) -> None:
    """And it is what ``send`` finds."""
    service = Service({POST: one(status=201)})
    channel = sdk(service)
    book: AddressBook = channel
    assert book.reaches(recipient, HsaId(unit)) is expected
    sender = replace(MESSAGE.sender, unit=replace(MESSAGE.sender.unit, id=HsaId(unit)))
    outcome = await channel.send(claim_of(replace(MESSAGE, recipient=recipient, sender=sender)))
    assert isinstance(outcome, Delivered) is expected


async def test_a_payload_for_somebody_else_is_a_programming_error(claim_of: ClaimOf) -> None:
    event = RecordEvent("e-1", EventType.ACTIVITY_CODED, "Procedure/1", NOW, 1, "{}")
    with pytest.raises(TypeError, match="not RecordEvent"):
        await sdk(Service({})).send(claim_of(event))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401), RouteBroken("no token: the token service refuses this client (HTTP 401)")),
        (httpx.Response(503), Transient("no token: HTTP 503")),
        (httpx.ReadTimeout, Transient("no token: no whole answer (ReadTimeout)")),
    ],
)
async def test_without_a_token_nothing_has_left(
    claim_of: ClaimOf, answer: httpx.Response | type[httpx.RequestError], expected: DeliveryOutcome
) -> None:
    service = Service({"POST /token": answer, POST: one(status=201)})
    settings = Settings.model_validate(
        {
            "url": "http://mt.example",
            "addresses": BOOK,
            "token_url": "http://idp.example/token",
            "client_id": "reko",
            "client_secret": "hemlig",
        }
    )
    channel = build(settings, StillClock(), httpx.MockTransport(service))
    assert await channel.send(claim_of(MESSAGE)) == expected
    assert service.asked == ["POST /token"]


# The mailbox

A, B, C, D = (f"0b9a6c1e-0000-4c36-9e15-3b1f6d2a9c4{n}" for n in range(4))
LISTS: Final = (f"GET {EKEN}", f"GET {LINDEN}")


def lying(*ids: str, **answers: Any) -> Mapping[str, Any]:
    """The messages lie at the first unit, and are from Arbetsförmedlingen."""
    found = {f"GET {PATH}/{id}": one(id=id, sender="0203:af.example") for id in ids}
    entries = [shown(id=id, sender="0203:af.example") for id in ids]
    return {LISTS[0]: many(*entries), LISTS[1]: many(), **found, **answers}


async def fetched(mailbox: Mailbox) -> list[str]:
    return [each.id for each in [found async for found in mailbox.waiting()]]


async def test_all_functions_are_asked_the_oldest_first() -> None:
    def from_af(id: str, time: str, to: str) -> dict[str, Any]:
        return shown(id=id, sender="0203:af.example", to=to, creationDateTime=time)

    first, second, third = from_af(A, "2026-05-04T08:00:00.5Z", EKEN), from_af(B, "2026-05-04T08:00:00Z", LINDEN), None
    third = from_af(C, "2026-05-04T11:00:00+02:00", EKEN)
    answers = {LISTS[0]: many(third, first), LISTS[1]: many(second)}
    answers |= {f"GET {PATH}/{each['id']}": httpx.Response(200, json={"data": each}) for each in (first, second, third)}
    service = Service(answers)
    assert await fetched(sdk(service)) == [B, A, C]
    assert service.asked[:2] == list(LISTS)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(401),
        httpx.Response(404, text="<html>"),
        httpx.Response(200, text="Logga in"),
        httpx.Response(204),
        httpx.ConnectTimeout,
        httpx.ReadTimeout,
    ],
)
async def test_a_list_that_does_not_come_is_no_empty_one(answer: httpx.Response | type[httpx.RequestError]) -> None:
    with pytest.raises(Unavailable):
        await fetched(sdk(Service({**lying(), LISTS[1]: answer})))


async def test_a_problem_that_says_that_nothing_is_there_is_an_empty_list() -> None:
    nothing = httpx.Response(404, headers={"Content-Type": "application/problem+json"}, content=b"{}")
    assert await fetched(sdk(Service({**lying(A), LISTS[1]: nothing}))) == [A]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(400), "HTTP 400"),
        (httpx.Response(410), "HTTP 410"),
        (httpx.Response(200, text="<html>"), "as the interface has it"),
        (one(id=B, sender="0203:af.example"), "another message"),
        (one(id=A, sender="0203:af.example", to="sdk:other"), "none of our units"),
    ],
)
async def test_one_that_cannot_be_read_comes_as_such_and_stops_no_other(answer: httpx.Response, reason: str) -> None:
    mailbox = sdk(Service(lying(A, B, **{f"GET {PATH}/{A}": answer})))
    found = [each async for each in mailbox.waiting()]
    assert [each.id for each in found] == [A, B]
    assert isinstance(found[0], Unreadable)
    assert reason in found[0].reason
    assert isinstance(found[1], ReceivedMessage)


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(503), httpx.ReadTimeout])
async def test_one_that_cannot_be_fetched_now_stops_no_other_and_is_told_of(
    answer: httpx.Response | type[httpx.RequestError],
) -> None:
    mailbox = sdk(Service(lying(A, B, C, **{f"GET {PATH}/{B}": answer})))
    waiting = mailbox.waiting()
    assert [(await anext(waiting)).id for _ in range(2)] == [A, C]
    with pytest.raises(Unavailable):
        await anext(waiting)


async def test_a_service_that_is_down_is_not_asked_for_each() -> None:
    ids = [A, B, C, D]
    service = Service(lying(*ids, **{f"GET {PATH}/{id}": httpx.Response(503) for id in ids}))
    with pytest.raises(Unavailable):
        await fetched(sdk(service))
    assert service.asked == [*LISTS, *(f"GET {PATH}/{id}" for id in ids[:3])]


async def test_one_that_has_gone_meanwhile_is_nothing() -> None:
    assert await fetched(sdk(Service(lying(A, B, **{f"GET {PATH}/{A}": NOT_THERE})))) == [B]


async def test_one_that_is_too_large_stops_no_other() -> None:
    class Large(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            for _ in range(LARGEST // 2**20 + 1):
                yield b" " * 2**20

    service = Service(lying(A, B))

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Large()) if request.url.path.endswith(A) else service(request)

    settings = Settings(url="http://mt.example", addresses=BOOK, token="any")
    mailbox = build(settings, StillClock(), httpx.MockTransport(answer))
    found = [each async for each in mailbox.waiting()]
    assert found[0] == Unreadable(A, "the message is larger than the interface allows")
    assert found[1].id == B


@pytest.mark.parametrize("status", [202, 204, 404, 400, 405, 409])
async def test_what_is_put_away_is_passed_over_whether_it_goes_or_not(status: int) -> None:
    """Until the next start: the list is the same afterwards."""
    service = Service(lying(A, B, **{f"DELETE {PATH}/{A}": httpx.Response(status)}))
    mailbox = sdk(service)
    assert await fetched(mailbox) == [A, B]
    await mailbox.put_away(A)
    assert await fetched(mailbox) == [B]
    assert await fetched(sdk(service)) == [A, B]


async def test_what_has_gone_from_the_list_is_not_passed_over_for_ever() -> None:
    """Memory of what the service would not let go of lasts as long as it lies there."""
    entries = many(shown(id=A, sender="0203:af.example"))
    answers = {**lying(A), LISTS[0]: [entries, many(), entries], f"DELETE {PATH}/{A}": httpx.Response(400)}
    mailbox = sdk(Service(answers))
    await mailbox.put_away(A)
    assert [await fetched(mailbox) for _ in range(3)] == [[], [], [A]]


@pytest.mark.parametrize("answer", [httpx.Response(401), httpx.Response(403), httpx.Response(500), httpx.ReadTimeout])
async def test_what_could_not_be_put_away_comes_again(answer: httpx.Response | type[httpx.RequestError]) -> None:
    mailbox = sdk(Service(lying(A, **{f"DELETE {PATH}/{A}": answer})))
    with pytest.raises(Unavailable):
        await mailbox.put_away(A)
    assert await fetched(mailbox) == [A]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (one(messageStatus="ACCEPTED"), Arrival.ARRIVED),
        (one(messageStatus="REJECTED"), Arrival.REFUSED),
        (one(messageStatus="NEW"), Arrival.UNDER_WAY),
    ],
)
async def test_arrival(answer: httpx.Response, expected: Arrival) -> None:
    assert await sdk(Service({GET: answer})).arrival(MESSAGE.id) is expected


@pytest.mark.parametrize(
    "answer", [NOT_THERE, httpx.Response(500), httpx.ReadTimeout, one(), one(sender="0203:af.example")]
)
async def test_an_arrival_that_is_not_told(answer: httpx.Response | type[httpx.RequestError]) -> None:
    with pytest.raises(Unavailable):
        await sdk(Service({GET: answer})).arrival(MESSAGE.id)


# What is told on

LEAKY: Final = [
    httpx.Response(400, json={"title": PATIENT.digits, "eventIssues": [{"typeCode": PATIENT.digits}]}),
    httpx.Response(500, text=f"{PATIENT.digits} Kan ni delta"),
    httpx.Response(200, text=f"{PATIENT.digits} Kan ni delta"),
    httpx.Response(201, json={"data": {"attributes": {"messageId": PATIENT.digits}}}),
    httpx.ReadTimeout,
    httpx.ConnectError,
]


@pytest.mark.parametrize("answer", LEAKY)
async def test_nothing_of_a_message_is_told_on(
    claim_of: ClaimOf, caplog: pytest.LogCaptureFixture, answer: httpx.Response | type[httpx.RequestError]
) -> None:
    """Neither in outcomes nor in errors, logs or addresses."""
    caplog.set_level(logging.DEBUG)
    told: list[object] = []
    for attempt in (1, 2):
        service = Service({POST: answer, GET: answer, DELETE: answer, LISTS[0]: answer, LISTS[1]: answer})
        channel = sdk(service)
        told.append(await channel.send(claim_of(MESSAGE, attempt)))
        for deed in (channel.put_away(MESSAGE.id), channel.arrival(MESSAGE.id), fetched(channel)):
            try:
                told.append(await deed)
            except Unavailable as error:
                told += [error, error.__cause__]
        told += [request.url for request in service.requests]
    logged = [f"{record.getMessage()} {record.exc_text} {record.__dict__}" for record in caplog.records]
    everything = " ".join([*map(repr, told), *map(str, told), *logged])
    for secret in (PATIENT.digits, PATIENT.digits[2:], "Kan ni delta", "Rut Ek"):
        assert secret not in everything
