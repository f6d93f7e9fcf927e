"""The officer: each script, each twist, silence, trouble on the way, and messages by hand; against a small receiver."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from lxml import etree
from lxml.builder import ElementMaker
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters import soap
from adapters.forsakringskassan import inbound, mock, mock_control, wire
from adapters.forsakringskassan.mock_officer import SCRIPTS
from adapters.forsakringskassan.settings import PATH
from adapters.mocking.control import routes
from adapters.mocking.control_rows import ROWS
from adapters.mocking.courier import Courier
from adapters.mocking.people import PEOPLE
from adapters.mocking.people import SCRIPTS as OF_PEOPLE
from adapters.mocking.world import World
from contracts.dialogue import PartyMessage
from contracts.identity import HsaId, PersonId

FK = "2021005521"
CARE = "http://care.test/soap/SendMessageToCare"
_NAMES = {"s": inbound.RESPONDER, "c": wire.CORE, "t": wire.TYPES}
_S = ElementMaker(namespace=inbound.RESPONDER, nsmap=_NAMES)
_C = ElementMaker(namespace=wire.CORE, nsmap=_NAMES)


class Clock:
    """Stands."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def move_to(self, at: datetime) -> None:
        self.at = at

    def advance(self, by: timedelta) -> None:
        self.at += by


class Care:
    """A small receiver of SendMessageToCare: what came, and what is answered."""

    def __init__(self) -> None:
        self.came: list[etree._Element] = []
        self.answers: list[httpx.Response | None] = []
        self.addresses: list[str] = []
        self.headers: list[httpx.Headers] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, content=result("OK"))
        if answer is None:
            raise httpx.ConnectError("no one there", request=request)
        element, address = soap.opened(request.content)
        assert not isinstance(element, soap.Fault)
        assert soap.schema_errors(inbound.SCHEMA, element) == ()
        self.came.append(element)
        self.addresses.append(address)
        self.headers.append(request.headers)
        return answer

    def told(self, path: str) -> list[str]:
        """The text at a path in each message that came."""
        return [each.findtext(path, "", _NAMES) for each in self.came]


def result(code: str, error_id: str = "") -> bytes:
    children = [_C("resultCode", code), *([_C("errorId", error_id)] if error_id else [])]
    return soap.wrap(_S("SendMessageToCareResponse", _S("result", *children)))


@pytest.fixture
def care() -> Care:
    return Care()


@pytest.fixture
def world(care: Care) -> World:
    return World(Clock(), {"forsakringskassan": "Försäkringskassan"}, courier=Courier(httpx.MockTransport(care)))


