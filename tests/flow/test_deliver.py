"""What was promised is delivered once and in order, whatever the other side does (decisions D5, D18, D19)."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from adapters.mocking import Fault

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]

MINUTE = timedelta(minutes=1)


async def operate(flow: "Flow", id: str, deed: str) -> None:
    response = await flow.coordinator.post(f"/api/outbox/{id}/{deed}", json={"why": "a test"})
    assert response.status_code == 200, response.text


async def resume(flow: "Flow", destination: str = "forsakringskassan") -> None:
    assert (await flow.coordinator.post(f"/api/destinations/{destination}/resume")).status_code == 204


# How answers are read. Each row: the fault, the state that follows, a word of the reason.

ANSWERS = [
    (Fault(kind="result", result_code="OK"), "delivered", ""),
    (Fault(kind="result", result_code="INFO", text="Tack"), "delivered", "INFO: Tack"),
    (Fault(kind="result", error_id="TECHNICAL_ERROR"), "retrying", "TECHNICAL_ERROR"),
    (Fault(kind="result", error_id="VALIDATION_ERROR", text="fel"), "parked", "VALIDATION_ERROR"),
    (Fault(kind="result", error_id="APPLICATION_ERROR"), "parked", "another channel may carry it"),
    (Fault(kind="result", error_id="REVOKED"), "parked", "another channel may carry it"),
    (Fault(kind="result"), "retrying", "without a known error id"),
    (Fault(kind="http", status=503), "retrying", "HTTP 503"),
    (Fault(kind="http", status=429), "retrying", "HTTP 429"),
    (Fault(kind="http", status=502), "retrying", "HTTP 502"),
    (Fault(kind="http", status=500), "retrying", "HTTP 500"),
    (Fault(kind="http", status=404), "parked", "HTTP 404"),
    (Fault(kind="http", status=400), "parked", "HTTP 400"),
    (Fault(kind="http", status=302), "parked", "HTTP 302"),
    (Fault(kind="nonsense"), "parked", "the answer cannot be read"),
    (Fault(kind="nonsense", body=""), "parked", "the answer cannot be read"),
    (Fault(kind="nonsense", body='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "parked", "the answer cannot be read"),
    (Fault(kind="nonsense", body="<a>" * 10_000), "parked", "the answer cannot be read"),
    (Fault(kind="delay", seconds=0.1), "delivered", ""),
    (Fault(kind="lose-answer", seconds=5), "retrying", "no whole answer"),
    (Fault(kind="soap-fault", text="Unmarshalling Error: ..."), "parked", "could not read the request"),
    (Fault(kind="soap-fault", text="Något gick fel"), "retrying", "SOAP fault"),
    *((Fault(kind="soap-fault", text=code), "retrying", code) for code in ("VP008", "VP009", "VP012")),
    *((Fault(kind="soap-fault", text=code), "parked", code) for code in ("VP001", "VP003", "VP005", "VP015")),
]


@pytest.mark.parametrize(
    ("fault", "state", "reason"), ANSWERS, ids=[f"{f.kind}-{f.error_id or f.text or f.status}" for f, _, _ in ANSWERS]
)
async def test_what_an_answer_means(flow: "Flow", fault: Fault, state: str, reason: str) -> None:
    flow.order("forsakringskassan", fault)
    message = await flow.until(await flow.request(await flow.consenting("fk")), state)
    assert reason in message.reason
    assert message.attempts == 1
    assert (message.next_try is not None) == (state == "retrying")


ROUTE_FAULTS = [
    *(Fault(kind="soap-fault", text=f"VP{number:03}") for number in (2, 4, 6, 7, 10, 11, 13, 14)),
    *(Fault(kind="http", status=status) for status in (401, 403, 407, 410)),
]


@pytest.mark.parametrize("fault", ROUTE_FAULTS, ids=[f.text or str(f.status) for f in ROUTE_FAULTS])
async def test_a_broken_route_is_held_until_somebody_resumes_it(flow: "Flow", fault: Fault) -> None:
    flow.order("forsakringskassan", fault)
    about = await flow.request(await flow.consenting("fk"))
    message = await flow.until(about, "retrying")
    assert "the route is held" in message.reason
    other = await flow.request(await flow.consenting("fk"))
    flow.clock.advance(timedelta(hours=1))
    activity = await flow.post(flow.forms.activity(await flow.consenting()))
    await flow.until(f"Procedure/{activity['id']}", "delivered", "regional_platform")  # other routes go on
    assert (flow.promised(other)[0].state, flow.promised(about)[0].attempts) == ("waiting", 1)
    await resume(flow)
    await flow.until(about, "delivered")
    await flow.until(other, "delivered")


async def test_a_lost_answer_is_no_loss_and_no_duplicate(flow: "Flow") -> None:
    flow.order(
        "forsakringskassan",
        Fault(kind="result", error_id="TECHNICAL_ERROR", times=2),
        Fault(kind="lose-answer", seconds=5),
    )
    about = await flow.request(await flow.consenting("fk"))
    for attempt in (1, 2, 3):
        await flow.until(about, "retrying", attempts=attempt)
        flow.clock.advance(timedelta(hours=1))
    message = await flow.until(about, "delivered")
    assert (message.attempts, flow.accepted(message.id)) == (4, 1)
    assert message.reason == "delivered earlier: the recipient already has the message id"
    requests = {entry.request for entry in flow.ledger() if message.id in entry.request}
    assert len(requests) == 1  # the same bytes at each try


async def test_retry_after_is_honoured_within_bounds(flow: "Flow") -> None:
    waits = {}
    for wish in (1, 15, 7 * 24 * 3600):
        flow.order("forsakringskassan", Fault(kind="http", status=503, retry_after=wish))
        message = await flow.until(await flow.request(await flow.consenting("fk")), "retrying")
        assert message.next_try is not None
        waits[wish] = (message.next_try - flow.clock.now()).total_seconds()
    assert 4 < waits[1] < 12.5  # nobody can hurry us
    assert 10 < waits[15] <= 15
    assert 12 < waits[7 * 24 * 3600] <= 24  # or put us off for ever


async def test_waits_grow_until_a_person_decides(flow: "Flow") -> None:
    flow.order("forsakringskassan", Fault(kind="http", status=503, times=None))
    about = await flow.request(await flow.consenting("fk"))
    waits = []
    for attempt in range(1, 11):
        message = await flow.until(about, "retrying", attempts=attempt)
        assert message.next_try is not None
        wait = message.next_try - flow.clock.now()
        waits.append(wait)
        flow.clock.advance(wait)
    assert waits == sorted(waits[:8]) + waits[8:]
    assert waits[0] < MINUTE < timedelta(hours=19) < waits[-1]
    parked = await flow.until(about, "parked")
    assert parked.reason.startswith("given up after 11 tries: HTTP 503")
    flow.order("forsakringskassan", Fault(kind="http", status=503))
    await operate(flow, parked.id, "replay")
    flow.clock.advance(5 * MINUTE)  # the destination rests after so many faults
    again = await flow.until(about, "retrying", attempts=12)
    assert again.next_try is not None
    assert again.next_try - flow.clock.now() < MINUTE  # the timetable has begun anew
    flow.clock.advance(6 * MINUTE)
    await flow.until(about, "delivered")
    assert flow.accepted(parked.id) == 1


async def test_an_answer_that_the_contract_does_not_know_gets_three_tries(flow: "Flow") -> None:
    flow.order("forsakringskassan", Fault(kind="result", times=None))
    about = await flow.request(await flow.consenting("fk"))
    for attempt in (1, 2):
        await flow.until(about, "retrying", attempts=attempt)
        flow.clock.advance(timedelta(hours=1))
    assert (await flow.until(about, "parked")).attempts == 3


async def test_order_is_kept_for_one_patient_and_others_are_not_held_up(flow: "Flow") -> None:
    person, other = await flow.consenting("fk"), await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="http", status=503))
    first = await flow.request(person)
    await flow.until(first, "retrying")
    second = await flow.request(person)
    elsewhere = await flow.request(other)
    await flow.until(elsewhere, "delivered")
    assert flow.promised(second)[0].state == "waiting"
    flow.clock.advance(MINUTE)
    await flow.until(second, "delivered")
    order = [flow.promised(about)[0].id for about in (first, second)]
    assert [entry.id for entry in flow.ledger() if entry.accepted and entry.id in order] == order


async def test_blocked_keys_are_listed_with_what_they_hold_back(flow: "Flow") -> None:
    person, alone = await flow.consenting("fk"), await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="result", error_id="REVOKED", times=2))
    parked = await flow.until(await flow.request(person), "parked")
    lonely = await flow.until(await flow.request(alone), "parked")
    later = [await flow.request(person) for _ in range(2)]
    listed = (await flow.coordinator.get("/api/outbox", params={"blocked": "true"})).json()
    assert {each["id"]: each["holdsBack"] for each in listed} == {parked.id: 2, lonely.id: 0}
    assert (await flow.neighbour.get("/api/outbox", params={"blocked": "true"})).json() == []
    await operate(flow, parked.id, "cancel")
    for about in later:
        await flow.until(about, "delivered")
    listed = (await flow.coordinator.get("/api/outbox", params={"blocked": "true"})).json()
    assert [each["id"] for each in listed] == [lonely.id]


async def test_a_destination_that_is_unwell_is_spared_and_seen(flow: "Flow") -> None:
    """Five faults in a row open its circuit; then nobody's tries are used up, until one message goes first and is well
    received."""
    flow.order("forsakringskassan", Fault(kind="http", status=503, times=None))
    about = [await flow.request(await flow.consenting("fk")) for _ in range(5)]
    for each in about:
        await flow.until(each, "retrying")
    spared = await flow.request(await flow.consenting("fk"))
    flow.clock.advance(timedelta(seconds=13))  # every one of the five is due again
    told = await circuit(flow)
    assert (told["circuit"], told["faults"], bool(told["openUntil"])) == ("open", 5, True)
    elsewhere = await flow.post(flow.forms.activity(await flow.consenting()))
    await flow.until(f"Procedure/{elsewhere['id']}", "delivered", "regional_platform")
    assert [flow.promised(each)[0].attempts for each in (*about, spared)] == [1, 1, 1, 1, 1, 0]
    flow.clock.advance(timedelta(seconds=3))
    await until_faults(flow, 6)
    assert sum(flow.promised(each)[0].attempts for each in (*about, spared)) == 6  # one went first
    flow.order("forsakringskassan")
    flow.clock.advance(MINUTE * 5)
    for each in (*about, spared):
        await flow.until(each, "delivered")
    told = await circuit(flow)
    assert (told["circuit"], told["faults"], told["openUntil"]) == ("closed", 0, None)


async def until_faults(flow: "Flow", faults: int) -> None:
    for _ in range(500):
        if (await circuit(flow))["faults"] == faults:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nothing was tried")


async def circuit(flow: "Flow", destination: str = "forsakringskassan") -> Json:
    listed = (await flow.coordinator.get("/api/destinations")).json()
    return next(each for each in listed if each["name"] == destination)


async def test_a_destination_that_was_taken_away_is_seen_while_messages_wait_for_it(flow: "Flow") -> None:
    async with flow.paused():
        waiting = flow.promised(await flow.request(await flow.consenting("fk")))[0]
        flow.change("UPDATE outbox SET destination = 'taken away' WHERE id = ?", waiting.id)
    told = await circuit(flow, "taken away")
    assert (told["configured"], (await circuit(flow))["configured"]) == (False, True)
    assert (await flow.stranger.get("/api/destinations")).json() == []
    flow.change("UPDATE outbox SET state = 'needs-approval' WHERE id = ?", waiting.id)
    assert not (await circuit(flow, "taken away"))["configured"], "a person is waited for there as well"
    flow.change("UPDATE outbox SET state = 'waiting' WHERE id = ?", waiting.id)
    await operate(flow, waiting.id, "cancel")
    assert "taken away" not in (await flow.coordinator.get("/api/destinations")).text


@pytest.mark.parametrize("deed", ["cancel", "replay"])
async def test_a_parked_message_blocks_its_own_key_alone(flow: "Flow", deed: str) -> None:
    person, other = await flow.consenting("fk"), await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="result", error_id="REVOKED"))
    first = await flow.request(person)
    parked = await flow.until(first, "parked")
    second = await flow.request(person)
    await flow.until(await flow.request(other), "delivered")
    activity = await flow.post(flow.forms.activity(person))  # the same patient, another destination
    await flow.until(f"Procedure/{activity['id']}", "delivered", "regional_platform")
    assert flow.promised(second)[0].state == "waiting"
    await operate(flow, parked.id, deed)
    await flow.until(second, "delivered")
    assert flow.accepted(parked.id) == (deed == "replay")


async def test_what_is_withheld_blocks_nobody(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "fk", ["assumed_rehab_need"]))
    wide = await flow.request(person)
    await flow.until(wide, "withheld")
    form = flow.forms.request(person, flow.certify(person))
    narrow = await flow.post({**form, "payload": form["payload"][:1]})
    await flow.until(f"CommunicationRequest/{narrow['id']}", "delivered")


async def test_versions_of_a_record_arrive_in_order(flow: "Flow") -> None:
    person = await flow.consenting()
    async with flow.paused("regional_platform"):
        stored = await flow.post(flow.forms.activity(person))
        for mode in ("telephone", "video", "visit"):
            extension = [{**stored["extension"][0], "valueCode": mode}]
            stored = await flow.put({**stored, "extension": extension})
    await flow.quiet()
    events = flow.events(f"Procedure/{stored['id']}")
    assert [int(event["sequence"]) for event in events] == sorted(int(event["sequence"]) for event in events)
    assert len(events) >= 3


OTHER_SYSTEMS = [
    (Fault(kind="http", status=503), "retrying"),
    (Fault(kind="http", status=500), "retrying"),
    (Fault(kind="http", status=404), "parked"),
    (Fault(kind="result"), "parked"),
    (Fault(kind="soap-fault"), "retrying"),
    (Fault(kind="lose-answer", seconds=5), "retrying"),
    (Fault(kind="delay", seconds=0.1), "delivered"),
]


@pytest.mark.parametrize("system", ["regional_platform", "ehr"])
@pytest.mark.parametrize(("fault", "state"), OTHER_SYSTEMS, ids=[f"{f.kind}-{f.status}" for f, _ in OTHER_SYSTEMS])
async def test_the_platform_and_the_record_system_fail_too(flow: "Flow", system: str, fault: Fault, state: str) -> None:
    person = await flow.consenting()
    flow.order(system, fault)
    identifier = [{"system": "urn:example:ehr", "value": f"{system}-{fault.kind}-{fault.status}"}]
    stored = await flow.post(flow.forms.activity(person, identifier=identifier))
    message = await flow.until(f"Procedure/{stored['id']}", state, system)
    if state == "parked":
        await operate(flow, message.id, "cancel")
    if state == "retrying":
        flow.clock.advance(MINUTE)
        await flow.until(f"Procedure/{stored['id']}", "delivered", system)
        assert len(flow.events(f"Procedure/{stored['id']}")) <= 2  # twice at most when an answer was lost
        assert len({event["id"] for event in flow.events(f"Procedure/{stored['id']}")}) <= 1


async def test_nonsense_from_the_record_system_parks(flow: "Flow") -> None:
    person = await flow.consenting()
    flow.order("ehr", Fault(kind="nonsense", body="<html>Logga in</html>"))
    identifier = [{"system": "urn:example:ehr", "value": "portal"}]
    stored = await flow.post(flow.forms.activity(person, identifier=identifier))
    message = await flow.until(f"Procedure/{stored['id']}", "parked", "ehr")
    assert message.reason == "HTTP 200: the answer cannot be read"


async def test_a_message_that_cannot_be_read_back_is_parked_and_the_others_go_on(flow: "Flow") -> None:
    person, other = await flow.consenting("fk"), await flow.consenting("fk")
    async with flow.paused():
        broken = await flow.request(person)
        (message,) = flow.promised(broken)
        flow.change("UPDATE outbox SET payload = '{' WHERE id = ?", message.id)
        whole = await flow.request(other)
    assert (await flow.until(broken, "parked")).reason == "the stored message cannot be read"
    await flow.until(whole, "delivered")
    await flow.post(flow.forms.disclosure(person, effect="deny"))  # what the patient says is still heard
    await operate(flow, message.id, "cancel")


async def test_a_message_that_breaks_its_channel_is_parked(flow: "Flow") -> None:
    """A payload of the wrong kind: the adapter fails on it, and the relay goes on."""
    person, other = await flow.consenting("fk"), await flow.consenting("fk")
    async with flow.paused():
        broken = await flow.request(person)
        copy = orjson.dumps({"resource_type": "Procedure", "match": {"system": "a", "value": "b"}, "body": "{}"})
        flow.change("UPDATE outbox SET kind = 'record-copy', payload = ? WHERE about = ?", copy, broken)
        whole = await flow.request(other)
    assert "the channel failed on this message" in (await flow.until(broken, "parked")).reason
    await flow.until(whole, "delivered")


Serve = Callable[..., AbstractAsyncContextManager["Flow"]]


async def test_a_promise_survives_the_service(serve: Serve, tmp_path: Path) -> None:
    """One message waits and one is claimed when the process ends; the next one keeps both promises."""
    async with serve(tmp_path) as flow:
        await flow.coordinator.post("/api/destinations/forsakringskassan/pause", json={"why": "the power will be cut"})
        waiting = await flow.request(await flow.consenting("fk"))
        claimed = await flow.request(await flow.consenting("fk"))
        (message,) = flow.promised(claimed)
        world = flow.world
    # Where one process owns the file nobody else can hold the claim; where several work, the lease must have run out.
    flow.change(
        "UPDATE outbox SET state = 'claimed', attempts = 1, fence = 1, lease_until = ? WHERE id = ?",
        0 if flow.settings.is_shared else 99999999999999999,
        message.id,
    )
    async with serve(tmp_path, world) as flow:
        await resume(flow)
        again = await flow.until(claimed, "delivered")
        await flow.until(waiting, "delivered")
        assert (again.id, again.attempts, flow.accepted(again.id)) == (message.id, 2, 1)
        tries = (await flow.coordinator.get(f"/api/outbox/{message.id}")).json()["tries"]
        assert [each["outcome"] for each in tries] == ["WorkerLost", "Delivered"]
        events = (await flow.coordinator.get("/fhir/AuditEvent", params={"_count": "1000"})).json()["entry"]
        outcomes = [
            each["resource"]["outcome"]
            for each in events
            if each["resource"]["entity"][-1]["what"].get("identifier", {}).get("value") == message.id
        ]
        assert outcomes == ["0", "4"], "what a lost worker sent may have been received"


async def test_who_paused_a_destination_and_who_resumed_it_is_kept_and_why_stands_in_no_log(
    flow: "Flow", caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for deed, why in (("pause", "Anna Exempel är ledig"), ("resume", "they are done")):
        answer = await flow.coordinator.post(f"/api/destinations/ehr/{deed}", json={"why": why})
        assert answer.status_code == 204
    told = [vars(each) for each in caplog.records if each.name == "service.api.outbox"]
    assert [(each["event"], each["destination"], each["employee"]) for each in told] == [
        ("outbox.paused", "ehr", flow.COORDINATOR),
        ("outbox.resumed", "ehr", flow.COORDINATOR),
    ]
    assert not [each for each in caplog.records if "Anna" in str(vars(each)) or "they are done" in str(vars(each))]
    kept = (await flow.lister.get("/api/outbox/deeds")).json()[:2]
    assert [(each["deed"], each["about"], each["employee"], each["why"]) for each in kept] == [
        ("resumed", "destinations/ehr", flow.COORDINATOR, "they are done"),
        ("paused", "destinations/ehr", flow.COORDINATOR, "Anna Exempel är ledig"),
    ]


async def test_a_pause_survives_the_service(serve: Serve, tmp_path: Path) -> None:
    async with serve(tmp_path) as flow:
        why = {"why": "maintenance at the other side"}
        await flow.coordinator.post("/api/destinations/forsakringskassan/pause", json=why)
        about = await flow.request(await flow.consenting("fk"))
        world = flow.world
    async with serve(tmp_path, world) as flow:
        await flow.coordinator.get("/health/ready")
        assert flow.promised(about)[0].state == "waiting"
        await resume(flow)
        await flow.until(about, "delivered")
