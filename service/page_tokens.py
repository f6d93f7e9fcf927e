"""Where a list goes on, as an opaque token: what was asked and where the page ended, encrypted. Nobody can read or change
it, and it serves the unit that it was made for alone."""

from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from contracts.errors import Malformed
from contracts.identity import HsaId
from service.rules.sick_leave import Overview, Question

T = TypeVar("T")


def seal(key: Fernet, page: object) -> str:
    """The token of a page."""
    return key.encrypt(msgspec.msgpack.encode(page)).decode()


def unseal(key: Fernet, token: str, type_: type[T]) -> T:
    """The page of a token. Raises ``Malformed``."""
    try:
        return msgspec.msgpack.decode(key.decrypt(token.encode()), type=type_)
    except (InvalidToken, msgspec.DecodeError, ValueError):
        raise Malformed("this page link is not one of ours") from None


class _Sealed(msgspec.Struct, frozen=True):
    unit: str
    question: Question


@dataclass(frozen=True, slots=True)
class OverviewPages:
    """Tokens of the unit's overview."""

    key: Fernet

    def next(self, unit: HsaId, overview: Overview) -> str | None:
        """The token of the page that follows; ``None`` on the last."""
        if overview.next is None:
            return None
        question = replace(overview.question, after=overview.next, offset=0)
        return seal(self.key, _Sealed(unit.value, question))

    def opened(self, token: str, unit: HsaId) -> Question:
        """The question of that page: of the day, and in the order, that the first page had. Raises ``Malformed``."""
        sealed = unseal(self.key, token, _Sealed)
        if sealed.unit != unit.value:
            raise Malformed("this page link belongs to another unit's list")
        return sealed.question
