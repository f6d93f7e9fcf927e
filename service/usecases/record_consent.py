"""A consent, a refusal or a withdrawal is recorded, and every message that waits is asked about again at once.

A withdrawal withholds what waits in the same transaction (domain rule 3). What is being sent at that moment cannot be called
back: it is told as "left before the withdrawal" (decision D19).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from contracts.consent import Consent, ConsentKind, ConsentStatus, Effect, UnreadableConsent
from contracts.errors import Conflict, Invalid, Issue, IssueType, note
from contracts.outbox import UNSENT, DeliveryState, Erased, OutboxMessage, Queued
from contracts.ports import Transaction
from contracts.record import Caller, Document, Record
from contracts.time import swedish_day
from fhir_mappings import consent as mapping
from fhir_mappings import consent_door, primitives
from fhir_mappings.document import decode, with_elements
from service.rules import consent as rules
from service.rules.consent_door import too_general
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.coordination_case import follow_consent
from service.usecases.deciding import consent_in, consents_of, decide_again, of_its_unit, party_finder
from service.usecases.keeping import current, keep, remove
from service.usecases.promising import reasons


def record_consent(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Keep the consent if it is specific enough and the patient's own word, end the refusals that a new word covers, and
    withhold what may no longer be sent. Raises ``Invalid`` telling which part is too general, and ``Conflict`` for a
    permission that an older word would bring back or widen."""
    consent = mapping.from_fhir(write.document.content, write.id, 0, party_finder(transaction))
    _refuse_too_general(consent, write, context, transaction.at)
    earlier = current(transaction, write) if write.id else None
    _refuse_old_word(transaction, write, of_its_unit(consent, write.caller.unit.value), earlier)
    kept = keep(transaction, context, _heard(write, earlier))
    if not kept.changed:
        return kept
    refusals = _end_refusals(transaction, context, write, consent)
    case = _follow_case(transaction, context, write, consent)
    return replace(kept, notes=(*refusals, *case, *_ask_again(transaction, context, write.caller, consent.patient)))


def _follow_case(transaction: Transaction, context: Context, write: Write, consent: Consent) -> tuple[Issue, ...]:
    """The unit's own case: what is said of coordination by another unit is that unit's to record."""
    if consent.kind is not ConsentKind.COORDINATION or consent.unit not in (None, write.caller.unit):
        return ()
    return follow_consent(transaction, context, write.caller, consent.patient)


def _heard(write: Write, earlier: Record | None) -> Write:
    """With who heard it and wrote it down, where the record system has not said (fhir_sweden.md § 4.3)."""
    if consent_door.names_who_heard(write.document.content):
        return write
    known = {} if earlier is None else decode(earlier.body).content
    return write.saying(consent_door.recorded_by(write.document, write.caller.employee, known))


