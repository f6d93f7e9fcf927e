"""A message, the book of addresses, and the claim that carries it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from adapters.sdk.addresses import Addresses, from_file
from contracts.consent import InformationCategory, Purpose, Question, Recipient, RecipientKind
from contracts.dialogue import CareUnit, MessagePart, PartyMessage, Sender, Topic
from contracts.identity import HsaId, PersonId
from contracts.outbox import Claim, OutboxMessage, Payload

NOW: Final = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
BOOK: Final = Path(__file__).parents[3] / "golden/cases/sdk/addresses.toml"
PATIENT: Final = PersonId("198507219817")
UNIT: Final = CareUnit(HsaId("SE2321000016-1001"), HsaId("SE2321000016-39KJ"), "Vårdcentralen Eken", "Region Exempel")
MUNICIPALITY: Final = Recipient(RecipientKind.MUNICIPALITY, "2120009994", "Kommunen")
MESSAGE: Final = PartyMessage(
    id="5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40",
    topic=Topic.SIP,
    recipient=MUNICIPALITY,
    patient=PATIENT,
    sender=Sender(HsaId("SE2321000016-REKO1"), UNIT, "Rut Ek"),
    created=NOW,
    parts=(MessagePart(InformationCategory.MEETING_PARTICIPATION, "Kan ni delta den 12 maj?"),),
    certificate="",
    certificate_unit=UNIT.id,
)


class StillClock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def book() -> Addresses:
    return from_file(BOOK)


@pytest.fixture(scope="session")
def message() -> PartyMessage:
    return MESSAGE


@pytest.fixture(scope="session")
def claim_of() -> Callable[..., Claim]:
    """The claim of a message with that payload, at that try."""
    question = Question("p-1", UNIT.id, MUNICIPALITY, frozenset(), Purpose.COORDINATION, NOW)

    def claim(payload: Payload, attempt: int = 1) -> Claim:
        return Claim(OutboxMessage("m-1", "sdk", "CommunicationRequest/1", question, payload), attempt, attempt)

    return claim
