"""Asking the consent rules with what is on record."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from contracts.consent import (
    Consent,
    ConsentDecision,
    ConsentKind,
    ConsentStatus,
    Effect,
    LegalBasis,
    Question,
    UnreadableConsent,
)
from contracts.errors import RekoError
from contracts.identity import HsaId
from contracts.people import Party, RegisteredPatient
from contracts.ports import Snapshot, Transaction
from contracts.record import Record
from fhir_mappings import consent as consent_mapping
from fhir_mappings import people
from fhir_mappings.document import decode
from service.rules import consent as rules
from service.rules.region import RegionalProfile


def decide(transaction: Transaction, question: Question, region: RegionalProfile) -> ConsentDecision:
    """The answer to a question, from every consent on record for the patient."""
    asked = rules.asks_for_consents(question, region)
    return rules.decide(question, consents_of(transaction, question.patient) if asked else (), region)


def decide_again(transaction: Transaction, question: Question, region: RegionalProfile) -> ConsentDecision:
    """The answer to a question that was asked before, as things are now: the hour, the consents, and whether the
    population register has marked the patient since (the record system gets its own record back all the same)."""
    marked = question.basis is not LegalBasis.RECORD_OWNER and is_protected(transaction, question.patient)
    return decide(transaction, replace(question, at=transaction.at, protected_identity=marked), region)


def consents_of(transaction: Transaction, patient: str) -> Sequence[Consent | UnreadableConsent]:
    """Every consent and refusal of the patient; one that cannot be read is there as such, and denies."""
    records = transaction.by_reference("Consent", "patient", f"Patient/{patient}")
    find = party_finder(transaction)
    return [_read(record, find) for record in records]


def _read(record: Record, find: Callable[[str], Party | None]) -> Consent | UnreadableConsent:
    try:
        read = consent_mapping.from_fhir(decode(record.body).content, record.id, record.version, find)
        return _of_its_unit(read, record)
    except (RekoError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        # Whatever is wrong with a stored refusal, it must not open what it closed (decision D16).
        return UnreadableConsent(record.id, record.version)


def _of_its_unit(consent: Consent, record: Record) -> Consent:
    """A permission that names no unit was given to the one that recorded it; a refusal that names none means all."""
    named = consent.unit is not None or consent.effect is Effect.DENY
    return consent if named else replace(consent, unit=HsaId(record.unit))


def party_finder(transaction: Transaction) -> Callable[[str], Party | None]:
    """Who a literal ``Organization/<id>`` reference means; ``None`` when it leads nowhere."""

    def find(reference: str) -> Party | None:
        type_, _, id_ = reference.partition("/")
        record = transaction.read(type_, id_) if type_ == "Organization" else None
        return None if record is None else people.organization(decode(record.body).content, id_)

    return find


def registered_patient(snapshot: Snapshot, id: str) -> RegisteredPatient | None:
    """The patient behind a logical id."""
    record = snapshot.read("Patient", id)
    return None if record is None else people.patient(decode(record.body).content, id)


def is_protected(transaction: Transaction, patient: str) -> bool:
    """Whether the population register marks the patient (glossary 29)."""
    known = registered_patient(transaction, patient)
    return known is not None and known.protected


def is_coordinated(consents: Sequence[Consent | UnreadableConsent], unit: HsaId, at: datetime) -> bool:
    """Whether a consent to coordination by the unit is in force."""
    return any(
        isinstance(consent, Consent)
        and consent.kind is ConsentKind.COORDINATION
        and consent.effect is Effect.PERMIT
        and consent.status is ConsentStatus.ACTIVE
        and consent.unit in (None, unit)
        and consent.period.holds(at)
        for consent in consents
    )
