"""May this be told? One pure function, asked when a message is promised and again in the transaction that claims it.

Default deny; every reason is given; nothing is "latest wins": any refusal in force that overlaps the question denies, and a
permission counts only if it covers the question alone. Sources: decisions D3, D16, D17; domain_rules.md 1-12.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from contracts.consent import (
    BlockAnswer,
    Consent,
    ConsentDecision,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    InformationCategory,
    LegalBasis,
    Purpose,
    Question,
    Reason,
    Recipient,
    RecipientKind,
    UnreadableConsent,
    UsedConsent,
)
from contracts.identity import HsaId
from contracts.time import Period, days_between, swedish_day

AnyConsent = Consent | UnreadableConsent
_Finding = tuple[Reason, tuple[AnyConsent, ...]]

VERSION: Final = "3"
"""Kept with every decision. It changes when the same inputs may get another answer."""

CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""How far a record system's clock may be ahead of this service's: a consent given later than that has not been given yet."""

OWN_SYSTEMS: Final = {RecipientKind.REGIONAL_PLATFORM: "regional_platform", RecipientKind.RECORD_SYSTEM: "ehr"}
"""What the service itself calls the care provider's own systems when it tells them; no party has such a number."""

EMERGENCY_HOLDS: Final = timedelta(hours=24)
"""How long a stated emergency carries a decision: a choice of this service, no law says a number."""


class Policy(Protocol):
    """The part of a regional profile that decides here (decision D29)."""

    @property
    def longest_consent_days(self) -> int:
        """The longest period of a consent to disclosure, in days."""
        ...

    @property
    def platform_needs_consent(self) -> bool:
        """Whether the region's own platform may be told on consent alone."""
        ...


def decide(question: Question, consents: Sequence[AnyConsent], region: Policy) -> ConsentDecision:
    """The answer for one question, from every consent on record for the patient (in any order)."""
    findings = [*_blocks(question), *_BASES[question.basis](question, consents, region)]
    denials = [finding for finding in findings if finding[0] not in _PERMITTING]
    permits = [finding for finding in findings if finding[0] in _PERMITTING]
    return _decision(question, not denials and bool(permits), denials or permits)


def _decision(question: Question, permitted: bool, findings: Sequence[_Finding]) -> ConsentDecision:
    reasons = {reason for reason, _ in findings}
    used = {UsedConsent(consent.id, consent.version) for _, consents in findings for consent in consents}
    return ConsentDecision(
        question,
        permitted,
        tuple(sorted(reasons, key=_ORDER.__getitem__)) or (Reason.NO_CONSENT,),
        tuple(sorted(used, key=lambda consent: (consent.id, consent.version))),
    )


def asks_for_consents(question: Question, _: Policy) -> bool:
    """Whether consents have any say in the answer (decision D17): where they have none, none need be read."""
    return question.basis in (LegalBasis.CONSENT, LegalBasis.INTERNAL_COORDINATION)


_ORDER: Final = {reason: place for place, reason in enumerate(Reason)}
_PERMITTING: Final = frozenset(
    {
        Reason.CONSENT_COVERS,
        Reason.RECORD_OWNER,
        Reason.OWN_FOLLOW_UP,
        Reason.COORDINATION_WITHIN_PROVIDER,
        Reason.ANSWERS_REQUEST,
        Reason.EMERGENCY,
    }
)


# The grounds, one function each (decision D17).


def _by_consent(question: Question, consents: Sequence[AnyConsent], region: Policy) -> Iterable[_Finding]:
    """Somebody outside: consent to coordination, and one consent to disclosure that covers everything asked."""
    yield from _stops(question)
    yield from _coordination(question, consents)
    yield from _refusals(question, consents)
    yield from _permissions(question, consents, region)


def _as_record_owner(question: Question, _: Sequence[AnyConsent], __: Policy) -> Iterable[_Finding]:
    """The record system that owns the record gets its own record back. That somebody calls itself one is not enough."""
    yield from _own_system(question, RecipientKind.RECORD_SYSTEM)
    yield _if_telling(question, RecipientKind.RECORD_SYSTEM, Reason.RECORD_OWNER), ()


