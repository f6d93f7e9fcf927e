"""What another party posts to the SOAP endpoint, well or badly: a clear answer, kept once or not at all, and no number in any
log (forsakringskassan.md §§ 1.3, 1.6, 1.7)."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest

from adapters import soap
from adapters.forsakringskassan.inbound import ACTION, PATH, SCHEMA
from adapters.forsakringskassan.mock_letter import Letter, written

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

ADDRESS: Final = f"/soap{PATH}"
ROOT: Final = "1.2.752.129.2.1.3.1"


def letter(flow: "Flow", person: "Person", **changed: Any) -> Letter:
    """A question of Försäkringskassan about a certificate that the feed has told of."""
    known = Letter(
        id=str(uuid4()),
        sent=datetime(2026, 3, 4, 8, 12, 2, tzinfo=UTC),
        certificate=(flow.UNIT, f"intyg-{person.number[:8]}--10-20"),
        patient=(ROOT, person.number),
        unit=flow.UNIT,
        subject="KONTKT",
        text="Vem på enheten kan vi kontakta?",
        reference="FK-77",
    )
    return replace(known, **changed)


async def send(flow: "Flow", body: bytes, caller: str = "platform", action: str = ACTION) -> "httpx.Response":
    return await flow.callers[caller].post(ADDRESS, content=body, headers=soap.headers(action))


async def told(flow: "Flow", message: Letter) -> tuple[str, str, str]:
    """Result code, error id and text."""
    response = await send(flow, written(message))
    assert response.status_code == 200, response.text
    assert soap.errors_in(SCHEMA, response.content) == ()
    content = soap.unwrap(response.content)
    assert not isinstance(content, soap.Fault)
    code, error, text = (
        content.findtext(f".//{{*}}{name}", default="") for name in ("resultCode", "errorId", "resultText")
    )
    return code, error, text


async def communications(flow: "Flow", person: "Person") -> list[Json]:
    bundle = (await flow.coordinator.get(f"/fhir/Communication?patient={person.id}&_count=50")).json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


@pytest.fixture
async def known(flow: "Flow") -> "Person":
    """Somebody whose certificate the unit has pulled."""
    person = await flow.patient()
    flow.certify(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    return person


async def test_a_question_is_kept_and_waits_for_an_answer(flow: "Flow", known: "Person") -> None:
    message = letter(flow, known, answer_before=date(2026, 12, 24))
    assert await told(flow, message) == ("OK", "", "")
    (kept,) = await communications(flow, known)
    assert kept["payload"] == [{"contentString": message.text}]
    (dialogue,) = (await flow.coordinator.get("/api/dialogues", params={"patient": known.id})).json()
    assert (dialogue["state"], dialogue["due"], dialogue["party"]["kind"]) == (
        "to-answer",
        "2026-12-24",
        "forsakringskassan",
    )


async def test_nothing_that_comes_in_is_refused_for_lack_of_consent(flow: "Flow", known: "Person") -> None:
    """Domain rule 5: our consents say nothing of what others may say."""
    await flow.post(flow.forms.disclosure(known, effect="deny"))
    assert (await told(flow, letter(flow, known)))[0] == "OK"


async def test_the_same_again_is_info_and_kept_once(flow: "Flow", known: "Person") -> None:
    message = letter(flow, known)
    assert (await told(flow, message))[0] == "OK"
    assert (await told(flow, message))[0] == "INFO"
    assert len(await communications(flow, known)) == 1


async def test_another_message_under_the_same_id_is_refused(flow: "Flow", known: "Person") -> None:
    message = letter(flow, known)
    await told(flow, message)
    code, error, text = await told(flow, replace(message, text="Något annat."))
    assert (code, error) == ("ERROR", "VALIDATION_ERROR")
    assert text.startswith("MEDDELANDE_ID_NOT_UNIQUE_ERROR")
    assert len(await communications(flow, known)) == 1


REFUSED: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "an unknown subject": ({"subject": "NYTT"}, "SUBJECT_NOT_SUPPORTED_ERROR"),
    "a reminder that names nothing": ({"subject": "PAMINN"}, "PAMINNELSE_ID_INCONSISTENCY_ERROR"),
    "a reminder of what never came": (
        {"subject": "PAMINN", "reminder_of": "a2b1"},
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    ),
    "a question with complements": ({"complements": (("35", "Mer."),)}, "KOMPLETTERING_INCONSISTENCY_ERROR"),
    "an answer to what was never sent": ({"answer_to": "a2b1"}, "REFERENCED_MESSAGE_NOT_FOUND_ERROR"),
    "an answer with a last day": (
        {"answer_to": "a2b1", "answer_before": date(2026, 12, 24)},
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
    ),
    "somebody else's number": ({"patient": (ROOT, "198507219817")}, "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR"),
    "nobody who is known": (
        {"certificate": ("TSTNMT2321000156-E0001", "intyg-okänt"), "patient": (ROOT, "198507219817")},
        "CERTIFICATE_NOT_FOUND_ERROR",
    ),
    "a unit that is not served": (
        {
            "unit": "TSTNMT2321000156-E7777",
            "certificate": ("TSTNMT2321000156-E7777", "intyg-okänt"),
        },
        "UNIT_NOT_SUPPORTED_ERROR",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_wrong_is_said_and_nothing_is_kept(flow: "Flow", known: "Person", case: str) -> None:
    changed, name = REFUSED[case]
    before = await flow.stored()
    code, error, text = await told(flow, letter(flow, known, **changed))
    assert (code, error) == ("ERROR", "VALIDATION_ERROR")
    assert name in text
    assert await flow.stored() == before


@pytest.mark.parametrize("is_erased", [False, True])
async def test_nobody_answers_what_somebody_else_was_to_be_told(flow: "Flow", known: "Person", is_erased: bool) -> None:
    request = await flow.post(flow.forms.request(known, recipient="employer"))
    ours = await flow.until(f"CommunicationRequest/{request['id']}", "withheld", "employer")
    if is_erased:
        flow.change("UPDATE outbox SET payload = NULL WHERE id = ?", ours.id)
    code, _, text = await told(flow, letter(flow, known, subject="OVRIGT", answer_to=ours.id))
    assert (code, text.split(":")[0].split(" ")[0]) == ("ERROR", "REFERENCED_MESSAGE_NOT_FOUND_ERROR")


async def test_a_patient_is_enough_where_the_certificate_is_not_pulled_yet(flow: "Flow") -> None:
    person = await flow.patient()
    assert (await told(flow, letter(flow, person, certificate=(flow.UNIT, "intyg-nytt"))))[0] == "OK"


@pytest.mark.parametrize(
    ("caller", "status"), [("nobody", 401), ("coordinator", 200), ("reader", 403), ("platform", 200)]
)
async def test_who_may_post(flow: "Flow", known: "Person", caller: str, status: int) -> None:
    response = await send(flow, written(letter(flow, known)), caller)
    assert response.status_code == status
    if status != 200:
        assert isinstance(soap.unwrap(response.content), soap.Fault)
        assert await communications(flow, known) == []


async def test_the_contract_is_served(flow: "Flow") -> None:
    response = await flow.nobody.get(f"{ADDRESS}?wsdl")
    assert response.status_code == 200
    assert b"definitions" in response.content
    schema = await flow.nobody.get(f"{ADDRESS.rpartition('/')[0]}/{SCHEMA}")
    assert schema.status_code == 200
    assert (await flow.nobody.get(ADDRESS)).status_code == 405


BROKEN: Final = {
    "empty": b"",
    "no XML": b"hej",
    "half": b"<soap:Envelope",
    "a DTD": b'<!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>',
    "another envelope": b"<Envelope><Body><x/></Body></Envelope>",
    "another operation": soap.wrap(soap.parse(b"<x/>")),
    "a fault": soap.fault("Client", "nej"),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_what_cannot_be_read_is_a_fault(flow: "Flow", body: bytes) -> None:
    before = await flow.stored()
    response = await send(flow, body)
    assert response.status_code == 500
    assert isinstance(soap.unwrap(response.content), soap.Fault)
    assert await flow.stored() == before


async def test_too_much_is_a_fault(flow: "Flow") -> None:
    response = await send(flow, b"x" * (5 * 1024 * 1024 + 1))
    assert response.status_code == 413
    assert isinstance(soap.unwrap(response.content), soap.Fault)


async def test_a_database_that_cannot_be_written_asks_for_it_again(flow: "Flow", known: "Person") -> None:
    message = letter(flow, known)
    with flow.no_room("history"):
        code, error, _ = await told(flow, message)
    assert (code, error) == ("ERROR", "TECHNICAL_ERROR")
    assert (await told(flow, message))[0] == "OK"
    assert len(await communications(flow, known)) == 1


async def test_no_log_holds_a_number_or_what_was_said(
    flow: "Flow", known: "Person", caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await told(flow, letter(flow, known, text="Ordagrant ur samtalet"))
        await told(flow, letter(flow, known, subject="NYTT"))
        await told(flow, letter(flow, known, id=f"fk-{known.number}"))
        await send(flow, written(letter(flow, known)).replace(known.number.encode(), b"19850721-9817"))
    logged = "".join(
        f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name.startswith("service")
    )
    assert "a message has come" in logged
    for secret in (known.number, "19850721-9817", "Ordagrant"):
        assert secret not in logged
