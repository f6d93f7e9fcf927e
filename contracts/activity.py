"""Coordination activities and the KVÅ codes they are given (lag 2019:1297 3 §; glossary terms 1, 4-7, 30)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ActivityKind(StrEnum):
    """What a coordination activity was. An occasion may be several. Codes of our CodeSystem ``activity-kind``."""

    PERSONAL_SUPPORT = "personal-support"
    INTERNAL_COORDINATION = "internal-coordination"
    KARTLAGGNING = "kartlaggning"
    PLAN = "plan"
    PLAN_FOLLOWUP = "plan-followup"
    EMPLOYER_CONTACT = "employer-contact"
    EMPLOYMENT_SERVICE_CONTACT = "employment-service-contact"
    FK_CONTACT = "fk-contact"
    INFORMATION_TO_FK = "information-to-fk"
    SOCIAL_SERVICES_CONTACT = "social-services-contact"
    OCCUPATIONAL_HEALTH_CONTACT = "occupational-health-contact"
    TREPARTSMOTE = "trepartsmote"
    AVSTAMNINGSMOTE = "avstamningsmote"
    SIP = "sip"
    SIP_FOLLOWUP = "sip-followup"


class ContactMode(StrEnum):
    """How the other party was met. Codes of our CodeSystem ``contact-mode``."""

    VISIT = "visit"
    TELEPHONE = "telephone"
    VIDEO = "video"
    LETTER = "letter"
    MESSAGE = "message"
    NONE = "none"


class ActivityStatus(StrEnum):
    """FHIR R4 event-status, as far as coordination uses it."""

    PREPARATION = "preparation"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    STOPPED = "stopped"
    COMPLETED = "completed"
    NOT_DONE = "not-done"
    ENTERED_IN_ERROR = "entered-in-error"
    UNKNOWN = "unknown"


class NotDoneReason(StrEnum):
    """Why an activity did not come about. Codes of our CodeSystem ``not-done-reason``."""

    NO_ANSWER = "no-answer"
    DECLINED = "declined"
    NO_ACTIVITY = "no-activity"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A business identifier as a party wrote it."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class KvaDisplay:
    """A code's official words from a day on (domain rule 20: displays carry dates)."""

    text: str
    since: date | None
    source: str


@dataclass(frozen=True, slots=True)
class KvaCode:
    """One code of Klassifikation av vårdåtgärder. ``None`` as a validity date means that no source is known."""

    code: str
    displays: tuple[KvaDisplay, ...]
    valid_from: date | None = None
    valid_to: date | None = None

    def display_on(self, day: date) -> str:
        """The words in force on the day (the oldest known ones before that)."""
        in_force = [known for known in self.displays if known.since is None or known.since <= day]
        return (in_force or list(self.displays[:1]))[-1].text

    def is_valid_on(self, day: date) -> bool:
        """Whether the code may be set for the day; unknown validity never refuses."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class AppliedCode:
    """A code that a rule gave: ``rule`` names the rule, ``display`` the words on the day of the activity."""

    code: str
    display: str
    rule: str


@dataclass(frozen=True, slots=True)
class CoordinationActivity:
    """An occasion of coordination as documented: what the rules need to know of it, nothing more.

    ``claimed_codes`` are the codes that the client itself set (main, then accompanying), compared with what the rules
    say. ``with_sick_leave`` is false for preventive coordination. ``part_of`` names the occasion that this is a part
    of. ``performed`` is the first instant of the occasion. ``diagnosis_at`` lists the elements (FHIRPath) that carry,
    or point at, a diagnosis.
    """

    patient: str
    kinds: tuple[ActivityKind, ...]
    status: ActivityStatus
    performed: datetime | None
    mode: ContactMode | None = None
    not_done_reason: NotDoneReason | None = None
    with_sick_leave: bool = True
    part_of: str | None = None
    identifiers: tuple[Identifier, ...] = ()
    claimed_main: str | None = None
    claimed_accompanying: tuple[str, ...] | None = None
    diagnosis_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CodedActivity:
    """What the coding rules said: a main code, accompanying codes, or why there is none.

    ``uncoded_because`` is plain words with the rule's name in front when ``main`` is absent.
    """

    main: AppliedCode | None
    accompanying: tuple[AppliedCode, ...] = ()
    uncoded_because: str = ""
    rule: str = ""

    @property
    def codes(self) -> tuple[AppliedCode, ...]:
        """Main code first."""
        return ((self.main,) if self.main else ()) + self.accompanying