def _as_own_follow_up(question: Question, _: Sequence[AnyConsent], region: Policy) -> Iterable[_Finding]:
    """The care provider's own platform follows up its own care (PDL 2 kap. 4 §). Where the region demands consent, that is
    the ground to ask on."""
    yield from _stops(question)
    if region.platform_needs_consent:
        yield Reason.REGION_DEMANDS_CONSENT, ()
    yield from _own_system(question, RecipientKind.REGIONAL_PLATFORM)
    yield _if_telling(question, RecipientKind.REGIONAL_PLATFORM, Reason.OWN_FOLLOW_UP), ()


def _own_system(question: Question, kind: RecipientKind) -> Iterable[_Finding]:
    """The recipient is the care provider's: by its number, or because the service itself tells it under its own name."""
    if not question.same_provider and question.recipient.party != OWN_SYSTEMS[kind]:
        yield Reason.OTHER_PROVIDER, ()


def _within_the_provider(question: Question, consents: Sequence[AnyConsent], _: Policy) -> Iterable[_Finding]:
    """Another unit of the same care provider: consent to coordination, no consent to disclosure (rule 6). A refusal
    still denies (D16). That the recipient calls itself one is not enough."""
    yield from _stops(question)
    if not question.same_provider:
        yield Reason.OTHER_PROVIDER, ()
    yield from _coordination(question, consents)
    yield from _refusals(question, consents)
    yield _only_for(question, RecipientKind.SAME_CARE_PROVIDER, Reason.COORDINATION_WITHIN_PROVIDER), ()


def _as_answer_to_request(question: Question, _: Sequence[AnyConsent], __: Policy) -> Iterable[_Finding]:
    """Försäkringskassan has asked under its law (SFB 110 kap.): a public care provider answers that request with what
    matters to the case, consent or not, and never sends a 4 § notice on it (rule 9)."""
    yield from _stops(question)
    if not question.public_provider:
        yield Reason.PRIVATE_PROVIDER, ()
    if question.ground is None or not question.ground.request.strip():
        yield Reason.REQUEST_NOT_NAMED, ()
    if question.purpose is not Purpose.BENEFIT_DECISION:
        yield Reason.OTHER_PURPOSE, ()
    if InformationCategory.ASSUMED_REHAB_NEED in question.categories:
        yield Reason.NOTICE_NEEDS_CONSENT, ()
    if not question.categories:
        yield Reason.CATEGORY_NOT_COVERED, ()
    yield _if_telling(question, RecipientKind.FORSAKRINGSKASSAN, Reason.ANSWERS_REQUEST), ()


def _in_emergency(question: Question, _: Sequence[AnyConsent], __: Policy) -> Iterable[_Finding]:
    """A danger to life or health that a named person has stated, now: to other care alone. There is no such danger that
    an employer, an authority or a municipality could avert (delivery_consent_security.md § 5.2)."""
    yield from _stops(question)
    stated = question.ground
    if stated is None or not stated.why.strip():
        yield Reason.GROUND_NOT_STATED, ()
    elif not stated.at <= question.at < stated.at + EMERGENCY_HOLDS:
        yield Reason.GROUND_OVER, ()
    if not question.categories:
        yield Reason.CATEGORY_NOT_COVERED, ()
    care = question.recipient.kind in _CARE and question.direction is Direction.DISCLOSE
    yield Reason.EMERGENCY if care else Reason.BASIS_NOT_APPLICABLE, ()


_CARE: Final = (RecipientKind.SAME_CARE_PROVIDER, RecipientKind.OTHER_CARE_PROVIDER)


_BASES: Final[dict[LegalBasis, Callable[[Question, Sequence[AnyConsent], Policy], Iterable[_Finding]]]] = {
    LegalBasis.CONSENT: _by_consent,
    LegalBasis.RECORD_OWNER: _as_record_owner,
    LegalBasis.OWN_FOLLOW_UP: _as_own_follow_up,
    LegalBasis.INTERNAL_COORDINATION: _within_the_provider,
    LegalBasis.STATUTORY_DUTY: _as_answer_to_request,
    LegalBasis.EMERGENCY: _in_emergency,
}


def _only_for(question: Question, kind: RecipientKind, reason: Reason) -> Reason:
    return reason if question.recipient.kind is kind else Reason.BASIS_NOT_APPLICABLE


def _if_telling(question: Question, kind: RecipientKind, reason: Reason) -> Reason:
    """A ground to tell is none to ask."""
    return (
        _only_for(question, kind, reason) if question.direction is Direction.DISCLOSE else Reason.BASIS_NOT_APPLICABLE
    )


