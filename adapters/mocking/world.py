"""All counterparts together: one clock, one agenda, one bell, and what spans them."""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from adapters.mocking.agenda import Agenda
from adapters.mocking.counterpart import Counterpart, Surroundings
from adapters.mocking.courier import Courier
from adapters.mocking.faults import Fault, NamedFault
from adapters.mocking.ledger import LEDGER_SIZE, Entry
from adapters.mocking.people import PEOPLE
from adapters.mocking.proxy import ConnectionFault, FaultProxy
from adapters.mocking.recording import Recording, Replay, recorded
from adapters.mocking.times import MovableTime, Times
from adapters.mocking.verify import Verdict, Verification, judged

_LOG: Final = logging.getLogger(__name__)
TICK: Final = 0.05
"""Seconds between looks at what has come due."""


class World:
    """The counterparts of a world. ``titles``: their names, and what people call them; ``size``: entries kept per ledger;
    ``courier`` carries what they send."""

    def __init__(
        self, clock: MovableTime, titles: Mapping[str, str], size: int = LEDGER_SIZE, courier: Courier | None = None
    ) -> None:
        self.clock: MovableTime = clock
        self.times = Times(clock)
        self.titles = titles
        self.agenda = Agenda(self.times.at)
        self.around = Surroundings(self.agenda, size, courier=courier or Courier())
        self.around.people |= {
            number: NamedFault(name=person.fault).fault() for number, person in PEOPLE.items() if person.fault
        }
        self.counterparts: Mapping[str, Counterpart] = {
            name: Counterpart(name, self.times.now, self.around) for name in titles
        }
        self._proxies: dict[tuple[str, str], FaultProxy] = {}

    def counterpart(self, system: str) -> Counterpart:
        """The system of that name. Raises ``UnknownSystem``."""
        if system not in self.counterparts:
            raise UnknownSystem
        return self.counterparts[system]

    def order(self, system: str, faults: list[Fault], namespace: str = "") -> None:
        """Let a system misbehave. Raises ``ValueError`` for what it cannot play."""
        counterpart = self.counterpart(system)
        if strange := {fault.name or fault.kind for fault in faults if not counterpart.can_play(fault)}:
            raise ValueError(f"{system} cannot play {', '.join(sorted(strange))}")
        counterpart.room(namespace).order(faults)

    async def move(self, *, now: datetime | None = None, advance: timedelta | None = None, namespace: str = "") -> int:
        """Move a namespace's clock, or everybody's, and do what thereby came due; how much that was."""
        self.times.move(namespace, now, advance)
        return await self.agenda.run_due()

    async def run(self) -> None:
        """Do what comes due as time passes, until cancelled."""
        while True:
            try:
                await self.agenda.run_due()
            except Exception as error:
                # One deed's fault is no reason to stop the others; its words may hold what was sent.
                _LOG.error("something planned failed: %s", type(error).__name__)
            await asyncio.sleep(TICK)

    def forget(self, namespace: str = "") -> None:
        """Everything of a namespace: traffic, faults, what it was given, what is planned, its spy, its own time."""
        for counterpart in self.counterparts.values():
            counterpart.leave(namespace)
        self.agenda.forget(namespace)
        self.times.forget(namespace)
        self.around.spies.pop(namespace, None)

    async def verify(self, wanted: Verification, namespace: str = "") -> list[Verdict]:
        """The verdicts, as soon as all hold or the time is over. Raises ``UnknownSystem``."""
        deadline = time.monotonic() + wanted.within
        while True:
            verdicts = self._verdicts(wanted, namespace)
            left = deadline - time.monotonic()
            done = all(verdict.ok for verdict in verdicts) and not wanted.patiently
            if done or left <= 0:
                return verdicts
            await self.around.bell.wait(left)

    def _verdicts(self, wanted: Verification, namespace: str) -> list[Verdict]:
        verdicts = []
        for check in wanted.checks:
            ledger = self.counterpart(check.system).room(namespace).ledger
            verdicts.append(judged(check, ledger.entries, ledger.dropped))
        return verdicts

    def record(self, namespace: str = "") -> Recording:
        """Everything that came in a namespace, in order of time, masked."""
        came: list[tuple[str, Entry]] = [
            (name, entry)
            for name, counterpart in self.counterparts.items()
            for entry in counterpart.room(namespace).ledger.entries
        ]
        return recorded(sorted(came, key=lambda each: each[1].at))

    def replay(self, recording: Recording, namespace: str = "") -> None:
        """Answer as recorded, until the recording is used up. Raises ``UnknownSystem``."""
        systems = {exchange.system for exchange in recording.exchanges}
        for system in systems:
            own = [exchange for exchange in recording.exchanges if exchange.system == system]
            self.counterpart(system).room(namespace).replay = Replay(own)

    def stop_replaying(self, namespace: str = "") -> None:
        """Answer by itself again."""
        for counterpart in self.counterparts.values():
            counterpart.room(namespace).replay = None

    async def break_connections(
        self, system: str, faults: list[ConnectionFault], host: str, port: int, namespace: str = ""
    ) -> FaultProxy:
        """Put a proxy of the namespace's own in front of a system that is served there, or use the one that is, with these
        faults. Raises ``UnknownSystem``, and ``ValueError`` when there are too many."""
        self.counterpart(system)
        if len(self._proxies) >= PROXIES and (namespace, system) not in self._proxies:
            raise ValueError(f"there are {PROXIES} proxies: forget a namespace that has some")
        proxy = self._proxies.setdefault((namespace, system), FaultProxy(host, port))
        await proxy.start()
        await proxy.order(faults)
        return proxy

    def proxy(self, system: str, namespace: str = "") -> FaultProxy | None:
        """The one that the namespace has in front of a system. Raises ``UnknownSystem``."""
        self.counterpart(system)
        return self._proxies.get((namespace, system))

    async def close(self, namespace: str | None = None) -> None:
        """Stop the proxies: those of a namespace, or all."""
        for key in [key for key in self._proxies if namespace in (None, key[0])]:
            await self._proxies.pop(key).close()


PROXIES: Final = 256
"""As many as there are namespaces: each listens on a port."""


class UnknownSystem(LookupError):
    """No such system."""
