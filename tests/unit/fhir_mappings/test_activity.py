import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.activity import (
    ActivityKind,
    ActivityStatus,
    AppliedCode,
    CodedActivity,
    ContactMode,
    CoordinationActivity,
    Identifier,
    NotDoneReason,
)
from contracts.errors import Invalid, IssueType
from contracts.identity import HsaId
from contracts.record import Document
from fhir_mappings import activity, r4
from fhir_mappings.document import decode, from_content
from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    EXT_ACCOMPANYING_CODE,
    EXT_CODING_RULE,
    EXT_CONTACT_MODE,
    EXT_WITH_SICK_LEAVE,
    HSA_ID,
    ICD_10_SE,
    KVA,
    NOT_DONE_REASON,
)

EVENTS = Path(__file__).parents[3] / "contracts" / "wire" / "events"
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
UNIT, EMPLOYEE = HsaId("SE5599990008-E0001"), HsaId("SE5599990008-REKO1")


def coding(system: str, code: str, **more: Any) -> dict[str, Any]:
    return {"system": system, "code": code} | more


def kva(code: str, **more: Any) -> dict[str, Any]:
    return coding(KVA.fhir, code, **more)


def procedure(**elements: Any) -> dict[str, Any]:
    """A meeting with the employer; ``None`` takes an element away."""
    content = {
        "resourceType": "Procedure",
        "status": "completed",
        "category": {"coding": [coding(ACTIVITY_KIND, "employer-contact")]},
        "subject": {"reference": "Patient/p1"},
        "performedDateTime": "2026-03-02T09:00:00+01:00",
    }
    return {name: value for name, value in (content | elements).items() if value is not None}


def not_done(**elements: Any) -> dict[str, Any]:
    tried = {
        "status": "not-done",
        "statusReason": {"coding": [coding(NOT_DONE_REASON, "no-answer")]},
        "code": {"text": "Samtal till arbetsgivaren"},
        "performedDateTime": None,
    }
    return procedure(**tried | elements)


def extension(url: str, **value: Any) -> dict[str, Any]:
    return {"url": url} | value


# ---- Reading -------------------------------------------------------------------------------------------------------

MEETING = CoordinationActivity(
    patient="p1", kinds=(ActivityKind.EMPLOYER_CONTACT,), status=ActivityStatus.COMPLETED, performed=AT
)


def differs(**fields: Any) -> CoordinationActivity:
    known = {name: getattr(MEETING, name) for name in MEETING.__dataclass_fields__}
    return CoordinationActivity(**known | fields)


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (procedure(), MEETING),
        (
            procedure(
                category={
                    "coding": [
                        coding("http://snomed.info/sct", "410606002"),
                        *(coding(ACTIVITY_KIND, kind) for kind in ("plan", "employer-contact", "plan")),
                    ]
                }
            ),
            differs(kinds=(ActivityKind.PLAN, ActivityKind.EMPLOYER_CONTACT)),
        ),
        (procedure(performedDateTime="2026-03-29"), differs(performed=datetime(2026, 3, 28, 23, tzinfo=UTC))),
        (
            procedure(
                performedDateTime=None, performedPeriod={"start": "2026-03-02T09:00:00+01:00", "end": "2026-03-02"}
            ),
            MEETING,
        ),
        (
            procedure(extension=[extension(EXT_CONTACT_MODE, valueCode="visit"), extension("x", valueCode="y")]),
            differs(mode=ContactMode.VISIT),
        ),
        (procedure(extension=[extension(EXT_WITH_SICK_LEAVE, valueBoolean=False)]), differs(with_sick_leave=False)),
        (procedure(extension=[extension(EXT_WITH_SICK_LEAVE, valueBoolean=True)]), MEETING),
        (
            procedure(partOf=[{"reference": "Observation/1"}, {"reference": "Procedure/2"}]),
            differs(part_of="Procedure/2"),
        ),
        (
            procedure(identifier=[{"system": "s", "value": "1"}]),
            differs(identifiers=(Identifier("s", "1"),)),
        ),
        (procedure(code={"coding": [coding("x", "y"), kva("GC001")]}), differs(claimed_main="GC001")),
        (procedure(code={"coding": [coding(KVA.also[0], "GC001")]}), differs(claimed_main="GC001")),
        (
            procedure(
                extension=[extension(EXT_ACCOMPANYING_CODE, valueCoding=kva(code)) for code in ("ZV506", "DV077")]
            ),
            differs(claimed_accompanying=("ZV506", "DV077")),
        ),
        (
            procedure(status="preparation", performedDateTime=None),
            differs(status=ActivityStatus.PREPARATION, performed=None),
        ),
        (
            not_done(),
            differs(status=ActivityStatus.NOT_DONE, performed=None, not_done_reason=NotDoneReason.NO_ANSWER),
        ),
        (procedure(statusReason={"coding": [coding(NOT_DONE_REASON, "declined")]}), MEETING),
    ],
)
def test_what_a_procedure_says(content: dict[str, Any], read: CoordinationActivity) -> None:
    assert r4.check(content) == ()
    assert activity.from_fhir(content) == read


