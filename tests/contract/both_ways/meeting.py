"""A client side and a server side of one contract as they meet in a test, and the row by which the tests know them."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from adapters.mocking import Fault
from tests.contract.both_ways.judges import Contract
from tests.contract.both_ways.line import Line

if TYPE_CHECKING:
    from tests.flow.conftest import Flow


class Meaning(StrEnum):
    """What the client side takes an answer to mean (forsakringskassan.md § 3)."""

    DELIVERED = "delivered"
    AGAIN = "the same again later"
    REFUSED = "refused: the same again is no use"
    ROUTE = "the route is broken: somebody has to mend it"
    ANSWERED = "answered"
    NO_ANSWER = "no answer"


GOOD = (Meaning.DELIVERED, Meaning.ANSWERED)
BAD = (Meaning.REFUSED, Meaning.NO_ANSWER)
"""What the client side must make of a refusal for good: of a message, and of a question."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """The client side says one of its samples (``ask``), or the same as before (``again``), over the line. ``kept``: how many
    messages the server side has. ``order`` lets a mock on the server side misbehave."""

    line: Line
    ask: Callable[[Any], Awaitable[Meaning]]
    again: Callable[[], Awaitable[Meaning]]
    kept: Callable[[], Awaitable[int]]
    order: Callable[[list[Fault]], None]
    asked: tuple[str, str] = ("", "")
    """A message that the server side once sent and that may be answered: its id and its subject."""


@dataclass(frozen=True, slots=True)
class Direction:
    """``samples``: every kind of thing that the client side can write. ``said_again``: what stands in the contract's answer to
    an id that has come before. ``unreadable``: what the client side makes of a success that it cannot read, by the
    trouble on the line, if not ``AGAIN``: where that is ``REFUSED``, the message is parked and a person lets it be sent again
    (docs/outbox.md)."""

    name: str
    contract: Contract
    meet: Callable[["Flow"], AbstractAsyncContextManager[Meeting]]
    samples: Mapping[str, Any]
    said_again: bytes = b""
    unreadable: Mapping[str, Meaning] = field(default_factory=dict)

    @property
    def sample(self) -> Any:
        """Any of them."""
        return next(iter(self.samples.values()))
