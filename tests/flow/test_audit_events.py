"""AuditEvent: one per decision and one per disclosure, in the shapes of IHE BALP, made from the rows that were committed
with them (ADR 0011)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from adapters.mocking import Fault
from fhir_mappings import r4
from fhir_mappings.audit_event import AUTHZ_CONSENT, PRIVACY_DISCLOSURE

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


async def trail(flow: "Flow", person: "Person", **wanted: str) -> list[Json]:
    """The events about somebody, newest first; each is right by the R4 schema. By GET and by POST they are the same, unless
    the relay has brought another in between."""
    asked = {"patient": person.reference, **wanted}
    before: Json | None = None
    while (response := await flow.coordinator.get("/fhir/AuditEvent", params=asked)).json() != before:
        assert response.status_code == 200, response.text
        posted, before = await flow.coordinator.post("/fhir/AuditEvent/_search", data=asked), response.json()
    assert posted.json() == before
    found = [entry["resource"] for entry in response.json().get("entry", ())]
    for each in found:
        r4.parse(orjson.dumps(each), expected="AuditEvent")
    return found


def profiles(event: Json) -> list[str]:
    found: list[str] = event.get("meta", {}).get("profile", [])
    return found


def agents(event: Json) -> dict[str, Json]:
    return {agent["type"]["coding"][0]["code"]: agent for agent in event["agent"]}


def things(event: Json) -> list[str]:
    return [entity["what"]["reference"] for entity in event["entity"] if "reference" in entity["what"]]


async def test_a_told_message_leaves_its_decisions_and_its_disclosure(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    about = await flow.request(person)
    message = await flow.until(about, "delivered")
    about_it = [event for event in await trail(flow, person) if event.get("outcomeDesc", "").startswith("consent")]
    assert [(event["outcome"], event["outcomeDesc"]) for event in about_it] == [("0", "consent: consent-covers")] * 2
    (disclosure,) = [event for event in await trail(flow, person) if profiles(event) == [PRIVACY_DISCLOSURE]]
    assert (disclosure["type"]["code"], disclosure["action"], disclosure["outcome"]) == ("110106", "R", "0")
    assert disclosure["subtype"][0]["code"] == "disclose"
    assert agents(disclosure)["110152"]["who"]["identifier"]["value"] == "2021005521"
    assert agents(disclosure)["110153"]["who"] == disclosure["source"]["observer"]
    assert things(disclosure) == [person.reference, about]
    assert disclosure["entity"][-1]["what"]["identifier"]["value"] == message.id


async def test_a_decision_names_who_asked_and_the_consents(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    consent = await flow.post(flow.forms.disclosure(person))
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["contact_details"],
    }
    answer = (await flow.coordinator.post("/api/consent/decision", json=question)).json()
    (event,) = await trail(flow, person)
    assert (event["id"], profiles(event)) == (f"decision-{answer['id']}", [AUTHZ_CONSENT])
    assert (event["type"]["code"], event["subtype"][0]["code"], event["action"]) == ("110113", "AuthZ-Consent", "E")
    assert set(agents(event)) == {"110150", "IRCP", "PROV", "authserver"}
    assert agents(event)["IRCP"]["who"]["identifier"]["value"] == flow.COORDINATOR
    assert agents(event)["PROV"]["who"]["identifier"]["value"] == flow.UNIT
    assert agents(event)["authserver"]["who"] == event["source"]["observer"]
    assert things(event) == [person.reference, f"Consent/{consent['id']}/_history/1"]


async def test_a_denial_is_a_failure_with_every_reason(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.request(person)
    (event,) = await trail(flow, person)
    assert (event["outcome"], event["outcomeDesc"]) == ("8", "consent: no-coordination-consent, no-consent")
    assert profiles(event) == []  # the profile demands a consent


async def test_a_try_without_an_answer_may_have_been_received(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="http", status=500))
    await flow.until(await flow.request(person), "retrying")
    (event,) = [event for event in await trail(flow, person) if profiles(event) == [PRIVACY_DISCLOSURE]]
    assert (event["outcome"], event["outcomeDesc"]) == ("4", "no answer came: it may have been received")


async def test_what_a_person_told_is_a_disclosure(flow: "Flow") -> None:
    """No channel reaches an employer: somebody telephones."""
    person = await flow.consenting("employer")
    request = await flow.post(flow.forms.request(person, recipient="employer"))
    (dialogue,) = (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
    assert not [event for event in await trail(flow, person) if profiles(event) == [PRIVACY_DISCLOSURE]]
    told = await flow.coordinator.post(f"/api/dialogues/{dialogue['id']}/told", json={"mode": "telephone"})
    assert told.status_code == 200, told.text
    (event,) = [event for event in await trail(flow, person) if profiles(event) == [PRIVACY_DISCLOSURE]]
    assert (event["outcome"], event["outcomeDesc"]) == ("0", f"told by telephone by {flow.COORDINATOR}")
    assert things(event) == [person.reference, f"CommunicationRequest/{request['id']}"]


async def test_what_never_left_is_no_disclosure(flow: "Flow") -> None:
    """Nor is what the care provider's own platform and record system get."""
    person = await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="http", status=503))
    await flow.until(await flow.request(person), "retrying")
    await flow.post(flow.forms.activity(person))
    await flow.quiet()
    assert not [event for event in await trail(flow, person) if profiles(event) == [PRIVACY_DISCLOSURE]]


