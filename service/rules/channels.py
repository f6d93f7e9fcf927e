"""By which way a message reaches another party: an ordered choice, each with its reason (forsakringskassan.md § 6.4; domain
rules 16, 18). Pure.

The first way that can carry the message now is taken. The last one is always a person: by telephone, by letter, at a meeting.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.consent import RecipientKind
from contracts.dialogue import PartyMessage

CERTIFICATE_DIALOGUE: Final = "forsakringskassan"
"""Ärendekommunikation: SendMessageToRecipient about a certificate that Försäkringskassan has."""
SDK: Final = "sdk"
"""Säker digital kommunikation, to a function at the other party."""
MANUAL: Final = "manual"
"""A person tells: no system carries it."""

ORDER: Final[Mapping[RecipientKind, tuple[str, ...]]] = {
    RecipientKind.FORSAKRINGSKASSAN: (CERTIFICATE_DIALOGUE, SDK, MANUAL),
    RecipientKind.ARBETSFORMEDLINGEN: (SDK, MANUAL),
    RecipientKind.MUNICIPALITY: (SDK, MANUAL),
    RecipientKind.OTHER_CARE_PROVIDER: (SDK, MANUAL),
}
"""Ways in the order in which they are tried. Whoever is missing is told by a person."""


def waits_at(recipient: RecipientKind) -> str:
    """Where a message stands that only a person can tell: at its first way, else at its recipient."""
    first = ORDER.get(recipient, (MANUAL,))[0]
    return CERTIFICATE_DIALOGUE if first == CERTIFICATE_DIALOGUE else recipient.value


Reaches = Callable[[str], bool]
"""Whether a channel is there, and knows an address of the recipient."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A way, whether it can carry the message now, and why or why not in plain words."""

    channel: str
    usable: bool
    reason: str


def choices(message: PartyMessage, reaches: Reaches) -> tuple[Choice, ...]:
    """Every way to the recipient, in order."""
    return tuple(_choice(channel, message, reaches) for channel in ORDER.get(message.recipient.kind, (MANUAL,)))


def chosen(ways: tuple[Choice, ...]) -> Choice:
    """The first way that can carry it: a person at the end, then with the reasons why nothing else can."""
    first = next(way for way in ways if way.usable)
    passed = [way.reason for way in ways[: ways.index(first)]]
    if first.channel != MANUAL:
        return first
    return Choice(MANUAL, True, "; ".join(passed) or first.reason)


def _choice(channel: str, message: PartyMessage, reaches: Reaches) -> Choice:
    if channel == MANUAL:
        return Choice(MANUAL, True, "there is no electronic way to this recipient")
    obstacle = next((why for why, stands in _OBSTACLES[channel].items() if stands(message, reaches)), "")
    return Choice(channel, not obstacle, obstacle or _WHY[channel])


_WHY: Final = {
    CERTIFICATE_DIALOGUE: "the recipient has a certificate that the message can be tied to",
    SDK: "the recipient has a functional address",
}

_Obstacle = Callable[[PartyMessage, Reaches], bool]
_OBSTACLES: Final[Mapping[str, Mapping[str, _Obstacle]]] = {
    CERTIFICATE_DIALOGUE: {
        "the dialogue about certificates is not connected here": lambda _, reaches: not reaches(CERTIFICATE_DIALOGUE),
        "the patient takes part in Arbetsförmedlingen's programmes and has no certificate there": (
            lambda message, _: message.in_programme
        ),
        "the dialogue about certificates carries no files": lambda message, _: bool(message.attachments),
        "the patient has no national number, which this channel needs": lambda message, _: message.patient is None,
        "no certificate of this patient is known: tell them by another channel, or pull the sick leaves": (
            lambda message, _: not message.certificate
        ),
    },
    SDK: {
        "no functional address of this recipient is known": lambda _, reaches: not reaches(SDK),
        "the recipient could not tell whom it is about: the patient has no national number": (
            lambda message, _: message.patient is None and not message.answers
        ),
    },
}
