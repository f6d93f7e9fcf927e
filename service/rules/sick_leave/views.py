"""Sick leaves on a day, as Rehabstöd's two views show them (rehabstod.md §§ 3.3, 3.4; the numbers are its steps).

All sorts are stable, and "first" is the first in the order at hand: where certificates are alike, the order in which
they come in decides. What the caller has no certificate for (revoked, replaced) must already be gone.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, Final, Generic

from service.rules.sick_leave.modes import Mode, latest_signed
from service.rules.sick_leave.standing import C, Standing, days, standing

_START: Final = attrgetter("start")
_END: Final = attrgetter("end")


@dataclass(slots=True, eq=False)
class UnitSickLeave(Generic[C]):
    """One patient's sick leave on a unit. ``shown`` is the certificate that tells doctor, diagnosis and occupation;
    ``certificates`` are its members by first day; ``degree`` is 0 when it has ended (``degrees`` are ``shown``'s)."""

    shown: C
    certificates: list[C]
    start: date
    end: date
    days: int
    degree: int
    degrees: list[int]


@dataclass(slots=True, eq=False)
class PatientSickLeave(Generic[C]):
    """One of a patient's sick leaves. ``first`` tells who the patient is, ``diagnosed`` the diagnosis; ``members`` by
    first day, the newest first."""

    first: C
    diagnosed: C
    members: list[Standing[C]]
    start: date
    end: date
    days: int


# § 3.3


def unit_view(certificates: Iterable[C], on: date, gap: int, days_since_end: int, mode: Mode) -> list[UnitSickLeave[C]]:
    """The sick leaves that hold on the day, or ended at most ``days_since_end`` days before it, one per patient, in the
    order in which the patients come. None for a negative gap.

    Raises ``Invalid`` for a certificate without periods, and where signing times decide and one is missing.
    """
    if gap < 0:
        return []
    day = on.toordinal()
    patients: defaultdict[Any, list[Standing[C]]] = defaultdict(list)
    for certificate in certificates:
        patients[certificate.patient].append(standing(certificate, day, days_since_end))  # 1
    return [
        _of_patient(own, on, gap, mode)
        for own in patients.values()
        if any(each.active or each.recent for each in own)  # 2
    ]


def _of_patient(own: list[Standing[C]], on: date, gap: int, mode: Mode) -> UnitSickLeave[C]:
    own.sort(key=_END)  # 3
    shown = _shown(own, mode)  # 4, 5
    members = sorted(chain(mode.present(own, on.toordinal()), shown, gap, mode), key=_START)  # 6-9
    return UnitSickLeave(
        shown.certificate,
        [each.certificate for each in members],
        date.fromordinal(members[0].start),
        date.fromordinal(max([each.end for each in members])),
        days(members, gap),
        _degree(shown, on),
        shown.degrees,
    )


def _shown(own: list[Standing[C]], mode: Mode) -> Standing[C]:
    """The active certificate: of several the latest signed, and the others then count as neither active nor recent.
    Without any, one of those that ended recently."""
    active = [each for each in own if each.active]
    return latest_signed(active) if active else mode.ended([each for each in own if each.recent])


def chain(own: list[Standing[C]], shown: Standing[C], gap: int, mode: Mode) -> list[Standing[C]]:
    """What hangs together with ``shown`` among ``own``, which come by last day."""
    place = mode.place(own, shown)  # 6
    right = to_the_right(sorted(own[place + 1 :], key=_START), shown.end, gap, mode)  # 7
    reached = min(shown.start, right[0].start) if right else shown.start  # 8
    return [*to_the_left(own[:place], reached, gap, mode), shown, *right]  # 9


def to_the_right(by_start: list[Standing[C]], reached: int, gap: int, mode: Mode) -> list[Standing[C]]:
    """Step 7: those that begin within the gap of the day reached, one after the other, until the first that does not."""
    taken = []
    for each in by_start:
        if each.start > reached + gap + 1:
            break
        taken.append(each)
        reached = mode.later(reached, each.end)
    return taken


def to_the_left(by_end: list[Standing[C]], reached: int, gap: int, mode: Mode) -> list[Standing[C]]:
    """Step 8: those that end within the gap before the day reached, backwards, until the first that does not."""
    taken = []
    for each in reversed(by_end):
        if each.end < reached - (gap + 1):
            break
        taken.append(each)
        reached = mode.earlier(reached, each.start)
    return taken[::-1]


def _degree(shown: Standing[C], on: date) -> int:
    """Of overlapping periods the first that stands on the certificate (Q6)."""
    periods = shown.certificate.periods or ()
    return next((period.degree for period in periods if period.start <= on <= period.end), 0)


# § 3.4


def patient_view(certificates: Iterable[C], on: date, gap: int, mode: Mode) -> list[PatientSickLeave[C]]:
    """The sick leaves that have begun on the day, the newest first, of certificates that are all one patient's: nobody
    checks. None for a negative gap.

    Raises ``Invalid`` as ``unit_view``, also for what has not begun.
    """
    if gap < 0:
        return []
    day = on.toordinal()
    by_start = sorted([standing(certificate, day, 0) for certificate in certificates], key=_START)  # 1
    found = [_of_group(group, gap) for group in _groups(mode.present(by_start, day), gap, mode)]  # 2, 3
    begun = [each for each in found if each.start <= on]  # 4
    return sorted(begun, key=_START, reverse=True)  # 5


def _groups(by_start: list[Standing[C]], gap: int, mode: Mode) -> list[list[Standing[C]]]:
    groups: list[list[Standing[C]]] = []
    reached = 0
    for each in by_start:
        if not groups or each.start > reached + gap + 1:
            groups.append([])
        groups[-1].append(each)
        reached = mode.later(reached, each.end)
    return groups


def _of_group(group: list[Standing[C]], gap: int) -> PatientSickLeave[C]:
    diagnosed = latest_signed([each for each in group if each.active] or group)
    return PatientSickLeave(
        group[0].certificate,
        diagnosed.certificate,
        sorted(group, key=_START, reverse=True),
        date.fromordinal(group[0].start),
        date.fromordinal(max([each.end for each in group])),
        days(group, gap),
    )
