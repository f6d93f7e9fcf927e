"""One suite for the port ``Channel``, over every channel of the registry, each against its own mock in-process. What stands on
the line between the two is ``both_ways``'s to judge.

To add a channel here: a function that makes what it carries, in ``SAMPLES``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mocking import Counterpart, Fault, Ledger
from adapters.mocking.faults import CATALOGUE, NamedFault
from adapters.registry import CHANNELS, Adapter, OpenChannel
from contracts.activity import Identifier
from contracts.consent import InformationCategory, Purpose, Question, Recipient, RecipientKind
from contracts.dialogue import CareUnit, MessagePart, PartyMessage, Sender, Topic
from contracts.identity import ARBETSFORMEDLINGEN, FORSAKRINGSKASSAN, HsaId, PersonId
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    EventType,
    OutboxMessage,
    OutcomeUnknown,
    Payload,
    RecordCopy,
    RecordEvent,
    RefusedForGood,
    RouteBroken,
    Transient,
)

NOW: Final = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
UNIT: Final = HsaId("SE2321000016-1001")
FK: Final = Recipient(RecipientKind.FORSAKRINGSKASSAN, FORSAKRINGSKASSAN.value)
CERTIFICATE: Final = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PATIENT: Final = PersonId("198001019804")
KVA: Final = '{"coding": [{"system": "urn:oid:1.2.752.116.1.3.2.1.4", "code": "GC001"}]}'
PROCEDURE: Final = f"""{{"resourceType": "Procedure", "identifier": [{{"system": "urn:ehr", "value": "å-1"}}],
 "status": "completed", "code": {KVA}, "subject": {{"reference": "Patient/p-1"}}}}"""
EVENT: Final = f"""{{"resourceType": "Procedure", "id": "a-1", "subject": {{"reference": "Patient/p-1"}},
 "meta": {{"versionId": "1", "lastUpdated": "2026-05-04T08:29:59Z"}}, "status": "completed", "code": {KVA},
 "performedDateTime": "2026-05-04"}}"""


class StillClock:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


@dataclass(frozen=True, slots=True)
class Sample:
    """What a channel carries. ``defines_answers``: a success with a body that cannot be read parks the message.
    ``no_route``: statuses that blame the address and not the message. ``settings``: what it needs beside the URL."""

    payload: Payload
    defines_answers: bool = True
    prepare: Callable[[Counterpart], None] = lambda _: None
    no_route: frozenset[int] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)


def _know_certificate(counterpart: Counterpart) -> None:
    from adapters.forsakringskassan.mock import CertificateAtRecipient, register

    register(counterpart, [CertificateAtRecipient(CERTIFICATE, PATIENT.digits, UNIT.value)])


SAMPLES: Final[Mapping[str, Sample]] = {
    "forsakringskassan": Sample(
        PartyMessage(
            id="5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40",
            topic=Topic.ASSUMED_REHAB_NEED,
            recipient=FK,
            patient=PATIENT,
            sender=Sender(HsaId("SE2321000016-REKO"), CareUnit(UNIT, HsaId("SE2321000016-39KJ"), "Eken", "Regionen")),
            created=NOW,
            parts=(MessagePart(InformationCategory.ASSUMED_REHAB_NEED, "Arbetsträning kan behövas."),),
            certificate=CERTIFICATE,
            certificate_unit=UNIT,
        ),
        prepare=_know_certificate,
    ),
    "regional_platform": Sample(
        RecordEvent("e-1", EventType.ACTIVITY_CODED, "Procedure/a-1", NOW, 1, EVENT), defines_answers=False
    ),
    "ehr": Sample(RecordCopy("Procedure", Identifier("urn:ehr", "å-1"), PROCEDURE)),
    "sdk": Sample(
        PartyMessage(
            id="5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40",
            topic=Topic.SIP,
            recipient=Recipient(RecipientKind.ARBETSFORMEDLINGEN, ARBETSFORMEDLINGEN.value),
            patient=PATIENT,
            sender=Sender(HsaId("SE2321000016-REKO"), CareUnit(UNIT, HsaId("SE2321000016-39KJ"), "Eken", "Regionen")),
            created=NOW,
            parts=(MessagePart(InformationCategory.MEETING_PARTICIPATION, "Kan ni delta den 12 maj?"),),
            certificate="",
            certificate_unit=UNIT,
        ),
        no_route=frozenset({404}),
        settings={"token": "any", "addresses": Path(__file__).parents[1] / "golden/cases/sdk/addresses.toml"},
    ),
}
every_channel = pytest.mark.parametrize("adapter", CHANNELS, ids=lambda adapter: adapter.name)


@dataclass(frozen=True, slots=True)
class Route:
    """A channel with the counterpart at its other end."""

    channel: OpenChannel
    counterpart: Counterpart
    claim: Claim

    async def try_once(self, *faults: Fault) -> DeliveryOutcome:
        self.counterpart.room().order(list(faults))
        return await self.channel.send(self.claim)

    @property
    def ledger(self) -> Ledger:
        return self.counterpart.room().ledger


def claim_of(adapter: Adapter[OpenChannel], attempt: int = 1) -> Claim:
    question = Question("p-1", UNIT, FK, frozenset(), Purpose.COORDINATION, NOW)
    message = OutboxMessage("m-1", adapter.name, "Procedure/a-1", question, SAMPLES[adapter.name].payload)
    return Claim(message, attempt, fence=attempt)


@asynccontextmanager
async def open_channel(
    adapter: Adapter[OpenChannel], transport: httpx.AsyncBaseTransport
) -> AsyncIterator[OpenChannel]:
    settings = adapter.settings().model_validate(
        {"url": "http://counterpart.example", **SAMPLES[adapter.name].settings}
    )
    channel = adapter.build(settings, StillClock(), transport)
    try:
        yield channel
    finally:
        await channel.aclose()


@pytest.fixture
async def route(adapter: Adapter[OpenChannel]) -> AsyncIterator[Route]:
    counterpart = Counterpart(adapter.name, lambda: NOW)
    SAMPLES[adapter.name].prepare(counterpart)
    async with open_channel(adapter, httpx.ASGITransport(adapter.mock(counterpart))) as channel:
        yield Route(channel, counterpart, claim_of(adapter))


def test_every_channel_has_a_sample() -> None:
    assert SAMPLES.keys() == {adapter.name for adapter in CHANNELS}


@every_channel
async def test_accepted_once(route: Route) -> None:
    assert isinstance(await route.try_once(), Delivered)
    assert len(route.ledger.accepted_ids()) == 1
    assert [entry.accepted for entry in route.ledger.entries] == [True]


@every_channel
async def test_the_same_twice_is_one(route: Route) -> None:
    outcomes = [await route.try_once() for _ in range(2)]
    assert [type(outcome) for outcome in outcomes] == [Delivered, Delivered]
    assert len(route.ledger.accepted_ids()) == 1


@every_channel
async def test_a_lost_answer_is_no_loss_and_no_duplicate(route: Route) -> None:
    assert isinstance(await route.try_once(Fault(kind="lose-answer", seconds=0)), OutcomeUnknown)
    assert isinstance(await route.try_once(), Delivered)
    assert len(route.ledger.accepted_ids()) == 1


@every_channel
async def test_a_slow_answer_is_an_answer(route: Route) -> None:
    assert isinstance(await route.try_once(Fault(kind="delay", seconds=0)), Delivered)


@every_channel
async def test_busy(route: Route) -> None:
    outcome = await route.try_once(Fault(kind="http", status=503, retry_after=120))
    assert isinstance(outcome, Transient)
    assert outcome.retry_after == timedelta(minutes=2)
    assert route.ledger.accepted_ids() == []


@every_channel
async def test_unknown_there(route: Route) -> None:
    assert isinstance(await route.try_once(Fault(kind="http", status=401)), RouteBroken)


@every_channel
@pytest.mark.parametrize("status", [302, 400, 404, 422])
async def test_refused(route: Route, adapter: Adapter[OpenChannel], status: int) -> None:
    expected = RouteBroken if status in SAMPLES[adapter.name].no_route else RefusedForGood
    assert isinstance(await route.try_once(Fault(kind="http", status=status)), expected)


@every_channel
async def test_nonsense(route: Route, adapter: Adapter[OpenChannel]) -> None:
    expected = RefusedForGood if SAMPLES[adapter.name].defines_answers else Delivered
    assert isinstance(await route.try_once(Fault(kind="nonsense", body="<html>hej</html>")), expected)


@every_channel
async def test_refusals_on_order_are_no_delivery(route: Route) -> None:
    for kind in ("result", "soap-fault"):
        assert not isinstance(await route.try_once(Fault.model_validate({"kind": kind})), Delivered)
    assert route.ledger.accepted_ids() == []


@every_channel
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError, Transient),
        (httpx.ConnectTimeout, Transient),
        (httpx.PoolTimeout, Transient),
        (httpx.ReadTimeout, OutcomeUnknown),
        (httpx.WriteError, OutcomeUnknown),
        (httpx.ReadError, OutcomeUnknown),
        (httpx.RemoteProtocolError, OutcomeUnknown),
        (httpx.DecodingError, OutcomeUnknown),
    ],
)
async def test_broken_connections(
    adapter: Adapter[OpenChannel], error: type[httpx.RequestError], expected: type[DeliveryOutcome]
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    async with open_channel(adapter, httpx.MockTransport(fail)) as channel:
        assert isinstance(await channel.send(claim_of(adapter)), expected)


TOLD_AS_DONE: Final = ("id-not-unique", "empty-answer")
"""Answers that say that it is there, whether it is or not: to FHIR an empty 200 is a whole answer."""


@every_channel
@pytest.mark.parametrize("name", sorted(name for name, row in CATALOGUE.items() if row.fault))
async def test_whatever_goes_wrong_it_is_there_once_in_the_end(
    route: Route, adapter: Adapter[OpenChannel], name: str
) -> None:
    """Under every named fault: told as delivered only if the counterpart says so, and tried again until it is there, or
    refused for good, or the route is broken, it is there once at most."""
    fault = NamedFault(name=name, seconds=0).fault()
    if fault.kind not in route.counterpart.plays:
        return
    first = await route.try_once(fault)
    there = len(route.ledger.accepted_ids())
    if isinstance(first, Delivered) and SAMPLES[adapter.name].defines_answers and name not in TOLD_AS_DONE:
        assert there == 1
    if isinstance(first, Transient | OutcomeUnknown):
        assert isinstance(await route.try_once(), Delivered)
        assert len(route.ledger.accepted_ids()) == 1
    assert len(route.ledger.accepted_ids()) <= 1


bodies = st.binary(max_size=200) | st.sampled_from(
    [b"", b"null", b"[]", b"{}", b"{" * 5000, b'{"duplicate": true}', b'{"resourceType": "Procedure"}', b"<a/>", b"<a>"]
)
header_values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40)
wishes = st.fixed_dictionaries(
    {},
    optional={
        "Retry-After": header_values | st.sampled_from(["-1", "1e9", "9" * 40, "Mon, 31 Dec 9999 23:59:59 -2359"]),
        "Location": header_values | st.sampled_from(["http://[", "//", "data:x", "https://elsewhere.example:99999/"]),
        "Content-Type": header_values,
    },
)


@every_channel
@given(status=st.integers(200, 599), body=bodies, headers=wishes)
def test_no_answer_makes_it_raise(
    adapter: Adapter[OpenChannel], status: int, body: bytes, headers: dict[str, str]
) -> None:
    async def outcome() -> DeliveryOutcome:
        raw = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
        answer = httpx.Response(status, content=body, headers=raw)
        async with open_channel(adapter, httpx.MockTransport(lambda _: answer)) as channel:
            return await channel.send(claim_of(adapter))

    told = asyncio.run(outcome())
    assert isinstance(told, DeliveryOutcome)
    if not 200 <= status < 300 and status != 409:
        assert not isinstance(told, Delivered)
    assert PATIENT.digits not in repr(told)
