"""The only place that configures httpx and tenacity: one ``Sender`` per destination (decision D14).

Two retry clocks are never mixed: seconds inside one call, here, and only while nothing can have left this machine
(the connection was never made); minutes to days between calls, in the outbox.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from typing import Annotated, Final

import httpx
import tenacity
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from adapters.reach import THIS_MACHINE, NotAdmitted, Reach, networks
from contracts.errors import Unavailable
from contracts.outbox import Delivered, DeliveryOutcome, OutcomeUnknown, RefusedForGood, RouteBroken, Transient

MAX_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of an answer that is read whole, unless the caller knows better; feeds are streamed."""


class NotReached(Unavailable):
    """No connection came about: nothing has left."""


class NoAnswer(Unavailable):
    """Something has left and no whole answer came: the outcome is unknown."""


class TooMuch(NoAnswer):
    """The answer is larger than it may be: asking again cannot help."""


def _networks(text: str) -> str:
    networks(text)
    return text


class Destination(BaseModel):
    """How to reach one outside system. The base of each adapter's own settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True)

    url: str = ""
    """Base address. Empty: the adapter is switched off."""
    token: SecretStr = SecretStr("")
    """Bearer token, where the system wants one."""
    connect_seconds: float = Field(default=5.0, gt=0, le=10)
    """The longest wait for a connection."""
    timeout_seconds: float = Field(default=35.0, gt=0, le=75)
    """Longer than the national platform's own 30 s, so that its verdict is heard (forsakringskassan.md § 2.4)."""
    max_concurrent: int = Field(default=8, ge=1, le=64)
    """Connections at a time."""
    ca_file: str = ""
    """Trusted certificates (PEM); empty means the system's."""
    client_certificate_file: str = ""
    """Certificate with key (PEM) for mutual TLS."""
    private_networks: Annotated[str, AfterValidator(_networks)] = THIS_MACHINE
    """Networks that are not public in which the system may be, with commas between (`10.20.0.0/16`); a connection to any other
    is refused when it is made."""
    plain_http: bool = False
    """Speak HTTP without TLS beyond this machine, where the address says `http://`."""

    @property
    def enabled(self) -> bool:
        """Whether there is an address."""
        return bool(self.url)

    @property
    def reach(self) -> Reach:
        """Where it may be."""
        return Reach(networks(self.private_networks), self.plain_http)

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address that is spoken to."""
        return (self.url,) if self.url else ()


class Sender:
    """One destination's client: bounded concurrency, shared TLS context, time-outs, error translation.

    Requests go straight to httpx's transport: what its client adds for each (addresses merged anew, cookies, redirects,
    authentication) is not wanted here, and was two fifths of a call's processor time.
    """

    def __init__(self, destination: Destination, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url, self._base = destination.url, destination.url.rstrip("/")
        self._headers = {**_ALWAYS, **_authorization(destination)}
        timeout = httpx.Timeout(destination.timeout_seconds, connect=destination.connect_seconds)
        self._extensions = {"timeout": timeout.as_dict()}
        self._transport = transport or _connections(destination)
        # httpx's time-outs hold per read: only a deadline of its own ends an answer that drips.
        self._deadline = destination.connect_seconds + destination.timeout_seconds

    async def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        at_most: int = MAX_ANSWER,
    ) -> httpx.Response:
        """One call, the body read whole. Raises ``NotReached`` or ``NoAnswer`` (also for an answer that drips longer than
        the time-out; ``TooMuch`` for one of more than ``at_most`` bytes); any HTTP status is an answer."""
        with _translated_errors():
            return await _while_not_connected()(self._once, method, path, content, headers or {}, at_most)

    async def _once(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str], at_most: int
    ) -> httpx.Response:
        async with asyncio.timeout(self._deadline), self._answered(method, path, content, headers) as response:
            return await _read_whole(response, at_most)

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """One call whose body is read piece by piece. Raises as ``request``, also while the body is read."""
        with _translated_errors():
            async with self._answered(method, path, content, headers or {}) as response:
                yield response

    @asynccontextmanager
    async def _answered(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """Redirects are answers like any other, and no cookie is kept. Without a path the address itself is meant."""
        url, sent = f"{self._base}/{path.lstrip('/')}" if path else self._url, {**self._headers, **headers}
        request = httpx.Request(method, _parsed(url), headers=sent, content=content, extensions=self._extensions)
        response = await self._transport.handle_async_request(request)
        response.request = request
        try:
            yield response
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


_parsed = lru_cache(64)(httpx.URL)
"""Most calls go to the same few addresses, and reading one is a tenth of a call."""

_ALWAYS: Final = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "rekobryggan"}


def classify(response: httpx.Response, now: datetime) -> DeliveryOutcome:
    """What an HTTP answer without a body of its own meaning says of a message (delivery_consent_security.md § 1.2)."""
    status = response.status_code
    told = f"HTTP {status}"
    if 200 <= status < 300 and response.headers.get("Content-Type", "").startswith("text/html"):
        return OutcomeUnknown(f"{told}: a page for people, as from somebody who stands in between")
    if 200 <= status < 300:
        return Delivered("accepted, outcome not told" if status == 202 else "")
    if status in _ROUTE:
        return RouteBroken(f"{told}: {_ROUTE[status]}")
    if status in (408, 429, 502, 503):
        return Transient(told, retry_after(response, now))
    if status >= 500:
        return OutcomeUnknown(told)
    return RefusedForGood(told)


_ROUTE: Final = {
    401: "the recipient does not know this service",
    403: "the recipient does not let this service in",
    407: "a proxy asks for credentials",
    410: "the recipient wants no more",
}


def retry_after(response: httpx.Response, now: datetime) -> timedelta | None:
    """The wish of a ``Retry-After`` header (seconds or a date), or ``None``."""
    wish = response.headers.get("Retry-After", "").strip()
    try:
        if wish.isascii() and wish.isdigit():
            return timedelta(seconds=min(int(wish), 10**7))
        then = parsedate_to_datetime(wish)
    except (ValueError, OverflowError):  # absurd numbers, in either form, are no wish
        return None
    return max(then.replace(tzinfo=then.tzinfo or UTC) - now, timedelta(0))


async def _read_whole(response: httpx.Response, at_most: int) -> httpx.Response:
    pieces, size = [], 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > at_most:
            raise TooMuch(f"the answer is larger than {at_most} bytes")
        pieces.append(piece)
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _TRANSFER]
    return httpx.Response(response.status_code, headers=headers, content=b"".join(pieces), request=response.request)


_TRANSFER: Final = (b"content-encoding", b"content-length", b"transfer-encoding")


def _authorization(destination: Destination) -> dict[str, str]:
    token = destination.token.get_secret_value()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _connections(destination: Destination) -> httpx.AsyncBaseTransport:
    from adapters.connections import Connections  # a sixth of a second, which the mocks do without

    return Connections(
        destination.max_concurrent,
        _tls(destination.ca_file, destination.client_certificate_file),
        destination.reach,
        is_tls=not destination.url.lower().startswith("http://"),
    )


@cache
def _tls(ca_file: str, client_certificate_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    if client_certificate_file:
        context.load_cert_chain(client_certificate_file)
    return context


def _while_not_connected() -> tenacity.AsyncRetrying:
    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type((httpx.ConnectError, httpx.ConnectTimeout)),
        stop=tenacity.stop_after_attempt(2),
        wait=tenacity.wait_random(0.05, 0.2),
        reraise=True,
    )


class _translated_errors:  # noqa: N801 - reads as a statement where it is used
    """httpx errors become this module's two; texts never hold an address with content in it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NotAdmitted):
            raise NotReached(f"no connection: {error}") from error
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol):
            raise NotReached(f"no connection ({type(error).__name__})") from error
        if isinstance(error, httpx.HTTPError | httpx.InvalidURL | httpx.StreamError | TimeoutError):
            raise NoAnswer(f"no whole answer ({type(error).__name__})") from error
