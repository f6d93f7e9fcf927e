"""A second, deliberately naive reading of the consent rules, written from their text alone.

Each function is one sentence of domain_rules.md 1-12 or of the decisions D3, D16, D17. It answers *why not*; an empty
answer is a yes. It never imports service/rules/consent.py: the two agree only if both read the text alike.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from contracts.consent import (
    BlockAnswer,
    Consent,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    InformationCategory,
    LegalBasis,
    Purpose,
    Question,
    Reason,
    RecipientKind,
    UnreadableConsent,
)
from contracts.time import swedish_day
from service.rules.region import RegionalProfile

Stored = Consent | UnreadableConsent

NEVER_OUT = frozenset({InformationCategory.SENSITIVE_CIRCUMSTANCES})
"""Rule 31, whatever the patient has agreed to. A diagnosis is ticked on its own (glossary); that no *message* carries one
(rule 25) is service/rules/notification.py's."""


def why_not(question: Question, stored: Sequence[Stored], region: RegionalProfile) -> frozenset[Reason]:
    """Every reason against; none means that it may be told."""
    by_ground = _GROUNDS[question.basis](question, stored, region)
    return frozenset(by_ground) | frozenset(_a_block_keeps_it_in(question))


# One sentence for each ground (D17).


def _outside_needs_a_consent(question: Question, stored: Sequence[Stored], region: RegionalProfile) -> Iterator[Reason]:
    """Rule 2: to be coordinated, a consent to coordination; to tell someone outside, a consent to disclosure to them."""
    yield from _a_machine_may_not_send_it(question)
    yield from _the_patient_is_coordinated(question, stored)
    yield from _nobody_said_no(question, stored)
    yield from _somebody_said_yes(question, stored, region.longest_consent_days)


def _within_the_provider(question: Question, stored: Sequence[Stored], _: RegionalProfile) -> Iterator[Reason]:
    """Rule 6: consent to coordination, need, block check; no disclosure consent."""
    if question.recipient.kind is not RecipientKind.SAME_CARE_PROVIDER:
        yield Reason.BASIS_NOT_APPLICABLE
    if not question.same_provider:
        yield Reason.OTHER_PROVIDER
    yield from _a_machine_may_not_send_it(question)
    yield from _the_patient_is_coordinated(question, stored)
    yield from _nobody_said_no(question, stored)


def _the_owner_of_the_record(question: Question, _: Sequence[Stored], __: RegionalProfile) -> Iterator[Reason]:
    """D17: write-back to the EHR that owns the record needs no consent (the record-keeping is a duty)."""
    yield from _it_is_the_providers_own(question, "ehr")
    if question.recipient.kind is not RecipientKind.RECORD_SYSTEM or question.direction is not Direction.DISCLOSE:
        yield Reason.BASIS_NOT_APPLICABLE


def _follow_up_of_own_care(question: Question, _: Sequence[Stored], region: RegionalProfile) -> Iterator[Reason]:
    """D17: the own regional platform rests on follow-up of own care, unless the region demands consent."""
    if question.recipient.kind is not RecipientKind.REGIONAL_PLATFORM or question.direction is not Direction.DISCLOSE:
        yield Reason.BASIS_NOT_APPLICABLE
    if region.platform_needs_consent:
        yield Reason.REGION_DEMANDS_CONSENT
    yield from _it_is_the_providers_own(question, "regional_platform")
    yield from _a_machine_may_not_send_it(question)


def _fk_has_asked(question: Question, _: Sequence[Stored], __: RegionalProfile) -> Iterator[Reason]:
    """Rule 9: public care providers only; only in answer to FK's named request (its id kept); only what matters to the
    case (the benefit decision); never for a 4 § notice, whose core is the assumed need (glossary)."""
    yield from _a_machine_may_not_send_it(question)
    to_fk = question.recipient.kind is RecipientKind.FORSAKRINGSKASSAN and question.direction is Direction.DISCLOSE
    said = {
        Reason.BASIS_NOT_APPLICABLE: not to_fk,
        Reason.PRIVATE_PROVIDER: not question.public_provider,
        Reason.REQUEST_NOT_NAMED: not (question.ground and question.ground.request),
        Reason.OTHER_PURPOSE: question.purpose is Purpose.COORDINATION,
        Reason.NOTICE_NEEDS_CONSENT: InformationCategory.ASSUMED_REHAB_NEED in question.categories,
        Reason.CATEGORY_NOT_COVERED: len(question.categories) == 0,
    }
    yield from (reason for reason, holds in said.items() if holds)


