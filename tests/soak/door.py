"""A door in front of recipients that misbehaves as networks do (decision D27): a small TCP proxy that knows no protocol."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Final

from service.server import HOST

OPEN: Final = "open"
FAULTS: Final = ("refused", "reset", "closed", "lost", "half", "drip", "garbage", "late")
"""No connection; reset when it comes; closed before an answer; the answer is lost; it breaks off; it drips; it is no HTTP; it
comes late, though not too late."""


class Door:
    """Lets everything pass until ``fault`` says otherwise."""

    def __init__(self, port: int, behind: int) -> None:
        self.fault = OPEN
        self._port, self._behind = port, behind

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, through which one request passes and its answer."""
        fault = self.fault
        with suppress(OSError, asyncio.IncompleteReadError), closing(writer):
            if fault in ("refused", "reset"):
                _reset(writer)
            elif fault != "closed":
                await self._through(fault, reader, writer)

    async def _through(self, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = await self._answer(await _message(reader))
        if fault == "late":
            await asyncio.sleep(0.3)
        if fault == "drip":
            for number in range(20):
                writer.write(answer[number : number + 1])
                await writer.drain()
                await asyncio.sleep(0.1)
            return
        writer.write({"lost": b"", "half": answer[: len(answer) // 2], "garbage": b"\x00\xff" * 40}.get(fault, answer))
        await writer.drain()

    async def _answer(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, self._behind)
        with closing(writer):
            writer.write(request)
            return await _message(reader)


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request or an answer, whole; its body has a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    named = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
    return head + await reader.readexactly(int(named.get(b"content-length", b"0")))


def _reset(writer: asyncio.StreamWriter) -> None:
    bare = writer.get_extra_info("socket")
    bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@asynccontextmanager
async def door(port: int, behind: int) -> AsyncIterator[Door]:
    """A door at ``port`` to what listens at ``behind``."""
    made = Door(port, behind)
    async with await asyncio.start_server(made.enter, HOST, port):
        yield made
