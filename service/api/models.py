"""What the JSON API takes and gives. Unknown members are refused; names are camelCase on the wire."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from contracts.activity import ActivityKind, ContactMode, NotDoneReason
from contracts.asking import Asked
from contracts.consent import ConsentKind as Kind
from contracts.consent import (
    Direction,
    Effect,
    HowGiven,
    InformationCategory,
    InformationSource,
    LegalBasis,
    Purpose,
    RecipientKind,
)
from contracts.dialogue import NextStep, Topic
from contracts.identity import FORSAKRINGSKASSAN, HsaId, OrganisationNumber, PersonId
from contracts.outbox import Deed, DeliveryState
from contracts.people import Party
from contracts.plan import HandedOver, Manner
from contracts.time import STOCKHOLM
from service.http_edge import holds_a_number


class Model(BaseModel):
    """The base: strict about names, quiet about values (errors never repeat them)."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


def _in_reach(at: datetime) -> datetime:
    """A time that can be told in Sweden: not in the first or last hours that a calendar knows."""
    try:
        at.astimezone(STOCKHOLM)
    except OverflowError:
        raise ValueError("the year is outside what can be reckoned with") from None
    return at


def _checked(make: type[Any]) -> Any:
    def check(text: str) -> str:
        make(text)
        return text

    return AfterValidator(check)


def _plain(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("a text has no control characters but line breaks and tabs")
    return text


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What FHIR does not take as text."""

Text = Annotated[str, Field(max_length=10_000), AfterValidator(_plain)]
ShortText = Annotated[str, Field(max_length=500), AfterValidator(_plain)]
Title = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_plain)]
Description = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_plain)]
PersonalNumber = Annotated[str, _checked(PersonId), Field(description="Twelve digits, YYYYMMDDNNNN")]
Instant = Annotated[AwareDatetime, AfterValidator(_in_reach)]
Hsa = Annotated[str, _checked(HsaId), Field(description="HSA-id")]
OrgNumber = Annotated[str, _checked(OrganisationNumber), Field(description="Ten digits")]


class PatientRef(Model):
    """The patient: by the id that this service gave, or by national number (made known if it is new)."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9\-.]{1,64}$")] | None = None
    personal_number: PersonalNumber | None = None
    name: ShortText = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.id is None) == (self.personal_number is None):
            raise ValueError("give either id or personalNumber")
        return self


class ExternalId(Model):
    """The id that the sending system itself uses."""

    system: Title
    value: Title


class RecipientRef(Model):
    """A named recipient: by organisation number or HSA-id."""

    kind: RecipientKind
    organisation_number: OrgNumber | None = None
    hsa_id: Hsa | None = None
    name: ShortText = ""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (
            self.organisation_number is None
            and self.hsa_id is None
            and self.kind is not RecipientKind.FORSAKRINGSKASSAN
        ):
            raise ValueError("name the recipient by organisationNumber or hsaId")
        if self.party().kind is not self.kind:
            raise ValueError("this kind of recipient has another organisation number")
        return self

    def party(self) -> Party:
        """The party; Försäkringskassan needs no number to be known."""
        fk = FORSAKRINGSKASSAN if self.kind is RecipientKind.FORSAKRINGSKASSAN else None
        return Party(
            organisation=OrganisationNumber(self.organisation_number) if self.organisation_number else fk,
            hsa_id=HsaId(self.hsa_id) if self.hsa_id else None,
            name=self.name,
            stated_kind=self.kind,
        )


class ActivityIn(Model):
    """An occasion of coordination. One that did not come about has ``notDoneReason`` and says in ``text`` what was
    tried."""

    patient: PatientRef
    kinds: Annotated[tuple[ActivityKind, ...], Field(min_length=1)]
    performed_at: Instant | None = None
    mode: ContactMode | None = None
    not_done_reason: NotDoneReason | None = None
    with_sick_leave: bool = True
    text: ShortText = ""
    note: Text = ""
    identifier: ExternalId | None = None

    @model_validator(mode="after")
    def _performed_or_not(self) -> Self:
        if self.not_done_reason is None and self.performed_at is None:
            raise ValueError("a performed activity needs performedAt; one that was not done needs notDoneReason")
        if self.not_done_reason is not None and not self.text:
            raise ValueError("an activity that was not done says in text what was tried")
        return self


