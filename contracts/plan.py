"""The sjukskrivnings- och rehabiliteringsplan, its tapering ladder, and the patient's own document of it (glossary terms
16-18; domain rules 29-31)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from contracts.consent import Recipient

BY_PATIENT: Final = "Patient"
"""The owner of what the patient does."""


class PlanKind(StrEnum):
    """Whose plan and what for. Codes of our CodeSystem ``plan-kind``."""

    SICK_LEAVE_AND_REHAB = "sjukskrivnings-och-rehabiliteringsplan"
    REHAB = "rehabiliteringsplan"
    SIP = "sip"


class MeasureWord(StrEnum):
    """The defined words for measures. Codes of our CodeSystem ``plan-measure``, which says what each means."""

    AKTIVERING = "aktivering"
    SYSSELSATTNING = "sysselsattning"
    ARBETSTRANING = "arbetstraning"
    ARBETSPROVNING = "arbetsprovning"
    ANSTALLNING_MED_STOD = "anstallning-med-stod"
    PRAKTIK = "praktik"


class Principal(StrEnum):
    """Who answers for a measure of a SIP: one of the two that make it, or somebody else (HSL 16 kap. 4 §)."""

    REGION = "region"
    MUNICIPALITY = "municipality"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TaperingStep:
    """From ``due`` the planned degree of sick leave is ``degree`` percent (0-100)."""

    due: date
    degree: int


@dataclass(frozen=True, slots=True)
class PlanGoal:
    """What the patient and the unit are working towards, with the tapering ladder that leads there. ``sensitive`` is as of a
    measure."""

    description: str
    tapering: tuple[TaperingStep, ...] = ()
    sensitive: bool = False
    part: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a plan. ``owner`` does it; ``decided_by`` is named where another actor decides (domain rule 29).

    ``patient_first``: whether the patient makes the first contact about it; ``None`` when nobody has said. ``sensitive``: of
    violence, abuse or family, held back until a person releases it (rule 31). ``part`` is where it stands.
    """

    description: str
    owner: str
    decided_by: str = ""
    word: MeasureWord | None = None
    principal: Principal | None = None
    patient_first: bool | None = None
    sensitive: bool = False
    part: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A day on which the plan is to be followed up, or was."""

    day: date
    description: str = ""
    owner: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """Whom the patient turns to, and where: telephone numbers and other addresses as written."""

    name: str
    reached_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RehabPlan:
    """A plan as the unit states it. A SIP says who leads and who answers for each measure (domain rule 30).

    ``with_patient``: the patient took part in making it; ``participants`` are the others who did, by name.
    """

    kind: PlanKind
    title: str
    patient: str
    start: date | None = None
    end: date | None = None
    goals: tuple[PlanGoal, ...] = ()
    measures: tuple[Measure, ...] = ()
    led_by: str = ""
    follow_ups: tuple[FollowUp, ...] = ()
    contact: ContactPerson | None = None
    with_patient: bool = False
    participants: tuple[str, ...] = ()


# ---- The patient's own document ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the mapping (kartläggning). ``sensitive`` also when its sender has not said what it is about (rule 31)."""

    question: str
    answer: str
    sensitive: bool
    part: str = field(default="", compare=False)


class Manner(StrEnum):
    """How a document came to the patient."""

    PAPER = "paper"
    READ_TOGETHER = "read-together"
    DIGITAL = "digital"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The patient was given a version of the plan. ``by`` is an HSA-id or what else names the sender; ``reference`` the
    Communication that says so."""

    reference: str
    version: int
    at: datetime
    manner: Manner | None
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A part that stands in the document only when a person releases it. ``part`` names it in this very version."""

    part: str
    text: str


@dataclass(frozen=True, slots=True)
class Release:
    """A person let a part stand in the patient's document: who (``by``, as in ``HandedOver``), when and why."""

    part: str
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class PlanSeen:
    """A plan with all that its document is made of. ``status`` is that of the CarePlan; ``followed_up`` the days on which it was; ``may_be_told`` whom the patient has said yes to
    telling."""

    reference: str
    version: int
    changed: datetime
    status: str
    plan: RehabPlan
    on: date
    patient_name: str = ""
    protected: bool = False
    unit_name: str = ""
    answers: tuple[Answer, ...] = ()
    releases: tuple[Release, ...] = ()
    followed_up: tuple[date, ...] = ()
    may_be_told: tuple[Recipient, ...] = ()
    handed_over: tuple[HandedOver, ...] = ()

    @property
    def released(self) -> frozenset[str]:
        """Parts that somebody has released, of this version and of others."""
        return frozenset(each.part for each in self.releases)

    @property
    def goals(self) -> tuple[PlanGoal, ...]:
        """Those that the patient's document shows."""
        return tuple(each for each in self.plan.goals if self._is_shown(each))

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those that the patient's document shows."""
        return tuple(each for each in self.plan.measures if self._is_shown(each))

    @property
    def told(self) -> tuple[Answer, ...]:
        """Answers that the patient's document shows."""
        return tuple(each for each in self.answers if self._is_shown(each))

    @property
    def next_follow_up(self) -> date | None:
        """The first planned day that has not gone by."""
        coming = (each.day for each in self.plan.follow_ups if not each.done and each.day >= self.on)
        return min(coming, default=None)

    @property
    def overdue_follow_up(self) -> date | None:
        """The last planned day that went by without the plan being followed up since."""
        missed = (each.day for each in self.plan.follow_ups if not each.done and each.day < self.on)
        last = max(missed, default=None)
        done = {each.day for each in self.plan.follow_ups if each.done} | set(self.followed_up)
        return None if last is None or any(day >= last for day in done) else last

    @property
    def held_back(self) -> tuple[HeldBack, ...]:
        """What the patient's document does not show."""
        return tuple(self._held_back())

    def _is_shown(self, each: PlanGoal | Measure | Answer) -> bool:
        return not each.sensitive or each.part in self.released

    def _held_back(self) -> Iterator[HeldBack]:
        plans: tuple[PlanGoal | Measure, ...] = (*self.plan.goals, *self.plan.measures)
        for each in plans:
            if not self._is_shown(each):
                yield HeldBack(each.part, each.description)
        for answer in self.answers:
            if not self._is_shown(answer):
                yield HeldBack(answer.part, f"{answer.question} {answer.answer}".strip())
