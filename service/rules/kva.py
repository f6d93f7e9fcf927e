"""Which KVÅ codes a coordination activity is given. Read the two tables aloud.

Every performed activity gets GC001, once per occasion; the accompanying codes say what it was. Nothing is guessed: a kind
without a known code gets GC001 alone. Coding the same activity again gives the same answer.
Sources: domain_rules.md 20-28, each rule's own ``source``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.activity import (
    ActivityKind,
    ActivityStatus,
    AppliedCode,
    CodedActivity,
    ContactMode,
    CoordinationActivity,
    KvaCode,
    KvaDisplay,
    NotDoneReason,
)
from contracts.errors import Invalid, Issue, IssueType
from contracts.time import swedish_day
from service.rules.region import RegionalProfile

_VGR_PAGE: Final = "VGR, webbsida Rehabiliteringskoordinering"
_VGR_GUIDELINE: Final = "VGR, regional medicinsk riktlinje 2024-06-20"


def _code(code: str, *displays: KvaDisplay, valid_from: date | None = None) -> KvaCode:
    return KvaCode(code, displays, valid_from)


def _words(text: str, source: str = _VGR_PAGE, since: date | None = None) -> KvaDisplay:
    return KvaDisplay(text, since, source)


CODES: Final = {
    known.code: known
    for known in (
        _code(
            "GC001",
            _words("Rehabiliteringskoordinering för sjukskrivna", "Socialstyrelsen 2021"),
            _words(
                "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet",
                _VGR_GUIDELINE,
                since=date(2024, 6, 20),
            ),
        ),
        _code(
            "DV077",
            _words(
                "Planering och framtagande av plan för rehabiliterande insatser under sjukskrivningsperioden "
                "med fokus på återgång i arbetslivet"
            ),
        ),
        _code(
            "AW020",
            _words("Upprättande av rehabiliteringsplan", "Socialstyrelsen, ny 2021"),
            valid_from=date(2021, 1, 1),
        ),
        _code("AW026", _words("Uppföljning av sjukskrivnings- och rehabiliteringsplan", "VGR, senare sida")),
        _code("ZV506", _words("Kontakt med arbetsgivare via besök eller telefonsamtal")),
        _code("ZV502", _words("Kontakt med Arbetsförmedlingen via besök eller telefonsamtal")),
        _code("AU124", _words("Upprättande av samordnad individuell plan")),
        _code("UX301", _words("Uppföljning av samordnad individuell plan")),
    )
}
"""The codes that this service sets."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``code`` goes with an activity of ``kind`` when ``when`` holds."""

    name: str
    code: str
    kind: ActivityKind
    when: Callable[[CoordinationActivity, RegionalProfile], bool]
    says: str
    source: str


def _with_sick_leave(activity: CoordinationActivity, _: RegionalProfile) -> bool:
    return activity.with_sick_leave


def _before_sick_leave(activity: CoordinationActivity, _: RegionalProfile) -> bool:
    return not activity.with_sick_leave


def _by_a_counted_way(activity: CoordinationActivity, region: RegionalProfile) -> bool:
    return activity.mode in region.contact_modes


def _as_a_meeting(activity: CoordinationActivity, region: RegionalProfile) -> bool:
    return (activity.mode or ContactMode.VISIT) in region.contact_modes


def _always(_: CoordinationActivity, __: RegionalProfile) -> bool:
    return True


MAIN_RULE: Final = "kva-coordination"
"""GC001 for every performed activity, whatever role or profession, with or without patient contact (rules 20, 23)."""

ACCOMPANYING: Final = (
    Rule(
        "kva-plan",
        "DV077",
        ActivityKind.PLAN,
        _with_sick_leave,
        "a plan was drawn up in which sick leave is a part",
        f"{_VGR_PAGE}; rule 21",
    ),
    Rule(
        "kva-plan-without-sick-leave",
        "AW020",
        ActivityKind.PLAN,
        _before_sick_leave,
        "a plan was drawn up before any sick leave: a rehabiliteringsplan",
        "Socialstyrelsen 2021; rule 21",
    ),
    Rule(
        "kva-plan-followup",
        "AW026",
        ActivityKind.PLAN_FOLLOWUP,
        _with_sick_leave,
        "the sjukskrivnings- och rehabiliteringsplan was followed up",
        "VGR, later page; rule 22",
    ),
    Rule(
        "kva-employer-contact",
        "ZV506",
        ActivityKind.EMPLOYER_CONTACT,
        _by_a_counted_way,
        "the employer was met or telephoned",
        f"{_VGR_PAGE}; rule 24",
    ),
    Rule(
        "kva-trepartsmote",
        "ZV506",
        ActivityKind.TREPARTSMOTE,
        _as_a_meeting,
        "the employer took part in a meeting",
        "rule 24",
    ),
    Rule(
        "kva-employment-service-contact",
        "ZV502",
        ActivityKind.EMPLOYMENT_SERVICE_CONTACT,
        _by_a_counted_way,
        "Arbetsförmedlingen was met or telephoned",
        f"{_VGR_PAGE}; rule 24",
    ),
    Rule("kva-sip", "AU124", ActivityKind.SIP, _always, "a SIP was drawn up", _VGR_PAGE),
    Rule("kva-sip-followup", "UX301", ActivityKind.SIP_FOLLOWUP, _always, "a SIP was followed up", _VGR_PAGE),
)
"""For contact with Försäkringskassan, the municipality and occupational health no code is known (rule 24)."""

