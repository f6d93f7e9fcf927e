"""Bad input: a clear 4xx in the form of the surface that was asked, no stack trace, no identity number in the text, and what
was stored is untouched."""

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from fhir_mappings.identifiers import ACTIVITY_KIND, PERSONNUMMER

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

FHIR: Final = {"Content-Type": "application/fhir+json"}
PLAIN: Final = {"Content-Type": "application/json"}
XML: Final = {"Content-Type": "text/xml; charset=utf-8"}

DTD: Final = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY xxe SYSTEM "file:///etc/passwd">]>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>&lol;&xxe;</soap:Body></soap:Envelope>"""

TRACES: Final = ("Traceback", 'File "', ".py", "Error:", "sqlite", "line 1, in")


def outcome(response: httpx.Response, *statuses: int) -> list[Json]:
    """The issues of an OperationOutcome that tells nothing of our insides."""
    assert response.status_code in statuses, response.text
    assert response.headers["content-type"].startswith("application/fhir+json")
    assert not any(trace in response.text for trace in TRACES), response.text
    answer = response.json()
    assert answer["resourceType"] == "OperationOutcome"
    issues: list[Json] = answer["issue"]
    assert all(issue["severity"] == "error" and issue["diagnostics"] for issue in issues)
    return issues


def problem(response: httpx.Response, *statuses: int) -> Json:
    """The problem details."""
    assert response.status_code in statuses, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert not any(trace in response.text for trace in TRACES), response.text
    answer: Json = response.json()
    assert answer["status"] == response.status_code
    assert answer["detail"]
    return answer


# Bodies that are no JSON


BROKEN: Final = {
    "nothing": b"",
    "half": b'{"resourceType": "Procedure", "status": ',
    "comma": b'{"resourceType": "Procedure",}',
    "two": b"{}{}",
    "single quotes": b"{'resourceType': 'Procedure'}",
    "not a number": b'{"resourceType": "Procedure", "status": NaN}',
    "latin-1": '{"resourceType": "Procedure", "note": "å"}'.encode("latin-1"),
    "utf-16": '{"resourceType": "Procedure"}'.encode("utf-16"),
    "lone surrogate": rb'{"resourceType": "Procedure", "status": "\ud800"}',
    "raw control character": b'{"resourceType": "Procedure", "status": "a\x00b"}',
    "list": b"[]",
    "text": b'"Procedure"',
    "null": b"null",
    "xml": b"<Procedure xmlns='http://hl7.org/fhir'/>",
    "dtd": DTD.encode(),
    "huge exponent": b'{"resourceType": "Procedure", "status": 1e999999}',
    "5,000 digits": b'{"resourceType": "Procedure", "status": ' + b"9" * 5000 + b"}",
    "1,000 deep": b'{"resourceType": "Procedure", "a": ' * 1000 + b"1" + b"}" * 1000,
    "1,000 deep lists": b'{"resourceType": "Procedure", "a": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_a_body_that_is_no_resource(flow: "Flow", body: bytes) -> None:
    before = await flow.stored()
    outcome(await flow.coordinator.post("/fhir/Procedure", content=body, headers=FHIR), 400)
    outcome(await flow.coordinator.put("/fhir/Procedure/1", content=body, headers=FHIR), 400)
    outcome(await flow.coordinator.put("/fhir/Procedure?identifier=urn:a|1", content=body, headers=FHIR), 400)
    outcome(await flow.coordinator.post("/fhir", content=body, headers=FHIR), 400)
    outcome(await flow.coordinator.patch("/fhir/Procedure/1", content=body, headers=FHIR), 400, 404)
    for asked in (
        await flow.coordinator.post("/fhir/Procedure", content=body, headers={"Content-Type": "application/fhir+xml"}),
        await flow.coordinator.post("/fhir/Procedure/$validate", content=body, headers=FHIR),
    ):
        outcome(asked, 200, 400)
    problem(await flow.coordinator.post("/api/activities", content=body, headers=PLAIN), 400, 422)
    assert await flow.stored() == before


# One wrong element, told with its place


async def wrong(flow: "Flow", person: "Person", *status: int, **elements: Any) -> list[str]:
    """The expressions of the issues."""
    before = await flow.stored()
    response = await flow.coordinator.post("/fhir/Procedure", json=flow.forms.activity(person, **elements))
    issues = outcome(response, *status or (400, 422))
    assert await flow.stored() == before
    return [expression for issue in issues for expression in issue.get("expression", [])]


ELEMENTS: Final[list[tuple[Json, str]]] = [
    ({"status": 1}, "Procedure.status"),
    ({"status": "done"}, "Procedure.status"),
    ({"status": None}, "Procedure.status"),
    ({"status": ["completed"]}, "Procedure.status"),
    ({"category": "plan"}, "Procedure.category"),
    ({"category": {}}, "Procedure.category"),
    ({"category": {"coding": []}}, "Procedure.category.coding"),
    ({"category": {"coding": [{"system": ACTIVITY_KIND, "code": "coffee"}]}}, "Procedure.category.coding[0].code"),
    ({"performedDateTime": "yesterday"}, "Procedure.performed"),
    ({"performedDateTime": "2026-02-30"}, "Procedure.performed"),
    ({"performedDateTime": "2026-11-02T10:00:00"}, "Procedure.performed"),
    ({"performedDateTime": "2026"}, "Procedure.performed"),
    ({"performedDateTime": "0001-01-01T00:00:00+14:00"}, "Procedure.performed"),
    ({"performedString": "i våras"}, "Procedure.performed"),
    ({"subject": {"reference": "Patient/nowhere"}}, "Procedure.subject.reference"),
    ({"subject": {"reference": "Group/1"}}, "Procedure.subject"),
    ({"subject": {"display": "Någon"}}, "Procedure.subject"),
    ({"subject": {"reference": 1}}, "Procedure.subject.reference"),
    ({"basedOn": [{"reference": "CarePlan/nowhere"}]}, "Procedure.basedOn[0].reference"),
    ({"colour": "blue"}, "Procedure.colour"),
    ({"note": [{"text": "a", "colour": "blue"}]}, "Procedure.note[0].colour"),
    ({"note": [{"text": ""}]}, "Procedure.note[0].text"),
    ({"note": [{"text": "a\x00b"}]}, "Procedure.note[0].text"),
    ({"note": []}, "Procedure.note"),
    ({"note": [None]}, "Procedure.note[0]"),
    ({"note": {"text": "a"}}, "Procedure.note"),
    ({"extension": [{"valueString": "a"}]}, "Procedure.extension[0].url"),
    ({"modifierExtension": [{"url": "urn:a", "valueBoolean": True}]}, "Procedure.modifierExtension"),
    ({"implicitRules": "urn:a"}, "Procedure.implicitRules"),
]


@pytest.mark.parametrize(("elements", "at"), ELEMENTS, ids=[f"{at}-{i}" for i, (_, at) in enumerate(ELEMENTS)])
async def test_a_wrong_element_is_told_with_its_place(flow: "Flow", elements: Json, at: str) -> None:
    assert at in await wrong(flow, await flow.patient(), **elements)


async def test_every_wrong_element_is_told(flow: "Flow") -> None:
    at = await wrong(flow, await flow.patient(), status=1, category="plan", colour="blue")
    assert {"Procedure.status", "Procedure.category", "Procedure.colour"} <= set(at)


@pytest.mark.parametrize("doubled", ["status", "subject", "resourceType"])
async def test_a_name_that_stands_twice(flow: "Flow", doubled: str) -> None:
    form = flow.forms.activity(await flow.patient())
    body = f'{json.dumps(form)[:-1]}, "{doubled}": {json.dumps(form[doubled])}}}'
    (issue,) = outcome(await flow.coordinator.post("/fhir/Procedure", content=body, headers=FHIR), 400)
    assert issue["expression"] == [f"Procedure.{doubled}" if doubled != "resourceType" else "resourceType"]
    plain = '{"patient": {"id": "1"}, "kinds": ["plan"], "kinds": ["sip"]}'
    problem(await flow.coordinator.post("/api/activities", content=plain, headers=PLAIN), 400)


async def test_another_type_than_the_address_says(flow: "Flow") -> None:
    person = await flow.patient()
    response = await flow.coordinator.post("/fhir/Consent", json=flow.forms.activity(person))
    (issue,) = outcome(response, 400)
    assert issue["expression"] == ["resourceType"]
    unknown = await flow.coordinator.post("/fhir/Procedure", json={"resourceType": person.number})
    assert person.number not in unknown.text


async def test_another_id_than_the_address_says(flow: "Flow") -> None:
    stored = await flow.post(flow.forms.activity(await flow.patient()))
    for id in ("other", None):
        body = {**stored, "id": id} if id else {name: value for name, value in stored.items() if name != "id"}
        response = await flow.coordinator.put(f"/fhir/Procedure/{stored['id']}", json=body)
        assert outcome(response, 400)[0]["expression"] == ["Procedure.id"]


async def test_an_update_of_what_is_not_there(flow: "Flow") -> None:
    """Nobody can have read the version that is stated. Without one, it is made (see test_changing.py)."""
    form = flow.forms.activity(await flow.patient(), id="nothing")
    headers = {"If-Match": 'W/"1"'}
    outcome(await flow.coordinator.put("/fhir/Procedure/nothing", json=form, headers=headers), 412)


# Identity numbers


def miswritten(number: str) -> list[str]:
    """The number with a wrong control digit, and in ways that are not twelve digits."""
    wrong = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
    return [
        wrong,
        f"{wrong[:8]}-{wrong[8:]}",
        wrong[2:],
        f"{number} ",
        f"{number}0",
        "19501332" + number[8:],
        "tolvsiffror",
    ]


async def test_a_wrong_control_digit_is_refused_and_not_repeated(flow: "Flow") -> None:
    for value in miswritten(next(flow.people).number):
        identifier = [{"system": PERSONNUMMER.fhir, "value": value}]
        response = await flow.coordinator.post(
            "/fhir/Patient", json={"resourceType": "Patient", "identifier": identifier}
        )
        issues = outcome(response, 400, 422)
        assert issues[0]["expression"] == ["Patient.identifier[0].value"]
        assert value.strip() not in response.text
        given = {"patient": {"personalNumber": value}, "kinds": ["plan"], "performedAt": "2026-11-02T10:00:00Z"}
        answer = await flow.coordinator.post("/api/activities", json=given)
        assert problem(answer, 422)["issues"][0]["at"] == "patient.personalNumber"
        assert value.strip() not in answer.text


def ways_to_write(number: str) -> list[str]:
    """A personal number as it may stand in an address."""
    date, last = number[:8], number[8:]
    return [
        number,
        f"{date}-{last}",
        number[2:],
        f"{date[2:]}-{last}",
        f"{date[2:]}+{last}",
        f"{date[2:]}%2B{last}",
        f"{date}%2D{last}",
        f"{date}%252D{last}",
        f"{date}%20{last}",
        f"{date}%E2%80%93{last}",
        f"{date}_{last}",
        f"%31{number[1:]}",
        f"{date[:6]}{int(date[6:]) + 60}{last}",
    ]


async def test_a_personal_number_in_an_address_is_refused_before_all_else(flow: "Flow") -> None:
    for written in ways_to_write(next(flow.people).number):
        for address in (
            f"/fhir/Patient/{written}",
            f"/fhir/Patient/{written}/_history",
            f"/fhir/Patient?identifier={written}",
            f"/fhir/Patient?name=a&identifier=urn:a|{written}",
            f"/fhir/{written}",
            f"/fhir/Patient?{written}=1",
        ):
            response = await flow.nobody.get(address)  # before the token is looked at
            (issue,) = outcome(response, 400)
            assert "POST [type]/_search" in issue["diagnostics"]
            assert written not in response.text
        for address in (f"/api/trace/{written}", f"/api/outbox?state={written}", f"/api/outbox/{written}"):
            assert written not in str(problem(await flow.nobody.get(address), 400))


@pytest.mark.parametrize(
    "query",
    [
        "date=2026-11-22,2026-11-23",
        "_lastUpdated=ge2026-11-22T10:15:00%2B01:00",
        "identifier=urn:oid:2.5.4.97|5560000001",
        "_id=01a202d4-4b6b-73f7-bb67-c40cdf80208e",
        "code=urn:oid:1.2.752.116.1.3.2.1.4|GC001",
    ],
)
async def test_what_only_looks_a_little_like_one_is_let_through(flow: "Flow", query: str) -> None:
    assert (await flow.coordinator.get(f"/fhir/Procedure?{query}")).status_code == 200


async def test_a_number_in_a_condition_or_a_body_is_where_it_may_stand(flow: "Flow") -> None:
    person = next(flow.people)
    form = {"resourceType": "Patient", "identifier": [{"system": PERSONNUMMER.fhir, "value": person.number}]}
    condition = {"If-None-Exist": f"identifier={PERSONNUMMER.fhir}|{person.number}"}
    first = await flow.coordinator.post("/fhir/Patient", json=form, headers=condition)
    again = await flow.coordinator.post("/fhir/Patient", json=form, headers=condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert person.number not in str(first.headers) + str(again.headers)


# Headers


@pytest.mark.parametrize("given", ["1", 'W/"x"', '"-1"', '"1", "2"', "**", "", 'W/"99999999999999999999"', "W/'1'"])
async def test_an_if_match_that_cannot_be_read(flow: "Flow", given: str) -> None:
    stored = await flow.post(flow.forms.activity(await flow.patient()))
    address = f"/fhir/Procedure/{stored['id']}"
    changed = {**stored, "note": [{"text": "Tillägg"}]}
    outcome(await flow.coordinator.put(address, json=changed, headers={"If-Match": given}), 400)
    assert (await flow.coordinator.get(address)).json() == stored


@pytest.mark.parametrize(
    "given",
    ["identifier", "identifier=", "identifier=a||b", "birthdate=yesterday", "x|y", "shoe-size=42", "name:sounds=A"],
)
async def test_an_if_none_exist_that_cannot_be_obeyed(flow: "Flow", given: str) -> None:
    before = await flow.stored()
    form = {"resourceType": "Patient", "name": [{"text": "Ny"}]}
    outcome(await flow.coordinator.post("/fhir/Patient", json=form, headers={"If-None-Exist": given}), 400)
    assert await flow.stored() == before


@pytest.mark.parametrize(
    "media", ["text/plain", "text/html", "application/fhir+turtle", "multipart/form-data", "nonsense"]
)
async def test_a_body_in_another_format(flow: "Flow", media: str) -> None:
    form = flow.forms.activity(await flow.patient())
    headers = {"Content-Type": media}
    body = json.dumps(form)
    before = await flow.stored()
    outcome(await flow.coordinator.post("/fhir/Procedure", content=body, headers=headers), 415)
    outcome(await flow.coordinator.put("/fhir/Procedure/1", content=body, headers=headers), 415)
    outcome(await flow.coordinator.post("/fhir/Procedure/_search", content="a=b", headers=headers), 415)
    problem(await flow.coordinator.post("/api/activities", content=body, headers=headers), 415)
    assert await flow.stored() == before


async def test_an_answer_in_another_format(flow: "Flow") -> None:
    outcome(await flow.coordinator.get("/fhir/Procedure", headers={"Accept": "application/fhir+turtle"}), 406)
    outcome(await flow.coordinator.get("/fhir/Procedure?_format=turtle"), 406)
    for media in ("application/fhir+json", "application/json;q=0.9, text/html", "*/*"):
        assert (await flow.coordinator.get("/fhir/Procedure", headers={"Accept": media})).status_code == 200


# Addresses


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/fhir/Nothing", 404),
        ("GET", "/fhir/Procedure/%00", 404),
        ("GET", "/fhir/Procedure/%ED%A0%80", 404),
        ("GET", "/fhir/Procedure/" + "x" * 5000, 404),
        ("GET", "/fhir/Procedure/1/_history/nonsense", 404),
        ("GET", "/fhir/Procedure/1/_history/99999999999999999999", 404),
        ("GET", "/fhir/a/b/c/d/e", 404),
        ("DELETE", "/fhir/Procedure/nothing", 404),
        ("DELETE", "/fhir/Procedure?shoe-size=42", 400),
        ("DELETE", "/fhir/Procedure", 405),
        ("DELETE", "/fhir/Provenance/1", 405),
        ("DELETE", "/fhir/AuditEvent/1", 405),
        ("PATCH", "/fhir/Procedure/nothing", 400),
        ("PATCH", "/fhir/Provenance/1", 405),
        ("PUT", "/fhir/Procedure", 405),
        ("PUT", "/fhir/Procedure/1", 400),
        ("PUT", "/fhir/Provenance/1", 405),
        ("PUT", "/fhir/AuditEvent/1", 405),
        ("POST", "/fhir/AuditEvent", 405),
        ("POST", "/fhir/EpisodeOfCare", 400),
        ("GET", "/fhir/_history?_since=yesterday", 400),
        ("GET", "/fhir/Procedure/_history?_at=2026-13", 400),
        ("GET", "/fhir/Procedure/_history?_count=many", 400),
        ("GET", "/fhir/Procedure/_history?patient=1", 400),
        ("GET", "/fhir/Procedure/_history?_page=nonsense", 400),
        ("GET", "/fhir/Procedure?_count=99999999999999999999", 400),
        ("GET", "/fhir/Procedure?date=%00", 400),
        ("GET", "/fhir/Procedure?_page=%F0%9F%92%A9", 400),
        ("GET", "/fhir/Procedure?" + "&".join(f"a{index}=1" for index in range(1000)), 400),
    ],
)
async def test_an_address_that_leads_nowhere(flow: "Flow", method: str, path: str, status: int) -> None:
    outcome(await flow.coordinator.request(method, path), status)


# Size


async def hundred_megabytes() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b" " * 1024 * 1024


@pytest.mark.parametrize(
    "path", ["/fhir/Procedure", "/fhir/Procedure/_search", "/fhir", "/fhir/Procedure/$validate", "/fhir/Binary"]
)
async def test_a_hundred_megabytes_to_fhir(flow: "Flow", path: str) -> None:
    media = "application/x-www-form-urlencoded" if "_search" in path else "application/fhir+json"
    headers = {"Content-Type": media}
    outcome(await flow.coordinator.post(path, content=hundred_megabytes(), headers=headers), 413)
    stated = headers | {"Content-Length": str(100 * 1024 * 1024)}
    outcome(await flow.coordinator.post(path, content=hundred_megabytes(), headers=stated), 413)


async def test_a_hundred_megabytes_to_the_json_api(flow: "Flow") -> None:
    for path in ("/api/activities", "/api/consent/decision", "/api/destinations/ehr/pause"):
        problem(await flow.coordinator.post(path, content=hundred_megabytes(), headers=PLAIN), 413)


async def test_nobody_makes_us_read_a_hundred_megabytes(flow: "Flow") -> None:
    outcome(await flow.nobody.post("/fhir/Procedure", content=hundred_megabytes(), headers=FHIR), 401)
    problem(await flow.nobody.post("/api/activities", content=hundred_megabytes(), headers=PLAIN), 401, 413)


# SOAP


SOAP_ADDRESSES: Final = (
    "/forsakringskassan/clinicalprocess/healthcond/certificate/SendMessageToRecipient/2/rivtabp21",
    "/intygstjanst/list-active-sick-leaves-for-care-unit/v1.0",
)


@pytest.mark.parametrize("address", SOAP_ADDRESSES)
@pytest.mark.parametrize(
    "body", [DTD, "<a>", "", "nonsense", "<a>" * 1000 + "</a>" * 1000, "<a>" + " " * 16 * 1024 * 1024 + "</a>"]
)
async def test_bad_xml_to_a_soap_service_is_a_fault(flow: "Flow", address: str, body: str) -> None:
    """The feed answers as the real one does, which turns each fault into an answer."""
    mocks = httpx.ASGITransport(app=flow.world.app())
    async with httpx.AsyncClient(transport=mocks, base_url="http://mocks") as client:
        response = await client.post(address, content=body.encode(), headers=XML)
    assert response.headers["content-type"].startswith("text/xml")
    assert "Fault" in response.text or "<r:resultCode>ERROR" in response.text
    assert "root:" not in response.text
    assert not any(trace in response.text for trace in TRACES)