@pytest.fixture
async def client(world: World, message: PartyMessage) -> AsyncIterator[httpx.AsyncClient]:
    counterpart = world.counterpart("forsakringskassan")
    patient = message.patient
    assert patient is not None
    certificate = mock.CertificateAtRecipient(message.certificate, patient.digits, message.certificate_unit.value)
    mock.register(counterpart, [certificate])
    app = Starlette(
        routes=[*routes(world, [*ROWS, *mock_control.ROWS]), Mount("/forsakringskassan", mock.create(counterpart))],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mocks") as client:
        yield client


async def instruct(client: httpx.AsyncClient, **orders: Any) -> None:
    answer = await client.put("/_control/officer", json={"deliverTo": CARE, **orders})
    assert answer.status_code == 200, answer.text


async def send(client: httpx.AsyncClient, message: PartyMessage) -> None:
    body = wire.request(message, FK)
    answer = await client.post(f"/forsakringskassan{PATH}", content=body, headers=soap.headers(wire.ACTION))
    assert b"resultCode>OK<" in answer.content, answer.text


async def answer_question(client: httpx.AsyncClient, message: PartyMessage, question: str, subject: str) -> None:
    envelope = etree.fromstring(wire.request(replace(message, id=f"answer-to-{question}"), FK))
    request = envelope.find(f".//{wire.REQUEST}")
    assert request is not None
    sender, code = request.find("s:skickatAv", wire.NAMESPACES), request.find("s:amne/t:code", wire.NAMESPACES)
    assert sender is not None
    assert code is not None
    code.text = subject
    reference = etree.Element(f"{{{wire.RESPONDER}}}svarPa")
    etree.SubElement(reference, f"{{{wire.CORE}}}meddelande-id").text = question
    sender.addprevious(reference)
    answer = await client.post(
        f"/forsakringskassan{PATH}", content=etree.tostring(envelope), headers=soap.headers(wire.ACTION)
    )
    assert b"resultCode>OK<" in answer.content, answer.text


async def days(client: httpx.AsyncClient, number: float) -> int:
    moved = await client.put("/_control/clock", json={"advance": f"PT{int(number * 24)}H"})
    done: int = moved.json()["done"]
    return done


# Scripts


def test_every_script_has_its_test_person() -> None:
    assert set(SCRIPTS) == set(OF_PEOPLE)


async def test_accept_contact_meeting(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="accept")
    await send(client, replace(message, reference="our-7"))
    assert care.came == []
    assert [await days(client, 1), await days(client, 2), await days(client, 5)] == [1, 1, 1]
    assert care.told("s:amne/t:code") == ["OVRIGT", "KONTKT", "AVSTMN"]
    assert care.told("s:svarPa/c:meddelande-id") == [message.id, "", ""]
    assert care.told("s:svarPa/c:referens-id") == ["our-7", "", ""]
    assert care.told("s:skickatTidpunkt") == ["2026-05-05T10:30:00", "2026-05-07T10:30:00", "2026-05-12T10:30:00"]
    assert care.told("s:sistaDatumForSvar") == ["", "2026-05-14", "2026-05-26"]
    assert care.addresses == [message.sender.unit.id.value] * 3
    assert len(set(care.told("s:meddelande-id"))) == 3
    assert {each["SOAPAction"] for each in care.headers} == {f'"{inbound.ACTION}"'}


async def test_seven_days_at_once_is_the_same_dialogue(
    client: httpx.AsyncClient, care: Care, message: PartyMessage
) -> None:
    await instruct(client, script="accept")
    await send(client, message)
    assert await days(client, 8) == 3
    assert care.told("s:skickatTidpunkt") == ["2026-05-05T10:30:00", "2026-05-07T10:30:00", "2026-05-12T10:30:00"]


async def test_declined_with_a_reason(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="decline")
    await send(client, message)
    await days(client, 30)
    assert care.told("s:svarPa/c:meddelande-id") == [message.id]
    assert "inte är aktuell" in care.told("s:meddelande")[0]


async def test_a_complement_points_at_questions(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="complement")
    await send(client, message)
    await days(client, 2)
    (found,) = care.came
    assert found.findtext("s:amne/t:code", "", _NAMES) == "KOMPLT"
    assert [each.text for each in found.findall("s:komplettering/s:frage-id", _NAMES)] == ["35", "44"]


async def test_a_question_without_an_answer_is_reminded_of(
    client: httpx.AsyncClient, care: Care, message: PartyMessage
) -> None:
    await instruct(client, script="reminder")
    await send(client, message)
    await days(client, 9)
    question, reminder = care.told("s:meddelande-id")
    assert care.told("s:amne/t:code") == ["KONTKT", "PAMINN"]
    assert care.told("s:paminnelseMeddelande-id") == ["", question]
    assert reminder != question


async def test_an_answered_question_is_not_reminded_of(
    client: httpx.AsyncClient, care: Care, message: PartyMessage
) -> None:
    await instruct(client, script="reminder")
    await send(client, message)
    await days(client, 2)
    await answer_question(client, message, care.told("s:meddelande-id")[0], "KONTKT")
    await days(client, 30)
    assert care.told("s:amne/t:code") == ["KONTKT"]
    (case,) = (await client.get("/_control/officer/cases")).json()
    assert [(each["state"], each["answered"]) for each in case["sent"]] == [("delivered", True), ("skipped", False)]


async def test_a_namespace_has_any_letters(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    client.headers = httpx.Headers([*client.headers.raw, (b"X-Mock-Namespace", "å".encode("latin-1"))])
    await client.put("/_control/validation/forsakringskassan", json={"rules": "off"})
    await instruct(client, script="accept")
    await send(client, message)
    assert await days(client, 2) == 1
    assert care.headers[0]["X-Mock-Namespace"].encode("latin-1") == "å".encode("latin-1")


async def test_silence(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client)
    await send(client, message)
    assert await days(client, 365) == 0
    assert care.came == []


async def test_a_script_by_subject(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="silence", bySubject={"OVRIGT": "decline"})
    await send(client, message)
    await days(client, 4)
    assert len(care.came) == 1


async def test_a_test_person_has_its_script(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="silence")
    person = next(person for person in PEOPLE.values() if person.script == "decline")
    unit = HsaId("TSTNMT2321000156-E0001")
    patient = PersonId(person.number)
    await send(client, replace(message, patient=patient, certificate=person.certificate, certificate_unit=unit))
    await days(client, 4)
    assert care.told("s:patientPerson-id/t:extension") == [person.number]


async def test_the_same_play_has_the_same_ids(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="accept")
    await send(client, message)
    await days(client, 8)
    await client.delete("/_control/ledger")
    await send(client, message)
    await days(client, 8)
    ids = care.told("s:meddelande-id")
    assert ids[:3] == ids[3:]


async def test_a_test_certificate_goes_no_further(
    client: httpx.AsyncClient, world: World, message: PartyMessage
) -> None:
    counterpart = world.counterpart("forsakringskassan")
    assert message.patient is not None
    unit = message.certificate_unit.value
    mock.register(
        counterpart, [mock.CertificateAtRecipient(message.certificate, message.patient.digits, unit, test=True)]
    )
    await instruct(client, script="decline")
    await send(client, message)
    assert (await client.get("/_control/officer/cases")).json() == []
    assert counterpart.room().ledger.entries[-1].report[0].startswith("TEST_CERTIFICATE")


# Twists


async def twist(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.put("/_control/faults/forsakringskassan", json={"name": name})).status_code == 200


async def test_a_reply_that_comes_twice(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="decline")
    await twist(client, "duplicate-reply")
    await send(client, message)
    await days(client, 4)
    first, second = care.told("s:meddelande-id")
    assert first == second


async def test_a_reply_before_the_acknowledgement(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="accept")
    await twist(client, "reply-before-acknowledgement")
    body = wire.request(message, FK)
    answer = await client.post(f"/forsakringskassan{PATH}", content=body, headers=soap.headers(wire.ACTION))
    assert answer.status_code == 200
    assert care.told("s:svarPa/c:meddelande-id") == [message.id]
    entries = (await client.get("/_control/ledger/forsakringskassan")).json()
    assert [each["direction"] for each in entries] == ["out", "in"]
    await days(client, 8)
    assert len(care.came) == 3


async def test_replies_out_of_order(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="accept")
    await twist(client, "replies-out-of-order")
    await send(client, message)
    await days(client, 8)
    assert care.told("s:amne/t:code") == ["AVSTMN", "KONTKT", "OVRIGT"]


# Trouble on the way


async def test_what_does_not_arrive_is_sent_again_with_the_same_id(
    client: httpx.AsyncClient, care: Care, world: World, message: PartyMessage
) -> None:
    await instruct(client, script="decline")
    await send(client, message)
    care.answers = [None, httpx.Response(500, text="no"), httpx.Response(200, content=result("INFO"))]
    await days(client, 5)
    assert len(set(care.told("s:meddelande-id"))) == 1
    out = [entry for entry in world.counterpart("forsakringskassan").room().ledger.entries if entry.direction == "out"]
    assert [(entry.accepted, entry.status) for entry in out] == [(False, 0), (False, 500), (True, 200)]
    assert out[0].report == ("ConnectError",)


async def test_it_gives_up_after_some_tries(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client, script="decline")
    await send(client, message)
    care.answers = [httpx.Response(200, content=result("ERROR", "TECHNICAL_ERROR")) for _ in range(9)]
    await days(client, 30)
    assert len(care.came) == 4
    (case,) = (await client.get("/_control/officer/cases")).json()
    assert case["sent"][0]["state"] == "failed"


async def test_without_an_address_nothing_arrives_and_it_is_told(
    client: httpx.AsyncClient, care: Care, message: PartyMessage
) -> None:
    await client.put("/_control/officer", json={"script": "decline"})
    await send(client, message)
    assert await days(client, 30) == 1
    (case,) = (await client.get("/_control/officer/cases")).json()
    assert (case["sent"][0]["state"], case["sent"][0]["told"]) == ("failed", "no address is set")


# By hand


async def test_answering_a_case_by_hand(client: httpx.AsyncClient, care: Care, message: PartyMessage) -> None:
    await instruct(client)
    await send(client, message)
    (case,) = (await client.get("/_control/officer/cases")).json()
    assert message.patient is not None
    assert message.patient.digits not in str(case)
    assert (case["message"], case["subject"], case["sent"]) == (message.id, "OVRIGT", [])
    path = f"/_control/officer/cases/{case['number']}/messages"
    sent = await client.post(path, json={"text": "Vi tar upp ärendet.", "answers": True})
    assert sent.json()["state"] == "delivered"
    again = await client.post(path, json={"text": "Och en fråga.", "subject": "KONTKT", "answerWithin": 3})
    assert again.json()["id"] != sent.json()["id"]
    assert care.told("s:meddelande") == ["Vi tar upp ärendet.", "Och en fråga."]
    assert care.told("s:svarPa/c:meddelande-id") == [message.id, ""]
    assert (await client.get(f"/_control/officer/cases/{case['number']}")).json()["sent"][1]["subject"] == "KONTKT"


@pytest.mark.parametrize("path", ["99", "x"])
async def test_a_case_that_is_not_there(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/_control/officer/cases/{path}")).status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"script": "no-such"}, {"bySubject": {"KONTKT": "no-such"}}, {"deliverTo": "ftp://x"}, {"more": 1}]
)
async def test_wrong_orders_are_refused(client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await client.put("/_control/officer", json=wrong)).status_code == 422


async def test_the_scripts_are_listed(client: httpx.AsyncClient) -> None:
    assert (await client.get("/_control/officer/scripts")).json().keys() == SCRIPTS.keys()


# Validation of requests, by level


@pytest.mark.parametrize(
    ("layer", "level", "code", "reported"),
    [
        ("schema", "strict", "ERROR", True),
        ("schema", "warn", "OK", True),
        ("schema", "off", "OK", False),
        ("rules", "strict", "ERROR", True),
        ("rules", "warn", "OK", True),
        ("rules", "off", "OK", False),
    ],
)
async def test_layers_can_be_loosened(
    client: httpx.AsyncClient, message: PartyMessage, layer: str, level: str, code: str, reported: bool
) -> None:
    await client.put("/_control/validation/forsakringskassan", json={layer: level})
    body = wire.request(message, FK)
    broken = {"schema": (b"T10:30:00<", b"T10:30:00Z<"), "rules": (message.certificate.encode(), b"unknown")}
    answer = await client.post(
        f"/forsakringskassan{PATH}", content=body.replace(*broken[layer]), headers=soap.headers(wire.ACTION)
    )
    assert f"resultCode>{code}<".encode() in answer.content
    (entry,) = (await client.get("/_control/ledger/forsakringskassan")).json()
    assert bool(entry["report"]) == reported
    rules = {"schema": "SCHEMA", "rules": "CERTIFICATE_NOT_FOUND_ERROR"}
    assert entry["rule"] == (rules[layer] if level == "strict" else "")