NO_EMERGENCY_THERE = frozenset(RecipientKind) - {RecipientKind.SAME_CARE_PROVIDER, RecipientKind.OTHER_CARE_PROVIDER}
"""§ 5.2, rule 7: employer, employment service, FK, municipality by name; and nobody else who gives no care."""


def _life_is_in_danger(question: Question, _: Sequence[Stored], __: RegionalProfile) -> Iterator[Reason]:
    """§ 5.2, rule 7: emergency (reason, time-limited): telling other care, for the day after somebody has stated it."""
    yield from _a_machine_may_not_send_it(question)
    if question.recipient.kind in NO_EMERGENCY_THERE or question.direction is Direction.COLLECT:
        yield Reason.BASIS_NOT_APPLICABLE
    if not question.categories:
        yield Reason.CATEGORY_NOT_COVERED
    if question.ground is None or question.ground.why == "":
        yield Reason.GROUND_NOT_STATED
        return
    age = question.at - question.ground.at
    if age < timedelta(0) or age >= timedelta(days=1):
        yield Reason.GROUND_OVER


_GROUNDS: dict[LegalBasis, Callable[[Question, Sequence[Stored], RegionalProfile], Iterator[Reason]]] = {
    LegalBasis.CONSENT: _outside_needs_a_consent,
    LegalBasis.INTERNAL_COORDINATION: _within_the_provider,
    LegalBasis.RECORD_OWNER: _the_owner_of_the_record,
    LegalBasis.OWN_FOLLOW_UP: _follow_up_of_own_care,
    LegalBasis.STATUTORY_DUTY: _fk_has_asked,
    LegalBasis.EMERGENCY: _life_is_in_danger,
}


# The sentences that they are made of.


def _it_is_the_providers_own(question: Question, name: str) -> Iterator[Reason]:
    """D17 speaks of the EHR and the platform of the care provider itself: one of its numbers, or what the service calls it."""
    if not question.same_provider and question.recipient.party != name:
        yield Reason.OTHER_PROVIDER


def _a_machine_may_not_send_it(question: Question) -> Iterator[Reason]:
    """Rule 8: the marking stops automatic sending; a person may decide, with the reason recorded. Rule 31: what is never
    told, and so never asked for (rule 5). Rule 25: no diagnosis in events, which the platform gets."""
    decided = question.release is not None and question.release.why != ""
    if question.protected_identity and not decided:
        yield Reason.PROTECTED_IDENTITY
    to_the_platform = question.recipient.kind is RecipientKind.REGIONAL_PLATFORM
    if question.categories & NEVER_OUT or (to_the_platform and InformationCategory.DIAGNOSIS in question.categories):
        yield Reason.NEVER_SENT


def _a_block_keeps_it_in(question: Question) -> Iterator[Reason]:
    """Rule 7: data under block never goes into a message; the unit's own data is not stopped. A service that does not
    answer counts as "no"."""
    others = [source for source in question.sources if source.unit.value != question.unit.value]
    if others and question.blocks is BlockAnswer.BLOCKED:
        yield Reason.UNDER_BLOCK
    if others and question.blocks in (BlockAnswer.NOT_ASKED, BlockAnswer.NO_ANSWER):
        yield Reason.BLOCK_UNKNOWN


def _the_patient_is_coordinated(question: Question, stored: Sequence[Stored]) -> Iterator[Reason]:
    """Rules 1-3: a yes in force, given to the unit, and no refusal of coordination in force."""
    words = [
        each
        for each in _own_words(question, stored)
        if each.kind is ConsentKind.COORDINATION and each.unit in (None, question.unit)
    ]
    if any(each.effect is Effect.DENY and _in_force(each, question) for each in words):
        yield Reason.COORDINATION_REFUSED
    permits = [each for each in words if each.effect is Effect.PERMIT]
    if all(_is_to_be_said(each, question) or not _in_force(each, question) for each in permits):
        ended = any(each.status is ConsentStatus.INACTIVE or _has_expired(each, question) for each in permits)
        yield Reason.COORDINATION_CONSENT_ENDED if ended else Reason.NO_COORDINATION_CONSENT


