"""Consents and refusals: FHIR R4 ``Consent`` in, what the consent rules decide on out, and back.

A part that the rules do not obey is refused: a limit that is stored and not kept would mislead the patient. Whether
what a permission says is specific enough is for service/rules/consent.py. Sources: fhir_sweden.md § 4; decision D16;
domain rules 1-10.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from contracts.activity import Identifier
from contracts.consent import (
    Consent,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    HowGiven,
    InformationCategory,
    Purpose,
    Recipient,
)
from contracts.errors import Invalid, IssueType
from contracts.identity import HsaId
from contracts.people import Party
from fhir_mappings import people, primitives
from fhir_mappings.consent_door import EXT_TRANSCRIBER, lacking
from fhir_mappings.identifiers import (
    ACT_CODE,
    ACT_REASON,
    CONSENT_ACTION,
    CONSENT_KIND,
    CONSENT_SCOPE,
    EXT_CONSENT_EVENT,
    EXT_CONSENT_MODE,
    HSA_ID,
    INFORMATION_CATEGORY,
    LAW_2019_1297,
    PARTICIPATION_TYPE,
)
from fhir_mappings.people import PartyOf
from fhir_mappings.primitives import Found, Json
from fhir_mappings.reading import Reading

E = TypeVar("E", bound=StrEnum)

RECIPIENT_ROLE: Final = "IRCP"
"""v3-ParticipationType: who is told, or asked."""
CUSTODIAN_ROLE: Final = "CST"
"""v3-ParticipationType: the unit whose information it is."""

_SOMEBODY: Final = HsaId("SE0000000000-0")
_PROVISION: Final = "Consent.provision"
_NOT_OBEYED: Final = ("provision", "data", "class", "securityLabel", "dataPeriod")
_KIND_OF_SCOPE: Final = {"treatment": ConsentKind.COORDINATION, "patient-privacy": ConsentKind.DISCLOSURE}
_SCOPE_OF_KIND: Final = {kind: scope for scope, kind in _KIND_OF_SCOPE.items()}
_DISCLOSURE_CODE: Final = "IDSCL"


# ---- FHIR in -----------------------------------------------------------------------------------------------------


def from_fhir(consent: Json, id: str, version: int, party_of: PartyOf) -> Consent:
    """A consent or refusal. ``party_of`` finds the organisation behind a literal reference."""
    reading = Reading()
    kind = _kind(consent, reading)
    effect = _effect(consent, kind, reading)
    status = reading.member(consent.get("status", ""), "Consent.status", ConsentStatus)
    provision: Json = consent.get("provision", {})
    how, noted = _verified(consent, reading)
    read = Consent(
        id=id,
        version=version,
        kind=kind or ConsentKind.DISCLOSURE,
        status=status or ConsentStatus.INACTIVE,
        effect=effect,
        patient=reading.patient(consent, "Consent", "patient"),
        unit=_unit(consent, kind, party_of, reading),
        given=reading.instant(consent.get("dateTime"), "Consent.dateTime") or noted,
        how=how,
        recipient=_recipient(consent, kind, party_of, reading),
        direction=_direction(provision, reading),
        purposes=frozenset(reading.members(_purposes(provision), Purpose, "consent-purpose")),
        categories=frozenset(_understood(provision, "code", INFORMATION_CATEGORY, InformationCategory, reading)),
        period=reading.period(provision.get("period"), f"{_PROVISION}.period"),
        ends_with_event=reading.extension(provision, _PROVISION, EXT_CONSENT_EVENT, "valueString") or "",
    )
    if kind is not None:
        _check_noted(read, reading)
    _check_obeyed(consent, provision, reading)
    reading.close()
    return read


def check(consent: Json) -> Consent:
    """Everything that can be judged without knowing where literal references lead: those are taken to lead well."""
    read = from_fhir(consent, "", 0, lambda reference: Party(reference, hsa_id=_SOMEBODY))
    issues = lacking(read, consent)
    if issues:
        raise Invalid(*issues)
    return read


def _kind(consent: Json, reading: Reading) -> ConsentKind | None:
    """As our category code says, else as scope and category of the standard say."""
    found = primitives.codes(consent.get("category", ()), "Consent.category", CONSENT_KIND)
    stated = reading.members(found, ConsentKind, "consent-kind")
    kinds = set(stated if found else _inferred_kinds(consent))
    if len(kinds) != 1 and (stated or not found):
        text = "to coordination or to disclosure: a category of the consent-kind code system says which, one of them"
        reading.note(IssueType.REQUIRED, "Consent.category", text, "consent-kind")
    return kinds.pop() if len(kinds) == 1 else None


def _inferred_kinds(consent: Json) -> list[ConsentKind]:
    scopes = (code for code, _ in primitives.coded(consent.get("scope"), "Consent.scope", CONSENT_SCOPE))
    acts = primitives.codes(consent.get("category", ()), "Consent.category", ACT_CODE)
    disclosing = [ConsentKind.DISCLOSURE] if any(code == _DISCLOSURE_CODE for code, _ in acts) else []
    return disclosing + [_KIND_OF_SCOPE[scope] for scope in scopes if scope in _KIND_OF_SCOPE]


def _effect(consent: Json, kind: ConsentKind | None, reading: Reading) -> Effect:
    stated = consent.get("provision", {}).get("type")
    if stated is not None:
        return reading.member(stated, f"{_PROVISION}.type", Effect) or Effect.DENY
    if kind is ConsentKind.DISCLOSURE:
        text = "whether the patient permits or denies is required"
        reading.note(IssueType.REQUIRED, f"{_PROVISION}.type", text, "consent-effect")
    return Effect.PERMIT


def _verified(consent: Json, reading: Reading) -> tuple[HowGiven | None, datetime | None]:
    """How the patient said it, and when that was noted: what the first verification tells that was made."""
    rows = [
        (
            reading.extension_member(each, at, EXT_CONSENT_MODE, HowGiven, "consent-how"),
            reading.instant(each.get("verificationDate"), f"{at}.verificationDate"),
            each.get("verified") is True,
        )
        for index, each in enumerate(consent.get("verification", ()))
        if (at := f"Consent.verification[{index}]")
    ]
    return next(((how, at) for how, at, verified in rows if verified and how), (None, None))


def _direction(provision: Json, reading: Reading) -> Direction | None:
    stated = _understood(provision, "action", CONSENT_ACTION, Direction, reading)
    if len(set(stated)) > 1:
        text = "to tell and to ask are two consents: one never implies the other"
        reading.note(IssueType.BUSINESS_RULE, f"{_PROVISION}.action", text, "consent-direction")
    return stated[0] if stated else None


def _purposes(provision: Json) -> list[Found]:
    """A code of another system is none of ours: it is refused like an unknown one."""
    return [
        (each.get("code", "") if each.get("system") == ACT_REASON else "", f"{_PROVISION}.purpose[{index}].code")
        for index, each in enumerate(provision.get("purpose", ()))
    ]


def _understood(provision: Json, name: str, system: str, known: type[E], reading: Reading) -> list[E]:
    """The members that concepts name, each of which must have a coding that is understood: of a refusal, a part that is
    passed over would be permitted."""
    members: list[E] = []
    for index, each in enumerate(provision.get(name, ())):
        at = f"{_PROVISION}.{name}[{index}]"
        found = primitives.coded(each, at, system) or [("", at)]
        members += reading.members(found, known, f"consent-{name}")
    return members


# ---- Who ---------------------------------------------------------------------------------------------------------


def _unit(consent: Json, kind: ConsentKind | None, party_of: PartyOf, reading: Reading) -> HsaId | None:
    """The unit that the consent was given to (coordination), or whose information it concerns (disclosure)."""
    if kind is ConsentKind.COORDINATION:
        found = [(each, f"Consent.organization[{i}]") for i, each in enumerate(consent.get("organization", ()))][:1]
    else:
        found = _actors(consent, CUSTODIAN_ROLE)
    party = _one_party(consent, found, party_of, reading)
    if party is not None and party.hsa_id is None:
        reading.note(IssueType.VALUE, found[0][1], "a unit is known by its HSA-id", "consent-unit")
    return None if party is None else party.hsa_id


def _recipient(consent: Json, kind: ConsentKind | None, party_of: PartyOf, reading: Reading) -> Recipient | None:
    found = _actors(consent, RECIPIENT_ROLE)
    if found and kind is ConsentKind.COORDINATION:
        text = "a consent to coordination has no recipient: to tell somebody is a consent of its own"
        reading.note(IssueType.BUSINESS_RULE, found[0][1], text, "coordination-has-no-recipient")
        return None
    party = _one_party(consent, found, party_of, reading)
    return None if party is None else party.as_recipient()


def _actors(consent: Json, role: str) -> list[tuple[Json, str]]:
    actors = enumerate(consent.get("provision", {}).get("actor", ()))
    return [
        (actor.get("reference", {}), f"{_PROVISION}.actor[{index}].reference")
        for index, actor in actors
        if any(code == role for code, _ in primitives.coded(actor.get("role"), "", PARTICIPATION_TYPE))
    ]


def _one_party(consent: Json, found: Sequence[tuple[Json, str]], party_of: PartyOf, reading: Reading) -> Party | None:
    for _, at in found[1:]:
        reading.note(
            IssueType.BUSINESS_RULE, at, "one party in each role: each has a consent of its own", "consent-one-party"
        )
    if not found:
        return None
    party = people.referenced_party(consent, found[0][0], party_of)
    if party is None:
        text = "an organisation that is stored here, or named by a right organisation number or HSA-id, is needed"
        reading.note(IssueType.VALUE, found[0][1], text, "consent-party")
    return party


# ---- What a permission must say, and what no consent may ---------------------------------------------------------


def _check_noted(consent: Consent, reading: Reading) -> None:
    """Oral is enough, noted with date and how (domain rule 1). A refusal counts however it was noted."""
    if consent.effect is not Effect.PERMIT or consent.status is not ConsentStatus.ACTIVE:
        return
    if consent.how is None and consent.kind is ConsentKind.DISCLOSURE:
        text = (
            f"how the patient said it is required: a verification that was made, with the extension {EXT_CONSENT_MODE}"
        )
        reading.note(IssueType.REQUIRED, "Consent.verification", text, "consent-how")
    if consent.given is None:
        reading.note(IssueType.REQUIRED, "Consent.dateTime", "when the patient said it is required", "consent-given")


def _check_obeyed(consent: Json, provision: Json, reading: Reading) -> None:
    text = "this limit is not supported: a rule that is stored but not obeyed would mislead"
    reading.refuse(provision, _PROVISION, _NOT_OBEYED, text, "consent-not-obeyed")
    reading.refuse_modifiers(consent, "Consent")
    reading.refuse_modifiers(provision, _PROVISION)
    for index, actor in enumerate(provision.get("actor", ())):
        codes = {code for code, _ in primitives.coded(actor.get("role"), "", PARTICIPATION_TYPE)}
        if codes.isdisjoint((RECIPIENT_ROLE, CUSTODIAN_ROLE)):
            at = f"{_PROVISION}.actor[{index}].role"
            reading.note(IssueType.NOT_SUPPORTED, at, f"{text} (roles: IRCP and CST)", "consent-not-obeyed")


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def to_fhir(consent: Consent, *, recorder: HsaId, evidence: Identifier | None = None) -> dict[str, Any]:
    """The Consent that says it (fhir_sweden.md § 4.3), for systems that report without FHIR. ``evidence`` is where the
    document of a written one is kept."""
    patient = {"reference": f"Patient/{consent.patient}"}
    unit = None if consent.unit is None else primitives.logical(HSA_ID, consent.unit.value, "Organization")
    reference, inside = people.recipient_reference(consent.recipient) if consent.recipient else (None, [])
    elements: dict[str, Any] = {
        "resourceType": "Consent",
        "contained": inside,
        "extension": [
            {"url": EXT_TRANSCRIBER, "valueReference": primitives.logical(HSA_ID, recorder.value, "Practitioner")}
        ],
        "status": str(consent.status),
        "scope": primitives.concept(CONSENT_SCOPE, _SCOPE_OF_KIND[consent.kind]),
        "category": _category(consent),
        "patient": patient,
        "dateTime": consent.given and primitives.to_instant(consent.given),
        "performer": [patient],
        "organization": [unit] if unit else [],
        "sourceReference": evidence and primitives.logical(evidence.system, evidence.value, "DocumentReference"),
        "policy": [{"uri": LAW_2019_1297}],
        "verification": _verification(consent, patient),
        "provision": _provision(consent, unit, reference),
    }
    return {name: value for name, value in elements.items() if value}


def _category(consent: Consent) -> list[dict[str, Any]]:
    ours = [primitives.concept(CONSENT_KIND, consent.kind)]
    standard = [primitives.concept(ACT_CODE, _DISCLOSURE_CODE)] if consent.kind is ConsentKind.DISCLOSURE else []
    return ours + standard


def _verification(consent: Consent, patient: Json) -> list[dict[str, Any]]:
    if consent.how is None:
        return []
    mode = {"extension": [{"url": EXT_CONSENT_MODE, "valueCode": str(consent.how)}]}
    noted = {"verificationDate": primitives.to_instant(consent.given)} if consent.given else {}
    return [mode | {"verified": True, "verifiedWith": patient} | noted]


def _provision(consent: Consent, unit: Json | None, recipient: Json | None) -> dict[str, Any]:
    disclosing = consent.kind is ConsentKind.DISCLOSURE
    parties = ((CUSTODIAN_ROLE, unit if disclosing else None), (RECIPIENT_ROLE, recipient))
    elements: dict[str, Any] = {
        "extension": [{"url": EXT_CONSENT_EVENT, "valueString": consent.ends_with_event}]
        if consent.ends_with_event
        else [],
        "type": str(consent.effect),
        "period": primitives.to_period(consent.period),
        "actor": [_actor(role, reference) for role, reference in parties if reference],
        "action": [primitives.concept(CONSENT_ACTION, consent.direction)] if consent.direction else [],
        "purpose": [primitives.coding(ACT_REASON, purpose) for purpose in sorted(consent.purposes)],
        "code": [primitives.concept(INFORMATION_CATEGORY, category) for category in sorted(consent.categories)],
    }
    return {name: value for name, value in elements.items() if value}


def _actor(role: str, reference: Json) -> dict[str, Any]:
    return {"role": primitives.concept(PARTICIPATION_TYPE, role), "reference": reference}
