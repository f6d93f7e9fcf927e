"""Which KVÅ codes an occasion is given. Each row reads: when this was done, these codes follow, each by this rule.

Sources: domain_rules.md 20-28; decisions D8, D29; the regions' own documents, as each rule in service/rules/kva.py names.
"""

from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import permutations, product
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.activity import (
    ActivityKind,
    ActivityStatus,
    AppliedCode,
    CodedActivity,
    ContactMode,
    CoordinationActivity,
    NotDoneReason,
)
from contracts.errors import Invalid, Issue, IssueType
from service.rules import kva
from service.rules.region import RegionalProfile

VGR = RegionalProfile(
    "VGR", frozenset({ContactMode.VISIT, ContactMode.TELEPHONE}), gc001_reading="VGR's reading: of value to the patient"
)
WITH_VIDEO = replace(VGR, name="counts video", contact_modes=VGR.contact_modes | {ContactMode.VIDEO})
WITH_DIAGNOSIS = replace(VGR, name="documents with diagnosis", diagnosis_allowed=True)
WITHOUT_READING = replace(VGR, name="does not read GC001", gc001_reading="")

NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
DONE = CoordinationActivity("p-1", (ActivityKind.PERSONAL_SUPPORT,), ActivityStatus.COMPLETED, NOON)

Codes = dict[str, str]
GC001 = {"GC001": "kva-coordination"}


def done(*kinds: ActivityKind, **changes: Any) -> CoordinationActivity:
    return replace(DONE, kinds=kinds, **changes)


def given_codes(coded: CodedActivity) -> Codes:
    """The codes in the order in which they are given, each with its rule."""
    return {applied.code: applied.rule for applied in coded.codes}


def refusal(activity: CoordinationActivity, region: RegionalProfile = VGR) -> list[Issue]:
    with pytest.raises(Invalid) as refused:
        kva.code(activity, region)
    return list(refused.value.issues)


class Row(NamedTuple):
    """One line of a decision table."""

    name: str
    activity: CoordinationActivity
    codes: Codes
    region: RegionalProfile = VGR


def table(*rows: Row) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


# ---- What each kind of activity is given (rules 20-22, 24) -------------------------------------------------------

VISIT, TELEPHONE, VIDEO = ContactMode.VISIT, ContactMode.TELEPHONE, ContactMode.VIDEO
EMPLOYER, AF = ActivityKind.EMPLOYER_CONTACT, ActivityKind.EMPLOYMENT_SERVICE_CONTACT
BY_EMPLOYER = GC001 | {"ZV506": "kva-employer-contact"}
BY_AF = GC001 | {"ZV502": "kva-employment-service-contact"}


