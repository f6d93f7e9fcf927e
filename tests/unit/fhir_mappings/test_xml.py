"""XML and JSON say the same: there and back nothing changes, and the models, which know both, read the same from either."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from contracts.errors import Malformed
from fhir_mappings import guide, r4
from fhir_mappings.xml import members, to_json, to_xml

Json = dict[str, Any]

CASES: Final = Path(__file__).parents[2] / "golden/cases"
GOLDEN: Final = sorted(
    path
    for path in CASES.rglob("*.json")
    if "invalid" not in path.parts and b'"resourceType"' in path.read_bytes() and path.name == "resource.json"
)

DIV: Final = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Å &amp; <b>ö</b> &lt;3</p></div>'
PATIENT: Final = f"""{{
  "resourceType": "Patient", "id": "p-1",
  "meta": {{"versionId": "1", "security": [{{"system": "urn:a", "code": "x", "userSelected": false}}]}},
  "text": {{"status": "generated", "div": {json.dumps(DIV)}}},
  "contained": [{{"resourceType": "Organization", "id": "o", "name": "Å \\"<&>\\" ö"}}],
  "extension": [
    {{"url": "urn:e", "valueDecimal": 1.500}}, {{"url": "urn:f", "extension": [{{"url": "g", "valueInteger": -0}}]}},
    {{"id": "x", "url": "urn:h", "valueDecimal": 1.0E-22}}
  ],
  "active": true,
  "name": [{{"id": "n1", "given": ["A", null, "C"], "_given": [null, {{"extension": [{{"url": "urn:i", "valueCode": "u"}}]}},
    {{"id": "c"}}]}}, {{"family": "B"}}],
  "_birthDate": {{"extension": [{{"url": "urn:j", "valueString": "  ej  känt\\t"}}]}},
  "multipleBirthInteger": 2,
  "managingOrganization": {{"reference": "#o"}}
}}""".encode()


def same(one: bytes, other: bytes) -> bool:
    """Equal, every number by its digits."""
    digits = msgspec.json.Decoder(float_hook=str)
    return bool(digits.decode(one) == digits.decode(other))


def test_there_and_back_nothing_changes() -> None:
    r4.parse(PATIENT)
    xml = to_xml(PATIENT)
    assert same(to_json(xml), PATIENT)
    r4.parse(to_json(xml))


def test_it_is_xml_as_fhir_says() -> None:
    root = etree.fromstring(to_xml(PATIENT))
    assert root.tag == "{http://hl7.org/fhir}Patient"
    names = [etree.QName(child).localname for child in root]
    assert names == [
        "id", "meta", "text", "contained", "extension", "extension", "extension", "active", "name", "name", "birthDate",
        "multipleBirthInteger", "managingOrganization",
    ]  # fmt: skip
    space = {"f": "http://hl7.org/fhir", "h": "http://www.w3.org/1999/xhtml"}

    def value(path: str) -> Any:
        return root.xpath(path, namespaces=space)

    assert value("string(f:id/@value)") == "p-1"
    assert value("string(f:active/@value)") == "true"
    assert value("string(f:extension[1]/f:valueDecimal/@value)") == "1.500"
    assert value("string(f:extension[1]/@url)") == "urn:e"
    assert value("string(f:contained/f:Organization/f:name/@value)") == 'Å "<&>" ö'
    assert value("string(f:text/h:div/h:p/h:b)") == "ö"
    assert value("count(f:name[1]/f:given)") == 3
    assert value("count(f:name[1]/f:given[2]/@value)") == 0
    assert value("string(f:name[1]/@id)") == "n1"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_the_models_read_the_same_from_either(path: Path) -> None:
    body = path.read_bytes()
    resource = r4.parse(body)
    xml = to_xml(body)
    assert same(to_json(xml), body)
    model: Any = r4.model(resource["resourceType"])
    assert _unnamed(model.model_validate_xml(xml).model_dump()) == _unnamed(
        model.model_validate_json(body).model_dump()
    )


@pytest.mark.parametrize("reference", guide.bodies())
def test_the_guide_too(reference: str) -> None:
    body, (type_, _, _) = guide.bodies()[reference], reference.partition("/")
    xml = to_xml(body)
    assert same(to_json(xml), body)
    model: Any = r4.model(type_)
    assert _unnamed(model.model_validate_xml(xml).model_dump()) == _unnamed(
        model.model_validate_json(body).model_dump()
    )


def test_the_guide_is_read_alone() -> None:
    body = to_xml(guide.bodies()["ValueSet/kva"])
    with pytest.raises(Malformed, match="is not a type that is served here"):
        r4.parse(to_json(body))


def _unnamed(value: Any) -> Any:
    """Without the ids of elements: the models do not read those that XML has as attributes."""
    if isinstance(value, dict):
        return {name: _unnamed(each) for name, each in value.items() if name != "id"}
    return [_unnamed(each) for each in value] if isinstance(value, list) else value


def test_there_are_golden_resources() -> None:
    assert len(GOLDEN) > 12


TEXT: Final = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Co", "Cn"]), min_size=1, max_size=12
)
NUMBER: Final = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,8})?", fullmatch=True)


@given(text=TEXT, number=NUMBER, flag=st.booleans(), id=st.sampled_from(["", "a"]))
def test_any_value_comes_back(text: str, number: str, flag: bool, id: str) -> None:
    named = f'"id": "{id}",' if id else ""
    body = f"""{{"resourceType": "Observation", "status": "final", "code": {{{named} "text": {json.dumps(text)}}},
      "extension": [{{"url": "urn:a", "valueBoolean": {str(flag).lower()}}}], "valueQuantity": {{"value": {number}}}}}"""
    assert same(to_json(to_xml(body.encode())), body.encode())


FHIR: Final = 'xmlns="http://hl7.org/fhir"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "<Patient/>",
        f"<Nothing {FHIR}/>",
        f"<!DOCTYPE a [<!ENTITY b 'c'>]><Patient {FHIR}><gender value='&b;'/></Patient>",
        f"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><Patient {FHIR}/>",
        f"<Patient {FHIR}>" + "<extension url='a'>" * 300 + "</extension>" * 300 + "</Patient>",
        "<?xml version='1.0' encoding='nonsense'?><a/>",
    ],
)
def test_what_is_no_fhir_xml_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        to_json(text.encode())


UNKNOWN: Final = "is unknown to FHIR R4 here"
EMPTY: Final = "must not be an empty object: leave it out"
TEXT_BETWEEN: Final = "has text between its elements"
ONE: Final = "must hold one resource that is served, and nothing else"


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        (
            "<gender value='x'/><birthDate value='q'/><name><foo/></name>",
            {
                "Patient.gender": "gender must be male, female, other or unknown",
                "Patient.birthDate": "birthDate must be a date that exists: 2026, 2026-05 or 2026-05-07",
                "Patient.name[0].foo": f"foo {UNKNOWN}",
            },
        ),
        (
            "a<name>b</name><name/><name><given value='c'>d</given><given value='e'/>f</name>",
            {
                "Patient": f"Patient {TEXT_BETWEEN}",
                "Patient.name[0]": f"name {TEXT_BETWEEN}",
                "Patient.name[2]": f"name {TEXT_BETWEEN}",
                "Patient.name[2].given[0]": f"given {TEXT_BETWEEN}",
            },
        ),
        (
            "<active value='true'/><active value='true'/><maritalStatus/><maritalStatus/>",
            {"Patient.active": "active stands twice", "Patient.maritalStatus": "maritalStatus stands twice"},
        ),
        (
            "<contained><Organization/></contained><contained><Organization><name>a</name></Organization></contained>",
            {"Patient.contained[1].name": f"name {TEXT_BETWEEN}"},
        ),
        ("<contained/>", {"Patient.contained[0]": f"contained {ONE}"}),
        ("<contained><Nothing/></contained>", {"Patient.contained[0]": f"contained {ONE}"}),
        ("<contained>a<Organization/></contained>", {"Patient.contained[0]": f"contained {TEXT_BETWEEN}"}),
        ("<colour value='a'/>", {"Patient.colour": f"colour {UNKNOWN}"}),
        ("<active value='true' shade='b'/>", {"Patient.active.shade": f"shade {UNKNOWN}"}),
        ("<active value='true' extension='b'/>", {"Patient.active": f"an element {UNKNOWN}"}),
        ("<active xmlns='urn:other' value='true'/>", {"Patient": f"an element {UNKNOWN}"}),
        ("<resourceType value='Goal'/>", {"Patient": f"an element {UNKNOWN}"}),
        ("<_active value='true'/>", {"Patient": f"an element {UNKNOWN}"}),
        ("<a199001019802 value='true'/>", {"Patient": f"an element {UNKNOWN}"}),
        ("<name><id value='a'/></name>", {"Patient.name[0]": f"an element {UNKNOWN}"}),
        (
            "<text><status value='empty'/><div value='a'/></text>",
            {"Patient.text": f"an element {UNKNOWN}", "Patient.text.div": "div is required"},
        ),
        ("<birthDate/>", {"Patient.birthDate": f"_birthDate {EMPTY}"}),
        ("<name><given/></name>", {"Patient.name[0].given[0]": f"_given {EMPTY}"}),
    ],
)
def test_all_that_is_wrong_is_told_at_its_place(inside: str, told: dict[str, str]) -> None:
    with pytest.raises(Malformed) as refusal:
        r4.parse(to_json(f"<Patient {FHIR}>{inside}</Patient>".encode()))
    assert {issue.expression: issue.text for issue in refusal.value.issues} == told


def test_no_more_is_told_than_of_json() -> None:
    with pytest.raises(Malformed) as refusal:
        to_json(f"<Patient {FHIR}>{'<name>a</name>' * 100_000}</Patient>".encode())
    assert len(refusal.value.issues) == r4.MOST_ISSUES


@pytest.mark.parametrize("number", ["01", "+1", "1.", ".5", "NaN", "1e", "1,2", '1}, "a": {"b": 1', "true"])
def test_what_is_no_number_is_left_to_the_judge(number: str) -> None:
    quoted = number.replace('"', "&quot;")
    text = f"<Patient {FHIR}><multipleBirthInteger value='{quoted}'/></Patient>"
    with pytest.raises(Malformed) as refusal:
        r4.parse(to_json(text.encode()))
    assert [issue.expression for issue in refusal.value.issues] == ["Patient.multipleBirth"]


@pytest.mark.parametrize(
    "div", ["<div>a & b", "<div>a &amp; b</div>", "a", "<p xmlns='http://www.w3.org/1999/xhtml'/>"]
)
def test_a_narrative_that_is_no_xhtml_is_shown_as_its_text(div: str) -> None:
    body = json.dumps({"resourceType": "Patient", "text": {"status": "generated", "div": div}}).encode()
    shown = etree.fromstring(json.loads(to_json(to_xml(body)))["text"]["div"])
    assert (shown.tag, shown.text) == ("{http://www.w3.org/1999/xhtml}div", div)


def test_the_table_is_the_judges_own() -> None:
    assert [*members("HumanName")] == [
        "id",
        "extension",
        "use",
        "text",
        "family",
        "given",
        "prefix",
        "suffix",
        "period",
    ]
    assert members("HumanName")["given"] == ("string", "string", True)
    assert members("Observation")["valueQuantity"].kind == "object"
    assert members("Bundle.entry")["resource"] == ("Resource", "object", False)
    assert members("Narrative")["div"].type == "xhtml"
