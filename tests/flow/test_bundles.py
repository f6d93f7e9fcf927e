"""Batches and transactions: all or nothing in one transaction of the store, links between entries, R4's order."""

import base64
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest

from fhir_mappings import r4
from fhir_mappings.identifiers import PERSONNUMMER

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
pytestmark = pytest.mark.anyio

EHR: Final = "urn:example:ehr"
ONE: Final = "urn:uuid:00000000-0000-4000-8000-000000000001"
TWO: Final = "urn:uuid:00000000-0000-4000-8000-000000000002"


def entry(method: str, url: str, resource: Json | None = None, full_url: str = "", **request: str) -> Json:
    return {
        **({"fullUrl": full_url} if full_url else {}),
        **({"resource": resource} if resource else {}),
        "request": {"method": method, "url": url, **request},
    }


def bundle(*entries: Json, type: str = "transaction") -> Json:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


async def sent(flow: "Flow", *entries: Json, status: int = 200, type: str = "transaction", prefer: str = "") -> Json:
    headers = {"Prefer": prefer} if prefer else {}
    response = await flow.coordinator.post("/fhir", json=bundle(*entries, type=type), headers=headers)
    assert response.status_code == status, response.text
    answer: Json = r4.parse(response.content)
    return answer


def statuses(answer: Json) -> list[str]:
    return [each["response"]["status"] for each in answer["entry"]]


def place(answer: Json, index: int) -> str:
    """``Type/id`` of what an entry made."""
    return "/".join(answer["entry"][index]["response"]["location"].split("/")[-4:-2])


def organization(value: str, **more: Any) -> Json:
    identifier = [{"system": EHR, "value": value}]
    return {"resourceType": "Organization", "identifier": identifier, "name": value, **more}


# Transactions


async def test_entries_point_at_each_other_in_any_order(flow: "Flow") -> None:
    """The plan comes before its goal and its patient; a decimal keeps its digits."""
    person = next(flow.people)
    number = [{"system": PERSONNUMMER.fhir, "value": person.number}]
    patient = {"resourceType": "Patient", "identifier": number, "name": [{"text": person.name}]}
    goal = {**flow.forms.goal(person), "subject": {"reference": TWO}}
    plan = {**flow.forms.plan(person, ONE), "subject": {"reference": TWO}}
    plan["text"] = {
        "status": "additional",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{ONE}">mål</a></div>',
    }
    entries = (
        entry("POST", "CarePlan", plan),
        entry("POST", "Goal", goal, ONE),
        entry("POST", "Patient", patient, TWO),
    )
    body = orjson.dumps(bundle(*entries)).replace(b'"value":75,', b'"value":75.00,')
    response = await flow.coordinator.post("/fhir", content=body)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert (answer["type"], statuses(answer)) == ("transaction-response", ["201"] * 3)
    stored = (await flow.coordinator.get(f"/fhir/{place(answer, 0)}")).json()
    assert stored["goal"] == [{"reference": place(answer, 1)}]
    assert stored["subject"] == {"reference": place(answer, 2)}
    assert f'href="{place(answer, 1)}"' in stored["text"]["div"]
    assert b'"value":75.00' in (await flow.coordinator.get(f"/fhir/{place(answer, 1)}")).content
    patient_id = place(answer, 2).partition("/")[2]
    rows = flow.rows("SELECT action FROM access_log WHERE request_id = ?", response.headers["X-Request-Id"])
    assert rows == [("Skriva",)]
    assert (patient_id,) in flow.rows("SELECT patient FROM access_log")


async def test_one_error_is_everybodys(flow: "Flow") -> None:
    person = await flow.patient()
    before = await flow.stored()
    wrong = {**flow.forms.activity(person), "category": {"coding": [{"system": "urn:a", "code": "b"}]}}
    outcome = await sent(
        flow,
        entry("POST", "Goal", flow.forms.goal(person)),
        entry("POST", "Procedure", wrong),
        status=422,
    )
    assert outcome["issue"][0]["expression"][0].startswith("Bundle.entry[1].resource.category")
    assert await flow.stored() == before


async def test_deletes_first_then_changes_then_reads(flow: "Flow") -> None:
    person = await flow.patient()
    old = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{old['id']}"))
    answer = await sent(
        flow,
        entry("GET", f"CarePlan/{plan['id']}"),
        entry("PUT", f"CarePlan/{plan['id']}", {**plan, "goal": [{"reference": ONE}]}),
        entry("POST", "Goal", flow.forms.goal(person), ONE),
        entry("DELETE", f"Goal/{old['id']}"),
    )
    assert statuses(answer) == ["200", "200", "201", "204"]
    read = answer["entry"][0]["resource"]
    assert (read["goal"], read["meta"]["versionId"]) == ([{"reference": place(answer, 2)}], "2")


