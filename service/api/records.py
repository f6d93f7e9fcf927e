"""Writes without FHIR: what the models say becomes a FHIR resource, and the same use case runs."""

from collections.abc import Callable, Sequence
from typing import Any

from contracts.activity import ActivityStatus, CoordinationActivity, Identifier
from contracts.asking import Asked
from contracts.consent import BlockAnswer, Consent, ConsentDecision, ConsentKind, ConsentStatus
from contracts.dialogue import MessagePart, Notification
from contracts.errors import Invalid
from contracts.identity import HsaId, PersonId
from contracts.ports import Transaction
from contracts.record import Caller, Document
from contracts.time import Period
from fhir_mappings import activity as activity_mapping
from fhir_mappings import consent as consent_mapping
from fhir_mappings import dialogue as dialogue_mapping
from fhir_mappings import people, primitives, r4
from fhir_mappings.document import decode, from_content
from fhir_mappings.identifiers import EXT_CODING_RULE, person_system
from service.api import models
from service.usecases.answering import answer
from service.usecases.context import Context, Recorded, Write
from service.usecases.keeping import keep, unchanged, visible
from service.usecases.notify import notify
from service.usecases.record_activity import record_activity
from service.usecases.record_consent import ended, record_consent

Story = Callable[[Transaction], models.WrittenOut]


def activity(context: Context, caller: Caller, given: models.ActivityIn) -> Story:
    """An occasion of coordination, coded."""

    def story(transaction: Transaction) -> models.WrittenOut:
        patient = patient_of(transaction, context, caller, given.patient)
        said = CoordinationActivity(
            patient=patient,
            kinds=given.kinds,
            status=ActivityStatus.NOT_DONE if given.not_done_reason else ActivityStatus.COMPLETED,
            performed=given.performed_at,
            mode=given.mode,
            not_done_reason=given.not_done_reason,
            with_sick_leave=given.with_sick_leave,
            identifiers=_identifiers(given.identifier),
        )
        content = activity_mapping.to_fhir(
            said, employee=caller.employee, unit=caller.unit, note=given.note, text=given.text
        )
        recorded = record_activity(transaction, context, Write(caller, judged(content)))
        return written(recorded)

    return story


def consent(context: Context, caller: Caller, given: models.ConsentIn) -> Story:
    """A consent or a refusal."""

    def story(transaction: Transaction) -> models.WrittenOut:
        disclosing = given.kind is ConsentKind.DISCLOSURE
        said = Consent(
            id="",
            version=0,
            kind=given.kind,
            status=ConsentStatus.ACTIVE,
            effect=given.effect,
            patient=patient_of(transaction, context, caller, given.patient),
            unit=caller.unit,
            given=given.given_at,
            how=given.how,
            recipient=given.recipient.party().as_recipient() if given.recipient else None,
            direction=given.direction if disclosing else None,
            purposes=frozenset(given.purposes),
            categories=frozenset(given.categories),
            period=Period.of_days(given.first_day, given.last_day),
            ends_with_event=given.ends_with_event,
        )
        heard_by = HsaId(given.heard_by) if given.heard_by else caller.employee
        evidence = Identifier(given.evidence.system, given.evidence.value) if given.evidence else None
        content = consent_mapping.to_fhir(said, recorder=heard_by, evidence=evidence)
        return written(record_consent(transaction, context, Write(caller, judged(content))))

    return story


def withdrawal(context: Context, caller: Caller, id: str) -> Story:
    """The patient takes a consent back, as of now; every version stays."""

    def story(transaction: Transaction) -> models.WrittenOut:
        document = decode(visible(transaction, caller, "Consent", id).body)
        return written(record_consent(transaction, context, Write(caller, ended(document, transaction.at), id)))

    return story


def notification(context: Context, caller: Caller, given: models.NotificationIn) -> Story:
    """A request to tell somebody something."""

    def story(transaction: Transaction) -> models.WrittenOut:
        said = Notification(
            patient=patient_of(transaction, context, caller, given.patient),
            recipient="",
            topic=given.topic,
            parts=tuple(MessagePart(part.category, part.text, part.file) for part in given.parts),
            certificate=given.certificate,
            identifiers=_identifiers(given.identifier),
            is_active=not given.draft,
            wanted=given.wanted,
            answers=given.answers,
            in_programme=given.in_programme,
            duty=given.duty,
        )
        content = dialogue_mapping.to_fhir(
            said,
            given.recipient.party().as_recipient(),
            employee=caller.employee,
            unit=caller.unit,
        )
        return written(notify(transaction, context, Write(caller, judged(content))))

    return story


