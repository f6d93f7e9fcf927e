"""A coordination activity is recorded: coded, kept, told to the region's platform, written back to the record system.

Documenting is a duty (Act 5 §): a performed activity is recorded and coded whether or not a consent to coordination is on
record, and flagged when there is none (decision D17). All of it is one transaction (decision D4).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from contracts.activity import CodedActivity, CoordinationActivity
from contracts.consent import LegalBasis, Purpose, Question, Recipient, RecipientKind
from contracts.errors import Issue, IssueType, Severity
from contracts.identity import HsaId
from contracts.outbox import EventType, OutboxMessage, Payload, RecordCopy, RecordEvent
from contracts.ports import Transaction
from contracts.record import Document, Record
from fhir_mappings import activity as mapping
from fhir_mappings.document import decode, with_elements
from fhir_mappings.identifiers import BASE, RECORD_FLAG
from service.rules import kva
from service.usecases.context import Context, Recorded, Write
from service.usecases.deciding import consents_of, is_coordinated
from service.usecases.keeping import keep
from service.usecases.promising import promise

PLATFORM: Final = "regional_platform"
RECORD_SYSTEM: Final = "ehr"

_FLAG: Final = {"system": RECORD_FLAG, "code": "no-coordination-consent"}


def record_activity(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Code the activity, keep it, and promise what follows from it. Raises ``Invalid`` with the rule."""
    activity = mapping.from_fhir(write.document.content)
    coded = kva.code(activity, context.region)
    earlier = transaction.read("Procedure", write.id) if write.id else None
    document = _flagged(transaction, write, activity, mapping.with_codes(write.document, coded))
    kept = keep(transaction, context, _with_document(write, document))
    if kept.changed:
        _tell_platform(transaction, context, write.caller.unit, kept.record, document, earlier)
        _write_back(transaction, context, write.caller.unit, kept.record, activity, coded)
    return Recorded(kept.record, kept.changed, (*kept.notes, *_explained(coded)))


def _with_document(write: Write, document: Document) -> Write:
    return Write(write.caller, document, write.id, write.expected, write.unless)


def _flagged(transaction: Transaction, write: Write, activity: CoordinationActivity, document: Document) -> Document:
    """With a tag when it is performed and no consent to coordination is on record; without one otherwise."""
    meta = dict(document.content.get("meta", {}))
    tags = [tag for tag in meta.get("tag", []) if tag != _FLAG]
    consents = consents_of(transaction, activity.patient)
    if not is_coordinated(consents, write.caller.unit, activity.performed or transaction.at):
        tags.append(_FLAG)
    meta = {**meta, "tag": tags} if tags else {name: value for name, value in meta.items() if name != "tag"}
    return with_elements(document, {"meta": meta or None})


# What follows


def _tell_platform(
    transaction: Transaction,
    context: Context,
    unit: HsaId,
    record: Record,
    document: Document,
    earlier: Record | None,
) -> None:
    """The care provider's own platform follows up coded records, and learns when one no longer stands."""
    before = None if earlier is None else _reduced(decode(earlier.body).content, earlier)
    now = _reduced(document.content, record)
    if PLATFORM not in context.destinations or _same_record(before, now):
        return
    type_, data = (EventType.ACTIVITY_RETRACTED, _retracted(record, document)) if now is None else (_CODED, now)
    event = RecordEvent(
        id=context.ids.new(),
        type=type_,
        subject=record.reference,
        time=record.updated,
        sequence=record.version,
        data=orjson.dumps(data).decode(),
    )
    _promise(transaction, context, unit, record, document, PLATFORM, event)


_CODED: Final = EventType.ACTIVITY_CODED


def _reduced(content: Mapping[str, Any], record: Record) -> dict[str, Any] | None:
    """The record as the platform sees it; ``None`` while it has no code."""
    if content["status"] != "completed" or not mapping.from_fhir(content).claimed_main:
        return None
    return mapping.reduced({**content, "id": record.id}, record.version, record.updated)


def _retracted(record: Record, document: Document) -> dict[str, Any]:
    return mapping.retracted({**document.content, "id": record.id}, record.version, record.updated)


def _same_record(before: dict[str, Any] | None, now: dict[str, Any] | None) -> bool:
    if before is None or now is None:
        return before is now
    return {**before, "meta": None} == {**now, "meta": None}


def _write_back(
    transaction: Transaction,
    context: Context,
    unit: HsaId,
    record: Record,
    activity: CoordinationActivity,
    coded: CodedActivity,
) -> None:
    """The record system gets its record back with the codes, under the identifier that it wrote itself (D25)."""
    theirs_to_match = [each for each in activity.identifiers if not each.system.startswith(BASE)]
    if RECORD_SYSTEM not in context.destinations or not coded.codes or not theirs_to_match:
        return
    stored = decode(record.body)
    # Our id and version mean nothing there; an update whose body names another id is refused (R4 conditional update).
    meta = {name: value for name, value in stored.content["meta"].items() if name not in ("versionId", "lastUpdated")}
    theirs = with_elements(stored, {"id": None, "meta": meta or None})
    copy = RecordCopy("Procedure", theirs_to_match[0], theirs.body.decode())
    _promise(transaction, context, unit, record, stored, RECORD_SYSTEM, copy)


_GROUNDS: Final = {
    PLATFORM: (LegalBasis.OWN_FOLLOW_UP, RecipientKind.REGIONAL_PLATFORM),
    RECORD_SYSTEM: (LegalBasis.RECORD_OWNER, RecipientKind.RECORD_SYSTEM),
}


def _promise(
    transaction: Transaction,
    context: Context,
    unit: HsaId,
    record: Record,
    document: Document,
    destination: str,
    payload: Payload,
) -> None:
    basis, kind = _GROUNDS[destination]
    question = Question(
        patient=mapping.from_fhir(document.content).patient,
        unit=unit,
        recipient=Recipient(kind, destination),
        categories=frozenset(),
        purpose=Purpose.COORDINATION,
        at=transaction.at,
        basis=basis,
    )
    promise(transaction, context, OutboxMessage(context.ids.new(), destination, record.reference, question, payload))


def _explained(coded: CodedActivity) -> tuple[Issue, ...]:
    """Which rule gave which code, or why there is none; and what the patient pays."""
    given = [_note(f"{applied.code} by {applied.rule}", applied.rule) for applied in coded.codes]
    none = [] if coded.main else [_note(f"no GC001: {coded.uncoded_because}", coded.rule)]
    return (*given, *none, _note("coordination is free of charge", "kva-free-of-charge"))


def _note(text: str, rule: str) -> Issue:
    return Issue(IssueType.INFORMATIONAL, text, severity=Severity.INFORMATION, rule=rule)
