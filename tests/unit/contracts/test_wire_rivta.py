"""The RIV-TA schemas and WSDLs say what the facts say.

Sources: forsakringskassan.md § 1.1-1.6 (what passes and what fails the national schema was tried there),
rehabstod.md § 1.2-1.7. Each message is built whole, every optional part present; a case changes one thing in it.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache, partial
from pathlib import Path

import pytest
from lxml import etree

from contracts.identity import control_digit
from tests.unit.contracts import wire_outlines as outlines

RIVTA = Path(__file__).parents[3] / "contracts" / "wire" / "rivta"
CERTIFICATE = "urn:riv:clinicalprocess:healthcond:certificate"
REHABILITATION = "urn:riv:clinicalprocess:healthcond:rehabilitation"
CONSENT = "urn:riv:informationsecurity:authorization:consent"
LOG = "urn:riv:informationsecurity:auditing:log"
BLOCKING = "urn:riv:informationsecurity:authorization:blocking"
PERMISSIONS = "urn:riv:infrastructure:directory:authorizationmanagement"
EMPLOYEE = "urn:riv:infrastructure:directory:employee"
ORGANISATION = "urn:riv:infrastructure:directory:organization"
CREDENTIALS = f"{PERMISSIONS}:GetCredentialsForPersonIncludingProtectedPersonResponder"
MEMBERS = f"{ORGANISATION}:GetHealthCareUnitMembersResponder"

NS = {
    "r": f"{CERTIFICATE}:SendMessageToRecipientResponder:2",
    "m": f"{CERTIFICATE}:SendMessageToCareResponder:2",
    "g": f"{CERTIFICATE}:GetCertificateResponder:2",
    "c": f"{CERTIFICATE}:3",
    "t": f"{CERTIFICATE}:types:3",
    "e": f"{CERTIFICATE}:3.2",
    "u": f"{REHABILITATION}:ListActiveSickLeavesForCareUnitResponder:1",
    "p": f"{REHABILITATION}:ListSickLeavesForPersonResponder:1",
    "k": f"{REHABILITATION}:1",
    "t2": f"{CERTIFICATE}:types:2",
    "co": f"{CONSENT}:2",
    "cc": f"{CONSENT}:CheckConsentResponder:2",
    "cr": f"{CONSENT}:RegisterExtendedConsentResponder:2",
    "lo": f"{LOG}:2",
    "ls": f"{LOG}:StoreLogResponder:2",
    "bl": f"{BLOCKING}:4",
    "bc": f"{BLOCKING}:CheckBlocksResponder:4",
    "am": f"{PERMISSIONS}:2",
    "am1": f"{PERMISSIONS}:2.1",
    "am2": f"{PERMISSIONS}:2.2",
    "ac": f"{CREDENTIALS}:2",
    "ac1": f"{CREDENTIALS}:2.1",
    "em": f"{EMPLOYEE}:3",
    "ae": f"{EMPLOYEE}:GetEmployeeIncludingProtectedPersonResponder:3",
    "or": f"{ORGANISATION}:2",
    "or2": f"{ORGANISATION}:2.2",
    "ou": f"{ORGANISATION}:GetHealthCareUnitResponder:2",
    "ov": f"{MEMBERS}:2",
    "ov1": f"{MEMBERS}:2.1",
    "itr": "urn:riv:itintegration:registry:1",
    "x": "https://example.org/foreign",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "wsdl": "http://schemas.xmlsoap.org/wsdl/",
    "soap": "http://schemas.xmlsoap.org/wsdl/soap/",
}

#: Our file -> the namespace it holds. One file per namespace, one namespace per file.
SCHEMAS = {
    "registry_1.xsd": NS["itr"],
    "certificate_3.xsd": NS["c"],
    "certificate_3.2.xsd": NS["e"],
    "certificate_types_3.xsd": NS["t"],
    "certificate_types_2.xsd": NS["t2"],
    "send_message_to_recipient_2.xsd": NS["r"],
    "send_message_to_care_2.xsd": NS["m"],
    "get_certificate_2.xsd": NS["g"],
    "rehabilitation_1.xsd": NS["k"],
    "list_active_sick_leaves_for_care_unit_1.xsd": NS["u"],
    "list_sick_leaves_for_person_1.xsd": NS["p"],
    "consent_2.xsd": f"{CONSENT}:2",
    "check_consent_2.xsd": f"{CONSENT}:CheckConsentResponder:2",
    "register_extended_consent_2.xsd": f"{CONSENT}:RegisterExtendedConsentResponder:2",
    "log_2.xsd": f"{LOG}:2",
    "store_log_2.xsd": f"{LOG}:StoreLogResponder:2",
    "blocking_4.xsd": f"{BLOCKING}:4",
    "check_blocks_4.xsd": f"{BLOCKING}:CheckBlocksResponder:4",
    "authorizationmanagement_2.xsd": NS["am"],
    "authorizationmanagement_2.1.xsd": NS["am1"],
    "authorizationmanagement_2.2.xsd": NS["am2"],
    "get_credentials_for_person_including_protected_person_2.xsd": NS["ac"],
    "get_credentials_for_person_including_protected_person_2.1.xsd": NS["ac1"],
    "employee_3.xsd": NS["em"],
    "get_employee_including_protected_person_3.xsd": NS["ae"],
    "organization_2.xsd": NS["or"],
    "organization_2.2.xsd": NS["or2"],
    "get_health_care_unit_2.xsd": NS["ou"],
    "get_health_care_unit_members_2.xsd": NS["ov"],
    "get_health_care_unit_members_2.1.xsd": NS["ov1"],
}

#: Our WSDL -> domain, contract, major version.
INTERACTIONS = {
    "send_message_to_recipient_2.wsdl": (CERTIFICATE, "SendMessageToRecipient", 2),
    "send_message_to_care_2.wsdl": (CERTIFICATE, "SendMessageToCare", 2),
    "get_certificate_2.wsdl": (CERTIFICATE, "GetCertificate", 2),
    "list_active_sick_leaves_for_care_unit_1.wsdl": (REHABILITATION, "ListActiveSickLeavesForCareUnit", 1),
    "list_sick_leaves_for_person_1.wsdl": (REHABILITATION, "ListSickLeavesForPerson", 1),
    "check_consent_2.wsdl": (CONSENT, "CheckConsent", 2),
    "register_extended_consent_2.wsdl": (CONSENT, "RegisterExtendedConsent", 2),
    "store_log_2.wsdl": (LOG, "StoreLog", 2),
    "check_blocks_4.wsdl": (BLOCKING, "CheckBlocks", 4),
    "get_credentials_for_person_including_protected_person_2.wsdl": (
        PERMISSIONS,
        "GetCredentialsForPersonIncludingProtectedPerson",
        2,
    ),
    "get_employee_including_protected_person_3.wsdl": (EMPLOYEE, "GetEmployeeIncludingProtectedPerson", 3),
    "get_health_care_unit_2.wsdl": (ORGANISATION, "GetHealthCareUnit", 2),
    "get_health_care_unit_members_2.wsdl": (ORGANISATION, "GetHealthCareUnitMembers", 2),
}

PERSONNUMMER, SAMORDNINGSNUMMER, RESERVNUMMER = "1.2.752.129.2.1.3.1", "1.2.752.129.2.1.3.3", "1.2.752.74.9.1"
HSA_ROOT, WORKPLACE_ROOT = "1.2.752.129.2.1.4.1", "1.2.752.29.4.71"
POSITIONS, PROFESSIONS = "1.2.752.129.2.2.1.4", "1.2.752.29.23.1.6"
SUBJECTS, PARTIES = "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499", "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80"

Change = Callable[[etree._Element], None]
Case = tuple[str, str, Change, bool]


# --- Building messages ------------------------------------------------------------------------------------------------


def qname(name: str) -> str:
    """``c:enhet`` as lxml writes it; a name without a prefix is in no namespace."""
    prefix, _, local = name.rpartition(":")
    return f"{{{NS[prefix]}}}{local}" if prefix else local


def el(name: str, *content: str | etree._Element) -> etree._Element:
    """An element with text or children. All prefixes are declared, so that renaming an element never meets a made-up one."""
    element = etree.Element(qname(name), nsmap=NS)
    for part in content:
        if isinstance(part, str):
            element.text = part
        else:
            element.append(part)
    return element


def person_number(born: str, serial: str) -> str:
    """Twelve digits of an official test series (decision D28), with the control digit that makes them whole."""
    assert serial in {"980", "981"} or (serial in {"238", "239"} and born >= "1990")
    return f"{born}{serial}{control_digit(born[2:] + serial)}"


ANNA = person_number("19900214", "238")
COORDINATION_NUMBER = person_number("19850777", "981")


def ii(name: str, root: str, extension: str, types: str = "t") -> etree._Element:
    """An identifier: who gives the ids out, and the id."""
    return el(name, el(f"{types}:root", root), el(f"{types}:extension", extension))


def cv(name: str, code: str, system: str, display: str, types: str = "t") -> etree._Element:
    """A code of a fixed code system."""
    fields = (("code", code), ("codeSystem", system), ("displayName", display))
    return el(name, *(el(f"{types}:{field}", text) for field, text in fields))


def texts(prefix: str, **fields: str) -> Iterator[etree._Element]:
    """Elements that hold only text, in order."""
    return (el(f"{prefix}:{name}", text) for name, text in fields.items())


def sender() -> etree._Element:
    """The person and the unit that a message to a recipient comes from."""
    care_provider = el(
        "c:vardgivare",
        ii("c:vardgivare-id", HSA_ROOT, "SE2321000131-E000000000001"),
        *texts("c", vardgivarnamn="Regionen"),
        el("x:more"),
    )
    unit = el(
        "c:enhet",
        ii("c:enhets-id", HSA_ROOT, "SE2321000131-E000000000002"),
        ii("c:arbetsplatskod", WORKPLACE_ROOT, "0000000"),
        *texts("c", enhetsnamn="Vårdcentralen", postadress="", postnummer="", postort=""),
        *texts("c", telefonnummer="", epost="vc@example.org"),
        care_provider,
        el("x:more"),
    )
    return el(
        "r:skickatAv",
        ii("c:personal-id", HSA_ROOT, "SE2321000131-P000000000003"),
        *texts("c", fullstandigtNamn="Kim Koordinator", forskrivarkod="0000000"),
        cv("c:befattning", "302050", POSITIONS, "Rehabiliteringskoordinator"),
        unit,
        el("c:specialistkompetens", *texts("t", code="7199", displayName="Allmänmedicin")),
        cv("e:legitimeratYrke", "FT", PROFESSIONS, "Fysioterapeut"),
    )


def dialogue_fields(prefix: str) -> list[etree._Element]:
    """Elements 1-11, which the two message contracts share."""
    return [
        *texts(
            prefix,
            **{
                "meddelande-id": "0190a5e2-0000-7000-8000-000000000001",
                "referens-id": "ref",
                "skickatTidpunkt": "2026-03-02T09:30:00",
            },
        ),
        ii(f"{prefix}:intygs-id", "SE2321000131-E000000000002", "0190a5e2-0000-7000-8000-000000000002"),
        ii(f"{prefix}:patientPerson-id", PERSONNUMMER, ANNA),
        *texts(prefix, logiskAdressMottagare="2021005521"),
        cv(f"{prefix}:amne", "OVRIGT", SUBJECTS, "Övrigt"),
        *texts(prefix, **{"rubrik": "Övrigt", "meddelande": "Information enligt 4 §", "paminnelseMeddelande-id": "m0"}),
        el(f"{prefix}:svarPa", *texts("c", **{"meddelande-id": "m1", "referens-id": "theirs"}), el("x:more")),
    ]


def to_recipient() -> etree._Element:
    return el(
        "r:SendMessageToRecipient",
        *dialogue_fields("r"),
        sender(),
        *texts("r", sistaDatumForSvar="2026-03-09"),
        el("x:more"),
    )


def to_care() -> etree._Element:
    party = el(
        "m:skickatAv",
        cv("m:part", "FKASSA", PARTIES, "Försäkringskassan"),
        *texts("m", kontaktInfo="Handläggare"),
        el("x:more"),
    )
    completion = el(
        "m:komplettering", *texts("m", **{"frage-id": "26", "instans": "1", "text": "Förtydliga"}), el("x:more")
    )
    return el(
        "m:SendMessageToCare",
        *dialogue_fields("m"),
        party,
        completion,
        *texts("m", sistaDatumForSvar="2026-03-09"),
        el("x:more"),
    )


def result(prefix: str) -> etree._Element:
    fields = texts("c", resultCode="ERROR", resultText="Fel", errorId="TECHNICAL_ERROR")
    return el(f"{prefix}:result", *fields, el("x:more"))


def to_recipient_response() -> etree._Element:
    return el("r:SendMessageToRecipientResponse", result("r"), el("x:more"))


def to_care_response() -> etree._Element:
    return el("m:SendMessageToCareResponse", result("m"), el("x:more"))


def hsa(name: str, extension: str) -> etree._Element:
    return ii(name, HSA_ROOT, extension, "t2")


def provider(name: str) -> etree._Element:
    return el(
        name, hsa("k:vardgivarId", "SE2321000131-E000000000001"), *texts("k", vardgivarnamn="Regionen"), el("x:more")
    )


def issuer() -> etree._Element:
    """The doctor behind a certificate, and the unit."""
    positions = el("k:befattningar", cv("k:befattning", "201010", POSITIONS, "Överläkare", "t2"), el("x:more"))
    unit = el(
        "k:enhet",
        hsa("k:enhetsId", "SE2321000131-E000000000002"),
        *texts("k", enhetsnamn="Vårdcentralen"),
        provider("k:vardgivare"),
        el("x:more"),
    )
    name = texts("k", fullstandigtNamn="Lo Läkare")
    return el("k:skapadAv", hsa("k:personalId", "SE2321000131-P000000000004"), *name, positions, unit, el("x:more"))


def certificates(name: str) -> etree._Element:
    """A list of one certificate with one period. The interaction declares the list's name, the core its content."""
    patient = el(
        "k:patient", ii("k:personId", PERSONNUMMER, ANNA, "t2"), *texts("k", fullstandigtNamn="Anna Test"), el("x:more")
    )
    period = el(
        "k:formaga", *texts("k", startdatum="2026-02-01", slutdatum="2026-02-28", nedsattning="50"), el("x:more")
    )
    certificate = el(
        "k:intygsData",
        *texts("k", intygsId="i1"),
        patient,
        issuer(),
        *texts("k", diagnoskod="F438A", bidiagnoser="M545"),
        el("k:arbetsformaga", period, el("x:more")),
        *texts("k", enkeltIntyg="false", signeringsTidpunkt="2026-02-01T10:00:00", sysselsattning="NUVARANDE_ARBETE"),
        el("x:more"),
    )
    return el(name, certificate, el("x:more"))


