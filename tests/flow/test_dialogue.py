"""Dialogues with Försäkringskassan, both ways: the officer's scripts played against the running service with the clock moved
(forsakringskassan.md §§ 1.3, 1.5, 1.7, 6.3-6.5; domain rules 13-16)."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from adapters import soap
from adapters.forsakringskassan import mock
from adapters.forsakringskassan.inbound import ACTION, PATH
from adapters.forsakringskassan.mock_letter import Letter, written
from adapters.forsakringskassan.mock_officer import Officer, Orders, Step
from adapters.mocking import Fault
from contracts.time import swedish_day
from fhir_mappings.identifiers import (
    EXT_ANSWERS,
    EXT_INFORMATION_CATEGORY,
    EXT_STATUTORY_DUTY,
    MESSAGE_ID,
    SECURITY_LABEL,
)
from fhir_mappings.people import PROTECTED

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

UNIT, PROVIDER, DOCTOR = "TSTNMT2321000156-E0001", "TSTNMT2321000156-S0001", "TSTNMT2321000156-D0001"
CARE = f"http://reko/soap{PATH}"
TOKEN = "token-of-platform"


def instruct(flow: "Flow", script: str, **orders: Any) -> Officer:
    officer = Officer(flow.world.counterparts["forsakringskassan"])
    officer.instruct(Orders(deliver_to=CARE, token=TOKEN, script=script, **orders))
    return officer


async def pass_days(flow: "Flow", days: float) -> None:
    """Time goes on, for everybody: what the officer planned is done, and the watch has looked."""
    flow.clock.advance(timedelta(days=days))
    await flow.world.agenda.run_due()


async def dialogues(flow: "Flow", person: "Person", **asked: Any) -> list[Json]:
    response = await flow.coordinator.get("/api/dialogues", params={"patient": person.id, **asked})
    assert response.status_code == 200, response.text
    found: list[Json] = response.json()
    return found


async def one(flow: "Flow", id: str) -> Json:
    response = await flow.coordinator.get(f"/api/dialogues/{id}")
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


async def until(flow: "Flow", person: "Person", state: str, topic: str = "") -> Json:
    """The patient's dialogue, once it stands there."""
    for _ in range(300):
        found = [each for each in await dialogues(flow, person) if topic in ("", each["topic"])]
        if any(each["state"] == state for each in found):
            return next(each for each in found if each["state"] == state)
        await asyncio.sleep(0.03)
    raise AssertionError(f"waited for {state}, found {[(each['topic'], each['state']) for each in found]}")


async def do(flow: "Flow", id: str, deed: str, body: Json | None = None, status: int = 200) -> Json:
    response = await flow.coordinator.post(f"/api/dialogues/{id}/{deed}", json=body or {})
    assert response.status_code == status, response.text
    told: Json = response.json()
    return told


async def pull(flow: "Flow") -> None:
    response = await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")
    assert response.status_code == 200, response.text


async def history(flow: "Flow", id: str) -> list[str]:
    """Where the dialogue has stood, the oldest first, as its Task's versions tell."""
    bundle = (await flow.coordinator.get(f"/fhir/Task/{id}/_history", params={"_count": 50})).json()
    tasks = [entry["resource"] for entry in bundle["entry"]][::-1]
    return [task["businessStatus"]["coding"][0]["code"] for task in tasks]


@pytest.fixture
async def told(flow: "Flow") -> "Person":
    """Somebody of whom Försäkringskassan may be told."""
    return await flow.consenting("fk")


# ---- The officer's scripts ---------------------------------------------------------------------------------------


