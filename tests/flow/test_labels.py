"""What is labelled as restricted is there for those alone who have the right to see it: whichever way one asks."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from fhir_mappings.identifiers import CONFIDENTIALITY, DIALOGUE_STATE, PERSONNUMMER
from service.usecases.keeping import SHARED
from tests.flow import test_dialogue as dialogues
from tests.flow import test_meetings as meetings
from tests.flow.test_dialogue import do, instruct, pass_days, until
from tests.flow.test_dialogue_pages import stray
from tests.flow.test_pages import sat_down

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


# ---- What is made of it ------------------------------------------------------------------------------------------


async def hidden(flow: "Flow", person: "Person") -> list[str]:
    """The types of what the patient's record holds for the coordinator and not for a colleague."""
    everything = f"/fhir/Patient/{person.id}/$everything"
    theirs = await found(flow.coordinator, everything) - await found(flow.colleague, everything)
    return sorted(type_ for type_ in (each.partition("/")[0] for each in theirs) if type_ not in SHARED)


async def put_label(flow: "Flow", reference: str, code: str = "R") -> None:
    """By a caller who read it before; nothing takes the labels away."""
    stored = (await flow.coordinator.get(f"/fhir/{reference}")).json()
    meta = {name: value for name, value in stored["meta"].items() if name != "security"}
    response = await flow.coordinator.put(
        f"/fhir/{reference}", json=stored | {"meta": meta | (labelled(code) if code else {})}
    )
    assert response.status_code == 200, response.text


async def drafted(flow: "Flow", person: "Person") -> None:
    await flow.request(person, meta=RESTRICTED, status="draft")


async def informed(flow: "Flow", person: "Person") -> str:
    await flow.request(person, meta=RESTRICTED)
    return str((await until(flow, person, "informed"))["id"])


async def heard(flow: "Flow", person: "Person") -> None:
    said = {"mode": "telephone", "at": flow.clock.now().isoformat(), "text": "Hemligheten."}
    await do(flow, await informed(flow, person), "answer", {"says": "accepted", "officer": "Frida", "heard": said})


async def answered(flow: "Flow", person: "Person") -> None:
    instruct(flow, "accept")
    await informed(flow, person)
    await pass_days(flow, 1)
    await until(flow, person, "answered")


async def asked(flow: "Flow", person: "Person") -> Json:
    """Their question, in the open."""
    instruct(flow, "reminder")
    await flow.request(person)
    await until(flow, person, "informed")
    await pass_days(flow, 1)
    return await until(flow, person, "to-answer", "contact")


async def handed_over(flow: "Flow", person: "Person") -> None:
    """A plan that comes of a restricted goal."""
    goal = await flow.post(flow.forms.goal(person) | {"meta": RESTRICTED})
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    handing = {"version": 1, "how": "read-together"}
    response = await flow.coordinator.post(f"/api/plans/{plan['id']}/handovers", json=handing)
    assert response.status_code == 201, response.text


async def handed_over_as_it_was(flow: "Flow", person: "Person") -> None:
    """A plan whose goal has been labelled since."""
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    await put_label(flow, f"Goal/{goal['id']}")
    handing = {"version": 1, "how": "read-together"}
    response = await flow.coordinator.post(f"/api/plans/{plan['id']}/handovers", json=handing)
    assert response.status_code == 201, response.text


async def invited_and_held(flow: "Flow", person: "Person") -> None:
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    start = meetings.ahead(flow, days=3)
    planned = await meetings.plan(
        flow,
        person,
        "trepartsmote",
        {"recipient": meetings.EMPLOYER},
        start=start,
        place="Skyddat boende",
        mode="visit",
    )
    await put_label(flow, f"Task/{planned['id']}")
    await meetings.post(flow, f"/{planned['id']}/changes", {"invite": ["p2"]})
    flow.clock.advance(timedelta(days=4))
    agreed = {"how": "Hos kvinnojouren", "on": f"{(flow.clock.now() + timedelta(days=9)).date()}"}
    came = {"came": ["p1", "p2"], "outcome": "Prövas.", "followUp": agreed, "plan": f"CarePlan/{plan['id']}"}
    await meetings.post(flow, f"/{planned['id']}/held", came)


async def part_of_it(flow: "Flow", person: "Person") -> None:
    """A client's own."""
    whole = await flow.post(flow.forms.activity(person, meta=RESTRICTED))
    await flow.post(flow.forms.activity(person, partOf=[{"reference": f"Procedure/{whole['id']}"}]))