def unit_request() -> etree._Element:
    person = ii("u:person-id", PERSONNUMMER, ANNA, "t2")
    days = texts("u", **{"max-dagar-sedan-avslut": "14"})
    return el(
        "u:ListActiveSickLeavesForCareUnit",
        hsa("u:enhets-id", "SE2321000131-E000000000002"),
        person,
        *days,
        el("x:more"),
    )


def unit_response() -> etree._Element:
    outcome = texts("u", resultCode="OK", comment="")
    return el(
        "u:ListActiveSickLeavesForCareUnitResponse",
        provider("u:vardgivare"),
        certificates("u:intygsLista"),
        *outcome,
        el("x:more"),
    )


def person_request() -> etree._Element:
    return el("p:ListSickLeavesForPerson", ii("p:person-id", PERSONNUMMER, ANNA, "t2"), el("x:more"))


def person_response() -> etree._Element:
    outcome = el("p:result", *texts("p", resultCode="OK", resultMessage=""), el("x:more"))
    return el(
        "p:ListSickLeavesForPersonResponse",
        provider("p:vardgivare"),
        certificates("p:intygsLista"),
        outcome,
        el("x:more"),
    )


#: Message -> how it is built whole, and the schema that judges it (the entry file of the interaction).
MESSAGES: dict[str, tuple[Callable[[], etree._Element], str]] = {
    "to recipient": (to_recipient, "send_message_to_recipient_2.xsd"),
    "to recipient, response": (to_recipient_response, "send_message_to_recipient_2.xsd"),
    "to care": (to_care, "send_message_to_care_2.xsd"),
    "to care, response": (to_care_response, "send_message_to_care_2.xsd"),
    "unit": (unit_request, "list_active_sick_leaves_for_care_unit_1.xsd"),
    "unit, response": (unit_response, "list_active_sick_leaves_for_care_unit_1.xsd"),
    "person": (person_request, "list_sick_leaves_for_person_1.xsd"),
    "person, response": (person_response, "list_sick_leaves_for_person_1.xsd"),
}