async def test_a_yes_a_question_and_a_meeting(flow: "Flow", told: "Person") -> None:
    instruct(flow, "accept")
    about = await flow.request(told)
    informed = await until(flow, told, "informed")
    assert (informed["about"], informed["due"] is None, informed["attention"]) == (about, False, False)

    await pass_days(flow, 1)
    answered = await until(flow, told, "answered")
    assert (answered["id"], answered["attention"]) == (informed["id"], True)
    read = await one(flow, answered["id"])
    assert [each["direction"] for each in read["messages"]] == ["sent", "received"]
    assert "Frida Handläggare" in read["messages"][1]["texts"][0]

    yes = {"says": "accepted", "officer": "Frida Handläggare", "nextStep": "Samtal om planeringen"}
    assert (await do(flow, answered["id"], "answer", yes))["state"] == "accepted"
    assert {each["what"]: each["value"] for each in (await one(flow, answered["id"]))["said"]}["officer"] == yes[
        "officer"
    ]

    await pass_days(flow, 2)
    question = await until(flow, told, "to-answer", "contact")
    assert (question["begunByThem"], question["due"] is None, question["attention"]) == (True, False, True)

    await pass_days(flow, 5)
    meeting = await until(flow, told, "to-answer", "avstamningsmote")
    assert meeting["id"] not in (question["id"], answered["id"])
    assert await history(flow, answered["id"]) == ["queued", "informed", "answered", "accepted"]


async def test_a_no_has_its_reason(flow: "Flow", told: "Person") -> None:
    instruct(flow, "decline")
    await flow.request(told)
    await until(flow, told, "informed")
    await pass_days(flow, 4)
    id = (await until(flow, told, "answered"))["id"]
    refused = await do(flow, id, "answer", {"says": "declined"}, 422)
    assert refused["issues"][0]["rule"] == "answer-complete"
    assert (await do(flow, id, "answer", {"says": "declined", "reason": "Behandling pågår."}))["state"] == "declined"
    await do(flow, id, "steps", {"to": "closed", "why": "klart"})
    assert await history(flow, id) == ["queued", "informed", "answered", "declined", "closed"]
    assert await dialogues(flow, told) == []


async def test_a_complement_goes_to_the_doctor(flow: "Flow", told: "Person") -> None:
    """Rule 16: issuing and completing certificates is not coordination."""
    instruct(flow, "complement")
    await pull(flow)
    await flow.request(told)
    await until(flow, told, "informed")
    await pull(flow)
    await pass_days(flow, 2)
    complement = await until(flow, told, "with-the-doctor", "complement")
    task = (await flow.coordinator.get(f"/fhir/Task/{complement['id']}")).json()
    assert task["owner"]["identifier"]["value"] == flow.DOCTOR
    (letter,) = (await one(flow, complement["id"]))["messages"]
    assert letter["texts"][1:] == [
        "Beskriv funktionsnedsättningen utförligare.",
        "Vilka åtgärder kan underlätta återgång i arbete?",
    ]

    response = await flow.coordinator.post(
        "/fhir/CommunicationRequest", json=answer_to(flow, told, letter["resource"], "complement")
    )
    assert response.status_code == 422
    assert "topic-not-ours" in response.text
    response = await flow.coordinator.post(
        "/fhir/CommunicationRequest", json=answer_to(flow, told, letter["resource"], "contact")
    )
    assert response.status_code == 422
    assert "complement-is-the-doctors" in response.text


async def test_a_question_is_answered_and_the_reminder_stays_away(flow: "Flow", told: "Person") -> None:
    officer = instruct(flow, "reminder")
    about = await flow.request(told)
    await until(flow, told, "informed")
    await pass_days(flow, 1)
    question = await until(flow, told, "to-answer", "contact")
    (letter,) = (await one(flow, question["id"]))["messages"]

    answer = await flow.post(answer_to(flow, told, letter["resource"], "contact"))
    sent = await flow.until(f"CommunicationRequest/{answer['id']}", "delivered")
    (entry,) = [entry for entry in flow.ledger() if entry.id == sent.id]
    assert (entry.accepted, entry.report) == (True, ())
    assert "svarPa" in entry.request
    assert (await until(flow, told, "answer-sent"))["id"] == question["id"]
    (ours,) = [each for each in (await one(flow, question["id"]))["messages"] if each["direction"] == "sent"]
    sent_resource = (await flow.coordinator.get(f"/fhir/{ours['resource']}")).json()
    assert sent_resource["inResponseTo"] == [{"reference": letter["resource"]}]

    await pass_days(flow, 9)
    case = next(
        case
        for case in officer.cases(flow.world.counterparts["forsakringskassan"].room())
        if case.question.reference == about.partition("/")[2]
    )
    assert [each.state for each in case.sent] == ["delivered", "skipped"]


