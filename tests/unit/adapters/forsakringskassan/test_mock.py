"""The mock counterpart, over HTTP in-process: each rule, each fault, the ledger; and the adapter against it."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from lxml import etree

from adapters import soap
from adapters.forsakringskassan import mock, wire
from adapters.forsakringskassan.adapter import Forsakringskassan, build
from adapters.forsakringskassan.mock_rules import CertificateAtRecipient
from adapters.forsakringskassan.settings import PATH, Settings
from adapters.mocking import NAMESPACE_HEADER, Counterpart, Entry, Fault
from adapters.soap import PLATFORM_CODES
from contracts.dialogue import PartyMessage
from contracts.outbox import (
    Claim,
    Payload,
    RefusedForGood,
)
from contracts.ports import Clock

NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
FK = "2021005521"
DIGITS = "198507219817"
BASE = "http://fk.test"


@pytest.fixture
def counterpart(message: PartyMessage) -> Counterpart:
    counterpart = Counterpart("forsakringskassan", lambda: NOW)
    mock.register(counterpart, [certificate(message)])
    return counterpart


@pytest.fixture
async def client(counterpart: Counterpart) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(mock.create(counterpart))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
async def channel(counterpart: Counterpart, clock: Clock) -> AsyncIterator[Forsakringskassan]:
    channel = build(Settings(url=BASE), clock, httpx.ASGITransport(mock.create(counterpart)))
    yield channel
    await channel.aclose()


def certificate(message: PartyMessage, **changes: Any) -> CertificateAtRecipient:
    known = CertificateAtRecipient(message.certificate, DIGITS, message.certificate_unit.value)
    return replace(known, **changes)


def body(message: PartyMessage, **changes: str) -> bytes:
    """The request with elements changed or put in before ``skickatAv``/at the end, as the contract orders them."""
    envelope = etree.fromstring(wire.request(message, FK))
    request = envelope.find(f".//{wire.REQUEST}")
    assert request is not None
    for name, text in changes.items():
        _set(request, name, text)
    return etree.tostring(envelope)


def _set(request: etree._Element, name: str, text: str) -> None:
    match name:
        case "subject":
            code = request.find("s:amne/t:code", wire.NAMESPACES)
            assert code is not None
            code.text = text
        case "last_day":
            etree.SubElement(request, f"{{{wire.RESPONDER}}}sistaDatumForSvar").text = text
        case "reminder_of":
            _insert(request, etree.Element(f"{{{wire.RESPONDER}}}paminnelseMeddelande-id"), text)
        case "answer_to":
            answer = etree.Element(f"{{{wire.RESPONDER}}}svarPa")
            _insert(request, answer, "")
            etree.SubElement(answer, f"{{{wire.CORE}}}meddelande-id").text = text
        case _:
            found = request.find(f"s:{name}", wire.NAMESPACES)
            assert found is not None
            found.text = text


def _insert(request: etree._Element, element: etree._Element, text: str) -> None:
    sender = request.find("s:skickatAv", wire.NAMESPACES)
    assert sender is not None
    element.text = text
    sender.addprevious(element)


async def post(client: httpx.AsyncClient, content: bytes, **headers: str) -> httpx.Response:
    return await client.post(PATH, content=content, headers=soap.headers(wire.ACTION) | headers)


def result(response: httpx.Response) -> tuple[str, str, str]:
    """Result code, error id and the rule that the text begins with. The answer itself keeps the contract."""
    element = soap.unwrap(response.content)
    assert not isinstance(element, soap.Fault)
    assert response.status_code == 200
    assert soap.schema_errors(wire.SCHEMA, element) == ()
    code, error, told = (
        element.findtext(f"s:result/c:{name}", "", wire.NAMESPACES) for name in ("resultCode", "errorId", "resultText")
    )
    return code, error, told.partition(":")[0]


def fault_of(response: httpx.Response) -> soap.Fault:
    fault = soap.unwrap(response.content)
    assert isinstance(fault, soap.Fault)
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
    return fault


def last(counterpart: Counterpart, namespace: str = "") -> Entry:
    return counterpart.room(namespace).ledger.entries[-1]


# Accepted


@pytest.mark.anyio
async def test_accepted_and_written_down(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage
) -> None:
    sent = body(message)
    assert result(await post(client, sent)) == ("OK", "", "")
    entry = last(counterpart)
    assert (entry.at, entry.id, entry.accepted, entry.report, entry.rule) == (NOW, message.id, True, (), "")
    assert (entry.raw, entry.size, entry.method, entry.path) == (sent, len(sent), "POST", PATH)
    assert entry.headers["soapaction"] == f'"{wire.ACTION}"'
    assert b"<c:resultCode>OK<" in entry.answer
    assert entry.summary == {"subject": "OVRIGT", "certificate": message.certificate, "logicalAddress": FK}


@pytest.mark.anyio
async def test_another_issuing_unit_is_noted_and_not_refused(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage
) -> None:
    mock.register(counterpart, [certificate(message, unit="SE5565594230-OTHER")])
    assert result(await post(client, body(message))) == ("OK", "", "")
    assert last(counterpart).accepted
    assert last(counterpart).report == (
        "CERTIFICATE_UNIT_NOTE: the root of intygs-id is not the issuing unit (noted, not refused)",
    )


def test_a_certificates_text_form_holds_no_personal_number(message: PartyMessage) -> None:
    assert DIGITS not in repr(certificate(message))


# The platform and the SOAP layer


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "begins"),
    [
        (b"", "VP015 [MOCK-NTJP]"),
        (b"not xml", "VP015 [MOCK-NTJP]"),
        (b"<a/>", "VP015 [MOCK-NTJP]"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "VP015 [MOCK-NTJP]"),
        (soap.wrap(etree.Element("a")), "VP003 [MOCK-NTJP]"),
        (soap.wrap(etree.Element("a"), "5565594230"), "VP004 [MOCK-NTJP]"),
        (soap.wrap(etree.Element("a"), FK), "Unmarshalling Error"),
    ],
)
async def test_what_never_reaches_the_recipient(
    client: httpx.AsyncClient, counterpart: Counterpart, content: bytes, begins: str
) -> None:
    fault = fault_of(await post(client, content))
    assert fault.code == "Client"
    assert fault.text.startswith(begins)
    assert not last(counterpart).accepted
    assert last(counterpart).report == (fault.text,)
    assert last(counterpart).request == content.decode()


@pytest.mark.anyio
async def test_another_operations_action(client: httpx.AsyncClient, message: PartyMessage) -> None:
    told = fault_of(await post(client, body(message), SOAPAction='"urn:other"'))
    assert "SOAPAction" in told.text


@pytest.mark.anyio
async def test_another_logical_address_can_be_the_recipients(message: PartyMessage) -> None:
    counterpart = Counterpart("forsakringskassan", lambda: NOW)
    mock.register(counterpart, [certificate(message)])
    transport = httpx.ASGITransport(mock.create(counterpart, "FKORG"))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        assert result(await post(client, wire.request(message, "FKORG")))[0] == "OK"


# The schema


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("before", "after", "element"),
    [
        (b"<t:extension>198507219817", b"<t:extension>19850721-9817", "extension"),
        (b"T10:30:00<", b"T10:30:00.000<", "skickatTidpunkt"),
        (b"T10:30:00<", b"T10:30:00Z<", "skickatTidpunkt"),
        (b"<t:root>1.2.752.129.2.1.3.1<", b"<t:root>1.2.752.74.9.1<", "root"),
        (b"<t:codeSystem>ffa59d8f", b"<t:codeSystem>ffa59d80", "codeSystem"),
        (b"<s:rubrik>", b"<s:amne/><s:rubrik>", "amne"),
    ],
)
async def test_schema(
    client: httpx.AsyncClient,
    counterpart: Counterpart,
    message: PartyMessage,
    before: bytes,
    after: bytes,
    element: str,
) -> None:
    sent = body(message)
    assert before in sent
    response = await post(client, sent.replace(before, after))
    assert result(response)[:2] == ("ERROR", "VALIDATION_ERROR")
    assert any(element in line for line in last(counterpart).report)
    assert "9817" not in response.text
    assert not last(counterpart).accepted
    assert last(counterpart).id == message.id


# The rules beyond the schema


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"subject": "SVAR"}, "SUBJECT_NOT_SUPPORTED_ERROR"),
        ({"logiskAdressMottagare": "5565594230"}, "RECIPIENT_INCONSISTENCY_ERROR"),
        ({"answer_to": "asked-1", "last_day": "2026-06-01"}, "MESSAGE_TYPE_CONSISTENCY_ERROR"),
        ({"subject": "PAMINN", "reminder_of": "asked-1", "last_day": "2026-06-01"}, "MESSAGE_TYPE_CONSISTENCY_ERROR"),
        ({"meddelande-id": "asked-1"}, "MEDDELANDE_ID_NOT_UNIQUE_ERROR"),
        ({"subject": "PAMINN"}, "PAMINNELSE_ID_INCONSISTENCY_ERROR"),
        ({"reminder_of": "asked-1"}, "PAMINNELSE_ID_INCONSISTENCY_ERROR"),
        ({"subject": "PAMINN", "reminder_of": "unknown"}, "REFERENCED_MESSAGE_NOT_FOUND_ERROR"),
        ({"answer_to": "unknown"}, "REFERENCED_MESSAGE_NOT_FOUND_ERROR"),
        ({"answer_to": "asked-1", "subject": "KONTKT"}, "SUBJECT_CONSISTENCY_ERROR"),
    ],
)
async def test_rules_about_the_message(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage, changes: dict[str, str], rule: str
) -> None:
    mock.ask(counterpart, "asked-1", "OVRIGT")
    assert result(await post(client, body(message, **changes))) == ("ERROR", "VALIDATION_ERROR", rule)
    assert [line.partition(":")[0] for line in last(counterpart).report] == [rule]
    assert not last(counterpart).accepted


@pytest.mark.anyio
@pytest.mark.parametrize(
    "changes",
    [
        {"last_day": "2026-06-01"},
        {"answer_to": "asked-1"},
        {"subject": "PAMINN", "reminder_of": "asked-1"},
        {"subject": "KOMPLT"},
    ],
)
async def test_what_the_rules_let_through(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage, changes: dict[str, str]
) -> None:
    mock.ask(counterpart, "asked-1", "OVRIGT")
    assert result(await post(client, body(message, **changes))) == ("OK", "", "")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("known", "error_id", "rule"),
    [
        ({"id": "another"}, "APPLICATION_ERROR", "CERTIFICATE_NOT_FOUND_ERROR"),
        ({"patient": "199311092390"}, "VALIDATION_ERROR", "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR"),
        ({"sent": False}, "VALIDATION_ERROR", "CERTIFICATE_NOT_SENT_ERROR"),
        ({"revoked": True}, "REVOKED", "CERTIFICATE_REVOKED_ERROR"),
    ],
)
async def test_rules_about_the_certificate(
    client: httpx.AsyncClient,
    counterpart: Counterpart,
    message: PartyMessage,
    known: dict[str, Any],
    error_id: str,
    rule: str,
) -> None:
    counterpart.room().state.clear()
    mock.register(counterpart, [certificate(message, **known)])
    assert result(await post(client, body(message))) == ("ERROR", error_id, rule)
    assert not last(counterpart).accepted


@pytest.mark.anyio
async def test_all_broken_rules_are_reported(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage
) -> None:
    mock.register(counterpart, [certificate(message, sent=False, revoked=True)])
    assert result(await post(client, body(message, subject="SVAR")))[2] == "SUBJECT_NOT_SUPPORTED_ERROR"
    assert [line.partition(":")[0] for line in last(counterpart).report] == [
        "SUBJECT_NOT_SUPPORTED_ERROR",
        "CERTIFICATE_NOT_SENT_ERROR",
        "CERTIFICATE_REVOKED_ERROR",
    ]


@pytest.mark.anyio
async def test_a_second_time(client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage) -> None:
    assert result(await post(client, body(message)))[0] == "OK"
    mock.register(counterpart, [certificate(message, revoked=True)])
    assert result(await post(client, body(message)))[2] == "MEDDELANDE_ID_NOT_UNIQUE_ERROR"
    assert counterpart.room().ledger.accepted_ids() == [message.id]


@pytest.mark.anyio
async def test_what_was_refused_may_come_again(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage
) -> None:
    mock.register(counterpart, [certificate(message, sent=False)])
    assert result(await post(client, body(message)))[0] == "ERROR"
    mock.register(counterpart, [certificate(message)])
    assert result(await post(client, body(message)))[0] == "OK"


@pytest.mark.anyio
async def test_a_reset_forgets_messages_and_keeps_certificates(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage
) -> None:
    await post(client, body(message))
    counterpart.reset()
    counterpart.room().order([Fault(kind="http")])
    await post(client, body(message))
    assert result(await post(client, body(message)))[0] == "OK"


# Namespaces


@pytest.mark.anyio
async def test_a_namespace_sees_everybodys_certificates_until_it_has_its_own(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage
) -> None:
    mine = {NAMESPACE_HEADER: "mine"}
    assert result(await post(client, body(message), **mine))[0] == "OK"
    mock.register(counterpart, [certificate(message, id="another")], "mine")
    assert result(await post(client, body(replace(message, id="2")), **mine))[2] == "CERTIFICATE_NOT_FOUND_ERROR"
    assert result(await post(client, body(message)))[0] == "OK"
    assert [entry.id for entry in counterpart.room("mine").ledger.entries] == [message.id, "2"]


# Faults on order


@pytest.mark.anyio
@pytest.mark.parametrize("code", sorted(wire.BY_PLATFORM_CODE))
async def test_platform_faults(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage, code: str
) -> None:
    counterpart.room().order([Fault(kind="soap-fault", text=code)])
    fault = fault_of(await post(client, body(message)))
    assert re.match(rf"{code} \[MOCK-NTJP\] \w", fault.text)
    assert fault.code == (
        "Client" if code in [name for name, (blamed, _) in PLATFORM_CODES.items() if blamed == "Client"] else "Server"
    )
    assert last(counterpart).fault == "soap-fault"
    assert not last(counterpart).accepted
    assert last(counterpart).id == message.id


@pytest.mark.anyio
async def test_platform_fault_with_words_of_its_own(
    client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage
) -> None:
    counterpart.room().order([Fault(kind="soap-fault", text="VP007 no agreement")])
    assert fault_of(await post(client, body(message))).text == "VP007 [MOCK-NTJP] no agreement"


@pytest.mark.anyio
async def test_another_fault(client: httpx.AsyncClient, counterpart: Counterpart, message: PartyMessage) -> None:
    counterpart.room().order([Fault(kind="soap-fault", text="Something broke", fault_code="Client")])
    assert fault_of(await post(client, body(message))) == soap.Fault("Client", "Something broke")


@pytest.mark.anyio
async def test_an_unsent_certificate_parks_the_message(
    counterpart: Counterpart, channel: Forsakringskassan, claim_of: Callable[[Payload], Claim], message: PartyMessage
) -> None:
    outcome = await channel.send(claim_of(replace(message, certificate="unknown")))
    assert outcome == RefusedForGood(
        "APPLICATION_ERROR: CERTIFICATE_NOT_FOUND_ERROR: the certificate is not known", other_channel=True
    )


# The contract itself


@pytest.mark.anyio
async def test_the_contract_can_be_fetched(client: httpx.AsyncClient) -> None:
    wsdl = await client.get(f"{PATH}?wsdl")
    assert wsdl.headers["Content-Type"].startswith("text/xml")
    names = set(re.findall(r'schemaLocation="([^"]+)"', wsdl.text))
    assert "?xsd=send_message_to_recipient_2.xsd" in names
    for name in names:
        assert (await client.get(httpx.URL(PATH).join(name))).status_code == 200
