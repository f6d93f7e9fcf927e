"""The adapter against the mock world: message service and identity provider, with tokens that end as the clock moves."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import httpx
import pytest

from adapters.sdk.adapter import Sdk, build
from adapters.sdk.settings import Settings
from contracts.dialogue import Arrival, ReceivedMessage, Topic
from contracts.identity import PersonId
from contracts.outbox import Claim, Delivered
from service.clock import MovableClock
from service.mock_world import MockWorld
from tests.unit.adapters.sdk.conftest import BOOK, MESSAGE, UNIT

PATIENT: Final = PersonId("191201019807")
OURS: Final = replace(MESSAGE, patient=PATIENT, topic=Topic.CONTACT, reference="REKO-1")
SECRET: Final = "hemlighetsfullt"


@dataclass(frozen=True, slots=True)
class Place:
    """Both ends."""

    world: MockWorld
    client: httpx.AsyncClient
    sdk: Sdk

    def tokens(self) -> int:
        """How many were given."""
        return self.world.counterparts["identity_provider"].room().ledger.received

    async def answers(self, id: str, text: str) -> str:
        told = await self.client.post(
            f"/_control/message_service/{id}/answers", json={"text": text, "reference": "SOC-1"}
        )
        return str(told.json()["id"])


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    clock = MovableClock()
    world = MockWorld(clock)
    transport = httpx.ASGITransport(world.app())
    settings = Settings.model_validate(
        {
            "url": "http://mocks/message_service",
            "addresses": BOOK,
            "token_url": "http://mocks/identity_provider/token",
            "client_id": "reko",
            "client_secret": SECRET,
        }
    )
    sdk = build(settings, clock, transport)
    async with httpx.AsyncClient(transport=transport, base_url="http://mocks") as client:
        yield Place(world, client, sdk)
    await sdk.aclose()


async def test_out_answered_and_put_away(place: Place, claim_of: Callable[..., Claim]) -> None:
    assert isinstance(await place.sdk.send(claim_of(OURS)), Delivered)
    answer = await place.answers(OURS.id, "Vi ringer i morgon.")
    (found,) = [each async for each in place.sdk.waiting()]
    assert isinstance(found, ReceivedMessage)
    assert (found.id, found.answers, found.conversation) == (answer, OURS.id, OURS.id)
    assert (found.patient, found.unit, found.sender.party) == (PATIENT, UNIT.id, OURS.recipient.party)
    assert (found.our_reference, found.reference) == ("REKO-1", "SOC-1")
    assert (found.topic, found.text) == (Topic.CONTACT, "Vi ringer i morgon.")
    await place.sdk.put_away(answer)
    assert [each async for each in place.sdk.waiting()] == []
    await place.world.move(advance=timedelta(minutes=10))
    assert await place.sdk.arrival(OURS.id) is Arrival.ARRIVED


async def test_a_token_is_used_as_long_as_it_lasts(place: Place, claim_of: Callable[..., Claim]) -> None:
    await place.sdk.send(claim_of(OURS))
    await place.sdk.send(claim_of(OURS, 2))
    assert place.tokens() == 1
    await place.world.move(advance=timedelta(minutes=5))
    await place.sdk.arrival(OURS.id)
    assert place.tokens() == 2


async def test_neither_person_nor_secret_is_logged(
    place: Place, claim_of: Callable[..., Claim], caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, name or None)
    await place.sdk.send(claim_of(OURS))
    answer = await place.answers(OURS.id, "Vi ringer i morgon.")
    found = [each async for each in place.sdk.waiting()]
    await place.sdk.put_away(answer)
    await place.sdk.arrival(OURS.id)
    logged = " ".join(f"{record.getMessage()} {record.exc_text} {record.__dict__}" for record in caplog.records)
    assert "message_service" in logged
    for secret in (PATIENT.digits, PATIENT.digits[2:], SECRET, "Vi ringer", "Kan ni delta"):
        assert secret not in f"{logged} {found!r}"
