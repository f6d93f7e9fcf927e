"""The sjukskrivnings- och rehabiliteringsplan and its tapering ladder (glossary terms 16-18; domain rules 29-30)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class PlanKind(StrEnum):
    """Whose plan and what for. Codes of our CodeSystem ``plan-kind``."""

    SICK_LEAVE_AND_REHAB = "sjukskrivnings-och-rehabiliteringsplan"
    REHAB = "rehabiliteringsplan"
    SIP = "sip"


@dataclass(frozen=True, slots=True)
class TaperingStep:
    """From ``due`` the planned degree of sick leave is ``degree`` percent (0-100)."""

    due: date
    degree: int


@dataclass(frozen=True, slots=True)
class PlanGoal:
    """What the patient and the unit are working towards, with the tapering ladder that leads there."""

    description: str
    tapering: tuple[TaperingStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a plan. ``owner`` does it; ``decided_by`` is named where another actor decides (domain rule 29)."""

    description: str
    owner: str
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class RehabPlan:
    """A plan as the unit states it. A SIP says who leads and who answers for each measure (domain rule 30)."""

    kind: PlanKind
    title: str
    patient: str
    start: date | None = None
    end: date | None = None
    goals: tuple[PlanGoal, ...] = ()
    measures: tuple[Measure, ...] = ()
    led_by: str = ""
