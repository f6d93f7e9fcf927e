"""A care unit's sick leaves are pulled: the answer is staged while it comes, and applied once it has come whole.

An answer that fails or is cut off changes nothing, and its pull is kept as failed (decision D23). It is applied in slices,
a few patients in one transaction, so that nobody waits long for the writer; each slice keeps how far it came, so that a
process that died goes on where it was. The same answer twice writes nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from contracts.errors import Conflict, RekoError
from contracts.identity import HsaId, PersonId
from contracts.ports import CertificateSource, Store, Transaction
from contracts.pulling import Known, Pull, PullCounts, PullState
from contracts.record import Access, AccessAction, Caller
from contracts.sick_leave import Certificate, Judged, SetAside
from contracts.time import swedish_day
from fhir_mappings import people
from fhir_mappings.document import from_content
from fhir_mappings.identifiers import person_system
from service.usecases.context import Context
from service.usecases.keep_certificates import KeepCertificates
from service.usecases.notify import certificate_arrived

TOGETHER: Final = 500
"""Records that one transaction stages."""
PATIENTS: Final = 50
"""The most that one slice goes through."""
CHANGES: Final = 4
"""Certificates that end a slice: each is written as three or four resources."""
TOO_MANY_AT_ONCE: Final = 5
"""Patients with ongoing certificates, all of whom an empty answer would take back."""
CLEARED: Final = 2000
"""Staged rows that one transaction forgets."""
_APPLIED: Final = (PullState.APPLYING, PullState.CLOSING)
STOPPED: Final = "the service was stopped while the answer came"

_log = logging.getLogger(__name__)


async def follow_sick_leaves(
    store: Store,
    source: CertificateSource,
    context: Context,
    caller: Caller,
    max_days_since_end: int = 0,
    *,
    accept_empty: bool = False,
) -> Pull:
    """Pull the caller's care unit once, after what an earlier pull of it may have left to apply. Raises ``Conflict`` while
    another answer about it comes in, when midnight comes meanwhile, or for an empty answer that would take back all that the
    unit has, unless the caller accepts that; and ``Unavailable`` when the source does not answer in full: nothing has
    changed then."""
    for left in await store.run(lambda transaction: transaction.pulls.under_way()):
        if left.unit == caller.unit.value and left.state is not PullState.READING:
            await apply(store, context, left)
    pull = await store.run(lambda transaction: transaction.pulls.begin(caller, max_days_since_end))
    try:
        await stage(store, pull, source.active_for_unit(caller.unit, max_days_since_end))
        sealed = await store.run(lambda transaction: _seal(transaction, pull, accept_empty=accept_empty))
    except BaseException as error:
        # Also when this process is told to stop: whatever has come is no answer.
        await asyncio.shield(abandon(store, pull, _reason(error)))
        raise
    return await apply(store, context, sealed)


def _seal(transaction: Transaction, pull: Pull, *, accept_empty: bool) -> Pull:
    """Raises ``Conflict`` when midnight came in between: the source may have answered for either day, and what it left
    out as too old on the new one would be taken for vanished on the old one. So it does for an empty answer about a unit
    with several ongoing patients: a source that has lost its data says the same as one whose patients are all well."""
    if swedish_day(transaction.at) != pull.day:
        raise Conflict("midnight came while the answer did: pull again")
    sealed = transaction.pulls.seal(pull.number)
    if not accept_empty and sealed.counts == PullCounts() and _patients(transaction, pull) >= TOO_MANY_AT_ONCE:
        raise Conflict("the answer is empty, and would take back everything: if that is right, pull with accept_empty")
    return sealed


def _patients(transaction: Transaction, pull: Pull) -> int:
    """With a certificate that has not ended."""
    return len({patient for patient, _ in transaction.certificates_of_unit(pull.unit, pull.day)})


async def stage(store: Store, pull: Pull, answer: AsyncIterator[Judged]) -> None:
    """Keep the answer while it comes, some hundred records in one transaction."""
    waiting: list[Certificate | SetAside] = []
    async for records in answer:
        waiting += _ours(records, pull.caller.provider)
        if len(waiting) >= TOGETHER:
            await store.run(_Stage(pull.number, waiting))
            waiting = []
    await store.run(_Stage(pull.number, waiting))


@dataclass(frozen=True, slots=True)
class _Stage:
    number: int
    records: Judged

    def __call__(self, transaction: Transaction) -> None:
        transaction.pulls.stage(self.number, self.records)


async def apply(store: Store, context: Context, pull: Pull) -> Pull:
    """Apply what is staged, from where the pull stands to its end. Two may do so at once: each slice begins where the last
    one ended. The pull may come in as it stood some time ago: another may have ended it since."""
    while pull.state in _APPLIED:
        pull = await store.run(_Slice(context, pull.number))
    await _forget(store, pull)
    return pull


async def abandon(store: Store, pull: Pull, reason: str) -> None:
    """Discard an answer that has not come whole. One that has is kept: it may be on its way in."""
    if await store.run(lambda transaction: _failed(transaction, pull.number, reason)):
        await _forget(store, pull)


def _failed(transaction: Transaction, number: int, reason: str) -> bool:
    reads = transaction.pulls.read(number).state is PullState.READING
    if reads:
        transaction.pulls.fail(number, reason)
    return reads


async def take_up(store: Store, context: Context, pull: Pull) -> None:
    """Bring to an end what a process that is gone has left: half an answer is discarded, a whole one applied."""
    if pull.state is PullState.READING:
        await abandon(store, pull, STOPPED)
    else:
        await apply(store, context, pull)


async def _forget(store: Store, pull: Pull) -> None:
    while await store.run(lambda transaction: transaction.pulls.clear(pull.number, CLEARED)):
        pass


def _reason(error: BaseException) -> str:
    """Ours are plain words; of any other the kind is told, for its words may repeat the answer's."""
    if isinstance(error, asyncio.CancelledError):
        return STOPPED
    if isinstance(error, RekoError):
        return str(error)
    _log.error("an answer could not be taken in", exc_info=error, extra={"event": "pull.defect"})
    return f"the service failed ({type(error).__name__})"


