"""The circuit breaker of a destination: while it is unwell it is asked now and then, and no message's tries are used up on it."""

from datetime import datetime, timedelta
from typing import Final

from contracts.outbox import Breaker, DeliveryOutcome, OutcomeUnknown, RouteBroken, Transient

FAULTS: Final = 5
"""Passing faults in a row that open it."""

FIRST: Final = timedelta(seconds=15)
LONGEST: Final = timedelta(minutes=5)
"""How long it stays open: twice as long after each try that goes wrong, up to the longest."""


def after(breaker: Breaker, outcome: DeliveryOutcome, now: datetime) -> Breaker:
    """How the destination is once a try has ended so. Tries that were running when it opened count for nothing."""
    if not _is_fault(outcome):
        return breaker if isinstance(outcome, Transient | RouteBroken) else Breaker()
    if breaker.open_until is not None and now < breaker.open_until:
        return breaker
    faults = breaker.faults + 1
    return Breaker(faults, now + _rest(faults) if faults >= FAULTS else None)


def allowed(breaker: Breaker, slots: int, now: datetime, is_claimed: bool) -> int:
    """How many tries may start: all slots while closed, none while open, then one at a time."""
    if breaker.open_until is None:
        return slots
    return 0 if now < breaker.open_until or is_claimed else min(slots, 1)


def _is_fault(outcome: DeliveryOutcome) -> bool:
    """Whether it speaks of the destination. An answer with a low cap of its own speaks of the message."""
    match outcome:
        case Transient(_, _, most):
            return most is None
        case OutcomeUnknown():
            return True
        case _:
            return False


def _rest(faults: int) -> timedelta:
    doubled: int = 2 ** min(faults - FAULTS, 10)
    return min(FIRST * doubled, LONGEST)