#: The same for the messages that are written as outlines.
OUTLINES: dict[str, tuple[outlines.Node, str]] = {
    name: (outlines.read(text.replace("{number}", ANNA)), file)
    for name, text, file in (
        ("consent", outlines.CONSENT_CHECK, "check_consent_2.xsd"),
        ("consent, response", outlines.CONSENT_CHECKED, "check_consent_2.xsd"),
        ("registration", outlines.CONSENT_REGISTRATION, "register_extended_consent_2.xsd"),
        ("registration, response", outlines.CONSENT_REGISTERED, "register_extended_consent_2.xsd"),
        ("log", outlines.LOG_ROW, "store_log_2.xsd"),
        ("log, response", outlines.LOG_STORED, "store_log_2.xsd"),
        ("blocks", outlines.BLOCK_CHECK, "check_blocks_4.xsd"),
        ("blocks, response", outlines.BLOCK_CHECKED, "check_blocks_4.xsd"),
        ("certificate", outlines.CERTIFICATE_ASKED, "get_certificate_2.xsd"),
        ("certificate, response", outlines.CERTIFICATE, "get_certificate_2.xsd"),
        ("credentials", outlines.CREDENTIALS_ASKED, "get_credentials_for_person_including_protected_person_2.xsd"),
        ("credentials, response", outlines.CREDENTIALS, "get_credentials_for_person_including_protected_person_2.xsd"),
        ("employee", outlines.EMPLOYEE_ASKED, "get_employee_including_protected_person_3.xsd"),
        ("employee, response", outlines.EMPLOYEE, "get_employee_including_protected_person_3.xsd"),
        ("care unit", outlines.UNIT_ASKED, "get_health_care_unit_2.xsd"),
        ("care unit, response", outlines.UNIT, "get_health_care_unit_2.xsd"),
        ("members", outlines.MEMBERS_ASKED, "get_health_care_unit_members_2.xsd"),
        ("members, response", outlines.MEMBERS, "get_health_care_unit_members_2.xsd"),
    )
}
MESSAGES |= {name: (partial(root.built, el), file) for name, (root, file) in OUTLINES.items()}


# --- Judging and changing messages ------------------------------------------------------------------------------------


@cache
def schema(name: str) -> etree.XMLSchema:
    """The compiled schema; its imports are found beside it."""
    return etree.XMLSchema(etree.parse(RIVTA / name))


def faults(message: str, element: etree._Element) -> list[str]:
    """What the schema says about the message as it goes over the wire.

    Judged as bytes that were parsed: in a tree that was built, an element with the text "" is refused for a fixed
    value, although the same element is valid once written and read (seen with libxml2 2.14).
    """
    judge = schema(MESSAGES[message][1])
    judge.validate(etree.fromstring(etree.tostring(element)))
    return [error.message for error in judge.error_log]


def is_valid(message: str, element: etree._Element) -> bool:
    return faults(message, element) == []


def at(element: etree._Element, path: str) -> etree._Element:
    found = element.find(path, NS)
    assert found is not None, path
    return found


