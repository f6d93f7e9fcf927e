"""Consents, the question whether something may be told, and the answer.

Two kinds of consent (domain rules 1-3): to be coordinated at all, and to disclosure to one named recipient. The answer
is a value that carries all its reasons. Sources: lag 2019:1297 3-4 §§; domain_rules.md 1-12; decisions D3, D16, D17.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.identity import HsaId, PersonId
from contracts.time import Period


class ConsentKind(StrEnum):
    """Codes of our CodeSystem ``consent-kind``."""

    COORDINATION = "coordination"
    DISCLOSURE = "disclosure"


class ConsentStatus(StrEnum):
    """FHIR R4 consent-state-codes. Only active ones permit or forbid."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REJECTED = "rejected"
    INACTIVE = "inactive"
    ENTERED_IN_ERROR = "entered-in-error"


class Effect(StrEnum):
    """``Consent.provision.type``."""

    PERMIT = "permit"
    DENY = "deny"


class Direction(StrEnum):
    """Seen from the unit: to tell, or to ask and be told. One never implies the other."""

    DISCLOSE = "disclose"
    COLLECT = "collect"


class HowGiven(StrEnum):
    """How the patient said it (v3-ParticipationMode)."""

    ORAL = "VERBAL"
    FACE_TO_FACE = "FACE"
    PHONE = "PHONE"
    VIDEO = "VIDEOCONF"
    WRITTEN = "WRITTEN"
    HANDWRITTEN = "HANDWRIT"
    ELECTRONIC = "ONLINEWRIT"

    @property
    def is_written(self) -> bool:
        """Whether there is something to show for it: v3 puts all three under WRITTEN."""
        return self in (HowGiven.WRITTEN, HowGiven.HANDWRITTEN, HowGiven.ELECTRONIC)


class Purpose(StrEnum):
    """What a disclosure is for (v3-ActReason)."""

    COORDINATION = "COC"
    BENEFIT_DECISION = "ELIGDTRM"


class InformationCategory(StrEnum):
    """What may be told. Codes of our CodeSystem ``information-category`` (glossary)."""

    ASSUMED_REHAB_NEED = "assumed_rehab_need"
    MEETING_PARTICIPATION = "meeting_participation"
    CONTACT_DETAILS = "contact_details"
    SICK_LEAVE_PERIOD_AND_DEGREE = "sick_leave_period_and_degree"
    TAPERING_PLAN = "tapering_plan"
    WORK_ADJUSTMENTS = "work_adjustments"
    ACTIVITY_LIMITATION = "activity_limitation"
    CARE_MEASURES = "care_measures"
    CERTIFICATE_DOCUMENT = "certificate_document"
    DIAGNOSIS = "diagnosis"
    SENSITIVE_CIRCUMSTANCES = "sensitive_circumstances"


class RecipientKind(StrEnum):
    """Who somebody is to the unit. Codes of our CodeSystem ``recipient-kind``."""

    FORSAKRINGSKASSAN = "forsakringskassan"
    ARBETSFORMEDLINGEN = "arbetsformedlingen"
    MUNICIPALITY = "municipality"
    EMPLOYER = "employer"
    OCCUPATIONAL_HEALTH = "occupational-health"
    UNION = "union"
    OTHER_CARE_PROVIDER = "other-care-provider"
    SAME_CARE_PROVIDER = "same-care-provider"
    REGIONAL_PLATFORM = "regional-platform"
    RECORD_SYSTEM = "record-system"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One named party. ``party`` identifies it: an organisation number, else ``Organization/<id>``.

    Two recipients are the same party when ``party`` is equal; ``kind`` only says which rules apply.
    """

    kind: RecipientKind
    party: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent or a refusal, as stored. ``recipient``, ``purposes`` and ``categories`` may be empty in a refusal only:
    there they mean all (decision D16). ``ends_with_event`` names the event that stands for an end date."""

    id: str
    version: int
    kind: ConsentKind
    status: ConsentStatus
    effect: Effect
    patient: str
    unit: HsaId | None
    given: datetime | None
    how: HowGiven | None = None
    recipient: Recipient | None = None
    direction: Direction | None = None
    purposes: frozenset[Purpose] = frozenset()
    categories: frozenset[InformationCategory] = frozenset()
    period: Period = field(default_factory=Period)
    ends_with_event: str = ""

    @property
    def begins(self) -> datetime | None:
        """When it begins: as its period says, else when the patient gave it."""
        return self.period.start or self.given

    @property
    def is_endless(self) -> bool:
        """Whether neither a day nor an event ends it."""
        return self.period.end is None and not self.ends_with_event


@dataclass(frozen=True, slots=True)
class UnreadableConsent:
    """A stored consent that cannot be read: it denies for its patient until somebody mends it (decision D16)."""

    id: str
    version: int


class LegalBasis(StrEnum):
    """On what ground something is told (decision D17)."""

    CONSENT = "consent"
    RECORD_OWNER = "record-owner"
    OWN_FOLLOW_UP = "own-follow-up"
    INTERNAL_COORDINATION = "internal-coordination"
    STATUTORY_DUTY = "statutory-duty"
    EMERGENCY = "emergency"