def named_patient(caller: Caller, given: models.PatientRef) -> Callable[[Transaction], str]:
    """The logical id of whom a question is about; empty for a number that nobody has named here."""
    return lambda transaction: _known_patient(transaction, caller, given)


def decision(
    context: Context, caller: Caller, patient: str, asked: Asked, blocks: BlockAnswer
) -> Callable[[Transaction], models.DecisionOut]:
    """The consent rules' answer, kept like every other."""

    def story(transaction: Transaction) -> models.DecisionOut:
        number, kept = answer(transaction, context, caller, patient, asked, blocks)
        return decision_out(number, kept.decision)

    return story


def judged(content: dict[str, Any]) -> Document:
    """A resource made of what was sent: texts that FHIR does not take are the sender's to mend. Raises ``Invalid``."""
    issues = r4.check(content)
    if issues:
        raise Invalid(*issues)
    return from_content(content)


def decision_out(number: int, answer: ConsentDecision) -> models.DecisionOut:
    """A decision as the API shows it."""
    return models.DecisionOut(
        id=str(number) if number else "",
        permitted=answer.permitted,
        recipient=answer.question.recipient.kind.value,
        basis=answer.question.basis.value,
        reasons=tuple(answer.reasons),
        consents=tuple(f"Consent/{used.id}/_history/{used.version}" for used in answer.consents),
        at=answer.question.at,
    )


def codes_of(content: object) -> tuple[models.CodeOut, ...]:
    """The codes that rules gave a stored Procedure."""
    return tuple(models.CodeOut(code=code, display=display, rule=rule) for code, display, rule in _codes(content))


def _codes(content: object) -> Sequence[tuple[str, str, str]]:
    codings = activity_mapping.kva_codings(content) if isinstance(content, dict) else []
    return [
        (coding["code"], coding.get("display", ""), primitives.extension_value(coding, EXT_CODING_RULE) or "")
        for coding in codings
    ]


def written(recorded: Recorded) -> models.WrittenOut:
    """What became of a write, as the API shows it."""
    document = decode(recorded.record.body)
    return models.WrittenOut(
        resource=recorded.record.reference,
        version=recorded.record.version,
        patient=recorded.record.patient,
        changed=recorded.changed,
        codes=codes_of(document.content) if document.type == "Procedure" else (),
        notes=tuple(models.NoteOut(rule=note.rule, text=note.text) for note in recorded.notes),
    )


def patient_of(transaction: Transaction, context: Context, caller: Caller, given: models.PatientRef) -> str:
    """The logical id; a patient whom nobody has named before is made known. Raises ``Conflict`` for one who is known, and not
    the caller's to see."""
    if given.id is not None:
        return visible(transaction, caller, "Patient", given.id).id
    assert given.personal_number is not None  # noqa: S101 - the model demands one of the two
    person = PersonId(given.personal_number)
    wanted = (person_system(person).fhir, person.digits)
    found = transaction.by_token("Patient", "identifier", *wanted, caller.unit.value)
    if found and caller.may_see(found[0]):
        return unchanged(transaction, caller, found[0]).record.id
    return keep(
        transaction, context, Write(caller, from_content(people.patient_resource(person, given.name)))
    ).record.id


def _known_patient(transaction: Transaction, caller: Caller, given: models.PatientRef) -> str:
    """The logical id; empty for a number that nobody whom the caller may see has named here. A question makes nobody known."""
    if given.id is not None:
        return visible(transaction, caller, "Patient", given.id).id
    assert given.personal_number is not None  # noqa: S101 - the model demands one of the two
    person = PersonId(given.personal_number)
    system = person_system(person).fhir
    found = transaction.by_token("Patient", "identifier", system, person.digits, caller.unit.value)
    return found[0].id if found and caller.may_see(found[0]) else ""


def _identifiers(given: models.ExternalId | None) -> tuple[Identifier, ...]:
    return () if given is None else (Identifier(given.system, given.value),)