def parent_of(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def put(path: str, text: str) -> Change:
    """Other text in an element."""

    def change(message: etree._Element) -> None:
        at(message, path).text = text

    return change


def drop(path: str) -> Change:
    """Without the element."""

    def change(message: etree._Element) -> None:
        element = at(message, path)
        parent_of(element).remove(element)

    return change


def clear(path: str) -> Change:
    """The element without children."""

    def change(message: etree._Element) -> None:
        for child in list(at(message, path)):
            at(message, path).remove(child)

    return change


def add(path: str, name: str) -> Change:
    """A further, empty element last in the one at the path."""

    def change(message: etree._Element) -> None:
        at(message, path).append(el(name))

    return change


def before(path: str, later: str) -> Change:
    """The later sibling moved in front of the element at the path."""

    def change(message: etree._Element) -> None:
        at(message, path).addprevious(at(message, later))

    return change


def repeat(path: str, times: int) -> Change:
    """The element so many times in all."""

    def change(message: etree._Element) -> None:
        for _ in range(times - 1):
            at(message, path).addnext(deepcopy(at(message, path)))

    return change


def children_in(path: str, prefix: str) -> Change:
    """The children of the element in another namespace."""

    def change(message: etree._Element) -> None:
        for child in at(message, path):
            child.tag = qname(f"{prefix}:{etree.QName(child).localname}" if prefix else etree.QName(child).localname)

    return change


def every(*changes: Change) -> Change:
    def change(message: etree._Element) -> None:
        for one in changes:
            one(message)

    return change


# --- The files --------------------------------------------------------------------------------------------------------


def test_the_room_holds_one_schema_per_namespace_and_one_wsdl_per_interaction() -> None:
    assert {path.name for path in RIVTA.iterdir()} == set(SCHEMAS) | set(INTERACTIONS)
    assert list(RIVTA.parent.rglob("*.py")) == []


@pytest.mark.parametrize(("name", "namespace"), SCHEMAS.items())
def test_a_schema_compiles_alone_and_is_qualified(name: str, namespace: str) -> None:
    root = etree.parse(RIVTA / name).getroot()
    assert isinstance(schema(name), etree.XMLSchema)
    assert (root.get("targetNamespace"), root.get("elementFormDefault")) == (namespace, "qualified")
    assert root.get("attributeFormDefault") == "unqualified"


@pytest.mark.parametrize("name", [*SCHEMAS, *INTERACTIONS])
def test_imports_are_files_beside_that_hold_the_namespace_they_name(name: str) -> None:
    for imported in etree.parse(RIVTA / name).getroot().iter(qname("xs:import")):
        assert SCHEMAS[imported.attrib["schemaLocation"]] == imported.get("namespace")


@pytest.mark.parametrize(
    ("name", "version"),
    [("certificate_3.xsd", "3.3"), ("certificate_types_3.xsd", "3.2"), ("certificate_types_2.xsd", "2.0")]
    + [
        ("send_message_to_recipient_2.xsd", "2.1"),
        ("send_message_to_care_2.xsd", "2.0"),
        ("get_certificate_2.xsd", "2.1"),
    ]
    + [
        (name, "1.0")
        for name in (
            "rehabilitation_1.xsd",
            "list_active_sick_leaves_for_care_unit_1.xsd",
            "list_sick_leaves_for_person_1.xsd",
        )
    ],
)
def test_a_schema_states_its_version(name: str, version: str) -> None:
    assert etree.parse(RIVTA / name).getroot().get("version") == version


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_wildcard_is_the_same_and_last(name: str) -> None:
    for wildcard in etree.parse(RIVTA / name).getroot().iter(qname("xs:any")):
        assert dict(wildcard.attrib) == {
            "namespace": "##other",
            "processContents": "lax",
            "minOccurs": "0",
            "maxOccurs": "unbounded",
        }
        assert wildcard.getnext() is None


def test_the_logical_address_is_a_string() -> None:
    assert schema("registry_1.xsd").validate(el("itr:LogicalAddress", "2021005521"))
    assert not schema("registry_1.xsd").validate(el("itr:LogicalAddress", el("x:more")))


# --- The WSDLs --------------------------------------------------------------------------------------------------------


def attribute(name: str, path: str, key: str) -> str:
    return at(etree.parse(RIVTA / name).getroot(), path).attrib[key]


@pytest.mark.parametrize(("name", "interaction"), INTERACTIONS.items())
def test_wsdl_names_follow_the_pattern(name: str, interaction: tuple[str, str, int]) -> None:
    domain, contract, major = interaction
    root = etree.parse(RIVTA / name).getroot()
    assert root.get("name") == f"{contract}Interaction"
    assert root.get("targetNamespace") == f"{domain}:{contract}:{major}:rivtabp21"
    assert attribute(name, "wsdl:portType", "name") == f"{contract}ResponderInterface"
    assert attribute(name, "wsdl:binding", "name") == f"{contract}ResponderBinding"
    assert attribute(name, "wsdl:service", "name") == f"{contract}ResponderService"
    assert attribute(name, "wsdl:service/wsdl:port", "name") == f"{contract}ResponderPort"
    assert attribute(name, "wsdl:service/wsdl:port/soap:address", "location") == "http://tempuri.org"
    assert [operation.get("name") for operation in root.iter(qname("wsdl:operation"))] == [contract, contract]
    assert root.find(".//wsdl:fault", NS) is None


@pytest.mark.parametrize(("name", "interaction"), INTERACTIONS.items())
def test_wsdl_binds_document_literal_with_the_soap_action_of_the_pattern(
    name: str, interaction: tuple[str, str, int]
) -> None:
    domain, contract, major = interaction
    operation = "wsdl:binding/wsdl:operation"
    assert (
        attribute(name, f"{operation}/soap:operation", "soapAction")
        == f"{domain}:{contract}Responder:{major}:{contract}"
    )
    assert attribute(name, "wsdl:binding/soap:binding", "style") == "document"
    assert attribute(name, "wsdl:binding/soap:binding", "transport") == "http://schemas.xmlsoap.org/soap/http"
    header = dict(at(etree.parse(RIVTA / name).getroot(), f"{operation}/wsdl:input/soap:header").attrib)
    assert header == {"message": f"tns:{contract}Request", "part": "LogicalAddress", "use": "literal"}
    for direction in ("input", "output"):
        assert attribute(name, f"{operation}/wsdl:{direction}/soap:body", "use") == "literal"
        assert attribute(name, f"{operation}/wsdl:{direction}/soap:body", "parts") == "parameters"


@pytest.mark.parametrize(("name", "interaction"), INTERACTIONS.items())
def test_wsdl_references_lead_to_what_it_declares(name: str, interaction: tuple[str, str, int]) -> None:
    _, contract, _ = interaction
    root = etree.parse(RIVTA / name).getroot()
    declared = {
        f"tns:{element.get('name')}"
        for tag in ("message", "portType", "binding")
        for element in root.iterfind(f"wsdl:{tag}", NS)
    }
    used = {element.attrib[key] for key in ("message", "type", "binding") for element in root.iterfind(f".//*[@{key}]")}
    assert used == declared
    assert root.nsmap["tns"] == root.get("targetNamespace")
    assert [message.get("name") for message in root.iterfind("wsdl:message", NS)] == [
        f"{contract}Request",
        f"{contract}Response",
    ]


@pytest.mark.parametrize(("name", "interaction"), INTERACTIONS.items())
def test_wsdl_parts_are_elements_that_its_schemas_declare(name: str, interaction: tuple[str, str, int]) -> None:
    _, contract, _ = interaction
    root = etree.parse(RIVTA / name).getroot()
    imported = {element.get("namespace"): element.attrib["schemaLocation"] for element in root.iter(qname("xs:import"))}
    parts = [(part.get("name"), part.attrib["element"]) for part in root.iterfind("wsdl:message/wsdl:part", NS)]
    assert parts == [
        ("LogicalAddress", "itr:LogicalAddress"),
        ("parameters", f"s:{contract}"),
        ("parameters", f"s:{contract}Response"),
    ]
    for _, reference in parts:
        prefix, _, local = reference.partition(":")
        declaring = etree.parse(RIVTA / imported[root.nsmap[prefix]]).getroot()
        assert declaring.find(f"xs:element[@name='{local}']", NS) is not None


@pytest.mark.parametrize("name", INTERACTIONS)
def test_the_types_of_a_wsdl_compile(name: str) -> None:
    types = at(etree.parse(RIVTA / name).getroot(), "wsdl:types/xs:schema")
    alone = etree.fromstring(etree.tostring(types), base_url=str(RIVTA / name))
    assert isinstance(etree.XMLSchema(alone), etree.XMLSchema)


# --- Order and cardinality, for every element of every message --------------------------------------------------------

#: What may be left out besides the wildcards' content, and what may be repeated (forsakringskassan.md § 1.2-1.4,
#: rehabstod.md § 1.4-1.7). Everything else stands exactly once.
DIALOGUE_OPTIONAL = {
    "referens-id",
    "rubrik",
    "amne/displayName",
    "paminnelseMeddelande-id",
    "svarPa",
    "svarPa/referens-id",
    "sistaDatumForSvar",
}
SENDER_REPEATED = {"skickatAv/befattning", "skickatAv/specialistkompetens", "skickatAv/legitimeratYrke"}
RESULT_OPTIONAL = {"result/resultText", "result/errorId"}
CERTIFICATE_REPEATED = {
    "intygsLista/intygsData",
    "intygsLista/intygsData/bidiagnoser",
    "intygsLista/intygsData/sysselsattning",
    "intygsLista/intygsData/skapadAv/befattningar/befattning",
}
CERTIFICATE_OPTIONAL = CERTIFICATE_REPEATED | {
    "intygsLista/intygsData/skapadAv/fullstandigtNamn",
    "intygsLista/intygsData/skapadAv/befattningar/befattning/displayName",
    "intygsLista/intygsData/skapadAv/enhet/vardgivare",
}
PERIOD = "intygsLista/intygsData/arbetsformaga/formaga"

OPTIONAL: dict[str, set[str]] = {
    "to recipient": DIALOGUE_OPTIONAL
    | SENDER_REPEATED
    | {f"{path}/displayName" for path in SENDER_REPEATED}
    | {"skickatAv/forskrivarkod", "skickatAv/enhet/epost"},
    "to recipient, response": RESULT_OPTIONAL,
    "to care": DIALOGUE_OPTIONAL
    | {"skickatAv/part/displayName", "skickatAv/kontaktInfo", "komplettering", "komplettering/instans"},
    "to care, response": RESULT_OPTIONAL,
    "unit": {"person-id", "max-dagar-sedan-avslut"},
    "unit, response": CERTIFICATE_OPTIONAL | {"comment"},
    "person": set(),
    "person, response": CERTIFICATE_OPTIONAL | {"result/resultMessage"},
}
REPEATED: dict[str, set[str]] = {
    "to recipient": SENDER_REPEATED,
    "to recipient, response": set(),
    "to care": {"skickatAv/kontaktInfo", "komplettering"},
    "to care, response": set(),
    "unit": set(),
    "unit, response": CERTIFICATE_REPEATED | {PERIOD},
    "person": set(),
    "person, response": CERTIFICATE_REPEATED | {PERIOD},
}
#: Where the wildcard stands: "" is the message itself.
DIALOGUE_OPEN = {"", "svarPa", "skickatAv"}
CERTIFICATE_OPEN = {
    "",
    "vardgivare",
    "intygsLista",
    "intygsLista/intygsData",
    "intygsLista/intygsData/patient",
    "intygsLista/intygsData/skapadAv",
    "intygsLista/intygsData/skapadAv/befattningar",
    "intygsLista/intygsData/skapadAv/enhet",
    "intygsLista/intygsData/skapadAv/enhet/vardgivare",
    "intygsLista/intygsData/arbetsformaga",
    PERIOD,
}
OPEN: dict[str, set[str]] = {
    "to recipient": {"", "svarPa", "skickatAv/enhet", "skickatAv/enhet/vardgivare"},
    "to recipient, response": {"", "result"},
    "to care": DIALOGUE_OPEN | {"komplettering"},
    "to care, response": {"", "result"},
    "unit": {""},
    "unit, response": CERTIFICATE_OPEN,
    "person": {""},
    "person, response": CERTIFICATE_OPEN | {"result"},
}
for name, (outline, _) in OUTLINES.items():
    OPTIONAL[name], REPEATED[name], OPEN[name] = outline.marked("?*"), outline.marked("+*"), outline.opened()


def path_of(element: etree._Element) -> str:
    """Local names from below the root."""
    names = [etree.QName(ancestor).localname for ancestor in element.iterancestors()][:-1]
    own = [] if element.getparent() is None else [etree.QName(element).localname]
    return "/".join([*reversed(names), *own])


def declared(root: etree._Element) -> list[etree._Element]:
    """The elements that a contract names, the root and the content of wildcards aside."""
    return [element for element in root.iterdescendants() if etree.QName(element).namespace != NS["x"]]


def survivors(message: str, change: Callable[[etree._Element], None]) -> set[str]:
    """The paths of the declared elements that can be changed so, one at a time, and leave a valid message."""
    build = MESSAGES[message][0]
    valid: set[str] = set()
    for number in range(len(declared(build()))):
        root = build()
        element = declared(root)[number]
        path = path_of(element)
        change(element)
        if is_valid(message, root):
            valid.add(path)
    return valid


def remove(element: etree._Element) -> None:
    parent_of(element).remove(element)


def double(element: etree._Element) -> None:
    element.addnext(deepcopy(element))


def swap_with_next(element: etree._Element) -> None:
    """Change places with the next declared sibling; without one the message is made invalid, as nothing was tried."""
    following = element.getnext()
    if following is None or etree.QName(following).namespace == NS["x"]:
        element.tag = "nothing-to-swap-with"
    else:
        following.addnext(element)


def foreign_child(element: etree._Element) -> None:
    """A further foreign element last, where children stand at all."""
    element.append(el("x:another"))


@pytest.mark.parametrize("message", MESSAGES)
def test_the_whole_message_is_valid(message: str) -> None:
    assert faults(message, MESSAGES[message][0]()) == []


@pytest.mark.parametrize("message", MESSAGES)
def test_exactly_the_optional_elements_may_be_left_out(message: str) -> None:
    assert survivors(message, remove) == OPTIONAL[message]


@pytest.mark.parametrize("message", MESSAGES)
def test_exactly_the_repeated_elements_may_stand_twice(message: str) -> None:
    assert survivors(message, double) == REPEATED[message]


@pytest.mark.parametrize("message", MESSAGES)
def test_no_two_neighbours_may_change_places(message: str) -> None:
    assert survivors(message, swap_with_next) == set()


@pytest.mark.parametrize("message", MESSAGES)
def test_foreign_elements_may_follow_exactly_where_the_contract_is_open(message: str) -> None:
    root = MESSAGES[message][0]()
    foreign_child(root)
    top = {""} if is_valid(message, root) else set()
    assert survivors(message, foreign_child) | top == OPEN[message]


@pytest.mark.parametrize("message", MESSAGES)
def test_no_element_may_be_nil(message: str) -> None:
    def nil(element: etree._Element) -> None:
        element.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")

    assert survivors(message, nil) == set()


# --- forsakringskassan.md § 1.6, row by row ---------------------------------------------------------------------------

ADDRESS = "r:skickatAv/c:enhet/c:"
ONLY_REQUIRED = every(
    *(
        drop(f"r:{name}")
        for name in ("referens-id", "rubrik", "paminnelseMeddelande-id", "svarPa", "sistaDatumForSvar")
    ),
    *(
        drop(f"r:skickatAv/{name}")
        for name in ("c:forskrivarkod", "c:befattning", "c:specialistkompetens", "e:legitimeratYrke")
    ),
    drop(f"{ADDRESS}epost"),
    drop("r:amne/t:displayName"),
    drop("x:more"),
)

FK_CASES: list[Case] = [
    ("minimal, with empty address and phone", "to recipient", ONLY_REQUIRED, True),
    ("unknown subject code, right code system", "to recipient", put("r:amne/t:code", "NONSENSE"), True),
    ("wrong subject code system", "to recipient", put("r:amne/t:codeSystem", PARTIES), False),
    ("subject code system with leading space", "to recipient", put("r:amne/t:codeSystem", f" {SUBJECTS}"), False),
    ("empty code system means the fixed one", "to recipient", put("r:amne/t:codeSystem", ""), True),
    ("milliseconds", "to recipient", put("r:skickatTidpunkt", "2026-03-02T09:30:00.000"), False),
    ("zone", "to recipient", put("r:skickatTidpunkt", "2026-03-02T09:30:00Z"), False),
    ("offset", "to recipient", put("r:skickatTidpunkt", "2026-03-02T09:30:00+01:00"), False),
    ("no such time", "to recipient", put("r:skickatTidpunkt", "2026-02-30T09:30:00"), False),
    ("last answer date with zone", "to recipient", put("r:sistaDatumForSvar", "2026-03-09Z"), False),
    ("last answer date with time", "to recipient", put("r:sistaDatumForSvar", "2026-03-09T00:00:00"), False),
    (
        "personnummer with hyphen",
        "to recipient",
        put("r:patientPerson-id/t:extension", f"{ANNA[:8]}-{ANNA[8:]}"),
        False,
    ),
    ("ten digits", "to recipient", put("r:patientPerson-id/t:extension", ANNA[2:]), False),
    ("personnummer, empty root", "to recipient", put("r:patientPerson-id/t:root", ""), False),
    (
        "samordningsnummer",
        "to recipient",
        every(
            put("r:patientPerson-id/t:root", SAMORDNINGSNUMMER),
            put("r:patientPerson-id/t:extension", COORDINATION_NUMBER),
        ),
        True,
    ),
    ("nationellt reservnummer", "to recipient", put("r:patientPerson-id/t:root", RESERVNUMMER), False),
    ("no arbetsplatskod", "to recipient", drop(f"{ADDRESS}arbetsplatskod"), False),
    ("no telefonnummer", "to recipient", drop(f"{ADDRESS}telefonnummer"), False),
    ("no fullstandigtNamn", "to recipient", drop("r:skickatAv/c:fullstandigtNamn"), False),
    ("empty fullstandigtNamn", "to recipient", put("r:skickatAv/c:fullstandigtNamn", ""), True),
    ("empty arbetsplatskod extension", "to recipient", put(f"{ADDRESS}arbetsplatskod/t:extension", ""), False),
    ("empty epost", "to recipient", put(f"{ADDRESS}epost", ""), False),
    ("HSA root of the FHIR world", "to recipient", put("r:skickatAv/c:personal-id/t:root", "1.2.752.29.4.19"), False),
    ("empty HSA root means the fixed one", "to recipient", put("r:skickatAv/c:personal-id/t:root", ""), True),
    ("empty HSA-id", "to recipient", put("r:skickatAv/c:personal-id/t:extension", ""), False),
    (
        "intygs-id with empty root and extension",
        "to recipient",
        every(put("r:intygs-id/t:root", ""), put("r:intygs-id/t:extension", "")),
        True,
    ),
    ("extra element last, foreign namespace", "to recipient", add(".", "x:another"), True),
    ("extra element last, unknown name of an imported namespace", "to recipient", add(".", "c:another"), True),
    ("extra element last, no namespace", "to recipient", add(".", "another"), False),
    ("extra element last, same namespace", "to recipient", add(".", "r:another"), False),
    ("foreign element in svarPa", "to recipient", add("r:svarPa", "x:another"), True),
    ("foreign element in enhet", "to recipient", add("r:skickatAv/c:enhet", "x:another"), True),
    ("foreign element in the person", "to recipient", add("r:skickatAv", "x:another"), False),
    ("svarPa children in the interaction namespace", "to recipient", children_in("r:svarPa", "r"), False),
    ("amne children in the interaction namespace", "to recipient", children_in("r:amne", "r"), False),
    ("wrong position code system", "to recipient", put("r:skickatAv/c:befattning/t:codeSystem", PROFESSIONS), False),
    (
        "wrong profession code system",
        "to recipient",
        put("r:skickatAv/e:legitimeratYrke/t:codeSystem", POSITIONS),
        False,
    ),
    ("wrong workplace root", "to recipient", put(f"{ADDRESS}arbetsplatskod/t:root", HSA_ROOT), False),
    (
        "a code system's name is not among the fixed types' elements",
        "to recipient",
        add("r:amne", "t:codeSystemName"),
        False,
    ),
    ("komplettering of a question", "to care", put("m:komplettering/m:frage-id", "26"), True),
    ("komplettering of a part of a question", "to care", put("m:komplettering/m:frage-id", "26.2"), False),
    ("komplettering of nothing", "to care", put("m:komplettering/m:frage-id", ""), False),
    ("komplettering, instance not a number", "to care", put("m:komplettering/m:instans", "one"), False),
    (
        "no kontaktInfo, no komplettering",
        "to care",
        every(drop("m:skickatAv/m:kontaktInfo"), drop("m:komplettering")),
        True,
    ),
    ("wrong party code system", "to care", put("m:skickatAv/m:part/t:codeSystem", SUBJECTS), False),
    ("svarPa children in the interaction namespace, to care", "to care", children_in("m:svarPa", "m"), False),
    (
        "errorId before resultText",
        "to recipient, response",
        before("r:result/c:resultText", "r:result/c:errorId"),
        False,
    ),
    ("errorId outside the list", "to recipient, response", put("r:result/c:errorId", "TRANSFORMATION_ERROR"), False),
    ("resultCode outside the list", "to recipient, response", put("r:result/c:resultCode", "WARNING"), False),
    ("result children in the interaction namespace", "to recipient, response", children_in("r:result", "r"), False),
    ("ERROR without errorId", "to recipient, response", drop("r:result/c:errorId"), True),
    ("ERROR without errorId, to care", "to care, response", drop("m:result/c:errorId"), True),
]
FK_CASES += [
    (f"errorId {code}", "to care, response", put("m:result/c:errorId", code), True)
    for code in ("VALIDATION_ERROR", "APPLICATION_ERROR", "TECHNICAL_ERROR", "REVOKED")
]
FK_CASES += [
    (f"resultCode {code}", "to recipient, response", put("r:result/c:resultCode", code), True)
    for code in ("OK", "INFO", "ERROR")
]
FK_CASES += [
    (f"subject {code}", "to recipient", put("r:amne/t:code", code), True)
    for code in ("AVSTMN", "KONTKT", "OVRIGT", "KOMPLT", "PAMINN")
]


# --- rehabstod.md § 1.7 "Validated here", and the facets of § 1.4-1.6 -------------------------------------------------

INTYG = "u:intygsLista/k:intygsData/"
DEGREE = f"{INTYG}k:arbetsformaga/k:formaga/k:nedsattning"

FEED_CASES: list[Case] = [
    (
        "minimal request",
        "unit",
        every(drop("u:person-id"), drop("u:max-dagar-sedan-avslut"), drop("x:more")),
        True,
    ),
    ("minimal request, person", "person", drop("x:more"), True),
    (
        "minimal response",
        "unit, response",
        every(clear("u:intygsLista"), drop("u:comment"), drop("x:more"), drop("u:vardgivare/x:more")),
        True,
    ),
    ("0 days since the end", "unit", put("u:max-dagar-sedan-avslut", "0"), True),
    ("15 days since the end", "unit", put("u:max-dagar-sedan-avslut", "15"), False),
    ("-1 days since the end", "unit", put("u:max-dagar-sedan-avslut", "-1"), False),
    ("wrong order", "unit", before("u:enhets-id", "u:person-id"), False),
    ("personnummer with hyphen", "unit", put("u:person-id/t2:extension", f"{ANNA[:8]}-{ANNA[8:]}"), False),
    ("nationellt reservnummer", "unit", put("u:person-id/t2:root", RESERVNUMMER), False),
    (
        "samordningsnummer",
        "unit",
        every(put("u:person-id/t2:root", SAMORDNINGSNUMMER), put("u:person-id/t2:extension", COORDINATION_NUMBER)),
        True,
    ),
    ("no root on a person", "person", drop("p:person-id/t2:root"), False),
    ("no root on an HSA-id", "unit", drop("u:enhets-id/t2:root"), False),
    ("empty root on an HSA-id", "unit", put("u:enhets-id/t2:root", ""), True),
    ("empty root on a person", "unit", put("u:person-id/t2:root", ""), False),
    ("other root on an HSA-id", "unit", put("u:enhets-id/t2:root", "1.2.752.29.4.19"), False),
    ("empty HSA-id", "unit", put("u:enhets-id/t2:extension", ""), False),
    ("types of major 3", "unit", children_in("u:enhets-id", "t"), False),
    ("empty intygsLista", "unit, response", clear("u:intygsLista"), True),
    ("empty intygsLista, person", "person, response", clear("p:intygsLista"), True),
    ("no intygsLista", "unit, response", drop("u:intygsLista"), False),
    ("empty befattningar", "unit, response", clear(f"{INTYG}k:skapadAv/k:befattningar"), True),
    ("no befattningar", "unit, response", drop(f"{INTYG}k:skapadAv/k:befattningar"), False),
    ("no periods", "unit, response", clear(f"{INTYG}k:arbetsformaga"), False),
    ("degree 0", "unit, response", put(DEGREE, "0"), False),
    ("degree 1", "unit, response", put(DEGREE, "1"), True),
    ("degree 100", "unit, response", put(DEGREE, "100"), True),
    ("degree 101", "unit, response", put(DEGREE, "101"), False),
    ("degree with decimals", "unit, response", put(DEGREE, "50.0"), False),
    ("signed without a time", "unit, response", put(f"{INTYG}k:signeringsTidpunkt", "2026-02-01"), False),
    ("signed with zone", "unit, response", put(f"{INTYG}k:signeringsTidpunkt", "2026-02-01T10:00:00+01:00"), True),
    ("signed with fraction", "unit, response", put(f"{INTYG}k:signeringsTidpunkt", "2026-02-01T10:00:00.123"), True),
    ("date with zone", "unit, response", put(f"{INTYG}k:arbetsformaga/k:formaga/k:startdatum", "2024-01-01Z"), True),
    (
        "date with time",
        "unit, response",
        put(f"{INTYG}k:arbetsformaga/k:formaga/k:slutdatum", "2024-01-01T00:00:00"),
        False,
    ),
    ("four sysselsattning", "unit, response", repeat(f"{INTYG}k:sysselsattning", 4), True),
    ("five sysselsattning", "unit, response", repeat(f"{INTYG}k:sysselsattning", 5), False),
    ("foreign element last", "unit, response", add(".", "x:another"), True),
    ("foreign element last, request", "person", add(".", "x:another"), True),
    ("foreign element last in a certificate", "unit, response", add(INTYG.rstrip("/"), "x:another"), True),
    ("element without namespace last", "unit, response", add(".", "another"), False),
    ("element of the same namespace last", "unit, response", add(".", "u:another"), False),
    ("no wildcard in the types", "unit", add("u:enhets-id", "x:another"), False),
    (
        "wrong position code system",
        "unit, response",
        put(f"{INTYG}k:skapadAv/k:befattningar/k:befattning/t2:codeSystem", PROFESSIONS),
        False,
    ),
    (
        "a certificate in the interaction namespace passes, as a foreign element",
        "unit, response",
        children_in("u:intygsLista", "u"),
        True,
    ),
    ("a certificate without namespace", "unit, response", children_in("u:intygsLista", ""), False),
    ("no vardgivare", "person, response", drop("p:vardgivare"), False),
    ("outcome outside the list", "unit, response", put("u:resultCode", "WARNING"), False),
    ("outcome in the core namespace", "person, response", children_in("p:result", "k"), False),
]
FEED_CASES += [
    (f"{code}, {message}", message, put(path, code), True)
    for message, path in (("unit, response", "u:resultCode"), ("person, response", "p:result/p:resultCode"))
    for code in ("OK", "ERROR", "INFO")
]


# --- Consent, log, blocks, a certificate, the directory: what outlines do not say --------------------------------------

LOG_USER = "ls:log/lo:user/lo:"
SVAR = "g:intyg/c:svar"


def add_before(path: str, name: str) -> Change:
    """A further, empty element in front of the one at the path."""

    def change(message: etree._Element) -> None:
        at(message, path).addprevious(el(name))

    return change


def rename(path: str, name: str) -> Change:
    """The element under another name."""

    def change(message: etree._Element) -> None:
        at(message, path).tag = qname(name)

    return change


def attribute_of(path: str, value: str) -> Change:
    """Another ``id``."""

    def change(message: etree._Element) -> None:
        at(message, path).set("id", value)

    return change


SECURITY_CASES: list[Case] = [
    ("an empty HSA-id", "consent", put("cc:accessingActor/co:employeeId", ""), True),
    ("an HSA-id of 32", "consent", put("cc:accessingActor/co:employeeId", "x" * 32), True),
    ("an HSA-id of 33", "consent", put("cc:accessingActor/co:employeeId", "x" * 33), False),
    ("an assertion id of 37", "registration", put("cr:assertionId", "x" * 37), False),
    ("a reason of 1025", "registration", put("cr:registrationAction/co:reasonText", "x" * 1025), False),
    ("a start without a time", "registration", put("cr:startDate", "2026-03-02"), False),
    ("another scope", "registration", put("cr:scope", "RegionalLevel"), False),
    ("emergency", "registration", put("cr:assertionType", "Emergency"), True),
    ("a nested element in the interaction's namespace", "consent", children_in("cc:accessingActor", "cc"), False),
    (
        "a person's number as plain text",
        "log",
        every(clear(f"{LOG_USER}personId"), put(f"{LOG_USER}personId", ANNA)),
        False,
    ),
    ("a name of 256", "log", put(f"{LOG_USER}name", "x" * 256), True),
    ("a name of 257", "log", put(f"{LOG_USER}name", "x" * 257), False),
    ("a purpose of 257", "log", put("ls:log/lo:activity/lo:purpose", "x" * 257), False),
    ("arguments of 8192", "log", put("ls:log/lo:activity/lo:activityArgs", "x" * 8192), True),
    ("arguments of 8193", "log", put("ls:log/lo:activity/lo:activityArgs", "x" * 8193), False),
    ("no resource", "log", clear("ls:log/lo:resources"), False),
    ("an information type of 7", "blocks", put("bc:informationEntities/bl:informationType", "x" * 7), False),
    (
        "VALIDATION_ERROR is VALIDATIONERROR here",
        "blocks, response",
        put(".//bl:resultCode", "VALIDATION_ERROR"),
        False,
    ),
    ("and the other way round in the log", "log, response", put(".//lo:resultCode", "VALIDATIONERROR"), False),
    ("a question of digits alone", "certificate, response", attribute_of(SVAR, "26.1"), False),
    ("digits of another script", "certificate, response", attribute_of(SVAR, "\u0662\u0666"), False),
    ("neither of the two ids", "credentials", drop("ac:personHsaId"), False),
    ("both ids", "credentials", add_before("ac:searchBase", "ac:personalIdentityNumber"), False),
    ("the other id", "credentials", rename("ac:personHsaId", "ac:personalIdentityNumber"), True),
    ("both ids, employee", "employee", add_before("ae:searchBase", "ae:personalIdentityNumber"), False),
    ("a search base", "credentials", put("ac:searchBase", "ou=Enheten,o=Regionen,l=Län,c=SE"), True),
    ("a search base of other attributes", "members", put("ov:searchBase", "x=Enheten,c=SE"), False),
    ("a search base of 351", "care unit", put("ou:searchBase", f"c={'x' * 349}"), False),
    ("a profile in the interaction's own namespace", "credentials", rename("ac1:profile", "ac:profile"), False),
    ("a telephone number with a hyphen", "employee, response", put(".//em:mobileNumber", "070-1234567"), False),
    ("a flag that is no boolean", "members", put("ov:includeFeignedObject", "nej"), False),
    ("a part of a question", "certificate, response", attribute_of(f"{SVAR}/c:delsvar", "26"), False),
]


@pytest.mark.parametrize(("case", "message", "change", "valid"), FK_CASES + FEED_CASES + SECURITY_CASES)
def test_what_passes_and_what_fails(case: str, message: str, change: Change, valid: bool) -> None:
    root = MESSAGES[message][0]()
    change(root)
    assert (faults(message, root) == []) is valid, case


def test_the_outcome_is_flat_for_a_unit_and_nested_for_a_person() -> None:
    flat = person_response()
    flat.replace(at(flat, "p:result"), el("p:resultCode", "OK"))
    nested = unit_response()
    nested.replace(at(nested, "u:resultCode"), el("u:result", el("u:resultCode", "OK")))
    assert not is_valid("person, response", flat)
    assert not is_valid("unit, response", nested)