class Reason(StrEnum):
    """Why the answer is what it is. The first group permits, the second denies."""

    CONSENT_COVERS = "consent-covers"
    RECORD_OWNER = "record-owner"
    OWN_FOLLOW_UP = "own-follow-up"
    COORDINATION_WITHIN_PROVIDER = "coordination-within-provider"
    ANSWERS_REQUEST = "answers-request"
    EMERGENCY = "emergency"

    NO_COORDINATION_CONSENT = "no-coordination-consent"
    COORDINATION_CONSENT_ENDED = "coordination-consent-ended"
    COORDINATION_REFUSED = "coordination-refused"
    NO_CONSENT = "no-consent"
    OTHER_RECIPIENT = "other-recipient"
    OTHER_DIRECTION = "other-direction"
    OTHER_PURPOSE = "other-purpose"
    OTHER_UNIT = "other-unit"
    CATEGORY_NOT_COVERED = "category-not-covered"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    NOT_IN_FORCE = "not-in-force"
    REFUSED = "refused"
    CONSENT_UNREADABLE = "consent-unreadable"
    PROTECTED_IDENTITY = "protected-identity"
    NEVER_SENT = "never-sent"
    BASIS_NOT_APPLICABLE = "basis-not-applicable"
    REGION_DEMANDS_CONSENT = "region-demands-consent"
    OTHER_PROVIDER = "other-provider"
    UNDER_BLOCK = "under-block"
    BLOCK_UNKNOWN = "block-unknown"
    PRIVATE_PROVIDER = "private-provider"
    REQUEST_NOT_NAMED = "request-not-named"
    NOTICE_NEEDS_CONSENT = "notice-needs-consent"
    GROUND_NOT_STATED = "ground-not-stated"
    GROUND_OVER = "ground-over"


@dataclass(frozen=True, slots=True)
class StatedGround:
    """What a person has stated and answers for, where no consent decides: that it is an emergency, that an authority has
    asked (``request`` is the authority's own id of that), or that a patient with protected identity may be told of.

    ``why`` is the reason in the person's words. It counts from ``at``.
    """

    by: HsaId
    at: datetime
    why: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True)
class InformationSource:
    """Where information comes from that is not the unit's own: a block (spärr) may lie on it."""

    unit: HsaId
    provider: HsaId


class BlockAnswer(StrEnum):
    """What the block service says of information from other units. Only ``CLEAR`` lets it be used."""

    NOT_ASKED = "not-asked"
    CLEAR = "clear"
    BLOCKED = "blocked"
    NO_ANSWER = "no-answer"


@dataclass(frozen=True, slots=True)
class BlockQuestion:
    """May this person, on this unit, use what these other units know of the patient?"""

    employee: HsaId
    unit: HsaId
    provider: HsaId
    person: PersonId
    sources: tuple[InformationSource, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """May this unit tell (or ask) this recipient these categories of this patient for this purpose, now?

    ``protected_identity`` is the marking of the patient's register entry (glossary 29); ``release`` a person's decision
    to tell all the same. ``same_provider``: the recipient is a unit of the care provider of ``unit``.
    ``public_provider``: that care provider is a public one. ``sources`` are the other units whose information would be
    told, and ``blocks`` what the block service said of it. ``ground`` is what a person stated for a ground that is no
    consent. ``asked_by`` is the employee for whom the question is asked; it decides nothing.
    """

    patient: str
    unit: HsaId
    recipient: Recipient
    categories: frozenset[InformationCategory]
    purpose: Purpose
    at: datetime
    direction: Direction = Direction.DISCLOSE
    basis: LegalBasis = LegalBasis.CONSENT
    protected_identity: bool = False
    release: StatedGround | None = None
    same_provider: bool = False
    public_provider: bool = False
    sources: tuple[InformationSource, ...] = ()
    blocks: BlockAnswer = BlockAnswer.NOT_ASKED
    ground: StatedGround | None = None
    asked_by: HsaId | None = None

    @property
    def foreign(self) -> tuple[InformationSource, ...]:
        """The sources that are not the unit itself."""
        return tuple(source for source in self.sources if source.unit != self.unit)


@dataclass(frozen=True, slots=True)
class UsedConsent:
    """The version of a consent that an answer rests on."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """The answer, with every reason and the consents it rests on. Equal inputs give an equal decision."""

    question: Question
    permitted: bool
    reasons: tuple[Reason, ...]
    consents: tuple[UsedConsent, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What the regional profile says of consents, as it stood when a decision was made."""

    longest_consent_days: int
    platform_needs_consent: bool


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision with all that it was made from, so that it can be made again: every consent of the patient as it was
    read then, the region's policy, and the version of the rules. ``policy`` is ``None`` and ``rules`` empty in records
    from before inputs were kept."""

    decision: ConsentDecision
    consents: tuple[Consent, ...] = ()
    unreadable: tuple[UnreadableConsent, ...] = ()
    policy: ConsentPolicy | None = None
    rules: str = ""

    @property
    def permitted(self) -> bool:
        """The answer."""
        return self.decision.permitted

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why."""
        return self.decision.reasons