PERFORMED = (
    Row("personal support", done(ActivityKind.PERSONAL_SUPPORT), GC001),
    Row("internal coordination, without the patient", done(ActivityKind.INTERNAL_COORDINATION), GC001),
    Row("kartläggning", done(ActivityKind.KARTLAGGNING), GC001),
    Row("a plan was drawn up", done(ActivityKind.PLAN), GC001 | {"DV077": "kva-plan"}),
    Row(
        "a plan was drawn up before any sick leave",
        done(ActivityKind.PLAN, with_sick_leave=False),
        GC001 | {"AW020": "kva-plan-without-sick-leave"},
    ),
    Row("the plan was followed up", done(ActivityKind.PLAN_FOLLOWUP), GC001 | {"AW026": "kva-plan-followup"}),
    Row(
        "a plan without sick leave was followed up: no code is known",
        done(ActivityKind.PLAN_FOLLOWUP, with_sick_leave=False),
        GC001,
    ),
    Row("support before any sick leave", done(ActivityKind.PERSONAL_SUPPORT, with_sick_leave=False), GC001),
    Row("the employer was met", done(EMPLOYER, mode=VISIT), BY_EMPLOYER),
    Row("the employer was telephoned", done(EMPLOYER, mode=TELEPHONE), BY_EMPLOYER),
    Row("the employer, by video", done(EMPLOYER, mode=VIDEO), GC001),
    Row("the employer, by video, where it counts", done(EMPLOYER, mode=VIDEO), BY_EMPLOYER, WITH_VIDEO),
    Row("the employer, by letter, where video counts", done(EMPLOYER, mode=ContactMode.LETTER), GC001, WITH_VIDEO),
    Row("the employer, by message", done(EMPLOYER, mode=ContactMode.MESSAGE), GC001),
    Row("the employer, without contact", done(EMPLOYER, mode=ContactMode.NONE), GC001),
    Row("the employer, it is not said how", done(EMPLOYER), GC001),
    Row("Arbetsförmedlingen was met", done(AF, mode=VISIT), BY_AF),
    Row("Arbetsförmedlingen was telephoned", done(AF, mode=TELEPHONE), BY_AF),
    Row("Arbetsförmedlingen, by video", done(AF, mode=VIDEO), GC001),
    Row("Arbetsförmedlingen, by video, where it counts", done(AF, mode=VIDEO), BY_AF, WITH_VIDEO),
    Row("Försäkringskassan: no code is known", done(ActivityKind.FK_CONTACT, mode=TELEPHONE), GC001),
    Row("Försäkringskassan was informed under 4 §", done(ActivityKind.INFORMATION_TO_FK), GC001),
    Row("the municipality: no code is known", done(ActivityKind.SOCIAL_SERVICES_CONTACT, mode=VISIT), GC001),
    Row("occupational health: no code is known", done(ActivityKind.OCCUPATIONAL_HEALTH_CONTACT, mode=VISIT), GC001),
    Row("trepartsmöte", done(ActivityKind.TREPARTSMOTE), GC001 | {"ZV506": "kva-trepartsmote"}),
    Row("trepartsmöte, in a room", done(ActivityKind.TREPARTSMOTE, mode=VISIT), GC001 | {"ZV506": "kva-trepartsmote"}),
    Row("trepartsmöte, by video", done(ActivityKind.TREPARTSMOTE, mode=VIDEO), GC001),
    Row(
        "trepartsmöte, by video, where it counts",
        done(ActivityKind.TREPARTSMOTE, mode=VIDEO),
        GC001 | {"ZV506": "kva-trepartsmote"},
        WITH_VIDEO,
    ),
    Row(
        "trepartsmöte before any sick leave",
        done(ActivityKind.TREPARTSMOTE, with_sick_leave=False),
        GC001 | {"ZV506": "kva-trepartsmote"},
    ),
    Row("avstämningsmöte: nothing beyond GC001", done(ActivityKind.AVSTAMNINGSMOTE, mode=VISIT), GC001),
    Row("a SIP was drawn up", done(ActivityKind.SIP), GC001 | {"AU124": "kva-sip"}),
    Row("a SIP was followed up", done(ActivityKind.SIP_FOLLOWUP), GC001 | {"UX301": "kva-sip-followup"}),
)


@table(*PERFORMED)
def test_a_performed_activity(row: Row) -> None:
    coded = kva.code(row.activity, row.region)
    assert (given_codes(coded), coded.rule, coded.uncoded_because) == (row.codes, "kva-coordination", "")


def test_no_kind_is_left_out_of_the_table() -> None:
    assert {kind for row in PERFORMED for kind in row.activity.kinds} == set(ActivityKind)


# ---- Several kinds in one occasion, and parts of one (rule 23) ---------------------------------------------------


