"""The audit trail as FHIR R4 ``AuditEvent``, in the patterns of IHE BALP 1.1: identifiers, never content.

A decision follows ``AuthZconsent``, which demands a consent: one that rests on none has the same shape and does not claim the
profile. A disclosure follows ``PrivacyDisclosure.Source``. Sources: fhir_sweden.md § 5.5; https://profiles.ihe.net/ITI/BALP
"""

from typing import Any, Final, NamedTuple

from contracts.audit import AuditedDecision, AuditedDisclosure
from contracts.consent import LegalBasis, Question, Recipient
from fhir_mappings import people, primitives, r4
from fhir_mappings.identifiers import ACT_REASON, HSA_ID, MESSAGE_ID, PARTICIPATION_TYPE

_BALP: Final = "https://profiles.ihe.net/ITI/BALP"
AUTHZ_CONSENT: Final = f"{_BALP}/StructureDefinition/IHE.BasicAudit.AuthZconsent"
PRIVACY_DISCLOSURE: Final = f"{_BALP}/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"

_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_ROLE_CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
_SECURITY_ROLE: Final = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"
_LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_OBJECT_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
_SOURCE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"

SUCCESS: Final = "0"
UNKNOWN: Final = "4"
FAILURE: Final = "8"
"""Outcomes: https://hl7.org/fhir/R4/valueset-audit-event-outcome.html"""


class Kind(NamedTuple):
    """What all events of a kind say alike: type and subtype as system, code and word."""

    type: tuple[str, str, str]
    subtype: tuple[str, str, str]
    action: str


DECISION: Final = Kind(
    (_DICOM, "110113", "Security Alert"), (f"{_BALP}/CodeSystem/AuthZsubType", "AuthZ-Consent", ""), "E"
)
DISCLOSURE: Final = Kind((_DICOM, "110106", "Export"), (_LIFECYCLE, "disclose", ""), "R")

_OTHER_REASON: Final = {LegalBasis.EMERGENCY: "ETREAT"}
"""v3-ActReason where the ground says more than the purpose does."""


def of_decision(decision: AuditedDecision, base: str) -> bytes:
    """The AuditEvent ``decision-<number>``. ``base`` is the address of the FHIR surface."""
    kept = decision.kept.decision
    consents = [_entity(_RESOURCE_TYPES, "Consent", f"Consent/{u.id}/_history/{u.version}") for u in kept.consents]
    content = {
        "id": f"decision-{decision.number}",
        "meta": {"profile": [AUTHZ_CONSENT]} if consents else {},
        **_kind(DECISION),
        "recorded": primitives.to_instant(decision.at),
        "outcome": SUCCESS if kept.permitted else FAILURE,
        "outcomeDesc": f"{kept.question.basis}: {', '.join(kept.reasons)}",
        "purposeOfEvent": _purpose(kept.question),
        "agent": [
            _agent(_DICOM, "110150", _this(base)) | {"network": _address(base)},
            _agent(PARTICIPATION_TYPE, "IRCP", _user(kept.question), asks=True),
            _agent(_ROLE_CLASS, "PROV", _unit(kept.question)),
            _agent(_SECURITY_ROLE, "authserver", _this(base)),
        ],
        "source": _source(base),
        "entity": [_patient(kept.question), *consents],
    }
    return r4.build("AuditEvent", {name: value for name, value in content.items() if value})


def of_disclosure(disclosure: AuditedDisclosure, base: str) -> bytes:
    """The AuditEvent ``disclosure-<number>``."""
    question = disclosure.question
    told = disclosure.told or ("" if disclosure.certain else "no answer came: it may have been received")
    content = {
        "id": f"disclosure-{disclosure.number}",
        "meta": {"profile": [PRIVACY_DISCLOSURE]},
        **_kind(DISCLOSURE),
        "recorded": primitives.to_instant(disclosure.at),
        "outcome": SUCCESS if disclosure.certain else UNKNOWN,
        "outcomeDesc": told,
        "purposeOfEvent": _purpose(question),
        "agent": [
            _agent(_DICOM, "110153", _this(base)) | {"network": _address(base)},
            _agent(_DICOM, "110152", _recipient(question.recipient))
            | {"network": _address(f"urn:rekobryggan:destination:{disclosure.destination}")},
            _agent(PARTICIPATION_TYPE, "IRCP", _user(question), asks=True),
            _agent(_ROLE_CLASS, "PROV", _unit(question)),
        ],
        "source": _source(base),
        "entity": [
            _patient(question),
            _entity(_ENTITY_TYPE, "2", disclosure.about, "3"),
            {
                "what": {"identifier": primitives.identifier(MESSAGE_ID, disclosure.message)},
                "type": primitives.coding(_ENTITY_TYPE, "2"),
            },
        ],
    }
    return r4.build("AuditEvent", {name: value for name, value in content.items() if value})


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "type": primitives.coding(*kind.type),
        "subtype": [primitives.coding(*kind.subtype)],
        "action": kind.action,
    }


def _purpose(question: Question) -> list[dict[str, Any]]:
    return [primitives.concept(ACT_REASON, _OTHER_REASON.get(question.basis, question.purpose))]


def _agent(system: str, code: str, who: dict[str, Any], *, asks: bool = False) -> dict[str, Any]:
    return {"type": primitives.concept(system, code), "who": who, "requestor": asks}


def _this(base: str) -> dict[str, Any]:
    """The service itself: who enforces, who decides, and who observes are one."""
    return {"type": "Device", "identifier": {"system": "urn:ietf:rfc:3986", "value": base}, "display": "Rekobryggan"}


def _user(question: Question) -> dict[str, Any]:
    """The person for whom it was asked; the unit where nobody is named (records from before that was kept)."""
    if question.asked_by is None:
        return _unit(question)
    return primitives.logical(HSA_ID, question.asked_by.value, "Practitioner")


def _unit(question: Question) -> dict[str, Any]:
    return primitives.logical(HSA_ID, question.unit.value, "Organization")


def _recipient(recipient: Recipient) -> dict[str, Any]:
    reference, _ = people.recipient_reference(recipient, by_number=True)
    return reference


def _address(uri: str) -> dict[str, str]:
    return {"address": uri, "type": "5"}


def _source(base: str) -> dict[str, Any]:
    return {"observer": _this(base), "type": [primitives.coding(_SOURCE_TYPE, "4", "Application Server")]}


def _patient(question: Question) -> dict[str, Any]:
    return _entity(_ENTITY_TYPE, "1", f"Patient/{question.patient}", "1")


def _entity(system: str, code: str, reference: str, role: str = "") -> dict[str, Any]:
    entity = {"what": {"reference": reference}, "type": primitives.coding(system, code)}
    return entity | ({"role": primitives.coding(_OBJECT_ROLE, role)} if role else {})