def _nobody_said_no(question: Question, stored: Sequence[Stored]) -> Iterator[Reason]:
    """D16: any active refusal that overlaps the question denies; one that cannot be read denies for that patient."""
    if any(isinstance(each, UnreadableConsent) for each in stored):
        yield Reason.CONSENT_UNREADABLE
    refusals = _disclosures(question, stored, Effect.DENY)
    if any(_in_force(each, question) and _overlaps(each, question) for each in refusals):
        yield Reason.REFUSED


def _somebody_said_yes(question: Question, stored: Sequence[Stored], longest: int) -> Iterator[Reason]:
    """One single active consent covers patient, unit, recipient, purpose, categories and day (fhir_sweden.md § 4.3);
    if none does: what each consent to this recipient lacks, or that there is none, and whether others have one."""
    permissions = _disclosures(question, stored, Effect.PERMIT)
    to_them = [each for each in permissions if each.recipient and each.recipient.party == question.recipient.party]
    lacking = [set(_lacks(each, question, longest)) for each in to_them]
    if not all(lacking):
        return
    yield from set().union(*lacking)
    if not to_them:
        yield Reason.NO_CONSENT
        if any(each.recipient and not set(_lacks(each, question, longest)) for each in permissions):
            yield Reason.OTHER_RECIPIENT


def _lacks(permission: Consent, question: Question, longest: int) -> Iterator[Reason]:
    """Rules 1, 5, 10; delivery_consent_security.md § 5.2: complete in every part, in one direction, in time."""
    if permission.status is ConsentStatus.INACTIVE:
        yield Reason.WITHDRAWN
    elif permission.status is not ConsentStatus.ACTIVE or not (permission.period.end or permission.ends_with_event):
        yield Reason.NOT_IN_FORCE
    if _has_expired(permission, question) or _waits_in_vain(permission, question, longest):
        yield Reason.EXPIRED
    if permission.period.start is not None and question.at < permission.period.start:
        yield Reason.NOT_YET_VALID
    if _is_to_be_said(permission, question):
        yield Reason.NOT_YET_VALID
    if permission.unit not in (None, question.unit):
        yield Reason.OTHER_UNIT
    if permission.direction is not question.direction:
        yield Reason.OTHER_DIRECTION
    if question.purpose not in permission.purposes:
        yield Reason.OTHER_PURPOSE
    if not question.categories or question.categories - permission.categories:
        yield Reason.CATEGORY_NOT_COVERED


def _overlaps(refusal: Consent, question: Question) -> bool:
    """D16: what is absent in a refusal means all."""
    return (
        (refusal.recipient is None or refusal.recipient.party == question.recipient.party)
        and refusal.unit in (None, question.unit)
        and refusal.direction in (None, question.direction)
        and (not refusal.purposes or question.purpose in refusal.purposes)
        and (not refusal.categories or not refusal.categories.isdisjoint(question.categories))
    )


def _disclosures(question: Question, stored: Sequence[Stored], effect: Effect) -> list[Consent]:
    words = _own_words(question, stored)
    return [each for each in words if each.kind is ConsentKind.DISCLOSURE and each.effect is effect]


def _own_words(question: Question, stored: Sequence[Stored]) -> list[Consent]:
    return [each for each in stored if isinstance(each, Consent) and each.patient == question.patient]


def _in_force(consent: Consent, question: Question) -> bool:
    return consent.status is ConsentStatus.ACTIVE and consent.period.holds(question.at)


def _waits_in_vain(permission: Consent, question: Question, longest: int) -> bool:
    """Rule 10: an event may stand for the end; that "at most" is the region's holds whether it comes about or not."""
    first = permission.period.start or permission.given
    if permission.period.end is not None or first is None:
        return False
    last = swedish_day(first) + timedelta(days=longest - 1)
    return swedish_day(question.at) > last


def _is_to_be_said(permission: Consent, question: Question) -> bool:
    """Rule 1: given, and noted with its date. Clocks differ, by a minute at most."""
    return permission.given is not None and permission.given - question.at > timedelta(seconds=60)


def _has_expired(consent: Consent, question: Question) -> bool:
    return consent.period.end is not None and consent.period.end <= question.at
