from typing import Any

import pytest

from contracts.consent import Recipient, RecipientKind
from contracts.errors import Invalid, IssueType
from contracts.identity import FORSAKRINGSKASSAN, HsaId, OrganisationNumber, PersonId
from contracts.people import Party
from fhir_mappings import people, r4
from fhir_mappings.identifiers import (
    HSA_ID,
    ORGANISATION_NUMBER,
    PERSONNUMMER,
    RECIPIENT_KIND,
    SAMORDNINGSNUMMER,
    SECURITY_LABEL,
    WORKPLACE_CODE,
)
from fhir_mappings.people import Role

PERSON, COORDINATION = "198507219817", "198507819814"
EMPLOYER, UNIT = "5599990008", "SE5599990008-E0001"


def patient(*numbers: tuple[str, str] | dict[str, str], **elements: Any) -> dict[str, Any]:
    identifier = [
        each if isinstance(each, dict) else dict(zip(("system", "value"), each, strict=True)) for each in numbers
    ]
    return {"resourceType": "Patient"} | ({"identifier": identifier} if identifier else {}) | elements


def refused(reader: Any, *arguments: Any) -> list[tuple[IssueType, str, str]]:
    with pytest.raises(Invalid) as refusal:
        reader(*arguments)
    return [(issue.type, issue.expression, issue.rule) for issue in refusal.value.issues]


@pytest.mark.parametrize("system", [PERSONNUMMER.fhir, "urn:oid:1.2.752.129.2.1.3.1", *PERSONNUMMER.also])
@pytest.mark.parametrize("value", [PERSON, "19850721-9817"])
def test_a_national_number_under_every_known_system(system: str, value: str) -> None:
    assert people.patient(patient((system, value)), "1").person == PersonId(PERSON)


@pytest.mark.parametrize(
    ("numbers", "person"),
    [
        ([], None),
        ([("https://ehr.example/pid", "17")], None),
        ([{"system": PERSONNUMMER.fhir}], None),
        ([{"system": PERSONNUMMER.fhir, "value": PERSON, "use": "old"}], None),
        ([(SAMORDNINGSNUMMER.fhir, COORDINATION)], COORDINATION),
        ([(SAMORDNINGSNUMMER.fhir, COORDINATION), (PERSONNUMMER.fhir, PERSON)], PERSON),
        ([(PERSONNUMMER.fhir, PERSON), (PERSONNUMMER.also[0], PERSON)], PERSON),
    ],
)
def test_which_number_is_the_patients(numbers: list[Any], person: str | None) -> None:
    assert people.patient(patient(*numbers), "1").person == (PersonId(person) if person else None)


@pytest.mark.parametrize(
    ("numbers", "issues"),
    [
        ([(PERSONNUMMER.fhir, "198507219818")], [(IssueType.VALUE, "identifier[0].value", "identity-check")]),
        ([(PERSONNUMMER.fhir, "8507219817")], [(IssueType.VALUE, "identifier[0].value", "identity-check")]),
        (
            [("x", "1"), (PERSONNUMMER.fhir, "198513219810")],
            [(IssueType.VALUE, "identifier[1].value", "identity-check")],
        ),
        ([(PERSONNUMMER.fhir, COORDINATION)], [(IssueType.VALUE, "identifier[0].value", "identity-kind")]),
        ([(SAMORDNINGSNUMMER.fhir, PERSON)], [(IssueType.VALUE, "identifier[0].value", "identity-kind")]),
        (
            [(PERSONNUMMER.fhir, PERSON), (PERSONNUMMER.fhir, "199001019802")],
            [(IssueType.DUPLICATE, "identifier[1]", "")],
        ),
    ],
)
def test_refused_numbers(numbers: list[Any], issues: list[tuple[IssueType, str, str]]) -> None:
    told = refused(people.patient, patient(*numbers), "1")

    assert told == [(type_, f"Patient.{at}", rule) for type_, at, rule in issues]


def test_no_refusal_repeats_the_number() -> None:
    with pytest.raises(Invalid) as refusal:
        people.patient(patient((PERSONNUMMER.fhir, "198507219818")), "1")

    assert "19850721" not in str(refusal.value)