@table(
    Row(
        "a plan and a call to the employer: one GC001, both codes",
        done(ActivityKind.PLAN, EMPLOYER, mode=TELEPHONE),
        BY_EMPLOYER | {"DV077": "kva-plan"},
    ),
    Row(
        "trepartsmöte told also as contact with the employer: ZV506 once",
        done(ActivityKind.TREPARTSMOTE, EMPLOYER, mode=VISIT),
        BY_EMPLOYER,
    ),
    Row(
        "a meeting with employer and Arbetsförmedlingen",
        done(EMPLOYER, AF, mode=VISIT),
        BY_EMPLOYER | {"ZV502": "kva-employment-service-contact"},
    ),
    Row(
        "a plan drawn up and an older one followed up",
        done(ActivityKind.PLAN_FOLLOWUP, ActivityKind.PLAN),
        GC001 | {"DV077": "kva-plan", "AW026": "kva-plan-followup"},
    ),
    Row("the same kind said twice", done(ActivityKind.SIP, ActivityKind.SIP), GC001 | {"AU124": "kva-sip"}),
    Row(
        "support and internal coordination: one GC001",
        done(ActivityKind.PERSONAL_SUPPORT, ActivityKind.INTERNAL_COORDINATION),
        GC001,
    ),
)
def test_one_occasion_of_several_kinds(row: Row) -> None:
    for kinds in permutations(row.activity.kinds):
        coded = kva.code(replace(row.activity, kinds=kinds), row.region)
        assert given_codes(coded) == row.codes
        assert [applied.code for applied in coded.codes].count("GC001") == 1


@table(
    Row(
        "a call to the employer inside a larger occasion",
        done(EMPLOYER, mode=TELEPHONE, part_of="Procedure/1"),
        {"ZV506": "kva-employer-contact"},
    ),
    Row("a plan inside a larger occasion", done(ActivityKind.PLAN, part_of="Procedure/1"), {"DV077": "kva-plan"}),
    Row("support inside a larger occasion", done(ActivityKind.PERSONAL_SUPPORT, part_of="Procedure/1"), {}),
)
def test_a_part_adds_codes_without_a_second_gc001(row: Row) -> None:
    coded = kva.code(row.activity, row.region)
    assert (given_codes(coded), coded.rule) == (row.codes, "kva-one-per-occasion")
    assert bool(coded.uncoded_because) == (not row.codes)


def test_the_first_code_of_a_part_is_its_main_code() -> None:
    both = done(ActivityKind.PLAN, EMPLOYER, mode=TELEPHONE, part_of="Procedure/1")
    coded = kva.code(both, VGR)
    assert coded.main is not None
    assert (coded.main.code, [each.code for each in coded.accompanying]) == ("DV077", ["ZV506"])
    assert kva.code(replace(both, claimed_main="DV077", claimed_accompanying=("ZV506",)), VGR) == coded


# ---- What is documented and not coded (rule 20) ------------------------------------------------------------------

UNCODED = {
    "the contacted party did not answer": (ActivityStatus.NOT_DONE, NotDoneReason.NO_ANSWER, "kva-no-answer"),
    "the patient declined": (ActivityStatus.NOT_DONE, NotDoneReason.DECLINED, "kva-declined"),
    "the case led to no activity": (ActivityStatus.NOT_DONE, NotDoneReason.NO_ACTIVITY, "kva-no-activity"),
    "it did not come about, it is not said why": (ActivityStatus.NOT_DONE, None, "kva-not-done"),
    "it is planned": (ActivityStatus.PREPARATION, None, "kva-not-performed"),
    "it goes on": (ActivityStatus.IN_PROGRESS, None, "kva-not-performed"),
    "it is on hold": (ActivityStatus.ON_HOLD, None, "kva-not-performed"),
    "it was broken off": (ActivityStatus.STOPPED, None, "kva-not-performed"),
    "it is not known": (ActivityStatus.UNKNOWN, None, "kva-not-performed"),
    "it was entered in error": (ActivityStatus.ENTERED_IN_ERROR, None, "kva-entered-in-error"),
}