@pytest.mark.parametrize(
    ("elements", "where"),
    [
        ({}, ()),
        ({"reasonCode": [{"text": "x"}]}, ("Procedure.reasonCode",)),
        (
            {"complication": [{"text": "x"}], "bodySite": [{"text": "x"}]},
            ("Procedure.complication", "Procedure.bodySite"),
        ),
        ({"complicationDetail": [{"reference": "Condition/1"}]}, ("Procedure.complicationDetail",)),
        ({"reasonReference": [{"reference": "Observation/1"}]}, ()),
        (
            {"reasonReference": [{"reference": "Observation/1"}, {"reference": "Condition/1"}]},
            ("Procedure.reasonReference[1]",),
        ),
        (
            {"reasonReference": [{"type": "Condition", "identifier": {"value": "1"}}]},
            ("Procedure.reasonReference[0]",),
        ),
        (
            {
                "contained": [{"resourceType": "Condition", "id": "a", "subject": {"reference": "Patient/p1"}}],
                "reasonReference": [{"reference": "#a"}],
            },
            ("Procedure.contained[0]",),
        ),
        (
            {"code": {"text": "x", "coding": [coding(ICD_10_SE.also[0], "M545")]}},
            ("Procedure.code.coding[0].code",),
        ),
        ({"note": [{"text": "Ryggvärk, M54.5"}]}, ()),
    ],
)
def test_where_a_diagnosis_stands(elements: dict[str, Any], where: tuple[str, ...]) -> None:
    assert activity.from_fhir(procedure(**elements)).diagnosis_at == where


