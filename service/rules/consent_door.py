"""What a consent must say to be kept at all: one that is too general is refused at the door, part by part (rules 1, 10)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from contracts.consent import Consent, ConsentKind, Effect, InformationCategory
from contracts.errors import Issue, IssueType
from contracts.time import days_between
from service.rules.consent import Policy


def too_general(consent: Consent, region: Policy) -> tuple[Issue, ...]:
    """What makes a permission to disclose too general to be kept; empty when nothing does.

    JO 7504-2018: a consent must let the person grasp who is told what, for what, for how long. An end, and its longest
    distance, are the unit's policy drawn from that criticism, not law (rule 10). Refusals may be as wide as the patient
    wants.
    """
    if consent.kind is not ConsentKind.DISCLOSURE or consent.effect is not Effect.PERMIT:
        return ()
    return tuple(
        Issue(IssueType.BUSINESS_RULE, text, at, rule="consent-too-general")
        for missing, text, at in _PARTS
        if missing(consent, region)
    )


_TICKED_ALONE: Final = frozenset({InformationCategory.DIAGNOSIS, InformationCategory.SENSITIVE_CIRCUMSTANCES})
_ORDINARY: Final = frozenset(InformationCategory) - _TICKED_ALONE


def _lacks_category(consent: Consent, _: Policy) -> bool:
    """ "All" says no more than nothing does (delivery_consent_security.md § 5.2, rule 2). A diagnosis is ticked on its own
    and sensitive circumstances are never told: all the others are all."""
    return not consent.categories or consent.categories >= _ORDINARY


_FOR_EVER: Final = re.compile(
    r"\btills? ?vidare\b|^t\.? ?v$|^all(a|t|ting)?$|alltid|\bevig|aldrig|livet ut|livslång|livstid|återkall|ångra|upphäv"
    r"|^ing(en|et)$|(inget|utan) slut|obegränsa|oändlig|vet ej|\bokän[dt]|until further|\bfor ?ever|\balways|\bnever\b|withdr|revok"
    r"|indefinit|unlimited|for life|life-?long|lifetime|^no(ne)?$|no end|unknown"
    r"|permanent|obestämd|så länge|tidsgräns|tidsbegräns|säger ifrån|säger till"
)
"""What people write where an event should stand: that it never ends, that the patient may end it, that nobody knows."""

_LETTERS: Final = 3
"""Fewer name no event."""


def _names_nobody(consent: Consent, _: Policy) -> bool:
    """A party that is known by its place here alone (``Organization/<id>``) may be called whatever somebody likes: "all
    authorities" have no number."""
    return consent.recipient is None or "/" in consent.recipient.party


def _has_no_event(consent: Consent, _: Policy) -> bool:
    said = " ".join(consent.ends_with_event.casefold().split()).rstrip(".!")
    return bool(said) and (sum(map(str.isalpha, said)) < _LETTERS or _FOR_EVER.search(said) is not None)


def _is_too_long(consent: Consent, region: Policy) -> bool:
    """The first day and the last count both."""
    start, end = consent.begins, consent.period.end
    if start is None or end is None:
        return False
    return days_between(start, end - timedelta.resolution) >= region.longest_consent_days


_POLICY: Final = "the unit's policy, drawn from JO's criticism; not law"

_PARTS: Final[tuple[tuple[Callable[[Consent, Policy], bool], str, str], ...]] = (
    (
        _names_nobody,
        "name the one recipient who may be told, by an organisation number or HSA-id",
        "Consent.provision.actor",
    ),
    (lambda c, _: not c.purposes, "say what it may be told for", "Consent.provision.purpose"),
    (_lacks_category, "say which information may be told, and not all of it", "Consent.provision.code"),
    (lambda c, _: c.direction is None, "say whether to tell or to ask", "Consent.provision.action"),
    (
        lambda c, _: c.is_endless,
        f"say until when, or which event ends it ({_POLICY})",
        "Consent.provision.period.end",
    ),
    (_has_no_event, f"name an event that comes and ends it ({_POLICY})", "Consent.provision.extension"),
    (
        _is_too_long,
        f"shorten the period: it is longer than allowed here ({_POLICY})",
        "Consent.provision.period.end",
    ),
    (lambda c, _: c.period.is_reversed, "the period ends before it starts", "Consent.provision.period"),
)
