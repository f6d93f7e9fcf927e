"""Whatever comes is a message or ``Unreadable``, and a reason tells nothing of what stood there."""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sdk import reading
from adapters.sdk.addresses import Addresses, from_file
from contracts.dialogue import ReceivedMessage, Unreadable
from tests.unit.adapters.sdk.conftest import BOOK

ID: Final = "0b9a6c1e-0000-4c36-9e15-3b1f6d2a9c41"
OURS: Final = "sdk:inkorg:0203:region.example:eken"
Json = dict[str, Any]


def attributes() -> Json:
    return {
        "messageId": ID,
        "sender": "0203:af.example",
        "label": "Kontakt",
        "creationDateTime": "2026-05-06T07:15:30.250Z",
        "recipientAttention": {
            "subOrganization": {"root": "r", "extension": OURS},
            "referenceId": [{"root": "1.2.752.129.2.1.3.1", "extension": "198507219817"}],
        },
        "senderAttention": {"subOrganization": {"root": "r", "extension": "sdk:inkorg:0203:af.example"}},
        "digitalDocument": [{"documentId": "1", "contentTextBody": ["Hej."]}],
    }


def shown(told: Any) -> bytes:
    return msgspec.json.encode({"data": {"type": "messages", "id": ID, "attributes": told}})


def read(told: Any, book: Addresses) -> ReceivedMessage | Unreadable:
    return reading.message(shown(told), ID, book)


def person(extension: Any, root: str = "1.2.752.129.2.1.3.1") -> Callable[[Json], object]:
    return lambda told: told["recipientAttention"].update(referenceId=[{"root": root, "extension": extension}])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: told.update(sender=None), "which organisation"),
        (lambda told: told.update(sender="198507219817"), "which organisation"),
        (lambda told: told.update(messageId="198507219817"), "no id that is a UUID"),
        (lambda told: told.update(messageId="1b9a6c1e-0000-4c36-9e15-3b1f6d2a9c41"), "another message came"),
        (lambda told: told.update(creationDateTime="i går"), "time of the message"),
        (lambda told: told.update(creationDateTime="2026-05-06T07:15:30"), "time of the message"),
        (lambda told: told.update(creationDateTime="0001-01-01T00:00:00+14:00"), "time of the message"),
        (lambda told: told.update(creationDateTime=None), "time of the message"),
        (lambda told: told.update(recipientAttention=None), "none of our units"),
        (lambda told: told["recipientAttention"].update(subOrganization={"extension": "sdk:x"}), "none of our units"),
        (lambda told: told.update(label=["198507219817"]), "as the interface has it"),
        (lambda told: told.update(digitalDocument={}), "as the interface has it"),
        (person("198507219818"), "no right one"),
        (person(None), "no right one"),
        (person("19850721981x", "urn:oid:1.2.752.129.2.1.3.3"), "no right one"),
        (
            lambda told: told["senderAttention"].update(
                referenceId=[{"root": "1.2.752.129.2.1.3.1", "extension": "191201019807"}]
            ),
            "more than one person",
        ),
        (
            lambda told: told.update(digitalDocument=[{"contentFiles": [{"fileName": "x", "content": "å"}]}]),
            "no base64",
        ),
        (lambda told: told.update(digitalDocument=[{"contentFiles": [{"content": "aGV"}]}]), "no base64"),
    ],
)
def test_what_cannot_be_used(book: Addresses, change: Callable[[Json], object], reason: str) -> None:
    told = attributes()
    change(told)
    found = read(told, book)
    assert isinstance(found, Unreadable)
    assert (found.id, bool(re.search(reason, found.reason))) == (ID, True)
    assert "1985" not in found.reason


@pytest.mark.parametrize(
    "change",
    [
        person("19850721-9817"),
        person(" 198507219817 "),
        person("198507219817", "urn:oid:1.2.752.129.2.1.3.1"),
        lambda told: told["senderAttention"].update(
            referenceId=[{"root": "1.2.752.129.2.1.3.1", "extension": "19850721-9817"}]
        ),
    ],
)
def test_one_person_in_any_spelling(book: Addresses, change: Callable[[Json], object]) -> None:
    told = attributes()
    change(told)
    found = read(told, book)
    assert isinstance(found, ReceivedMessage)
    assert found.patient is not None
    assert found.patient.digits == "198507219817"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": []}',
        b"[" * 100_000,
        b'{"data": {"attributes": 1}}',
        b"\xff",
    ],
)
def test_what_is_no_message(book: Addresses, body: bytes) -> None:
    assert reading.message(body, ID, book) == Unreadable(ID, "the message cannot be read as the interface has it")


# Lists


def listed(*entries: Any) -> list[reading.Listed | Unreadable] | None:
    return reading.listed(msgspec.json.encode({"data": list(entries)}), OURS)


def entry(**changes: Any) -> Json:
    return {"type": "messages", "id": ID, "attributes": attributes() | changes}


def test_one_entry_that_cannot_be_read_stops_no_other() -> None:
    found = listed(entry(), 1, entry(label=5), entry(messageId="x"), entry())
    assert found is not None
    assert [type(each) for each in found] == [reading.Listed, Unreadable, Unreadable, Unreadable, reading.Listed]


def test_what_is_for_others_is_not_ours_to_read() -> None:
    elsewhere = {"subOrganization": {"extension": "sdk:inkorg:0203:region.example:hr"}}
    assert listed(entry(recipientAttention=elsewhere), entry(recipientAttention=None)) == []


def test_whose_time_cannot_be_read_comes_first() -> None:
    found = listed(entry(), entry(creationDateTime="i går"))
    assert found is not None
    assert [each.sent.year for each in sorted(each for each in found if isinstance(each, reading.Listed))] == [1, 2026]


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"data": {}}', b"<html>", b"[" * 100_000, b"\xff"])
def test_what_is_no_list(body: bytes) -> None:
    assert reading.listed(body, OURS) is None


# Whatever JSON

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
PATHS: Final[tuple[tuple[str | int, ...], ...]] = (
    *((name,) for name in attributes()),
    ("refToMessageId",),
    ("conversationId",),
    ("recipientAttention", "referenceId"),
    ("recipientAttention", "referenceId", 0, "extension"),
    ("senderAttention", "subOrganization"),
    ("senderAttention", "attentionPerson"),
    ("digitalDocument", 0, "contentTextBody"),
    ("digitalDocument", 0, "index"),
    ("digitalDocument", 0, "contentFiles"),
)


@given(path=st.sampled_from(PATHS), value=anything)
def test_whatever_stands_there(path: tuple[str | int, ...], value: Any) -> None:
    told: Any = attributes()
    place = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    found = read(told, from_file(BOOK))
    assert isinstance(found, ReceivedMessage | Unreadable)
    if isinstance(found, ReceivedMessage):
        msgspec.json.encode(found, enc_hook=repr)  # it can be kept: no half of a character
    listed({"id": ID, "attributes": told})


@given(body=st.binary(max_size=300) | anything.map(msgspec.json.encode))
def test_whatever_comes(body: bytes) -> None:
    assert isinstance(reading.message(body, ID, from_file(BOOK)), Unreadable)
    reading.listed(body, OURS)


@given(told=st.text(st.sampled_from('"\\ud8fc0/{}[]:,é1'), max_size=30))
def test_half_a_character(told: str) -> None:
    body = shown(attributes()).replace(b"Hej.", told.encode())
    found = reading.message(body, ID, from_file(BOOK))
    if isinstance(found, ReceivedMessage):
        found.text.encode()
