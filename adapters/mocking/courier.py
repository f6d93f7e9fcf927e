"""How a counterpart sends something by itself: one POST, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

PATIENCE: float = 35.0
"""Seconds to wait for an answer; longer than the national platform's own 30."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``status`` 0: nothing did, and ``trouble`` says why without an address."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


class Courier:
    """Carries messages out. Tests hand in a transport that ends in the receiver."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send it once. Never raises for what the other side does."""
        try:
            async with httpx.AsyncClient(transport=self._transport, timeout=PATIENCE, trust_env=False) as client:
                response = await client.post(url, content=body, headers=raw(headers))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Reply(0, trouble=type(error).__name__)
        return Reply(response.status_code, response.content, dict(response.headers))


def raw(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Headers as they leave: a namespace may have any letters that it came with."""
    return {name.encode(): value.encode("latin-1", "replace") for name, value in headers.items()}
