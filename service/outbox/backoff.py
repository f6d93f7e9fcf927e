"""When to try again: minutes to days, jittered, visible. Seconds inside one call are adapters/http.py's business."""

import random
from datetime import timedelta
from typing import Final

SCHEDULE: Final = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(days=1),
    timedelta(days=1),
    timedelta(days=1),
)
"""The wait after the first try, the second, and so on: 3 days and 20 hours in all, then a person decides."""

JITTER: Final = 0.2
"""Each wait is up to this share longer or shorter, so that what failed together does not come back together."""


def wait_after(
    attempt: int, wish: timedelta | None, max_attempts: int | None, chance: random.Random
) -> timedelta | None:
    """How long to wait after that try (the first is 1); ``None`` when it was the last.

    The recipient's wish (``Retry-After``) counts between one and two times our own wait: nobody can hurry us, or put us
    off for ever.
    """
    if attempt > len(SCHEDULE) or (max_attempts is not None and attempt >= max_attempts):
        return None
    own = SCHEDULE[attempt - 1] * (1 + chance.uniform(-JITTER, JITTER))
    return own if wish is None else min(max(wish, own), 2 * own)
