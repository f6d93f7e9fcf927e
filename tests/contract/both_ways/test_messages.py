"""Every contract that carries messages, both sides of it, in both directions: what is asked, what is answered, and that it
arrives once."""

from typing import TYPE_CHECKING

import pytest

from tests.contract.both_ways.line import TROUBLES
from tests.contract.both_ways.meeting import Direction, Meaning
from tests.contract.both_ways.messages import EVERY_TROUBLE, MESSAGES

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

every_direction = pytest.mark.parametrize("direction", MESSAGES, ids=lambda each: each.name)
every_sample = pytest.mark.parametrize(
    ("direction", "sample"),
    [(each, name) for each in MESSAGES for name in each.samples],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
every_trouble = pytest.mark.parametrize(
    ("direction", "trouble"), EVERY_TROUBLE, ids=lambda each: each if isinstance(each, str) else each.name
)


@every_sample
async def test_what_one_side_writes_keeps_the_contract_and_is_taken_by_the_other(
    house: "Flow", direction: Direction, sample: str
) -> None:
    async with direction.meet(house) as met:
        assert await met.ask(direction.samples[sample]) is Meaning.DELIVERED
        assert await met.kept() == len(met.line.requests)
        for request in met.line.requests:
            assert direction.contract.wrong_request(request) == []
        for answer in met.line.answers:
            assert direction.contract.wrong_answer(answer) == []


@every_direction
async def test_the_platform_resends(house: "Flow", direction: Direction) -> None:
    """The second answer is the one that the client side hears: the contract's own words for what has come before."""
    async with direction.meet(house) as met:
        met.line.resends = True
        assert await met.ask(direction.sample) is Meaning.DELIVERED
        assert any(direction.said_again in each.content for each in met.line.answers[1:])
        assert await met.kept() == 1
        assert direction.contract.wrong_answer(met.line.answers[-1]) == []


@every_trouble
async def test_whatever_the_line_does_it_is_there_once_in_the_end(
    house: "Flow", direction: Direction, trouble: str
) -> None:
    """Twice in trouble, then well again: each try brings the same, and it is told as delivered only when it is."""
    async with direction.meet(house) as met:
        met.line.trouble = TROUBLES[trouble]
        told = [await met.ask(direction.sample), await met.again()]
        assert set(told) == {direction.unreadable.get(trouble, Meaning.AGAIN)}
        met.line.trouble = None
        assert await met.again() is Meaning.DELIVERED
        assert await met.kept() == 1
        sent = {request.content for request in met.line.requests if request.method != "GET"}
        assert len(sent) == 1