# What is looked for among the consents.


def _blocks(question: Question) -> Iterable[_Finding]:
    """Information of another unit goes nowhere unless the block service has said that no block lies on it (rule 7). The
    unit's own is not asked about: a block does not stop a unit from telling what it knows itself."""
    if question.foreign and question.blocks is not BlockAnswer.CLEAR:
        known = question.blocks is BlockAnswer.BLOCKED
        yield Reason.UNDER_BLOCK if known else Reason.BLOCK_UNKNOWN, ()


def _stops(question: Question) -> Iterable[_Finding]:
    """What denies whatever the patient has said (rules 8, 25, 31). The marking stops machines: a person may have decided,
    and answers for it with a reason."""
    if question.protected_identity and (question.release is None or not question.release.why.strip()):
        yield Reason.PROTECTED_IDENTITY, ()
    follows_up = question.recipient.kind is RecipientKind.REGIONAL_PLATFORM
    never = _NEVER_FOLLOWED_UP if follows_up else _NEVER_TOLD
    if not never.isdisjoint(question.categories):
        yield Reason.NEVER_SENT, ()


_NEVER_TOLD: Final = frozenset({InformationCategory.SENSITIVE_CIRCUMSTANCES})
_NEVER_FOLLOWED_UP: Final = _NEVER_TOLD | {InformationCategory.DIAGNOSIS}


def _coordination(question: Question, consents: Sequence[AnyConsent]) -> Iterable[_Finding]:
    """Whether the patient is coordinated by this unit at all (Act 3 §); silent when so."""
    said = [c for c in _said(question, consents, ConsentKind.COORDINATION) if _same(c.unit, question.unit)]
    refusals = tuple(c for c in said if c.effect is Effect.DENY and _in_force(c, question))
    permits = tuple(c for c in said if c.effect is Effect.PERMIT)
    if refusals:
        yield Reason.COORDINATION_REFUSED, refusals
    if any(_in_force(consent, question) and is_given(consent, question.at) for consent in permits):
        return
    ended = tuple(c for c in permits if c.status is ConsentStatus.INACTIVE or _is_over(c, question.at))
    yield (Reason.COORDINATION_CONSENT_ENDED, ended) if ended else (Reason.NO_COORDINATION_CONSENT, ())


def _refusals(question: Question, consents: Sequence[AnyConsent]) -> Iterable[_Finding]:
    """Every refusal in force that overlaps the question; one that cannot be read might be such a refusal (D16)."""
    unreadable = tuple(consent for consent in consents if isinstance(consent, UnreadableConsent))
    if unreadable:
        yield Reason.CONSENT_UNREADABLE, unreadable
    refusals = tuple(
        consent
        for consent in _said(question, consents, ConsentKind.DISCLOSURE)
        if consent.effect is Effect.DENY and _in_force(consent, question) and _overlaps(consent, question)
    )
    if refusals:
        yield Reason.REFUSED, refusals


def _permissions(question: Question, consents: Sequence[AnyConsent], region: Policy) -> Iterable[_Finding]:
    """A permission that covers the question alone; else what is wrong with each that names the recipient, or that there
    is none, and those that would cover it for others."""
    permits = [
        c for c in _said(question, consents, ConsentKind.DISCLOSURE) if c.effect is Effect.PERMIT and c.recipient
    ]
    named = [c for c in permits if c.recipient and c.recipient.party == question.recipient.party]
    covering = tuple(consent for consent in named if not any(_gaps(consent, question, region)))
    if covering:
        yield Reason.CONSENT_COVERS, covering
    elif named:
        yield from ((gap, (consent,)) for consent in named for gap in _gaps(consent, question, region))
    else:
        yield Reason.NO_CONSENT, ()
        yield from ((Reason.OTHER_RECIPIENT, (c,)) for c in permits if not any(_gaps(c, question, region)))


