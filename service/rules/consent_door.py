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


_OF_ITS_OWN: Final = (
    r"beslut|sjukskriv|sjukpenning|anställning|tjänst|förordnande|intyg|körkort|avtal|rehabilitering|behandling"
    r"|decision|sick leave|employment|contract|treatment"
)
"""What ends without the patient's word."""
_THE_PATIENTS_WORD: Final = r"samtyck|medgiv|consent|patient|\b(jag|hon|han|hen|i|she|he)\b"

_ENDLESS: Final = tuple(
    (re.compile(stem), re.compile(unless))
    for stem, unless in (
        (
            r"\btills? ?vidare\b|^t\.? ?v$|^all(a|t|ting)?$|alltid|\bevig|aldrig|livet ut|livslång|livstid|^ing(en|et)$"
            r"|(inget|utan) slut|obegränsa|oändlig|vet ej|\bokän[dt]|obestämd|tidsgräns|säger ifrån|säger till"
            r"|until further|\bfor ?ever|\balways|\bnever\b|indefinit|unlimited|for life|life-?long|lifetime"
            r"|^no(ne)?$|no end|unknown",
            r"(?!)",
        ),
        (r"återkall|\bångra|upphäv|withdr|revok", rf"^(?!.*({_THE_PATIENTS_WORD})).*({_OF_ITS_OWN})"),
        (r"permanent|så länge|tidsbegräns", _OF_ITS_OWN),
    )
)
"""What people write where an event should stand: that it never ends, that the patient may end it, that nobody knows; each with
what makes an event of it all the same."""

_LETTERS: Final = 3
"""Fewer name no event."""


def _names_nobody(consent: Consent, _: Policy) -> bool:
    """A party that is known by its place here alone (``Organization/<id>``) may be called whatever somebody likes: "all
    authorities" have no number."""
    return consent.recipient is None or "/" in consent.recipient.party


def _has_no_event(consent: Consent, _: Policy) -> bool:
    said = " ".join(consent.ends_with_event.casefold().split()).rstrip(".!")
    endless = any(stem.search(said) and not unless.search(said) for stem, unless in _ENDLESS)
    return bool(said) and (sum(map(str.isalpha, said)) < _LETTERS or endless)


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
