"""Patients, organisations and staff: FHIR R4 in, what rules and messages need out.

Sources: fhir_sweden.md §§ 1.3-1.4 (HL7 Sweden's base profiles give no value format: numbers are checked here). An
identifier, name or telephone number marked ``old`` is one that must not be used (FHIR R4: ``use`` is a modifier).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from contracts.consent import Recipient, RecipientKind
from contracts.errors import Invalid, IssueType
from contracts.identity import BadIdentity, HsaId, OrganisationNumber, PersonId
from contracts.people import Party, RegisteredPatient, StaffMember
from fhir_mappings import primitives
from fhir_mappings.identifiers import (
    ACT_CODE,
    HSA_ID,
    NATIONAL_PERSON_SYSTEMS,
    ORGANISATION_NUMBER,
    RECIPIENT_KIND,
    SECURITY_LABEL,
    WORKPLACE_CODE,
    System,
    person_system,
)
from fhir_mappings.primitives import Json, spellings
from fhir_mappings.reading import Reading

T = TypeVar("T")

PartyOf = Callable[[str], Party | None]
"""Finds the organisation behind a literal reference, ``Organization/<id>``; ``None`` if there is none."""

PROTECTED: Final = ("sekretessmarkering", "skyddadFolkbokforing")
"""Security labels of the population register's two markings (glossary 29)."""


class Role(NamedTuple):
    """A PractitionerRole: who, where (literal references, empty for others), and the id of the commission."""

    practitioner: str
    organization: str
    hsa_id: HsaId | None


# ---- FHIR in -----------------------------------------------------------------------------------------------------


def patient(content: Json, id: str) -> RegisteredPatient:
    """A Patient. The national number is checked: format, date, control digit, and that its kind is its system's."""
    reading = Reading()
    person = _person(content, reading)
    protected = _is_protected(content, reading)
    reading.close()
    deceased = content.get("deceasedBoolean", False) or "deceasedDateTime" in content
    return RegisteredPatient(id, person, human_name(content), protected, deceased)


def organization(content: Json, id: str) -> Party:
    """An Organization. ``id`` is empty for a contained one, which nobody else can point at."""
    reading = Reading()
    kinds = reading.members(
        primitives.codes(content.get("type", ()), "Organization.type", RECIPIENT_KIND), RecipientKind
    )
    party = Party(
        reference=f"Organization/{id}" if id else "",
        organisation=_one(content, "Organization", ORGANISATION_NUMBER, OrganisationNumber, reading),
        hsa_id=_one(content, "Organization", HSA_ID, HsaId, reading),
        name=content.get("name", ""),
        stated_kind=reading.only(kinds, "Organization.type", "what the organisation is to the unit"),
        telephone=_telephone(content),
        workplace_code=_one(content, "Organization", WORKPLACE_CODE, str, reading) or "",
        **_address(content),
    )
    if party.stated_kind is not None and party.kind is not party.stated_kind:
        text = "this kind of party has another organisation number"
        reading.note(IssueType.BUSINESS_RULE, "Organization.type", text, "party-number")
    reading.close()
    return party


def staff_member(content: Json) -> StaffMember:
    """A Practitioner."""
    return StaffMember(_hsa_id(content, "Practitioner"), human_name(content))


def role(content: Json) -> Role:
    """A PractitionerRole."""
    hsa_id = _hsa_id(content, "PractitionerRole")
    return Role(_literal(content, "practitioner"), _literal(content, "organization"), hsa_id)


def logical_party(reference: Json) -> Party | None:
    """The organisation that a reference names by organisation number or HSA-id. ``None`` when it names none, or when
    the number is wrong."""
    identifier = reference.get("identifier", {})
    system, value = identifier.get("system"), identifier.get("value", "")
    organisation = _read(OrganisationNumber, value) if system in spellings(ORGANISATION_NUMBER) else None
    hsa_id = _read(HsaId, value) if system in spellings(HSA_ID) else None
    known = organisation is not None or hsa_id is not None
    return Party(organisation=organisation, hsa_id=hsa_id, name=reference.get("display", "")) if known else None


