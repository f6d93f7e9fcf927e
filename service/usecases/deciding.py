"""Asking the consent rules with what is on record."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from contracts.consent import (
    BlockAnswer,
    Consent,
    ConsentKind,
    ConsentPolicy,
    ConsentStatus,
    DecisionRecord,
    Effect,
    LegalBasis,
    Question,
    Recipient,
    RecipientKind,
    UnreadableConsent,
)
from contracts.errors import Conflict, RekoError
from contracts.identity import HsaId
from contracts.people import Party, RegisteredPatient
from contracts.ports import Snapshot, Transaction
from contracts.record import Caller, Record
from contracts.time import swedish_day
from fhir_mappings import consent as consent_mapping
from fhir_mappings import people
from fhir_mappings.document import decode
from fhir_mappings.people import PartyOf
from service.rules import consent as rules
from service.rules.region import RegionalProfile

KNOWN: Final = 2000
"""Patients, organisations and consents that are kept as read: every decision asks for them again."""

_GROUNDS: Final = {
    RecipientKind.SAME_CARE_PROVIDER: LegalBasis.INTERNAL_COORDINATION,
    RecipientKind.REGIONAL_PLATFORM: LegalBasis.OWN_FOLLOW_UP,
    RecipientKind.RECORD_SYSTEM: LegalBasis.RECORD_OWNER,
}


def ground_for(recipient: Recipient) -> LegalBasis:
    """The ground on which the service itself tells somebody (decision D17)."""
    return _GROUNDS.get(recipient.kind, LegalBasis.CONSENT)


def belongs_to(provider: HsaId, recipient: Recipient) -> bool:
    """Whether the recipient is of the care provider: its HSA-id was given out by it, or it has its organisation number
    (both stand in the first part of the provider's HSA-id). Anybody else cannot be told to be."""
    issuer, _, suffix = recipient.party.partition("-")
    return issuer == provider.issuer if suffix else len(issuer) == 10 and provider.issuer.endswith(issuer)


def decide(transaction: Transaction, question: Question, region: RegionalProfile) -> DecisionRecord:
    """The answer to a question, from every consent on record for the patient, with all that it was made from."""
    asked = rules.asks_for_consents(question, region)
    consents = consents_of(transaction, question.patient) if asked else ()
    return DecisionRecord(
        rules.decide(question, consents, region),
        tuple(each for each in consents if isinstance(each, Consent)),
        tuple(each for each in consents if isinstance(each, UnreadableConsent)),
        ConsentPolicy(region.longest_consent_days, region.platform_needs_consent),
        rules.VERSION,
    )


def decide_again(transaction: Transaction, question: Question, region: RegionalProfile) -> DecisionRecord:
    """The answer to a question that was asked before, as things are now: the hour, the consents, and whether the
    population register has marked the patient since (the record system gets its own record back all the same). What the
    block service once said is no answer any more."""
    marked = question.basis is not LegalBasis.RECORD_OWNER and is_protected(transaction, question.patient)
    now = replace(question, at=transaction.at, protected_identity=marked, blocks=BlockAnswer.NOT_ASKED)
    return decide(transaction, now, region)


def consent_day(decision: DecisionRecord) -> date | None:
    """The day on which the patient gave the newest disclosure consent that a permission rests on; ``None`` where it rests on
    none."""
    used = {each.id for each in decision.decision.consents}
    given = [
        swedish_day(consent.given)
        for consent in decision.consents
        if decision.permitted
        and consent.id in used
        and consent.kind is ConsentKind.DISCLOSURE
        and consent.given is not None
    ]
    return max(given, default=None)


def decide_as_then(kept: DecisionRecord) -> DecisionRecord:
    """A kept decision, made once more by today's rules from what was known then. Raises ``Conflict`` for one that was made
    before inputs were kept."""
    if kept.policy is None:
        raise Conflict("this decision is from before inputs were kept: it cannot be made again")
    again = rules.decide(kept.decision.question, (*kept.consents, *kept.unreadable), kept.policy)
    return replace(kept, decision=again, rules=rules.VERSION)


def consents_of(snapshot: Snapshot, patient: str) -> Sequence[Consent | UnreadableConsent]:
    """Every consent and refusal of the patient; one that cannot be read is there as such, and denies."""
    records = snapshot.by_reference("Consent", "patient", f"Patient/{patient}")
    find = party_finder(snapshot)
    return [consent_in(record, find) for record in records]


_FAULTS: Final = (RekoError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""Whatever is wrong with a stored refusal, it must not open what it closed (decision D16)."""


def consent_in(record: Record, find: PartyOf) -> Consent | UnreadableConsent:
    """What a stored consent says."""
    said = (record.body, record.id, record.version, record.unit)
    try:
        return _read_once(*said, tuple((asked, find(asked)) for asked in _asked_for(*said)))
    except _FAULTS:
        return UnreadableConsent(record.id, record.version)


@lru_cache(KNOWN)
def _read_once(
    body: bytes, id: str, version: int, unit: str, parties: tuple[tuple[str, Party | None], ...]
) -> Consent | UnreadableConsent:
    """A consent, kept as read: under its very bytes and all that it depends on, so that nothing else is taken for it."""
    return _judged(body, id, version, unit, dict(parties).__getitem__)


@lru_cache(KNOWN)
def _asked_for(body: bytes, id: str, version: int, unit: str) -> tuple[str, ...]:
    """The references to organisations that the reading of a consent depends on."""
    asked: list[str] = []

    def nobody(reference: str) -> Party | None:
        asked.append(reference)
        return None

    _judged(body, id, version, unit, nobody)
    return tuple(asked)


def _judged(body: bytes, id: str, version: int, unit: str, find: PartyOf) -> Consent | UnreadableConsent:
    try:
        return of_its_unit(consent_mapping.from_fhir(decode(body).content, id, version, find), unit)
    except _FAULTS:
        return UnreadableConsent(id, version)


def of_its_unit(consent: Consent, unit: str) -> Consent:
    """A permission that names no unit was given to the one that recorded it; a refusal that names none means all."""
    named = consent.unit is not None or consent.effect is Effect.DENY
    return consent if named else replace(consent, unit=HsaId(unit))


def party_finder(snapshot: Snapshot) -> PartyOf:
    """Who a literal ``Organization/<id>`` reference means; ``None`` when it leads nowhere."""

    def find(reference: str) -> Party | None:
        type_, _, id_ = reference.partition("/")
        record = snapshot.read(type_, id_) if type_ == "Organization" else None
        return None if record is None else _party_in(record.body, id_)

    return find


@lru_cache(KNOWN)
def _party_in(body: bytes, id: str) -> Party:
    return people.organization(decode(body).content, id)


def registered_patient(snapshot: Snapshot, id: str) -> RegisteredPatient | None:
    """The patient behind a logical id."""
    record = snapshot.read("Patient", id)
    return None if record is None else patient_in(record.body, id)


@lru_cache(KNOWN)
def patient_in(body: bytes, id: str) -> RegisteredPatient:
    """The patient of whom a stored Patient tells."""
    return people.patient(decode(body).content, id)


def seen_patient(snapshot: Snapshot, caller: Caller, id: str) -> RegisteredPatient | None:
    """The same for somebody's eyes: ``None`` where the caller may not see the record."""
    record = snapshot.read("Patient", id)
    return None if record is None or not caller.may_see(record) else patient_in(record.body, id)


def is_protected(transaction: Transaction, patient: str) -> bool:
    """Whether the population register marks the patient (glossary 29)."""
    known = registered_patient(transaction, patient)
    return known is not None and known.protected


def is_coordinated(consents: Sequence[Consent | UnreadableConsent], unit: HsaId, at: datetime) -> bool:
    """Whether a consent to coordination by the unit is in force, and no refusal of it."""
    said = {
        consent.effect
        for consent in consents
        if isinstance(consent, Consent)
        and consent.kind is ConsentKind.COORDINATION
        and consent.status is ConsentStatus.ACTIVE
        and consent.unit in (None, unit)
        and consent.period.holds(at)
    }
    return said == {Effect.PERMIT}
