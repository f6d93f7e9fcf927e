"""The kept connections to one destination, beneath httpx.

Its own pool looks at every connection's socket twice for each request, which with eight of them is a quarter of a
delivery's processor time. Here the one that was used last is looked at, once. All else is httpcore's: its connections.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import httpcore
import httpx

KEPT: Final = 5.0
"""Seconds that an idle connection is kept: as httpx keeps it."""


class Connections(httpx.AsyncBaseTransport):
    """At most ``most`` requests at a time, each on a connection of its own; others wait their turn."""

    def __init__(self, most: int, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._turns = asyncio.Semaphore(most)
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and give the answer once its headers are there. Raises httpx's errors."""
        asked = _asked(request)
        await self._turn(request.extensions.get("timeout", {}).get("pool"))
        connection: httpcore.AsyncHTTPConnection | None = None
        try:
            connection = await self._connection(asked.url.origin)
            with _as_httpx():
                answer = await connection.handle_async_request(asked)
        except BaseException:
            await self._done(connection, is_good=False)
            raise
        body = _Body(self, connection, answer)
        return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close what is idle."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _turn(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("no connection came free") from None

    async def _connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """The one that was used last, if the other side still holds it; else a new one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.can_handle_request(origin) and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(origin, self._tls, keepalive_expiry=KEPT)

    async def _done(self, connection: httpcore.AsyncHTTPConnection | None, *, is_good: bool) -> None:
        """The connection's request is over: the next may have its turn, whatever becomes of the connection."""
        self._turns.release()
        if connection is None:
            return
        if is_good and connection.is_idle() and not connection.is_closed():
            self._idle.append(connection)
        else:
            await connection.aclose()


class _Body(httpx.AsyncByteStream):
    """An answer's body. Its end, or whoever wants no more of it, gives the connection back."""

    def __init__(
        self, connections: Connections, connection: httpcore.AsyncHTTPConnection, answer: httpcore.Response
    ) -> None:
        self._connections, self._connection, self._answer = connections, connection, answer
        self._is_over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for piece in self._answer.aiter_stream():
                yield piece

    async def aclose(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        try:
            await self._answer.aclose()
        finally:
            await self._connections._done(self._connection, is_good=True)


def _asked(request: httpx.Request) -> httpcore.Request:
    url = request.url
    address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return httpcore.Request(
        request.method, address, headers=request.headers.raw, content=request.stream, extensions=request.extensions
    )


@contextmanager
def _as_httpx() -> Iterator[None]:
    """httpcore's errors under httpx's names, which are the same."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
    ) as error:
        named = getattr(httpx, type(error).__name__, httpx.RemoteProtocolError)
        raise named(str(error)) from error
    except httpcore.ConnectionNotAvailable as error:
        raise httpx.ConnectError("the connection was taken") from error
