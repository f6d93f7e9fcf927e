"""The line between a client side and a server side of one contract, in the test's hands: it hears everything, and breaks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way in which the line fails, both ways alike. ``arrives``: the server side has handled the request by then. ``play``
    makes of its answer what the client side gets; it may raise as httpx does."""

    arrives: bool
    play: Callable[[httpx.Request, httpx.Response], httpx.Response]


def _raise(kind: type[httpx.RequestError]) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    def play(request: httpx.Request, _: httpx.Response) -> httpx.Response:
        raise kind("broken", request=request)

    return play


def _with(change: Callable[[bytes], bytes]) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """The same answer with another body."""

    def play(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
        return httpx.Response(answer.status_code, headers=_media(answer), content=change(answer.content))

    return play


def _media(answer: httpx.Response) -> dict[str, str]:
    return {"Content-Type": answer.headers.get("Content-Type", "")}


TROUBLES: Final[Mapping[str, Trouble]] = {
    "down": Trouble(False, _raise(httpx.ConnectError)),
    "busy": Trouble(False, lambda *_: httpx.Response(503)),
    "slow": Trouble(True, _raise(httpx.ReadTimeout)),
    "answer lost": Trouble(True, _raise(httpx.RemoteProtocolError)),
    "half an answer": Trouble(True, _with(lambda body: body[: len(body) // 2])),
    "wrong charset": Trouble(True, _with(lambda body: body + b"<!-- \xe5\xe4\xf6 -->")),
    "an answer under HTTP 502": Trouble(True, lambda _, answer: httpx.Response(502, content=answer.content)),
    "a web page": Trouble(False, lambda *_: httpx.Response(200, html="<!DOCTYPE html><html>Logga in</html>")),
}

UNREADABLE: Final = frozenset({"half an answer", "wrong charset", "a web page"})
"""Successes of which nothing can be read."""

NOT_FOUND: Final = httpx.Response(404)


@dataclass(slots=True)
class Line(httpx.AsyncBaseTransport):
    """Carries to ``server`` what comes. ``alter`` changes requests on their way, ``trouble`` is played until it is taken away,
    ``resends``: the platform passes each request on twice, as it does when a socket breaks (forsakringskassan.md § 2.4)."""

    server: httpx.AsyncBaseTransport | None = None
    requests: list[httpx.Request] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)
    alter: Callable[[httpx.Request], httpx.Request] | None = None
    trouble: Trouble | None = None
    resends: bool = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        if self.trouble is None:
            return await self._carry(request)
        answer = await self._carry(request) if self.trouble.arrives else NOT_FOUND
        return self.trouble.play(request, answer)

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        assert self.server is not None
        passed = self.alter(request) if self.alter else request
        for _ in range(2 if self.resends else 1):
            answer = await self.server.handle_async_request(passed)
            await answer.aread()
            self.answers.append(answer)
        return httpx.Response(answer.status_code, headers=_kept(answer), content=answer.content)


def _kept(answer: httpx.Response) -> list[tuple[str, str]]:
    return [each for each in answer.headers.multi_items() if each[0] not in ("content-length", "transfer-encoding")]
