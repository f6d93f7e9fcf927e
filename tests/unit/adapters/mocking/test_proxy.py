"""Connections that break: the proxy before a real server on a real port."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.mocking.proxy import HOST, ConnectionFault, FaultProxy

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + b"0123456789" * 4
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


class Behind:
    """A server that answers every request alike and keeps what came."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answer = ANSWER
        self.port = 0
        self.open: dict[asyncio.StreamWriter, asyncio.Event] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = self.open[writer] = asyncio.Event()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
                self.requests.append(await reader.readexactly(length))
                writer.write(self.answer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        ended.set()


@pytest.fixture
async def behind() -> AsyncIterator[Behind]:
    found = Behind()
    server = await asyncio.start_server(found.serve, HOST, 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
    for writer, ended in found.open.items():
        writer.transport.abort()
        await ended.wait()


@pytest.fixture
async def proxy(behind: Behind) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(HOST, behind.port)
    await proxy.start()
    yield proxy
    await proxy.close()


async def post(proxy: FaultProxy, patience: float = 5) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=patience) as client:
        return await client.post(f"http://{HOST}:{proxy.port}/", content=b"hello")


async def test_it_passes_bytes_on_as_they_are(behind: Behind, proxy: FaultProxy) -> None:
    assert (await post(proxy)).content == b"0123456789" * 4
    behind.answer = CHUNKED
    assert (await post(proxy)).content == b"hello"
    assert behind.requests == [b"hello"] * 2
    assert proxy.passed == 2


async def test_a_reset_before_anything_arrived(behind: Behind, proxy: FaultProxy) -> None:
    await proxy.order([ConnectionFault(name="reset")])
    with pytest.raises(httpx.ReadError):
        await post(proxy)
    assert behind.requests == []
    assert (await post(proxy)).status_code == 200


async def test_a_reset_after_it_was_handled(behind: Behind, proxy: FaultProxy) -> None:
    await proxy.order([ConnectionFault(name="reset-after", times=2)])
    for _ in range(2):
        with pytest.raises(httpx.ReadError):
            await post(proxy)
    assert behind.requests == [b"hello"] * 2
    assert (await post(proxy)).status_code == 200


@pytest.mark.parametrize("answer", [ANSWER, CHUNKED], ids=["length", "chunked"])
async def test_half_a_body(behind: Behind, proxy: FaultProxy, answer: bytes) -> None:
    behind.answer = answer
    await proxy.order([ConnectionFault(name="half-body")])
    with pytest.raises(httpx.RemoteProtocolError):
        await post(proxy)
    assert behind.requests == [b"hello"]


async def test_an_answer_that_drips(behind: Behind, proxy: FaultProxy) -> None:
    await proxy.order([ConnectionFault(name="drip", times=None, seconds=0.001, size=7)])
    assert (await post(proxy)).content == b"0123456789" * 4
    await proxy.order([ConnectionFault(name="drip", seconds=1, size=1)])
    with pytest.raises(httpx.ReadTimeout):
        await post(proxy, patience=0.2)


async def test_no_connection_until_it_may_again_on_the_same_port(behind: Behind, proxy: FaultProxy) -> None:
    port = proxy.port
    await proxy.order([ConnectionFault(name="refuse")])
    with pytest.raises(httpx.ConnectError):
        await post(proxy)
    await proxy.order([])
    assert (await post(proxy)).status_code == 200
    assert proxy.port == port


async def test_nobody_behind_it(proxy: FaultProxy) -> None:
    empty = FaultProxy(HOST, 1)
    await empty.start()
    with pytest.raises(httpx.TransportError):
        await post(empty)
    await empty.close()
