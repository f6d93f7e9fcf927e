"""The unit's sick leaves are pulled, and each certificate is kept as DocumentReference, Observations and its episode.

The answer is read to its end before anything is written; then it is applied patient by patient, each in one transaction. A
pull that fails or is cut off changes nothing and is kept as failed (decision D23). The same answer twice writes nothing.
Diagnoses stay with the certificate (domain rule 25).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from contracts.errors import Unavailable
from contracts.identity import HsaId, PersonId
from contracts.ports import CertificateSource, Store, Transaction
from contracts.record import Access, AccessAction, Caller, Document
from contracts.sick_leave import Certificate, SetAside, SickLeave, StoredCertificate
from contracts.time import swedish_day
from fhir_mappings import people, sick_leave
from fhir_mappings.document import decode, from_content, same_content
from fhir_mappings.identifiers import CERTIFICATE_ID, person_system
from service.rules.sick_leave import group
from service.usecases.context import Context
from service.usecases.notify import certificate_arrived

GAP: Final = 5
"""Days between certificates that one sick leave may have (decision D21)."""


@dataclass(slots=True)
class Pulled:
    """How a pull of one unit went. ``set_aside`` holds certificate ids with the reason, and no other data."""

    unit: str
    max_days_since_end: int = 0
    certificates: int = 0
    patients: int = 0
    changed: int = 0
    vanished: int = 0
    sick_leaves: int = 0
    set_aside: list[SetAside] = field(default_factory=list)


async def follow_sick_leaves(
    store: Store, source: CertificateSource, context: Context, caller: Caller, unit: HsaId, max_days_since_end: int = 0
) -> Pulled:
    """Pull the unit once. Raises ``Unavailable`` when the source does not answer in full: nothing has changed then."""
    pulled = Pulled(unit.value, max_days_since_end)
    by_patient: defaultdict[PersonId, list[Certificate]] = defaultdict(list)
    ids: set[str] = set()
    try:
        async for each in source.active_for_unit(unit, max_days_since_end):
            if isinstance(each, SetAside):
                pulled.set_aside.append(each)
            elif each.unit != unit:
                pulled.set_aside.append(SetAside(each.id, "it belongs to another unit"))
            elif each.id in ids:
                pulled.set_aside.append(SetAside(each.id, "a second certificate with the same id"))
            else:
                ids.add(each.id)
                by_patient[each.patient].append(each)
    except Unavailable as error:
        reason = str(error)
        await store.run(lambda transaction: transaction.note_pull(unit.value, "failed", {"reason": reason}))
        raise
    pulled.certificates = sum(len(found) for found in by_patient.values())
    pulled.patients = len(by_patient)
    for person, certificates in by_patient.items():
        await store.run(_Apply(context, caller, unit, person, certificates, pulled))
    held_aside = {each.certificate for each in pulled.set_aside}
    await store.run(
        lambda transaction: _note_vanished(
            transaction, context, caller, unit, ids | held_aside, max_days_since_end, pulled
        )
    )
    await store.run(lambda transaction: transaction.note_pull(unit.value, "done", pulled))
    return pulled


@dataclass(frozen=True, slots=True)
class _Apply:
    """One patient's certificates, applied in one transaction."""

    context: Context
    caller: Caller
    unit: HsaId
    person: PersonId
    certificates: Sequence[Certificate]
    pulled: Pulled

    def __call__(self, transaction: Transaction) -> None:
        patient = self._patient(transaction)
        known = {stored.certificate.id: stored for stored in transaction.certificates(self.unit.value, patient)}
        answered = {certificate.id for certificate in self.certificates}
        # One that cannot be read this time is still there: it stays as it was.
        aside = {each.certificate for each in self.pulled.set_aside}
        kept = [stored.certificate for id_, stored in known.items() if id_ in aside - answered]
        gone = [stored for id_, stored in known.items() if id_ not in answered | aside]
        for stored in gone:
            _supersede(transaction, self.unit, stored, patient)
        changed = _keep(transaction, self.context, self.unit, patient, [*self.certificates, *kept], known, self.pulled)
        self.pulled.vanished += len(gone)
        if changed or gone:
            _log(transaction, self.caller, patient)
        if changed:
            certificate_arrived(transaction, self.context, patient)

    def _patient(self, transaction: Transaction) -> str:
        system = person_system(self.person).fhir
        found = transaction.by_token("Patient", "identifier", system, self.person.digits, self.unit.value)
        if found:
            return found[0].id
        name = next((each.patient_name for each in self.certificates if each.patient_name), "")
        resource = from_content(people.patient_resource(self.person, name))
        return transaction.save(resource, self.context.ids.new(), self.unit.value).id


def _keep(
    transaction: Transaction,
    context: Context,
    unit: HsaId,
    patient: str,
    certificates: Sequence[Certificate],
    known: Mapping[str, StoredCertificate],
    pulled: Pulled,
) -> int:
    """Write what is new or changed, and the episodes; how many certificates that was."""
    leaves = group(certificates, GAP)
    pulled.sick_leaves += len(leaves)
    names = _episodes(leaves, known, context)
    before = pulled.changed
    for leave, episode in zip(leaves, names, strict=True):
        _keep_episode(transaction, unit, patient, leave, episode)
        for certificate in leave.certificates:
            digest = sick_leave.content_digest(certificate)
            stored = known.get(certificate.id)
            if stored is None or (stored.digest, stored.episode) != (digest, episode):
                _keep_certificate(transaction, context, unit, patient, certificate, episode)
                transaction.keep_certificate(unit.value, certificate, patient, digest, episode)
                pulled.changed += 1
    _end_dissolved(transaction, unit, set(names), known)
    return pulled.changed - before


