"""Time and ids (decision D12). The movable clock exists in ``reko up``, ``reko mock`` and tests alone (D27)."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx
import uuid_utils

POLL: Final = 0.1
"""Seconds between looks at the clock that is followed."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See ``contracts.ports.Clock``."""
        return datetime.now(UTC)


class MovableClock:
    """The machine's clock plus a distance that tests set. It never goes back by itself."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """See ``contracts.ports.Clock``."""
        return datetime.now(UTC) + self.ahead

    def move_to(self, at: datetime) -> None:
        """Let it be that instant now; it goes on from there."""
        self.ahead = at - datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Let that much time pass."""
        self.ahead += by


class FollowedClock(MovableClock):
    """Follows the mock world's clock at an address on this machine."""

    def __init__(self, url: str) -> None:
        super().__init__()
        if not _is_loopback(url):
            raise ValueError("REKO_CLOCK_URL moves this service's time: only an address on this machine is accepted")
        self._url = url

    async def follow(self) -> None:
        """Follow until cancelled. While nobody answers, time goes on as it was."""
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
                    answer = await client.get(self._url)
                    self.move_to(datetime.fromisoformat(answer.json()["now"]))
                await asyncio.sleep(POLL)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


class Uuid7:
    """Ids whose order is the order of making, which keeps the index pages that are written to few."""

    def new(self) -> str:
        """See ``contracts.ports.IdSource``."""
        return str(uuid_utils.uuid7())