async def test_an_emergency_says_its_purpose(flow: "Flow") -> None:
    person = await flow.patient()
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": "other-care-provider", "hsaId": "TSTNMT5560000001-E0009"},
        "categories": ["contact_details"],
        "basis": "emergency",
        "why": "medvetslös patient",
    }
    await flow.coordinator.post("/api/consent/decision", json=question)
    (event,) = await trail(flow, person)
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "ETREAT"


async def test_no_event_holds_what_was_told(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    about = await flow.request(person)
    await flow.until(about, "delivered")
    text = str(await trail(flow, person))
    for secret in (person.number, person.name, "Behov kan antas", "Nås vardagar"):
        assert secret not in text


async def test_a_disclosure_stands_when_what_was_told_is_erased(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    message = await flow.until(await flow.request(person), "delivered")
    before = await trail(flow, person)
    flow.change("UPDATE outbox SET payload = NULL WHERE id = ?", message.id)
    assert await trail(flow, person) == before


async def test_each_event_can_be_read_and_is_its_units_own(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await flow.until(await flow.request(person), "delivered")
    for event in await trail(flow, person):
        read = await flow.coordinator.get(f"/fhir/AuditEvent/{event['id']}")
        assert read.json() == event
        assert (await flow.neighbour.get(f"/fhir/AuditEvent/{event['id']}")).status_code == 404
    elsewhere = await flow.neighbour.get("/fhir/AuditEvent", params={"patient": person.reference})
    assert "entry" not in elsewhere.json()
    for nothing in ("decision-0", "decision-x", "disclosure-999999999999999999999", "7", "other-1"):
        assert (await flow.coordinator.get(f"/fhir/AuditEvent/{nothing}")).status_code == 404


async def test_nobody_writes_the_trail(flow: "Flow") -> None:
    assert (await flow.coordinator.post("/fhir/AuditEvent", json={"resourceType": "AuditEvent"})).status_code in (
        404,
        405,
    )
    for path in ("", "/decision-1"):
        for method in ("PUT", "PATCH", "DELETE"):
            assert (await flow.coordinator.request(method, f"/fhir/AuditEvent{path}", json={})).status_code == 405
        assert (await flow.coordinator.get(f"/fhir/AuditEvent{path}/_history")).status_code == 405


async def test_pages_tell_each_event_once(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    for _ in range(2):
        await flow.until(await flow.request(person), "delivered")
    await flow.quiet()  # that it was told is an activity, which others are told of in turn
    whole = [event["id"] for event in await trail(flow, person)]
    seen: list[str] = []
    address = f"/fhir/AuditEvent?patient={person.id}&_count=2"
    while address:
        page = (await flow.coordinator.get(address)).json()
        seen += [entry["resource"]["id"] for entry in page.get("entry", ())]
        links = {link["relation"]: link["url"] for link in page["link"]}
        address = links.get("next", "")
    assert len(whole) >= 6
    assert sorted(seen) == sorted(whole)
    assert (await flow.neighbour.get(links["self"])).status_code == 400


async def test_a_day_counts_whole(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await flow.until(await flow.request(person), "delivered")
    await flow.quiet()
    today = flow.forms.time()[:10]
    everything = await trail(flow, person)
    assert await trail(flow, person, date=today) == everything
    assert await trail(flow, person, date=f"le{today}") == everything
    assert await trail(flow, person, date=f"gt{today}") == []
    assert await trail(flow, person, date=f"lt{today}") == []
    assert await trail(flow, person, date=f"ge{flow.forms.time(timedelta(hours=-1))}") == everything


async def test_events_are_found_by_what_their_rows_tell(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await flow.until(await flow.request(person), "delivered")
    denied = await flow.patient()
    await flow.request(denied)
    await flow.quiet()
    everything = await trail(flow, person, patient=f"{person.id},{denied.id}")
    (failure,) = await trail(flow, denied)
    told = [each for each in everything if each["action"] == "R"]
    decided = [each for each in everything if each["action"] == "E"]
    assert len(everything) == len(told) + len(decided) > len(told) > 0
    at = everything[-1]["recorded"]
    expected: list[tuple[dict[str, str], list[Json]]] = [
        ({"action": "R"}, told),
        ({"action": "R,E"}, everything),
        ({"action": "http://hl7.org/fhir/audit-event-action|E"}, decided),
        ({"action:not": "E"}, told),
        ({"type": "110113"}, decided),
        ({"type": "http://dicom.nema.org/resources/ontology/DCM|110106"}, told),
        ({"type": "urn:a|110106"}, []),
        ({"subtype": "disclose"}, told),
        ({"outcome": "8"}, [failure]),
        ({"outcome:missing": "true"}, []),
        ({"outcome:missing": "false"}, everything),
        (
            {"_id": f"{told[0]['id']},{decided[0]['id']},nothing"},
            [each for each in everything if each in (told[0], decided[0])],
        ),
        ({"date": f"ne{at[:10]}"}, []),
        ({"date": f"ap{at[:10]}"}, everything),
        ({"date": f"sa{at}"}, [each for each in everything if each["recorded"] > at]),
        ({"date": f"eb{at}"}, []),
        ({"_format": "json", "_pretty": "false", "_totalMethod": "count"}, everything),
    ]
    for wanted, events in expected:
        assert await trail(flow, person, patient=f"{person.id},{denied.id}", **wanted) == events, wanted
    assert await trail(flow, denied, **{"patient:Patient": denied.id}) == [failure]


async def test_events_are_counted_and_cut(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await flow.until(await flow.request(person), "delivered")
    await flow.quiet()
    whole = await trail(flow, person)
    address = f"/fhir/AuditEvent?patient={person.id}"
    for counted in ("_summary=count", "_count=0"):
        bundle = (await flow.coordinator.get(f"{address}&{counted}")).json()
        assert ("entry" in bundle, bundle["total"]) == (False, len(whole))
    first = (await flow.coordinator.get(f"{address}&_count=1&_total=accurate&_elements=outcome")).json()
    assert (len(first["entry"]), first["total"]) == (1, len(whole))
    (part,) = (entry["resource"] for entry in first["entry"])
    read = (await flow.coordinator.get(f"/fhir/AuditEvent/{part['id']}?_elements=outcome")).json()
    assert read == part
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "entity" not in part


async def test_what_a_lenient_client_asks_in_vain_is_told(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.request(person)
    address, lenient = f"/fhir/AuditEvent?patient={person.id}&agent-nickname=a", {"Prefer": "handling=lenient"}
    assert (await flow.coordinator.get(address)).status_code == 400
    bundle = (await flow.coordinator.get(address, headers=lenient)).json()
    assert [each["search"]["mode"] for each in bundle["entry"]] == ["match", "outcome"]
    assert bundle["link"][0]["url"] == f"http://reko/fhir/AuditEvent?patient={person.id}"


@pytest.mark.parametrize(
    "query",
    [
        *("date=yesterday", "date=xx2026", "_count=x", "agent=", "_page=x", "_sort=nothing", "action=", "_text=a"),
        *("type:in=a", "_id:not=a", "_lastUpdated=a", "_include=Consent:patient", "_count=1&_count=2", "agent.name=a,"),
    ],
)
async def test_what_is_not_understood_is_refused(flow: "Flow", query: str) -> None:
    assert (await flow.coordinator.get(f"/fhir/AuditEvent?{query}")).status_code == 400


async def test_reading_the_trail_stands_in_the_access_log(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await flow.until(await flow.request(person), "delivered")
    before = len(flow.accesses(person))
    assert (await flow.coordinator.get("/fhir/AuditEvent", params={"patient": person.reference})).status_code == 200
    assert (
        await flow.coordinator.post("/fhir/AuditEvent/_search", data={"patient": person.reference})
    ).status_code == 200
    assert len(flow.accesses(person)) == before + 2
