"""The unit's sick leaves are pulled: what the feed says becomes resources, once, and nothing of a failed answer stays."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from adapters.intygstjanst import mock as feed
from adapters.mocking import Fault
from contracts.time import swedish_day
from fhir_mappings.identifiers import CERTIFICATE_ID, PERSONNUMMER

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


async def pull(flow: "Flow", status: int = 200, **asked: int) -> Json:
    response = await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull", params=asked)
    assert response.status_code == status, response.text
    answer: Json = response.json()
    return answer


async def found(flow: "Flow", type: str, **criteria: str) -> list[Json]:
    response = await flow.coordinator.post(f"/fhir/{type}/_search", data=criteria)
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


async def patient_id(flow: "Flow", person: "Person") -> str:
    """The patient whom the pull made known."""
    (patient,) = await found(flow, "Patient", identifier=f"{PERSONNUMMER.fhir}|{person.number}")
    id: str = patient["id"]
    return id


async def episodes(flow: "Flow", person: "Person") -> dict[str, str]:
    """The states of the patient's sick leaves by id."""
    patient = await patient_id(flow, person)
    return {episode["id"]: episode["status"] for episode in await found(flow, "EpisodeOfCare", patient=patient)}


def withdraw(flow: "Flow", *certificates: str) -> None:
    feed.withdraw(flow.world.counterparts["intygstjanst"], certificates)


def versions(flow: "Flow") -> int:
    count: int = flow.rows("SELECT count(*) FROM history")[0][0]
    return count


async def test_a_certificate_becomes_a_document_observations_and_an_episode(flow: "Flow") -> None:
    person = next(flow.people)
    today = swedish_day(flow.clock.now())
    steps = [
        {"start": today - timedelta(days=5), "end": today + timedelta(days=4), "degree": 100},
        {"start": today + timedelta(days=5), "end": today + timedelta(days=20), "degree": 50},
    ]
    certificate = flow.certify(person, periods=steps)
    pulled = await pull(flow)
    assert pulled["setAside"] == []
    assert pulled["changed"] >= 1
    patient = await patient_id(flow, person)
    (document,) = await found(flow, "DocumentReference", patient=patient)
    assert document["masterIdentifier"] == {"system": CERTIFICATE_ID, "value": certificate}
    assert document["status"] == "current"
    observations = await found(flow, "Observation", patient=patient)
    assert [each["valueQuantity"]["value"] for each in observations] == [100, 50]
    (episode,) = await found(flow, "EpisodeOfCare", patient=patient)
    assert (episode["status"], episode["period"]) == ("active", {"start": f"{today - timedelta(days=5)}"})
    linked = {each["extension"][0]["valueReference"]["reference"] for each in observations}
    assert linked == {f"EpisodeOfCare/{episode['id']}"}


async def test_no_diagnosis_leaves_the_certificate(flow: "Flow") -> None:
    person = next(flow.people)
    flow.certify(person, diagnosis="F438A")
    await pull(flow)
    patient = await patient_id(flow, person)
    bodies = flow.rows("SELECT body FROM history JOIN resource USING (rid) WHERE patient = ?", patient)
    assert len(bodies) == 4
    assert all(b"F438A" not in body for (body,) in bodies)


async def test_the_same_answer_twice_writes_nothing(flow: "Flow") -> None:
    person = next(flow.people)
    flow.certify(person)
    await pull(flow)
    before = versions(flow)
    pulled = await pull(flow)
    assert (pulled["changed"], pulled["vanished"]) == (0, 0)
    assert versions(flow) == before


@pytest.mark.parametrize("mode", ["valid", "real"])
async def test_both_ways_of_answering_are_understood(flow: "Flow", mode: feed.Mode) -> None:
    """By its schema, and as the real service answers, which breaks it."""
    feed.configure(flow.world.counterparts["intygstjanst"], mode)
    person = next(flow.people)
    flow.certify(person)
    assert (await pull(flow))["setAside"] == []
    assert list((await episodes(flow, person)).values()) == ["active"]
    before = versions(flow)
    assert (await pull(flow))["changed"] == 0
    assert versions(flow) == before


async def test_a_changed_certificate_is_a_new_version(flow: "Flow") -> None:
    person = next(flow.people)
    certificate = flow.certify(person, -10, 20)
    await pull(flow)
    flow.certify(person, -10, 30, id=certificate)
    assert (await pull(flow))["changed"] == 1
    patient = await patient_id(flow, person)
    (document,) = await found(flow, "DocumentReference", patient=patient)
    assert document["meta"]["versionId"] == "2"
    (observation,) = await found(flow, "Observation", patient=patient, status="final")
    assert observation["effectivePeriod"]["end"] == f"{swedish_day(flow.clock.now()) + timedelta(days=30)}"


QUESTION: Final = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": "urn:riv:clinicalprocess:healthcond:rehabilitation:ListActiveSickLeavesForCareUnitResponder:1:"
    "ListActiveSickLeavesForCareUnit",
}


async def cut_off(flow: "Flow") -> Fault:
    """A true answer of which the end is missing: the feed is asked once more what it was asked last."""
    question = flow.ledger("intygstjanst")[-1].request.encode()
    mocks = httpx.ASGITransport(app=flow.world.app())
    async with httpx.AsyncClient(transport=mocks, base_url="http://mocks/intygstjanst") as client:
        whole = await client.post("/list-active-sick-leaves-for-care-unit/v1.0", content=question, headers=QUESTION)
    end = whole.text.rindex("intygsData>") + len("intygsData>")
    return Fault(kind="nonsense", body=whole.text[:end])