@pytest.mark.parametrize(
    ("content", "issues"),
    [
        (procedure(category=None), [(IssueType.REQUIRED, "category", "activity-kind")]),
        (procedure(category={"text": "möte"}), [(IssueType.REQUIRED, "category.coding", "activity-kind")]),
        (
            procedure(category={"coding": [coding(ACTIVITY_KIND, "plan"), coding(ACTIVITY_KIND, "lunch")]}),
            [(IssueType.CODE_INVALID, "category.coding[1].code", "activity-kind")],
        ),
        (
            procedure(category={"coding": [{"system": ACTIVITY_KIND}]}),
            [(IssueType.CODE_INVALID, "category.coding[0].code", "activity-kind")],
        ),
        (procedure(subject={"display": "Ida"}), [(IssueType.VALUE, "subject", "patient-reference")]),
        (procedure(subject={"reference": "Group/1"}), [(IssueType.VALUE, "subject", "patient-reference")]),
        (procedure(performedDateTime=None), [(IssueType.REQUIRED, "performed", "performed-when")]),
        (procedure(performedDateTime="2026-03"), [(IssueType.VALUE, "performed", "day-precision")]),
        (procedure(performedDateTime="2026-02-31"), [(IssueType.VALUE, "performed", "day-precision")]),
        (
            procedure(performedDateTime=None, performedPeriod={"end": "2026-03-02"}),
            [(IssueType.REQUIRED, "performed", "performed-when")],
        ),
        (
            procedure(performedDateTime=None, performedPeriod={"start": "2026", "end": "2026-03-02"}),
            [(IssueType.VALUE, "performed.start", "day-precision")],
        ),
        (
            procedure(performedDateTime=None, performedPeriod={"start": "2026-03-02", "end": "2026-03-01"}),
            [(IssueType.INVARIANT, "performed", "period-reversed")],
        ),
        (
            procedure(status="stopped", performedDateTime=None, performedString="i går"),
            [(IssueType.BUSINESS_RULE, "performed", "performed-when")],
        ),
        (
            procedure(extension=[extension(EXT_CONTACT_MODE, valueCode="fax")]),
            [(IssueType.CODE_INVALID, "extension[0].value", "contact-mode")],
        ),
        (
            procedure(extension=[extension(EXT_CONTACT_MODE, valueString="visit")]),
            [(IssueType.BUSINESS_RULE, "extension[0].value", "contact-mode")],
        ),
        (
            procedure(extension=[extension(EXT_WITH_SICK_LEAVE, valueBoolean=value) for value in (True, False)]),
            [(IssueType.BUSINESS_RULE, "extension", "reko-procedure")],
        ),
        (
            procedure(code={"coding": [kva("GC001"), kva("ZV506")]}),
            [(IssueType.BUSINESS_RULE, "code.coding", "kva-one-main-code")],
        ),
        (
            procedure(code={"coding": [{"system": KVA.fhir, "display": "GC001"}]}),
            [(IssueType.REQUIRED, "code.coding[0].code", "kva-one-main-code")],
        ),
        (
            procedure(extension=[extension(EXT_ACCOMPANYING_CODE, valueCoding=coding("x", "ZV506"))]),
            [(IssueType.BUSINESS_RULE, "extension[0].value.system", "kva-accompanying")],
        ),
        (
            procedure(extension=[extension(EXT_ACCOMPANYING_CODE, valueString="ZV506")]),
            [(IssueType.BUSINESS_RULE, "extension[0].value", "kva-accompanying")],
        ),
        (not_done(statusReason=None), [(IssueType.REQUIRED, "statusReason", "not-done-uncoded")]),
        (
            not_done(statusReason={"coding": [coding(NOT_DONE_REASON, "tired")]}),
            [(IssueType.CODE_INVALID, "statusReason.coding[0].code", "not-done-uncoded")],
        ),
        (
            not_done(statusReason={"coding": [coding(NOT_DONE_REASON, code) for code in ("no-answer", "declined")]}),
            [(IssueType.BUSINESS_RULE, "statusReason", "not-done-uncoded")],
        ),
        (not_done(code=None), [(IssueType.REQUIRED, "code.text", "not-done-uncoded")]),
        (
            not_done(
                code={"text": "Samtal", "coding": [kva("GC001")]},
                extension=[extension(EXT_ACCOMPANYING_CODE, valueCoding=kva("ZV506"))],
            ),
            [
                (IssueType.BUSINESS_RULE, "code", "not-done-uncoded"),
                (IssueType.BUSINESS_RULE, "extension", "not-done-uncoded"),
            ],
        ),
        (
            procedure(performer=[{"actor": {"identifier": {"system": HSA_ID.fhir, "value": "reko"}}}]),
            [(IssueType.VALUE, "performer[0].actor.identifier.value", "identity-check")],
        ),
        (
            procedure(modifierExtension=[extension("x", valueBoolean=True)]),
            [(IssueType.BUSINESS_RULE, "modifierExtension", "modifier-not-understood")],
        ),
    ],
)
def test_refused(content: dict[str, Any], issues: list[tuple[IssueType, str, str]]) -> None:
    with pytest.raises(Invalid) as refusal:
        activity.from_fhir(content)

    told = [(issue.type, issue.expression.removeprefix("Procedure."), issue.rule) for issue in refusal.value.issues]
    assert told == issues


def test_everything_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        activity.from_fhir({"resourceType": "Procedure", "status": "completed"})

    assert {issue.expression for issue in refusal.value.issues} == {
        "Procedure.subject",
        "Procedure.category",
        "Procedure.performed",
    }


# ---- Codes ---------------------------------------------------------------------------------------------------------

GC001 = AppliedCode("GC001", "Koordineringsinsatser", "kva-main")
ZV506 = AppliedCode("ZV506", "Kontakt med arbetsgivare", "kva-employer")
DV077 = AppliedCode("DV077", "Planering", "kva-plan")
NONE = CodedActivity(None, uncoded_because="not done")


def ours(applied: AppliedCode) -> dict[str, Any]:
    rule = [extension(EXT_CODING_RULE, valueString=applied.rule)]
    return kva(applied.code, display=applied.display, extension=rule)


def accompanying(applied: AppliedCode) -> dict[str, Any]:
    return extension(EXT_ACCOMPANYING_CODE, valueCoding=ours(applied))


OTHER = extension("x", valueCode="y")
SNOMED = coding("http://snomed.info/sct", "1")