async def test_a_question_that_nobody_answers_is_reminded_of(flow: "Flow", told: "Person") -> None:
    instruct(flow, "reminder")
    await flow.request(told)
    await until(flow, told, "informed")
    await pass_days(flow, 1)
    question = await until(flow, told, "to-answer", "contact")
    await pass_days(flow, 8)
    reminded = await until(flow, told, "to-answer", "contact")
    assert (reminded["id"], reminded["urgent"]) == (question["id"], True)
    told_of = [each["what"] for each in (await one(flow, question["id"]))["said"]]
    assert told_of == ["reminded"]


async def test_silence_becomes_visible_and_care_reminds_nobody(flow: "Flow", told: "Person") -> None:
    """Seven days by default; PAMINN is not care's to write (§ 1.5)."""
    instruct(flow, "silence")
    about = await flow.request(told)
    informed = await until(flow, told, "informed")
    before = len(flow.ledger())
    await pass_days(flow, 7)
    assert (await until(flow, told, "informed"))["id"] == informed["id"]
    await pass_days(flow, 1)
    overdue = await until(flow, told, "answer-overdue")
    assert (overdue["id"], overdue["urgent"], overdue["attention"]) == (informed["id"], True, True)
    assert [each["id"] for each in await dialogues(flow, told, attention=True)] == [informed["id"]]
    assert len(flow.ledger()) == before, "nothing was sent by itself"
    assert flow.promised(about)[0].state == "delivered"

    phone = {
        "says": "accepted",
        "officer": "Olle Handläggare",
        "heard": {"mode": "telephone", "at": flow.clock.now().isoformat(), "text": "Ringde: vi tar hand om det."},
    }
    assert (await do(flow, informed["id"], "answer", phone))["state"] == "accepted"
    heard = (await one(flow, informed["id"]))["messages"][-1]
    assert (heard["direction"], heard["texts"]) == ("received", ["Ringde: vi tar hand om det."])


async def test_a_revoked_certificate_offers_another_channel_and_the_telephone_is_one(
    flow: "Flow", told: "Person"
) -> None:
    flow.order("forsakringskassan", Fault(kind="result", result_code="ERROR", error_id="REVOKED", text="makulerat"))
    about = await flow.request(told)
    parked = await until(flow, told, "parked")
    assert "another channel may carry it" in parked["reason"]
    flow.order("forsakringskassan")
    shown = (await one(flow, parked["id"]))["unsent"]
    assert "4 § lagen (2019:1297)" in shown["text"]
    assert [each["channel"] for each in shown["ways"]] == ["forsakringskassan", "sdk", "manual"]

    assert (await do(flow, parked["id"], "channel", {"channel": "manual"}))["state"] == "needs-other-channel"
    assert (await do(flow, parked["id"], "told", {"mode": "telephone"}))["state"] == "informed"
    message = flow.promised(about)[0]
    assert message.state == "delivered"
    found = (await flow.coordinator.get(f"/fhir/Procedure?identifier={MESSAGE_ID}|{message.id}")).json()["entry"]
    (deed,) = [each["resource"] for each in found]
    assert deed["category"]["coding"][0]["code"] == "information-to-fk"
    assert deed["extension"][0]["valueCode"] == "telephone"


async def test_a_part_says_something(flow: "Flow", told: "Person") -> None:
    request = flow.forms.request(told)
    request["payload"][1]["contentString"] = "\u00a0"
    (issue,) = await flow.refused(request)
    assert issue["expression"] == ["CommunicationRequest.payload[1]"]


