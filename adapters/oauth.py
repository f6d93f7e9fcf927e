"""OAuth 2.0 client credentials (RFC 6749 § 4.4): a token that is fetched when it is needed, kept while it lasts and sent with
each call."""

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec
from pydantic import SecretStr, model_validator

from adapters.http import MAX_ANSWER, Destination, NotReached, Sender
from contracts.errors import Unavailable
from contracts.ports import Clock

FORM: Final = "application/x-www-form-urlencoded"
LONGEST: Final = timedelta(days=1)
"""How long a token is kept at most, whatever it says of itself."""
UNTOLD: Final = 60.0
"""Seconds that a token is kept which does not say how long it lasts."""
MARGIN: Final = timedelta(seconds=30)
"""So long before its end a token is no longer used, or for a tenth of its time if that is less."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""What may stand behind ``Bearer`` (RFC 6750 § 2.1)."""
_PASSING: Final = frozenset({408, 429})


class NoToken(NotReached):
    """The token service gave no token: nothing has left."""


class ClientRefused(NoToken):
    """The token service does not let this client in: only an operator can mend that."""


class OAuthDestination(Destination):
    """A destination that wants a token from a token service; or the one in ``token``, where no ``token_url`` is set."""

    token_url: str = ""
    """Where tokens are fetched with client credentials (OAuth 2.0). Empty: `TOKEN` is sent as it is."""
    client_id: str = ""
    """What this service is called there."""
    client_secret: SecretStr = SecretStr("")
    """Its secret there."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The token service's too."""
        return tuple(filter(None, (self.url, self.token_url)))

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.token_url and not (self.client_id and self.client_secret.get_secret_value()):
            raise ValueError("a token_url needs client_id and client_secret")
        return self


class AuthorizedSender:
    """A ``Sender`` that brings its own token. A kept token that is refused is replaced once, and the call made again: what is
    answered 401 was not done."""

    def __init__(
        self,
        destination: OAuthDestination,
        scopes: tuple[str, ...],
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._sender = Sender(destination, transport)
        self._tokens = _Tokens(destination, scopes, clock, transport) if destination.token_url else None

    async def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        at_most: int = MAX_ANSWER,
    ) -> httpx.Response:
        """As ``Sender.request``. Raises ``NoToken`` besides."""

        async def send(more: Mapping[str, str]) -> httpx.Response:
            return await self._sender.request(
                method, path, content=content, headers={**(headers or {}), **more}, at_most=at_most
            )

        if self._tokens is None:
            return await send({})
        token, was_kept = await self._tokens.get()
        response = await send(_bearer(token))
        if response.status_code == httpx.codes.UNAUTHORIZED and was_kept:
            response = await send(_bearer((await self._tokens.get(instead_of=token))[0]))
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        if self._tokens is not None:
            await self._tokens.aclose()
        await self._sender.aclose()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    until: datetime


class _Answer(msgspec.Struct):
    """RFC 6749 § 5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a kind of token
    expires_in: float | None = None


class _Tokens:
    """The one token in use, fetched once for all who wait for it."""

    def __init__(
        self,
        destination: OAuthDestination,
        scopes: tuple[str, ...],
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        names = set(Destination.model_fields) - {"url", "token"}
        service = Destination(url=destination.token_url, **destination.model_dump(include=names))
        self._sender = Sender(service, transport)
        self._clock = clock
        self._headers = {
            "Authorization": _basic(destination.client_id, destination.client_secret.get_secret_value()),
            "Content-Type": FORM,
            "Accept": "application/json",
        }
        self._form = urlencode({"grant_type": "client_credentials", "scope": " ".join(scopes)}).encode()
        self._kept: _Token | None = None
        self._fetching: asyncio.Task[_Token] | None = None

    async def get(self, instead_of: str = "") -> tuple[str, bool]:
        """A token, and whether it had been kept from before; another one than ``instead_of``. Raises ``NoToken``."""
        kept = self._kept
        if kept is not None and kept.value != instead_of and self._clock.now() < kept.until:
            return kept.value, True
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch())
        # Shielded: one who gives up waiting does not take the token from the others.
        return (await asyncio.shield(self._fetching)).value, False

    async def aclose(self) -> None:
        """Stop fetching, and close the connections."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
        await self._sender.aclose()

    async def _fetch(self) -> _Token:
        asked = self._clock.now()
        try:
            response = await self._sender.request("POST", "", content=self._form, headers=self._headers)
        except Unavailable as reason:
            raise NoToken(f"no token: {reason}") from None
        self._kept = _token(response, asked)
        return self._kept


def _basic(client: str, secret: str) -> str:
    """HTTP Basic of the two, each in the form's own encoding (RFC 6749 § 2.3.1)."""
    return "Basic " + base64.b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


def _token(response: httpx.Response, asked: datetime) -> _Token:
    """Nothing of the answer is told on: it may hold a token."""
    status = response.status_code
    if 400 <= status < 500 and status not in _PASSING:
        raise ClientRefused(f"no token: the token service refuses this client (HTTP {status})")
    if status != httpx.codes.OK:
        raise NoToken(f"no token: HTTP {status}")
    try:
        answer = msgspec.json.decode(response.content, type=_Answer, strict=False)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NoToken("no token: the answer cannot be read") from None
    if answer.token_type.lower() != "bearer" or _TOKEN.fullmatch(answer.access_token) is None:
        raise NoToken("no token: the answer holds no bearer token")
    return _Token(answer.access_token, asked + _lasts(answer.expires_in))


def _lasts(told: float | None) -> timedelta:
    seconds = UNTOLD if told is None else min(max(told, 0.0), LONGEST.total_seconds())
    lasts = timedelta(seconds=seconds)
    return lasts - min(MARGIN, lasts / 10)
