"""A unit's overview: from its certificates to rows, in the order of the national one (rehabstod.md § 2.1; the numbers are
its steps).

1. What is on the care unit and its mottagningar comes from the caller of these functions.
2. A patient is shown because of a certificate with a period that covers the day, or ended within the days asked for, on
   the mottagning and by the doctors asked for.
3. (The national engine's first run, with gap 0, chooses the same patients.)
4. *All* certificates of these patients on the care unit count, whoever issued them and wherever.
5. What may not be shown to the caller is taken away before anything is counted, so a protected patient's sick leave is
   made of the asking doctor's own certificates alone.
6. The engine, with the gap asked for.
7. RekoStatus. 8. The filters. So with a doctor asked for, a sick leave is dropped whose certificate that is shown is
   another's; and one shown for a mottagning may show a certificate of another.

In two things this differs: a doctor's filter *intersects* with what the doctor may see (the national one adds to it, § 7.9),
and what is held back is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from contracts.identity import PersonId
from contracts.sick_leave import Certificate
from service.rules.sick_leave.filters import Option, filtered
from service.rules.sick_leave.modes import MODES
from service.rules.sick_leave.order import Place, alphabetic, following, ordered, place
from service.rules.sick_leave.question import Question
from service.rules.sick_leave.row import Listed, Marking, Row, row
from service.rules.sick_leave.views import UnitSickLeave, unit_view

Patients = Mapping[PersonId, Listed]
"""Everybody with a certificate on the unit, by national number."""


@dataclass(frozen=True, slots=True)
class Held:
    """The unit's rows before any filter, in no particular order, and how many sick leaves of protected patients were held
    back. That number knows no filter: by asking for ages or texts nobody learns of whom it tells."""

    rows: tuple[Row, ...]
    held_back: int


@dataclass(frozen=True, slots=True)
class Overview:
    """One page: its rows, how many match in all, and where the next page begins (``None`` on the last)."""

    question: Question
    rows: tuple[Row, ...]
    total: int
    held_back: int
    next: Place | None


def held(certificates: Sequence[Certificate], patients: Patients, question: Question, doctor: str = "") -> Held:
    """Steps 2-7. ``doctor`` is the HSA-id of a caller who works as a doctor: she sees what she issued, and nobody else
    sees protected patients."""
    living = [each for each in certificates if not patients[each.patient].deceased]
    may_see, may_not = _parted(living, patients, doctor)
    chosen = _chosen(may_see, question, _doctors(question, doctor))
    leaves = _leaves([each for each in may_see if each.patient in chosen], question)
    rows = [row(leave, patients[leave.shown.patient], question.on, question.max_days_since_end) for leave in leaves]
    return Held(
        tuple(_of_doctor(_told_apart(rows), doctor)),
        0 if doctor else len(_leaves(may_not, question)),
    )


def overview(certificates: Sequence[Certificate], patients: Patients, question: Question, doctor: str = "") -> Overview:
    """The page that the question asks for."""
    found = held(certificates, patients, question, doctor)
    rows = ordered(filtered(found.rows, question), question.sort, descending=question.descending)
    left = following(rows, question.after, question.sort, descending=question.descending) if question.after else rows
    page = left[question.offset :][: question.limit]
    more = len(left) > question.offset + len(page) > question.offset
    return Overview(question, tuple(page), len(rows), found.held_back, place(page[-1], question.sort) if more else None)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the unit's rows offer to be filtered by: doctors of certificates that are shown, by name; chapters, mottagningar
    and occupations that occur; and how many sick leaves there are and how many of them go on."""

    doctors: tuple[Option, ...]
    chapters: tuple[str, ...]
    units: tuple[Option, ...]
    occupations: tuple[str, ...]
    sick_leaves: int
    ongoing: int

    def options(self, filter: str) -> tuple[Option, ...]:
        """What a filter without options of its own offers here."""
        return {"doctor": self.doctors, "unit": self.units}.get(filter, ())

    def occurs(self, filter: str, option: Option) -> bool:
        """Whether anybody here has that value: Rehabstöd's page lets nobody choose a chapter without data."""
        occurring = {"chapter": self.chapters, "occupation": self.occupations}
        return filter not in occurring or {option.id, option.label}.intersection(occurring[filter]) != set()


def choices(rows: Iterable[Row]) -> Choices:
    """Of rows before any filter."""
    found = list(rows)
    return Choices(
        _options((each.doctor, each.doctor_name) for each in found),
        tuple(sorted({each.chapter.id for each in found})),
        _options((each.unit.value, each.unit_name) for each in found),
        tuple(sorted({label for each in found for label in each.occupations}, key=alphabetic)),
        len(found),
        sum(each.days_left >= 0 for each in found),
    )


def _options(pairs: Iterable[tuple[str, str]]) -> tuple[Option, ...]:
    return tuple(sorted((Option(*pair) for pair in dict(pairs).items()), key=lambda each: alphabetic(each.label)))


def _parted(
    certificates: Iterable[Certificate], patients: Patients, doctor: str
) -> tuple[list[Certificate], list[Certificate]]:
    """Step 5: what the caller may see, and what she may not."""
    parted: tuple[list[Certificate], list[Certificate]] = ([], [])
    for each in certificates:
        may_not = patients[each.patient].marking is not Marking.NONE and not (doctor and each.doctor == doctor)
        parted[may_not].append(each)
    return parted


def _doctors(question: Question, doctor: str) -> frozenset[str] | None:
    """Whose certificates count for choosing patients; ``None`` is everybody's."""
    asked = frozenset(question.doctors)
    if not doctor:
        return asked or None
    return asked & {doctor} if asked else frozenset({doctor})


def _chosen(certificates: Iterable[Certificate], question: Question, doctors: frozenset[str] | None) -> set[PersonId]:
    """Step 2. A single period decides, as in the national query, not the whole certificate."""
    return {
        each.patient
        for each in certificates
        if (not question.unit or each.unit.value == question.unit)
        and (doctors is None or each.doctor in doctors)
        and any(
            period.start <= question.on and (question.on - period.end).days <= question.max_days_since_end
            for period in each.periods
        )
    }


def _leaves(certificates: Iterable[Certificate], question: Question) -> list[UnitSickLeave[Certificate]]:
    """Step 6."""
    mode = MODES[question.mode]
    return unit_view(certificates, question.on, question.gap, question.max_days_since_end, mode)


def _of_doctor(rows: Iterable[Row], doctor: str) -> list[Row]:
    return [each for each in rows if not doctor or each.doctor == doctor]


def _told_apart(rows: Sequence[Row]) -> list[Row]:
    """Doctors who share a name are shown with their HSA-id."""
    names = sorted({(each.doctor_name, each.doctor) for each in rows})
    shared = {name for name, group in groupby(names, key=lambda each: each[0]) if len(list(group)) > 1}
    return [
        replace(each, doctor_name=f"{each.doctor_name} ({each.doctor})") if each.doctor_name in shared else each
        for each in rows
    ]