def referenced_party(content: Json, reference: Json, party_of: PartyOf) -> Party | None:
    """The organisation that a reference points at in any of the three ways: contained in ``content``, stored here, or
    by number. ``None`` when that cannot be told, or leaves nothing to know the party by."""
    inside = primitives.contained(content, reference)
    if inside is not None:
        party = _contained_party(inside)
    else:
        party = party_of(reference["reference"]) if primitives.literal(reference) else logical_party(reference)
    return party if party is not None and party.key else None


def staff_hsa_id(reference: Json) -> HsaId | None:
    """The HSA-id by which a reference names somebody on the staff, or a unit."""
    party = logical_party(reference)
    return None if party is None else party.hsa_id


def wrong_hsa_id(reference: Json) -> str:
    """What is wrong with the HSA-id by which a reference names somebody; empty if nothing is."""
    identifier = reference.get("identifier")
    if identifier is None or identifier.get("system") not in spellings(HSA_ID):
        return ""
    try:
        _known_hsa_id(identifier.get("value", ""))
    except BadIdentity as wrong:
        return str(wrong)
    return ""


_known_hsa_id: Final = lru_cache(1000)(HsaId)
"""Those of a unit and of its staff come again and again. What is none is not kept."""


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def patient_resource(person: PersonId | None, name: str, *, protected: bool = False) -> dict[str, Any]:
    """The least that makes a Patient: used when a feed knows somebody whom the record system never posted."""
    labels = [primitives.coding(ACT_CODE, "DEMO"), primitives.coding(SECURITY_LABEL, PROTECTED[0])]
    return {
        "resourceType": "Patient",
        **({"meta": {"security": labels}} if protected else {}),
        **({"identifier": [primitives.identifier(person_system(person), person.digits)]} if person else {}),
        **({"name": [{"text": name}]} if name else {}),
    }


def organization_resource(party: Party) -> dict[str, Any]:
    """An Organization that reads back as the party."""
    numbers = (
        (HSA_ID, party.hsa_id),
        (ORGANISATION_NUMBER, party.organisation),
        (WORKPLACE_CODE, party.workplace_code),
    )
    elements = {
        "identifier": [primitives.identifier(system, str(value)) for system, value in numbers if value],
        "type": [primitives.concept(RECIPIENT_KIND, party.stated_kind)] if party.stated_kind else [],
        "name": party.name,
        "telecom": [{"system": "phone", "value": party.telephone}] if party.telephone else [],
        "address": _address_of(party),
    }
    return {"resourceType": "Organization"} | {name: value for name, value in elements.items() if value}