def _episodes(leaves: Sequence[SickLeave], known: Mapping[str, StoredCertificate], context: Context) -> list[str]:
    """An episode keeps its id while it shares a certificate with its former self: of merged ones the oldest survives,
    of split ones the part with the earliest certificate keeps it (decision D21). Ids sort by age."""
    taken: set[str] = set()
    names = []
    for leave in sorted(leaves, key=lambda leave: leave.start):
        former = {known[each.id].episode for each in leave.certificates if each.id in known} - taken
        name = min(former, default="") or context.ids.new()
        taken.add(name)
        names.append((leave, name))
    return [next(name for kept, name in names if kept is leave) for leave in leaves]


def _keep_episode(transaction: Transaction, unit: HsaId, patient: str, leave: SickLeave, episode: str) -> None:
    today = swedish_day(transaction.at)
    body = sick_leave.episode_of_care(leave, f"Patient/{patient}", episode, today)
    _put(transaction, decode(body), episode, unit)


def _end_dissolved(
    transaction: Transaction, unit: HsaId, alive: set[str], known: Mapping[str, StoredCertificate]
) -> None:
    """An episode whose certificates all went to others was one by mistake."""
    for episode in {stored.episode for stored in known.values()} - alive:
        record = transaction.read("EpisodeOfCare", episode)
        if record is not None:
            _put(transaction, _with_status(decode(record.body), "entered-in-error"), episode, unit)


def _keep_certificate(
    transaction: Transaction, context: Context, unit: HsaId, patient: str, certificate: Certificate, episode: str
) -> None:
    found = transaction.by_token("DocumentReference", "identifier", CERTIFICATE_ID, certificate.id, unit.value)
    document = found[0].id if found else context.ids.new()
    _put(
        transaction, decode(sick_leave.document_reference(certificate, f"Patient/{patient}", document)), document, unit
    )
    former = [
        each.id for each in transaction.by_reference("Observation", "derived-from", f"DocumentReference/{document}")
    ]
    names = (former + [context.ids.new() for _ in certificate.periods])[: len(certificate.periods)]
    bodies = sick_leave.observations(
        certificate, f"Patient/{patient}", f"DocumentReference/{document}", f"EpisodeOfCare/{episode}", names
    )
    for name, body in zip(names, bodies, strict=True):
        _put(transaction, decode(body), name, unit)
    for name in former[len(names) :]:
        _put_status(transaction, "Observation", name, "entered-in-error", unit)


def _note_vanished(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    unit: HsaId,
    answered: set[str],
    max_days_since_end: int,
    pulled: Pulled,
) -> None:
    """A certificate of a patient who is not in the answer has vanished if the answer should have held it; else it has
    aged out and stays (decision D22)."""
    today = swedish_day(transaction.at)
    since = today - timedelta(days=max_days_since_end)
    for patient, stored in transaction.certificates_of_unit(unit.value):
        covers = any(each.start <= today and each.end >= since for each in stored.certificate.periods)
        if stored.certificate.id not in answered and covers:
            _supersede(transaction, unit, stored, patient)
            remaining = [each.certificate for each in transaction.certificates(unit.value, patient)]
            known = {each.certificate.id: each for each in transaction.certificates(unit.value, patient)}
            _keep(transaction, context, unit, patient, remaining, {**known, stored.certificate.id: stored}, Pulled(""))
            _log(transaction, caller, patient)
            pulled.vanished += 1


def _supersede(transaction: Transaction, unit: HsaId, stored: StoredCertificate, patient: str) -> None:
    """Revoked, replaced or complemented: the feed does not say which."""
    transaction.drop_certificate(unit.value, stored.certificate.id)
    for document in transaction.by_token(
        "DocumentReference", "identifier", CERTIFICATE_ID, stored.certificate.id, unit.value
    ):
        _put_status(transaction, "DocumentReference", document.id, "superseded", unit)
        for observation in transaction.by_reference("Observation", "derived-from", document.reference):
            _put_status(transaction, "Observation", observation.id, "entered-in-error", unit)


def _put_status(transaction: Transaction, type: str, id: str, status: str, unit: HsaId) -> None:
    record = transaction.read(type, id)
    if record is not None:
        _put(transaction, _with_status(decode(record.body), status), id, unit)


def _with_status(document: Document, status: str) -> Document:
    return from_content({**document.content, "status": status})


def _put(transaction: Transaction, document: Document, id: str, unit: HsaId) -> None:
    """Write a version if it says something new."""
    record = transaction.read(document.type, id)
    if record is None or not same_content(decode(record.body), document):
        transaction.save(document, id, unit.value)


def _log(transaction: Transaction, caller: Caller, patient: str) -> None:
    transaction.log_access(Access(caller, AccessAction.WRITE, patient, f"Patient/{patient}", "pull"))
