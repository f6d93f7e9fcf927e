"""What is written, what is refused to be written, and what each answer says."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mocking.validation import wrong
from adapters.sdk import reading, wire
from adapters.sdk.addresses import Addresses, from_file
from adapters.sdk.mock_model import Body
from contracts.consent import InformationCategory, Recipient, RecipientKind
from contracts.dialogue import Arrival, CareUnit, MessagePart, NextStep, PartyMessage, ReceivedMessage, Sender, Topic
from contracts.identity import HsaId
from contracts.outbox import Delivered, DeliveryOutcome, OutcomeUnknown, RefusedForGood, RouteBroken, Transient
from fhir_mappings.wording import Unwritable
from tests.unit.adapters.sdk.conftest import BOOK, MESSAGE, MUNICIPALITY, NOW, PATIENT

ID: Final = MESSAGE.id
US: Final = "0203:region.example"
FK: Final = Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521")
Change = Callable[[PartyMessage], PartyMessage]


def attributes(message: PartyMessage, book: Addresses) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(wire.request(message, book))["data"]["attributes"]
    return found


def references(message: PartyMessage, book: Addresses) -> list[str]:
    return [each["extension"] for each in attributes(message, book)["recipientAttention"].get("referenceId", [])]


# Out


def test_the_time_is_the_promises_own_in_utc(message: PartyMessage, book: Addresses) -> None:
    summer = datetime(2026, 7, 1, 0, 15, 0, 999_999, timezone(timedelta(hours=2)))
    assert attributes(replace(message, created=summer), book)["creationDateTime"] == "2026-06-30T22:15:00.999Z"


@pytest.mark.parametrize("topic", sorted(set(Topic) - {Topic.COMPLEMENT, Topic.REMINDER}))
def test_the_label_names_the_topic_and_nobody(message: PartyMessage, book: Addresses, topic: Topic) -> None:
    made = attributes(replace(message, topic=topic), book)
    assert reading.TOPICS[made["label"]] is topic
    assert made["confidentiality"] is True


def test_the_certificate_is_told_to_nobody_but_forsakringskassan(message: PartyMessage, book: Addresses) -> None:
    about = replace(message, certificate="intyg-1")
    assert references(about, book) == [PATIENT.digits]
    assert references(replace(about, recipient=FK), book) == [PATIENT.digits, "intyg-1"]


def test_an_answer_to_what_came_by_another_channel_names_it_as_a_reference(
    message: PartyMessage, book: Addresses
) -> None:
    made = replace(message, answers="FK-1", their_reference="8871")
    assert "refToMessageId" not in attributes(made, book)
    assert references(made, book) == [PATIENT.digits, "8871", "FK-1"]


@pytest.mark.parametrize(
    ("change", "why", "other_channel"),
    [
        (lambda m: replace(m, recipient=Recipient(RecipientKind.UNION, "8020000001")), "no address for the", True),
        (lambda m: replace(m, sender=_of_unit(m, "SE2321000016-1009")), "no address to write from", True),
        (lambda m: replace(m, patient=None), "of nobody whom it is about", True),
        (lambda m: replace(m, parts=(_part("x" * wire.LIMIT),)), "larger than", True),
        (lambda m: replace(m, id="m-1"), "message id is no UUID", False),
        (lambda m: replace(m, conversation="c-1"), "conversation id is no UUID", False),
        (lambda m: replace(m, reference="å" * 257), "a reference is", False),
        (lambda m: replace(m, reference="a\0b"), "a reference is", False),
        (lambda m: replace(m, their_reference=" ", answers=ID), "a reference is", False),
        (lambda m: replace(m, topic=Topic.REMINDER), "not care's", False),
        (lambda m: replace(m, parts=()), "any text", False),
        (lambda m: replace(m, created=datetime(2026, 5, 4)), "no zone", False),  # noqa: DTZ001 - on purpose
        (
            lambda m: replace(m, parts=(MessagePart(InformationCategory.SENSITIVE_CIRCUMSTANCES, "x"),)),
            "never sent",
            False,
        ),
    ],
)
def test_what_cannot_be_written(
    message: PartyMessage, book: Addresses, change: Change, why: str, other_channel: bool
) -> None:
    with pytest.raises(Unwritable, match=why) as told:
        wire.request(change(message), book)
    assert told.value.other_channel is other_channel
    assert PATIENT.digits not in str(told.value)


def _of_unit(message: PartyMessage, unit: str) -> Sender:
    return replace(message.sender, unit=replace(message.sender.unit, id=HsaId(unit)))


def _part(text: str) -> MessagePart:
    return MessagePart(InformationCategory.WORK_ADJUSTMENTS, text)


# In: what an answer says


def shown(id: str = ID, sender: str | None = US, **more: Any) -> bytes:
    told = {"messageId": id, "sender": sender, **more}
    return msgspec.json.encode({"data": {"type": "messages", "id": id, "attributes": told}, "meta": {}})


def problem(*codes: str) -> bytes:
    issues = [{"typeCode": code, "title": "hemligt 198507219817"} for code in codes]
    return msgspec.json.encode({"title": "hemligt", "detail": "198507219817", "eventIssues": issues})


OPEN: Final = None
"""Only looking for the message can tell."""

ANSWERS: list[tuple[int, bytes, DeliveryOutcome | None]] = [
    (201, shown(), Delivered()),
    (201, shown(ID.upper()), Delivered()),
    (201, shown(sender=None), Delivered()),
    (201, shown("0b9a6c1e-0000-4c36-9e15-3b1f6d2a9c41"), OPEN),
    (201, shown(sender="0203:elsewhere.example"), OPEN),
    (201, b"", OPEN),
    (201, b"<html>", OPEN),
    (200, shown(), OPEN),
    (200, b"Logga in", OPEN),
    (202, b"", OPEN),
    (204, b"", OPEN),
    (400, problem("MESSAGE_ID_NOT_UNIQUE"), OPEN),
    (400, b"", OPEN),
    (409, b"", OPEN),
    (422, b"", OPEN),
    (302, b"", RefusedForGood("HTTP 302")),
    (413, b"", RefusedForGood("HTTP 413")),
    (415, b"", RefusedForGood("HTTP 415")),
    (401, b"", RouteBroken("HTTP 401: the recipient does not know this service")),
    (403, b"", RouteBroken("HTTP 403: the recipient does not let this service in")),
    (404, b"", RouteBroken("HTTP 404: no message service takes messages at that address")),
    (405, b"", RouteBroken("HTTP 405: no message service takes messages at that address")),
    (429, b"", Transient("HTTP 429", timedelta(seconds=60))),
    (502, b"", Transient("HTTP 502", timedelta(seconds=60))),
    (503, b"", Transient("HTTP 503", timedelta(seconds=60))),
    (500, b"", OutcomeUnknown("HTTP 500")),
    (504, b"", OutcomeUnknown("HTTP 504")),
]


@pytest.mark.parametrize(("status", "body", "expected"), ANSWERS)
def test_what_the_answer_to_a_message_says(status: int, body: bytes, expected: DeliveryOutcome | None) -> None:
    response = httpx.Response(status, content=body, headers={"Retry-After": "60"})
    assert wire.outcome(response, ID, US, NOW) == expected


LOOKED_FOR: list[tuple[int, bytes, DeliveryOutcome | None]] = [
    (200, shown(messageStatus="ERROR"), wire.DELIVERED_EARLIER),
    (404, b"", None),
    (200, shown("0b9a6c1e-0000-4c36-9e15-3b1f6d2a9c41"), OutcomeUnknown("HTTP 200 when the message was looked for")),
    (200, shown(sender="0203:elsewhere.example"), OutcomeUnknown("HTTP 200 when the message was looked for")),
    (200, b"Logga in", OutcomeUnknown("HTTP 200 when the message was looked for")),
    (204, b"", OutcomeUnknown("HTTP 204 when the message was looked for")),
    (302, b"", OutcomeUnknown("HTTP 302 when the message was looked for")),
    (400, b"", OutcomeUnknown("HTTP 400 when the message was looked for")),
    (401, b"", RouteBroken("HTTP 401: the recipient does not know this service")),
    (503, b"", Transient("HTTP 503", timedelta(seconds=60))),
    (500, b"", OutcomeUnknown("HTTP 500")),
]


@pytest.mark.parametrize(("status", "body", "expected"), LOOKED_FOR)
def test_what_a_look_up_says(status: int, body: bytes, expected: DeliveryOutcome | None) -> None:
    """That the message cannot be asked for says nothing of the message: it is neither there nor refused."""
    response = httpx.Response(status, content=body, headers={"Retry-After": "60"})
    assert wire.found(response, ID, US, NOW) == expected


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, problem("SCHEMA", "MESSAGE_ID_NOT_UNIQUE", "SCHEMA"), "HTTP 400: MESSAGE_ID_NOT_UNIQUE, SCHEMA"),
        (400, problem("198507219817", "Fel på 198507219817"), "HTTP 400"),
        (400, b'{"eventIssues": [{"typeCode": null}]}', "HTTP 400"),
        (422, b"198507219817", "HTTP 422"),
        (202, b"", "HTTP 202, and the message service does not have the message"),
    ],
)
def test_a_refusal_is_told_by_its_codes_alone(status: int, body: bytes, told: str) -> None:
    assert wire.refusal(httpx.Response(status, content=body)) == told


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("NEW", Arrival.UNDER_WAY),
        ("SCHEDULED", Arrival.UNDER_WAY),
        ("SUBMITTED", Arrival.UNDER_WAY),
        ("SCHEDULED_FOR_RESEND", Arrival.UNDER_WAY),
        ("ACKNOWLEDGE", Arrival.UNDER_WAY),
        ("WAITING_FOR_RECEIPT", Arrival.UNDER_WAY),
        ("ACCEPTED", Arrival.ARRIVED),
        ("RETRIEVED", Arrival.ARRIVED),
        ("RECEIPT_SENT", Arrival.ARRIVED),
        ("REJECTED", Arrival.REFUSED),
        ("MESSAGE_EXCHANGE_ERROR", Arrival.FAILED),
        ("ERROR", Arrival.FAILED),
        ("READ_ALOUD", None),
        (None, None),
    ],
)
def test_what_became_of_it(status: str | None, expected: Arrival | None) -> None:
    assert wire.arrival(httpx.Response(200, content=shown(messageStatus=status)), ID, US) is expected


def test_somebody_elses_message_of_our_id_tells_nothing_of_ours() -> None:
    theirs = shown(sender="0203:elsewhere.example", messageStatus="ACCEPTED")
    assert wire.arrival(httpx.Response(200, content=theirs), ID, US) is None
    assert wire.arrival(httpx.Response(404, content=shown(messageStatus="ACCEPTED")), ID, US) is None


# Whatever the texts

texts = st.text(min_size=1, max_size=60) | st.sampled_from(["a\0b", "\ud800", "\U0001f600", "]]>", '"\\', "\r\n\x85"])
uuids = st.uuids().map(str)
messages = st.builds(
    PartyMessage,
    id=uuids,
    topic=st.sampled_from(Topic),
    recipient=st.sampled_from([FK, MUNICIPALITY]),
    patient=st.sampled_from([PATIENT, None]),
    sender=st.builds(
        Sender,
        st.just(MESSAGE.sender.employee),
        st.builds(CareUnit, st.just(MESSAGE.sender.unit.id), st.just(MESSAGE.sender.unit.provider), texts, texts),
        texts,
    ),
    created=st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.timezones()),  # noqa: DTZ001 - zones
    parts=st.lists(st.builds(MessagePart, st.sampled_from(InformationCategory), texts), max_size=3).map(tuple),
    certificate=st.just("") | texts,
    certificate_unit=st.just(MESSAGE.sender.unit.id),
    reference=st.just("") | texts,
    wanted=st.none() | st.sampled_from(NextStep),
    answers=st.just("") | uuids | texts,
    their_reference=st.just("") | texts,
    conversation=st.just("") | uuids,
    consent_given=st.none() | st.dates(),
)


@given(message=messages)
def test_whatever_is_written_passes_the_interface_and_is_read_back(message: PartyMessage) -> None:
    book = from_file(BOOK)
    try:
        body = wire.request(message, book)
    except Unwritable:
        return
    assert wrong(Body, body) == ()
    assert body == wire.request(message, book)
    assert b'"confidentiality":true' in body
    label = re.search(rb'"label":"([^"]*)","confidentiality"', body)
    assert label is not None
    assert reading.TOPICS[label[1].decode()] is message.topic


@given(message=messages)
def test_what_one_unit_writes_another_can_read(message: PartyMessage) -> None:
    """With the two sides changed: what we write is what we read."""
    book = from_file(BOOK)
    try:
        made = msgspec.json.decode(wire.request(message, book))
    except Unwritable:
        return
    told = made["data"]["attributes"]
    told["recipientAttention"]["subOrganization"]["extension"] = "sdk:inkorg:0203:region.example:linden"
    read = reading.message(msgspec.json.encode(made), told["messageId"], book)
    assert isinstance(read, ReceivedMessage)
    assert (read.patient, read.topic, read.id) == (message.patient, message.topic, told["messageId"])
    assert read.text == told["digitalDocument"][0]["contentTextBody"][0]
    assert read.sent == datetime.fromisoformat(told["creationDateTime"])
