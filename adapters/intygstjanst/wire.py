"""The SOAP contracts: two of the feed, and the one for a whole certificate; and the questions in them. Pure: no I/O, no clock.

Strict in what is asked (rehabstod.md §§ 1.3-1.7). ``reader`` and ``records`` read the answers, and are lenient (§ 1.8).
"""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapters import soap
from contracts.errors import Invalid
from contracts.identity import HsaId, PersonId
from contracts.pulling import MOST_DAYS
from fhir_mappings.identifiers import HSA_ID, person_system

DOMAIN: Final = "urn:riv:clinicalprocess:healthcond:rehabilitation"
CERTIFICATES: Final = "urn:riv:clinicalprocess:healthcond:certificate"
CERTIFICATE_TYPES: Final = f"{CERTIFICATES}:types:3"
CORE: Final = f"{DOMAIN}:1"
TYPES: Final = "urn:riv:clinicalprocess:healthcond:certificate:types:2"

FK: Final = "FKASSA"
PARTIES: Final = "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80"
"""Försäkringskassan among the parties, and the code system of those (forsakringskassan.md §§ 1.4, 2.1)."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """What tells one contract from another. Local elements belong to the namespace of the type that declares them (§ 1.2):
    those of the request and of the response itself to ``responder``."""

    domain: str
    name: str
    major: int
    file: str
    """Schema and WSDL in ``contracts/wire/rivta``, without what follows the dot."""

    @property
    def responder(self) -> str:
        """The namespace of request and response."""
        return f"{self.domain}:{self.name}Responder:{self.major}"

    @property
    def response(self) -> str:
        """The response's tag."""
        return f"{{{self.responder}}}{self.name}Response"

    @property
    def action(self) -> str:
        """The SOAPAction."""
        return f"{self.responder}:{self.name}"

    @property
    def schema(self) -> str:
        """The schema file."""
        return f"{self.file}.xsd"

    @property
    def platform_path(self) -> str:
        """Where the national platform would publish it (the pattern of § 1.11)."""
        return f"/{self.domain.removeprefix('urn:riv:').replace(':', '/')}/{self.name}/{self.major}/rivtabp21"


@dataclass(frozen=True, slots=True)
class Contract(Interaction):
    """One that lists certificates."""

    result: str
    """Where the result code stands below the response, without namespaces."""
    one_provider: bool
    """Whether the answer's own care provider is that of every certificate in it."""

    @property
    def listed(self) -> str:
        """The tag of the list of certificates in it."""
        return f"{{{self.responder}}}intygsLista"


CARE_UNIT: Final = Contract(
    DOMAIN,
    "ListActiveSickLeavesForCareUnit",
    1,
    "list_active_sick_leaves_for_care_unit_1",
    "resultCode",
    one_provider=True,
)
PERSON: Final = Contract(
    DOMAIN, "ListSickLeavesForPerson", 1, "list_sick_leaves_for_person_1", "result/resultCode", one_provider=False
)
CERTIFICATE: Final = Interaction(CERTIFICATES, "GetCertificate", 2, "get_certificate_2")


def care_unit_request(unit: HsaId, max_days_since_end: int, logical_address: str) -> bytes:
    """The question in its envelope (§ 1.4). Raises ``Invalid`` for days that the contract does not allow."""
    if not 0 <= max_days_since_end <= MOST_DAYS:
        raise Invalid(f"days since the end of a sick leave are 0 to {MOST_DAYS}")
    question = _question(CARE_UNIT, "enhets-id", HSA_ID.rivta, unit.value)
    etree.SubElement(question, f"{{{CARE_UNIT.responder}}}max-dagar-sedan-avslut").text = str(max_days_since_end)
    return soap.wrap(question, logical_address)


def person_request(person: PersonId, logical_address: str) -> bytes:
    """The question in its envelope (§ 1.5)."""
    return soap.wrap(_question(PERSON, "person-id", person_system(person).rivta, person.digits), logical_address)


def certificate_request(id: str, unit: HsaId, logical_address: str) -> bytes:
    """The question for one certificate in its envelope: by the unit that issued it and its id, with what has become of it at
    Försäkringskassan (forsakringskassan.md §§ 1.2, 2.1)."""
    responder, types = CERTIFICATE.responder, CERTIFICATE_TYPES
    question = etree.Element(f"{{{responder}}}{CERTIFICATE.name}", nsmap={"r": responder, "t": types})
    identifier = etree.SubElement(question, f"{{{responder}}}intygs-id")
    etree.SubElement(identifier, f"{{{types}}}root").text = unit.value
    etree.SubElement(identifier, f"{{{types}}}extension").text = id
    party = etree.SubElement(question, f"{{{responder}}}part")
    etree.SubElement(party, f"{{{types}}}code").text = FK
    etree.SubElement(party, f"{{{types}}}codeSystem").text = PARTIES
    return soap.wrap(question, logical_address)


def _question(contract: Contract, asked: str, root: str, extension: str) -> etree._Element:
    question = etree.Element(f"{{{contract.responder}}}{contract.name}", nsmap={"r": contract.responder, "t": TYPES})
    identifier = etree.SubElement(question, f"{{{contract.responder}}}{asked}")
    etree.SubElement(identifier, f"{{{TYPES}}}root").text = root
    etree.SubElement(identifier, f"{{{TYPES}}}extension").text = extension
    return question
