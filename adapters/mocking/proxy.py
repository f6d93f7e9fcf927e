"""A TCP proxy that breaks connections on order (decision D27): in front of any mock, or of anything else.

It listens on this machine alone and passes bytes on as they are, until a fault is on order: then the next connections are
treated so. An application that answers in-process cannot do this; a broken connection is below it.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

HOST: Final = "127.0.0.1"
_PIECE: Final = 64 * 1024
_NO_LINGER: Final = struct.pack("ii", 1, 0)
_END_OF_HEADERS: Final = b"\r\n\r\n"

Name = Literal["refuse", "reset", "reset-after", "half-body", "drip"]


class ConnectionFault(BaseModel):
    """A fault of connections, for the next ``times`` connections (``null``: until it is taken away; ``refuse`` always is).
    ``seconds``: between the pieces of a ``drip``, ``size`` bytes each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    times: int | None = Field(default=1, ge=1)
    seconds: float = Field(default=0.05, ge=0, le=60)
    size: int = Field(default=16, ge=1)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class FaultProxy:
    """In front of one address. ``passed`` counts the connections that were passed on, broken or not."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._faults: list[tuple[ConnectionFault, int | None]] = []
        self._open: dict[asyncio.StreamWriter, asyncio.Event] = {}
        self.port = 0
        self.passed = 0

    async def start(self) -> None:
        """Listen, on the port of last time if there was one."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def order(self, faults: list[ConnectionFault]) -> None:
        """Replace the faults that wait. ``refuse`` stops listening until the next order."""
        self._faults = [(fault, fault.times) for fault in faults if fault.name != "refuse"]
        if len(self._faults) < len(faults):
            await self._stop_listening()
        else:
            await self.start()

    async def close(self) -> None:
        """Stop, and end what is open."""
        await self._stop_listening()
        for writer, ended in list(self._open.items()):
            writer.transport.abort()
            await ended.wait()

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _next(self) -> ConnectionFault | None:
        if not self._faults:
            return None
        fault, left = self._faults[0]
        if left is not None:
            self._faults[:1] = [] if left == 1 else [(fault, left - 1)]
        return fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = self._open[writer] = asyncio.Event()
        fault = self._next()
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await (_TREATMENTS[fault.name](self, (reader, writer), fault) if fault else self.pass_on((reader, writer)))
        await _end(writer)
        del self._open[writer]
        ended.set()

    async def connect(self) -> Streams:
        """A connection to what stands behind."""
        self.passed += 1
        return await asyncio.open_connection(*self._target)

    async def pass_on(self, client: Streams) -> None:
        """Both ways, until one side ends."""
        behind = await self.connect()
        ways = [asyncio.ensure_future(_copy(client[0], behind[1])), asyncio.ensure_future(_copy(behind[0], client[1]))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            await _end(behind[1])


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):  # it may be broken already, perhaps by us
        await writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()


async def _reset(proxy: FaultProxy, client: Streams, _: ConnectionFault) -> None:
    await _message(client[0])
    _break(client[1])


async def _reset_after(proxy: FaultProxy, client: Streams, _: ConnectionFault) -> None:
    await _exchanged(proxy, client)
    _break(client[1])


async def _half_body(proxy: FaultProxy, client: Streams, _: ConnectionFault) -> None:
    answer = await _exchanged(proxy, client)
    headers = answer.index(_END_OF_HEADERS) + len(_END_OF_HEADERS)
    client[1].write(answer[: headers + (len(answer) - headers) // 2])
    await client[1].drain()


async def _drip(proxy: FaultProxy, client: Streams, fault: ConnectionFault) -> None:
    answer = await _exchanged(proxy, client)
    for start in range(0, len(answer), fault.size):
        client[1].write(answer[start : start + fault.size])
        await client[1].drain()
        await asyncio.sleep(fault.seconds)


_TREATMENTS: Final[Mapping[str, Callable[[FaultProxy, Streams, ConnectionFault], Awaitable[None]]]] = {
    "reset": _reset,
    "reset-after": _reset_after,
    "half-body": _half_body,
    "drip": _drip,
}


async def _exchanged(proxy: FaultProxy, client: Streams) -> bytes:
    """Pass one request on; the whole answer."""
    reader, writer = await proxy.connect()
    try:
        writer.write(await _message(client[0]))
        await writer.drain()
        return await _message(reader)
    finally:
        await _end(writer)


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One HTTP/1.1 message: headers, and a body by Content-Length or in chunks, as it came."""
    head = await reader.readuntil(_END_OF_HEADERS)
    names = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n"))
    }
    if names.get(b"transfer-encoding", b"").lower() == b"chunked":
        return head + await _chunks(reader)
    return head + await reader.readexactly(int(names.get(b"content-length", b"0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        pieces += line + await reader.readexactly(size + 2)
        if size == 0:
            return pieces


def _break(writer: asyncio.StreamWriter) -> None:
    """End with RST instead of FIN."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