@pytest.mark.parametrize(("status", "reason", "rule"), UNCODED.values(), ids=UNCODED)
@pytest.mark.parametrize("kind", [ActivityKind.PLAN, EMPLOYER])
def test_it_is_not_coded_when(
    kind: ActivityKind, status: ActivityStatus, reason: NotDoneReason | None, rule: str
) -> None:
    activity = done(kind, mode=TELEPHONE, status=status, not_done_reason=reason)
    for region in (VGR, WITH_VIDEO, WITHOUT_READING):
        coded = kva.code(activity, region)
        assert (coded.codes, coded.rule) == ((), rule)
        assert coded.uncoded_because


def test_no_status_and_no_reason_is_left_out_of_the_table() -> None:
    assert {status for status, _, _ in UNCODED.values()} == set(ActivityStatus) - {ActivityStatus.COMPLETED}
    assert {reason for _, reason, _ in UNCODED.values()} == {*NotDoneReason, None}


def test_the_regions_reading_of_gc001_is_told_as_the_regions_own() -> None:
    unanswered = done(EMPLOYER, status=ActivityStatus.NOT_DONE, not_done_reason=NotDoneReason.NO_ANSWER)
    why = "the contacted party did not answer: documented, not coded"
    assert kva.code(unanswered, VGR).uncoded_because == f"{why}; {VGR.gc001_reading}"
    assert kva.code(unanswered, WITHOUT_READING).uncoded_because == why


def test_without_a_time_it_is_not_known_to_be_performed() -> None:
    coded = kva.code(done(ActivityKind.PLAN, performed=None), VGR)
    assert (coded.codes, coded.rule) == ((), "kva-not-performed")


def test_a_corrected_record_loses_its_codes() -> None:
    """Whatever codes the record still carries when it is entered in error, they are not compared."""
    wrong = done(
        EMPLOYER, status=ActivityStatus.ENTERED_IN_ERROR, claimed_main="GC001", claimed_accompanying=("ZV506",)
    )
    assert kva.code(wrong, VGR).codes == ()


# ---- Days: what the codes are called, and when they may be set ---------------------------------------------------

GC001_CALLED = {
    "2021": ("2021-03-01T12:00", "Rehabiliteringskoordinering för sjukskrivna"),
    "before the first known words": ("2020-02-01T12:00", "Rehabiliteringskoordinering för sjukskrivna"),
    "the last minute in Sweden": ("2024-06-19T21:59", "Rehabiliteringskoordinering för sjukskrivna"),
    "the new words, from midnight in Sweden": (
        "2024-06-19T22:00",
        "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet",
    ),
    "today": ("2026-05-04T10:00", "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet"),
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("when", "words"), GC001_CALLED.values(), ids=GC001_CALLED)
def test_gc001_is_called_what_it_was_called_on_the_day(when: str, words: str) -> None:
    main = kva.code(done(ActivityKind.PERSONAL_SUPPORT, performed=at(when)), VGR).main
    assert main == AppliedCode("GC001", words, "kva-coordination")


def test_a_code_is_not_set_before_it_is_valid() -> None:
    preventive = done(ActivityKind.PLAN, with_sick_leave=False, performed=at("2020-12-31T22:59"))
    (issue,) = refusal(preventive)
    assert (issue.type, issue.expression, issue.rule) == (
        IssueType.BUSINESS_RULE,
        "Procedure.performed",
        "kva-validity",
    )
    valid = kva.code(replace(preventive, performed=at("2020-12-31T23:00")), VGR)
    assert given_codes(valid) == GC001 | {"AW020": "kva-plan-without-sick-leave"}


def test_an_unknown_validity_never_refuses() -> None:
    long_ago = done(*ActivityKind, mode=VISIT, performed=at("1998-01-01T12:00"))
    unknown = {code for code, known in kva.CODES.items() if known.valid_from is None and known.valid_to is None}
    assert set(given_codes(kva.code(long_ago, VGR))) == unknown


# ---- What the client says that the codes are ---------------------------------------------------------------------

