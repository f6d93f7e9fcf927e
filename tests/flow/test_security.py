"""Who may see what, and that nothing is shown which the access log does not tell of."""

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ours:
    """What the coordinator's unit has on somebody: an activity, a consent, and a message that is withheld."""

    person: "Person"
    activity: Json
    consent: Json
    about: str
    message: str


@pytest.fixture
async def ours(flow: "Flow") -> Ours:
    person = await flow.patient()
    consent = await flow.post(flow.forms.coordination(person))
    activity = await flow.post(flow.forms.activity(person))
    about = await flow.request(person)
    return Ours(person, activity, consent, about, (await flow.until(about, "withheld")).id)


def reads(ours: Ours) -> list[str]:
    """Every address at which data about the person is shown."""
    activity = f"/fhir/Procedure/{ours.activity['id']}"
    return [
        f"/fhir/Patient/{ours.person.id}",
        f"/fhir/Patient/{ours.person.id}/$everything",
        f"/fhir/Patient/{ours.person.id}/_history",
        activity,
        f"{activity}/_history/1",
        f"{activity}/_history",
        f"/fhir/Consent/{ours.consent['id']}",
        f"/fhir/{ours.about}",
        f"/api/trace/{ours.person.id}",
        f"/api/trace/{ours.activity['id']}",
        f"/api/trace/{ours.message}",
        f"/api/outbox/{ours.message}",
        f"/api/outbox/{ours.message}/content",
    ]


def writes(flow: "Flow", ours: Ours) -> list[tuple[str, str, Json]]:
    """Every way to change what is there, or to add to it."""
    patient = {"id": ours.person.id}
    parts = [{"category": "assumed_rehab_need", "text": "Behov."}]
    fk = {"kind": "forsakringskassan"}
    said = {"givenAt": "2026-11-02T10:00:00+01:00", "how": "VERBAL"}
    done = {"kinds": ["plan"], "performedAt": "2026-11-02T10:00:00+01:00"}
    return [
        ("PUT", f"/fhir/Procedure/{ours.activity['id']}", ours.activity),
        ("PATCH", f"/fhir/Procedure/{ours.activity['id']}", {"note": [{"text": "Tillägg"}]}),
        ("POST", "/fhir", bundled("PATCH", f"Procedure/{ours.activity['id']}", note("Mer"))),
        ("PUT", f"/fhir/Consent/{ours.consent['id']}", {**ours.consent, "status": "inactive"}),
        ("POST", "/api/activities", {"patient": patient, **done}),
        ("POST", "/api/consents", {"patient": patient, "kind": "coordination", **said}),
        ("POST", f"/api/consents/{ours.consent['id']}/withdrawal", {}),
        ("POST", "/api/plans", {"patient": patient, "kind": "rehabiliteringsplan", "title": "Plan"}),
        (
            "POST",
            "/api/notifications",
            {"patient": patient, "recipient": fk, "topic": "assumed-rehab-need", "parts": parts},
        ),
        (
            "POST",
            "/api/consent/decision",
            {"patient": patient, "recipient": fk, "categories": ["assumed_rehab_need"]},
        ),
        ("POST", f"/api/outbox/{ours.message}/replay", {"why": "a test"}),
        ("POST", f"/api/outbox/{ours.message}/cancel", {"why": "a test"}),
        ("POST", "/fhir", bundled("DELETE", f"CommunicationRequest/{ours.about.partition('/')[2]}")),
        ("DELETE", f"/fhir/Procedure/{ours.activity['id']}", {}),
    ]


def bundled(method: str, url: str, resource: Json | None = None) -> Json:
    """A transaction of one entry."""
    entry = {"request": {"method": method, "url": url}} | ({"resource": resource} if resource else {})
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


