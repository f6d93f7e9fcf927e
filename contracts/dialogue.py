"""What a unit asks to be told to another party, and the message that carries it (glossary terms 12, 24)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.activity import Identifier
from contracts.consent import InformationCategory, Recipient
from contracts.identity import HsaId, PersonId


class Topic(StrEnum):
    """What a notification is about. Codes of our CodeSystem ``notification-topic``.

    ``ASSUMED_REHAB_NEED`` is information under 4 § lag (2019:1297); it begins with a person's judgement that a need of
    measures under 30 kap. SFB may be assumed, never with another activity (decision D20, domain rule 13).
    """

    ASSUMED_REHAB_NEED = "assumed-rehab-need"
    MEETING = "avstamningsmote"
    CONTACT = "contact"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MessagePart:
    """A piece of text and the one information category that it belongs to."""

    category: InformationCategory
    text: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A request to tell a recipient something, as the unit stated it.

    ``recipient`` and ``requester`` are references as written (``Organization/<id>``, ``PractitionerRole/<id>``).
    ``certificate`` is the id of the certificate that the message is about, empty when the unit named none.
    """

    patient: str
    recipient: str
    topic: Topic
    parts: tuple[MessagePart, ...]
    requester: str = ""
    certificate: str = ""
    is_active: bool = True
    identifiers: tuple[Identifier, ...] = ()

    @property
    def categories(self) -> frozenset[InformationCategory]:
        """Every category that the message would carry."""
        return frozenset(part.category for part in self.parts)


@dataclass(frozen=True, slots=True)
class CareUnit:
    """The sending unit as messages show it. Texts may be empty; the ids may not."""

    id: HsaId
    provider: HsaId
    name: str = ""
    provider_name: str = ""
    address: str = ""
    postal_code: str = ""
    city: str = ""
    telephone: str = ""
    workplace_code: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """The person who tells, and where."""

    employee: HsaId
    unit: CareUnit
    name: str = ""


@dataclass(frozen=True, slots=True)
class PartyMessage:
    """A message to another party, fixed when it is promised: wire bytes are a pure function of it (decision D18).

    ``id`` is the message id on the wire, the same at each try. ``created`` is when the unit asked for it.
    ``certificate`` is the certificate it concerns, ``certificate_unit`` the unit that issued it; ``patient`` is ``None``
    and ``certificate`` empty only while the message waits for another channel.
    """

    id: str
    topic: Topic
    recipient: Recipient
    patient: PersonId | None
    sender: Sender
    created: datetime
    parts: tuple[MessagePart, ...]
    certificate: str
    certificate_unit: HsaId
    reference: str = ""

    @property
    def categories(self) -> frozenset[InformationCategory]:
        """Every category that it carries."""
        return frozenset(part.category for part in self.parts)