def _gaps(consent: Consent, question: Question, region: Policy) -> Iterable[Reason]:
    """Why a permission to this recipient does not cover the question; nothing when it does."""
    if consent.status is ConsentStatus.INACTIVE:
        yield Reason.WITHDRAWN
    elif consent.status is not ConsentStatus.ACTIVE or consent.is_endless:
        yield Reason.NOT_IN_FORCE
    begins = consent.period.start
    if not is_given(consent, question.at) or (begins is not None and question.at < begins):
        yield Reason.NOT_YET_VALID
    if _is_over(consent, question.at) or _outlived(consent, question.at, region):
        yield Reason.EXPIRED
    if not _same(consent.unit, question.unit):
        yield Reason.OTHER_UNIT
    if consent.direction is not question.direction:
        yield Reason.OTHER_DIRECTION
    if question.purpose not in consent.purposes:
        yield Reason.OTHER_PURPOSE
    if not question.categories or not question.categories <= consent.categories:
        yield Reason.CATEGORY_NOT_COVERED


def _overlaps(refusal: Consent, asked: Question | Consent) -> bool:
    """Whether a refusal touches what is asked, or permitted; what it leaves out, it means as all (decision D16)."""
    purposes = asked.purposes if isinstance(asked, Consent) else frozenset({asked.purpose})
    return (
        _same_party(refusal.recipient, asked.recipient)
        and (not refusal.purposes or not refusal.purposes.isdisjoint(purposes))
        and (not refusal.categories or not refusal.categories.isdisjoint(asked.categories))
        and (refusal.direction is None or refusal.direction is asked.direction)
        and _same(refusal.unit, asked.unit)
    )


def _said(question: Question, consents: Sequence[AnyConsent], kind: ConsentKind) -> Iterable[Consent]:
    """What the patient has said of the kind, as far as it can be read."""
    return (c for c in consents if isinstance(c, Consent) and c.kind is kind and c.patient == question.patient)


def _in_force(consent: Consent, question: Question) -> bool:
    return consent.status is ConsentStatus.ACTIVE and consent.period.holds(question.at)


def is_given(consent: Consent, at: datetime) -> bool:
    """Whether the patient had said it by then. What is dated ahead is no word of the patient's yet."""
    return consent.given is None or consent.given <= at + CLOCKS_DIFFER


def _is_over(consent: Consent, at: datetime) -> bool:
    return consent.period.end is not None and consent.period.end <= at


def _outlived(consent: Consent, at: datetime, region: Policy) -> bool:
    """An event that never came about ends nothing: such a consent is over when the longest one would be."""
    begun = consent.begins
    return consent.period.end is None and begun is not None and days_between(begun, at) >= region.longest_consent_days


def _same_party(one: Recipient | None, other: Recipient | None) -> bool:
    return one is None or other is None or one.party == other.party


def _same(one: HsaId | None, other: HsaId | None) -> bool:
    """A consent that names no unit is the unit's in whose record of the patient it stands."""
    return one is None or other is None or one == other


# A later yes and an earlier no (rule 4).


def touches(refusal: Consent, consent: Consent, at: datetime) -> bool:
    """Whether an active refusal stands in the way of a new permission."""
    if refusal.effect is not Effect.DENY or refusal.kind is not consent.kind:
        return False
    in_force = refusal.status is ConsentStatus.ACTIVE and refusal.period.holds(at)
    if consent.kind is ConsentKind.COORDINATION:
        return in_force and _same(refusal.unit, consent.unit)
    return in_force and _overlaps(refusal, consent)


def covers(consent: Consent, refusal: Consent) -> bool:
    """Whether a new permission takes back everything that the refusal said, from the day on which it is given.

    One for later, or for what is over, does not: what the refusal holds back would be open without it. Nor does one that
    was given before the patient refused.
    """
    if consent.kind is not refusal.kind or not _same(consent.unit, refusal.unit) or not _holds_when_given(consent):
        return False
    if consent.given is not None and refusal.given is not None and consent.given < refusal.given:
        return False
    return consent.kind is ConsentKind.COORDINATION or (
        refusal.recipient is not None
        and consent.recipient is not None
        and refusal.recipient.party == consent.recipient.party
        and _within(refusal.purposes, consent.purposes)
        and _within(refusal.categories, consent.categories)
        and refusal.direction is consent.direction
    )


def _holds_when_given(consent: Consent) -> bool:
    period, given = consent.period, consent.given
    if given is None:
        return period == Period()
    begun = period.start is None or swedish_day(period.start) <= swedish_day(given)
    return begun and (period.end is None or given < period.end)


# A new version of a word, and the patient's new word.

NOT_SAID: Final = frozenset({ConsentStatus.DRAFT, ConsentStatus.PROPOSED})
"""Of these nobody says that the patient has said them."""


