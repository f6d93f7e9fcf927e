"""Who calls: bearer tokens from the file that ``REKO_CLIENTS`` names.

[[client]]
token_sha256 = "..."            # the token itself is never stored
employee = "SE2321000131-P000000000001"
commission = "SE2321000131-M000000000001"
care_unit = "SE2321000131-E000000000001"
care_provider = "SE2321000131-S000000000001"
care_provider_is_public = true  # a region or a municipality; left out: it is not
rights = ["fhir.read", "fhir.write"]
role = "doctor"                 # may be left out: "coordinator"
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from contracts.errors import Forbidden, Unauthenticated
from contracts.identity import BadIdentity, HsaId
from contracts.record import Caller, Right, Role


class BadClients(ValueError):
    """The file of clients cannot be used. The message says which entry and which part."""


class Clients:
    """The known callers by the hash of their token."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = callers

    @classmethod
    def from_file(cls, file: Path) -> "Clients":
        """Read the file. Raises ``BadClients``."""
        try:
            entries = tomllib.loads(file.read_text(encoding="utf-8")).get("client", [])
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise BadClients(f"{file}: {error}") from None
        return cls(dict(_client(index, entry) for index, entry in enumerate(entries)))

    @property
    def providers(self) -> frozenset[HsaId]:
        """Every care provider that has a client."""
        return frozenset(caller.provider for caller in self._callers.values())

    @property
    def units(self) -> Mapping[HsaId, HsaId]:
        """Every care unit that has a client, with its care provider."""
        return {caller.unit: caller.provider for caller in self._callers.values()}

    def caller(self, authorization: str, request_id: str) -> Caller:
        """The caller behind an ``Authorization`` header. Raises ``Unauthenticated``."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("send a bearer token in the Authorization header")
        return self.known(token_hash(token.strip()), request_id)

    def known(self, hash: str, request_id: str) -> Caller:
        """The caller whose token has that hash. Raises ``Unauthenticated``."""
        caller = self._callers.get(hash)
        if caller is None:
            raise Unauthenticated("the token is not known here")
        return caller.asking(request_id)


def require(caller: Caller, right: Right) -> None:
    """Raises ``Forbidden`` when the caller lacks the right."""
    if right not in caller.rights:
        raise Forbidden(f"the token lacks the right {right.value}")


def token_hash(token: str) -> str:
    """What the file stores of a token. Tokens are long and random, so that a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


def _hash(text: object) -> str:
    found = str(text).lower()
    if len(found) != 64 or not set(found) <= set("0123456789abcdef"):
        raise ValueError("token_sha256 is 64 hexadecimal digits")
    return found


_PARTS: Final = ("employee", "care_unit", "care_provider")


def _client(index: int, entry: Mapping[str, Any]) -> tuple[str, Caller]:
    try:
        employee, unit, provider = (HsaId(entry[part]) for part in _PARTS)
        rights = frozenset(Right(right) for right in entry["rights"])
        role = Role(entry.get("role", Role.COORDINATOR))
        public = entry.get("care_provider_is_public", False)
        if not isinstance(public, bool):
            raise ValueError("care_provider_is_public is true or false")
        caller = Caller(
            employee, str(entry["commission"]), unit, provider, rights, role=role, provider_is_public=public
        )
        return _hash(entry["token_sha256"]), caller
    except KeyError as missing:
        raise BadClients(f"client {index + 1} lacks {missing}") from None
    except (BadIdentity, ValueError, TypeError) as error:
        raise BadClients(f"client {index + 1}: {error}") from None