CLAIMS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "the main code": ({"claimed_main": "GC001"}, []),
    "the accompanying code": ({"claimed_accompanying": ("ZV506",)}, []),
    "both": ({"claimed_main": "GC001", "claimed_accompanying": ("ZV506",)}, []),
    "the accompanying code twice": ({"claimed_accompanying": ("ZV506", "ZV506")}, []),
    "another main code": ({"claimed_main": "DV077"}, ["Procedure.code"]),
    "the accompanying code as the main one": ({"claimed_main": "ZV506"}, ["Procedure.code"]),
    "an unknown code": ({"claimed_main": "XX999"}, ["Procedure.code"]),
    "a main code in small letters": ({"claimed_main": "gc001"}, ["Procedure.code"]),
    "another accompanying code": ({"claimed_accompanying": ("ZV502",)}, ["Procedure.extension"]),
    "one accompanying code more": ({"claimed_accompanying": ("ZV506", "DV077")}, ["Procedure.extension"]),
    "that there is no accompanying code": ({"claimed_accompanying": ()}, ["Procedure.extension"]),
    "both wrong": (
        {"claimed_main": "AU124", "claimed_accompanying": ("GC001",)},
        ["Procedure.code", "Procedure.extension"],
    ),
}


@pytest.mark.parametrize(("claims", "refused_at"), CLAIMS.values(), ids=CLAIMS)
def test_after_a_call_to_the_employer_the_client_says(claims: dict[str, Any], refused_at: list[str]) -> None:
    activity = done(EMPLOYER, mode=TELEPHONE, **claims)
    if not refused_at:
        assert given_codes(kva.code(activity, VGR)) == BY_EMPLOYER
        return
    issues = refusal(activity)
    assert [issue.expression for issue in issues] == refused_at
    assert all(issue.rule for issue in issues)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"status": ActivityStatus.NOT_DONE, "not_done_reason": NotDoneReason.NO_ANSWER}, "kva-no-answer"),
        ({"status": ActivityStatus.PREPARATION}, "kva-not-performed"),
        ({"part_of": "Procedure/1"}, "kva-one-per-occasion"),
    ],
)
def test_a_claimed_gc001_is_refused_with_the_rule_that_gives_none(changes: dict[str, Any], rule: str) -> None:
    (issue,) = refusal(done(EMPLOYER, mode=TELEPHONE, claimed_main="GC001", **changes))
    assert (issue.expression, issue.rule) == ("Procedure.code", rule)


def test_a_refused_code_is_never_repeated() -> None:
    issues = refusal(done(EMPLOYER, mode=TELEPHONE, claimed_main="19121212", claimed_accompanying=("F438A",)))
    assert not [issue for issue in issues if "19121212" in issue.text or "F438A" in issue.text]


# ---- No diagnosis (rule 25) --------------------------------------------------------------------------------------

TELLS_A_DIAGNOSIS = (
    "Procedure.reasonCode",
    "Procedure.reasonReference[0]",
    "Procedure.complication",
    "Procedure.complicationDetail",
    "Procedure.bodySite",
)


@pytest.mark.parametrize("element", TELLS_A_DIAGNOSIS)
@pytest.mark.parametrize("status", ActivityStatus)
def test_a_record_with_a_diagnosis_is_refused(element: str, status: ActivityStatus) -> None:
    (issue,) = refusal(done(ActivityKind.PLAN, status=status, diagnosis_at=(element,)))
    assert (issue.type, issue.expression, issue.rule) == (IssueType.BUSINESS_RULE, element, "kva-no-diagnosis")


def test_every_element_that_tells_of_one_is_named() -> None:
    issues = refusal(done(ActivityKind.PLAN, diagnosis_at=TELLS_A_DIAGNOSIS))
    assert tuple(issue.expression for issue in issues) == TELLS_A_DIAGNOSIS