def is_permission(consent: AnyConsent) -> bool:
    """Whether it is a permission that its record calls active."""
    return isinstance(consent, Consent) and consent.effect is Effect.PERMIT and consent.status is ConsentStatus.ACTIVE


def is_old_word(consent: Consent, before: AnyConsent, recorded: datetime) -> bool:
    """Whether an active permission in the place of ``before``, which was recorded then, lacks the patient's new word.

    What was taken back or refused needs one from after that, and what could not be read might have been a refusal. Where
    the earlier permission stands, one that covers more needs a later one.
    """
    if isinstance(before, Consent) and before.status in NOT_SAID:
        return False
    said = before.given if isinstance(before, Consent) else None
    later = consent.given is not None and (said is None or consent.given > said)
    if isinstance(before, Consent) and is_permission(before):
        return not later and not (says_no_more(consent, before) and _holds_no_longer(consent, before))
    return not later or is_before(consent, before, recorded)


def brings_back(consent: Consent, other: AnyConsent, recorded: datetime) -> bool:
    """Whether an active permission would tell the party again of which the patient took a permission back in ``other``, by a
    word from before that. How much each of them says is not asked: a withdrawal may say no more than what it withdraws. One
    that names no recipient took back every one."""
    return (
        isinstance(other, Consent)
        and other.kind is consent.kind
        and other.status in _TAKEN_BACK
        and other.effect is Effect.PERMIT
        and _same(other.unit, consent.unit)
        and (other.recipient is None or _same_party(other.recipient, consent.recipient))
        and (is_before(consent, other, recorded) or _is_no_later(consent, other, recorded))
    )


_TAKEN_BACK: Final = frozenset({ConsentStatus.INACTIVE, ConsentStatus.REJECTED})


def widens_again(consent: Consent, was: AnyConsent, now: AnyConsent, recorded: datetime) -> bool:
    """Whether a permission to disclose would permit what another one permitted in an earlier version and, as it stands now, does
    not: by a word from before that was narrowed. ``recorded`` is when the version after ``was`` came."""
    if not (isinstance(was, Consent) and isinstance(now, Consent) and is_permission(was) and is_permission(now)):
        return False
    both = replace(consent, purposes=consent.purposes & was.purposes, categories=consent.categories & was.categories)
    narrowed = not says_no_more(both, now) or not (_holds_no_longer(was, now) or _holds_no_longer(consent, now))
    return (
        consent.kind is was.kind
        and bool(both.purposes and both.categories)
        and says_no_more(both, was)
        and narrowed
        and is_before(consent, now, recorded)
    )


def _is_no_later(consent: Consent, other: Consent, recorded: datetime) -> bool:
    """Where the record system's clock was ahead, so that the other seems given after it was taken back."""
    ahead = other.given is not None and other.given > recorded
    return ahead and (consent.given is None or other.given is None or consent.given <= other.given)


def is_before(consent: Consent, other: AnyConsent, recorded: datetime) -> bool:
    """Whether it was given before the other was ended or, where that stands, was recorded: an ended one may tell when that was
    itself. Record systems write times to the second."""
    end = other.period.end if isinstance(other, Consent) and other.status is ConsentStatus.INACTIVE else None
    ended = recorded if end is None else min(recorded, end - _SECOND)
    return consent.given is None or consent.given < ended.replace(microsecond=0)


_SECOND: Final = timedelta(seconds=1)


def says_no_more(consent: Consent, other: Consent) -> bool:
    """Whether a permission tells nothing that the other does not: party, direction, purposes and categories."""
    return (
        consent.unit == other.unit
        and (consent.recipient and consent.recipient.party) == (other.recipient and other.recipient.party)
        and consent.direction is other.direction
        and consent.purposes <= other.purposes
        and consent.categories <= other.categories
    )


def _holds_no_longer(consent: Consent, other: Consent) -> bool:
    """Whether a permission begins no earlier and ends no later. One that an event ends lasts from its beginning."""
    if consent.ends_with_event != other.ends_with_event:
        return False
    if consent.period.end is None:
        return other.period.end is None and consent.begins == other.begins
    begun = other.begins is None or (consent.begins is not None and other.begins <= consent.begins)
    return begun and (other.period.end is None or consent.period.end <= other.period.end)


def _within(refused: frozenset[Any], permitted: frozenset[Any]) -> bool:
    """What a refusal leaves out means all, which no list takes back."""
    return bool(refused) and refused <= permitted
