"""Intygstjänst as a ``CertificateSource``: asks once, reads the answer as it comes."""

import time
from collections.abc import AsyncIterator
from typing import Final

import httpx

from adapters import soap
from adapters.http import Sender
from adapters.intygstjanst import wire
from adapters.intygstjanst.settings import Settings
from contracts.errors import Unavailable
from contracts.identity import HsaId
from contracts.ports import Clock
from contracts.sick_leave import Certificate, SetAside

_ORIGINAL_CONSUMER: Final = "x-rivta-original-serviceconsumer-hsaid"
_PACKINGS: Final = ("", "identity", "gzip")
"""Of the body. Packings in packings are refused: they unpack without measure."""
_MOST_OF_A_FAILURE: Final = 64 * 1024


class Intygstjanst:
    """The certificates of a unit's patients (``contracts.ports.CertificateSource``)."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender

    async def active_for_unit(self, unit: HsaId, max_days_since_end: int = 0) -> AsyncIterator[Certificate | SetAside]:
        """Every record of one answer. Raises ``Unavailable``, possibly after some: apply nothing before the end."""
        question = wire.request(unit, max_days_since_end, self._settings.logical_address)
        async with self._sender.stream(
            "POST", self._settings.path, content=question, headers=self._headers()
        ) as response:
            await _refuse_failure(response)
            reader = wire.AnswerReader(self._settings.max_bytes, self._settings.max_depth)
            async for chunk in self._chunks(response):
                for record in reader.feed(chunk):
                    yield record
            reader.close()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        last = time.monotonic() + self._settings.max_seconds
        async for chunk in response.aiter_bytes():
            if time.monotonic() > last:
                raise Unavailable("the answer takes too long")
            yield chunk

    def _headers(self) -> dict[str, str]:
        consumer = self._settings.original_consumer
        known = {_ORIGINAL_CONSUMER: consumer} if consumer else {}
        return {**soap.headers(wire.ACTION), "Accept-Encoding": "gzip", **known}


def build(settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> Intygstjanst:
    """The adapter from its settings. The clock is every adapter's to have; this one asks no time of it."""
    return Intygstjanst(settings, Sender(settings, transport))


async def _refuse_failure(response: httpx.Response) -> None:
    if response.headers.get("Content-Encoding", "").strip().lower() not in _PACKINGS:
        raise Unavailable("the answer is packed in a way that was not asked for")
    if response.status_code != 200:
        reason = _why(await _beginning(response))
        raise Unavailable(f"HTTP {response.status_code}: {reason}")


async def _beginning(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_OF_A_FAILURE:
            break
    return body


def _why(body: bytes) -> str:
    """What a failure says of itself, without its texts (§ 1.8: they may hold personal data)."""
    reader = wire.AnswerReader()
    try:
        reader.feed(body)
        reader.close()
    except Unavailable as error:
        return str(error)
    return "an answer under a failure's status"
