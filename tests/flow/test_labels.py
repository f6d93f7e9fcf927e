"""What is labelled as restricted is there for those alone who have the right to see it: whichever way one asks."""

from typing import TYPE_CHECKING, Any, Final

import pytest

from fhir_mappings.identifiers import CONFIDENTIALITY, PERSONNUMMER

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


def labelled(code: str) -> Json:
    return {"security": [{"system": CONFIDENTIALITY, "code": code}]}


RESTRICTED: Final = labelled("R")


async def introduced(flow: "Flow", label: str = "R") -> "Person":
    """Somebody whose own record is labelled."""
    person = await flow.patient()
    stored = (await flow.coordinator.get(f"/fhir/Patient/{person.id}")).json()
    assert (
        await flow.coordinator.put(f"/fhir/Patient/{person.id}", json=stored | {"meta": labelled(label)})
    ).is_success
    return person


async def found(client: "httpx.AsyncClient", address: str) -> set[str]:
    """The references of what an address answers with, over all its pages."""
    references: set[str] = set()
    while address:
        response = await client.get(address)
        if response.status_code in (404, 410):
            return references
        assert response.status_code == 200, response.text
        page = response.json()
        entries = page.get("entry", []) if page["resourceType"] == "Bundle" else [{"resource": page}]
        resources = [each["resource"] for each in entries if "resource" in each]
        references |= {f"{each['resourceType']}/{each['id']}" for each in resources if "id" in each}
        address = next((link["url"] for link in page.get("link", []) if link["relation"] == "next"), "")
    return references


@pytest.mark.parametrize(("code", "restricted"), [("R", True), ("V", True), ("N", False), ("U", False)])
async def test_every_way_to_a_resource_asks_its_label(flow: "Flow", code: str, restricted: bool) -> None:
    person = await flow.patient()
    act = await flow.post(flow.forms.activity(person, meta=labelled(code)))
    of_it = f"Procedure/{act['id']}"
    for address in (
        f"/fhir/{of_it}",
        f"/fhir/{of_it}/_history",
        f"/fhir/{of_it}/_history/1",
        f"/fhir/Procedure/_history?_count=20&_since={act['meta']['lastUpdated'].replace('+', '%2B')}",
        f"/fhir/_history?_count=20&_since={act['meta']['lastUpdated'].replace('+', '%2B')}",
        f"/fhir/Procedure?patient={person.id}&_count=1",
        f"/fhir/Procedure?_id={act['id']}&_sort=-date",
        f"/fhir/Procedure?patient.name:exact={person.name}",
        f"/fhir/Procedure?_security={code}&patient={person.id}",
        f"/fhir/Patient?_id={person.id}&_revinclude=Procedure:patient",
        f"/fhir/Patient/{person.id}/$everything",
    ):
        assert of_it in await found(flow.coordinator, address), address
        assert (of_it in await found(flow.colleague, address)) is not restricted, address
    for client, sees in ((flow.coordinator, True), (flow.colleague, not restricted)):
        total = (await client.get(f"/fhir/Procedure?patient={person.id}&_summary=count")).json()["total"]
        backwards = (await client.get(f"/fhir/Patient?_has:Procedure:patient:_id={act['id']}&_total=accurate")).json()
        history = await client.get(f"/fhir/{of_it}/_history")
        assert (total, backwards["total"], history.status_code) == ((1, 1, 200) if sees else (0, 0, 404))
        assert (await client.get(f"/api/trace/{act['id']}")).status_code == (200 if sees else 404)


async def test_nobody_changes_what_is_not_theirs_to_see(flow: "Flow") -> None:
    person = await flow.patient()
    act = await flow.post(flow.forms.activity(person, meta=RESTRICTED))
    address, before = f"/fhir/Procedure/{act['id']}", await flow.stored()
    patch = {"Content-Type": "application/merge-patch+json"}
    for response in (
        await flow.colleague.put(address, json={name: value for name, value in act.items() if name != "meta"}),
        await flow.colleague.patch(address, content='{"note":[{"text":"Mer"}]}', headers=patch),
        await flow.colleague.delete(address),
    ):
        assert response.status_code == 404, response.text
    pointing = flow.forms.activity(person, partOf=[{"reference": f"Procedure/{act['id']}"}])
    refused = await flow.colleague.post("/fhir/Procedure", json=pointing)
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (422, ["Procedure.partOf[0].reference"])
    assert await flow.stored() == before


