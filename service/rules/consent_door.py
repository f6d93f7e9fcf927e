"""What a consent must say to be kept at all: one that is too general is refused at the door, part by part (rules 1, 10)."""

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


_FOR_EVER: Final = ("tills vidare", "tillsvidare", "alltid", "för alltid", "until further notice", "always")
"""What people write where an event should stand."""


def _has_no_event(consent: Consent, _: Policy) -> bool:
    return consent.ends_with_event.strip().casefold().rstrip(".!") in _FOR_EVER


def _is_too_long(consent: Consent, region: Policy) -> bool:
    start, end = consent.period.start or consent.given, consent.period.end
    if start is None or end is None:
        return False
    return days_between(start, end - timedelta.resolution) > region.longest_consent_days


_POLICY: Final = "the unit's policy, drawn from JO's criticism; not law"

_PARTS: Final[tuple[tuple[Callable[[Consent, Policy], bool], str, str], ...]] = (
    (lambda c, _: c.recipient is None, "name the one recipient who may be told", "Consent.provision.actor"),
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
