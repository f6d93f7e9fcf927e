"""A unit's sick leaves as we count them are held against the source's own (rehabstod.md § 2), in the mode that claims to be
equal. Patients on whom the two differ are named, so each has a row in the access log before the answer leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from contracts.identity import PersonId
from contracts.ports import CertificateSource, Snapshot, Store
from contracts.record import Caller
from contracts.sick_leave import LastPull, ReportedSickLeave, SetAside
from contracts.time import swedish_day
from fhir_mappings.identifiers import person_system
from service.rules.sick_leave import Question, held
from service.rules.sick_leave.comparison import Difference, differences
from service.usecases.see_overview import log_reading, on_unit, own_unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and where it differs. ``patients`` gives the logical id of those who are known here; ``unreadable``
    are sick leaves of theirs that could not be read."""

    unit: str
    question: Question
    pulled: LastPull | None
    ours: int
    theirs: int
    unreadable: tuple[SetAside, ...]
    differences: tuple[Difference, ...]
    patients: dict[PersonId, str]


async def compare_with_national(
    store: Store,
    source: CertificateSource,
    caller: Caller,
    unit: str,
    ask: Callable[[date], Question],
    show: Callable[[Comparison], T],
) -> T:
    """Both as a coordinator sees them; patients who are not the caller's to see are in neither. Raises ``NotFound`` for another unit, ``NotSupported`` when the source computes none,
    and ``Unavailable`` when it does not answer in full."""
    own_unit(caller, unit)
    question = await store.look(lambda snapshot: ask(swedish_day(snapshot.at)))
    answer = await source.computed(caller.unit, question.gap, question.max_days_since_end)
    reported = [each for each in answer if isinstance(each, ReportedSickLeave)]
    unreadable = tuple(each for each in answer if isinstance(each, SetAside))

    def look(snapshot: Snapshot) -> Comparison:
        there = on_unit(snapshot, caller, date.min)  # whoever the other side names is looked for among all
        rows = held(there.certificates, there.patients, question).rows
        known = {person: listed.id for person, listed in there.patients.items()}
        theirs = [each for each in reported if _may_be_seen(snapshot, caller, each.patient)]
        found = differences(rows, theirs)
        return Comparison(unit, question, snapshot.last_pull(unit), len(rows), len(theirs), unreadable, found, known)

    compared = await store.look(look)
    named = [each.row.patient for each in compared.differences if each.row]
    named += [
        compared.patients[each.reported.patient]
        for each in compared.differences
        if each.row is None and each.reported and each.reported.patient in compared.patients
    ]
    await log_reading(store, caller, named, "comparison")
    return show(compared)


def _may_be_seen(snapshot: Snapshot, caller: Caller, person: PersonId) -> bool:
    """Somebody who is not known here is hidden from nobody."""
    if caller.sees_restricted:
        return True
    known = snapshot.by_token("Patient", "identifier", person_system(person).fhir, person.digits, caller.unit.value)
    return all(map(caller.may_see, known))