async def test_two_that_point_at_each_other_go_together(flow: "Flow") -> None:
    person = await flow.patient()
    first = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{first['id']}"))
    gone = await sent(flow, entry("DELETE", f"Goal/{first['id']}"), entry("DELETE", f"CarePlan/{plan['id']}"))
    assert statuses(gone) == ["204", "204"]
    circle = await sent(
        flow,
        entry("POST", "Organization", organization("circle-1", partOf={"reference": TWO}), ONE),
        entry("POST", "Organization", organization("circle-2", partOf={"reference": ONE}), TWO),
    )
    for mine, other in ((0, 1), (1, 0)):
        stored = (await flow.coordinator.get(f"/fhir/{place(circle, mine)}")).json()
        assert stored["partOf"] == {"reference": place(circle, other)}


async def test_what_is_relative_is_so_to_the_entrys_own_address(flow: "Flow") -> None:
    """As record systems write bundles: with their own addresses as fullUrl, and relative references below them."""
    away = "https://ehr.example/fhir"
    answer = await sent(
        flow,
        entry(
            "POST",
            "Organization",
            organization("relative-1", partOf={"reference": "Organization/7"}),
            f"{away}/Organization/6",
        ),
        entry("POST", "Organization", organization("relative-2"), f"{away}/Organization/7"),
        entry("POST", "Organization", organization("relative-3", partOf={"reference": f"{away}/Organization/7"})),
    )
    for index in (0, 2):
        stored = (await flow.coordinator.get(f"/fhir/{place(answer, index)}")).json()
        assert stored["partOf"] == {"reference": place(answer, 1)}
    other = organization("relative-4", partOf={"reference": "Organization/8"})
    await sent(flow, entry("POST", "Organization", other, f"{away}/Organization/9"), status=422)


async def test_conditions_inside_a_transaction(flow: "Flow") -> None:
    """If-None-Exist, an update by a condition, and references by what they match; on a national number too (D10)."""
    person = await flow.patient()
    national = f"identifier={PERSONNUMMER.fhir}|{person.number}"
    known = (await flow.coordinator.get(f"/fhir/{person.reference}")).json()
    patient = {name: known[name] for name in ("resourceType", "identifier", "name")}
    goal = {**flow.forms.goal(person), "subject": {"reference": f"Patient?{national}"}}
    other = {**flow.forms.goal(person), "subject": {"reference": ONE}}
    answer = await sent(
        flow,
        entry("POST", "Patient", patient, ONE, ifNoneExist=national),
        entry("POST", "Goal", goal),
        entry("POST", "Goal", other),
        entry("PUT", f"Organization?identifier={EHR}|in-transaction", organization("in-transaction")),
        entry("PATCH", f"Patient?{national}", _patch([{"op": "add", "path": "/active", "value": True}])),
    )
    assert statuses(answer) == ["200", "201", "201", "201", "200"]
    for index in (1, 2):
        stored = (await flow.coordinator.get(f"/fhir/{place(answer, index)}")).json()
        assert stored["subject"] == {"reference": person.reference}
    assert (await flow.coordinator.get(f"/fhir/{person.reference}")).json()["active"] is True


def _patch(operations: list[Json]) -> Json:
    data = base64.b64encode(orjson.dumps(operations)).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


async def test_a_condition_in_a_reference_that_finds_nothing_or_too_much(flow: "Flow") -> None:
    person = await flow.patient()
    before = await flow.stored()
    goal = {**flow.forms.goal(person), "subject": {"reference": "Patient?identifier=urn:a|none"}}
    outcome = await sent(flow, entry("POST", "Goal", goal), status=422)
    assert outcome["issue"][0]["code"] == "not-found"
    for value in ("many", "many"):
        await flow.post(organization(value))
    before = await flow.stored()
    role = {"resourceType": "PractitionerRole", "organization": {"reference": f"Organization?identifier={EHR}|many"}}
    await sent(flow, entry("POST", "PractitionerRole", role), status=412)
    unknown = {"resourceType": "PractitionerRole", "organization": {"reference": ONE}}
    await sent(flow, entry("POST", "PractitionerRole", unknown), status=422)
    assert await flow.stored() == before