def remove_consent(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete what the patient has not said: a draft, a proposal, an error on which nothing rests. Consents, refusals and
    withdrawals stand in the record (HSLF-FS 2016:40). One in force is withdrawn instead, with all that a withdrawal does;
    one on whose ground something was told is the proof of that. Raises ``Conflict``."""
    record = transaction.read("Consent", removal.id)
    if record is not None and removal.caller.may_see(record):
        status = decode(record.body).content["status"]
        if status == ConsentStatus.ACTIVE:
            raise Conflict(_stays("withdraw it, by an update to inactive: then what waits is withheld, and it stays"))
        if status not in _DELETABLE:
            raise Conflict(_stays("what the patient has said, and taken back, stands in the record"))
        if transaction.rests_on(record.id, record.patient):
            raise Conflict(_stays("something was told on the ground of this consent: it stays, as the proof"))
    return remove(transaction, context, removal)


_DELETABLE: Final = rules.NOT_SAID | {ConsentStatus.ENTERED_IN_ERROR}


def _stays(text: str) -> Issue:
    """Why a consent cannot be deleted."""
    return Issue(IssueType.BUSINESS_RULE, text, "Consent.status", rule="consent-stays")


def _ask_again(transaction: Transaction, context: Context, caller: Caller, patient: str) -> tuple[Issue, ...]:
    """Ask the rules about each of the patient's messages that has not been accepted, and withhold what they deny."""
    queued = transaction.queued(patient)
    return tuple(note for each in queued for note in _asked_again(transaction, context, caller, each))


def _asked_again(transaction: Transaction, context: Context, caller: Caller, queued: Queued) -> Iterable[Issue]:
    if isinstance(queued.message.payload, Erased):  # it is withheld, and stays so
        return
    decision = decide_again(transaction, queued.message.question, context.region)
    message, named = queued.message, _named(transaction, caller, queued.message)
    if queued.state is DeliveryState.CLAIMED and not decision.permitted:
        yield note(f"{named} left before the withdrawal", "left-before-withdrawal")
    elif queued.state in UNSENT and not decision.permitted:
        transaction.note_decision(decision, message.about)
        transaction.move(message.id, DeliveryState.WITHHELD, reasons(decision))
        yield note(f"{named} is withheld: {reasons(decision)}", "withheld")
    elif queued.state is DeliveryState.WITHHELD and decision.permitted:
        yield note(f"{named} may be sent now: replay it", "may-be-replayed")


def _named(transaction: Transaction, caller: Caller, message: OutboxMessage) -> str:
    """A message as the caller may be told of it: what happens to it is told in any case."""
    type_, _, id_ = message.about.partition("/")
    about = transaction.read(type_, id_) or transaction.tombstone(type_, id_)
    seen = about is None or caller.may_see(about)
    return f"message {message.id} to {message.destination}" if seen else "a message that may not be shown to you"


def _refuse_too_general(consent: Consent, write: Write, context: Context, at: datetime) -> None:
    issues = (
        *too_general(consent, context.region),
        *consent_door.lacking(consent, write.document.content),
        *(() if rules.is_given(consent, at) or not rules.is_permission(consent) else (_AHEAD,)),
    )
    if issues and consent.status is ConsentStatus.ACTIVE:
        raise Invalid(*issues)


_AHEAD: Final = Issue(
    IssueType.BUSINESS_RULE,
    "a consent is recorded when the patient has given it: this time is yet to come",
    "Consent.dateTime",
    rule="consent-given",
)


# What stands, and the patient's new word (domain rules 3, 4).


def _refuse_old_word(transaction: Transaction, write: Write, consent: Consent, earlier: Record | None) -> None:
    """An old copy brings nothing back. Raises ``Conflict``, and ``Invalid`` for a consent of the other kind."""
    stood = earlier or (_deleted(transaction, write.id) if write.id else None)
    before = None if stood is None else consent_in(stood, party_finder(transaction))
    if earlier is not None and before is not None:
        _refuse_other_kind(consent, before)
        _refuse_unsaying(consent, before)
    if not rules.is_permission(consent):
        return
    if stood is not None and before is not None and rules.is_old_word(consent, before, stood.updated):
        raise Conflict(_old(_NEW_WORD))
    if not (isinstance(before, Consent) and rules.is_permission(before) and rules.says_no_more(consent, before)):
        _refuse_copy(transaction, write.caller, consent)


def _deleted(transaction: Transaction, id: str) -> Record | None:
    """What was deleted is read as what cannot be read: an error may have been anything. A draft was never a word of the
    patient's."""
    gone = transaction.tombstone("Consent", id)
    last = transaction.versions("Consent", id)[1].record if gone is not None else None
    return None if last is None or decode(last.body).content["status"] in rules.NOT_SAID else gone


def _refuse_copy(transaction: Transaction, caller: Caller, consent: Consent) -> None:
    """Whatever id it comes under. What the caller may not see is not named."""
    find = party_finder(transaction)
    for record in transaction.by_reference("Consent", "patient", f"Patient/{consent.patient}"):
        if record.id == consent.id:
            continue
        other = consent_in(record, find)
        if rules.brings_back(consent, other, record.updated) or _widens_again(transaction, consent, record, other):
            raise Conflict(_old(f"{_NEW_WORD} ({record.reference})" if caller.may_see(record) else _NEW_WORD))


def _widens_again(transaction: Transaction, consent: Consent, record: Record, now: Consent | UnreadableConsent) -> bool:
    """What the patient has narrowed is kept in the earlier versions of a permission that stands."""
    if record.version == 1 or not rules.is_permission(now):
        return False
    find = party_finder(transaction)
    newest_first = [each.record for each in transaction.versions("Consent", record.id)]
    return any(
        rules.widens_again(consent, consent_in(was, find), now, then.updated) for then, was in pairwise(newest_first)
    )


def _refuse_unsaying(consent: Consent, before: Consent | UnreadableConsent) -> None:
    """By way of a draft an old copy would come back as well."""
    was_draft = isinstance(before, Consent) and before.status in rules.NOT_SAID
    if consent.status in rules.NOT_SAID and not was_draft:
        raise Conflict(_old("what the patient has said becomes no draft: write a new one", "Consent.status"))


def _refuse_other_kind(consent: Consent, before: Consent | UnreadableConsent) -> None:
    if isinstance(before, Consent) and before.kind is not consent.kind:
        text = "a consent stays of its kind: withdraw it, and write one of the other kind"
        raise Invalid(Issue(IssueType.BUSINESS_RULE, text, "Consent.category", rule="same-kind"))


_NEW_WORD: Final = (
    "this would permit what the patient took back, refused or had not permitted: that takes the patient's new word, given "
    "since, with its time; to put right what was written, withdraw it and record a new Consent"
)


def _old(text: str, at: str = "Consent.dateTime") -> Issue:
    return Issue(IssueType.BUSINESS_RULE, text, at, rule="consent-new-word")


# A later yes ends an earlier no (domain rule 4).


def _end_refusals(transaction: Transaction, context: Context, write: Write, consent: Consent) -> Sequence[Issue]:
    if consent.effect is not Effect.PERMIT or consent.status is not ConsentStatus.ACTIVE:
        return ()
    refusals = [
        each
        for each in consents_of(transaction, consent.patient)
        if isinstance(each, Consent) and rules.touches(each, consent, transaction.at)
    ]
    return [_ended_or_named(transaction, context, write, refusal, consent) for refusal in refusals]


def _ended_or_named(
    transaction: Transaction, context: Context, write: Write, refusal: Consent, consent: Consent
) -> Issue:
    record = transaction.read("Consent", refusal.id)
    assert record is not None  # noqa: S101 - it was read in this transaction
    if not write.caller.may_see(record):
        text = "a refusal that may not be shown to you still denies: somebody who may see it ends it if the patient says so"
        return note(text, "refusal-stands")
    is_older = rules.is_before(consent, refusal, record.updated)
    if is_older or not rules.covers(consent, refusal):
        why = "was recorded after this consent was given" if is_older else "is wider than this consent"
        text = f"the refusal Consent/{refusal.id} {why} and still denies: end it if the patient says so"
        return note(text, "refusal-stands")
    keep(transaction, context, Write(write.caller, ended(decode(record.body), transaction.at), refusal.id))
    return note(f"the refusal Consent/{refusal.id} is ended by this consent", "refusal-ended")


def ended(document: Document, at: datetime) -> Document:
    """A consent or refusal that is over from now on. One that has not begun never does: its period stays as it was said.

    A start on the same day is told to the second, as the end is: R4 knows no order between a day and a time in it (per-1).
    """
    provision = dict(document.content.get("provision", {}))
    stated = provision.get("period", {})
    if "start" not in stated or primitives.instant(stated["start"]) <= at:
        same_day = "start" in stated and primitives.swedish_date(stated["start"]) == swedish_day(at)
        start = {"start": primitives.to_instant(primitives.instant(stated["start"]))} if same_day else {}
        provision["period"] = {**stated, **start, "end": primitives.to_instant(at)}
    return with_elements(document, {"status": ConsentStatus.INACTIVE.value, "provision": provision or None})
