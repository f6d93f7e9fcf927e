"""Searches that reach other resources, sort, and show parts: and what a neighbour has changes none of it."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from fhir_mappings.identifiers import ACTIVITY_KIND, PERSONNUMMER
from service.fhir_api.search.subset import SUBSETTED

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow

Json = dict[str, Any]


async def bundle(client: "httpx.AsyncClient", type: str, *pairs: tuple[str, str]) -> Json:
    """By GET and by POST alike."""
    got = await client.get(f"/fhir/{type}", params=list(pairs))
    asked = "&".join(f"{name}={value}" for name, value in pairs)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = await client.post(f"/fhir/{type}/_search", content=asked, headers=form)
    assert (got.status_code, posted.status_code) == (200, 200), got.text
    assert got.json() == posted.json()
    found: Json = got.json()
    return found


def ids(found: Json, mode: str = "match") -> list[str]:
    return [each["resource"]["id"] for each in found.get("entry", []) if each["search"]["mode"] == mode]


async def test_chains_lead_to_what_may_be_seen_alone(flow: "Flow") -> None:
    """The neighbour's act is about our patient's namesake, and the neighbour's patient is in nobody's chain but theirs."""
    ours, theirs = await flow.patient(), await flow.patient(flow.neighbour)
    act = await flow.post(flow.forms.activity(ours))
    chain = ("patient.name:exact", ours.name)
    for client, expected in ((flow.coordinator, [act["id"]]), (flow.neighbour, []), (flow.stranger, [])):
        found = await bundle(client, "Procedure", chain, ("_total", "accurate"))
        assert (ids(found), found["total"]) == (expected, len(expected))
        backwards = await bundle(client, "Patient", ("_has:Procedure:patient:_id", act["id"]), ("_total", "accurate"))
        assert (ids(backwards), backwards["total"]) == ([ours.id] if expected else [], len(expected))
    unseen = await bundle(flow.coordinator, "Procedure", ("patient.name:exact", theirs.name), ("_summary", "count"))
    assert unseen["total"] == 0


async def test_a_reference_to_a_neighbours_patient_leads_nowhere(flow: "Flow") -> None:
    """Stored before the patient moved to another unit: the reference stays, what it points at is no longer ours to see."""
    person = await flow.patient()
    act = await flow.post(flow.forms.activity(person))
    _give_away(flow, person.id)
    found = await bundle(
        flow.coordinator, "Procedure", ("_id", act["id"]), ("_include", "Procedure:patient"), ("_include:iterate", "*")
    )
    assert ids(found) == [act["id"]]
    assert person.id not in ids(found, "include")
    assert ids(await bundle(flow.coordinator, "Procedure", ("patient.name:exact", person.name))) == []
    assert ids(await bundle(flow.coordinator, "Procedure", ("patient", person.id))) == [act["id"]]
    there = await bundle(flow.neighbour, "Patient", ("_id", person.id), ("_revinclude", "Procedure:patient"))
    assert (ids(there), ids(there, "include")) == ([person.id], [])
    assert (
        ids(await bundle(flow.neighbour, "Patient", ("_has:Procedure:patient:status", "completed"), ("_id", person.id)))
        == []
    )


def _give_away(flow: "Flow", patient: str) -> None:
    flow.change("UPDATE resource SET unit = ? WHERE type = 'Patient' AND id = ?", flow.OTHER_UNIT, patient)


async def test_everybody_who_comes_along_is_in_the_access_log(flow: "Flow") -> None:
    person = await flow.patient()
    act = await flow.post(flow.forms.activity(person))
    response = await flow.coordinator.get(f"/fhir/Patient?_id={person.id}&_revinclude=Procedure:patient&_elements=id")
    assert ids(response.json(), "include") == [act["id"]]
    logged = flow.rows("SELECT patient FROM access_log WHERE request_id = ?", response.headers["X-Request-Id"])
    assert logged == [(person.id,)]
    counted = await flow.coordinator.get(f"/fhir/Patient?_id={person.id}&_summary=count")
    assert not flow.rows("SELECT 1 FROM access_log WHERE request_id = ?", counted.headers["X-Request-Id"])


# Order


async def test_sorted_pages_stand_still_while_others_write(flow: "Flow") -> None:
    person = await flow.patient()
    days = [f"2026-0{month}-1{day}T10:00:00+02:00" for month in (4, 5, 6) for day in range(3)]
    made = {
        (await flow.post(flow.forms.activity(person, performedDateTime=at)))["id"]: at for at in [*days[5:], *days[:5]]
    }
    address, seen = f"/fhir/Procedure?patient={person.id}&_sort=-date,status&_count=2&_total=accurate", []
    while address:
        page = (await flow.coordinator.get(address)).json()
        seen += [each["resource"]["performedDateTime"] for each in page["entry"]]
        address = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        await flow.post(flow.forms.activity(person, performedDateTime="2026-08-01T10:00:00+02:00"))
        last = page["entry"][-1]["resource"]
        await flow.put({**last, "note": [{"text": "changed while somebody reads"}]})
    assert seen == sorted(made.values(), reverse=True)


# Parts


@pytest.mark.parametrize(
    ("asked", "kept", "gone"),
    [
        (("_summary", "true"), {"status", "subject", "code", "performer"}, {"note", "text"}),
        (("_summary", "text"), {"status", "subject", "text"}, {"note", "code", "performer"}),
        (("_summary", "data"), {"status", "subject", "note", "code"}, {"text"}),
        (("_elements", "note"), {"note", "status", "subject"}, {"performer", "code", "performedDateTime"}),
        (("_elements", "performed,Procedure.code"), {"performedDateTime", "code"}, {"note", "performer"}),
        (("_summary", "false"), {"status", "subject", "note", "code", "text", "performer"}, set()),
    ],
)
async def test_parts_say_that_they_are_parts(
    flow: "Flow", asked: tuple[str, str], kept: set[str], gone: set[str]
) -> None:
    person = await flow.patient()
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Möte</div>'}
    stored = await flow.post(flow.forms.activity(person, note=[{"text": "Möte 1.50"}], text=text))
    found = await bundle(flow.coordinator, "Procedure", ("_id", stored["id"]), asked)
    (resource,) = [each["resource"] for each in found["entry"]]
    assert kept <= set(resource)
    assert not gone & set(resource)
    assert {"resourceType", "id", "meta"} <= set(resource)
    is_part = SUBSETTED in resource["meta"].get("tag", [])
    assert is_part == (asked[1] != "false")
    untagged = [each for each in resource["meta"].get("tag", []) if each != SUBSETTED]
    assert untagged == stored["meta"].get("tag", [])
    for name in set(resource) - {"meta"}:
        if name != "performer":  # in a summary it loses on whose behalf
            assert resource[name] == stored[name]


async def test_a_summary_of_what_comes_along_is_a_part_too(flow: "Flow") -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person))
    asked = ("_id", stored["id"]), ("_include", "Procedure:patient")
    for pair, tagged in ((("_summary", "true"), True), (("_elements", "status"), False)):
        found = await bundle(flow.coordinator, "Procedure", *asked, pair)
        (patient,) = [each["resource"] for each in found["entry"] if each["search"]["mode"] == "include"]
        assert (SUBSETTED in patient["meta"].get("tag", [])) == tagged
    response = await flow.coordinator.get("/fhir/Procedure?_summary=text&_include=Procedure:patient")
    assert response.status_code == 400


# Parameters of every type


async def test_what_meta_says_is_found(flow: "Flow") -> None:
    person = await flow.patient()
    meta = {
        "profile": ["https://example.org/fhir/StructureDefinition/act|1.2"],
        "tag": [{"system": "urn:example:tags", "code": "blue", "display": "Blue thing"}],
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}],
        "source": "urn:example:ehr",
    }
    stored = await flow.post(flow.forms.activity(person, meta=meta))
    for name, value, found in (
        ("_tag", "urn:example:tags|blue", True),
        ("_tag:not", "urn:example:tags|blue", False),
        ("_tag:text", "blue th", True),
        ("_security", "R", True),
        ("_security", "V", False),
        ("_source", "urn:example:ehr", True),
        ("_profile", "https://example.org/fhir/StructureDefinition/act|1.2", True),
        ("_profile:below", "https://example.org/fhir/StructureDefinition", True),
        ("_profile", "https://example.org/fhir/StructureDefinition/other", False),
        ("_lastUpdated", "gt2020", True),
    ):
        expected = [stored["id"]] if found else []
        assert ids(await bundle(flow.coordinator, "Procedure", ("patient", person.id), (name, value))) == expected, name


# What is shown and said


async def test_who_is_meant_stands_in_no_address(flow: "Flow") -> None:
    person = await flow.patient()
    asked = {
        "patient.name": person.name,
        "subject:Patient.identifier": f"{PERSONNUMMER.fhir}|{person.number}",
        "performer:identifier": "SE1",
        "category:text": "meeting",
        "category": f"{ACTIVITY_KIND}|plan",
        "_sort": "-date",
    }
    found = (await flow.coordinator.post("/fhir/Procedure/_search", data=asked)).json()
    shown = dict(parse_qsl(urlsplit(found["link"][0]["url"]).query, keep_blank_values=True))
    hidden = dict.fromkeys(asked, "") | {"category": f"{ACTIVITY_KIND}|plan", "_sort": "-date"}
    assert shown == hidden
    got = await flow.coordinator.get("/fhir/Procedure", params={"patient.identifier": f"{PERSONNUMMER.fhir}|1"})
    assert got.status_code == 400
    assert "_search" in got.json()["issue"][0]["diagnostics"]


async def test_lenient_pages_say_each_time_what_was_ignored(flow: "Flow") -> None:
    person = await flow.patient()
    for _ in range(3):
        await flow.post(flow.forms.activity(person))
    wish = {"Prefer": "respond-async, handling=lenient"}
    address = f"/fhir/Procedure?patient={person.id}&colour=blue&patient.colour=blue&_count=2&_totalMethod=count"
    first = (await flow.coordinator.get(address, headers=wish)).json()
    second = (await flow.coordinator.get(first["link"][1]["url"])).json()
    for page in (first, second):
        outcome = page["entry"][-1]
        assert outcome["search"] == {"mode": "outcome"}
        told = [issue["diagnostics"] for issue in outcome["resource"]["issue"]]
        assert told == ["colour: ignored", "patient.colour: ignored"]
    assert "colour" not in first["link"][0]["url"]
    assert len(ids(first) + ids(second)) == 3


async def test_every_unknown_parameter_is_named_unless_its_name_could_be_a_number(flow: "Flow") -> None:
    response = await flow.coordinator.post(
        "/fhir/Procedure/_search", data={"colour": "x", "_text": "y", "196002299811": "z", "near": "1"}
    )
    told = [issue["diagnostics"] for issue in response.json()["issue"]]
    assert response.status_code == 400
    assert len(told) == 4
    assert [each.partition(":")[0] for each in told] == ["colour", "_text", "a parameter", "near"]
    assert "196002299811" not in response.text


@pytest.mark.parametrize(
    ("type", "asked"),
    [
        ("AuditEvent", ("_has:Provenance:target:agent", "x")),
        ("AuditEvent", ("_revinclude", "AuditEvent:entity")),
        ("Consent", ("_revinclude", "AuditEvent:entity")),
        ("Consent", ("_revinclude:iterate", "AuditEvent:entity")),
        ("Patient", ("_has:AuditEvent:patient:action", "E")),
        ("Patient", ("_has:Consent:patient:_has:AuditEvent:entity:action", "E")),
        ("Provenance", ("target:AuditEvent.action", "E")),
        ("Provenance", ("_include", "Provenance:target:AuditEvent")),
    ],
)
async def test_what_would_need_events_to_be_stored_is_refused(flow: "Flow", type: str, asked: tuple[str, str]) -> None:
    """It was answered with nothing, which looks like there is nothing."""
    refused = await flow.coordinator.get(f"/fhir/{type}", params=[asked])
    assert (refused.status_code, refused.json()["issue"][0]["code"] in ("not-supported", "value")) == (400, True)