class ConsentIn(Model):
    """A consent or a refusal, to coordination or to disclosure to one recipient. The last day counts whole.

    ``heardBy`` is who heard it, if that is not the caller. A written one needs ``evidence``: the id of its document.
    """

    patient: PatientRef
    kind: Kind
    effect: Effect = Effect.PERMIT
    given_at: Instant
    how: HowGiven
    heard_by: Hsa | None = None
    evidence: ExternalId | None = None
    recipient: RecipientRef | None = None
    direction: Direction | None = Direction.DISCLOSE
    purposes: tuple[Purpose, ...] = ()
    categories: tuple[InformationCategory, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    ends_with_event: ShortText = ""


class PartIn(Model):
    """A text and the one information category that it belongs to; with ``file``, a file that is kept here (``Binary/<id>``),
    and the text is its name."""

    category: InformationCategory
    text: Annotated[Text, Field(min_length=1)]
    file: Annotated[str, Field(pattern=r"^(Binary/[A-Za-z0-9\-.]{1,64})?$")] = ""


class NotificationIn(Model):
    """Something that a person on the unit wants told to a recipient (information under 4 §: ``assumed-rehab-need``)."""

    patient: PatientRef
    recipient: RecipientRef
    topic: Topic
    parts: Annotated[tuple[PartIn, ...], Field(min_length=1)]
    certificate: ShortText = ""
    identifier: ExternalId | None = None
    wanted: NextStep | None = None
    answers: Annotated[str, Field(pattern=r"^(Communication/[A-Za-z0-9\-.]{1,64})?$")] = ""
    """The message of the recipient that this answers."""
    in_programme: bool = False
    """The patient takes part in Arbetsförmedlingen's programmes, and has no certificate at Försäkringskassan."""
    duty: ShortText = ""
    """Why what is answered matters to the case, where the answer rests on the duty to answer and not on a consent."""
    draft: bool = False
    """The need has been judged, and the patient not been asked yet: nothing is sent, and the unit has a task."""


class SourceIn(Model):
    """Another unit whose information would be told."""

    care_unit: Hsa
    care_provider: Hsa


class DecisionIn(Model):
    """May the caller's unit tell (or ask) the recipient these categories for this purpose, now?

    Without ``basis`` it is the one on which the service tells such a recipient. ``statutory-duty`` needs ``request``, the
    authority's own id of what it asked; ``emergency`` needs ``why``.
    """

    patient: PatientRef
    recipient: RecipientRef
    categories: Annotated[tuple[InformationCategory, ...], Field(min_length=1)]
    purpose: Purpose = Purpose.COORDINATION
    direction: Direction = Direction.DISCLOSE
    basis: LegalBasis | None = None
    why: ShortText = ""
    request: ShortText = ""
    sources: Annotated[tuple[SourceIn, ...], Field(max_length=50)] = ()

    def asked(self) -> Asked:
        """The question."""
        return Asked(
            self.recipient.party(),
            frozenset(self.categories),
            self.purpose,
            self.direction,
            self.basis,
            self.why,
            self.request,
            tuple(InformationSource(HsaId(each.care_unit), HsaId(each.care_provider)) for each in self.sources),
        )


def _names_nobody(text: str) -> str:
    if holds_a_number(text):
        raise ValueError("leave out what looks like a personal number: lists show why something was done")
    return text


class WhyIn(Model):
    """Why an operator does this; kept with it, and shown in lists: no personal number stands in it."""

    why: Annotated[str, Field(min_length=3, max_length=500), AfterValidator(_names_nobody)]


class PageQuery(Model):
    """Which page of a list. ``after`` is in the address of the next one (header ``Link``)."""

    after: Annotated[int, Field(ge=0, le=2**62)] = 0


class OutboxQuery(PageQuery):
    """Which messages are listed: all that fit every member. ``after`` is in the address of the next page (header ``Link``)."""

    state: Annotated[DeliveryState | None, BeforeValidator(lambda given: given or None)] = None
    destination: str = ""
    blocked: bool = False


class DeedOut(Model):
    """What an operator did: ``about`` is the message (``outbox/<id>``), the destination (``destinations/<name>``) or, of a replay of
    many, the filter (``outbox?state=...``)."""

    at: datetime
    employee: str
    unit: str
    deed: Deed
    about: str
    why: str


class ReplayIn(WhyIn):
    """Which messages are tried again: those in ``state``, to ``destination`` if it is given, that came into that state
    ``since`` then. ``after`` goes on behind an earlier answer's ``next``. Nothing is done unless ``dryRun`` is false."""

    state: Literal["parked", "withheld", "retrying"] = "parked"
    destination: Annotated[str, Field(max_length=100), AfterValidator(_names_nobody)] = ""
    since: Annotated[AwareDatetime, AfterValidator(_in_reach)] | None = None
    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    dry_run: bool = True


class ReplayedOut(Model):
    """A message that fits. ``obstacle`` says why it is not tried; empty when it is, or would be."""

    id: str
    obstacle: str


class ReplayOut(Model):
    """What was done, or would be: ``replayed`` are tried again. There is more if ``next`` is given."""

    dry_run: bool
    replayed: int
    messages: tuple[ReplayedOut, ...]
    next: int | None


class DestinationOut(Model):
    """A destination. ``configured`` is false where messages wait and nothing carries them. ``held``: why an operator or a broken
    route stopped it. ``circuit`` is ``open`` after ``faults`` faults in a row: until ``openUntil`` nothing is tried, then one
    message at a time."""

    name: str
    configured: bool
    held: str
    held_since: datetime | None
    circuit: str
    faults: int
    open_until: datetime | None


class CodeOut(Model):
    """A KVÅ code, and the rule that gave it."""

    code: str
    display: str
    rule: str


class NoteOut(Model):
    """What a rule had to say."""

    rule: str
    text: str


class WrittenOut(Model):
    """What became of a write. ``changed`` is false when the same was there already."""

    resource: str
    version: int
    patient: str
    changed: bool
    codes: tuple[CodeOut, ...] = ()
    notes: tuple[NoteOut, ...] = ()
    free_of_charge: bool = True


class DecisionOut(Model):
    """A decision with all its reasons and the consents that it rests on; ``id`` is what it is kept under, empty
    when nobody is known here whom it could be kept for."""

    id: str
    permitted: bool
    recipient: str
    basis: str
    reasons: tuple[str, ...]
    consents: tuple[str, ...]
    at: datetime


class DecisionReplayedOut(Model):
    """A kept decision, made once more from what it was made from. ``same`` tells whether the answer, its reasons and its
    consents are the same; ``rules`` and ``rulesNow`` which version of the rules made each."""

    same: bool
    rules: str
    rules_now: str
    then: DecisionOut
    again: DecisionOut


class TryOut(Model):
    """What became of one try."""

    attempt: int
    at: datetime
    outcome: str
    reason: str


class MessageOut(Model):
    """A promised message; never its content."""

    id: str
    destination: str
    key: str
    state: str
    attempts: int
    next_try: datetime | None
    reason: str
    about: str = ""
    holds_back: int | None = None
    """How many wait behind it; in the list of blocked keys alone."""
    tries: tuple[TryOut, ...] = ()


class HandedOverOut(Model):
    """The patient was given a version: when, how, by whom. ``record`` is the Communication that says so."""

    record: str
    version: int
    at: datetime
    how: Manner | None
    by: str
    why: str

    @classmethod
    def of(cls, told: HandedOver) -> Self:
        """As the API shows it."""
        return cls(record=told.reference, version=told.version, at=told.at, how=told.manner, by=told.by, why=told.why)


class TraceOut(Model):
    """Everything that followed from a resource or a message. ``handedOver`` tells when the patient was given which version of a
    plan."""

    resource: str
    versions: tuple[int, ...]
    codes: tuple[CodeOut, ...]
    decisions: tuple[DecisionOut, ...]
    messages: tuple[MessageOut, ...]
    handed_over: tuple[HandedOverOut, ...] = ()


class SetAsideOut(Model):
    """A certificate that could not be used, and why."""

    certificate: str
    reason: str


class PullOut(Model):
    """How a pull of one unit went, or how far it has come: ``applied`` of ``patients`` have been gone through.

    ``changed`` and ``vanished`` are certificates; ``sick_leaves`` those of the patients in whom something changed.
    """

    number: int
    unit: str
    state: str
    began: datetime
    ended: datetime | None
    max_days_since_end: int
    certificates: int
    patients: int
    applied: int
    changed: int
    vanished: int
    sick_leaves: int
    set_aside_count: int
    reason: str


class PulledOut(PullOut):
    """The same with each certificate that was set aside."""

    set_aside: tuple[SetAsideOut, ...]


class UnitPullsOut(Model):
    """A unit's newest pull, and the next one if the unit is pulled by itself."""

    unit: str
    newest: PullOut | None
    next: datetime | None
