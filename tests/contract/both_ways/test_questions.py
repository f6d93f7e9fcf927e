"""Every contract that answers questions, both sides of it: what is asked, what is answered, and that nothing but a whole answer is
taken for one."""

from typing import TYPE_CHECKING

import pytest

from tests.contract.both_ways.line import TROUBLES
from tests.contract.both_ways.meeting import Direction, Meaning
from tests.contract.both_ways.questions import QUESTIONS

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

every_direction = pytest.mark.parametrize("direction", QUESTIONS, ids=lambda each: each.name)


@every_direction
async def test_what_is_asked_and_what_is_answered_keep_the_contract(house: "Flow", direction: Direction) -> None:
    for sample in direction.samples.values():
        async with direction.meet(house) as met:
            assert await met.ask(sample) is Meaning.ANSWERED
            assert await met.kept() == 1
            (request,), (answer,) = met.line.requests, met.line.answers
            assert direction.contract.wrong_request(request) == []
            assert direction.contract.wrong_answer(answer) == []


@every_direction
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_but_a_whole_answer_is_one(house: "Flow", direction: Direction, trouble: str) -> None:
    async with direction.meet(house) as met:
        met.line.trouble = TROUBLES[trouble]
        assert await met.ask(direction.sample) is Meaning.NO_ANSWER
        met.line.trouble = None
        assert await met.again() is Meaning.ANSWERED
        assert len({request.content for request in met.line.requests}) == 1
