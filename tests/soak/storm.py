"""What fails together does not come back together: many messages, one instant, a clock that the test moves."""

from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from contracts.outbox import Claim, DeliveryState, Transient
from service.outbox.backoff import wait_after
from service.outbox.relay import claim, settle
from service.store.transaction import SqlTransaction
from tests.unit.service.outbox.test_relay import CONTEXT, permitted
from tests.unit.service.store.samples import StillClock, open_new

GROUP = 500
ROUNDS = 4
"""Tries of each message: the first all at once, and the next after ten seconds, a minute, five minutes."""


async def storm(home: Path, seed: int, number: int) -> dict[str, int]:
    """All fail at one instant; each later try is counted in the second of its start. ``above twice the mean`` counts seconds
    that saw more than twice what a second of that round sees."""
    clock, chance = StillClock(), Random(seed)  # noqa: S311
    store = open_new(home / "reko.db", clock)
    starts: Counter[tuple[int, int]] = Counter()
    try:
        for first in range(0, number, GROUP):
            await store.run(partial(_promise, range(first, min(first + GROUP, number))))
        while sum(starts.values()) < number * ROUNDS:
            while tried := await store.run(partial(_fail, chance)):
                starts.update((made.turn, int(clock.now().timestamp())) for made in tried)
            clock.advance(seconds=1)
    finally:
        store.close()
    rounds = [[n for (turn, _), n in starts.items() if turn == each] for each in range(2, ROUNDS + 1)]
    return {
        "messages": number,
        "tries": sum(starts.values()),
        "above twice the mean": sum(n * len(seconds) > 2 * sum(seconds) for seconds in rounds for n in seconds),
        **{f"busiest second of try {turn}": max(seconds) for turn, seconds in enumerate(rounds, 2)},
    }


def _promise(numbers: range, transaction: SqlTransaction) -> None:
    for number in numbers:
        transaction.promise(permitted(f"m-{number}", patient=f"p-{number}"), DeliveryState.WAITING)


def _fail(chance: Random, transaction: SqlTransaction) -> list[Claim]:
    """The destination itself is well, so that its circuit breaker spares nobody."""
    made = claim(transaction, CONTEXT, "platform", GROUP)
    for each in made:
        wait = wait_after(each.turn, None, None, chance) or timedelta(0)
        settle(transaction, CONTEXT, each, Transient("busy", max_attempts=99), transaction.at + wait)
    return list(made)
