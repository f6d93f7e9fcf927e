"""What a unit asks to be told to another party, the message that carries it, what the other party says, and where the
dialogue stands (glossary terms 12, 22-25; forsakringskassan.md §§ 1.2-1.5, 6.5, 7.1)."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from contracts.activity import Identifier
from contracts.consent import InformationCategory, Recipient
from contracts.identity import HsaId, PersonId


class Topic(StrEnum):
    """What a notification is about. Codes of our CodeSystem ``notification-topic``.

    ``ASSUMED_REHAB_NEED`` is information under 4 § lag (2019:1297); it begins with a person's judgement that a need of
    measures under 30 kap. SFB may be assumed, never with another activity (decision D20, domain rule 13). ``COMPLEMENT``
    and ``REMINDER`` are said by the other party alone (§ 1.5).
    """

    ASSUMED_REHAB_NEED = "assumed-rehab-need"
    MEETING = "avstamningsmote"
    CONTACT = "contact"
    SIP = "sip"
    OTHER = "other"
    COMPLEMENT = "complement"
    REMINDER = "reminder"


OURS: Final = frozenset(Topic) - {Topic.COMPLEMENT, Topic.REMINDER}
"""What a unit may tell of."""


class NextStep(StrEnum):
    """What the unit wishes that the other party does (§ 6.4's checklist). Codes of our CodeSystem ``wanted-next-step``."""

    CONTACT = "contact"
    MEETING = "meeting"
    INVESTIGATION = "investigation"


@dataclass(frozen=True, slots=True)
class MessagePart:
    """A piece of text and the one information category that it belongs to. With ``file`` (``Binary/<id>``) it is a file that
    goes with the message, and ``text`` is its name."""

    category: InformationCategory
    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """A request to tell a recipient something, as the unit stated it.

    ``recipient`` and ``requester`` are references as written (``Organization/<id>``, ``PractitionerRole/<id>``).
    ``certificate`` is the id of the certificate that the message is about, empty when the unit named none. ``answers`` is
    the reference ``Communication/<id>`` of a question that this answers. ``in_programme``: the patient takes part in
    Arbetsförmedlingen's programmes, and has no certificate at Försäkringskassan (domain rule 18). ``duty``: why what is
    answered matters to the case, where the answer rests on the duty to answer and not on a consent (domain rule 9).
    """

    patient: str
    recipient: str
    topic: Topic
    parts: tuple[MessagePart, ...]
    requester: str = ""
    certificate: str = ""
    is_active: bool = True
    identifiers: tuple[Identifier, ...] = ()
    wanted: NextStep | None = None
    answers: str = ""
    in_programme: bool = False
    duty: str = ""

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
class Attachment:
    """A file that goes or came with a message."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PartyMessage:
    """A message to another party, fixed when it is promised: wire bytes are a pure function of it (decision D18).

    ``id`` is the message id on the wire, the same at each try. ``created`` is when the unit asked for it.
    ``certificate`` is the certificate it concerns, ``certificate_unit`` the unit that issued it; ``patient`` is ``None``
    and ``certificate`` empty where the channel needs neither, or while the message waits for one that does.
    ``reference`` is the unit's own; ``their_reference`` the other party's, where this ``answers`` (a message id of
    theirs). ``conversation`` is a UUID that all messages of a dialogue share. ``consent_given``: the day on which the
    patient gave the consent that it rests on. ``in_programme`` as in ``Notification``. ``attachments`` are the files of those
    parts that are files, in their order.
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
    wanted: NextStep | None = None
    answers: str = ""
    their_reference: str = ""
    conversation: str = ""
    consent_given: date | None = None
    in_programme: bool = False
    attachments: tuple[Attachment, ...] = ()

    @property
    def categories(self) -> frozenset[InformationCategory]:
        """Every category that it carries."""
        return frozenset(part.category for part in self.parts)


# What the other party says.


@dataclass(frozen=True, slots=True)
class Complement:
    """A question of the certificate, by its number, and what is missing there (§ 1.3)."""

    question: str
    text: str = ""
    instance: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message from another party as its channel carried it, in the channel-neutral form of § 7.1.

    ``id`` is the sender's message id, the same each time it is sent. ``channel`` is the adapter's name. ``unit`` is the
    care unit, or a mottagning of one, that it is for. ``topic`` is ``None`` where the channel has none. ``answers`` and
    ``reminds_of`` are message ids: of ours, and of theirs. ``our_reference`` is what we wrote as ours, given back.
    ``contact`` are lines on whom to reach there. ``answer_before`` is the last day for an answer.
    """

    id: str
    channel: str
    sender: Recipient
    unit: HsaId
    topic: Topic | None
    text: str = field(repr=False)
    sent: datetime
    patient: PersonId | None = None
    heading: str = ""
    certificate: str = ""
    reference: str = ""
    our_reference: str = ""
    answers: str = ""
    reminds_of: str = ""
    conversation: str = ""
    answer_before: date | None = None
    contact: tuple[str, ...] = ()
    complements: tuple[Complement, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that lies in a mailbox and cannot be used. ``reason`` is plain words without personal data."""

    id: str
    reason: str


class Refusal(StrEnum):
    """Why a message from another party cannot be taken as it stands (§ 1.7): the state rules, by meaning."""

    TOPIC_UNKNOWN = "topic-unknown"
    PARTY_UNKNOWN = "party-unknown"
    UNIT_UNKNOWN = "unit-unknown"
    REMINDER_AND_TOPIC = "reminder-and-topic"
    COMPLEMENT_AND_TOPIC = "complement-and-topic"
    LAST_DAY_ON_ANSWER = "last-day-on-answer"
    ID_TAKEN = "id-taken"
    ANSWERED_UNKNOWN = "answered-unknown"
    REMINDED_UNKNOWN = "reminded-unknown"
    TOPIC_DIFFERS = "topic-differs"
    PATIENT_UNKNOWN = "patient-unknown"
    OTHER_PATIENT = "other-patient"


@dataclass(frozen=True, slots=True)
class Taken:
    """The message is kept. ``again``: it was kept before, and this is the same once more."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The message is refused for good; nothing of it is kept."""

    reasons: tuple[Refusal, ...]


Receipt = Taken | NotTaken
"""What is answered to the sender of a message."""


class Arrival(StrEnum):
    """What became of a message after a message service had taken it (sdk.md, messageStatus)."""

    UNDER_WAY = "under-way"
    ARRIVED = "arrived"
    REFUSED = "refused"
    FAILED = "failed"


class Standing(StrEnum):
    """Where a dialogue stands, from a judged need to the end (§ 6.5). Codes of our CodeSystem ``dialogue-state``.

    The first group is the unit's way to the other party, the second what the other party has said, the third what the other
    party has asked.
    """

    CONSENT_TO_ASK = "consent-to-ask"
    CONSENT_ASKED = "consent-asked"
    CONSENT_REFUSED = "consent-refused"
    TO_APPROVE = "to-approve"
    WITHHELD = "withheld"
    QUEUED = "queued"
    NEEDS_OTHER_CHANNEL = "needs-other-channel"
    PARKED = "parked"
    INFORMED = "informed"
    OVERDUE = "answer-overdue"

    ANSWERED = "answered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    MORE_INFORMATION = "more-information-asked"
    MEETING_PLANNED = "meeting-planned"

    TO_ANSWER = "to-answer"
    WITH_THE_DOCTOR = "with-the-doctor"
    ANSWER_SENT = "answer-sent"

    CLOSED = "closed"
    TAKEN_BACK = "taken-back"


class Says(StrEnum):
    """How a person on the unit has read an answer. Codes of our CodeSystem ``answer-says``."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    MORE_INFORMATION = "more-information"
    MEETING = "meeting"


class Output(StrEnum):
    """What a dialogue has given. Codes of our CodeSystem ``dialogue-output``."""

    ANSWER = "answer"
    SAYS = "says"
    REASON = "reason"
    OFFICER = "officer"
    NEXT_STEP = "next-step"
    MEETING = "meeting"
    FOLLOW_UP = "follow-up"
    PLAN = "plan"
    REMINDED = "reminded"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue with another party as its ``Task`` tells of it.

    ``focus`` is what began it: ``CommunicationRequest/<id>``, or ``Communication/<id>`` where the other party did.
    ``asked_by`` is whoever began it, ``owner`` who is to do something: HSA-ids or organisation numbers. ``due`` is the last
    day for an answer: theirs, or the unit's. ``reason`` says why it stands where it stands, in the rules' words.
    """

    patient: str
    unit: HsaId
    conversation: str
    topic: Topic
    party: Recipient
    focus: str
    standing: Standing
    begun: datetime
    asked_by: HsaId | None = None
    owner: HsaId | None = None
    due: date | None = None
    urgent: bool = False
    reason: str = ""

    @property
    def begun_by_them(self) -> bool:
        """Whether the other party began it."""
        return self.focus.startswith("Communication/")
