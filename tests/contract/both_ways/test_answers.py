"""Every answer that a server side can give: it keeps the contract, and the client side takes it as what it means
(forsakringskassan.md §§ 1.7, 1.8, 2.4, 3)."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from adapters import soap
from adapters.forsakringskassan import mock_letter
from adapters.forsakringskassan.inbound import SendMessageToCare
from adapters.mocking import Fault
from adapters.mocking.faults import CATALOGUE, NamedFault
from contracts.dialogue import NotTaken, Receipt, Refusal, Taken
from tests.contract.both_ways import bad
from tests.contract.both_ways.meeting import GOOD, Direction, Meaning
from tests.contract.both_ways.messages import MESSAGES, TO_CARE
from tests.contract.both_ways.questions import QUESTIONS
from tests.contract.both_ways.test_rules import TO_FK

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

DELIVERED, AGAIN, REFUSED, ROUTE = Meaning.DELIVERED, Meaning.AGAIN, Meaning.REFUSED, Meaning.ROUTE

TO_US: Final[Mapping[str, Meaning]] = {
    "ok": DELIVERED,
    "info": DELIVERED,
    "id-not-unique": DELIVERED,
    "validation-error": REFUSED,
    "application-error": REFUSED,
    "revoked": REFUSED,
    "technical-error": AGAIN,
    "error-without-id": AGAIN,
    "empty-result": REFUSED,
    "soap-fault": AGAIN,
    "unmarshalling-fault": REFUSED,
    "VP001": REFUSED,
    "VP002": ROUTE,
    "VP003": REFUSED,
    "VP004": ROUTE,
    "VP005": REFUSED,
    "VP006": ROUTE,
    "VP007": ROUTE,
    "VP008": AGAIN,
    "VP009": AGAIN,
    "VP010": ROUTE,
    "VP011": ROUTE,
    "VP012": AGAIN,
    "VP013": ROUTE,
    "VP014": ROUTE,
    "VP015": REFUSED,
    "http-302": REFUSED,
    "http-400": REFUSED,
    "http-401": ROUTE,
    "http-403": ROUTE,
    "http-404": REFUSED,
    "http-429": AGAIN,
    "http-500": AGAIN,
    "http-502": AGAIN,
    "http-503": AGAIN,
    "busy": AGAIN,
    "not-an-answer": REFUSED,
    "empty-answer": REFUSED,
    "login-page": REFUSED,
    "wrong-charset": REFUSED,
    "slow": DELIVERED,
    "answers-late": DELIVERED,
    "loses-the-answer": AGAIN,
    "delivered-twice": DELIVERED,
    "duplicate-reply": DELIVERED,
    "reply-before-acknowledgement": DELIVERED,
    "replies-out-of-order": DELIVERED,
}
"""What an answer of the mock's, by the name of the fault, means to our channel: the reconciliation table of § 3."""

OF_NO_CONTRACT: Final = re.compile(r"http-.*|busy|not-an-answer|empty-.*|login-page|wrong-charset|loses-the-answer")
"""Those in which the contract's own words are missing, on purpose."""


def _ordered(name: str) -> Fault:
    return NamedFault(name=name, seconds=0).fault()


def test_every_fault_has_its_meaning() -> None:
    assert TO_US.keys() == {name for name, row in CATALOGUE.items() if row.fault and row.fault.kind != "fate"}


@pytest.mark.parametrize("name", TO_US)
async def test_what_forsakringskassan_answers(house: "Flow", name: str) -> None:
    async with TO_FK.meet(house) as met:
        met.order([_ordered(name)])
        assert await met.ask(TO_FK.sample) is TO_US[name]
        if not OF_NO_CONTRACT.fullmatch(name):
            (answer,) = met.line.answers
            assert TO_FK.contract.wrong_answer(answer) == []
            assert answer.status_code == (500 if "Fault>" in answer.text else 200)


TO_THE_OFFICER: Final[Mapping[str, tuple[Receipt, Meaning]]] = {
    **{f"refused: {reason}": (NotTaken((reason,)), REFUSED) for reason in Refusal},
    "refused: all at once": (NotTaken(tuple(Refusal)), REFUSED),
    "taken": (Taken(), DELIVERED),
    "taken before": (Taken(again=True), DELIVERED),
}


@pytest.mark.parametrize("name", TO_THE_OFFICER)
async def test_what_care_answers(name: str) -> None:
    """Every receipt as our inbound writes it. Which conditions bring them about: ``test_rules``, ``tests/flow/test_receive.py``."""
    receipt, meaning = TO_THE_OFFICER[name]
    assert _read_by_the_officer(*SendMessageToCare().answer(receipt)) is meaning


async def test_what_care_answers_when_it_cannot_keep(house: "Flow") -> None:
    """The database takes nothing: the officer tries again, and then it is there once."""
    async with TO_CARE.meet(house) as met:
        with house.no_room("history"):
            assert await met.ask(TO_CARE.sample) is AGAIN
        assert TO_CARE.contract.wrong_answer(met.line.answers[-1]) == []
        assert b"TECHNICAL_ERROR" in met.line.answers[-1].content
        assert await met.again() is DELIVERED
        assert await met.kept() == 1


AT_THE_DOOR: Final[Mapping[str, tuple[bad.Change, int]]] = {
    "no token": (bad.headers(authorization=""), 401),
    "a token of nobody": (bad.headers(authorization="Bearer x"), 401),
    "a token without the right": (bad.headers(authorization="Bearer token-of-reader"), 403),
}


@pytest.mark.parametrize("case", AT_THE_DOOR)
async def test_what_care_answers_at_the_door(house: "Flow", case: str) -> None:
    """Somebody has to mend it, and until then the officer tries again: a SOAP fault that says nothing of the message."""
    change, status = AT_THE_DOOR[case]
    async with TO_CARE.meet(house) as met:
        met.line.alter = change
        assert await met.ask(TO_CARE.sample) is AGAIN
        assert met.line.answers[-1].status_code == status
        assert TO_CARE.contract.wrong_answer(met.line.answers[-1]) == []
        met.line.alter = None
        assert await met.again() is DELIVERED


def _read_by_the_officer(status: int, body: bytes) -> Meaning:
    answer = httpx.Response(status, content=body, headers={"Content-Type": soap.CONTENT_TYPE})
    assert TO_CARE.contract.wrong_answer(answer) == []
    became, _ = mock_letter.became(status, body)
    return {"delivered": DELIVERED, "refused": REFUSED, "failed": AGAIN}[became]


NO_ANSWERS: Final = sorted(
    name
    for name, row in CATALOGUE.items()
    if row.fault and row.fault.kind in ("soap-fault", "http", "nonsense", "wrong-charset", "lose-answer")
)


@pytest.mark.parametrize("direction", QUESTIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("name", [*NO_ANSWERS, "technical-error", "empty-result", "error-without-id"])
async def test_what_is_no_answer_to_a_question(house: "Flow", direction: Direction, name: str) -> None:
    async with direction.meet(house) as met:
        met.order([_ordered(name)])
        assert await met.ask(direction.sample) is Meaning.NO_ANSWER
        if not OF_NO_CONTRACT.fullmatch(name):
            assert direction.contract.wrong_answer(met.line.answers[-1]) == []
        assert await met.again() in GOOD


def test_every_direction_is_known_by_its_name() -> None:
    names = [each.name for each in (*MESSAGES, *QUESTIONS)]
    assert len(names) == len(set(names))
