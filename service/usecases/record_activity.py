"""A coordination activity is recorded: coded, kept, told to the region's platform, written back to the record system.

Documenting is a duty (Act 5 §): a performed activity is recorded and coded whether or not a consent to coordination is on
record, and flagged when there is none (decision D17). All of it is one transaction (decision D4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from contracts.activity import ActivityStatus, CodedActivity, CoordinationActivity
from contracts.consent import LegalBasis, Purpose, Question, Recipient, RecipientKind
from contracts.errors import Invalid, Issue, IssueType, note
from contracts.identity import HsaId
from contracts.outbox import UNSENT, DeliveryState, EventType, OutboxMessage, Payload, RecordCopy, RecordEvent
from contracts.ports import Transaction
from contracts.record import Document, Record
from fhir_mappings import activity as mapping
from fhir_mappings.document import decode, with_elements
from fhir_mappings.identifiers import BASE, RECORD_FLAG
from service.rules import kva
from service.rules.consent import OWN_SYSTEMS
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.deciding import consents_of, is_coordinated, is_protected
from service.usecases.keeping import keep, remove
from service.usecases.promising import promise

PLATFORM: Final = OWN_SYSTEMS[RecipientKind.REGIONAL_PLATFORM]
RECORD_SYSTEM: Final = OWN_SYSTEMS[RecipientKind.RECORD_SYSTEM]

_FLAG: Final = {"system": RECORD_FLAG, "code": "no-coordination-consent"}


def record_activity(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Code the activity, keep it, and promise what follows from it. Raises ``Invalid`` with the rule."""
    activity = mapping.from_fhir(write.document.content)
    coded = kva.code(activity, context.region)
    _check_part(transaction, activity)
    earlier = transaction.read("Procedure", write.id) if write.id else None
    document = mapping.with_codes(write.document, coded, _flagged(transaction, write, activity))
    kept = keep(transaction, context, write.saying(document))
    if kept.changed and write.caller.provider == context.provider:
        told = _Telling(transaction, context, write.caller.unit, write.caller.employee, activity.patient, kept.record)
        _tell_platform(told, document, earlier)
        _write_back(told, activity, coded)
    return replace(kept, notes=(*kept.notes, *_explained(coded)))


