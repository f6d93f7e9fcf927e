"""A message about a certificate, and the claim that carries it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contracts.consent import InformationCategory, Purpose, Question, Recipient, RecipientKind
from contracts.dialogue import CareUnit, MessagePart, PartyMessage, Sender, Topic
from contracts.identity import FORSAKRINGSKASSAN, HsaId, PersonId
from contracts.outbox import Claim, OutboxMessage, Payload

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
FK = Recipient(RecipientKind.FORSAKRINGSKASSAN, FORSAKRINGSKASSAN.value, "Försäkringskassan")
UNIT = CareUnit(HsaId("SE5565594230-VE1"), HsaId("SE5565594230-VG1"), "Vårdcentralen Eken", "Region Exempel")


class StillClock:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="session")
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def message() -> PartyMessage:
    return PartyMessage(
        id="5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40",
        topic=Topic.ASSUMED_REHAB_NEED,
        recipient=FK,
        patient=PersonId("198507219817"),
        sender=Sender(HsaId("SE5565594230-REKO1"), UNIT, "Rut Ek"),
        created=NOW,
        parts=(MessagePart(InformationCategory.ASSUMED_REHAB_NEED, "Arbetsträning kan behövas."),),
        certificate="7c9e6679-7425-40de-944b-e07fc1f90ae7",
        certificate_unit=HsaId("SE5565594230-VE1"),
    )


@pytest.fixture(scope="session")
def claim_of() -> Callable[[Payload], Claim]:
    """The claim of a message with that payload."""
    question = Question("p-1", UNIT.id, FK, frozenset(), Purpose.COORDINATION, NOW)

    def claim(payload: Payload) -> Claim:
        return Claim(OutboxMessage("m-1", "forsakringskassan", "CommunicationRequest/1", question, payload), 1, 1)

    return claim


@pytest.fixture(scope="session")
def claim(claim_of: Callable[[Payload], Claim], message: PartyMessage) -> Claim:
    return claim_of(message)
