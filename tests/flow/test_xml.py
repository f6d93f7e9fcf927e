"""FHIR's XML over HTTP: in and out, alone and in bundles, errors too; what is stored is the same as from JSON."""

from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest

from fhir_mappings import r4
from fhir_mappings.xml import to_json, to_xml

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow

Json = dict[str, Any]
pytestmark = pytest.mark.anyio

XML: Final = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}


def as_json(response: "httpx.Response") -> Any:
    assert response.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    return orjson.loads(to_json(response.content))


async def test_what_comes_as_xml_is_stored_as_what_comes_as_json(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.activity(person)
    made = await flow.coordinator.post("/fhir/Procedure", content=to_xml(orjson.dumps(form)), headers=XML)
    assert made.status_code == 201, made.text
    stored = as_json(made)
    assert stored["code"]["coding"][0]["code"] == "GC001"
    path = f"/fhir/Procedure/{stored['id']}"
    assert (await flow.reader.get(path)).json() == stored
    for ask in ({"headers": XML}, {"params": {"_format": "xml"}}, {"params": {"_format": "application/fhir+xml"}}):
        assert as_json(await flow.reader.get(path, **ask)) == stored  # type: ignore[arg-type]
    changed = to_xml(orjson.dumps({**stored, "note": [{"text": "Å & <ö>"}]}))
    put = await flow.coordinator.put(path, content=changed, headers=XML | {"If-Match": 'W/"1"'})
    assert as_json(put)["note"] == [{"text": "Å & <ö>"}]
    found = as_json(await flow.reader.get(f"/fhir/Procedure?patient={person.id}", headers=XML))
    assert [entry["resource"] for entry in found["entry"]] == [as_json(put)]


async def test_a_transaction_in_xml(flow: "Flow") -> None:
    person = await flow.patient()
    goal = {**flow.forms.goal(person), "subject": {"reference": f"Patient?_id={person.id}"}}
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": goal, "request": {"method": "POST", "url": "Goal"}}],
    }
    answer = await flow.coordinator.post("/fhir", content=to_xml(orjson.dumps(bundle)), headers=XML)
    assert as_json(answer)["entry"][0]["response"]["status"] == "201"


async def test_errors_and_the_statement_in_xml(flow: "Flow") -> None:
    missing = await flow.coordinator.get("/fhir/Goal/nothing", headers=XML)
    assert (missing.status_code, as_json(missing)["issue"][0]["code"]) == (404, "not-found")
    broken = await flow.coordinator.post("/fhir/Goal", content=b"<Goal>", headers=XML)
    assert (broken.status_code, as_json(broken)["resourceType"]) == (400, "OperationOutcome")
    validated = await flow.coordinator.post(
        "/fhir/Goal/$validate", content=b'<Goal xmlns="http://hl7.org/fhir"/>', headers=XML
    )
    assert {issue["severity"] for issue in as_json(validated)["issue"]} == {"error"}
    several = b'<Goal xmlns="http://hl7.org/fhir"><lifecycleStatus value="x"/><target><foo/></target></Goal>'
    for address in ("/fhir/Goal", "/fhir/Goal/$validate"):
        told = as_json(await flow.coordinator.post(address, content=several, headers=XML))["issue"]
        assert {"Goal.lifecycleStatus", "Goal.target[0].foo"} < {issue["expression"][0] for issue in told}
    statement = await flow.nobody.get("/fhir/metadata", headers=XML)
    assert statement.headers["content-type"].startswith("application/fhir+xml")
    assert as_json(statement) == (await flow.nobody.get("/fhir/metadata")).json()
    assert not r4.check(as_json(statement))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/fhir+xml, application/fhir+json;q=0.9", "xml"),
        ("application/fhir+xml;q=0.8, application/fhir+json;q=0.9", "json"),
        ("text/xml", "xml"),
        ("application/fhir+xml, */*;q=0.1", "xml"),
        ("*/*", "json"),
        ("application/fhir+xml;q=x", "xml"),
        ("application/fhir+xml, application/fhir+json", "json"),
    ],
)
async def test_what_is_liked_better_is_what_comes(flow: "Flow", accept: str, form: str) -> None:
    response = await flow.coordinator.get("/fhir/Goal?_count=1", headers={"Accept": accept})
    assert response.headers["content-type"].startswith(f"application/fhir+{form}")
    head = await flow.coordinator.head("/fhir/Goal?_count=1", headers={"Accept": accept})
    assert head.headers["content-type"] == response.headers["content-type"]
    plain = {"Accept": accept, "Accept-Encoding": "identity"}
    whole = await flow.coordinator.get("/fhir/Goal?_count=1", headers=plain)
    alone = await flow.coordinator.head("/fhir/Goal?_count=1", headers=plain)
    assert int(alone.headers["content-length"]) == len(whole.content)
    assert head.headers.get("content-length") in (None, alone.headers["content-length"])


