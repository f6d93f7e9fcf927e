"""The kept connections to one destination, beneath httpx: aiohttp's, whose parser and pool are quicker by far than httpx's own.

With its calls straight to this transport a delivery takes half the processor time (docs/benchmarks.md). What callers see is httpx
alone: its requests, its answers, its errors. An error tells whether anything can have left, so it is translated here with
care: a server that hung up after the request is never "no connection".
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
import httpx
from aiohttp.connector import Connection
from yarl import URL

from adapters.reach import NotAdmitted, Reach

KEPT: Final = 5.0
"""Seconds that an idle connection is kept: as httpx keeps it."""
_WHOLE: Final = 512 * 1024
"""Bytes of a body that are handed over in one piece; a larger one would hold up the event loop."""
_PIECE: Final = 64 * 1024
"""Bytes of an answer that are handed on at a time, before they are unpacked: a small body may unpack to a thousand times as
much."""
_LINE: Final = 64 * 1024
"""Bytes of a header. aiohttp's own limit of 8 KiB would lose the answer to what was done."""
_HEADERS: Final = 256
"""Headers of an answer; aiohttp's own limit is 128."""


class _Refused(OSError):
    """Of one of its addresses."""


class Connections(httpx.AsyncBaseTransport):
    """At most ``most`` requests at a time, each on a connection of its own, and only to where ``reach`` lets them; others wait
    their turn. ``is_tls``: whether TLS is spoken on them."""

    def __init__(self, most: int, tls: ssl.SSLContext, reach: Reach, *, is_tls: bool) -> None:
        self._most, self._tls, self._reach, self._is_tls = most, tls, reach, is_tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it once, and give the answer when its headers are there. Raises httpx's errors."""
        if self._session is None:
            self._session = self._opened()
        content, timeout = await request.aread(), request.extensions.get("timeout", {})
        with _as_httpx():
            answer = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=(content or None) if len(content) <= _WHOLE else _pieces(content),
                allow_redirects=False,
                timeout=_patience(timeout),
            )
        return httpx.Response(
            answer.status,
            headers=answer.raw_headers,
            stream=_Body(answer, timeout.get("read")),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": _as_it_came(answer.reason or "")},
        )

    def _opened(self) -> aiohttp.ClientSession:
        """Nothing of its own is added to a request or taken from an answer."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls, limit=self._most, keepalive_timeout=KEPT, socket_factory=self._socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            auto_decompress=False,
            request_class=_Request,
            max_line_size=_LINE,
            max_field_size=_LINE,
            max_headers=_HEADERS,
        )
        # It would send a PUT or DELETE again by itself when the answer is lost; whether to is the outbox's to decide.
        session._retry_connection = False
        return session

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        objection = self._reach.objection(str(address[0]), tls=self._is_tls)
        if objection:
            raise _Refused(objection)
        return socket.socket(family, kind, protocol)

    async def aclose(self) -> None:
        """Close all of them."""
        if self._session is not None:
            await self._session.close()


class _Request(aiohttp.ClientRequest):
    """Looks once more at the connection that it got: what has come on it unasked would be taken for its answer."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        """See ``aiohttp.ClientRequest``. Whatever is raised here closes the connection."""
        if conn.protocol is None or conn.protocol.should_close:
            raise httpx.ConnectError("something came on the connection before anything was asked")
        return await super().send(conn)


class _Body(httpx.AsyncByteStream):
    """An answer's body. Whoever wants no more of it gives the connection up. ``patience``: seconds that each piece may take;
    aiohttp's own time-out is over once the parser has failed, and a reader may then wait for ever."""

    def __init__(self, answer: aiohttp.ClientResponse, patience: float | None) -> None:
        self._answer, self._patience = answer, patience

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._next():
            yield piece

    async def _next(self) -> bytes:
        """Empty at the end."""
        with _as_httpx():
            async with asyncio.timeout(self._patience):
                return await self._answer.content.read(_PIECE)

    async def aclose(self) -> None:
        self._answer.release()


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), _WHOLE):
        yield content[begin : begin + _WHOLE]


def _as_it_came(reason: str) -> bytes:
    """aiohttp reads it as UTF-8, and keeps what is none."""
    return reason.encode(errors="surrogateescape")


def _patience(timeout: dict[str, float | None]) -> aiohttp.ClientTimeout:
    """httpx's seconds under aiohttp's names."""
    return aiohttp.ClientTimeout(
        connect=timeout.get("pool"), sock_connect=timeout.get("connect"), sock_read=timeout.get("read")
    )


_AS_HTTPX: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (TimeoutError, httpx.ReadTimeout),
    (OSError, httpx.ReadError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
    (ValueError, httpx.LocalProtocolError),
    (RuntimeError, httpx.RemoteProtocolError),
)
"""The first that fits. Of those above the read's time-out nothing has left, nor where no connection came about. ``ValueError`` is a
request that cannot be written, as with a line break in a header; ``RuntimeError`` is what uvloop says of a socket that it cannot
use, and nobody knows when."""


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientConnectorError as error:
        refused = isinstance(error.os_error, _Refused)
        raise NotAdmitted(str(error.os_error)) if refused else httpx.ConnectError(type(error).__name__) from error
    except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
        named = next(named for kind, named in _AS_HTTPX if isinstance(error, kind))
        raise named(type(error).__name__) from error