@pytest.mark.parametrize(
    ("elements", "coded", "code", "extensions"),
    [
        ({}, CodedActivity(GC001), {"coding": [ours(GC001)]}, None),
        (
            {"code": {"text": "Möte"}, "extension": [OTHER]},
            CodedActivity(GC001, (ZV506, DV077)),
            {"text": "Möte", "coding": [ours(GC001)]},
            [OTHER, accompanying(ZV506), accompanying(DV077)],
        ),
        (
            {"code": {"coding": [SNOMED, coding(KVA.also[0], "GC001", userSelected=True)], "text": "Möte"}},
            CodedActivity(GC001),
            {"coding": [SNOMED, ours(GC001)], "text": "Möte"},
            None,
        ),
        (
            {"extension": [extension(EXT_ACCOMPANYING_CODE, valueCoding=kva("ZV506")), OTHER]},
            CodedActivity(GC001, (ZV506,)),
            {"coding": [ours(GC001)]},
            [OTHER, accompanying(ZV506)],
        ),
        (
            {"code": {"coding": [ours(GC001)]}, "extension": [accompanying(ZV506), OTHER]},
            CodedActivity(GC001),
            {"coding": [ours(GC001)]},
            [OTHER],
        ),
        (
            {"code": {"coding": [ours(GC001)], "text": "Samtal"}, "extension": [accompanying(ZV506)]},
            NONE,
            {"text": "Samtal"},
            None,
        ),
        ({"code": {"coding": [ours(GC001)]}}, NONE, None, None),
        (
            {
                "code": {"coding": [kva("GC001")]},
                "extension": [extension(EXT_ACCOMPANYING_CODE, valueCoding=kva("ZV506"))],
            },
            NONE,
            {"coding": [kva("GC001")]},
            [extension(EXT_ACCOMPANYING_CODE, valueCoding=kva("ZV506"))],
        ),
        (
            {"partOf": [{"reference": "Procedure/1"}]},
            CodedActivity(None, (ZV506,)),
            None,
            [accompanying(ZV506)],
        ),
    ],
)
def test_codes_on_a_procedure(
    elements: dict[str, Any], coded: CodedActivity, code: dict[str, Any] | None, extensions: list[Any] | None
) -> None:
    before = from_content(procedure(**elements))

    after = activity.with_codes(before, coded)

    assert (after.content.get("code"), after.content.get("extension")) == (code, extensions)
    assert orjson.loads(after.body) == after.content
    assert r4.check(after.content) == ()


APPLIED = st.sampled_from([GC001, ZV506, DV077])
CODED = st.builds(CodedActivity, st.none() | APPLIED, st.lists(APPLIED, max_size=3, unique=True).map(tuple))
CODINGS = st.sampled_from([SNOMED, kva("GC001"), coding(KVA.also[0], "GC001"), ours(GC001), {"display": "Möte"}])
EXTENSIONS = st.sampled_from([OTHER, accompanying(ZV506), extension(EXT_ACCOMPANYING_CODE, valueCoding=kva("AU124"))])


@given(st.lists(CODINGS, max_size=3), st.lists(EXTENSIONS, max_size=4), CODED, CODED)
def test_coding_again_changes_no_byte(
    codings: list[Any], extensions: list[Any], earlier: CodedActivity, coded: CodedActivity
) -> None:
    spaced = json.dumps(procedure(code={"coding": codings, "text": "Möte"}, extension=extensions), indent=1)
    before: Document = activity.with_codes(decode(spaced.encode()), earlier)

    once = activity.with_codes(before, coded)

    assert activity.with_codes(once, coded) is once
    assert activity.with_codes(decode(once.body), coded).body == once.body


@given(st.lists(CODINGS, max_size=3), st.lists(EXTENSIONS, max_size=4), CODED)
def test_what_others_wrote_stays_in_order(codings: list[Any], extensions: list[Any], coded: CodedActivity) -> None:
    content = procedure(code={"coding": codings, "text": "Möte"}, extension=extensions)

    after = activity.with_codes(from_content(content), coded).content

    theirs = [each for each in codings if each.get("system") != KVA.fhir and each.get("system") not in KVA.also]
    kept = after["code"].get("coding", [])
    assert [each for each in kept if each in theirs] == theirs
    assert [each for each in after.get("extension", []) if each == OTHER] == [
        each for each in extensions if each == OTHER
    ]
    main = [each for each in kept if each.get("system") == KVA.fhir]
    assert coded.main is None or main == [ours(coded.main)]


# ---- Writing -------------------------------------------------------------------------------------------------------