async def sorted_by_a_person(flow: "Flow", person: "Person") -> None:
    id_ = await stray(flow, "Gäller Prov.")
    await put_label(flow, f"Communication/{id_}")
    assert (await flow.coordinator.post(f"/api/unsorted-messages/{id_}/patient", json={"id": person.id})).is_success


async def sent_with_a_file(flow: "Flow", person: "Person") -> None:
    about = {"contentType": "text/plain", "data": "SGVtbGln", "securityContext": {"reference": person.reference}}
    file = await flow.post({"resourceType": "Binary", "meta": RESTRICTED, **about})
    request = flow.forms.request(person, status="draft")
    words = request["payload"][0]
    url = {"url": f"Binary/{file['id']}", "title": "Intyg"}
    request["payload"].append({"extension": words["extension"], "contentAttachment": url})
    await flow.post(request)


Story = Callable[["Flow", "Person"], Awaitable[Any]]

_TOLD: Final = ["Communication", "CommunicationRequest", "Procedure", "Task"]


@pytest.mark.parametrize(
    ("story", "types"),
    [
        (drafted, ["CommunicationRequest", "Task"]),
        (informed, _TOLD),
        (heard, ["Communication", *_TOLD]),
        (answered, ["Communication", *_TOLD]),
        (handed_over, ["Binary", "CarePlan", "Communication", "Goal"]),
        (handed_over_as_it_was, ["Binary", "Communication", "Goal"]),
        (invited_and_held, ["CarePlan", "CommunicationRequest", "Procedure", "Task", "Task"]),
        (part_of_it, ["Procedure", "Procedure"]),
        (sorted_by_a_person, ["Communication", "Task"]),
        (sent_with_a_file, ["Binary", "CommunicationRequest", "Task"]),
    ],
)
async def test_what_is_made_of_something_restricted_is_so_too(flow: "Flow", story: Story, types: list[str]) -> None:
    person = await flow.consenting("fk", "employer")
    await story(flow, person)
    await flow.quiet()
    assert await hidden(flow, person) == types


async def test_what_somebody_makes_of_what_she_sees_is_hers_to_see(flow: "Flow") -> None:
    """A plan's document for whom its restricted goal is not there has nothing of that goal; so has what is made of it."""
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person) | {"description": {"text": "Hemligt"}})
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    await put_label(flow, f"Goal/{goal['id']}")
    handing = {"version": 1, "how": "read-together"}
    response = await flow.colleague.post(f"/api/plans/{plan['id']}/handovers", json=handing)
    assert response.status_code == 201, response.text
    told = (await flow.colleague.get(f"/fhir/{response.json()['resource']}")).json()
    file = await flow.colleague.get(
        f"/fhir/{told['payload'][0]['contentAttachment']['url']}", headers={"Accept": "text/html"}
    )
    assert (file.status_code, "Hemligt" in file.text) == (200, False)


async def test_the_same_again_is_no_new_version(flow: "Flow") -> None:
    """Also where the service labelled it; and a label goes when nothing asks for it any more."""
    person = await flow.patient()
    whole = await flow.post(flow.forms.activity(person, meta=RESTRICTED))
    number = [{"system": "urn:example:ehr", "value": f"part-{person.id}"}]
    form = flow.forms.activity(person, partOf=[{"reference": f"Procedure/{whole['id']}"}], identifier=number)
    part = await flow.post(form)
    address = f"/fhir/Procedure/{part['id']}"
    unnamed = {name: value for name, value in part.items() if name != "meta"}
    meta = {name: value for name, value in part["meta"].items() if name != "security"}
    for again in (
        await flow.coordinator.post("/fhir/Procedure", json=form),
        await flow.coordinator.put(address, json=unnamed),
        await flow.coordinator.put(address, json=part),
        await flow.coordinator.put(address, json=part | {"meta": meta}),
    ):
        assert (again.status_code, again.json()["meta"]["versionId"]) == (200, "1"), again.text
        assert again.json()["meta"]["security"] == part["meta"]["security"]
    assert (await flow.colleague.get(address)).status_code == 404
    await put_label(flow, f"Procedure/{whole['id']}", "")
    assert (await flow.colleague.get(f"/fhir/Procedure/{whole['id']}")).status_code == 200
    lifted = await flow.coordinator.put(address, json=part | {"meta": meta})
    assert (lifted.json()["meta"]["versionId"], "security" in lifted.json()["meta"]) == ("2", False)
    assert (await flow.colleague.get(address)).status_code == 200


