"""What counterparts will do later, on the world's clock: it comes due as time passes, or at once when time is moved."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

Deed = Callable[[datetime], Awaitable[object]]
"""What is done. It is told the instant for which it was meant: a moved clock may be days further."""


SIZE: Final = 10_000
"""Appointments kept, of all namespaces together."""


@dataclass(order=True, frozen=True, slots=True)
class Appointment:
    """Something for an instant. ``number`` keeps the order of those meant for the same."""

    at: datetime
    number: int
    namespace: str = field(compare=False)
    words: str = field(compare=False)
    deed: Deed = field(compare=False, repr=False)


class Agenda:
    """Appointments by time, ``size`` at most: what is planned beyond them is ``dropped``, and counted. Whoever moves the
    clock, or sees time pass, calls ``run_due``."""

    def __init__(self, now: Callable[[], datetime], size: int = SIZE) -> None:
        self._now = now
        self._size = size
        self.dropped = 0
        self._waiting: list[Appointment] = []
        self._made = 0
        self._one_at_a_time = asyncio.Lock()

    def make(self, at: datetime, namespace: str, words: str, deed: Deed) -> None:
        """Plan something; what is planned for the past comes due at once."""
        if len(self._waiting) >= self._size:
            self.dropped += 1
            return
        self._made += 1
        heapq.heappush(self._waiting, Appointment(at, self._made, namespace, words, deed))

    def waiting(self, namespace: str) -> list[Appointment]:
        """What a namespace still has before it, in order."""
        return sorted(each for each in self._waiting if each.namespace == namespace)

    def forget(self, namespace: str) -> None:
        """Cancel everything of a namespace."""
        self._waiting = [each for each in self._waiting if each.namespace != namespace]
        heapq.heapify(self._waiting)

    async def run_due(self) -> int:
        """Do what is due, in order, one after the other; how much it was. What comes due meanwhile is done too. A call that
        comes while another one runs waits for it."""
        async with self._one_at_a_time:
            done = 0
            while self._waiting and self._waiting[0].at <= self._now():
                due = heapq.heappop(self._waiting)
                await due.deed(due.at)
                done += 1
            return done
