"""Promised messages, their states and what became of a try (delivery_consent_security.md § 1.3; decisions D5, D18, D19).

waiting ──claim──► claimed ──► delivered
   ▲                 │ ├────► retrying ──(when due)──► claimed
   │                 │ └────► parked ──replay──► waiting
   │                 └──(consent says no in the claim)──► withheld ──replay──► waiting
   ├── needs-approval (the unit's setting wants a person to have read it first)
   └── needs-other-channel (no channel can carry it now; a certificate or a person releases it)

waiting, retrying, parked, needs-approval, needs-other-channel ──► withheld (consent gone) or cancelled (by a person)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.activity import Identifier
from contracts.consent import Question
from contracts.dialogue import PartyMessage


class DeliveryState(StrEnum):
    """Where a promised message stands."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    PARKED = "parked"
    WITHHELD = "withheld"
    CANCELLED = "cancelled"
    NEEDS_OTHER_CHANNEL = "needs-other-channel"
    NEEDS_APPROVAL = "needs-approval"


DUE: Final = (DeliveryState.WAITING, DeliveryState.RETRYING)
"""A try may start from here."""

BLOCKING: Final = (DeliveryState.WAITING, DeliveryState.RETRYING, DeliveryState.CLAIMED, DeliveryState.PARKED)
"""A message in one of these holds back later ones of its own key, so that order is kept."""

UNSENT: Final = (
    DeliveryState.WAITING,
    DeliveryState.RETRYING,
    DeliveryState.PARKED,
    DeliveryState.NEEDS_OTHER_CHANNEL,
    DeliveryState.NEEDS_APPROVAL,
)
"""Nothing has left, or what left was not accepted: a withdrawal withholds these."""


class Deed(StrEnum):
    """What an operator does; kept with who did it and why."""

    PAUSED = "paused"
    RESUMED = "resumed"
    REPLAYED = "replayed"
    CANCELLED = "cancelled"
    RELEASED = "released"


OF_DESTINATION: Final = (Deed.PAUSED, Deed.RESUMED)
"""Done to a destination, which is its care provider's; every other one to messages of a unit."""


class EventType(StrEnum):
    """CloudEvents types that this service sends."""

    ACTIVITY_CODED = "se.rekobryggan.activity.coded.v1"
    ACTIVITY_RETRACTED = "se.rekobryggan.activity.retracted.v1"


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """Something that happened to a coded record, for the care provider's own regional platform.

    ``data`` is the reduced FHIR ``Procedure`` as JSON text (no note, report or name). ``sequence`` is the version of
    the record: a receiver that has seen a higher one for the same ``subject`` ignores this.
    """

    id: str
    type: EventType
    subject: str
    time: datetime
    sequence: int
    data: str


@dataclass(frozen=True, slots=True)
class RecordCopy:
    """A coded record on its way back to the record system that sent it (decision D25).

    ``match`` is the first identifier that the record system itself wrote; ``body`` is the resource as JSON text.
    """

    resource_type: str
    match: Identifier
    body: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What a message said has been erased: it cannot be sent any more. To whom it was, and about what, is known still."""


Payload = PartyMessage | RecordEvent | RecordCopy | Erased


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A promise: ``payload`` is to reach ``destination``, once, in order per (patient, destination).

    ``id`` is stable over all tries. ``about`` is the resource that caused it (``Type/id``). ``question`` is asked of
    the consent rules when the message is promised and again in the transaction that claims it.
    """

    id: str
    destination: str
    about: str
    question: Question
    payload: Payload

    @property
    def says_more_than_asked(self) -> bool:
        """Whether it carries a category that the rules are not asked about: such a message must never be promised."""
        return isinstance(self.payload, PartyMessage) and not self.payload.categories <= self.question.categories

    @property
    def patient(self) -> str:
        """The logical id of the Patient."""
        return self.question.patient

    @property
    def key(self) -> str:
        """Order is kept among messages with the same key."""
        return f"{self.destination}|{self.patient}"


@dataclass(frozen=True, slots=True)
class Queued:
    """A promised message with its state."""

    message: OutboxMessage
    state: DeliveryState
    attempts: int
    next_try: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to try once. Only the holder of the newest ``fence`` of a message may write what became of it."""

    message: OutboxMessage
    attempt: int
    fence: int
    uncounted: int = 0
    """Earlier tries that the timetable does not count."""

    @property
    def turn(self) -> int:
        """Which try this is in the timetable; the first is 1."""
        return self.attempt - self.uncounted


@dataclass(frozen=True, slots=True)
class Lost:
    """A claimed message whose worker is gone: ``attempt`` is the try that was running, ``times`` how often in a row a
    worker had been lost on it before."""

    id: str
    attempt: int
    times: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """A destination's circuit breaker: passing faults in a row, and until when nothing is tried. It is closed while
    ``open_until`` is ``None``; once that has passed, one try at a time tells whether the destination is well again."""

    faults: int = 0
    open_until: datetime | None = None


# What became of a try. A closed union: every `match` over it is checked for completeness.


@dataclass(frozen=True, slots=True)
class Delivered:
    """The recipient has it. ``note`` is worth showing (a duplicate recognised, an INFO text)."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Transient:
    """It was not accepted now and may be later. ``retry_after`` is the recipient's wish, honoured within bounds.
    ``max_attempts`` is a low cap for answers that the contract does not define."""

    reason: str
    retry_after: timedelta | None = None
    max_attempts: int | None = None


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """It may or may not have been accepted: the same id goes again, and a duplicate answer means delivered."""

    reason: str


@dataclass(frozen=True, slots=True)
class RefusedForGood:
    """Sending it again unchanged cannot help: parked. ``other_channel`` says that another channel may carry it."""

    reason: str
    other_channel: bool = False


@dataclass(frozen=True, slots=True)
class RouteBroken:
    """The route itself is misconfigured: every message to the destination is held until an operator resumes it."""

    reason: str


TOLD: Final = "told"
"""The deed of a person who has told the recipient: by telephone, by letter, at a meeting."""
ANSWERED: Final = "answered"
"""The recipient has answered it: it has arrived, whatever became of our tries."""
WORKER_LOST: Final = "WorkerLost"
"""Whoever sent it is gone before the outcome was known."""

REACHED: Final = {
    Delivered.__name__: True,
    TOLD: True,
    ANSWERED: True,
    OutcomeUnknown.__name__: False,
    WORKER_LOST: False,
}
"""What is kept among a message's tries that tells of its reaching the recipient: for certain, or perhaps."""

DeliveryOutcome = Delivered | Transient | OutcomeUnknown | RefusedForGood | RouteBroken
