"""CheckBlocks 4: the question and what its answer says. Pure: no I/O, no clock (rehabstod.md § 1.11).

Whatever is not a whole, clear answer is ``NO_ANSWER``: rows that are missing or too many, a row that nobody asked for, a
status that is not in the contract, a failure told in any of the ways that SOAP has.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from adapters import soap
from contracts.consent import BlockAnswer, BlockQuestion
from contracts.time import STOCKHOLM
from fhir_mappings.identifiers import person_system

CORE: Final = "urn:riv:informationsecurity:authorization:blocking:4"
RESPONDER: Final = "urn:riv:informationsecurity:authorization:blocking:CheckBlocksResponder:4"
ACTION: Final = f"{RESPONDER}:CheckBlocks"
SCHEMA: Final = "check_blocks_4.xsd"
EVER: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""Blocks lie on information of a period; what is told may be of any time, so all of it is asked about."""

_CLEAR: Final = ("OK", "INFO")
"""Result codes of an answer that counts; Rehabstöd tolerates INFO (§ 5.4)."""


def request(question: BlockQuestion, logical_address: str) -> bytes:
    """The question in its envelope: one row for each source, in their order."""
    asked = etree.Element(f"{{{RESPONDER}}}CheckBlocks", nsmap={"r": RESPONDER, "b": CORE})
    actor = etree.SubElement(asked, f"{{{RESPONDER}}}accessingActor")
    _texts(actor, employeeId=question.employee, careProviderId=question.provider, careUnitId=question.unit)
    patient = etree.SubElement(asked, f"{{{RESPONDER}}}patientId")
    _texts(patient, root=person_system(question.person).rivta, extension=question.person.digits)
    for number, source in enumerate(question.sources):
        _texts(
            etree.SubElement(asked, f"{{{RESPONDER}}}informationEntities"),
            informationStartDate=_time(EVER),
            informationEndDate=_time(question.at),
            informationCareUnitId=source.unit,
            informationCareProviderId=source.provider,
            rowNumber=number,
        )
    return soap.wrap(asked, logical_address)


def answer(body: bytes, rows: int) -> BlockAnswer:
    """What the answer to a question with that many rows says of all of it."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml:
        return BlockAnswer.NO_ANSWER
    if isinstance(content, soap.Fault) or content.tag != f"{{{RESPONDER}}}CheckBlocksResponse":
        return BlockAnswer.NO_ANSWER
    result = content.find(f"{{{RESPONDER}}}checkBlocksResult")
    if result is None or result.findtext(f"{{{CORE}}}result/{{{CORE}}}resultCode") not in _CLEAR:
        return BlockAnswer.NO_ANSWER
    return _verdict(_statuses(result), rows)


def _statuses(result: etree._Element) -> Sequence[tuple[str, str]]:
    return [
        (each.findtext(f"{{{CORE}}}rowNumber", "").strip(), each.findtext(f"{{{CORE}}}status", "").strip())
        for each in result.iterfind(f"{{{CORE}}}checkResults")
    ]


def _verdict(statuses: Sequence[tuple[str, str]], rows: int) -> BlockAnswer:
    """A block on one row is a block, whatever else is wrong with the answer."""
    if any(status == "BLOCKED" for _, status in statuses):
        return BlockAnswer.BLOCKED
    whole = sorted(number for number, _ in statuses) == sorted(map(str, range(rows)))
    clear = whole and all(status == "OK" for _, status in statuses)
    return BlockAnswer.CLEAR if clear else BlockAnswer.NO_ANSWER


def _texts(parent: etree._Element, **texts: object) -> None:
    for name, text in texts.items():
        etree.SubElement(parent, f"{{{CORE}}}{name}").text = str(text)


def _time(at: datetime) -> str:
    """Swedish local time without zone, as the platform's services write it."""
    return at.astimezone(STOCKHOLM).replace(tzinfo=None).isoformat(timespec="seconds")