@pytest.mark.parametrize(
    ("security", "protected"),
    [
        ([], False),
        ([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "DEMO"}], False),
        ([{"system": SECURITY_LABEL, "code": "sekretessmarkering"}], True),
        ([{"system": "x", "code": "R"}, {"system": SECURITY_LABEL, "code": "skyddadFolkbokforing"}], True),
    ],
)
def test_protected_identity(security: list[dict[str, str]], protected: bool) -> None:
    assert people.patient(patient(meta={"security": security}), "1").protected is protected


def test_an_unknown_marking_is_refused() -> None:
    content = patient(meta={"security": [{"system": SECURITY_LABEL, "code": "okand"}]})

    assert refused(people.patient, content, "1") == [(IssueType.CODE_INVALID, "Patient.meta.security[0].code", "")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ([{"text": "Ida Ek", "family": "X"}], "Ida Ek"),
        ([{"given": ["Ida", None, "Maria"], "family": "Ek"}], "Ida Maria Ek"),
        ([{"use": "old", "text": "Ida Gran"}, {"text": "Ida Ek"}], "Ida Ek"),
        ([], ""),
    ],
)
def test_names(name: list[dict[str, Any]], text: str) -> None:
    assert people.patient(patient(name=name), "1").name == text
    assert people.staff_member({"resourceType": "Practitioner", "name": name}).name == text


def test_patients_read_back() -> None:
    made = people.patient_resource(PersonId(COORDINATION), "Ida Ek", protected=True)

    assert r4.check(made) == ()
    read = people.patient(made, "1")
    assert (read.person, read.name, read.protected) == (PersonId(COORDINATION), "Ida Ek", True)
    assert people.patient_resource(None, "") == {"resourceType": "Patient"}


# ---- Organisations -------------------------------------------------------------------------------------------------

UNIT_PARTY = Party(
    reference="Organization/7",
    organisation=OrganisationNumber(EMPLOYER),
    hsa_id=HsaId(UNIT),
    name="Vårdcentralen Eken",
    stated_kind=RecipientKind.SAME_CARE_PROVIDER,
    address="Ekvägen 1",
    postal_code="123 45",
    city="Exempelstad",
    telephone="010-123 45 67",
    workplace_code="1234567890123",
)


def test_organisations_read_back() -> None:
    made = people.organization_resource(UNIT_PARTY)

    assert r4.check(made) == ()
    assert people.organization(made, "7") == UNIT_PARTY


def test_what_is_old_is_not_used() -> None:
    content = {
        "resourceType": "Organization",
        "telecom": [{"system": "email", "value": "a@b.example"}, {"system": "phone", "value": "1", "use": "old"}],
        "address": [{"use": "old", "city": "Gamla"}, {"line": ["Nya vägen 2", "Plan 3"], "city": "Nya"}],
        "identifier": [{"system": HSA_ID.fhir, "value": UNIT, "use": "old"}],
    }

    party = people.organization(content, "7")

    assert (party.telephone, party.address, party.city, party.hsa_id) == ("", "Nya vägen 2, Plan 3", "Nya", None)


@pytest.mark.parametrize(
    ("elements", "issue"),
    [
        (
            {"identifier": [{"system": ORGANISATION_NUMBER.fhir, "value": "5599990009"}]},
            (IssueType.VALUE, "Organization.identifier[0].value", "identity-check"),
        ),
        (
            {"identifier": [{"system": "urn:oid:1.2.752.129.2.1.4.1", "value": "eken"}]},
            (IssueType.VALUE, "Organization.identifier[0].value", "identity-check"),
        ),
        (
            {"type": [{"coding": [{"system": RECIPIENT_KIND, "code": "myndigheter"}]}]},
            (IssueType.CODE_INVALID, "Organization.type[0].coding[0].code", ""),
        ),
        (
            {"type": [{"coding": [{"system": RECIPIENT_KIND, "code": code} for code in ("employer", "union")]}]},
            (IssueType.BUSINESS_RULE, "Organization.type", ""),
        ),
        (
            {"identifier": [{"system": WORKPLACE_CODE.fhir, "value": value} for value in ("1", "2")]},
            (IssueType.DUPLICATE, "Organization.identifier[1]", ""),
        ),
    ],
)
def test_refused_organisations(elements: dict[str, Any], issue: tuple[IssueType, str, str]) -> None:
    assert refused(people.organization, {"resourceType": "Organization"} | elements, "7") == [issue]