async def test_without_a_certificate_a_person_tells(flow: "Flow", told: "Person") -> None:
    stored = await flow.post(flow.forms.request(told))
    waits = await until(flow, told, "needs-other-channel")
    assert "no certificate of this patient is known" in waits["reason"]
    answer = {
        "says": "accepted",
        "officer": "Frida",
        "heard": {"mode": "telephone", "at": flow.clock.now().isoformat(), "text": "Ja."},
    }
    assert (await do(flow, waits["id"], "told", {"mode": "telephone", "answer": answer}))["state"] == "accepted"
    assert flow.promised(f"CommunicationRequest/{stored['id']}")[0].state == "delivered"


# ---- The duty ----------------------------------------------------------------------------------------------------


async def test_a_judged_need_is_a_visible_task_until_the_patient_has_answered(flow: "Flow") -> None:
    person = await flow.consenting()
    certificate = flow.certify(person)
    stored = await flow.post(flow.forms.request(person, certificate, status="draft"))
    duty = await until(flow, person, "consent-to-ask")
    assert (duty["about"], duty["attention"]) == (f"CommunicationRequest/{stored['id']}", True)
    assert (await do(flow, duty["id"], "steps", {"to": "consent-asked"}))["state"] == "consent-asked"
    assert flow.promised(duty["about"]) == []

    await flow.post(flow.forms.disclosure(person))
    instruct(flow, "silence")
    await flow.put(stored | {"status": "active"})
    await until(flow, person, "informed")
    assert await history(flow, duty["id"]) == ["consent-to-ask", "consent-asked", "queued", "informed"]


async def test_a_refusal_ends_the_duty_documented(flow: "Flow") -> None:
    person = await flow.consenting()
    certificate = flow.certify(person)
    await flow.post(flow.forms.request(person, certificate, status="draft"))
    duty = await until(flow, person, "consent-to-ask")
    assert (await do(flow, duty["id"], "steps", {"to": "consent-refused"}))["state"] == "consent-refused"
    assert (await one(flow, duty["id"]))["attention"] is False


