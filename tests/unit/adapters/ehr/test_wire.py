"""The conditional update: what is matched on survives the address, and a person number never gets there."""

from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.ehr import wire
from contracts.activity import Identifier
from contracts.outbox import RecordCopy
from fhir_mappings.identifiers import NATIONAL_PERSON_SYSTEMS

texts = st.text(st.characters(codec="utf-8"), max_size=400) | st.text("abåäöÅÄÖ|,$\\%&=+# ", max_size=40)
values = texts.filter(lambda text: text.strip() != "")


@given(system=texts, value=values)
def test_what_is_matched_on_survives_the_address(system: str, value: str) -> None:
    request = wire.request(RecordCopy("Procedure", Identifier(system, value), "{}"))
    sent = httpx.Client(base_url="https://ehr.example/fhir").build_request("PUT", request.target).url
    assert sent.raw_path.isascii()
    assert sent.path == "/fhir/Procedure"
    assert wire.read(sent.query.decode()) == Identifier(system, value)


def test_request(copy: RecordCopy) -> None:
    request = wire.request(copy)
    assert request.target == (
        "/Procedure?identifier=https%3A%2F%2Fehr.example%2Fid%2F%C3%A5tg%C3%A4rd%7C%C3%85-1%5C%7C2%5C%2C3"
    )
    assert request.headers == {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    assert request.body == copy.body.encode()


PERSONAL = [
    written
    for system in NATIONAL_PERSON_SYSTEMS
    for written in (system.fhir, f"urn:oid:{system.rivta}", system.rivta, f" URN:OID:{system.rivta}", *system.also)
]


@pytest.mark.parametrize("system", PERSONAL)
def test_a_national_person_identifier_is_never_matched_on(system: str) -> None:
    with pytest.raises(wire.Unmatchable) as caught:
        wire.request(RecordCopy("Procedure", Identifier(system, "198001019804"), "{}"))
    assert "9804" not in str(caught.value)


@pytest.mark.parametrize("match", [Identifier("urn:x", ""), Identifier("urn:x", " "), Identifier("urn:x", "1" * 1000)])
def test_what_makes_no_address(match: Identifier) -> None:
    with pytest.raises(wire.Unmatchable):
        wire.request(RecordCopy("Procedure", match, "{}"))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "identifier=",
        "identifier=1",
        "identifier=a|1|2",
        "identifier=a|1,a|2",
        "identifier=a|1&identifier=b|2",
        "status=completed",
        "identifier=a|%ff",
        "identifier=1.2.752.129.2.1.3.1|198001019804",
    ],
)
def test_what_is_not_one_identifier(query: str) -> None:
    with pytest.raises(wire.Unmatchable):
        wire.read(query)


@given(query=st.text())
def test_reading_never_breaks(query: str) -> None:
    with suppress(wire.Unmatchable):
        wire.read(query)


@pytest.mark.parametrize(
    ("answer", "readable"),
    [
        (b"", True),
        (b'{"resourceType": "Procedure"}', True),
        (b'{"resourceType": "OperationOutcome", "issue": []}', True),
        (b"{}", False),
        (b"[]", False),
        (b'{"resourceType": 1}', False),
        (b"<html>", False),
        (b"\xff", False),
    ],
)
def test_answers(answer: bytes, readable: bool) -> None:
    assert wire.is_readable(answer) is readable
