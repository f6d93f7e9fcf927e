"""What has come in without saying whom it is about (from a mailbox; a SOAP sender would be told) waits here until a person on the
unit says which patient that is. Then it is like any other message that has come."""

from collections.abc import Sequence

from contracts.consent import Recipient, RecipientKind
from contracts.dialogue import Dialogue, Standing, Topic
from contracts.errors import Conflict, NotFound
from contracts.identity import HsaId, PersonId
from contracts.ports import Snapshot, Transaction
from contracts.record import Access, AccessAction, Caller, Record
from fhir_mappings import people, received
from fhir_mappings.document import decode, with_elements
from fhir_mappings.identifiers import person_system
from fhir_mappings.primitives import Json, instant
from service.usecases import follow_dialogue
from service.usecases.context import Context
from service.usecases.keeping import visible

_SUBJECTS = {"Communication": "subject", "Binary": "securityContext"}


def unsorted(snapshot: Snapshot, caller: Caller) -> Sequence[Record]:
    """The unit's messages that tell of nobody who is known, oldest first."""
    found = snapshot.without_patient("Communication", caller.unit.value)
    return [each for each in found if caller.may_see(each) and _waits(decode(each.body).content)]


def sort(transaction: Transaction, context: Context, caller: Caller, id: str, patient: str) -> Record:
    """A person says whom a message is about; its dialogue begins. The Task. Raises ``NotFound``, and ``Conflict`` for one that
    waits for nobody."""
    record = visible(transaction, caller, "Communication", id)
    content = decode(record.body).content
    if not _waits(content):
        raise Conflict("this message does not wait to be sorted")
    visible(transaction, caller, "Patient", patient)
    kept = _belongs(transaction, caller, record, patient)
    for type_, id_ in _files(content):
        _belongs(transaction, caller, visible(transaction, caller, type_, id_), patient)
    return follow_dialogue.begin(transaction, context, caller, _dialogue(kept, patient))


def sort_by_number(transaction: Transaction, context: Context, caller: Caller, id: str, number: PersonId) -> Record:
    """The same, where the person knows the patient's national number. Raises also ``NotFound`` when nobody on the unit has it."""
    found = transaction.by_token("Patient", "identifier", person_system(number).fhir, number.digits, caller.unit.value)
    if not found:
        raise NotFound("nobody on the unit has that number")
    return sort(transaction, context, caller, id, found[0].id)


def _waits(content: Json) -> bool:
    return "subject" not in content and "received" in content and bool(received.message_id(content))


def _belongs(transaction: Transaction, caller: Caller, record: Record, patient: str) -> Record:
    """A new version, about the patient. Nothing was logged of anybody before."""
    subject = {"reference": f"Patient/{patient}"}
    document = with_elements(decode(record.body), {_SUBJECTS[record.type]: subject})
    kept = transaction.save(document, record.id, record.unit, about=patient)
    transaction.log_access(Access(caller, AccessAction.WRITE, patient, kept.reference, "message-sorted"))
    return kept


def _files(content: Json) -> list[tuple[str, str]]:
    urls = (each["contentAttachment"].get("url", "") for each in content["payload"] if "contentAttachment" in each)
    return [("Binary", url.partition("/")[2]) for url in urls if url.startswith("Binary/")]


def _dialogue(record: Record, patient: str) -> Dialogue:
    content = decode(record.body).content
    party = people.logical_party(content["sender"])
    return Dialogue(
        patient=patient,
        unit=HsaId(record.unit),
        conversation=received.conversation(content),
        topic=received.topic(content) or Topic.OTHER,
        party=party.as_recipient() if party else Recipient(RecipientKind.OTHER, ""),
        focus=record.reference,
        standing=Standing.TO_ANSWER,
        begun=instant(content["sent"]),
    )