def recipient_reference(
    recipient: Recipient, *, by_number: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A reference to a recipient, and what must be contained for it.

    A number alone does not say what the party is to the unit. Where the kind does not follow from the number, the party
    is contained, so that it reads back as the same; ``by_number`` does without.
    """
    party = _party(recipient)
    if party.reference:
        return {"reference": party.reference} | ({"display": recipient.name} if recipient.name else {}), []
    if by_number or party.kind is recipient.kind:
        return party_reference(party), []
    inside = organization_resource(_party(recipient, recipient.kind))
    return {"reference": "#recipient"}, [{"resourceType": "Organization", "id": "recipient"} | inside]


def party_reference(party: Party) -> dict[str, Any]:
    """A reference by number to a party that has one."""
    if party.organisation is not None:
        return primitives.logical(ORGANISATION_NUMBER, party.organisation.value, "Organization", party.name)
    return primitives.logical(HSA_ID, str(party.hsa_id), "Organization", party.name)


# ---- Parts of a person or an organisation --------------------------------------------------------------------------


def _current(content: Json, name: str) -> Iterator[tuple[int, Json]]:
    return ((index, each) for index, each in enumerate(content.get(name, ())) if each.get("use") != "old")


def _valued(content: Json, system: System) -> list[tuple[int, str]]:
    known = spellings(system)
    return [
        (index, each["value"])
        for index, each in _current(content, "identifier")
        if each.get("system") in known and "value" in each
    ]


def _one(content: Json, at: str, system: System, make: Callable[[str], T], reading: Reading) -> T | None:
    """The identifier of a system: checked, and the same one if it stands twice."""
    found = [
        (index, reading.identity(make, value, f"{at}.identifier[{index}].value"))
        for index, value in _valued(content, system)
    ]
    for index, value in found[1:]:
        if value != found[0][1]:
            reading.note(IssueType.DUPLICATE, f"{at}.identifier[{index}]", "a second identifier of the same system")
    return found[0][1] if found else None


def _person(content: Json, reading: Reading) -> PersonId | None:
    """A personnummer comes before the samordningsnummer that somebody had before it."""
    found = [_national(content, system, reading) for system in NATIONAL_PERSON_SYSTEMS]
    return next((person for person in found if person is not None), None)


def _national(content: Json, system: System, reading: Reading) -> PersonId | None:
    person = _one(content, "Patient", system, PersonId, reading)
    if person is not None and person_system(person) is not system:
        at = f"Patient.identifier[{_valued(content, system)[0][0]}].value"
        reading.note(IssueType.VALUE, at, "the number is of another kind than its system says", "identity-kind")
    return person


def _is_protected(content: Json, reading: Reading) -> bool:
    labels = content.get("meta", {}).get("security", ())
    ours = [(index, label.get("code")) for index, label in enumerate(labels) if label.get("system") == SECURITY_LABEL]
    for index, code in ours:
        if code not in PROTECTED:
            at = f"Patient.meta.security[{index}].code"
            reading.note(IssueType.CODE_INVALID, at, "the code is not in the list: " + ", ".join(PROTECTED))
    return bool(ours)


def human_name(content: Json) -> str:
    """The first name that is in use, as one text."""
    name: Json = next((name for _, name in _current(content, "name")), {})
    parts = [*name.get("given", ()), name.get("family")]
    return name.get("text") or " ".join(part for part in parts if part)


def _telephone(content: Json) -> str:
    phones = (each for _, each in _current(content, "telecom") if each.get("system") == "phone" and "value" in each)
    return next((phone["value"] for phone in phones), "")


def _address(content: Json) -> dict[str, str]:
    address: Json = next((address for _, address in _current(content, "address")), {})
    lines = ", ".join(line for line in address.get("line", ()) if line)
    return {"address": lines, "postal_code": address.get("postalCode", ""), "city": address.get("city", "")}


def _address_of(party: Party) -> list[dict[str, Any]]:
    address = {"line": [party.address] if party.address else [], "postalCode": party.postal_code, "city": party.city}
    written = {name: value for name, value in address.items() if value}
    return [written] if written else []


def _hsa_id(content: Json, at: str) -> HsaId | None:
    reading = Reading()
    hsa_id = _one(content, at, HSA_ID, HsaId, reading)
    reading.close()
    return hsa_id


def _contained_party(inside: Json) -> Party | None:
    try:
        return organization(inside, "") if inside["resourceType"] == "Organization" else None
    except Invalid:
        return None


def _literal(content: Json, name: str) -> str:
    return "/".join(primitives.literal(content.get(name, {})) or ())


def _party(recipient: Recipient, stated: RecipientKind | None = None) -> Party:
    """The party behind a recipient's key (``Party.key``)."""
    organisation, hsa_id = _read(OrganisationNumber, recipient.party), _read(HsaId, recipient.party)
    reference = "" if organisation or hsa_id else recipient.party
    return Party(reference, organisation, hsa_id, recipient.name, stated)


def _read(make: Callable[[str], T], text: str) -> T | None:
    try:
        return make(text)
    except BadIdentity:
        return None