async def test_an_answer_that_is_cut_off_changes_nothing(flow: "Flow") -> None:
    await pull(flow)
    flow.certify(next(flow.people))
    before = await flow.stored()
    flow.order("intygstjanst", await cut_off(flow))
    problem = await pull(flow, 503)
    assert problem["title"] == "Unavailable"
    assert await flow.stored() == before
    assert flow.rows("SELECT state FROM pull ORDER BY number DESC LIMIT 1") == [("failed",)]
    assert (await pull(flow))["changed"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="http", status=503),
        Fault(kind="http", status=401),
        Fault(kind="result", result_code="ERROR", text="person 195001019800 finns inte"),
        Fault(kind="soap-fault", text="VP009 no contact"),
        Fault(kind="nonsense"),
        Fault(kind="nonsense", body=""),
        Fault(kind="nonsense", body='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        Fault(kind="nonsense", body="<a>" * 100_000),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.body[:9]}",
)
async def test_any_other_ending_changes_nothing(flow: "Flow", fault: Fault) -> None:
    flow.certify(next(flow.people))
    before = await flow.stored()
    flow.order("intygstjanst", fault)
    problem = await pull(flow, 503)
    assert "195001019800" not in str(problem)
    assert await flow.stored() == before


async def test_what_has_vanished_is_superseded(flow: "Flow") -> None:
    """A certificate of a patient whom the answer still names, and one whose patient is gone from it (D22)."""
    kept, gone = next(flow.people), next(flow.people)
    withdrawn = [flow.certify(kept, 21, 40), flow.certify(gone)]
    flow.certify(kept)
    await pull(flow)
    withdraw(flow, *withdrawn)
    assert (await pull(flow))["vanished"] == 2
    for person in (kept, gone):
        documents = await found(flow, "DocumentReference", patient=await patient_id(flow, person))
        states = {each["masterIdentifier"]["value"]: each["status"] for each in documents}
        assert [states[each] for each in withdrawn if each in states] == ["superseded"]
    observations = await found(flow, "Observation", patient=await patient_id(flow, gone))
    assert [each["status"] for each in observations] == ["entered-in-error"]
    assert list((await episodes(flow, gone)).values()) == ["entered-in-error"]
    assert list((await episodes(flow, kept)).values()) == ["active"]


async def test_what_has_aged_out_stays(flow: "Flow") -> None:
    person = next(flow.people)
    flow.certify(person, -20, 0)
    await pull(flow)
    flow.clock.advance(timedelta(days=3))
    try:
        assert (await pull(flow))["vanished"] == 0
        (document,) = await found(flow, "DocumentReference", patient=await patient_id(flow, person))
        assert document["status"] == "current"
        assert (await pull(flow, max_days_since_end=5))["vanished"] == 0
    finally:
        flow.clock.advance(timedelta(days=-3))


async def test_merged_episodes_keep_the_oldest_id(flow: "Flow") -> None:
    person = next(flow.people)
    flow.certify(person, -40, -20)
    flow.certify(person, -5, 5)
    await pull(flow)
    apart = await episodes(flow, person)
    assert len(apart) == 2
    flow.certify(person, -19, -6)
    await pull(flow)
    joined = await episodes(flow, person)
    assert joined == {min(apart): "active", max(apart): "entered-in-error"}


async def test_of_a_split_the_earliest_part_keeps_the_id(flow: "Flow") -> None:
    person = next(flow.people)
    flow.certify(person, -40, -20)
    bridge = flow.certify(person, -19, -6)
    flow.certify(person, -5, 5)
    await pull(flow)
    ((whole, _),) = (await episodes(flow, person)).items()
    withdraw(flow, bridge)
    await pull(flow)
    parts = await episodes(flow, person)
    assert parts.pop(whole) == "finished"
    assert list(parts.values()) == ["active"]


async def test_a_certificate_that_arrives_releases_what_waited_for_it(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    stored = await flow.post(flow.forms.request(person))
    about = f"CommunicationRequest/{stored['id']}"
    waiting = await flow.until(about, "needs-other-channel")
    certificate = flow.certify(person)
    await pull(flow)
    delivered = await flow.until(about, "delivered")
    assert delivered.id == waiting.id
    (entry,) = [entry for entry in flow.ledger() if entry.id == waiting.id]
    assert entry.summary["certificate"] == certificate


async def test_a_certificate_does_not_release_what_consent_forbids(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    stored = await flow.post(flow.forms.request(person))
    about = f"CommunicationRequest/{stored['id']}"
    await flow.until(about, "needs-other-channel")
    wide = flow.forms.disclosure(person, effect="deny")
    wide["provision"] = {"type": "deny"}
    await flow.post(wide)
    flow.certify(person)
    await pull(flow)
    await flow.quiet()
    (message,) = flow.promised(about)
    assert (message.state, message.reason) == ("withheld", "refused")


async def test_another_unit_cannot_be_pulled(flow: "Flow") -> None:
    for client in (flow.neighbour, flow.stranger):
        assert (await client.post(f"/api/units/{flow.UNIT}/pull")).status_code == 404
    assert (await flow.reader.post(f"/api/units/{flow.UNIT}/pull")).status_code == 403


@pytest.mark.parametrize("days", [-1, 15])
async def test_days_that_the_contract_does_not_allow_are_refused(flow: "Flow", days: int) -> None:
    await pull(flow, 422, max_days_since_end=days)
