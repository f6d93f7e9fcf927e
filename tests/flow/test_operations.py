"""$validate judges as the write does and writes nothing; $everything is all of it, in pages, for who may see it."""

import gzip
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fhir_mappings import r4
from fhir_mappings.identifiers import BASE, EXT_EPISODE
from service.main import create_app

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]
pytestmark = pytest.mark.anyio


def severities(outcome: Json) -> set[str]:
    assert outcome["resourceType"] == "OperationOutcome"
    return {issue["severity"] for issue in outcome["issue"]}


async def validated(flow: "Flow", path: str, body: Json | None = None) -> Json:
    before = await flow.stored()
    response = await flow.coordinator.post(f"/fhir/{path}", json=body)
    assert response.status_code == 200, response.text
    assert await flow.stored() == before
    outcome: Json = response.json()
    return outcome


# $validate


async def test_the_judgement_is_that_of_the_write(flow: "Flow") -> None:
    person = await flow.patient()
    activity = flow.forms.activity(person)
    for form in (
        activity,
        {**activity, "status": 1, "colour": "blue"},
        {**activity, "category": {"coding": [{"system": "urn:a", "code": "b"}]}},
        {**activity, "subject": {"reference": "Patient/nothing"}},
        flow.forms.disclosure(person, categories=()),
        flow.forms.request(person),
    ):
        outcome = await validated(flow, f"{form['resourceType']}/$validate", form)
        written = await flow.coordinator.post(f"/fhir/{form['resourceType']}", json=form)
        assert ("error" in severities(outcome)) == (written.status_code >= 400)
        if written.status_code >= 400:
            assert outcome == written.json()


async def test_an_existing_resource_is_judged_as_an_update_or_a_deletion(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    path = f"Goal/{goal['id']}/$validate"
    assert severities(await validated(flow, path, {**goal, "note": [{"text": "a"}]})) == {"information"}
    other = await flow.patient()
    moved = {**goal, "subject": {"reference": other.reference}}
    assert severities(await validated(flow, path, moved)) == {"error"}
    assert severities(await validated(flow, f"{path}?mode=delete")) == {"information"}
    await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    assert severities(await validated(flow, f"{path}?mode=delete")) == {"error"}
    mode = {"name": "mode", "valueCode": "update"}
    asked = {"resourceType": "Parameters", "parameter": [mode, {"name": "resource", "resource": goal}]}
    assert severities(await validated(flow, path, asked)) == {"information"}


async def test_what_is_wrong_with_the_resource_is_told(flow: "Flow") -> None:
    person = await flow.patient()
    goal = flow.forms.goal(person)
    assert severities(await validated(flow, "Goal/$validate", {"resourceType": "Patient"})) == {"error"}
    assert (await flow.nobody.post("/fhir/Goal/$validate", json=goal)).status_code == 401
    broken = await flow.coordinator.post("/fhir/Goal/$validate", content=b"{")
    assert (broken.status_code, severities(broken.json())) == (200, {"error"})


OURS, CORE = f"{BASE}/StructureDefinition", "http://hl7.org/fhir/StructureDefinition"


def parameters(*stated: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(stated)}


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("?profile=http://example.org/other", {"resourceType": "Goal"}),
        (f"?profile={OURS}/reko-consent", {"resourceType": "Goal"}),
        (f"?profile={OURS}/reko-goal|9.9", {"resourceType": "Goal"}),
        (f"?profile={CORE}/Goal|5.0.0", {"resourceType": "Goal"}),
        (f"?profile={OURS}/reko-goal&profile={CORE}/Goal", {"resourceType": "Goal"}),
        ("?mode=jump", {"resourceType": "Goal"}),
        ("?foo=bar", {"resourceType": "Goal"}),
        ("?resource=Goal/1", {"resourceType": "Goal"}),
        ("", None),
        ("", parameters()),
        ("", parameters({"name": "resource", "resource": {}}, {"name": "foo", "valueString": "bar"})),
        ("", parameters({"name": "resource", "resource": {}}, {"name": "profile", "valueInteger": 1})),
        ("", parameters({"name": "resource", "resource": {}}, {"name": "profile"})),
        ("", parameters({"name": "resource", "resource": {}}, {"name": "resource", "resource": {}})),
        ("", {"resourceType": "Parameters", "parameter": [1]}),
    ],
)
async def test_a_question_that_is_not_understood_is_refused(flow: "Flow", query: str, body: Json | None) -> None:
    answer = await flow.coordinator.post(f"/fhir/Goal/$validate{query}", json=body)
    assert (answer.status_code, severities(answer.json())) == (400, {"error"}), answer.text