async def test_nothing_is_changed_twice(flow: "Flow") -> None:
    stored = await flow.post(organization("twice"))
    path = f"Organization/{stored['id']}"
    before = await flow.stored()
    changed = {**stored, "name": "a"}
    await sent(flow, entry("PUT", path, changed), entry("DELETE", path), status=400)
    by_condition = f"Organization?identifier={EHR}|twice"
    await sent(flow, entry("PUT", path, changed), entry("PUT", by_condition, {**stored, "name": "b"}), status=400)
    assert await flow.stored() == before


async def test_the_same_again_in_one_transaction_is_one(flow: "Flow") -> None:
    form = organization("once")
    condition = f"identifier={EHR}|once"
    answer = await sent(flow, *(entry("POST", "Organization", form, ifNoneExist=condition) for _ in range(3)))
    assert statuses(answer) == ["201", "200", "200"]


async def test_a_version_that_is_not_the_current_one(flow: "Flow") -> None:
    stored = await flow.post(organization("if-match"))
    path = f"Organization/{stored['id']}"
    before = await flow.stored()
    outcome = await sent(
        flow,
        entry("POST", "Organization", organization("beside")),
        entry("PUT", path, {**stored, "name": "a"}, ifMatch='W/"7"'),
        status=412,
    )
    assert outcome["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert await flow.stored() == before


async def test_a_patients_record_in_one_step_does_all_that_its_parts_do(flow: "Flow") -> None:
    """Coded, decided and promised as if each had come alone."""
    person = await flow.patient()
    answer = await sent(
        flow,
        entry("POST", "Consent", flow.forms.coordination(person)),
        entry("POST", "Procedure", flow.forms.activity(person)),
        prefer="return=representation",
    )
    procedure = answer["entry"][1]["resource"]
    assert procedure["code"]["coding"][0]["code"] == "GC001"
    assert "tag" not in procedure["meta"]
    await flow.until(f"Procedure/{procedure['id']}", "delivered", "regional_platform")
    told = await sent(flow, entry("POST", "Procedure", flow.forms.activity(person)), prefer="return=OperationOutcome")
    assert told["entry"][0]["response"]["outcome"]["resourceType"] == "OperationOutcome"


async def test_a_transaction_is_for_who_may(flow: "Flow") -> None:
    person = await flow.patient()
    form = bundle(entry("POST", "Goal", flow.forms.goal(person)))
    assert (await flow.nobody.post("/fhir", json=form)).status_code == 401
    assert (await flow.reader.post("/fhir", json=form)).status_code == 403
    assert (await flow.neighbour.post("/fhir", json=form)).status_code == 422
    read = bundle(entry("GET", person.reference))
    assert (await flow.reader.post("/fhir", json=read)).status_code == 200
    assert (await flow.neighbour.post("/fhir", json=read)).status_code == 404


async def test_a_transaction_reads_what_is_not_known_yet(flow: "Flow") -> None:
    path = f"Organization/{(await flow.post(organization('known')))['id']}"
    answer = await sent(
        flow,
        entry("GET", path, ifNoneMatch='W/"1"'),
        entry("GET", path, ifNoneMatch='W/"2"'),
        entry("GET", path, ifModifiedSince="2099-01-01T00:00:00Z"),
        entry("GET", path, ifModifiedSince="2001-01-01T00:00:00Z"),
        entry("GET", f"{path}?_format=xml&_pretty=true"),
        prefer="return=representation",
    )
    assert statuses(answer) == ["304", "200", "304", "200", "200"]
    assert ["resource" in each for each in answer["entry"]] == [False, True, False, True, True]


@pytest.mark.parametrize("path", ["{path}?_format=xml&shoe-size=42", "{path}/_history/1?_elements=name"])
async def test_a_transaction_passes_over_no_parameter(flow: "Flow", path: str) -> None:
    stored = await flow.post(organization("parameters"))
    address = path.format(path=f"Organization/{stored['id']}")
    outcome = await sent(flow, entry("GET", address), status=400)
    assert outcome["issue"][0]["expression"] == ["Bundle.entry[0]"]


BAD: Final = {
    "another type": {"resourceType": "Bundle", "type": "searchset"},
    "no request": bundle({"resource": organization("x")}),
    "no resource": bundle(entry("POST", "Organization")),
    "another resource": bundle(entry("POST", "Patient", organization("x"))),
    "a create with an id": bundle(entry("POST", "Organization/1", organization("x"))),
    "a read of nothing": bundle(entry("GET", "Organization")),
    "a search": bundle(entry("GET", "Organization?name=a")),
    "an operation": bundle(entry("POST", "Organization/$validate", organization("x"))),
    "a delete of nothing": bundle(entry("DELETE", "Organization")),
    "a type that is not served": bundle(entry("DELETE", "Medication/1")),
    "another id": bundle(entry("PUT", "Organization/a", organization("x", id="b"))),
    "an unknown method": bundle(entry("LINK", "Organization/a")),
    "a patch that is none": bundle(entry("PATCH", "Organization/a", organization("x"))),
    "a wrong condition": bundle(entry("POST", "Organization", organization("x"), ifNoneExist="shoe-size=42")),
    "the same address twice": bundle(
        entry("POST", "Organization", organization("x"), ONE), entry("POST", "Organization", organization("y"), ONE)
    ),
    "a personal number as id": bundle(entry("DELETE", "Patient/195001019806")),
}


@pytest.mark.parametrize("form", BAD.values(), ids=BAD.keys())
async def test_a_bundle_that_cannot_be_obeyed(flow: "Flow", form: Json) -> None:
    before = await flow.stored()
    response = await flow.coordinator.post("/fhir", json=form)
    assert 400 <= response.status_code < 500, response.text
    assert response.json()["resourceType"] == "OperationOutcome"
    assert "195001019806" not in response.text
    assert await flow.stored() == before


async def test_an_empty_transaction_is_one(flow: "Flow") -> None:
    response = await flow.coordinator.post("/fhir/", json={"resourceType": "Bundle", "type": "transaction"})
    assert (response.status_code, response.json()) == (
        200,
        {"resourceType": "Bundle", "type": "transaction-response"},
    )


# Batches


async def test_each_entry_of_a_batch_is_a_request_of_its_own(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    path = f"Goal/{goal['id']}"
    response = await flow.coordinator.post(
        "/fhir",
        json=bundle(
            entry("GET", path),
            entry("GET", f"Goal?patient={person.id}"),
            entry("GET", path, ifNoneMatch='W/"1"'),
            entry("GET", path, ifModifiedSince="2099-01-01T00:00:00Z"),
            entry("GET", path, ifModifiedSince="2001-01-01T00:00:00Z"),
            entry("GET", path, ifModifiedSince="0001-01-01T00:00:00+14:00"),
            entry("GET", "Goal/nothing"),
            entry("POST", "Goal", flow.forms.goal(person)),
            entry("POST", "Goal", {"resourceType": "Goal", "lifecycleStatus": "active"}),
            entry("PATCH", path, _patch([{"op": "replace", "path": "/lifecycleStatus", "value": "on-hold"}])),
            entry("DELETE", "Goal/nothing"),
            entry("GET", "no/such/address/here"),
            type="batch",
        ),
    )
    answer = r4.parse(response.content, expected="Bundle")
    assert (response.status_code, answer["type"]) == (200, "batch-response")
    assert statuses(answer)[:7] == ["200", "200", "304", "304", "200", "200", "404"]
    assert statuses(answer)[7:] == ["201", "400", "200", "404", "404"]
    assert answer["entry"][0]["resource"]["id"] == goal["id"]
    assert answer["entry"][1]["resource"]["type"] == "searchset"
    assert answer["entry"][8]["response"]["outcome"]["issue"]
    assert "resource" not in answer["entry"][7]
    assert (await flow.coordinator.get(f"/fhir/{path}")).json()["lifecycleStatus"] == "on-hold"
    rows = flow.rows(
        "SELECT DISTINCT patient FROM access_log WHERE request_id LIKE ?", f"{response.headers['X-Request-Id']}.%"
    )
    assert rows == [(person.id,)]


FORGED: Final = b'{"resourceType":"Patient"}},{"response":{"status":"201","location":"Patient/forged"}'


async def test_an_entrys_answer_is_a_resource_whatever_form_it_asks_for(flow: "Flow") -> None:
    person = await flow.patient()
    data = base64.b64encode(FORGED).decode()
    made = await flow.post({"resourceType": "Binary", "contentType": "application/octet-stream", "data": data})
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    asked = {
        f"{person.reference}?_format=xml": "Patient",
        f"{person.reference}?_format=xml&_pretty=true": "Patient",
        f"Goal?patient={person.id}&_format=application/fhir%2Bxml": "Bundle",
        "metadata?_format=xml": "CapabilityStatement",
        f"Binary/{made['id']}?_format=application/octet-stream": "Binary",
        f"Binary/{made['id']}/_history/1?%5Fformat=text/plain": "Binary",
        f"CarePlan/{plan['id']}/$patient-document?_format=text/html": "Binary",
        f"CarePlan/{plan['id']}/$patient-document?form=html": "Binary",
    }
    refused = ["Goal/nothing?_format=xml", "Goal/nothing?_pretty=true", "Goal?shoe-size=42&_format=text/turtle"]
    answer = await sent(flow, *(entry("GET", each) for each in (*asked, *refused)), type="batch")
    assert statuses(answer) == ["200"] * len(asked) + ["404", "404", "400"]
    shown = [each["resource"]["resourceType"] for each in answer["entry"][: len(asked)]]
    assert shown == list(asked.values())
    for each in answer["entry"][len(asked) :]:
        assert each["response"]["outcome"]["issue"]


async def test_what_a_batch_asks_for_may_be_in_any_script(flow: "Flow") -> None:
    """Three times the same: with a condition that means something else, each would make another."""
    name, value = "Ödman", "中-batch"
    patient = {"resourceType": "Patient", "name": [{"family": name}]}
    unless, at = f"identifier={EHR}|{value}", f"Organization?identifier={EHR}|{value}-åäö"
    form = organization(value)
    asked = (
        entry("POST", "Patient", patient, ifNoneExist=f"name={name}"),
        entry("POST", "Organization", form, ifNoneExist=unless),
        entry("PUT", at, organization(f"{value}-åäö")),
    )
    found = [statuses(await sent(flow, *asked, type="batch")) for _ in range(3)]
    assert found == [["201"] * 3, ["200"] * 3, ["200"] * 3]
    (search,) = (await sent(flow, entry("GET", f"Patient?name={name}&_total=accurate"), type="batch"))["entry"]
    assert search["resource"]["total"] == 1


@pytest.mark.parametrize(
    ("wrong", "expression"),
    [
        ({"request": {"method": "BAD", "url": "Patient"}}, "request.method"),
        ({"request": {"method": "GET", "url": "Patient?name=a b"}}, "request.url"),
        ({"request": {"method": "GET"}}, "request.url"),
        ({"request": "GET Patient"}, "request"),
        ({"resource": {"resourceType": "Patient"}}, "request"),
        ({"request": {"method": "GET", "url": "Patient/195001019806"}}, "request.url"),
        ({"request": {"method": "GET", "url": "Patient"}, "shoeSize": 42}, "shoeSize"),
    ],
)
async def test_what_is_wrong_with_an_entry_of_a_batch_is_its_own_matter(
    flow: "Flow", wrong: Json, expression: str
) -> None:
    right = entry("POST", "Organization", organization("beside-wrong"))
    answer = await sent(flow, right, *[wrong] * 25, right, type="batch")
    assert statuses(answer) == ["201", *["400"] * 25, "201"]
    (issue,) = answer["entry"][25]["response"]["outcome"]["issue"]
    assert issue["expression"] == [f"Bundle.entry[25].{expression}"]
    assert "195001019806" not in issue["diagnostics"]
    await sent(flow, right, wrong, status=400)


async def test_a_batch_is_for_who_may(flow: "Flow") -> None:
    person = await flow.patient()
    form = bundle(entry("POST", "Goal", flow.forms.goal(person)), entry("GET", person.reference), type="batch")
    assert statuses((await flow.reader.post("/fhir", json=form)).json()) == ["403", "200"]
    assert statuses((await flow.neighbour.post("/fhir", json=form)).json()) == ["422", "404"]
    assert (await flow.nobody.post("/fhir", json=form)).status_code == 401


# Patches


async def patched(flow: "Flow", person: "Person", body: object, media: str) -> "httpx.Response":
    goal = await flow.post(flow.forms.goal(person))
    return await flow.coordinator.patch(
        f"/fhir/Goal/{goal['id']}", content=orjson.dumps(body), headers={"Content-Type": media}
    )


JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"


async def test_patches(flow: "Flow") -> None:
    person = await flow.patient()
    replaced = [{"op": "replace", "path": "/lifecycleStatus", "value": "completed"}]
    for body, media in (
        (replaced, JSON_PATCH),
        (replaced, "application/json"),
        ({"lifecycleStatus": "completed"}, MERGE_PATCH),
        ({"resourceType": "Goal", "lifecycleStatus": "completed"}, "application/fhir+json"),
    ):
        answer = await patched(flow, person, body, media)
        assert (answer.status_code, answer.json()["lifecycleStatus"]) == (200, "completed"), media
        assert answer.headers["ETag"] == 'W/"2"'
    removed = await patched(flow, person, {"target": None}, MERGE_PATCH)
    assert (removed.status_code, "target" in removed.json()) == (200, False)


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        ([{"op": "test", "path": "/lifecycleStatus", "value": "proposed"}], JSON_PATCH, 409),
        ([{"op": "remove", "path": "/nothing"}], JSON_PATCH, 422),
        ([{"op": "add", "path": "/target/99", "value": {}}], JSON_PATCH, 422),
        ([{"op": "add", "path": "/a/b/c", "value": {}}], JSON_PATCH, 422),
        ([{"op": "replace", "path": "", "value": []}], JSON_PATCH, 422),
        ([{"op": "replace", "path": "/id", "value": "other"}], JSON_PATCH, 422),
        ([{"op": "replace", "path": "/resourceType", "value": "Patient"}], JSON_PATCH, 422),
        ([{"op": "add", "path": "/colour", "value": "blue"}], JSON_PATCH, 422),
        ([{"op": "replace", "path": "/subject/reference", "value": "Patient/nothing"}], JSON_PATCH, 422),
        ([{"op": "jump", "path": "/id"}], JSON_PATCH, 400),
        ([{"op": "add", "path": "no slash", "value": 1}], JSON_PATCH, 400),
        ([{"op": "add"}], JSON_PATCH, 400),
        ([1, None, "a"], JSON_PATCH, 400),
        ([{"op": "copy", "from": "/target", "path": "/target/-"}] * 20, JSON_PATCH, 413),
        ([{"op": "test", "path": "/id", "value": "a"}] * 2000, JSON_PATCH, 413),
        ({"lifecycleStatus": "completed"}, JSON_PATCH, 400),
        ([], MERGE_PATCH, 400),
        ("text", "application/json", 400),
        ({"lifecycleStatus": None}, MERGE_PATCH, 422),
        ({"id": None}, MERGE_PATCH, 422),
        ({"resourceType": "Parameters", "parameter": [{"name": "operation"}]}, "application/fhir+json", 415),
        ([], "text/plain", 415),
    ],
)
async def test_a_patch_that_cannot_be_made(flow: "Flow", body: object, media: str, status: int) -> None:
    person = await flow.patient()
    response = await patched(flow, person, body, media)
    assert response.status_code == status, response.text
    found = (await flow.coordinator.get(f"/fhir/Goal?patient={person.id}")).json()["entry"]
    assert [each["resource"]["meta"]["versionId"] for each in found] == ["1"]