_UNCODED: Final = {
    ActivityStatus.PREPARATION: ("kva-not-performed", "it is planned, not performed"),
    ActivityStatus.IN_PROGRESS: ("kva-not-performed", "it is not finished"),
    ActivityStatus.ON_HOLD: ("kva-not-performed", "it is not finished"),
    ActivityStatus.STOPPED: ("kva-not-performed", "it was broken off"),
    ActivityStatus.UNKNOWN: ("kva-not-performed", "it is not known whether it was performed"),
    ActivityStatus.ENTERED_IN_ERROR: ("kva-entered-in-error", "it was entered in error"),
}

_NOT_DONE: Final = {
    NotDoneReason.NO_ANSWER: ("kva-no-answer", "the contacted party did not answer: documented, not coded"),
    NotDoneReason.DECLINED: ("kva-declined", "the patient declined: documented, not coded"),
    NotDoneReason.NO_ACTIVITY: ("kva-no-activity", "the case led to no activity: documented, not coded"),
    None: ("kva-not-done", "it did not come about: documented, not coded"),
}
"""Documenting covers attempts too (Act 5 §). The region's own reading of GC001, where it has one, is told beside (rule 20)."""


def code(activity: CoordinationActivity, region: RegionalProfile) -> CodedActivity:
    """The codes of an activity, each with the rule that gave it; or why it has none.

    Raises ``Invalid`` when the record carries a diagnosis where the region forbids it (rule 25), when a code is not
    valid on the day, or when the client's own codes are not what the rules say.
    """
    _refuse_diagnosis(activity, region)
    coded = _coded(activity, region)
    _compare(activity, coded)
    return coded


def _coded(activity: CoordinationActivity, region: RegionalProfile) -> CodedActivity:
    if activity.status is ActivityStatus.NOT_DONE:
        rule, why = _NOT_DONE[activity.not_done_reason]
        return CodedActivity(None, uncoded_because="; ".join(filter(None, (why, region.gc001_reading))), rule=rule)
    if activity.status is not ActivityStatus.COMPLETED or activity.performed is None:
        rule, why = _UNCODED.get(activity.status, ("kva-not-performed", "it is not known when it was performed"))
        return CodedActivity(None, uncoded_because=why, rule=rule)
    day = swedish_day(activity.performed)
    accompanying = _accompanying(activity, region, day)
    if activity.part_of is not None:
        return _part(accompanying)
    return CodedActivity(_applied("GC001", MAIN_RULE, day), accompanying, rule=MAIN_RULE)


def _part(codes: tuple[AppliedCode, ...]) -> CodedActivity:
    """A part of an occasion has no GC001 of its own. What would accompany it stands alone: full codes may (rule 22)."""
    why = "" if codes else "it is a part of an occasion that has GC001"
    return CodedActivity(codes[0] if codes else None, codes[1:], why, "kva-one-per-occasion")


def _accompanying(activity: CoordinationActivity, region: RegionalProfile, day: date) -> tuple[AppliedCode, ...]:
    given: dict[str, AppliedCode] = {}
    for rule in ACCOMPANYING:
        if rule.kind in activity.kinds and rule.when(activity, region):
            given.setdefault(rule.code, _applied(rule.code, rule.name, day))
    return tuple(given.values())


def _applied(code: str, rule: str, day: date) -> AppliedCode:
    known = CODES[code]
    if not known.is_valid_on(day):
        raise Invalid(
            Issue(
                IssueType.BUSINESS_RULE,
                f"{code} is not valid on the day of the activity",
                "Procedure.performed",
                rule="kva-validity",
            )
        )
    return AppliedCode(code, known.display_on(day), rule)


def _refuse_diagnosis(activity: CoordinationActivity, region: RegionalProfile) -> None:
    if activity.diagnosis_at and not region.diagnosis_allowed:
        raise Invalid(
            *(
                Issue(
                    IssueType.BUSINESS_RULE,
                    "coordination is documented without diagnosis: leave this element out",
                    at,
                    rule="kva-no-diagnosis",
                )
                for at in activity.diagnosis_at
            )
        )


def _compare(activity: CoordinationActivity, coded: CodedActivity) -> None:
    if activity.status is ActivityStatus.ENTERED_IN_ERROR:
        return
    issues = [*_main_differs(activity, coded), *_accompanying_differ(activity, coded)]
    if issues:
        raise Invalid(*issues)


def _main_differs(activity: CoordinationActivity, coded: CodedActivity) -> list[Issue]:
    said = coded.main.code if coded.main else None
    if activity.claimed_main in (None, said):
        return []
    return [_differs("Procedure.code", said or f"no main code, because {coded.uncoded_because}", coded.rule)]


def _accompanying_differ(activity: CoordinationActivity, coded: CodedActivity) -> list[Issue]:
    if activity.claimed_accompanying is None:
        return []
    said = {applied.code for applied in coded.accompanying}
    if set(activity.claimed_accompanying) == said:
        return []
    rules = ", ".join(applied.rule for applied in coded.accompanying) or coded.rule
    return [_differs("Procedure.extension", ", ".join(sorted(said)) or "no accompanying code", rules)]


def _differs(at: str, said: str, rule: str) -> Issue:
    return Issue(
        IssueType.BUSINESS_RULE,
        f"the code sent is not what the rules say: {said}. Leave codes out, or send these",
        at,
        rule=rule,
    )
