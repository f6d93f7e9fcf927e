"""Kept connections: one request at a time on each, used again while both sides hold them, and never more than may be."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from adapters.connections import Connections
from adapters.reach import THIS_MACHINE, NotAdmitted, Reach, networks

pytestmark = pytest.mark.anyio

NEAR = Reach(networks(THIS_MACHINE), plain=False)
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Other:
    """The other side. ``opened`` counts connections, ``open`` those that stand, ``most`` how many stood at once; ``asked`` are the
    heads and bodies that came."""

    port: int = 0
    opened: int = 0
    open: int = 0
    most: int = 0
    asked: list[tuple[bytes, bytes]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)


@asynccontextmanager
async def other_side(answer: Answer) -> AsyncIterator[Other]:
    other = Other()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other.opened, other.open = other.opened + 1, other.open + 1
        other.most = max(other.most, other.open)
        other.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, OSError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                stated = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                other.asked.append((head, await reader.readexactly(int(stated or 0))))
                await answer(writer)
                await writer.drain()
        other.open -= 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    other.port = server.sockets[0].getsockname()[1]
    try:
        yield other
    finally:
        server.close()
        for writer in other.writers:
            writer.close()


@asynccontextmanager
async def client(other: Other, most: int = 2, reach: Reach = NEAR) -> AsyncIterator[httpx.AsyncClient]:
    transport = Connections(most, ssl.create_default_context(), reach, is_tls=False)
    timeout = httpx.Timeout(5, pool=0.1)
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://127.0.0.1:{other.port}", timeout=timeout, trust_env=False
    ) as made:
        yield made


async def at_once(writer: asyncio.StreamWriter) -> None:
    writer.write(WHOLE)


async def test_a_connection_is_used_again() -> None:
    async with other_side(at_once) as other, client(other) as asking:
        for _ in range(5):
            assert (await asking.get("/")).json() == {}
        assert (other.opened, other.open) == (1, 1)


async def test_no_more_at_a_time_than_may_be_and_the_others_wait_their_turn() -> None:
    async def soon(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.01)
        writer.write(WHOLE)

    async with other_side(soon) as other, client(other) as asking:
        answers = await asyncio.gather(*(asking.get("/") for _ in range(8)))
        assert [each.status_code for each in answers] == [200] * 8
        assert (other.most, other.opened) == (2, 2)


async def test_who_waits_too_long_for_a_turn_has_sent_nothing() -> None:
    async with other_side(lambda _: asyncio.sleep(10)) as other, client(other, most=1) as asking:
        first = asyncio.create_task(asking.get("/"))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.ConnectTimeout):
            await asking.get("/")
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert other.opened == 1


async def test_a_connection_that_the_other_side_has_closed_is_not_used_again() -> None:
    async with other_side(at_once) as other, client(other) as asking:
        await asking.get("/")
        other.writers[0].close()
        await asyncio.sleep(0.05)
        assert (await asking.get("/")).status_code == 200
        assert other.opened == 2


async def test_a_connection_that_is_to_be_closed_is() -> None:
    async def once(writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE.replace(b"Content", b"Connection: close\r\nContent", 1))
        writer.close()

    async with other_side(once) as other, client(other) as asking:
        for _ in range(3):
            assert (await asking.get("/")).status_code == 200
        assert other.opened == 3


@pytest.mark.parametrize("sent", [b"", WHOLE[:10], WHOLE[:-1], b"no HTTP at all\r\n\r\n"])
async def test_half_an_answer_is_none_and_takes_no_turn_away(sent: bytes) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        writer.close()

    async with other_side(half) as other, client(other, most=1) as asking:
        for _ in range(3):
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await asking.get("/")
        assert other.opened == 3


async def test_who_gives_up_or_wants_no_more_gives_the_turn_back() -> None:
    async with other_side(at_once) as other, client(other, most=1) as asking:
        for _ in range(3):
            async with asking.stream("GET", "/"):
                pass  # the body is not read
        assert (await asking.get("/")).status_code == 200
    async with other_side(lambda _: asyncio.sleep(10)) as other, client(other, most=1) as asking:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await asking.get("/")
        assert other.opened == 3


async def test_nobody_there_is_told_as_such() -> None:
    async with other_side(at_once) as other:
        pass
    async with client(other, most=1) as asking:
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                await asking.get("/")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_what_lost_its_answer_is_not_sent_again_by_itself(method: str) -> None:
    """Neither on a new connection nor on one that was kept."""

    async def first_alone(writer: asyncio.StreamWriter) -> None:
        if len(other.asked) == 1:
            writer.write(WHOLE)
        else:
            writer.close()

    async with other_side(first_alone) as other, client(other) as asking:
        await asking.request(method, "/")
        for count in (2, 3):
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await asking.request(method, "/")
            assert len(other.asked) == count


async def test_a_large_body_arrives_whole_with_its_length() -> None:
    body = bytes(range(256)) * (12 << 10)
    async with other_side(at_once) as other, client(other) as asking:
        assert (await asking.post("/", content=body)).status_code == 200
        ((head, arrived),) = other.asked
    assert b"transfer-encoding" not in head.lower()
    assert arrived == body


async def test_nothing_is_added_to_a_request_and_no_cookie_is_kept() -> None:
    async def baked(writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE.replace(b"Content", b"Set-Cookie: a=b\r\nContent", 1))

    connections = Connections(1, ssl.create_default_context(), NEAR, is_tls=False)
    async with other_side(baked) as other:
        for _ in range(2):
            request = httpx.Request("GET", f"http://127.0.0.1:{other.port}/a%2Fb?c=%7B%20", headers={"X-Own": "1"})
            await (await connections.handle_async_request(request)).aread()
        expected = f"GET /a%2Fb?c=%7B%20 HTTP/1.1\r\nHost: 127.0.0.1:{other.port}\r\nX-Own: 1\r\n\r\n".encode()
        assert other.asked == [(expected, b"")] * 2
        await connections.aclose()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_where_nobody_may_be_reached_nothing_is_opened(host: str) -> None:
    """A name is judged by what it leads to, when it does."""
    async with other_side(at_once) as other, client(other, reach=Reach((), plain=True)) as asking:
        with pytest.raises(NotAdmitted, match="list the network in PRIVATE_NETWORKS"):
            await asking.get(f"http://{host}:{other.port}/")
        assert other.opened == 0


async def test_what_came_unasked_on_a_kept_connection_is_nobodys_answer() -> None:
    """Nothing has left on it: whoever asks may ask again at once."""
    async with other_side(at_once) as other, client(other) as asking:
        await asking.get("/")
        other.writers[0].write(WHOLE.replace(b"200 OK", b"201 Created"))
        await asyncio.sleep(0.05)
        with pytest.raises(httpx.ConnectError):
            await asking.get("/")
        assert (await asking.get("/")).status_code == 200
        assert (len(other.asked), other.opened) == (2, 2)


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE.replace(b"OK", "Å".encode()),
        WHOLE.replace(b"OK", "Å".encode("latin-1")),
        WHOLE.replace(b"OK", b"O" * 20_000),
        WHOLE.replace(b"Content", b"X-Long: " + b"a" * 40_000 + b"\r\nContent", 1),
        WHOLE.replace(b"Content", b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"Content", 1),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + WHOLE,
    ],
    ids=["reason in UTF-8", "reason in Latin-1", "long reason", "long header", "many headers", "more to come"],
)
async def test_an_unusual_answer_is_one(answer: bytes) -> None:
    """What was done must not be taken for not known, or for refused."""

    async def unusual(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with other_side(unusual) as other, client(other) as asking:
        answered = await asking.post("/", content=b"x")
        assert (answered.status_code, answered.content) == (200, b"{}")


async def test_a_body_that_goes_wrong_ends() -> None:
    async def wrong(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        await asyncio.sleep(0.05)
        writer.write(b"no length\r\n")
        await writer.drain()
        await asyncio.sleep(10)

    async with other_side(wrong) as other, client(other) as asking:
        asking.timeout = httpx.Timeout(0.3)
        async with asyncio.timeout(5):
            with pytest.raises((httpx.ReadTimeout, httpx.RemoteProtocolError)):
                await asking.get("/")


async def test_a_body_is_handed_on_in_pieces() -> None:
    async def large(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000))

    async with other_side(large) as other, client(other) as asking, asking.stream("GET", "/") as answer:
        sizes = [len(piece) async for piece in answer.aiter_raw()]
    assert (sum(sizes), max(sizes) <= 64 * 1024) == (3_000_000, True)


async def test_a_header_that_cannot_be_written_is_told_as_any_other_error() -> None:
    async with other_side(at_once) as other, client(other) as asking:
        with pytest.raises(httpx.LocalProtocolError):
            await asking.get("/", headers={"X-Own": "a\r\nX-Other: b"})
        assert other.asked == []


async def test_a_socket_that_the_loop_cannot_use_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvloop says so with a RuntimeError: whoever calls must not take it for a message that can never be sent."""

    def unusable(self: Connections, info: object) -> None:
        raise RuntimeError("File descriptor 9 is used by transport")

    monkeypatch.setattr(Connections, "_socket", unusable)
    async with other_side(at_once) as other, client(other) as asking:
        with pytest.raises(httpx.RemoteProtocolError):
            await asking.get("/")
