"""What counterparts will do later, each on the clock of its namespace: it comes due as time passes, or at once when time is
moved."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adapters.mocking.times import working_for

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
    """Appointments by time, ``size`` at most: what is planned beyond them is ``dropped``, and counted. ``at`` tells a namespace's
    time. Whoever moves a clock, or sees time pass, calls ``run_due``."""

    def __init__(self, at: Callable[[str], datetime], size: int = SIZE) -> None:
        self._at = at
        self._size = size
        self.dropped = 0
        self._waiting: dict[str, list[Appointment]] = {}
        self._made = 0
        self._one_at_a_time = asyncio.Lock()

    def make(self, at: datetime, namespace: str, words: str, deed: Deed) -> None:
        """Plan something; what is planned for the past comes due at once."""
        if sum(map(len, self._waiting.values())) >= self._size:
            self.dropped += 1
            return
        self._made += 1
        own = self._waiting.setdefault(namespace, [])
        heapq.heappush(own, Appointment(at, self._made, namespace, words, deed))

    def waiting(self, namespace: str) -> list[Appointment]:
        """What a namespace still has before it, in order."""
        return sorted(self._waiting.get(namespace, ()))

    def forget(self, namespace: str) -> None:
        """Cancel everything of a namespace."""
        self._waiting.pop(namespace, None)

    async def run_due(self) -> int:
        """Do what is due, in order, one after the other, each in its namespace's time; how much it was. What comes due meanwhile
        is done too. A call that comes while another one runs waits for it."""
        async with self._one_at_a_time:
            done = 0
            while due := self._next():
                with working_for(due.namespace):
                    await due.deed(due.at)
                done += 1
            return done

    def _next(self) -> Appointment | None:
        """The earliest that is due, taken out."""
        heads = [own[0] for namespace, own in self._waiting.items() if own[0].at <= self._at(namespace)]
        if not heads:
            return None
        due = heapq.heappop(self._waiting[min(heads).namespace])
        if not self._waiting[due.namespace]:
            del self._waiting[due.namespace]
        return due