def note(text: str) -> Json:
    """A patch, as a transaction carries it."""
    patch = base64.b64encode(json.dumps({"note": [{"text": text}]}).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/merge-patch+json", "data": patch}


async def send(client: "httpx.AsyncClient", method: str, path: str, body: Json, **headers: str) -> "httpx.Response":
    return await client.request(method, path, json=body, headers=headers)


# Who


UNKNOWN: Final = ("", "Bearer", "Bearer ", "Bearer wrong", "Basic token-of-coordinator", "token-of-coordinator")


@pytest.mark.parametrize("authorization", UNKNOWN)
async def test_without_a_known_token_nothing_is_told(flow: "Flow", ours: Ours, authorization: str) -> None:
    before = await flow.stored()
    headers = {"Authorization": authorization}
    for path in [*reads(ours), "/fhir/Procedure", "/api/outbox", f"/api/units/{flow.UNIT}/sick-leaves"]:
        response = await flow.nobody.get(path, headers=headers)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        assert ours.person.name not in response.text
    for method, path, body in writes(flow, ours):
        assert (await send(flow.nobody, method, path, body, **headers)).status_code == 401, path
    assert (await flow.nobody.post("/fhir/Procedure", json=ours.activity, headers=headers)).status_code == 401
    assert (await flow.nobody.post("/fhir/Procedure/_search", headers=headers)).status_code == 401
    assert await flow.stored() == before


async def test_what_everybody_may_know(flow: "Flow") -> None:
    for path in (
        "/",
        "/login",
        "/static/console.css",
        "/fhir/metadata",
        "/health/live",
        "/health/ready",
        "/api/docs",
        "/api/openapi.json",
    ):
        assert (await flow.nobody.get(path)).status_code == 200, path


async def test_a_missing_right_is_forbidden(flow: "Flow", ours: Ours) -> None:
    before = await flow.stored()
    for method, path, body in writes(flow, ours):
        if path != "/api/consent/decision":  # asking is reading
            assert (await send(flow.reader, method, path, body)).status_code == 403, path
    for path in ("/api/outbox", f"/api/outbox/{ours.message}", f"/api/outbox/{ours.message}/content"):
        assert (await flow.reader.get(path)).status_code == 403, path
    for path in (f"/api/units/{flow.UNIT}/pull", "/api/destinations/ehr/resume"):
        assert (await flow.reader.post(path)).status_code == 403, path
    assert (await flow.reader.post("/fhir/Procedure", json=ours.activity)).status_code == 403
    assert await flow.stored() == before
    assert (await flow.reader.get(f"/fhir/Procedure/{ours.activity['id']}")).status_code == 200


@pytest.mark.parametrize("name", ["neighbour", "stranger"])
async def test_another_units_data_is_told_like_none(flow: "Flow", ours: Ours, name: str) -> None:
    other = flow.callers[name]
    before = await flow.stored()
    for path in reads(ours):
        response = await other.get(path)
        nothing = await other.get("/".join(path.split("/")[:3]) + "/nothing")
        assert response.status_code == 404, path
        assert ours.person.name not in response.text
        if path.startswith("/fhir") and "_history" not in path:
            assert response.json() == nothing.json()
    for method, path, body in writes(flow, ours):
        assert (await send(other, method, path, body)).status_code == 404, path
    for path in ("/fhir/_history?_count=500", "/fhir/Procedure/_history?_count=500"):
        assert ours.activity["id"] not in (await other.get(path)).text
    for query in (f"patient={ours.person.id}", f"_id={ours.activity['id']}", "_count=500"):
        bundle = (await other.get(f"/fhir/Procedure?{query}&_total=accurate")).json()
        assert ours.activity["id"] not in str(bundle.get("entry"))
        assert bundle["total"] == len(bundle.get("entry", []))
    listed = await other.get("/api/outbox")
    assert ours.message not in listed.text
    assert await flow.stored() == before


@pytest.mark.parametrize("name", ["neighbour", "stranger"])
async def test_nobody_points_at_another_units_data(flow: "Flow", ours: Ours, name: str) -> None:
    response = await flow.callers[name].post("/fhir/Procedure", json={**ours.activity, "id": "x"})
    assert response.status_code == 422
    assert ["Procedure.subject.reference"] in [issue["expression"] for issue in response.json()["issue"]]


async def test_a_wrong_if_match_does_not_tell_that_it_is_there(flow: "Flow", ours: Ours) -> None:
    path = f"/fhir/Procedure/{ours.activity['id']}"
    for known in ('W/"99"', 'W/"1"', "*"):
        theirs = await flow.neighbour.put(path, json=ours.activity, headers={"If-Match": known})
        form = {**ours.activity, "id": "nothing-at-all"}
        nothing = await flow.neighbour.put("/fhir/Procedure/nothing-at-all", json=form, headers={"If-Match": known})
        assert (theirs.status_code, theirs.json()) == (nothing.status_code, nothing.json())
        assert theirs.status_code == 412


async def test_the_same_number_on_two_units_is_two_patients(flow: "Flow") -> None:
    """A conditional create on a national number finds the caller's own unit's patient alone."""
    person = await flow.patient()
    stored = (await flow.coordinator.get(f"/fhir/{person.reference}")).json()
    form = {"resourceType": "Patient", "identifier": stored["identifier"], "name": [{"text": "Annat Namn"}]}
    condition = {"If-None-Exist": f"identifier={form['identifier'][0]['system']}|{person.number}"}
    theirs = await flow.neighbour.post("/fhir/Patient", json=form, headers=condition)
    assert theirs.status_code == 201
    again = await flow.neighbour.post("/fhir/Patient", json=form, headers=condition)
    assert (again.status_code, again.json()["id"]) == (200, theirs.json()["id"])
    assert theirs.json()["id"] != person.id


# The access log


async def logged(flow: "Flow", response: "httpx.Response") -> list[tuple[Any, ...]]:
    """The rows of one request: employee, patient, action."""
    return flow.rows(
        "SELECT employee, patient, action FROM access_log WHERE request_id = ?", response.headers["X-Request-Id"]
    )


async def test_each_reading_leaves_one_row(flow: "Flow", ours: Ours) -> None:
    for path in reads(ours):
        response = await flow.coordinator.get(path)
        assert response.status_code == 200, path
        assert await logged(flow, response) == [(flow.COORDINATOR, ours.person.id, "Läsa")], path


async def test_each_write_leaves_one_row(flow: "Flow", ours: Ours) -> None:
    for method, path, body in writes(flow, ours):
        response = await send(flow.coordinator, method, path, body)
        if response.is_success and "outbox" not in path:
            rows = await logged(flow, response)
            assert [row[:2] for row in rows] == [(flow.COORDINATOR, ours.person.id)], path
    created = await flow.coordinator.post("/fhir/Procedure", json=flow.forms.activity(ours.person))
    assert await logged(flow, created) == [(flow.COORDINATOR, ours.person.id, "Skriva")]


async def test_an_answer_with_what_was_there_is_a_reading(flow: "Flow", ours: Ours) -> None:
    unchanged = await flow.coordinator.put(f"/fhir/Procedure/{ours.activity['id']}", json=ours.activity)
    assert await logged(flow, unchanged) == [(flow.COORDINATOR, ours.person.id, "Läsa")]


async def test_a_search_leaves_a_row_for_each_patient_it_shows(flow: "Flow") -> None:
    people = [await flow.patient() for _ in range(3)]
    for person in people:
        for _ in range(2):
            await flow.post(flow.forms.activity(person))
    page = {"patient": ",".join(person.id for person in people), "_count": "4"}
    for response in (
        await flow.coordinator.get("/fhir/Procedure", params=page),
        await flow.coordinator.post("/fhir/Procedure/_search", data=page),
    ):
        shown = {entry["resource"]["subject"]["reference"] for entry in response.json()["entry"]}
        assert len(shown) == 2
        rows = await logged(flow, response)
        assert sorted(f"Patient/{row[1]}" for row in rows) == sorted(shown)
        following = await flow.coordinator.get(response.json()["link"][1]["url"])
        assert [row[1] for row in await logged(flow, following)] == [people[2].id]


async def test_a_count_shows_nobody(flow: "Flow", ours: Ours) -> None:
    counted = await flow.coordinator.get(f"/fhir/Procedure?patient={ours.person.id}&_summary=count")
    assert await logged(flow, counted) == []


async def test_a_list_of_messages_leaves_a_row_for_each_patient(flow: "Flow", ours: Ours) -> None:
    listed = await flow.coordinator.get("/api/outbox")
    rows = await logged(flow, listed)
    assert {row[1] for row in rows} == {message["key"].partition("|")[2] for message in listed.json()}
    assert len(rows) == len({row[1] for row in rows})


async def test_a_refusal_leaves_no_row(flow: "Flow", ours: Ours) -> None:
    for response in (
        await flow.neighbour.get(f"/fhir/Procedure/{ours.activity['id']}"),
        await flow.coordinator.get("/fhir/Procedure/nothing"),
    ):
        assert response.status_code == 404
        assert await logged(flow, response) == []


async def test_what_cannot_be_logged_is_not_shown(flow: "Flow", ours: Ours) -> None:
    searches = [
        f"/fhir/Procedure?patient={ours.person.id}",
        "/api/outbox",
        "/fhir/_history",
        "/fhir/Procedure/_history",
    ]
    with flow.no_room("access_log"):
        for path in [*reads(ours), *searches]:
            response = await flow.coordinator.get(path)
            assert (response.status_code, response.headers["Retry-After"]) == (503, "1"), path
            assert ours.person.name not in response.text
            assert ours.activity["id"] not in response.text
    for path in [*reads(ours), *searches]:
        assert (await flow.coordinator.get(path)).status_code == 200, path


async def test_what_cannot_be_logged_is_not_written(flow: "Flow", ours: Ours) -> None:
    before = await flow.stored()
    with flow.no_room("access_log"):
        for method, path, body in writes(flow, ours):
            if "outbox" not in path and body != ours.activity:
                response = await send(flow.coordinator, method, path, body)
                assert response.status_code == 503, path
        created = await flow.coordinator.post("/fhir/Procedure", json=flow.forms.activity(ours.person))
        assert created.status_code == 503
    assert await flow.stored() == before


# The edge


async def test_every_answer_has_a_request_id(flow: "Flow") -> None:
    for path in ("/fhir/Procedure", "/fhir/nothing", "/api/outbox", "/health/live", "/nothing", "/fhir/Patient/1?x=1"):
        given = await flow.coordinator.get(path, headers={"X-Request-Id": "abc-1.2_3"})
        assert given.headers["X-Request-Id"] == "abc-1.2_3"
        made = await flow.coordinator.get(path)
        assert len(made.headers["X-Request-Id"]) == 36


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>", "195001019800", "å"])
async def test_a_request_id_that_may_be_anything_is_replaced(flow: "Flow", given: str) -> None:
    response = await flow.coordinator.get("/health/live", headers={b"X-Request-Id": given.encode()})
    assert len(response.headers["X-Request-Id"]) == 36
