"""One line of the unit's overview: everything that Rehabstöd's columns show (rehabstod.md § 4.5), and what they rest on."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from contracts.identity import HsaId, PersonId
from contracts.sick_leave import Certificate, CertificatePeriod, RekoStatus
from service.rules.sick_leave import occupation
from service.rules.sick_leave.diagnosis import NO_CHAPTER, Chapter, Diagnosis, chapter, diagnosis
from service.rules.sick_leave.reko_status import NAMES, status_in
from service.rules.sick_leave.views import UnitSickLeave


class Gender(StrEnum):
    """As the national number tells it. A certificate always has one, so Rehabstöd's third word, Okänd, is never needed."""

    WOMAN = "Kvinna"
    MAN = "Man"


class Marking(StrEnum):
    """Why a patient is shown to nobody but the doctor who issued the certificate (§ 5.3), as the name that is shown then."""

    NONE = ""
    PROTECTED = "Skyddad personuppgift"
    NOT_FOUND = "Namn okänt"


@dataclass(frozen=True, slots=True)
class Listed:
    """What is on record of a patient with certificates on the unit. ``id`` is the logical id; ``statuses`` are the unit's."""

    id: str
    name: str = ""
    marking: Marking = Marking.NONE
    deceased: bool = False
    statuses: tuple[RekoStatus, ...] = ()


NO_NAME: Final = "Namn okänt"
"""Shown for a patient of whom neither the record nor a certificate tells the name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A patient's sick leave on the day.

    ``active`` is the certificate that diagnosis, occupations, doctor, unit and ``degrees`` are taken from; ``degree`` is 0
    when it has ended. ``days`` are the days that some period covers. ``days_left`` is Rehabstöd's ``slutOmDagar``,
    negative when it has ended; ``recently_ended`` is the sick leave's, not a certificate's. ``certificates`` are the
    members by first day, in the mode ``rehabstod`` perhaps one of them twice (Q1), ``periods`` each of theirs once.
    """

    patient: str
    person: PersonId
    name: str
    protected: bool
    age: int
    gender: Gender
    status: RekoStatus | None
    diagnosis: Diagnosis | None
    secondary: tuple[Diagnosis, ...]
    chapter: Chapter
    occupations: tuple[str, ...]
    start: date
    end: date
    days: int
    days_left: int
    recently_ended: bool
    certificates: tuple[str, ...]
    active: str
    degree: int
    degrees: tuple[int, ...]
    doctor: str
    doctor_name: str
    unit: HsaId
    unit_name: str
    periods: tuple[CertificatePeriod, ...]

    @property
    def number(self) -> str:
        """The national number as it is written for people, in the clear."""
        return f"{self.person.digits[:8]}-{self.person.digits[8:]}"

    @property
    def status_name(self) -> str:
        """Empty where none was ever set."""
        return NAMES[self.status.type] if self.status else ""

    @property
    def count(self) -> int:
        """How many certificates the sick leave has."""
        return len(self.certificates)


def row(leave: UnitSickLeave[Certificate], patient: Listed, on: date, max_days_since_end: int) -> Row:
    """The line of a sick leave."""
    shown = leave.shown
    written = _diagnosis(shown.diagnosis)
    days_left = (leave.end - on).days
    return Row(
        patient=patient.id,
        person=shown.patient,
        name=patient.marking.value or patient.name or shown.patient_name or NO_NAME,
        protected=patient.marking is not Marking.NONE,
        age=age(shown.patient, on),
        gender=gender(shown.patient),
        status=status_in(patient.statuses, leave.start, leave.end),
        diagnosis=written,
        secondary=tuple(found for text in shown.secondary_diagnoses if (found := _diagnosis(text))),
        chapter=chapter(written.code) if written else NO_CHAPTER,
        occupations=tuple(occupation.label(code) for code in shown.occupations),
        start=leave.start,
        end=leave.end,
        days=leave.days,
        days_left=days_left,
        recently_ended=days_left < 0 <= days_left + max_days_since_end,
        certificates=tuple(each.id for each in leave.certificates),
        active=shown.id,
        degree=leave.degree,
        degrees=tuple(leave.degrees),
        doctor=shown.doctor,
        doctor_name=shown.doctor_name or shown.doctor,
        unit=shown.unit,
        unit_name=shown.unit_name or shown.unit.value,
        periods=_periods(leave.certificates),
    )


def age(person: PersonId, on: date) -> int:
    """Whole years. Of a samordningsnummer the day of birth counts, not the day plus 60."""
    born = person.birth_date
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def gender(person: PersonId) -> Gender:
    """By the last digit but one."""
    return Gender.MAN if int(person.digits[10]) % 2 else Gender.WOMAN


def _diagnosis(text: str | None) -> Diagnosis | None:
    """A blank one, over which the national call fails (Q11), is none here."""
    return diagnosis(text) if text and text.strip() else None


def _periods(certificates: list[Certificate]) -> tuple[CertificatePeriod, ...]:
    by_id = {each.id: each for each in certificates}
    found = (period for each in by_id.values() for period in each.periods)
    return tuple(sorted(found, key=lambda period: (period.start, period.end)))