def remove_activity(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete the record of an activity: the platform learns that it no longer stands, as when it is marked as entered in
    error, and no older copy is written back."""
    earlier = transaction.read("Procedure", removal.id)
    removed = remove(transaction, context, removal)
    if removed.changed and earlier is not None and removal.caller.provider == context.provider:
        told = _Telling(
            transaction, context, removal.caller.unit, removal.caller.employee, earlier.patient, removed.record
        )
        _tell_platform(told, with_elements(decode(earlier.body), {"status": "entered-in-error"}), earlier)
        _cancel_older_copies(told)
    return removed


def _check_part(transaction: Transaction, activity: CoordinationActivity) -> None:
    """A part stands in an occasion of the same patient that has GC001: else the occasion would have none."""
    if activity.part_of is None or activity.status is not ActivityStatus.COMPLETED:
        return
    whole = transaction.read(*activity.part_of.split("/"))
    main = [] if whole is None else mapping.kva_codings(decode(whole.body).content)[:1]
    if whole is not None and (whole.patient != activity.patient or [each["code"] for each in main] != ["GC001"]):
        text = "a part belongs to a performed occasion of the same patient, one that has GC001"
        raise Invalid(Issue(IssueType.BUSINESS_RULE, text, "Procedure.partOf", rule="kva-one-per-occasion"))


def _flagged(transaction: Transaction, write: Write, activity: CoordinationActivity) -> Mapping[str, Any | None]:
    """Its ``meta`` with a tag when it is performed and no consent to coordination is on record; without one otherwise."""
    meta = dict(write.document.content.get("meta", {}))
    tags = [tag for tag in meta.pop("tag", []) if tag != _FLAG]
    consents = consents_of(transaction, activity.patient)
    if not is_coordinated(consents, write.caller.unit, activity.performed or transaction.at):
        tags.append(_FLAG)
    return {"meta": meta | ({"tag": tags} if tags else {}) or None}


# What follows


@dataclass(frozen=True, slots=True)
class _Telling:
    """A record that others are told of. Neither telling needs a consent (decision D17); both are decided and kept."""

    transaction: Transaction
    context: Context
    unit: HsaId
    employee: HsaId
    patient: str
    record: Record

    def promise(self, destination: str, payload: Payload) -> None:
        """Put the message in the outbox."""
        basis, kind = _GROUNDS[destination]
        question = Question(
            patient=self.patient,
            unit=self.unit,
            recipient=Recipient(kind, destination),
            categories=frozenset(),
            purpose=Purpose.COORDINATION,
            at=self.transaction.at,
            basis=basis,
            protected_identity=destination == PLATFORM and is_protected(self.transaction, self.patient),
            asked_by=self.employee,
        )
        message = OutboxMessage(self.context.ids.new(), destination, self.record.reference, question, payload)
        promise(self.transaction, self.context, message)


_GROUNDS: Final = {
    PLATFORM: (LegalBasis.OWN_FOLLOW_UP, RecipientKind.REGIONAL_PLATFORM),
    RECORD_SYSTEM: (LegalBasis.RECORD_OWNER, RecipientKind.RECORD_SYSTEM),
}


def _tell_platform(told: _Telling, document: Document, earlier: Record | None) -> None:
    """The care provider's own platform follows up coded records, and learns when one no longer stands."""
    record = told.record
    before = None if earlier is None else _reduced(decode(earlier.body).content, earlier, told.unit)
    now = _reduced(document.content, record, told.unit)
    if PLATFORM not in told.context.destinations or _same_record(before, now):
        return
    gone = {**document.content, "id": record.id}
    data = mapping.retracted(gone, record.version, record.updated) if now is None else now
    event = RecordEvent(
        id=told.context.ids.new(),
        type=EventType.ACTIVITY_RETRACTED if now is None else EventType.ACTIVITY_CODED,
        subject=record.reference,
        time=record.updated,
        sequence=record.version,
        data=orjson.dumps(data).decode(),
    )
    told.promise(PLATFORM, event)


def _reduced(content: Mapping[str, Any], record: Record, unit: HsaId) -> dict[str, Any] | None:
    """The record as the platform sees it; ``None`` while it has no code."""
    if content["status"] != "completed" or not mapping.kva_codings(content):
        return None
    return mapping.reduced({**content, "id": record.id}, record.version, record.updated, unit)


def _same_record(before: dict[str, Any] | None, now: dict[str, Any] | None) -> bool:
    if before is None or now is None:
        return before is now
    return {**before, "meta": None} == {**now, "meta": None}


def _write_back(told: _Telling, activity: CoordinationActivity, coded: CodedActivity) -> None:
    """The record system gets its record back with the codes, under the identifier that it wrote itself (D25)."""
    _cancel_older_copies(told)
    theirs = [each for each in activity.identifiers if not each.system.startswith(BASE)]
    if RECORD_SYSTEM not in told.context.destinations or not coded.codes or not theirs:
        return
    stored = decode(told.record.body)
    # Our id and version mean nothing there; an update whose body names another id is refused (R4 conditional update).
    meta = {name: value for name, value in stored.content["meta"].items() if name not in ("versionId", "lastUpdated")}
    copy = with_elements(stored, {"id": None, "meta": meta or None})
    told.promise(RECORD_SYSTEM, RecordCopy("Procedure", theirs[0], copy.body.decode()))


def _cancel_older_copies(told: _Telling) -> None:
    """An unsent copy of an older version would put back what no longer holds."""
    if told.record.version == 1:
        return
    for queued in told.transaction.queued(told.patient):
        message = queued.message
        if message.destination == RECORD_SYSTEM and message.about == told.record.reference and queued.state in _UNSENT:
            told.transaction.move(message.id, DeliveryState.CANCELLED, "a newer version of the record replaces it")


_UNSENT: Final = (*UNSENT, DeliveryState.WITHHELD)


def _explained(coded: CodedActivity) -> tuple[Issue, ...]:
    """Which rule gave which code, or why there is none; and what the patient pays."""
    given = [note(f"{applied.code} by {applied.rule}", applied.rule) for applied in coded.codes]
    none = [] if coded.main else [note(f"no GC001: {coded.uncoded_because}", coded.rule)]
    return (*given, *none, note("coordination is free of charge", "kva-free-of-charge"))