_NOTHING_SAID: dict[str, Json] = {
    "reko-work-capacity": {"resourceType": "Observation", "status": "final", "code": {"text": "x"}},
    "reko-certificate": {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {}}]},
    "reko-meeting": {"resourceType": "Task", "status": "draft", "intent": "order"},
}
"""What R4 allows, and the profile of the name does not."""


@pytest.mark.parametrize("name", _NOTHING_SAID)
async def test_the_profile_that_is_asked_about_judges_too(flow: "Flow", name: str) -> None:
    content, profile = _NOTHING_SAID[name], f"{OURS}/{name}"
    path = f"{content['resourceType']}/$validate"
    claiming = await validated(flow, path, {**content, "meta": {"profile": [profile]}})
    assert severities(claiming) == {"error"}
    resource = {"name": "resource", "resource": content}
    for asked, body in (
        (f"?profile={profile}", content),
        (f"?profile={profile}|0.1.0&mode=profile&_format=json", content),
        ("", parameters(resource, {"name": "profile", "valueUri": profile})),
        ("", parameters({"name": "profile", "valueCanonical": profile}, resource)),
    ):
        assert await validated(flow, f"{path}{asked}", body) == claiming, asked


@pytest.mark.parametrize(
    "profile", [f"{OURS}/reko-goal", f"{OURS}/reko-goal|0.1.0", f"{CORE}/Goal", f"{CORE}/Goal|4.0.1"]
)
async def test_what_keeps_to_the_profile_has_no_fault(flow: "Flow", profile: str) -> None:
    goal = flow.forms.goal(await flow.patient())
    assert severities(await validated(flow, f"Goal/$validate?profile={profile}", goal)) == {"information"}


# $everything


async def pages(client: httpx.AsyncClient, address: str) -> list[list[Json]]:
    found = []
    while address:
        response = await client.get(address)
        assert response.status_code == 200, response.text
        bundle = r4.parse(response.content, expected="Bundle")
        found.append([entry["resource"] for entry in bundle.get("entry", [])])
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    return found


def names(resources: list[Json]) -> list[str]:
    return [f"{each['resourceType']}/{each['id']}" for each in resources]