def _ours(records: Judged, provider: HsaId) -> Judged:
    """The contract answers for the care unit and its mottagningar, all of one care provider."""
    return [_if_of(provider, each) for each in records]


def _if_of(provider: HsaId, record: Certificate | SetAside) -> Certificate | SetAside:
    if isinstance(record, Certificate) and record.provider not in (None, provider):
        return SetAside(record.id, "it belongs to another care provider")
    return record


@dataclass(frozen=True, slots=True)
class _Slice:
    """A few patients' share of a pull, in one transaction."""

    context: Context
    number: int

    def __call__(self, transaction: Transaction) -> Pull:
        pull = transaction.pulls.read(self.number)
        if pull.state not in _APPLIED:
            return pull  # what it staged may be gone, and must not be taken for an empty answer
        work = _Work(transaction, self.context, pull, transaction.pulls.last_day(pull.unit))
        work.named() if pull.state is PullState.APPLYING else work.others()
        transaction.pulls.save(work.pull)
        return work.pull


@dataclass(slots=True)
class _Work:
    """``before`` is the day that the unit's last pull spoke of; ``changes`` counts the slice's certificates."""

    transaction: Transaction
    context: Context
    pull: Pull
    before: date | None
    changes: int = 0

    def named(self) -> None:
        """Go through patients whom the answer names."""
        persons = self.transaction.pulls.persons(self.pull.number, self.pull.cursor, PATIENTS)
        if self._all(persons, self._of_answer):
            self.pull = replace(self.pull, state=PullState.CLOSING, cursor="")

    def others(self) -> None:
        """Go through the unit's patients whom it does not name."""
        patients = self.transaction.patients_of_unit(self.pull.unit, self.pull.cursor, PATIENTS)
        if self._all(patients, self._beside_answer):
            self.pull = replace(self.pull, state=PullState.DONE, cursor="", ended=self.transaction.at)

    def _all(self, each_of: Sequence[str], work: Callable[[str], None]) -> bool:
        """Whether these were the last. The cursor stands at the last one done."""
        for one in each_of:
            if self.changes >= CHANGES:
                return False
            self._try(work, one)
            self.pull = replace(self.pull, cursor=one)
        return len(each_of) < PATIENTS

    def _try(self, work: Callable[[str], None], one: str) -> None:
        """A patient on whom the service itself fails stops nobody else: what the answer says of her is set aside."""
        before = self.pull
        error = self.transaction.attempt(lambda: work(one))
        if error is None:
            return
        told = {"event": "pull.patient-failed", "unit": before.unit}
        _log.error("a patient's certificates could not be applied", exc_info=error, extra=told)
        reason = f"the service failed on it ({type(error).__name__})"
        aside = [SetAside(id, reason) for id in self.transaction.pulls.contents(before.number, one)]
        self.transaction.pulls.put_aside(before.number, aside)
        self.pull = before
        self._count(applied=before.state is PullState.APPLYING, set_aside=len(aside))

    def _of_answer(self, person: str) -> None:
        patient = self._patient(person)
        known = self.transaction.known_certificates(self.pull.unit, patient) if patient else {}
        contents = self.transaction.pulls.contents(self.pull.number, person)
        if self._turns(known) or contents != {id: each.content for id, each in known.items()}:
            answered = self.transaction.pulls.of_person(self.pull.number, person)
            gone = self._unanswered(known.keys() - contents.keys())
            self._keep(patient or self._introduced(person, answered), answered, gone)
        self._count(applied=1)

    def _beside_answer(self, patient: str) -> None:
        """Also somebody of whom nothing could be read. Whom the answer holds has been gone through."""
        known = self.transaction.known_certificates(self.pull.unit, patient)
        if any(
            self.transaction.pulls.contents(self.pull.number, person) for person in {k.person for k in known.values()}
        ):
            return
        missing = self._unanswered(known)
        gone = missing if len(missing) < len(known) else self._expected(patient, known)
        if gone or self._turns(known):
            self._keep(patient, (), gone)

    def _unanswered(self, ids: Collection[str]) -> set[str]:
        """What the answer does not hold. One that it holds and that cannot be read this time is still there."""
        return set(ids) - set(self.transaction.pulls.unusable(self.pull.number, ids))

    def _expected(self, patient: str, known: Mapping[str, Known]) -> set[str]:
        """What it should have held of a patient whom it does not hold: then that has vanished, else it has aged out and
        stays (decision D22)."""
        since, day = self.pull.day - timedelta(days=self.pull.days), self.pull.day
        if not any(each.first <= day and each.last >= since for each in known.values()):
            return set()
        stored = [each.certificate for each in self.transaction.certificates(self.pull.unit, patient)]
        return {one.id for one in stored if any(each.start <= day and each.end >= since for each in one.periods)}

    def _turns(self, known: Mapping[str, Known]) -> bool:
        """Whether a certificate has begun or ended since the last pull: then a sick leave may have too."""
        if self.before is None:
            return True
        first, last = sorted((self.before, self.pull.day))
        return any(first < each.first <= last or first <= each.last < last for each in known.values())

    def _keep(self, patient: str, answered: Sequence[Certificate], gone: Collection[str]) -> None:
        unit = self.pull.caller.unit
        kept = KeepCertificates(self.transaction, self.context, unit, patient, self.pull.day)(answered, gone)
        self._count(changed=kept.changed, vanished=kept.vanished, sick_leaves=kept.sick_leaves)
        self.changes += kept.changed + kept.vanished
        if kept.changed or kept.vanished:
            row = Access(self.pull.caller, AccessAction.WRITE, patient, f"Patient/{patient}", "pull")
            self.transaction.log_access(row)
        if kept.changed:
            certificate_arrived(self.transaction, self.context, patient)

    def _count(self, **more: int) -> None:
        counts = self.pull.counts
        sums = {name: getattr(counts, name) + number for name, number in more.items()}
        self.pull = replace(self.pull, counts=replace(counts, **sums))

    def _patient(self, person: str) -> str:
        """The logical id; empty when the person is not known here."""
        system = person_system(PersonId(person)).fhir
        found = self.transaction.by_token("Patient", "identifier", system, person, self.pull.unit)
        return found[0].id if found else ""

    def _introduced(self, person: str, answered: Sequence[Certificate]) -> str:
        name = next((each.patient_name for each in answered if each.patient_name), "")
        resource = from_content(people.patient_resource(PersonId(person), name))
        return self.transaction.save(resource, self.context.ids.new(), self.pull.unit, fresh=True).id
