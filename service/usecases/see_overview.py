"""Somebody on the unit sees its sick leaves: rows, a summary, what may be chosen.

Counted and shown on a snapshot, beside the writer and off the event loop. Rows name patients: each patient's row in the
access log is durable before the answer leaves. A summary and a list of choices name nobody and leave none (rehabstod.md
§ 5.5). The overview is gated on no consent (domain rule 12).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from contracts.errors import Invalid, NotFound
from contracts.identity import PersonId
from contracts.ports import Snapshot, Store
from contracts.record import Access, AccessAction, Caller, Record, Role
from contracts.sick_leave import Certificate, LastPull, RekoStatus, StoredCertificate
from contracts.time import swedish_day
from fhir_mappings import certificate
from fhir_mappings.document import decode
from service.rules.sick_leave import Held, Listed, Marking, Overview, Question, held, overview
from service.usecases.deciding import patient_in

T = TypeVar("T")

Ask = Callable[[date], Question]
"""Makes the question, given today in Sweden. It may raise ``Invalid``."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A page of the overview. ``pulled`` says how old and how wide its data are, ``episodes`` to which stored EpisodeOfCare
    each certificate belongs. ``wishes`` are the certificates in which the doctor wished for contact with Försäkringskassan (26.1):
    of those that somebody on the unit has read as a whole."""

    overview: Overview
    pulled: LastPull | None
    episodes: Mapping[str, str]
    wishes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Counted:
    """All rows of the unit that the caller may see, before any filter, as one question counts them."""

    question: Question
    held: Held


Survey = Callable[[str, Sequence[Counted], LastPull | None], T]
"""What is made of the unit's rows, counted in one or several ways, and of how old they are."""


@dataclass(frozen=True, slots=True)
class OnUnit:
    """A unit's certificates and whose they are; none of patients whose record is not the caller's to see."""

    certificates: tuple[Certificate, ...]
    patients: Mapping[PersonId, Listed]
    episodes: Mapping[str, str]


async def see_overview(
    store: Store,
    caller: Caller,
    unit: str,
    ask: Ask,
    interaction: str,
    show: Callable[[Seen], T],
    action: AccessAction = AccessAction.READ,
) -> T:
    """The page that the question asks for, as ``show`` makes it; ``action`` is what becomes of it. Raises ``NotFound`` for
    another unit."""
    own_unit(caller, unit)

    def look(snapshot: Snapshot) -> tuple[list[str], T]:
        question = ask(swedish_day(snapshot.at))
        there = on_unit(snapshot, caller, shown_since(question))
        page = overview(there.certificates, there.patients, question, doctor_of(caller))
        seen = Seen(page, snapshot.last_pull(unit), there.episodes, wishes_on(snapshot, unit))
        return [row.patient for row in page.rows], show(seen)

    patients, shown = await store.look(look)
    await log_reading(store, caller, patients, interaction, action)
    return shown


async def survey(
    store: Store, caller: Caller, unit: str, ask: Callable[[date], Sequence[Question]], show: Survey[T]
) -> T:
    """What is made of all rows together, and names nobody. Raises ``NotFound`` for another unit."""
    own_unit(caller, unit)

    def look(snapshot: Snapshot) -> T:
        questions, doctor = ask(swedish_day(snapshot.at)), doctor_of(caller)
        there = on_unit(snapshot, caller, shown_since(*questions))
        counted = [Counted(each, held(there.certificates, there.patients, each, doctor)) for each in questions]
        return show(unit, counted, snapshot.last_pull(unit))

    return await store.look(look)


def own_unit(caller: Caller, unit: str) -> None:
    """Raises ``NotFound`` for another unit than the caller's: it is told like none."""
    if unit != caller.unit.value:
        raise NotFound("there is no such unit")


def doctor_of(caller: Caller) -> str:
    """The HSA-id to whose certificates the caller is confined; empty for a coordinator (rehabstod.md § 5.1)."""
    return caller.employee.value if caller.role is Role.DOCTOR else ""


def on_unit(snapshot: Snapshot, caller: Caller, since: date) -> OnUnit:
    """Everything on the caller's unit and its mottagningar of the patients who have a certificate there that lasts until
    ``since``: the others, who become many with the years, are not read."""
    unit = caller.unit.value
    stored, statuses = snapshot.certificates_of_unit(unit, since), snapshot.reko_statuses_of_unit(unit)
    return _together(snapshot, caller, stored, statuses)


def shown_since(*questions: Question) -> date:
    """Nobody whose certificates all ended before that day is shown by any of the questions."""
    return min(each.on - timedelta(days=each.max_days_since_end) for each in questions)


def of_patient(snapshot: Snapshot, caller: Caller, patient: str) -> OnUnit:
    """The same of one patient."""
    unit = caller.unit.value
    stored = [(patient, each) for each in snapshot.certificates(unit, patient)]
    return _together(snapshot, caller, stored, snapshot.reko_statuses(unit, patient))


def wishes_on(snapshot: Snapshot, unit: str) -> frozenset[str]:
    """Certificates, of those read as a whole, in which the doctor wished for contact with Försäkringskassan."""
    read = (decode(each.body).content for each in snapshot.of_unit("QuestionnaireResponse", unit))
    return frozenset(filter(None, map(certificate.wishing, read)))


async def log_reading(
    store: Store,
    caller: Caller,
    patients: Iterable[str],
    interaction: str,
    action: AccessAction = AccessAction.READ,
) -> None:
    """Commit one row per patient. Raises ``Unavailable`` when the log cannot be written: then nothing is shown."""
    rows = [Access(caller, action, each, f"Patient/{each}", interaction) for each in dict.fromkeys(patients)]
    if rows:
        await store.log(*rows)


def _together(
    snapshot: Snapshot, caller: Caller, stored: Sequence[tuple[str, StoredCertificate]], statuses: Sequence[RekoStatus]
) -> OnUnit:
    by_patient: defaultdict[str, list[RekoStatus]] = defaultdict(list)
    for status in statuses:
        by_patient[status.patient].append(status)
    records = {id: snapshot.read("Patient", id) for id in {id for id, _ in stored}}
    known = {
        id: _listed(id, record, by_patient[id])
        for id, record in records.items()
        if record is None or caller.may_see(record)
    }
    seen = [(known[id], each) for id, each in stored if id in known]
    return OnUnit(
        tuple(each.certificate for _, each in seen),
        {each.certificate.patient: listed for listed, each in seen},
        {each.certificate.id: each.episode for _, each in seen},
    )


def _listed(id: str, record: Record | None, statuses: Sequence[RekoStatus]) -> Listed:
    """A patient whose record is gone or cannot be read is treated as one whom the register does not know: whether she is
    protected, nobody can tell."""
    try:
        found = None if record is None else patient_in(record.body, id)
    except Invalid:
        found = None
    if found is None:
        return Listed(id, marking=Marking.NOT_FOUND, statuses=tuple(statuses))
    marking = Marking.PROTECTED if found.protected else Marking.NONE
    return Listed(id, found.name, marking, found.deceased, tuple(statuses))
