"""What the audit trail tells: each decision about disclosure, and each disclosure (decision D17; BALP 1.1)."""

from dataclasses import dataclass
from datetime import datetime

from contracts.consent import DecisionRecord, Question


@dataclass(frozen=True, slots=True)
class AuditedDecision:
    """A decision as kept. ``about`` is the resource that it was made for."""

    number: int
    at: datetime
    about: str
    kept: DecisionRecord


@dataclass(frozen=True, slots=True)
class AuditedDisclosure:
    """A try, or a person's deed, that reached somebody outside, or may have (``certain`` is false when that is not known).
    ``message`` is the id on the wire."""

    number: int
    at: datetime
    about: str
    message: str
    destination: str
    question: Question
    certain: bool
    told: str = ""
