"""CheckBlocks 4 as bytes: what is asked passes our XSD, and only a whole, clear answer is one (rehabstod.md § 1.11)."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from adapters import soap
from adapters.block_service import wire
from contracts.consent import BlockAnswer, BlockQuestion, InformationSource
from contracts.identity import HsaId, PersonId

PERSON, COORDINATION_NUMBER = PersonId("197001019806"), PersonId("197001619803")
SOURCES = (
    InformationSource(HsaId("SE1111111111-E002"), HsaId("SE1111111111-V001")),
    InformationSource(HsaId("SE2222222222-E001"), HsaId("SE2222222222-V001")),
)
QUESTION = BlockQuestion(
    HsaId("SE1111111111-P001"),
    HsaId("SE1111111111-E001"),
    HsaId("SE1111111111-V001"),
    PERSON,
    SOURCES,
    datetime(2026, 7, 1, 10, tzinfo=UTC),
)


def asked(question: BlockQuestion = QUESTION) -> etree._Element:
    content = soap.unwrap(wire.request(question, "SE165565594230-1000"))
    assert isinstance(content, etree._Element)
    return content


def texts(element: etree._Element, name: str) -> list[str]:
    return [each.text or "" for each in element.iter(f"{{{wire.CORE}}}{name}")]


def test_a_question_passes_the_schema_and_says_who_asks_of_whom() -> None:
    question = asked()
    assert soap.schema_errors(wire.SCHEMA, question) == ()
    assert soap.logical_address(wire.request(QUESTION, "SE165565594230-1000")) == "SE165565594230-1000"
    assert texts(question, "employeeId") == ["SE1111111111-P001"]
    assert texts(question, "careUnitId") == ["SE1111111111-E001"]
    assert (texts(question, "root"), texts(question, "extension")) == (["1.2.752.129.2.1.3.1"], [PERSON.digits])


def test_each_source_has_its_row_over_all_time() -> None:
    question = asked()
    assert texts(question, "informationCareUnitId") == ["SE1111111111-E002", "SE2222222222-E001"]
    assert texts(question, "informationCareProviderId") == ["SE1111111111-V001", "SE2222222222-V001"]
    assert texts(question, "rowNumber") == ["0", "1"]
    assert {text[:4] for text in texts(question, "informationStartDate")} == {"1900"}
    assert texts(question, "informationEndDate") == ["2026-07-01T12:00:00"] * 2


def test_the_same_question_is_the_same_bytes() -> None:
    assert wire.request(QUESTION, "a") == wire.request(QUESTION, "a")


def told(*rows: tuple[str, str], code: str = "OK") -> bytes:
    """An answer as the service writes it."""
    listed = "".join(
        f"<b:checkResults><b:status>{status}</b:status><b:rowNumber>{row}</b:rowNumber></b:checkResults>"
        for row, status in rows
    )
    result = f"<b:result><b:resultCode>{code}</b:resultCode></b:result>"
    content = f"<r:checkBlocksResult>{result}{listed}</r:checkBlocksResult>"
    spaces = f'xmlns:r="{wire.RESPONDER}" xmlns:b="{wire.CORE}" xmlns:s="{soap.ENVELOPE}"'
    body = f"<r:CheckBlocksResponse>{content}</r:CheckBlocksResponse>"
    return f"<s:Envelope {spaces}><s:Body>{body}</s:Body></s:Envelope>".encode()


CLEAR, BLOCKED, NOTHING = BlockAnswer.CLEAR, BlockAnswer.BLOCKED, BlockAnswer.NO_ANSWER


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (told(("0", "OK"), ("1", "OK")), CLEAR),
        (told(("1", "OK"), ("0", "OK")), CLEAR),
        (told(("0", "OK"), ("1", "OK"), code="INFO"), CLEAR),
        (told(("0", "OK"), ("1", "BLOCKED")), BLOCKED),
        (told(("0", "BLOCKED")), BLOCKED),
        (told(("7", "BLOCKED")), BLOCKED),
        (told(("0", "OK")), NOTHING),
        (told(), NOTHING),
        (told(("0", "OK"), ("1", "OK"), ("2", "OK")), NOTHING),
        (told(("0", "OK"), ("0", "OK")), NOTHING),
        (told(("0", "OK"), ("", "OK")), NOTHING),
        (told(("0", "OK"), ("1", "VALIDATIONERROR")), NOTHING),
        (told(("0", "OK"), ("1", "PERHAPS")), NOTHING),
        (told(("0", "OK"), ("1", "OK"), code="ERROR"), NOTHING),
        (told(("0", "OK"), ("1", "OK"), code=""), NOTHING),
        (told(("0", "OK"), ("1", "BLOCKED"), code="ERROR"), NOTHING),
        (soap.fault("Server", "VP009"), NOTHING),
        (soap.wrap(etree.Element(f"{{{wire.RESPONDER}}}CheckBlocksResponse")), NOTHING),
        (soap.wrap(etree.Element("other")), NOTHING),
        (b"", NOTHING),
        (b"<html/>", NOTHING),
        (b'<!DOCTYPE a [<!ENTITY b "OK">]><a>&b;</a>', NOTHING),
    ],
)
def test_what_an_answer_says(body: bytes, answer: BlockAnswer) -> None:
    assert wire.answer(body, 2) is answer


def test_a_coordination_number_has_its_own_root() -> None:
    question = BlockQuestion(
        QUESTION.employee, QUESTION.unit, QUESTION.provider, COORDINATION_NUMBER, SOURCES, QUESTION.at
    )
    assert texts(asked(question), "root") == ["1.2.752.129.2.1.3.3"]
