"""A coordinator reads a certificate that the feed has told of as a whole: FK 7804, for what coordination needs of it.

It is fetched live, outside any transaction; then what was read is kept beside the certificate's DocumentReference and the
reading is logged, in one. Where the doctor wished for contact that is a wish: nothing counts as information under 4 § because
of it (domain rule 17).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from contracts.certificate import MedicalCertificate
from contracts.errors import NotFound, Unavailable
from contracts.ports import Certificates, Snapshot, Store, Transaction
from contracts.record import Caller, Record
from contracts.sick_leave import Certificate
from fhir_mappings import certificate as mapping
from fhir_mappings.document import decode
from fhir_mappings.identifiers import CERTIFICATE_ID, MESSAGE_ID
from service.rules.sick_leave import Marking
from service.usecases.context import Context, Write
from service.usecases.keeping import keep
from service.usecases.see_overview import doctor_of, of_patient

T = TypeVar("T")

_NOT_HERE: Final = "there is no such certificate on the unit"


@dataclass(frozen=True, slots=True)
class ReadCertificate:
    """What was read, and where it is kept: references to the certificate's DocumentReference and to the
    QuestionnaireResponse. ``patient`` is the logical id. ``notice`` is the Communication that says that the certificate told
    Försäkringskassan, empty while nobody has confirmed that, and for whom it is not there to see."""

    certificate: MedicalCertificate
    patient: str
    document: str
    response: str
    notice: str


async def read_certificate(
    store: Store, source: Certificates, context: Context, caller: Caller, id: str
) -> ReadCertificate:
    """Raises ``NotFound`` for a certificate that the feed has not told the caller's unit of, or that is not the caller's to
    see; ``Invalid`` for one that is none of FK 7804; ``Unavailable`` when the source does not answer."""
    return await fetched(
        store, source, caller, id, lambda transaction, found: keep_read(transaction, context, caller, found)
    )


def certificates_of(snapshot: Snapshot, caller: Caller, patient: str) -> Sequence[Certificate]:
    """The patient's certificates that the feed has told the caller's unit of, the one that ends last first. Raises ``NotFound``
    where there is none that is the caller's to see."""
    found = [each for each, _ in _visible(snapshot, caller, patient)]
    if not found:
        raise NotFound("there is no such patient on the unit")
    return sorted(found, key=lambda each: (each.end, each.signed), reverse=True)


async def fetched(
    store: Store,
    source: Certificates,
    caller: Caller,
    id: str,
    work: Callable[[Transaction, MedicalCertificate], T],
) -> T:
    """What ``work`` makes of the certificate as it stands at its source now, in one transaction. Raises as
    ``read_certificate``."""
    told = await store.look(lambda snapshot: _known(snapshot, caller, id).certificate)
    found = await source.certificate(id, told.unit)
    if found is None:
        raise NotFound("the source has no such certificate any more: pull the sick leaves")
    if found.patient != told.patient:
        raise Unavailable("the answer is about another patient")
    return await store.run(lambda transaction: work(transaction, found))


def keep_read(transaction: Transaction, context: Context, caller: Caller, found: MedicalCertificate) -> ReadCertificate:
    """Keep what was read, a version if it says something new. Raises ``NotFound`` when the feed has taken it back meanwhile."""
    known = _known(transaction, caller, found.id)
    unit = caller.unit.value
    earlier = transaction.by_token("QuestionnaireResponse", "identifier", CERTIFICATE_ID, found.id, unit)
    document = f"DocumentReference/{known.document}"
    body = mapping.questionnaire_response(found, f"Patient/{known.patient}", document)
    kept = keep(transaction, context, Write(caller, decode(body), earlier[0].id if earlier else ""))
    notice = notice_of(transaction, caller, found.id)
    named = notice.reference if notice is not None and caller.may_see(notice) else ""
    return ReadCertificate(found, known.patient, document, kept.record.reference, named)


def notice_of(snapshot: Snapshot, caller: Caller, id: str) -> Record | None:
    """The Communication that says that the certificate told Försäkringskassan, also one that the caller may not see."""
    found = snapshot.by_token("Communication", "identifier", MESSAGE_ID, id, caller.unit.value)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Known:
    """A certificate as the feed tells of it; ``document`` and ``patient`` are logical ids."""

    certificate: Certificate
    document: str
    patient: str


def _known(snapshot: Snapshot, caller: Caller, id: str) -> _Known:
    for document in snapshot.by_token("DocumentReference", "identifier", CERTIFICATE_ID, id, caller.unit.value):
        for certificate, patient in _visible(snapshot, caller, document.patient):
            if certificate.id == id and caller.may_see(document):
                return _Known(certificate, document.id, patient)
    raise NotFound(_NOT_HERE)


def _visible(snapshot: Snapshot, caller: Caller, patient: str) -> Iterator[tuple[Certificate, str]]:
    """Whom the overview shows: a coordinator everybody who is not protected, a doctor what she issued herself."""
    there, doctor = of_patient(snapshot, caller, patient), doctor_of(caller)
    protected = any(each.marking is not Marking.NONE for each in there.patients.values())
    for certificate in there.certificates:
        if certificate.doctor == doctor if doctor else not protected:
            yield certificate, patient