ACTIVITIES = st.builds(
    CoordinationActivity,
    patient=st.just("p1"),
    kinds=st.lists(st.sampled_from(ActivityKind), min_size=1, max_size=3, unique=True).map(tuple),
    status=st.sampled_from([ActivityStatus.COMPLETED, ActivityStatus.PREPARATION]),
    performed=st.datetimes(datetime(2019, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
        lambda at: at.replace(microsecond=0)
    ),
    mode=st.none() | st.sampled_from(ContactMode),
    with_sick_leave=st.booleans(),
    part_of=st.none() | st.just("Procedure/1"),
    identifiers=st.just(()) | st.just((Identifier("s", "1"),)),
    claimed_main=st.none() | st.just("GC001"),
    claimed_accompanying=st.none() | st.just(("ZV506",)),
)


@given(ACTIVITIES, st.none() | st.just(EMPLOYEE), st.none() | st.just(UNIT))
def test_stated_activities_read_back(stated: CoordinationActivity, employee: HsaId | None, unit: HsaId | None) -> None:
    made = activity.to_fhir(stated, employee=employee, unit=unit, note="Bra möte", text="Möte")

    assert r4.check(made) == ()
    assert activity.from_fhir(made) == stated


def test_a_stated_attempt_reads_back() -> None:
    stated = activity.from_fhir(not_done())

    assert activity.from_fhir(activity.to_fhir(stated, employee=EMPLOYEE, unit=UNIT, text="Samtal")) == stated


# ---- The regional platform -----------------------------------------------------------------------------------------


def meta(version: str = "2") -> dict[str, str]:
    return {"versionId": version, "lastUpdated": "2026-03-02T09:31:04.512+01:00"}


FULL = procedure(
    id="x1",
    meta=meta() | {"tag": [coding("t", "t")]},
    text={"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>Ida Ek</div>"},
    identifier=[{"system": "s", "value": "1"}],
    category={"coding": [coding(ACTIVITY_KIND, "employer-contact", display="Ida Ek"), coding(ICD_10_SE.fhir, "M545")]},
    code={"coding": [SNOMED, ours(GC001)], "text": "Möte om Ida Ek"},
    extension=[extension(EXT_CONTACT_MODE, valueCode="visit"), accompanying(ZV506)],
    subject={"reference": "Patient/p1", "display": "Ida Ek"},
    performer=[
        {
            "function": {"coding": [coding("urn:oid:1.2.752.116.1.3.6", "203090", display="Rut")], "text": "Rut"},
            "actor": {"display": "Rut Ek"},
            "onBehalfOf": {"identifier": {"system": "urn:oid:1.2.752.129.2.1.4.1", "value": UNIT.value}},
        },
        {"actor": {"display": "Ida Ek"}},
    ],
    note=[{"text": "Ida Ek"}],
    report=[{"reference": "DocumentReference/1"}],
    location={"display": "Eken"},
    reasonReference=[{"reference": "Condition/1"}],
)


def test_only_what_follow_up_needs_leaves() -> None:
    assert activity.reduced(FULL, 2) == {
        "resourceType": "Procedure",
        "id": "x1",
        "meta": meta(),
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "extension": [extension(EXT_ACCOMPANYING_CODE, valueCoding=kva("ZV506", display=ZV506.display))],
        "category": {"coding": [coding(ACTIVITY_KIND, "employer-contact")]},
        "code": {"coding": [kva("GC001", display=GC001.display)]},
        "performedDateTime": "2026-03-02T09:00:00+01:00",
        "performer": [
            {
                "function": {"coding": [coding("urn:oid:1.2.752.116.1.3.6", "203090")]},
                "actor": {"identifier": {"system": HSA_ID.fhir, "value": UNIT.value}},
            }
        ],
    }


def test_the_unit_that_owns_the_record_stands_in() -> None:
    acting = {"actor": {"identifier": {"system": HSA_ID.fhir, "value": UNIT.value}}}
    coded = procedure(id="x1", meta=meta(), code={"coding": [ours(GC001)]})

    assert activity.reduced(coded, 1, unit=UNIT)["performer"] == [acting]
    assert activity.reduced(coded | {"performer": [{"actor": {"display": "Ida Ek"}}]}, 1, unit=UNIT)["performer"] == [
        acting
    ]
    judge("coded", activity.reduced(coded, 1, unit=UNIT))


@pytest.mark.parametrize(
    "content",
    [
        FULL,
        procedure(id="x1", meta=meta(), code={"coding": [ours(GC001)]}),
        procedure(
            id="x1",
            meta=meta(),
            code={"coding": [ours(GC001)]},
            performedDateTime=None,
            performedPeriod={"id": "a", "start": "2026-03-02", "extension": [OTHER]},
        ),
    ],
)
def test_events_keep_to_their_schemas(content: dict[str, Any]) -> None:
    judge("coded", activity.reduced(content, 2))
    judge("retracted", activity.retracted(content, 2))


def test_the_time_of_storing_can_be_told() -> None:
    content = procedure(id="x1", code={"coding": [ours(GC001)]})

    assert activity.reduced(content, 3, AT)["meta"] == {"versionId": "3", "lastUpdated": "2026-03-02T09:00:00+01:00"}


def judge(event: str, data: dict[str, Any]) -> None:
    schema = json.loads((EVENTS / f"activity.{event}.v1.schema.json").read_bytes())
    jsonschema_rs.validate(schema, data)
