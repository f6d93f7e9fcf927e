"""The circuit breaker: what opens it, how long it rests, what closes it."""

from datetime import datetime, timedelta

import pytest

from contracts.outbox import (
    Breaker,
    Delivered,
    DeliveryOutcome,
    OutcomeUnknown,
    RefusedForGood,
    RouteBroken,
    Transient,
)
from service.outbox.breaker import FAULTS, FIRST, LONGEST, after, allowed
from tests.unit.service.store.samples import NOW

ALMOST = Breaker(FAULTS - 1)
OPEN = Breaker(FAULTS, NOW + FIRST)

COUNTS: list[tuple[DeliveryOutcome, int]] = [
    (Transient("HTTP 503"), FAULTS),
    (OutcomeUnknown("no whole answer"), FAULTS),
    (Transient("an ERROR that the contract does not define", max_attempts=3), FAULTS - 1),
    (RouteBroken("HTTP 401"), FAULTS - 1),
    (Delivered(), 0),
    (RefusedForGood("the recipient is well, and says no"), 0),
]


@pytest.mark.parametrize(("outcome", "faults"), COUNTS, ids=[type(each).__name__ for each, _ in COUNTS])
def test_what_speaks_of_the_destination(outcome: DeliveryOutcome, faults: int) -> None:
    now = after(ALMOST, outcome, NOW)
    assert now.faults == faults
    assert now.open_until == (NOW + FIRST if faults == FAULTS else None)


def test_tries_that_were_running_when_it_opened_count_for_nothing() -> None:
    assert after(OPEN, Transient("late"), NOW + FIRST - timedelta(seconds=1)) == OPEN
    assert after(OPEN, Delivered(), NOW) == Breaker()


def test_each_failed_trial_doubles_the_rest_up_to_the_longest() -> None:
    breaker, now, rests = OPEN, NOW, []
    for _ in range(40):
        assert breaker.open_until is not None
        rests.append(breaker.open_until - now)
        now = breaker.open_until
        breaker = after(breaker, Transient("still unwell"), now)
    assert rests[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert rests[5:] == [LONGEST] * 35


ALLOWED = [
    (Breaker(), NOW, False, 8),
    (ALMOST, NOW, True, 8),
    (OPEN, NOW, False, 0),
    (OPEN, NOW + FIRST - timedelta(microseconds=1), False, 0),
    (OPEN, NOW + FIRST, False, 1),
    (OPEN, NOW + FIRST, True, 0),
]


@pytest.mark.parametrize(("breaker", "now", "is_claimed", "slots"), ALLOWED)
def test_how_many_tries_may_start(breaker: Breaker, now: datetime, is_claimed: bool, slots: int) -> None:
    assert allowed(breaker, 8, now, is_claimed) == slots
    assert allowed(breaker, 0, now, is_claimed) == 0
