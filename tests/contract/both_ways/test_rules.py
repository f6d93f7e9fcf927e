"""The rules beyond the schema, where Försäkringskassan and care are held to the same ones: the mock's table and our inbound's give the
same answer to the same condition (forsakringskassan.md § 1.7). Where the contracts differ, the table says so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest
from lxml import etree

from adapters import soap
from adapters.forsakringskassan import inbound, mock_rules
from contracts.dialogue import Refusal
from tests.contract.both_ways import bad
from tests.contract.both_ways.bad import before_the_sender, last, text
from tests.contract.both_ways.meeting import Direction, Meaning, Meeting
from tests.contract.both_ways.messages import MESSAGES, TO_CARE

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

TO_FK: Final = next(each for each in MESSAGES if each.name == "care to forsakringskassan")
both_directions = pytest.mark.parametrize("direction", [TO_FK, TO_CARE], ids=lambda each: each.name)
SOMEBODY_ELSE: Final = text("patientPerson-id/extension", "198507219817")


@dataclass(frozen=True, slots=True)
class Known:
    """What the server side knows: a question that it has asked, and the first message that has come to it."""

    asked: str
    subject: str
    came: str


def _subject(code: str) -> bad.Change:
    return text("amne/code", code)


def _answers(id: str) -> bad.Change:
    return before_the_sender("svarPa", id, "meddelande-id")


def _reminds(id: str) -> bad.Change:
    return before_the_sender("paminnelseMeddelande-id", id)


LAST_DAY: Final = last("sistaDatumForSvar", "2030-01-31")
Condition = Callable[[Known], tuple[bad.Change, ...]]

REFUSED: Final[dict[str, tuple[Condition, str]]] = {
    "no id": (lambda _: (text("meddelande-id", ""),), "MEDDELANDE_ID_MISSING_ERROR"),
    "an id of blanks": (lambda _: (text("meddelande-id", " \n "),), "MEDDELANDE_ID_MISSING_ERROR"),
    "an unknown subject": (lambda _: (_subject("NYTT"),), "SUBJECT_NOT_SUPPORTED_ERROR"),
    "a last day on an answer": (
        lambda known: (_answers(known.asked), _subject(known.subject), LAST_DAY),
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
    ),
    "a last day on a reminder": (
        lambda known: (_subject("PAMINN"), _reminds(known.came), LAST_DAY),
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
    ),
    "a reminder that names nothing": (lambda _: (_subject("PAMINN"),), "PAMINNELSE_ID_INCONSISTENCY_ERROR"),
    "a question that reminds": (lambda known: (_reminds(known.came),), "PAMINNELSE_ID_INCONSISTENCY_ERROR"),
    "a reminder of what never came": (
        lambda _: (_subject("PAMINN"), _reminds("never-came")),
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
    ),
    "an answer to what was never asked": (lambda _: (_answers("never-asked"),), "REFERENCED_MESSAGE_NOT_FOUND_ERROR"),
    "an answer about something else": (
        lambda known: (_answers(known.asked), _subject("AVSTMN")),
        "SUBJECT_CONSISTENCY_ERROR",
    ),
    "somebody else's number": (lambda _: (SOMEBODY_ELSE,), "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR"),
    "a certificate that is not known": (
        lambda _: (SOMEBODY_ELSE, text("intygs-id/extension", "unknown")),
        "CERTIFICATE_NOT_FOUND_ERROR",
    ),
}
ERROR_IDS: Final = {("care to forsakringskassan", "a certificate that is not known"): "APPLICATION_ERROR"}
"""VALIDATION_ERROR everywhere else (§ 1.7: to Intygstjänsten it is a refusal by business)."""

TAKEN: Final[dict[str, Condition]] = {
    "a question": lambda _: (),
    "a question with a last day": lambda _: (LAST_DAY,),
    "an answer": lambda known: (_answers(known.asked), _subject(known.subject)),
    "a reminder": lambda known: (_subject("PAMINN"), _reminds(known.came)),
    "a complement": lambda _: (_subject("KOMPLT"),),
    "a code system that is not written": lambda _: (text("amne/codeSystem", ""),),
    "what another namespace says, last": lambda _: (last("impulse", "x", "urn:example:rehab"),),
    "a certificate under another unit": lambda _: (text("intygs-id/root", "TSTNMT2321000156-E0099"),),
}
OF_ONE_SIDE: Final = {
    # condition: who has it, and why the other has not
    "RECIPIENT_INCONSISTENCY_ERROR": "the platform sees to it that header and body agree before a message comes to care",
    "CERTIFICATE_NOT_SENT_ERROR": "care is asked about certificates of its own, whatever was sent",
    "CERTIFICATE_REVOKED_ERROR": "the feed leaves out what is revoked",
    "CERTIFICATE_UNIT_NOTE": "noted, not refused",
    "TEST_CERTIFICATE": "noted, not refused",
    "KOMPLETTERING_INCONSISTENCY_ERROR": "only what comes to care can have complements",
    "PART_NOT_SUPPORTED_ERROR": "only what comes to care says which party wrote it",
    "UNIT_NOT_SUPPORTED_ERROR": "to Försäkringskassan there is one address",
    "MEDDELANDE_ID_NOT_UNIQUE_ERROR": "see the tests of what comes again",
}


async def _second(met: Meeting, sample: object, condition: Condition) -> etree._Element:
    """The answer to a message that fulfils the condition, after one that has been taken."""
    assert await met.ask(sample) is Meaning.DELIVERED
    first = etree.fromstring(met.line.requests[0].content)
    known = Known(*met.asked, came=first.findtext(".//{*}meddelande-id") or "")
    met.line.alter = bad.together(text("meddelande-id", str(uuid4())), *condition(known))
    await met.ask(sample)
    content = soap.unwrap(met.line.answers[-1].content)
    assert isinstance(content, etree._Element)
    return content


def _told(answer: etree._Element) -> tuple[str, str]:
    code, error = (answer.findtext(f".//{{*}}{name}", default="") for name in ("resultCode", "errorId"))
    return code, error


@both_directions
@pytest.mark.parametrize("condition", REFUSED)
async def test_what_breaks_a_rule_is_refused_alike(house: "Flow", direction: Direction, condition: str) -> None:
    changes, name = REFUSED[condition]
    async with direction.meet(house) as met:
        answer = await _second(met, direction.sample, changes)
        expected = ERROR_IDS.get((direction.name, condition), "VALIDATION_ERROR")
        assert _told(answer) == ("ERROR", expected)
        assert name in answer.findtext(".//{*}resultText", default="")
        assert await met.kept() == 1


@both_directions
@pytest.mark.parametrize("condition", TAKEN)
async def test_what_breaks_none_is_taken_alike(house: "Flow", direction: Direction, condition: str) -> None:
    async with direction.meet(house) as met:
        assert _told(await _second(met, direction.sample, TAKEN[condition])) == ("OK", "")


def test_every_rule_of_either_side_is_compared() -> None:
    names = {rule.name for rule in mock_rules.RULES}
    names |= {words.partition(":")[0] for words in (inbound.NO_ID, *(inbound.REFUSALS[each] for each in Refusal))}
    assert names == {name for _, name in REFUSED.values()} | OF_ONE_SIDE.keys()


ENDS_OF_TIME: Final = {"0001-01-01T00:00:00": "VALIDATION_ERROR", "9999-12-31T23:59:59": ""}


@pytest.mark.parametrize("at", ENDS_OF_TIME)
async def test_a_time_that_nobody_can_keep_is_no_reason_to_try_again(house: "Flow", at: str) -> None:
    async with TO_CARE.meet(house) as met:
        answer = await _second(met, TO_CARE.sample, lambda _: (text("skickatTidpunkt", at),))
        assert _told(answer)[1] == ENDS_OF_TIME[at]


@both_directions
async def test_another_message_under_a_known_id(house: "Flow", direction: Direction) -> None:
    """Refused by both, by the same name. Our own ids are our own, so to us it proves that ours is there (§ 3)."""
    async with direction.meet(house) as met:
        met.line.alter = text("meddelande-id", str(uuid4()))
        assert await met.ask(direction.sample) is Meaning.DELIVERED
        met.line.alter = bad.together(met.line.alter, text("meddelande", "Något annat."))
        told = await met.ask(direction.sample)
        assert b"MEDDELANDE_ID_NOT_UNIQUE_ERROR" in met.line.answers[-1].content
        assert told is (Meaning.REFUSED if direction is TO_CARE else Meaning.DELIVERED)
