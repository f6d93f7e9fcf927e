"""What is asked in the two SOAP contracts: strictly as they say (rehabstod.md §§ 1.3-1.7)."""

import pytest
from lxml import etree

from adapters import soap
from adapters.intygstjanst import wire
from contracts.errors import Invalid
from contracts.identity import HsaId, PersonId, control_digit

UNIT = HsaId("SE1111111111-E001")
ADDRESS = "SE1111111111-L001"


def person(birth: str) -> PersonId:
    return PersonId(f"{birth}980{control_digit(birth[2:] + '980')}")


PERSONNUMMER, SAMORDNINGSNUMMER = person("19620219"), person("19620279")


def question(body: bytes, contract: wire.Contract) -> etree._Element:
    content = soap.unwrap(body)
    assert isinstance(content, etree._Element)
    assert soap.schema_errors(contract.schema, content) == ()
    assert soap.logical_address(body) == ADDRESS
    return content


@pytest.mark.parametrize("days", [0, 5, 14])
def test_a_question_by_care_unit_keeps_to_the_contract(days: int) -> None:
    asked = question(wire.care_unit_request(UNIT, days, ADDRESS), wire.CARE_UNIT)
    names = {"r": wire.CARE_UNIT.responder, "t": wire.TYPES}
    assert asked.findtext("r:enhets-id/t:extension", namespaces=names) == UNIT.value
    assert asked.findtext("r:max-dagar-sedan-avslut", namespaces=names) == str(days)


@pytest.mark.parametrize(
    ("about", "root"), [(PERSONNUMMER, "1.2.752.129.2.1.3.1"), (SAMORDNINGSNUMMER, "1.2.752.129.2.1.3.3")]
)
def test_a_question_by_person_keeps_to_the_contract(about: PersonId, root: str) -> None:
    asked = question(wire.person_request(about, ADDRESS), wire.PERSON)
    (identifier,) = asked
    assert [child.text for child in identifier] == [root, about.digits]


@pytest.mark.parametrize("days", [-1, 15])
def test_days_outside_the_contract_are_refused(days: int) -> None:
    with pytest.raises(Invalid):
        wire.care_unit_request(UNIT, days, "")


@pytest.mark.parametrize("contract", [wire.CARE_UNIT, wire.PERSON], ids=lambda contract: contract.name)
def test_the_names_are_those_of_the_service_description(contract: wire.Contract) -> None:
    description = etree.parse(soap._SCHEMAS / f"{contract.file}.wsdl").getroot()
    (action,) = (each.get("soapAction") for each in description.iter("{*}operation") if each.get("soapAction"))
    assert action == contract.action
    assert description.xpath(f"boolean(//*[@element='s:{contract.name}'])")
    assert description.nsmap["s"] == contract.responder
    assert (soap._SCHEMAS / contract.schema).is_file()
