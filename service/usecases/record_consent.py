"""A consent, a refusal or a withdrawal is recorded, and every message that waits is asked about again at once.

A withdrawal withholds what waits in the same transaction (domain rule 3). What is being sent at that moment cannot be called
back: it is told as "left before the withdrawal" (decision D19).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from contracts.consent import Consent, ConsentKind, ConsentStatus, Effect
from contracts.errors import Conflict, Invalid, Issue, IssueType, note
from contracts.outbox import UNSENT, DeliveryState, Queued
from contracts.ports import Transaction
from contracts.record import Document
from contracts.time import swedish_day
from fhir_mappings import consent as mapping
from fhir_mappings import consent_door, primitives
from fhir_mappings.document import decode, with_elements
from service.rules import consent as rules
from service.rules.consent_door import too_general
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.coordination_case import follow_consent
from service.usecases.deciding import consents_of, decide_again, party_finder
from service.usecases.keeping import keep, remove
from service.usecases.promising import reasons


def record_consent(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Keep the consent if it is specific enough, end the refusals that the patient's new word covers, and withhold what
    may no longer be sent. Raises ``Invalid`` telling which part is too general."""
    consent = mapping.from_fhir(write.document.content, write.id, 0, party_finder(transaction))
    _refuse_too_general(consent, write, context)
    kept = keep(transaction, context, _heard(transaction, write))
    if not kept.changed:
        return kept
    refusals = _end_refusals(transaction, context, write, consent)
    case = _follow_case(transaction, context, write, consent)
    return replace(kept, notes=(*refusals, *case, *ask_again(transaction, context, consent.patient)))


def _follow_case(transaction: Transaction, context: Context, write: Write, consent: Consent) -> tuple[Issue, ...]:
    """The unit's own case: what is said of coordination by another unit is that unit's to record."""
    if consent.kind is not ConsentKind.COORDINATION or consent.unit not in (None, write.caller.unit):
        return ()
    return follow_consent(transaction, context, write.caller.unit, consent.patient)


def _heard(transaction: Transaction, write: Write) -> Write:
    """With who heard it and wrote it down, where the record system has not said (fhir_sweden.md § 4.3)."""
    if consent_door.names_who_heard(write.document.content):
        return write
    earlier = transaction.read("Consent", write.id) if write.id else None
    known = {} if earlier is None else decode(earlier.body).content
    return write.saying(consent_door.recorded_by(write.document, write.caller.employee, known))


def remove_consent(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete a consent or a refusal that is over and on which nothing rests. One in force is withdrawn instead, with all
    that a withdrawal does; one on whose ground something was told is the proof of that. What is over carries no coordination
    case. Raises ``Conflict``."""
    record = transaction.read("Consent", removal.id)
    if record is not None and removal.caller.may_see(record.unit):
        if decode(record.body).content["status"] == ConsentStatus.ACTIVE:
            raise Conflict(_stays("withdraw it first, by an update to inactive: then what waits is withheld"))
        if transaction.rests_on(record.id, record.patient):
            raise Conflict(_stays("something was told on the ground of this consent: it stays, as the proof"))
    return remove(transaction, context, removal)


def _stays(text: str) -> Issue:
    """Why a consent cannot be deleted."""
    return Issue(IssueType.BUSINESS_RULE, text, "Consent.status", rule="consent-stays")


def ask_again(transaction: Transaction, context: Context, patient: str) -> tuple[Issue, ...]:
    """Ask the rules about each of the patient's messages that has not been accepted, and withhold what they deny."""
    return tuple(note for queued in transaction.queued(patient) for note in _asked_again(transaction, context, queued))


def _asked_again(transaction: Transaction, context: Context, queued: Queued) -> Iterable[Issue]:
    decision = decide_again(transaction, queued.message.question, context.region)
    message = queued.message
    if queued.state is DeliveryState.CLAIMED and not decision.permitted:
        yield note(
            f"message {message.id} to {message.destination} left before the withdrawal", "left-before-withdrawal"
        )
    elif queued.state in UNSENT and not decision.permitted:
        transaction.note_decision(decision, message.about)
        transaction.move(message.id, DeliveryState.WITHHELD, reasons(decision))
        yield note(f"message {message.id} to {message.destination} is withheld: {reasons(decision)}", "withheld")
    elif queued.state is DeliveryState.WITHHELD and decision.permitted:
        yield note(f"message {message.id} to {message.destination} may be sent now: replay it", "may-be-replayed")


def _refuse_too_general(consent: Consent, write: Write, context: Context) -> None:
    issues = (*too_general(consent, context.region), *consent_door.lacking(consent, write.document.content))
    if issues and consent.status is ConsentStatus.ACTIVE:
        raise Invalid(*issues)


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
    if not rules.covers(consent, refusal):
        return note(
            f"the refusal Consent/{refusal.id} is wider than this consent and still denies: end it if the patient says so",
            "refusal-stands",
        )
    record = transaction.read("Consent", refusal.id)
    assert record is not None  # noqa: S101 - it was read in this transaction
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
