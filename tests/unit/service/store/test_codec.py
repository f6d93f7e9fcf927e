"""What is written is read back as the same, and text of a person's number is in the stored bytes alone."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.activity import Identifier
from contracts.consent import InformationCategory, LegalBasis, Purpose, Question, Recipient, RecipientKind
from contracts.dialogue import CareUnit, MessagePart, PartyMessage, Sender, Topic
from contracts.identity import HsaId, PersonId
from contracts.outbox import EventType, RecordCopy, RecordEvent
from service.store.codec import decode, decode_payload, encode, from_micros, payload_kind, to_micros

UNIT = HsaId("SE2321000016-1001")

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_instants = st.datetimes(timezones=st.just(UTC))
_recipients = st.builds(Recipient, st.sampled_from(RecipientKind), _texts, _texts)
_categories = st.frozensets(st.sampled_from(InformationCategory))
_questions = st.builds(
    Question,
    patient=_texts,
    unit=st.just(UNIT),
    recipient=_recipients,
    categories=_categories,
    purpose=st.sampled_from(Purpose),
    at=_instants,
    basis=st.sampled_from(LegalBasis),
    protected_identity=st.booleans(),
)
_payloads = st.one_of(
    st.builds(
        PartyMessage,
        id=_texts,
        topic=st.sampled_from(Topic),
        recipient=_recipients,
        patient=st.sampled_from([None, PersonId("198001019804")]),
        sender=st.builds(Sender, st.just(UNIT), st.builds(CareUnit, st.just(UNIT), st.just(UNIT), _texts), _texts),
        created=_instants,
        parts=st.lists(st.builds(MessagePart, st.sampled_from(InformationCategory), _texts), max_size=3).map(tuple),
        certificate=_texts,
        certificate_unit=st.just(UNIT),
        reference=_texts,
    ),
    st.builds(RecordEvent, _texts, st.sampled_from(EventType), _texts, _instants, st.integers(1, 99), _texts),
    st.builds(RecordCopy, _texts, st.builds(Identifier, _texts, _texts), _texts),
)


@settings(max_examples=50)
@given(_payloads)
def test_a_payload_comes_back(payload: Any) -> None:
    assert decode_payload(payload_kind(payload), encode(payload)) == payload


@settings(max_examples=50)
@given(_questions)
def test_a_question_comes_back_and_equal_ones_are_equal_bytes(question: Question) -> None:
    assert decode(encode(question), Question) == question
    assert encode(decode(encode(question), Question)) == encode(question)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"id": 1}', b"\xff"])
def test_what_is_no_payload_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_payload("record-copy", body)


def test_a_wrong_number_is_refused_without_being_told() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        decode(b'"198001019805"', PersonId)
    assert "19800101" not in str(caught.value)


@given(_instants)
def test_an_instant_comes_back_to_the_microsecond(at: datetime) -> None:
    assert from_micros(to_micros(at)) == at


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_micros(datetime(2026, 5, 4))  # noqa: DTZ001 - that is the point