def test_a_region_may_document_with_diagnosis() -> None:
    activity = done(ActivityKind.PLAN, diagnosis_at=TELLS_A_DIAGNOSIS)
    assert given_codes(kva.code(activity, WITH_DIAGNOSIS)) == GC001 | {"DV077": "kva-plan"}


# ---- What holds for any activity ---------------------------------------------------------------------------------


def test_nobody_is_asked_for_role_or_profession() -> None:
    """Rules 20, 27: whatever role or profession, with or without the patient; the rules cannot even see it."""
    seen = {field.name for field in fields(CoordinationActivity)}
    assert seen.isdisjoint({"performer", "role", "profession", "licence", "patient_present"})


def test_every_rule_says_what_it_is_and_where_it_comes_from() -> None:
    assert all(rule.name.startswith("kva-") and rule.says and rule.source for rule in kva.ACCOMPANYING)
    assert len({rule.name for rule in kva.ACCOMPANYING}) == len(kva.ACCOMPANYING)
    assert {rule.code for rule in kva.ACCOMPANYING} | {"GC001"} == set(kva.CODES)
    assert all(known.displays and all(words.source for words in known.displays) for known in kva.CODES.values())


ACTIVITIES = st.builds(
    replace,
    st.just(DONE),
    kinds=st.lists(st.sampled_from(ActivityKind), min_size=1, max_size=4).map(tuple),
    status=st.sampled_from([ActivityStatus.COMPLETED] * 8 + list(ActivityStatus)),
    mode=st.sampled_from((*ContactMode, None)),
    not_done_reason=st.sampled_from((*NotDoneReason, None)),
    with_sick_leave=st.booleans(),
    part_of=st.sampled_from((None, None, "Procedure/1")),
    performed=st.datetimes(datetime(2021, 1, 2), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - st adds it
)
REGIONS = st.sampled_from((VGR, WITH_VIDEO))


@settings(deadline=None)
@given(ACTIVITIES, REGIONS)
def test_coding_what_is_coded_changes_nothing(activity: CoordinationActivity, region: RegionalProfile) -> None:
    coded = kva.code(activity, region)
    said = replace(
        activity,
        claimed_main=coded.main.code if coded.main else None,
        claimed_accompanying=tuple(applied.code for applied in reversed(coded.accompanying)),
    )
    assert kva.code(said, region) == kva.code(activity, region) == coded


@settings(deadline=None)
@given(ACTIVITIES, REGIONS, st.sampled_from(ActivityKind))
def test_one_kind_more_never_takes_a_code_away(
    activity: CoordinationActivity, region: RegionalProfile, more: ActivityKind
) -> None:
    before = set(given_codes(kva.code(activity, region)))
    assert before <= set(given_codes(kva.code(replace(activity, kinds=(*activity.kinds, more)), region)))


@settings(deadline=None)
@given(ACTIVITIES)
def test_counting_video_only_adds(activity: CoordinationActivity) -> None:
    strict, wide = (set(given_codes(kva.code(activity, region))) for region in (VGR, WITH_VIDEO))
    assert wide - strict <= ({"ZV506", "ZV502"} if activity.mode is VIDEO else set())
    assert strict <= wide


def test_gc001_exactly_when_performed_and_no_part_of_another() -> None:
    """Every kind, way of contact and status: 15 × 7 × 8 × 2 × 2 occasions."""
    dimensions = product(ActivityKind, (*ContactMode, None), ActivityStatus, (True, False), (None, "Procedure/1"))
    for kind, mode, status, sick_leave, part_of in dimensions:
        coded = kva.code(done(kind, mode=mode, status=status, with_sick_leave=sick_leave, part_of=part_of), VGR)
        performed = status is ActivityStatus.COMPLETED
        gc001 = coded.main is not None and coded.main.code == "GC001"
        assert gc001 == (performed and part_of is None)
        assert performed or not coded.accompanying
        assert bool(coded.uncoded_because) == (coded.main is None)
