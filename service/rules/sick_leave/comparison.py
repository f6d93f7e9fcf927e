"""Our sick leaves of a unit held against those that the national engine computes of it, patient by patient.

What is compared is what the counting decides: days, members, the certificate that is shown, degrees. Texts that are looked up
elsewhere (names, labels) are not. Differences are to be expected while certificates change between a pull and the question.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.sick_leave import ReportedSickLeave
from service.rules.sick_leave.row import Row

Value = date | int | str | tuple[int, ...] | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One part of a sick leave, as each reads it."""

    part: str
    ours: Value
    theirs: Value


@dataclass(frozen=True, slots=True)
class Difference:
    """A patient on whom the two do not agree. ``row`` is ``None`` when we show no sick leave, ``reported`` when they do not;
    then no part is compared."""

    row: Row | None
    reported: ReportedSickLeave | None
    parts: tuple[Compared, ...] = ()


_PARTS: Final[dict[str, tuple[Callable[[Row], Value], Callable[[ReportedSickLeave], Value]]]] = {
    "start": (lambda row: row.start, lambda other: other.start),
    "end": (lambda row: row.end, lambda other: other.end),
    "days": (lambda row: row.days, lambda other: other.days),
    # Those that start on the same day stand in the order in which they came, which a feed does not tell.
    "certificates": (lambda row: tuple(sorted(row.certificates)), lambda other: tuple(sorted(other.certificates))),
    "active": (lambda row: row.active, lambda other: other.active),
    "degree": (lambda row: row.degree, lambda other: other.degree),
    "degrees": (lambda row: row.degrees, lambda other: other.degrees),
    "diagnosis": (
        lambda row: row.diagnosis.code if row.diagnosis else None,
        lambda other: other.diagnosis.code if other.diagnosis else None,
    ),
    "doctor": (lambda row: row.doctor, lambda other: other.doctor),
}


def differences(rows: Iterable[Row], reported: Iterable[ReportedSickLeave]) -> tuple[Difference, ...]:
    """By national number; none for patients on whom the two agree."""
    ours, theirs = {row.person: row for row in rows}, {each.patient: each for each in reported}
    everybody = sorted({*ours, *theirs}, key=lambda person: person.digits)
    found = (_difference(ours.get(person), theirs.get(person)) for person in everybody)
    return tuple(each for each in found if each is not None)


def _difference(row: Row | None, reported: ReportedSickLeave | None) -> Difference | None:
    if row is None or reported is None:
        return Difference(row, reported)
    read = (Compared(part, ours(row), theirs(reported)) for part, (ours, theirs) in _PARTS.items())
    parts = tuple(each for each in read if each.ours != each.theirs)
    return Difference(row, reported, parts) if parts else None