async def test_without_consent_it_is_withheld_and_a_recorded_refusal_ends_it(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.request(person)
    assert (await until(flow, person, "withheld"))["reason"] == "no-consent"
    other = await flow.consenting("fk")
    async with flow.paused():
        await flow.request(other)
        await until(flow, other, "queued")
        await flow.post(flow.forms.disclosure(other, effect="deny"))
        assert (await until(flow, other, "consent-refused"))["attention"] is False


async def test_what_was_delivered_cannot_be_told_again(flow: "Flow", told: "Person") -> None:
    instruct(flow, "silence")
    await flow.request(told)
    id = (await until(flow, told, "informed"))["id"]
    await do(flow, id, "told", {"mode": "telephone"}, 404)
    await do(flow, id, "approve", status=404)
    await do(flow, id, "steps", {"to": "consent-asked"}, 409)


# ---- Coming in at odd times --------------------------------------------------------------------------------------


@pytest.mark.parametrize("twist", ["twice", "before-acknowledgement"])
async def test_an_answer_is_kept_once_whenever_it_comes(flow: "Flow", told: "Person", twist: str) -> None:
    instruct(flow, "decline")
    flow.order("forsakringskassan", Fault(kind="dialogue", twist=twist))
    about = await flow.request(told)
    if twist == "twice":
        await until(flow, told, "informed")
        await pass_days(flow, 4)
    answered = await until(flow, told, "answered")
    await flow.until(about, "delivered")
    await flow.quiet()
    assert [each["direction"] for each in (await one(flow, answered["id"]))["messages"]] == ["sent", "received"]
    assert (await one(flow, answered["id"]))["state"] == "answered"


async def test_an_answer_to_what_has_been_erased_since_is_taken(flow: "Flow", told: "Person") -> None:
    instruct(flow, "decline")
    about = await flow.request(told)
    message = await flow.until(about, "delivered")
    flow.change("UPDATE outbox SET payload = NULL WHERE id = ?", message.id)
    officer = Officer(flow.world.counterparts["forsakringskassan"])
    room = flow.world.counterparts["forsakringskassan"].room()
    case = next(case for case in officer.cases(room) if case.question.id == message.id)
    sent = await officer.send(room, case, Step(text="Tack, vi har tagit emot.", answers=True))
    assert sent.state == "delivered"
    answered = await until(flow, told, "answered")
    (dialogue,) = await dialogues(flow, told)
    assert (dialogue["id"], dialogue["about"]) == (answered["id"], about), "it is in the dialogue that we began"
    sent, came = (await one(flow, answered["id"]))["messages"]
    assert (sent["direction"], came["direction"]) == ("sent", "received")
    assert "Tack, vi har tagit emot." in came["texts"][0]


@pytest.mark.parametrize("began", ["we", "they"])
async def test_what_was_withheld_erased_and_then_cancelled_is_withheld_in_no_list(flow: "Flow", began: str) -> None:
    person = await flow.consenting()
    if began == "we":
        about = await flow.request(person)
    else:
        question = await asked_by_fk(flow, person)
        answer = await flow.post(answer_to(flow, person, question["about"], "contact"))
        about = f"CommunicationRequest/{answer['id']}"
    message = await flow.until(about, "withheld")
    dialogue = await until(flow, person, "withheld")
    flow.change("UPDATE outbox SET payload = NULL WHERE id = ?", message.id)
    cancelled = await flow.coordinator.post(f"/api/outbox/{message.id}/cancel", json={"why": "a test"})
    assert cancelled.status_code == 200, cancelled.text
    assert (await one(flow, dialogue["id"]))["state"] == {"we": "taken-back", "they": "to-answer"}[began]


async def test_an_answer_to_an_erased_answer_stands_in_the_dialogue_that_they_began(
    flow: "Flow", told: "Person"
) -> None:
    question = await asked_by_fk(flow, told)
    answer = answer_to(flow, told, question["about"], "contact")
    answer["extension"].append({"url": EXT_STATUTORY_DUTY, "valueString": "De behöver veta vem de kan nå."})
    sent = await flow.post(answer)
    message = await flow.until(f"CommunicationRequest/{sent['id']}", "delivered")
    flow.change("UPDATE outbox SET payload = NULL WHERE id = ?", message.id)
    letter = Letter(
        id=str(uuid4()),
        sent=flow.clock.now(),
        certificate=(flow.UNIT, f"intyg-{told.number[:8]}--10-20"),
        patient=("1.2.752.129.2.1.3.1", told.number),
        unit=flow.UNIT,
        subject="KONTKT",
        text="Tack.",
        answer_to=message.id,
    )
    response = await flow.callers["platform"].post(
        f"/soap{PATH}", content=written(letter), headers=soap.headers(ACTION)
    )
    assert b"resultCode>OK<" in response.content, response.text
    (dialogue,) = await dialogues(flow, told)
    assert (dialogue["id"], dialogue["state"]) == (question["id"], "answered")


async def test_why_a_dialogue_was_closed_stands_in_it_and_not_in_the_list_of_messages(flow: "Flow") -> None:
    person = await flow.consenting("employer")
    request = await flow.post(flow.forms.request(person, recipient="employer"))
    (waits,) = await dialogues(flow, person)
    await do(flow, waits["id"], "steps", {"to": "closed", "why": "patienten ringde själv"})
    (message,) = flow.promised(f"CommunicationRequest/{request['id']}", "employer")
    assert (message.state, message.reason) == ("cancelled", f"the dialogue was closed ({flow.COORDINATOR})")
    assert "patienten ringde själv" in (await flow.coordinator.get(f"/fhir/Task/{waits['id']}")).text


async def test_an_answer_proves_that_a_message_arrived(flow: "Flow", told: "Person") -> None:
    """Försäkringskassan has processed it and its acknowledgement was lost: the answer stops the retries."""
    instruct(flow, "decline")
    flow.order("forsakringskassan", Fault(kind="lose-answer"))
    about = await flow.request(told)
    lost = await flow.until(about, "retrying")
    flow.order("forsakringskassan")
    officer = Officer(flow.world.counterparts["forsakringskassan"])
    room = flow.world.counterparts["forsakringskassan"].room()
    case = next(case for case in officer.cases(room) if case.question.id == lost.id)
    sent = await officer.send(room, case, Step(text="Tack, vi har tagit emot.", answers=True))
    assert sent.state == "delivered"
    assert (await flow.until(about, "delivered")).reason == "the recipient has answered it"
    assert (await until(flow, told, "answered"))["about"] == about
    assert flow.accepted(lost.id) == 1
    found = (await flow.coordinator.get("/fhir/AuditEvent", params={"patient": told.id})).json()["entry"]
    disclosures = [each["resource"] for each in found if each["resource"]["id"].startswith("disclosure-")]
    assert [(each["outcome"], each["outcomeDesc"]) for each in disclosures] == [
        ("0", "the recipient has answered it"),
        ("4", "no answer came: it may have been received"),
    ]


def answer_to(flow: "Flow", person: "Person", question: str, topic: str) -> Json:
    """The unit's answer to a question of Försäkringskassan."""
    request: Json = flow.forms.request(person)
    request["category"][0]["coding"][0]["code"] = topic
    request["extension"] = [{"url": EXT_ANSWERS, "valueReference": {"reference": question}}]
    category = {"url": EXT_INFORMATION_CATEGORY, "valueCode": "contact_details"}
    request["payload"] = [{"extension": [category], "contentString": "Nås vardagar 8-10."}]
    return request


# ---- Grounds, approval, whose task -------------------------------------------------------------------------------


async def test_an_answer_may_rest_on_the_duty_to_answer(flow: "Flow") -> None:
    """Rule 9: a public care provider answers Försäkringskassan's own request, consent or not; its id is kept."""
    person = await flow.consenting()
    question = await asked_by_fk(flow, person)
    answer = answer_to(flow, person, question["about"], "contact")
    withheld = await flow.post(answer)
    assert (await flow.until(f"CommunicationRequest/{withheld['id']}", "withheld")).reason == "no-consent"

    answer["extension"].append({"url": EXT_STATUTORY_DUTY, "valueString": "De behöver veta vem de kan nå."})
    sent = await flow.post(answer)
    message = await flow.until(f"CommunicationRequest/{sent['id']}", "delivered")
    trace = (await flow.coordinator.get(f"/api/trace/{sent['id']}")).json()
    assert {(each["basis"], *each["reasons"]) for each in trace["decisions"]} == {("statutory-duty", "answers-request")}
    assert flow.accepted(message.id) == 1


async def test_the_duty_to_answer_never_carries_a_notice(flow: "Flow", told: "Person") -> None:
    question = await asked_by_fk(flow, told)
    answer = answer_to(flow, told, question["about"], "contact")
    answer["extension"].append({"url": EXT_STATUTORY_DUTY, "valueString": "x"})
    answer["payload"][0]["extension"][0]["valueCode"] = "assumed_rehab_need"
    sent = await flow.post(answer)
    assert "notice-needs-consent" in (await flow.until(f"CommunicationRequest/{sent['id']}", "withheld")).reason


async def asked_by_fk(flow: "Flow", person: "Person") -> Json:
    """The dialogue of a question that Försäkringskassan has just put."""
    flow.certify(person)
    await pull(flow)
    letter = Letter(
        id=str(uuid4()),
        sent=flow.clock.now(),
        certificate=(flow.UNIT, f"intyg-{person.number[:8]}--10-20"),
        patient=("1.2.752.129.2.1.3.1", person.number),
        unit=flow.UNIT,
        subject="KONTKT",
        text="Vem på enheten kan vi kontakta?",
    )
    officer = flow.world.counterparts["forsakringskassan"]
    mock.ask(officer, letter.id, "KONTKT")
    response = await flow.callers["platform"].post(
        f"/soap{PATH}", content=written(letter), headers=soap.headers(ACTION)
    )
    assert b"resultCode>OK<" in response.content, response.text
    return await until(flow, person, "to-answer", "contact")


UNITS = """actor = "TSTNMT2321000156-F0001"
[[unit]]
care_unit = "{unit}"
care_provider = "{provider}"
every_minutes = 10000
approve_before_sending = true
informs_fk = "{doctor}"
"""


@pytest.mark.parametrize("way", ["replay", "replay all", "release", "channel"])
async def test_what_was_withheld_is_not_sent_unread_either(serve: Any, tmp_path: Path, way: str) -> None:
    units = tmp_path / "units.toml"
    units.write_text(UNITS.format(unit=UNIT, provider=PROVIDER, doctor=DOCTOR), encoding="utf-8")
    async with serve(tmp_path, units=units) as flow:
        person = await flow.consenting()
        if way == "release":
            stored = (await flow.coordinator.get(f"/fhir/{person.reference}")).json()
            await flow.put({**stored, "meta": {"security": [{"system": SECURITY_LABEL, "code": PROTECTED[0]}]}})
            await flow.post(flow.forms.disclosure(person))
        about = await flow.request(person)
        message = await flow.until(about, "withheld")
        dialogue = await until(flow, person, "withheld")
        deeds = {
            "replay": (f"outbox/{message.id}/replay", {"why": "a test"}),
            "replay all": ("outbox/replay", {"why": "a test", "state": "withheld", "dryRun": False}),
            "release": (f"outbox/{message.id}/release", {"why": "a test"}),
            "channel": (f"dialogues/{dialogue['id']}/channel", {"channel": "forsakringskassan"}),
        }
        path, body = deeds[way]
        if way.startswith("replay"):
            await flow.coordinator.post(f"/api/{path}", json=body)
            assert flow.promised(about)[0].state == "withheld", "a consent that says no is asked before anybody reads"
        if way != "release":
            await flow.post(flow.forms.disclosure(person))
        done = await flow.coordinator.post(f"/api/{path}", json=body)
        assert done.status_code == 200, done.text
        await flow.quiet()
        assert flow.promised(about)[0].state == "needs-approval"
        assert (await until(flow, person, "to-approve"))["id"] == dialogue["id"]
        await do(flow, dialogue["id"], "approve")
        await flow.until(about, "delivered")


async def test_where_the_unit_says_so_somebody_reads_it_first(serve: Any, tmp_path: Path) -> None:
    units = tmp_path / "units.toml"
    units.write_text(UNITS.format(unit=UNIT, provider=PROVIDER, doctor=DOCTOR), encoding="utf-8")
    async with serve(tmp_path, units=units) as flow:
        person = await flow.consenting("fk")
        about = await flow.request(person)
        waits = await until(flow, person, "to-approve")
        assert flow.promised(about)[0].state == "needs-approval"
        unsent = (await one(flow, waits["id"]))["unsent"]
        assert "Behov kan antas." in unsent["text"]
        assert f"(samtycke {swedish_day(flow.clock.now())})" in unsent["text"]
        task = (await flow.coordinator.get(f"/fhir/Task/{waits['id']}")).json()
        assert task["owner"]["identifier"]["value"] == flow.DOCTOR
        assert (await do(flow, waits["id"], "channel", {"channel": "forsakringskassan"}))["state"] == "to-approve"
        await do(flow, waits["id"], "approve")
        message = await flow.until(about, "delivered")
        (entry,) = [entry for entry in flow.ledger() if entry.id == message.id]
        assert unsent["text"].splitlines()[0] in entry.request
        await do(flow, waits["id"], "approve", status=404)
