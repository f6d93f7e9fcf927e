"""Searches find what was stored, page by page, and tell nobody more than they should."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from fhir_mappings.identifiers import ACTIVITY_KIND, HSA_ID, KVA, PERSONNUMMER
from service.fhir_api.search.parameters import PARAMETERS

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


async def ids(client: "httpx.AsyncClient", address: str, **criteria: str) -> list[str]:
    """What a search finds, by GET and by POST alike."""
    got = await client.get(f"/fhir/{address}", params=criteria)
    posted = await client.post(f"/fhir/{address}/_search", data=criteria)
    assert (got.status_code, posted.status_code) == (200, 200), got.text
    assert got.json() == posted.json()
    return [entry["resource"]["id"] for entry in got.json().get("entry", [])]


async def test_activities_by_every_parameter(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    first = await flow.post(
        flow.forms.activity(
            person,
            identifier=[{"system": "urn:example:ehr", "value": "sök-1"}],
            performedDateTime="2026-03-29T02:30:00+02:00",
            basedOn=[{"reference": f"CarePlan/{plan['id']}"}],
        )
    )
    part_of = [{"reference": f"Procedure/{first['id']}"}]
    second = await flow.post(
        flow.forms.activity(person, "plan", performedDateTime="2026-10-25T23:30:00+01:00", partOf=part_of)
    )
    mine, both = [first["id"]], [first["id"], second["id"]]
    everywhere: list[tuple[str, str, list[str]]] = [
        ("identifier", "urn:example:ehr|sök-1", mine),
        ("identifier", "sök-1", mine),
        ("identifier", "urn:example:other|sök-1", []),
        ("status", "completed", both),
        ("status:not", "completed", []),
        ("category", f"{ACTIVITY_KIND}|plan", [second["id"]]),
        ("category", "plan,employer-contact", both),
        ("code", f"{KVA.fhir}|GC001", mine),
        ("code", "DV077", [second["id"]]),
        ("code:missing", "true", []),
        ("based-on:missing", "true", [second["id"]]),
        ("date", "2026-03", mine),
        ("date", "2026-03-29", mine),
        ("date", "ge2026-10-25", [second["id"]]),
        ("date", "lt2026-04", mine),
        ("date", "ne2026-03-29", [second["id"]]),
        ("date", "2026", both),
        ("date", "sa2026-03-29", [second["id"]]),
        ("date", "eb2026-04-01", mine),
        ("patient", f"Patient/{person.id}", both),
        ("subject:Patient", person.id, both),
        ("subject:Patient", person.reference, both),
        ("subject", f"{person.reference}/_history/1", both),
        ("subject:Group", person.reference, []),
        ("subject", f"http://reko/fhir/Patient/{person.id}", both),
        ("performer", flow.forms.refs["role"], both),
        ("based-on", f"CarePlan/{plan['id']}", mine),
        ("part-of", f"Procedure/{first['id']}", [second["id"]]),
        ("_id", first["id"], mine),
        ("_id", f"{first['id']},{second['id']}", both),
        ("_lastUpdated", f"ge{first['meta']['lastUpdated']}", both),
        ("_lastUpdated", "lt2020", []),
    ]
    for name, value, expected in everywhere:
        found = await ids(flow.coordinator, "Procedure", **{"patient": person.id, name: value})
        assert found == expected, (name, value)


async def test_people_by_number_by_post_alone(flow: "Flow") -> None:
    person = await flow.patient()
    for system in (PERSONNUMMER.fhir, "urn:oid:1.2.752.129.2.1.3.1", "https://terminology.hl7.se/sid/se-personnummer"):
        criteria = {"identifier": f"{system}|{person.number}"}
        posted = await flow.coordinator.post("/fhir/Patient/_search", data=criteria)
        assert [entry["resource"]["id"] for entry in posted.json()["entry"]] == [person.id]
        assert person.number not in posted.json()["link"][0]["url"]
        got = await flow.coordinator.get("/fhir/Patient", params=criteria)
        assert got.status_code == 400
        assert "_search" in got.json()["issue"][0]["diagnostics"]
        assert person.number not in got.text


async def test_a_national_system_is_refused_in_an_address_whatever_follows(flow: "Flow") -> None:
    for value in (f"{PERSONNUMMER.fhir}|abc", f"urn:a|1,{PERSONNUMMER.fhir}|abc", f"{PERSONNUMMER.fhir}|"):
        got = await flow.coordinator.get("/fhir/Patient", params={"identifier": value})
        assert got.status_code == 400


async def test_names_without_case_and_accents(flow: "Flow") -> None:
    name = [{"family": "Prövén-Åsytt", "given": ["Éva", "Maria"]}]
    stored = await flow.post({"resourceType": "Patient", "name": name, "birthDate": "1980-02-29", "active": True})
    for parameter, value in (
        ("name", "eva"),
        ("name", "PRÖVÉN"),
        ("family", "prövé"),
        ("family:contains", "åsytt"),
        ("given:exact", "Éva"),
        ("given", "maria"),
        ("birthdate", "1980-02-29"),
        ("birthdate", "1980"),
    ):
        assert stored["id"] in await ids(flow.coordinator, "Patient", **{parameter: value}), (parameter, value)
    for parameter, value in (("name", "proven"), ("given:exact", "Év"), ("family", "åsytt"), ("birthdate", "gt1980")):
        assert stored["id"] not in await ids(flow.coordinator, "Patient", **{parameter: value}), (parameter, value)


async def test_names_by_how_they_sound(flow: "Flow") -> None:
    """Of each type that R4 gives ``phonetic``; what was asked for stands in no link."""
    person = await flow.patient()
    name = [{"given": ["Christina"], "family": "Lindqvist"}]
    named: dict[str, Json] = {
        "Patient": {"name": name},
        "Practitioner": {"name": name},
        "RelatedPerson": {"name": name, "patient": {"reference": person.reference}},
        "Organization": {"name": "Lindqvist & Kristinas snickeri"},
    }
    for type_, content in named.items():
        stored = await flow.post({"resourceType": type_, **content})
        given = "kristinas" if type_ == "Organization" else "kristina"
        assert await ids(flow.coordinator, type_, phonetic=f"{given} lindkvist") == [stored["id"]], type_
        assert await ids(flow.coordinator, type_, phonetic="lundkvist") == [], type_
        assert await ids(flow.stranger, type_, phonetic="lindkvist") == [], type_
        link = (await flow.coordinator.get(f"/fhir/{type_}?phonetic=lindkvist")).json()["link"][0]["url"]
        assert "phonetic" in link
        assert "lindkvist" not in link.lower()
    refused = await flow.coordinator.get("/fhir/Patient?phonetic:exact=lindkvist")
    assert refused.status_code == 400


async def test_organisations_and_staff(flow: "Flow") -> None:
    refs = flow.forms.refs
    unit = refs["unit"].partition("/")[2]
    assert await ids(flow.coordinator, "Organization", identifier=f"{HSA_ID.fhir}|{flow.UNIT}") == [unit]
    assert await ids(flow.coordinator, "Organization", name="vårdcentralen ex") == [unit]
    role = refs["role"].partition("/")[2]
    assert await ids(flow.coordinator, "PractitionerRole", organization=refs["unit"]) == [role]
    assert await ids(flow.neighbour, "Organization", name="vårdcentralen ex") == [unit]  # the provider shares it
    assert await ids(flow.stranger, "Organization", name="vårdcentralen ex") == []


async def test_consents_by_who_and_what(flow: "Flow") -> None:
    person = await flow.patient()
    coordination = await flow.post(flow.forms.coordination(person))
    disclosure = await flow.post(flow.forms.disclosure(person))
    for parameter, value, expected in (
        ("patient", person.id, [coordination["id"], disclosure["id"]]),
        ("category", "disclosure", [disclosure["id"]]),
        ("scope", "treatment", [coordination["id"]]),
        ("actor", flow.forms.refs["fk"], [disclosure["id"]]),
        ("purpose", "COC", [disclosure["id"]]),
        ("action", "disclose", [disclosure["id"]]),
        ("status", "active", [coordination["id"], disclosure["id"]]),
        ("period", f"ge{flow.forms.time()[:10]}", [disclosure["id"]]),
    ):
        found = await ids(flow.coordinator, "Consent", **{"patient": person.id, parameter: value})
        assert found == expected, (parameter, value)


@pytest.fixture
async def crowd(flow: "Flow") -> "tuple[Person, list[str]]":
    """Somebody with seven activities, oldest first."""
    person = await flow.patient()
    return person, [(await flow.post(flow.forms.activity(person)))["id"] for _ in range(7)]


async def pages(flow: "Flow", address: str) -> tuple[list[str], list[str]]:
    """The ids that following ``next`` gives, and the addresses of the links."""
    found, links = [], []
    while address:
        bundle = (await flow.coordinator.get(address)).json()
        found += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
        links.append(address)
    return found, links[:-1]


async def test_pages_hold_everything_once_and_in_order(flow: "Flow", crowd: "tuple[Person, list[str]]") -> None:
    person, everything = crowd
    found, links = await pages(flow, f"/fhir/Procedure?patient={person.id}&_count=3")
    assert found == everything
    assert len(links) == 2
    backwards, _ = await pages(flow, f"/fhir/Procedure?patient={person.id}&_count=2&_sort=-_id")
    assert backwards == everything[::-1]


async def test_next_is_opaque_and_nobody_elses(flow: "Flow", crowd: "tuple[Person, list[str]]") -> None:
    person, _ = crowd
    _, (link, *_) = await pages(flow, f"/fhir/Procedure?patient={person.id}&_count=3")
    query = parse_qsl(urlsplit(link).query)
    assert [name for name, _ in query] == ["_page"]
    assert person.id not in link
    assert (await flow.neighbour.get(link)).status_code == 400
    assert (await flow.coordinator.get(link.replace("Procedure", "Consent"))).status_code == 400
    assert (await flow.coordinator.get(link[:-5])).status_code == 400
    assert (await flow.nobody.get(link)).status_code == 401


async def test_totals_and_counts(flow: "Flow", crowd: "tuple[Person, list[str]]") -> None:
    person, everything = crowd
    address = f"/fhir/Procedure?patient={person.id}"
    assert "total" not in (await flow.coordinator.get(address)).json()
    counted = (await flow.coordinator.get(f"{address}&_summary=count")).json()
    assert counted["total"] == len(everything)
    assert "entry" not in counted
    both = (await flow.coordinator.get(f"{address}&_total=accurate&_count=1")).json()
    assert (both["total"], len(both["entry"])) == (7, 1)
    entry = both["entry"][0]
    assert entry["fullUrl"] == f"http://reko/fhir/Procedure/{entry['resource']['id']}"
    assert entry["search"] == {"mode": "match"}


async def test_an_unknown_parameter_is_refused_or_ignored_as_asked(flow: "Flow") -> None:
    person = await flow.patient()
    address = f"/fhir/Procedure?patient={person.id}&colour=blue"
    strict = await flow.coordinator.get(address)
    assert strict.status_code == 400
    lenient = await flow.coordinator.get(address, headers={"Prefer": "handling=lenient"})
    bundle = lenient.json()
    assert lenient.status_code == 200
    assert "colour" not in bundle["link"][0]["url"]
    (outcome,) = bundle["entry"]
    assert outcome["search"] == {"mode": "outcome"}
    assert outcome["resource"]["issue"][0]["severity"] == "warning"


@pytest.mark.parametrize(
    "query",
    [
        "date=yesterday",
        "date=xx2026",
        "date=2026-02-30",
        "_count=-1",
        "_count=many",
        "_sort=colour",
        "_total=maybe",
        "status:exact=completed",
        "_id:not=1",
        "_id:missing=true",
        "status:missing=perhaps",
        "patient=",
        "subject:Organization=1",
        "_count=1&_count=2",
        "_summary=true&_summary=data",
        "_total=none&_total=accurate",
        "_sort=date,status,code&_sort=category,_id",
    ],
)
async def test_what_cannot_be_obeyed_is_refused(flow: "Flow", query: str) -> None:
    response = await flow.coordinator.get(f"/fhir/Procedure?{query}")
    assert response.status_code == 400
    assert response.json()["resourceType"] == "OperationOutcome"


async def test_lists_that_are_stated_apart_are_one(flow: "Flow", crowd: "tuple[Person, list[str]]") -> None:
    person, everything = crowd
    address = f"/fhir/Procedure?patient={person.id}"
    apart = (await flow.reader.get(f"{address}&_elements=status&_elements=code")).json()
    together = (await flow.reader.get(f"{address}&_elements=status,code")).json()
    assert apart["entry"] == together["entry"]
    found = await flow.reader.get(f"{address}&_sort=status&_sort=-_id")
    assert [each["resource"]["id"] for each in found.json()["entry"]] == sorted(everything, reverse=True)


async def test_every_wrong_parameter_is_told(flow: "Flow") -> None:
    response = await flow.coordinator.get("/fhir/Procedure?date=x&_count=y&colour=z")
    assert len(response.json()["issue"]) == 3


async def test_the_self_link_names_parameters_and_hides_who(flow: "Flow") -> None:
    person = await flow.patient()
    criteria = {
        "name": person.name,
        "birthdate": "1950-01-01",
        "identifier": f"{PERSONNUMMER.fhir}|{person.number}",
        "_id": person.number,
        "active": "true",
    }
    bundle = (await flow.coordinator.post("/fhir/Patient/_search", data=criteria)).json()
    (link,) = bundle["link"]
    shown = dict(parse_qsl(urlsplit(link["url"]).query, keep_blank_values=True))
    assert shown == {"name": "", "birthdate": "", "identifier": "", "_id": "", "active": "true"}


async def test_each_unit_finds_its_own(flow: "Flow") -> None:
    ours, theirs = await flow.patient(), await flow.patient(flow.neighbour)
    for client, seen, unseen in ((flow.coordinator, ours, theirs), (flow.neighbour, theirs, ours)):
        found = await ids(client, "Patient", _count="500")
        assert seen.id in found
        assert unseen.id not in found


async def test_escaped_commas_and_bars_are_part_of_the_value(flow: "Flow") -> None:
    person = await flow.patient()
    identifier = [{"system": "urn:example:ehr", "value": "a,b|c"}]
    stored = await flow.post(flow.forms.activity(person, identifier=identifier))
    assert await ids(flow.coordinator, "Procedure", identifier=r"urn:example:ehr|a\,b\|c") == [stored["id"]]
    assert await ids(flow.coordinator, "Procedure", identifier="urn:example:ehr|a,b") == []


async def test_hierarchies_are_searched_downwards_and_upwards(flow: "Flow") -> None:
    async def place(inside: Json | None = None) -> Json:
        whole = {"partOf": {"reference": f"Location/{inside['id']}"}} if inside else {}
        return await flow.post({"resourceType": "Location", "status": "active", **whole})

    house = await place()
    floor = await place(house)
    room = await place(floor)
    visit = await flow.post(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": (await flow.patient()).reference},
            "location": [{"location": {"reference": f"Location/{room['id']}"}}],
        }
    )
    parts = [floor["id"], room["id"]]
    asked = [
        ("Location", "partof:below", house["id"], parts),
        ("Location", "partof:below", f"Location/{floor['id']}", [room["id"]]),
        ("Location", "partof:above", room["id"], parts),
        ("Encounter", "location:below", house["id"], [visit["id"]]),
        ("Encounter", "location:below", f"nothing,{room['id']}", [visit["id"]]),
        ("Encounter", "location:above", room["id"], [visit["id"]]),
        ("Encounter", "location:above", floor["id"], []),
        ("Location", "_has:Encounter:location:location:below", house["id"], [room["id"]]),
    ]
    for type_, name, value, expected in asked:
        assert await ids(flow.coordinator, type_, **{name: value}) == expected, (type_, name)
        assert await ids(flow.stranger, type_, **{name: value}) == []

    await flow.put({**house, "partOf": {"reference": f"Location/{room['id']}"}})
    assert await ids(flow.coordinator, "Location", **{"partof:below": room["id"]}) == [house["id"], *parts]
    assert await ids(flow.coordinator, "Location", **{"partof:above": room["id"]}) == [house["id"], *parts]

    flow.change("UPDATE resource SET unit = ? WHERE type = 'Location' AND id = ?", "another provider", floor["id"])
    assert await ids(flow.coordinator, "Encounter", **{"location:below": floor["id"]}) == []
    assert await ids(flow.coordinator, "Encounter", **{"location:below": house["id"]}) == []
    refused = await flow.coordinator.get("/fhir/Encounter?location:below=Patient/1")
    assert refused.status_code == 400


async def test_the_index_follows_each_version(flow: "Flow") -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person, status="preparation"))
    await flow.put({**stored, "status": "completed"})
    assert await ids(flow.coordinator, "Procedure", patient=person.id, status="preparation") == []
    assert await ids(flow.coordinator, "Procedure", patient=person.id, status="completed") == [stored["id"]]


async def test_what_is_said_to_be_searchable_is(flow: "Flow") -> None:
    statement = (await flow.nobody.get("/fhir/metadata")).json()
    assert statement["fhirVersion"] == "4.0.1"
    samples = {"token": "a", "reference": "x", "date": "2026", "string": "a", "quantity": "5", "uri": "urn:a"}
    samples["special"] = "59.3|18.0"
    for resource in statement["rest"][0]["resource"]:
        for parameter in resource["searchParam"]:
            if parameter["type"] == "composite":
                parts = PARAMETERS[resource["type"]][parameter["name"]].parts
                value = "$".join(samples[part.kind] for part in parts)
            else:
                value = samples[parameter["type"]]
            criteria = {parameter["name"]: value}
            response = await flow.coordinator.get(f"/fhir/{resource['type']}", params=criteria)
            assert response.status_code == 200, (resource["type"], criteria)
