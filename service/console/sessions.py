"""Who is signed in. A browser cannot send a bearer token by itself, so that the token is sent once and a session follows.

The session is an encrypted cookie: the token's hash, when it ends, and an id; nothing of any patient. It is asked against
the clients at every request, so that a client who is taken away is out at once. Whoever signs out ends the session and not
the browser's copy alone; this process remembers ended ones for as long as they could have lasted. Another way to
sign in, an identity provider's, replaces ``begin``.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from contracts.errors import Unauthenticated
from contracts.ports import Clock, IdSource
from contracts.record import Caller
from service.security import Clients, token_hash

LIFETIME: Final = timedelta(hours=8)
"""A working day. It is not prolonged by use."""


class _Session(msgspec.Struct, frozen=True):
    id: str
    token: str
    ends: datetime


@dataclass(slots=True)
class Sessions:
    """Begun, known again, ended."""

    clients: Clients
    key: Fernet
    clock: Clock
    ids: IdSource
    ended: dict[str, datetime] = field(default_factory=dict)

    def begin(self, token: str) -> str:
        """The cookie of a new session. Raises ``Unauthenticated``."""
        hash = token_hash(token.strip())
        self.clients.known(hash, "")
        session = _Session(self.ids.new(), hash, self.clock.now() + LIFETIME)
        return self.key.encrypt(msgspec.msgpack.encode(session)).decode()

    def caller(self, cookie: str, request_id: str) -> Caller:
        """Whose session it is. Raises ``Unauthenticated``."""
        session = self._opened(cookie)
        if session.id in self.ended or session.ends <= self.clock.now():
            raise Unauthenticated("the session has ended")
        return self.clients.known(session.token, request_id)

    def end(self, cookie: str) -> None:
        """It opens nothing any more. Raises ``Unauthenticated`` when it is none."""
        session, now = self._opened(cookie), self.clock.now()
        self.ended = {id: ends for id, ends in self.ended.items() if ends > now} | {session.id: session.ends}

    def _opened(self, cookie: str) -> _Session:
        try:
            return msgspec.msgpack.decode(self.key.decrypt(cookie.encode()), type=_Session)
        except (InvalidToken, msgspec.DecodeError, ValueError):
            raise Unauthenticated("nobody is signed in") from None