# ---- References to parties -------------------------------------------------------------------------------------------


def by_number(system: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": system, "value": value}, "display": "Namn"}


@pytest.mark.parametrize(
    ("reference", "party"),
    [
        (by_number("urn:oid:2.5.4.97", "202100-5521"), Party(organisation=FORSAKRINGSKASSAN, name="Namn")),
        (by_number("urn:oid:1.2.752.29.4.3", "2021005521"), Party(organisation=FORSAKRINGSKASSAN, name="Namn")),
        (by_number(HSA_ID.fhir, UNIT), Party(hsa_id=HsaId(UNIT), name="Namn")),
        (by_number("urn:oid:1.2.752.129.2.1.4.1", UNIT), Party(hsa_id=HsaId(UNIT), name="Namn")),
        (by_number(HSA_ID.fhir, "eken"), None),
        (by_number(ORGANISATION_NUMBER.fhir, UNIT), None),
        (by_number("https://ehr.example/org", "7"), None),
        ({"reference": "Organization/7"}, None),
        ({}, None),
    ],
)
def test_parties_by_number(reference: dict[str, Any], party: Party | None) -> None:
    assert people.logical_party(reference) == party


RECIPIENTS = [
    Recipient(RecipientKind.FORSAKRINGSKASSAN, FORSAKRINGSKASSAN.value, "Försäkringskassan"),
    Recipient(RecipientKind.EMPLOYER, EMPLOYER, "Ekens Verkstad AB"),
    Recipient(RecipientKind.OTHER_CARE_PROVIDER, UNIT, "Vårdcentralen Eken"),
    Recipient(RecipientKind.OTHER, UNIT),
]


@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_recipients_read_back_with_what_they_are(recipient: Recipient) -> None:
    reference, inside = people.recipient_reference(recipient)

    party = people.referenced_party({"contained": inside}, reference, lambda _: None)

    assert party is not None
    assert party.as_recipient() == recipient


def test_a_stored_recipient_is_pointed_at() -> None:
    recipient = Recipient(RecipientKind.EMPLOYER, "Organization/7", "Ekens Verkstad AB")

    assert people.recipient_reference(recipient) == (
        {"reference": "Organization/7", "display": "Ekens Verkstad AB"},
        [],
    )


@pytest.mark.parametrize(
    "inside",
    [
        {"resourceType": "Organization", "id": "a", "name": "Någon"},
        {"resourceType": "Organization", "id": "a", "identifier": [{"system": HSA_ID.fhir, "value": "eken"}]},
        {"resourceType": "Practitioner", "id": "a"},
        {"resourceType": "Organization", "id": "b"},
    ],
)
def test_a_contained_party_that_cannot_be_told_is_none(inside: dict[str, Any]) -> None:
    assert people.referenced_party({"contained": [inside]}, {"reference": "#a"}, lambda _: None) is None


# ---- Staff -----------------------------------------------------------------------------------------------------------


def test_staff() -> None:
    content = {"identifier": [{"system": HSA_ID.fhir, "value": UNIT}], "name": [{"text": "Rut Ek"}]}

    member = people.staff_member({"resourceType": "Practitioner"} | content)

    assert (member.hsa_id, member.name) == (HsaId(UNIT), "Rut Ek")


def test_roles() -> None:
    content = {"practitioner": {"reference": "Practitioner/1"}, "organization": {"reference": "Organization/2"}}

    assert people.role(content) == Role("Practitioner/1", "Organization/2", None)
    assert people.role({}) == Role("", "", None)


@pytest.mark.parametrize(
    ("reader", "type_"), [(people.staff_member, "Practitioner"), (people.role, "PractitionerRole")]
)
def test_wrong_ids_of_staff_are_refused(reader: Any, type_: str) -> None:
    content = {"identifier": [{"system": HSA_ID.fhir, "value": "SE1"}]}

    assert refused(reader, content) == [(IssueType.VALUE, f"{type_}.identifier[0].value", "identity-check")]
