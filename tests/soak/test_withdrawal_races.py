"""A bounded number of the races that ``make soak`` runs long, and that their judge can find a fault."""

from pathlib import Path

import pytest

from service.outbox import relay
from service.usecases import record_consent
from tests.soak.withdrawal_races import Race, fault, races

pytestmark = pytest.mark.anyio

SEEDS = (1, 2)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The movable clock rings no bell: look at it often."""
    monkeypatch.setattr(relay, "IDLE", 0.02)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_answer_to_a_withdrawal_is_untrue(tmp_path: Path, seed: int) -> None:
    tally = await races(tmp_path, 150, seed)
    assert tally.faults == []
    assert all(tally.outcomes[kind] for kind in ("withheld", "left", "delivered")), tally.outcomes


async def test_an_answer_that_leaves_something_out_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim asks again and withholds all the same; the answer has not said so."""
    monkeypatch.setattr(record_consent, "_ask_again", lambda *_: ())
    assert (await races(tmp_path, 60, 1)).faults


@pytest.mark.parametrize(
    ("race", "is_right"),
    [
        (Race("p", "d", said="withheld", answered=5, state="withheld"), True),
        (Race("p", "d", said="withheld", answered=5, sent=[6], state="withheld"), False),
        (Race("p", "d", said="withheld", answered=5, sent=[4], fails=True, state="withheld"), True),
        (Race("p", "d", said="withheld", answered=5, sent=[4], state="withheld"), False),
        (Race("p", "d", said="withheld", answered=5, sent=[4, 6], fails=True, state="withheld"), False),
        (Race("p", "d", said="withheld", answered=5, state="delivered"), False),
        (Race("p", "d", said="left", answered=5, sent=[6], state="delivered"), True),
        (Race("p", "d", said="left", answered=5, sent=[4, 7], state="delivered"), False),
        (Race("p", "d", said="left", answered=5, sent=[4], fails=True, state="withheld"), True),
        (Race("p", "d", said="left", answered=5, sent=[4], fails=True, state="delivered"), False),
        (Race("p", "d", answered=5, sent=[4], state="delivered"), True),
        (Race("p", "d", answered=5, sent=[3, 4], fails=True, state="delivered"), True),
        (Race("p", "d", answered=5, sent=[6], state="delivered"), False),
        (Race("p", "d", answered=5, state="withheld"), False),
    ],
)
def test_what_the_judge_says(race: Race, is_right: bool) -> None:
    assert (fault(race) == "") == is_right