async def test_a_patch_is_judged_as_what_it_makes(flow: "Flow") -> None:
    """The rules of its type see it, and what follows from it follows."""
    person = await flow.consenting()
    stored = await flow.post(flow.forms.activity(person))
    path = f"/fhir/Procedure/{stored['id']}"
    other = {"coding": [{"system": "urn:oid:1.2.752.116.1.3.2.1.4", "code": "DV077"}]}
    assert (await flow.coordinator.patch(path, json={"code": other})).status_code == 422
    await flow.until(f"Procedure/{stored['id']}", "delivered", "regional_platform")
    gone = await flow.coordinator.patch(path, json={"status": "entered-in-error"}, headers={"If-Match": 'W/"1"'})
    assert gone.status_code == 200, gone.text
    await flow.quiet()
    assert [each["type"].split(".")[-2] for each in flow.events(f"Procedure/{stored['id']}")] == ["coded", "retracted"]
    assert (await flow.coordinator.patch(path, json={}, headers={"If-Match": 'W/"1"'})).status_code == 412


async def test_a_patch_keeps_every_digit(flow: "Flow") -> None:
    person = await flow.patient()
    form = orjson.dumps(flow.forms.goal(person)).replace(b'"value":75,', b'"value":75.000,')
    goal = (await flow.coordinator.post("/fhir/Goal", content=form)).json()
    change = b'[{"op":"add","path":"/target/1/detailQuantity/value","value":60.00}]'
    headers = {"Content-Type": JSON_PATCH}
    patched = await flow.coordinator.patch(f"/fhir/Goal/{goal['id']}", content=change, headers=headers)
    assert b'"value":75.000' in patched.content
    assert b'"value":60.00' in patched.content
