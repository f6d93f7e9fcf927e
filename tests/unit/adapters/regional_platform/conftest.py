"""A sample event, and the claim that carries it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contracts.consent import LegalBasis, Purpose, Question, Recipient, RecipientKind
from contracts.identity import HsaId
from contracts.outbox import Claim, EventType, OutboxMessage, Payload, RecordEvent

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
DATA = """{"resourceType": "Procedure", "id": "0a1b", "meta": {"versionId": "1", "lastUpdated": "2026-05-04T08:29:59Z"},
 "status": "completed", "code": {"coding": [{"system": "urn:oid:1.2.752.116.1.3.2.1.4", "code": "GC001",
 "display": "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet"}]}, "subject": {"reference": "Patient/p-1"},
 "performedDateTime": "2026-05-04"}"""


class StillClock:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def event() -> RecordEvent:
    return RecordEvent("e-1", EventType.ACTIVITY_CODED, "Procedure/0a1b", NOW, 1, DATA)


@pytest.fixture
def claim_of() -> Callable[[Payload], Claim]:
    """The claim of a message with that payload."""
    recipient = Recipient(RecipientKind.REGIONAL_PLATFORM, "Organization/region")
    unit = HsaId("SE2321000016-1001")
    question = Question("p-1", unit, recipient, frozenset(), Purpose.COORDINATION, NOW, basis=LegalBasis.OWN_FOLLOW_UP)

    def claim(payload: Payload) -> Claim:
        return Claim(OutboxMessage("m-1", "regional_platform", "Procedure/0a1b", question, payload), 1, 1)

    return claim
