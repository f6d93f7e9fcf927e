"""What one side must refuse, every server side of the contract refuses, mock and ours alike: in the contract's own form, with
nothing kept, and so that the client side knows that the same again is no use."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import pytest

from adapters import soap
from tests.contract.both_ways import bad
from tests.contract.both_ways.meeting import BAD, Direction, Meaning
from tests.contract.both_ways.messages import MESSAGES
from tests.contract.both_ways.questions import QUESTIONS

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

MESSAGES_IN_SOAP: Final = [each for each in MESSAGES if "SOAPAction" in each.contract.headers]
SOAP: Final = [*MESSAGES_IN_SOAP, *(each for each in QUESTIONS if "SOAPAction" in each.contract.headers)]


def _in_json(direction: Direction) -> Mapping[str, bad.Change]:
    name = direction.name.removeprefix("care to ").partition(",")[0]
    return bad.JSON.get(name, {})


def _cases() -> Iterator[tuple[Direction, str, bad.Change]]:
    for direction in (*MESSAGES, *QUESTIONS):
        in_soap = {**bad.UNREADABLE, **bad.AGAINST_THE_SCHEMA} if direction in SOAP else {}
        of_messages = bad.OF_MESSAGES if direction in MESSAGES_IN_SOAP else {}
        for name, change in {**in_soap, **of_messages, **_in_json(direction)}.items():
            yield direction, name, change


CASES: Final = list(_cases())


@pytest.mark.parametrize(
    ("direction", "change"),
    [(direction, change) for direction, _, change in CASES],
    ids=[f"{direction.name}: {name}" for direction, name, _ in CASES],
)
async def test_refused_for_good(house: "Flow", direction: Direction, change: bad.Change) -> None:
    async with direction.meet(house) as met:
        met.line.alter = change
        assert await met.ask(direction.sample) in BAD
        assert await met.kept() == 0
        if direction in SOAP:
            assert direction.contract.wrong_answer(met.line.answers[-1]) == []


def test_every_direction_has_something_to_refuse() -> None:
    assert {direction.name for direction, _, _ in CASES} == {each.name for each in (*MESSAGES, *QUESTIONS)}


@pytest.mark.parametrize("direction", SOAP, ids=lambda each: each.name)
async def test_the_action_of_another_operation(house: "Flow", direction: Direction) -> None:
    """A fault that says nothing of the message: to a sender the outcome is unknown (forsakringskassan.md § 1.8)."""
    async with direction.meet(house) as met:
        met.line.alter = bad.headers(soapaction='"urn:riv:another"')
        assert await met.ask(direction.sample) in (Meaning.AGAIN, Meaning.NO_ANSWER)
        assert await met.kept() == 0


@pytest.mark.parametrize("direction", MESSAGES_IN_SOAP, ids=lambda each: each.name)
async def test_what_the_schema_refuses_is_a_result_and_what_cannot_be_read_a_fault(
    house: "Flow", direction: Direction
) -> None:
    """§ 1.1: a fault always under HTTP 500, or a client's status; a business outcome under HTTP 200."""
    for changes, is_fault in (
        (bad.UNREADABLE, True),
        (bad.AGAINST_THE_SCHEMA, False),
        (bad.OF_MESSAGES, False),
    ):
        for change in changes.values():
            async with direction.meet(house) as met:
                met.line.alter = change
                await met.ask(direction.sample)
                (answer,) = met.line.answers
                assert isinstance(soap.unwrap(answer.content), soap.Fault) is is_fault
                assert answer.is_success is not is_fault