async def test_a_restricted_patient_is_nobody_to_others(flow: "Flow") -> None:
    person = await introduced(flow)
    act = await flow.post(flow.forms.activity(person))
    of_her = f"Patient/{person.id}"
    for address in (
        f"/fhir/{of_her}",
        f"/fhir/Patient?name:exact={person.name}",
        f"/fhir/Procedure?_id={act['id']}&_include=Procedure:patient",
    ):
        assert of_her in await found(flow.coordinator, address), address
        assert of_her not in await found(flow.colleague, address), address
    chained = f"/fhir/Procedure?patient.name:exact={person.name}"
    assert (await found(flow.coordinator, chained), await found(flow.colleague, chained)) == (
        {f"Procedure/{act['id']}"},
        set(),
    )
    assert (await flow.colleague.get(f"/fhir/{of_her}/$everything")).status_code == 404
    assert (await flow.colleague.post("/fhir/Procedure", json=flow.forms.activity(person))).status_code == 422
    by_number = {"identifier": {"system": PERSONNUMMER.fhir, "value": person.number}}
    named = {"resourceType": "CareTeam", "subject": by_number}
    answers = [await each.post("/fhir/CareTeam", json=named) for each in (flow.colleague, flow.coordinator)]
    assert [each.status_code for each in answers] == [422, 201]
    again = {
        "resourceType": "Patient",
        "identifier": [{"system": PERSONNUMMER.fhir, "value": person.number}],
        "name": [{"text": person.name}],
    }
    response = await flow.colleague.post("/fhir/Patient", json=again)
    assert response.status_code == 409
    assert person.id not in response.text
    assert "restricted" in response.json()["issue"][0]["diagnostics"]


async def test_only_who_sees_it_labels_it(flow: "Flow") -> None:
    person = await flow.patient()
    before = await flow.stored()
    response = await flow.colleague.post("/fhir/Procedure", json=flow.forms.activity(person, meta=RESTRICTED))
    assert (response.status_code, "fhir.restricted" in response.text) == (403, True)
    assert await flow.stored() == before


async def test_what_was_said_under_a_label_stays_under_it(flow: "Flow") -> None:
    """A label that is lifted shows the versions from then on; one that is set hides every version."""
    person = await flow.patient()
    act = await flow.post(flow.forms.activity(person))
    address = f"/fhir/Procedure/{act['id']}"
    hidden = act | {"meta": RESTRICTED, "note": [{"text": "Hos kvinnojouren."}]}
    assert (await flow.coordinator.put(address, json=hidden)).is_success
    assert [(await flow.colleague.get(f"{address}/_history/{each}")).status_code for each in (1, 2)] == [404, 404]
    patch = [{"op": "remove", "path": "/meta/security"}, {"op": "remove", "path": "/note"}]
    form = {"Content-Type": "application/json-patch+json"}
    assert (await flow.coordinator.patch(address, json=patch, headers=form)).is_success
    seen = [(await flow.colleague.get(f"{address}/_history/{each}")).status_code for each in (1, 2, 3)]
    assert seen == [200, 404, 200]
    history = (await flow.colleague.get(f"{address}/_history")).json()
    assert (history["total"], len(history["entry"])) == (2, 2)
    assert "kvinnojouren" not in (await flow.colleague.get("/fhir/_history?_count=10")).text
    assert (await flow.coordinator.get(f"{address}/_history")).json()["total"] == 3


async def test_what_is_deleted_keeps_its_label(flow: "Flow") -> None:
    person = await flow.patient()
    act = await flow.post(flow.forms.activity(person, meta=RESTRICTED))
    address = f"/fhir/Procedure/{act['id']}"
    assert (await flow.coordinator.delete(address)).is_success
    assert [(await each.get(address)).status_code for each in (flow.coordinator, flow.colleague)] == [410, 404]
    assert (await flow.colleague.get(f"{address}/_history")).status_code == 404


async def test_what_the_service_makes_of_it_is_restricted_too(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    about = await flow.request(person, meta=RESTRICTED)
    message = await flow.until(about, "delivered")
    await flow.quiet()
    for type_ in ("Communication", "Task"):
        address = f"/fhir/{type_}?patient={person.id}"
        assert len(await found(flow.coordinator, address)) == 1, type_
        assert await found(flow.colleague, address) == set(), type_
    listed = {each: (await each.get("/api/dialogues")).json() for each in (flow.coordinator, flow.colleague)}
    shown = [person.id in str(listed[each]) for each in (flow.coordinator, flow.colleague)]
    assert shown == [True, False]
    content = [
        (await each.get(f"/api/outbox/{message.id}/content")).status_code for each in (flow.coordinator, flow.colleague)
    ]
    assert content == [200, 404]


async def test_the_overview_leaves_her_out(flow: "Flow") -> None:
    person = await introduced(flow)
    flow.certify(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).is_success
    address = f"/api/units/{flow.UNIT}/sick-leaves/_search"
    names = [
        person.name in (await each.post(address, json={"text": person.name})).text
        for each in (flow.coordinator, flow.colleague)
    ]
    assert names == [True, False]
    status = f"/api/units/{flow.UNIT}/patients/{person.id}/reko-status"
    assert [(await each.get(status)).status_code for each in (flow.coordinator, flow.colleague)] == [200, 404]
