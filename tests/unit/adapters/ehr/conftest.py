"""A sample write-back, and the claim that carries it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from contracts.activity import Identifier
from contracts.consent import LegalBasis, Purpose, Question, Recipient, RecipientKind
from contracts.identity import HsaId
from contracts.outbox import Claim, OutboxMessage, Payload, RecordCopy

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
MATCH = Identifier("https://ehr.example/id/åtgärd", "Å-1|2,3")
BODY = """{"resourceType": "Procedure", "identifier": [{"system": "https://ehr.example/id/åtgärd", "value": "Å-1|2,3"}],
 "status": "completed", "subject": {"reference": "Patient/p-1"}, "performedDateTime": "2026-05-04",
 "code": {"coding": [{"system": "urn:oid:1.2.752.116.1.3.2.1.4", "code": "GC001"}]}}"""


class StillClock:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def copy() -> RecordCopy:
    return RecordCopy("Procedure", MATCH, BODY)


@pytest.fixture
def claim_of() -> Callable[[Payload], Claim]:
    """The claim of a message with that payload."""
    recipient = Recipient(RecipientKind.RECORD_SYSTEM, "Organization/ehr")
    unit = HsaId("SE2321000016-1001")
    question = Question("p-1", unit, recipient, frozenset(), Purpose.COORDINATION, NOW, basis=LegalBasis.RECORD_OWNER)

    def claim(payload: Payload) -> Claim:
        return Claim(OutboxMessage("m-1", "ehr", "Procedure/0a1b", question, payload), 1, 1)

    return claim