async def test_everything_of_a_patient_in_pages(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    goal = await flow.post(flow.forms.goal(person))
    await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    await flow.post(flow.forms.activity(person))
    await flow.post(flow.forms.activity(await flow.patient()))
    address = f"/fhir/{person.reference}/$everything"
    (whole,) = await pages(flow.reader, address)
    types = {each["resourceType"] for each in whole}
    care = {"Patient", "Consent", "EpisodeOfCare", "Goal", "CarePlan", "Procedure"}
    assert types == care | {"Organization", "PractitionerRole"}
    assert len(names(whole)) == len(set(names(whole)))
    mine = [each for each in whole if each["resourceType"] not in ("Organization", "PractitionerRole")]
    paged = await pages(flow.reader, f"{address}?_count=2")
    own = [each for page in paged for each in page if each["resourceType"] not in ("Organization", "PractitionerRole")]
    assert (names(own), len(paged)) == (names(mine), (len(mine) + 1) // 2)
    response = await flow.reader.get(address)
    assert len(flow.accesses(person, response.headers["X-Request-Id"])) == 1
    for other in (flow.neighbour, flow.stranger):
        assert (await other.get(address)).status_code == 404
    link = (await flow.reader.get(f"{address}?_count=1")).json()["link"][1]["url"]
    assert (await flow.neighbour.get(link)).status_code in (400, 404)
    assert (await flow.reader.get(link.replace(person.id, goal["id"]))).status_code == 404


VALUES = {"_type": "valueCode", "_since": "valueInstant", "start": "valueDate", "end": "valueDate"}


async def both_ways(flow: "Flow", address: str, asked: dict[str, str]) -> tuple[list[Json], list[Json]]:
    """By GET, and by POST of Parameters."""
    stated = [{"name": name, VALUES[name]: value} for name, value in asked.items()]
    parameters = {"resourceType": "Parameters", "parameter": stated} if stated else {"resourceType": "Parameters"}
    answers = (
        await flow.reader.get(address, params=asked),
        await flow.reader.post(address, json=parameters),
    )
    assert [each.status_code for each in answers] == [200, 200], [each.text for each in answers]
    got, posted = ([entry["resource"] for entry in each.json().get("entry", [])] for each in answers)
    return got, posted


async def test_everything_of_types_that_are_pointed_at(flow: "Flow") -> None:
    """Staff and units belong to no patient: they are found by what points at them, also where only they are wanted."""
    person = await flow.patient()
    await flow.post(flow.forms.activity(person))
    await flow.post(flow.forms.goal(person))
    address = f"/fhir/{person.reference}/$everything"
    for types in ("Organization", "Patient,Organization", "PractitionerRole,Goal", "Procedure"):
        for found in await both_ways(flow, address, {"_type": types}):
            assert {each["resourceType"] for each in found} == set(types.split(",")), types
    twice = await flow.reader.get(f"{address}?_type=Procedure&_type=Goal")
    assert {each["resource"]["resourceType"] for each in twice.json()["entry"]} == {"Procedure", "Goal"}


async def test_everything_by_post_in_pages(flow: "Flow") -> None:
    person = await flow.patient()
    for _ in range(2):
        await flow.post(flow.forms.goal(person))
    address = f"/fhir/{person.reference}/$everything"
    asked = [{"name": "_type", "valueCode": "Goal"}, {"name": "_count", "valueInteger": 1}]
    first = (await flow.reader.post(address, json={"resourceType": "Parameters", "parameter": asked})).json()
    links = {each["relation"]: each["url"] for each in first["link"]}
    (last,) = await pages(flow.reader, links["next"])
    assert len(first["entry"]) == len(last) == 1
    assert first["entry"][0]["resource"]["id"] != last[0]["id"]
    assert (await flow.reader.post(address)).status_code == 200
    wrong = {"resourceType": "Parameters", "parameter": [{"name": "start", "valuePeriod": {}}]}
    assert (await flow.reader.post(address, json=wrong)).status_code in (400, 422)


async def test_everything_of_some_types_since_a_time_and_of_a_period(flow: "Flow") -> None:
    person = await flow.patient()
    early = await flow.post(flow.forms.activity(person, performedDateTime="2026-01-10"))
    late = await flow.post(flow.forms.activity(person, performedDateTime="2026-03-10"))
    flow.clock.advance(timedelta(minutes=1))
    since = flow.forms.time()
    goal = await flow.post(flow.forms.goal(person))
    address = f"/fhir/{person.reference}/$everything"

    async def asked(**parameters: str) -> list[str]:
        by_get, by_post = await both_ways(flow, address, parameters)
        assert by_get == by_post
        return [each["id"] for each in by_get if each["resourceType"] in ("Procedure", "Goal", "Patient")]

    both = [early["id"], late["id"]]
    assert await asked(_type="Procedure") == both
    assert await asked(_type="Procedure,Goal") == [*both, goal["id"]]
    assert await asked(_since=since) == [goal["id"]]
    assert await asked(_type="Procedure", start="2026-02-01") == [late["id"]]
    assert await asked(_type="Procedure", end="2026-02") == [early["id"]]
    assert await asked(_type="Procedure", start="0001-01-01", end="9999-12-31") == both
    assert await asked(start="2026-01-01", end="2026-01-31") == [person.id, early["id"], goal["id"]]


async def test_everything_of_a_sick_leave(flow: "Flow") -> None:
    person = await flow.patient()
    flow.certify(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    (episode,) = (await flow.coordinator.get(f"/fhir/EpisodeOfCare?patient={person.id}")).json()["entry"]
    id = episode["resource"]["id"]
    linked = {"url": EXT_EPISODE, "valueReference": {"reference": f"EpisodeOfCare/{id}"}}
    form = flow.forms.activity(person)
    mine = await flow.post({**form, "extension": [*form["extension"], linked]})
    await flow.post(flow.forms.activity(person, kind="plan"))
    for query in ("", "?_count=1"):
        whole = [
            each for page in await pages(flow.reader, f"/fhir/EpisodeOfCare/{id}/$everything{query}") for each in page
        ]
        procedures = [each["id"] for each in whole if each["resourceType"] == "Procedure"]
        types = {each["resourceType"] for each in whole}
        assert (procedures, types >= {"Patient", "EpisodeOfCare", "Observation"}) == ([mine["id"]], True)


@pytest.mark.parametrize(
    "query",
    [
        *("_type=Nothing", "_count=0", "_count=x", "_since=now", "start=x", "end=2026-13", "shoe-size=42", "_page=x"),
        *("_count=1&_count=2", "start=2026-01&start=2026-02"),
    ],
)
async def test_what_everything_cannot_be_asked(flow: "Flow", query: str) -> None:
    person = await flow.patient()
    response = await flow.reader.get(f"/fhir/{person.reference}/$everything?{query}")
    assert (response.status_code, severities(response.json())) == (400, {"error"})


async def test_everything_of_another_type_is_not_asked(flow: "Flow") -> None:
    goal = await flow.post(flow.forms.goal(await flow.patient()))
    assert (await flow.reader.get(f"/fhir/Goal/{goal['id']}/$everything")).status_code == 404


# How it leaves


async def test_long_answers_are_compressed_for_who_reads_that(flow: "Flow") -> None:
    async with flow.reader.stream("GET", "/fhir/metadata", headers={"Accept-Encoding": "gzip"}) as response:
        packed = b"".join([piece async for piece in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    plain = await flow.reader.get("/fhir/metadata", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed) == plain.content


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip;q=0", None),
        ("br, gzip; q=0.000", None),
        ("identity", None),
        ("deflate, gzip;q=0.5", "gzip"),
    ],
)
async def test_only_what_is_accepted_is_compressed(flow: "Flow", accepted: str, coding: str | None) -> None:
    asked = {"Accept-Encoding": accepted}
    got = await flow.nobody.get("/fhir/metadata", headers=asked)
    head = await flow.nobody.head("/fhir/metadata", headers=asked)
    assert got.headers.get("content-encoding") == coding
    assert ("content-length" in head.headers) == (coding is None)


async def test_pages_of_other_origins_stay_outside_unless_they_are_named(flow: "Flow", tmp_path: Path) -> None:
    asking = {"Origin": "https://ehr.example", "Access-Control-Request-Method": "GET"}
    assert (await flow.nobody.options("/fhir/metadata", headers=asking)).status_code == 405
    shut = await flow.nobody.get("/fhir/metadata", headers={"Origin": "https://ehr.example"})
    assert "access-control-allow-origin" not in shut.headers
    settings = flow.settings.model_copy(
        update={"data": tmp_path, "cors_origins": "https://ehr.example, https://other.example", "adapters": {}}
    )
    app = create_app(settings)
    async with (
        flow.lifespan(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://reko") as client,
    ):
        named = await client.options("/fhir/metadata", headers=asking)
        assert (named.status_code, named.headers["access-control-allow-origin"]) == (200, "https://ehr.example")
        got = await client.get("/fhir/metadata", headers={"Origin": "https://other.example"})
        assert got.headers["access-control-allow-origin"] == "https://other.example"
        assert "ETag" in got.headers["access-control-expose-headers"]
        other = await client.get("/fhir/metadata", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers
        api = await client.get("/health/live", headers={"Origin": "https://ehr.example"})
        assert "access-control-allow-origin" not in api.headers