async def test_a_number_in_an_address_is_refused_in_the_form_that_is_asked_for(flow: "Flow") -> None:
    address = "/fhir/Patient?identifier=199001019802"
    for ask in ({"headers": XML}, {"params": {"identifier": "199001019802", "_format": "xml"}}):
        refused = await flow.coordinator.get(address, **ask)  # type: ignore[arg-type]
        assert (refused.status_code, as_json(refused)["resourceType"]) == (400, "OperationOutcome")
    assert (await flow.coordinator.get(address)).headers["content-type"].startswith("application/fhir+json")


async def test_pretty_xml_says_the_same_and_leaves_the_narrative_alone(flow: "Flow") -> None:
    person = await flow.patient()
    made = await flow.post(flow.forms.goal(person) | {"text": {"status": "generated", "div": NARRATIVE}})
    pretty = await flow.reader.get(f"/fhir/Goal/{made['id']}?_format=xml&_pretty=true")
    assert f'<Goal xmlns="http://hl7.org/fhir">\n  <id value="{made["id"]}"/>\n  <meta>\n    <versionId' in pretty.text
    assert f"\n    {NARRATIVE}\n" in pretty.text
    assert as_json(pretty) == made


NARRATIVE: Final = '<div xmlns="http://www.w3.org/1999/xhtml"><p><b>a</b><i>b</i></p></div>'


@pytest.mark.parametrize("address", ["Goal", "ValueSet"])
async def test_the_body_of_a_search_says_how_it_is_answered(flow: "Flow", address: str) -> None:
    async def search(**asked: str) -> "httpx.Response":
        return await flow.reader.post(f"/fhir/{address}/_search", data={"_count": "1", **asked})

    plain = (await search()).json()
    assert as_json(await search(_format="xml"))["entry"] == plain["entry"]
    assert (await search(_format="xml", _pretty="true")).text.splitlines()[1:3] == [
        '<Bundle xmlns="http://hl7.org/fhir">',
        '  <type value="searchset"/>',
    ]
    assert (await search(_pretty="true")).text.startswith('{\n  "resourceType": "Bundle"')
    assert (await search(_format="turtle")).status_code == 406
    both = await flow.reader.post(f"/fhir/{address}/_search?_format=json", data={"_format": "xml"})
    assert both.headers["content-type"].startswith("application/fhir+json")


async def test_entries_of_a_batch_have_the_form_of_the_batch(flow: "Flow") -> None:
    person = await flow.patient()
    binary = await flow.post({"resourceType": "Binary", "contentType": "text/plain", "data": "aGVq"})
    asked = [
        {"request": {"method": "GET", "url": f"{person.reference}?_format=xml"}},
        {"request": {"method": "GET", "url": "Patient/nobody?_pretty=true"}},
        {"request": {"method": "GET", "url": f"Binary/{binary['id']}?_format=text/plain"}},
    ]
    answer = await flow.coordinator.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": asked})
    found, missing, kept = answer.json()["entry"]
    assert (found["resource"]["id"], kept["resource"]) == (person.id, binary)
    assert missing["response"]["outcome"]["issue"][0]["code"] == "not-found"


@pytest.mark.parametrize(
    ("accept", "format_", "comes"),
    [
        ("*/*", "xml", "resource"),
        ("*/*", "text/xml", "resource"),
        ("*/*", "application/xml", "resource"),
        ("*/*", "application/fhir+xml", "resource"),
        ("application/fhir+xml", "", "resource"),
        ("application/pdf, application/fhir+xml;q=0.5", "", "resource"),
        ("application/xml", "", "bytes"),
        ("text/xml", "", "bytes"),
        ("application/fhir+xml;q=0", "", "bytes"),
        ("application/fhir+json", "application/pdf", "bytes"),
        ("*/*", "", "bytes"),
    ],
)
@pytest.mark.parametrize("kind", ["application/xml", "application/fhir+json"])
async def test_a_binary_is_its_bytes_unless_the_resource_is_asked_for(
    flow: "Flow", kind: str, accept: str, format_: str, comes: str
) -> None:
    made = await flow.post({"resourceType": "Binary", "contentType": kind, "data": "PGEvPg=="})
    asked = {"_format": format_} if format_ else {}
    answer = await flow.reader.get(f"/fhir/Binary/{made['id']}", headers={"Accept": accept}, params=asked)
    if comes == "resource":
        assert as_json(answer) == made
    else:
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"<a/>", kind)


@pytest.mark.parametrize("accept", ["text/html", "application/fhir+json;q=0", "application/fhir+turtle"])
async def test_what_is_not_made_is_told(flow: "Flow", accept: str) -> None:
    assert (await flow.coordinator.get("/fhir/Goal", headers={"Accept": accept})).status_code == 406