async def test_what_points_at_itself_is_shown_again(flow: "Flow") -> None:
    person = await flow.patient()
    form = {"resourceType": "Observation", "status": "final", "code": {"text": "Sov"}}
    stored = await flow.post(form | {"subject": {"reference": person.reference}})
    itself = f"Observation/{stored['id']}"
    await flow.put(stored | {"meta": RESTRICTED, "hasMember": [{"reference": itself}]})
    assert (await flow.colleague.get(f"/fhir/{itself}")).status_code == 404
    await put_label(flow, itself, "")
    assert (await flow.colleague.get(f"/fhir/{itself}")).status_code == 200


async def test_of_two_that_point_at_each_other_one_stops_pointing_before_they_are_shown(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    question = await asked(flow, person)
    planned = await meetings.plan(flow, person, "avstamningsmote", {"recipient": meetings.FK}, dialogue=question["id"])
    meeting, task = f"Task/{planned['id']}", f"Task/{question['id']}"
    for code in ("R", ""):
        for each in (meeting, task):
            await put_label(flow, each, code)
        assert await hidden(flow, person) == ["Task", "Task"]
    stored = (await flow.coordinator.get(f"/fhir/{meeting}")).json()
    del stored["partOf"], stored["meta"]["security"]
    await flow.put(stored)
    await put_label(flow, task, "")
    assert await hidden(flow, person) == []


async def test_a_duty_that_is_not_hers_to_see_is_not_hers_to_end(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    certificate = flow.certify(person, contact_wished=True)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).is_success
    await flow.post(flow.forms.request(person, certificate, status="draft", meta=RESTRICTED))
    said = {"statesNeed": True, "patientConsents": True}
    response = await flow.colleague.post(f"/api/certificates/{certificate}/confirm", json=said)
    assert response.is_success, response.text
    states = [
        (await each.get("/api/dialogues", params={"patient": person.id})).json()
        for each in (flow.colleague, flow.coordinator)
    ]
    assert [[each["state"] for each in found] for found in states] == [["informed"], ["consent-to-ask", "informed"]]


# ---- What is seen by way of it -----------------------------------------------------------------------------------


async def test_a_dialogue_is_there_for_whom_what_began_it_is(flow: "Flow") -> None:
    """Its Task has no label of its own yet: their question has been labelled since."""
    person = await flow.consenting("fk")
    question = await asked(flow, person)
    page = f"/units/{flow.UNIT}/dialogues/{question['id']}"
    address = f"/api/dialogues/{question['id']}"
    assert (await flow.colleague.get(address)).status_code == 200
    await put_label(flow, question["about"])
    assert (await flow.colleague.get(f"/fhir/Task/{question['id']}")).status_code == 200
    closing = {"to": "closed", "why": "Klart."}
    assert [
        (await flow.colleague.get(address)).status_code,
        (await flow.colleague.post(f"{address}/steps", json=closing)).status_code,
        (await flow.coordinator.get(address)).status_code,
    ] == [404, 404, 200]
    async with sat_down(flow, "colleague") as sitting:
        assert (await sitting.get(page)).status == 404


async def test_a_dialogue_is_there_for_whom_what_waits_in_it_is(flow: "Flow") -> None:
    """They asked in the open; the answer is restricted, and nothing has carried it yet."""
    person = await flow.consenting("fk")
    question = await asked(flow, person)
    withdrawn = (await flow.coordinator.get(f"/fhir/Consent?patient={person.id}")).json()["entry"]
    for each in withdrawn:
        await flow.coordinator.post(f"/api/consents/{each['resource']['id']}/withdrawal")
    answer = dialogues.answer_to(flow, person, question["about"], "contact")
    await flow.post(answer | {"meta": RESTRICTED})
    await until(flow, person, "withheld", "contact")
    address = f"/api/dialogues/{question['id']}"
    assert (await flow.coordinator.get(address)).json()["unsent"]["text"]
    assert [
        (await flow.colleague.get(address)).status_code,
        (await flow.colleague.get(f"/fhir/{question['about']}")).status_code,
    ] == [404, 200]


async def test_a_dialogue_does_not_tell_of_a_meeting_that_is_restricted(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    question = await asked(flow, person)
    start = meetings.ahead(flow, days=3)
    party = {"recipient": meetings.FK}
    planned = await meetings.plan(
        flow, person, "avstamningsmote", party, start=start, place="Skyddat boende", dialogue=question["id"]
    )
    await put_label(flow, f"Task/{planned['id']}")
    page = f"/units/{flow.UNIT}/dialogues/{question['id']}"
    shown = []
    for who in ("coordinator", "colleague"):
        async with sat_down(flow, who) as sitting:
            seen = await sitting.get(page)
            assert seen.status == 200
            shown.append("Skyddat boende" in seen.response.text)
    assert shown == [True, False]


# ---- Labels on what the service wrote ----------------------------------------------------------------------------


async def told(flow: "Flow") -> tuple["Person", str, str, str]:
    """Somebody of whom Försäkringskassan has been told; the references of the request, the Communication, the Task."""
    person = await flow.consenting("fk")
    about = await flow.request(person)
    task = await until(flow, person, "informed")
    await flow.quiet()
    (sent,) = await found(flow.coordinator, f"/fhir/Communication?patient={person.id}")
    return person, about, sent, f"Task/{task['id']}"


async def test_what_the_service_wrote_is_labelled_and_shown_again(flow: "Flow") -> None:
    _, _, sent, task = await told(flow)
    for reference in (sent, task):
        for code, status in (("R", 404), ("", 200)):
            await put_label(flow, reference, code)
            assert (await flow.colleague.get(f"/fhir/{reference}")).status_code == status, (reference, code)


async def test_nothing_else_of_it_changes_and_by_nobody_else(flow: "Flow") -> None:
    _, _, *written = await told(flow)
    stored = {each: (await flow.coordinator.get(f"/fhir/{each}")).json() for each in written}
    before = await flow.stored()
    closed = {"businessStatus": {"coding": [{"system": DIALOGUE_STATE, "code": "closed"}]}}
    others: dict[str, Json] = {"Communication": {"note": [{"text": "Mer"}]}, "Task": closed}
    for reference, known in stored.items():
        labelled_so = known | {"meta": known["meta"] | RESTRICTED}
        for client, sent in (
            (flow.colleague, labelled_so),
            (flow.coordinator, labelled_so | others[known["resourceType"]]),
            (flow.coordinator, labelled_so | {"meta": RESTRICTED | {"tag": [{"code": "x"}]}}),
        ):
            response = await client.put(f"/fhir/{reference}", json=sent)
            assert response.status_code == 409, response.text
    assert await flow.stored() == before


async def test_a_dialogue_has_the_label_of_its_request(flow: "Flow") -> None:
    person, about, sent, task = await told(flow)
    for code, status in (("R", 404), ("", 200)):
        await put_label(flow, about, code)
        seen = [(await flow.colleague.get(f"/fhir/{each}")).status_code for each in (about, sent, task)]
        assert seen == [status] * 3
        listed = (await flow.colleague.get("/api/dialogues")).text
        assert (task.partition("/")[2] in listed) is (status == 200)
    await do(flow, task.partition("/")[2], "answer", {"says": "accepted", "officer": "Frida"})
    assert await hidden(flow, person) == []


async def test_what_they_said_is_hidden_with_it_and_shown_by_a_person(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    instruct(flow, "accept")
    about = await flow.request(person)
    await until(flow, person, "informed")
    await pass_days(flow, 1)
    task = f"Task/{(await until(flow, person, 'answered'))['id']}"
    (theirs,) = await found(flow.coordinator, f"/fhir/Communication?patient={person.id}&received:missing=false")
    await put_label(flow, about)
    assert await hidden(flow, person) == ["Communication", "Communication", "CommunicationRequest", "Task"]
    await put_label(flow, about, "")
    assert await hidden(flow, person) == ["Communication", "Task"], "the Task points at what they said"
    await put_label(flow, theirs, "")
    await put_label(flow, task, "")
    assert await hidden(flow, person) == []


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


async def test_a_label_stays_on_an_update_that_says_nothing_of_labels(flow: "Flow") -> None:
    """As a client does that sends what it has, and has never read what is here."""
    person = await flow.patient()
    act = await flow.post(flow.forms.activity(person, meta=RESTRICTED))
    address = f"/fhir/Procedure/{act['id']}"
    unsaid = {name: value for name, value in act.items() if name != "meta"} | {"note": [{"text": "Mer"}]}
    changed = await flow.coordinator.put(address, json=unsaid)
    assert (changed.status_code, changed.json()["meta"]["versionId"]) == (200, "2")
    assert (await flow.colleague.get(address)).status_code == 404
    profile = {"profile": ["http://example.org/fhir/StructureDefinition/x"]}
    assert (await flow.coordinator.put(address, json=unsaid | {"meta": profile})).is_success
    assert (await flow.colleague.get(address)).status_code == 200
