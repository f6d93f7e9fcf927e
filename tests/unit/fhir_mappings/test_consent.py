from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.consent import (
    Consent,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    HowGiven,
    InformationCategory,
    Purpose,
    Recipient,
    RecipientKind,
)
from contracts.errors import Invalid, IssueType
from contracts.identity import FORSAKRINGSKASSAN, HsaId
from contracts.people import Party
from contracts.time import Period
from fhir_mappings import consent, r4
from fhir_mappings.identifiers import (
    ACT_CODE,
    ACT_REASON,
    CONSENT_ACTION,
    CONSENT_KIND,
    CONSENT_SCOPE,
    EXT_CONSENT_EVENT,
    EXT_CONSENT_MODE,
    HSA_ID,
    INFORMATION_CATEGORY,
    LAW_2019_1297,
    ORGANISATION_NUMBER,
    PARTICIPATION_TYPE,
)

UNIT, OTHER_UNIT, RECORDER = HsaId("SE5599990008-E0001"), HsaId("SE5599990008-E0002"), HsaId("SE5599990008-REKO1")
PARTIES = {
    "Organization/fk": Party("Organization/fk", FORSAKRINGSKASSAN, name="Försäkringskassan"),
    "Organization/verkstad": Party("Organization/verkstad", name="Verkstad", stated_kind=RecipientKind.EMPLOYER),
    "Organization/eken": Party("Organization/eken", hsa_id=UNIT, name="Eken"),
}
FK = Recipient(RecipientKind.FORSAKRINGSKASSAN, FORSAKRINGSKASSAN.value, "Försäkringskassan")
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def concept(system: str, *codes: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def by_hsa(unit: HsaId) -> dict[str, Any]:
    return {"identifier": {"system": HSA_ID.fhir, "value": unit.value}}


def actor(role: str, reference: dict[str, Any] | str) -> dict[str, Any]:
    target = {"reference": reference} if isinstance(reference, str) else reference
    return {"role": concept(PARTICIPATION_TYPE, role), "reference": target}


def without_nothing(elements: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in elements.items() if value is not None}


def provision(**elements: Any) -> dict[str, Any]:
    """A specific permission; ``None`` takes an element away."""
    specific = {
        "type": "permit",
        "period": {"start": "2026-03-02", "end": "2026-10-25"},
        "actor": [actor("CST", by_hsa(UNIT)), actor("IRCP", "Organization/fk")],
        "action": [concept(CONSENT_ACTION, "disclose")],
        "purpose": [{"system": ACT_REASON, "code": "COC"}],
        "code": [concept(INFORMATION_CATEGORY, "assumed_rehab_need"), concept(INFORMATION_CATEGORY, "contact_details")],
    }
    return without_nothing(specific | elements)


def verified(mode: str = "VERBAL", **elements: Any) -> dict[str, Any]:
    return {"verified": True, "extension": [{"url": EXT_CONSENT_MODE, "valueCode": mode}]} | elements


def disclosure(**elements: Any) -> dict[str, Any]:
    content = {
        "resourceType": "Consent",
        "status": "active",
        "scope": concept(CONSENT_SCOPE, "patient-privacy"),
        "category": [concept(CONSENT_KIND, "disclosure")],
        "patient": {"reference": "Patient/p1"},
        "dateTime": "2026-03-02T09:00:00+01:00",
        "policy": [{"uri": LAW_2019_1297}],
        "verification": [verified()],
        "provision": provision(),
    }
    return without_nothing(content | elements)


def coordination(**elements: Any) -> dict[str, Any]:
    stated = {
        "scope": concept(CONSENT_SCOPE, "treatment"),
        "category": [concept(CONSENT_KIND, "coordination")],
        "organization": [by_hsa(UNIT)],
        "provision": None,
    }
    return disclosure(**stated | elements)


def read(content: dict[str, Any]) -> Consent:
    return consent.from_fhir(content, "c1", 3, PARTIES.get)


DISCLOSURE = Consent(
    id="c1",
    version=3,
    kind=ConsentKind.DISCLOSURE,
    status=ConsentStatus.ACTIVE,
    effect=Effect.PERMIT,
    patient="p1",
    unit=UNIT,
    given=AT,
    how=HowGiven.ORAL,
    recipient=FK,
    direction=Direction.DISCLOSE,
    purposes=frozenset({Purpose.COORDINATION}),
    categories=frozenset({InformationCategory.ASSUMED_REHAB_NEED, InformationCategory.CONTACT_DETAILS}),
    period=Period.of_days(date(2026, 3, 2), date(2026, 10, 25)),
)
COORDINATION = Consent(
    id="c1",
    version=3,
    kind=ConsentKind.COORDINATION,
    status=ConsentStatus.ACTIVE,
    effect=Effect.PERMIT,
    patient="p1",
    unit=UNIT,
    given=AT,
    how=HowGiven.ORAL,
)


def differs(base: Consent, **fields: Any) -> Consent:
    known = {name: getattr(base, name) for name in base.__dataclass_fields__}
    return Consent(**known | fields)


REFUSAL = differs(
    DISCLOSURE,
    effect=Effect.DENY,
    unit=None,
    how=None,
    recipient=None,
    direction=None,
    purposes=frozenset(),
    categories=frozenset(),
    period=Period(),
)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (disclosure(), DISCLOSURE),
        (disclosure(verification=None, provision={"type": "deny"}), REFUSAL),
        (disclosure(dateTime=None, verification=[verified(verificationDate="2026-03-02T09:00:00+01:00")]), DISCLOSURE),
        (
            disclosure(verification=[{"verified": False}, verified("WRITTEN")]),
            differs(DISCLOSURE, how=HowGiven.WRITTEN),
        ),
        (
            disclosure(provision=provision(actor=[actor("IRCP", "Organization/verkstad")])),
            differs(
                DISCLOSURE,
                unit=None,
                recipient=Recipient(RecipientKind.EMPLOYER, "Organization/verkstad", "Verkstad"),
            ),
        ),
        (
            disclosure(provision=provision(actor=[actor("CST", "Organization/eken")])),
            differs(DISCLOSURE, recipient=None),
        ),
        (
            disclosure(
                provision=provision(
                    action=[concept(CONSENT_ACTION, "collect")],
                    purpose=[{"system": ACT_REASON, "code": code} for code in ("COC", "ELIGDTRM")],
                    period={"start": "2026-03-02"},
                    extension=[{"url": EXT_CONSENT_EVENT, "valueString": "avstämningsmötet"}],
                )
            ),
            differs(
                DISCLOSURE,
                direction=Direction.COLLECT,
                purposes=frozenset(Purpose),
                period=Period.of_days(date(2026, 3, 2), None),
                ends_with_event="avstämningsmötet",
            ),
        ),
        (disclosure(status="inactive"), differs(DISCLOSURE, status=ConsentStatus.INACTIVE)),
        (
            disclosure(status="draft", verification=None, dateTime=None),
            differs(DISCLOSURE, status=ConsentStatus.DRAFT, how=None, given=None),
        ),
        (coordination(), COORDINATION),
        (
            coordination(verification=None, organization=None),
            differs(COORDINATION, unit=None, how=None),
        ),
        (coordination(provision={"type": "deny"}), differs(COORDINATION, effect=Effect.DENY)),
        (
            coordination(organization=[by_hsa(OTHER_UNIT)], provision={"period": {"end": "2026-03-29"}}),
            differs(COORDINATION, unit=OTHER_UNIT, period=Period.of_days(None, date(2026, 3, 29))),
        ),
    ],
)
def test_what_a_consent_says(content: dict[str, Any], value: Consent) -> None:
    assert r4.check(content) == ()
    assert read(content) == value


@pytest.mark.parametrize(
    ("scope", "categories", "kind"),
    [
        ("treatment", [concept("x", "y")], ConsentKind.COORDINATION),
        ("patient-privacy", [concept("x", "y")], ConsentKind.DISCLOSURE),
        ("adr", [concept(ACT_CODE, "IDSCL")], ConsentKind.DISCLOSURE),
        ("patient-privacy", [concept(ACT_CODE, "IDSCL")], ConsentKind.DISCLOSURE),
        ("patient-privacy", [concept(CONSENT_KIND, "coordination")], ConsentKind.COORDINATION),
        ("treatment", [concept(ACT_CODE, "IDSCL"), concept(CONSENT_KIND, "disclosure")], ConsentKind.DISCLOSURE),
        ("research", [concept("x", "y")], None),
        ("treatment", [concept(ACT_CODE, "IDSCL")], None),
        ("treatment", [concept(CONSENT_KIND, "coordination"), concept(CONSENT_KIND, "disclosure")], None),
        ("treatment", [concept(CONSENT_KIND, "sip")], None),
    ],
)
def test_which_kind_it_is(scope: str, categories: list[Any], kind: ConsentKind | None) -> None:
    parts = {"type": "permit"}
    content = disclosure(scope=concept(CONSENT_SCOPE, scope), category=categories, provision=parts)

    if kind is None:
        assert {(at.partition("[")[0], rule) for _, at, rule in refused(content)} == {("category", "consent-kind")}
    else:
        assert read(content).kind is kind


def refused(content: dict[str, Any]) -> list[tuple[IssueType, str, str]]:
    with pytest.raises(Invalid) as refusal:
        read(content)
    return [(issue.type, issue.expression.removeprefix("Consent."), issue.rule) for issue in refusal.value.issues]


def not_obeyed(at: str) -> tuple[IssueType, str, str]:
    return IssueType.BUSINESS_RULE, f"provision.{at}", "consent-not-obeyed"


@pytest.mark.parametrize(
    ("content", "issues"),
    [
        (disclosure(patient=None), [(IssueType.REQUIRED, "patient", "patient-reference")]),
        (disclosure(patient={"display": "Ida"}), [(IssueType.VALUE, "patient", "patient-reference")]),
        (
            disclosure(dateTime="2026-03"),
            [(IssueType.VALUE, "dateTime", "day-precision"), (IssueType.REQUIRED, "dateTime", "consent-given")],
        ),
        (disclosure(dateTime=None), [(IssueType.REQUIRED, "dateTime", "consent-given")]),
        (disclosure(verification=None), [(IssueType.REQUIRED, "verification", "consent-how")]),
        (disclosure(verification=[verified(verified=False)]), [(IssueType.REQUIRED, "verification", "consent-how")]),
        (
            disclosure(verification=[verified("SHOUTED")]),
            [
                (IssueType.CODE_INVALID, "verification[0].extension[0].value", "consent-how"),
                (IssueType.REQUIRED, "verification", "consent-how"),
            ],
        ),
        (disclosure(provision=None), [(IssueType.REQUIRED, "provision.type", "consent-effect")]),
        (disclosure(provision=provision(type=None)), [(IssueType.REQUIRED, "provision.type", "consent-effect")]),
        (
            disclosure(provision=provision(actor=[actor("IRCP", f"Organization/{id}") for id in ("fk", "verkstad")])),
            [(IssueType.BUSINESS_RULE, "provision.actor", "consent-one-party")],
        ),
        (
            disclosure(provision=provision(actor=[actor("IRCP", "Organization/gone")])),
            [(IssueType.VALUE, "provision.actor[0].reference", "consent-party")],
        ),
        (
            disclosure(provision=provision(actor=[actor("IRCP", {"display": "arbetsgivaren"})])),
            [(IssueType.VALUE, "provision.actor[0].reference", "consent-party")],
        ),
        (
            disclosure(provision=provision(actor=[actor("CST", "Organization/fk")])),
            [(IssueType.VALUE, "provision.actor[0].reference", "consent-unit")],
        ),
        (
            disclosure(provision=provision(actor=[actor("CST", by_hsa(UNIT)), actor("WIT", "Organization/fk")])),
            [not_obeyed("actor[1]")],
        ),
        (
            disclosure(
                provision=provision(action=[concept(CONSENT_ACTION, "disclose"), concept(CONSENT_ACTION, "collect")])
            ),
            [(IssueType.BUSINESS_RULE, "provision.action", "consent-direction")],
        ),
        (
            disclosure(provision=provision(action=[concept(CONSENT_ACTION, "access")])),
            [(IssueType.CODE_INVALID, "provision.action[0].coding[0].code", "consent-direction")],
        ),
        (
            disclosure(provision=provision(purpose=[{"system": ACT_REASON, "code": "TREAT"}])),
            [(IssueType.CODE_INVALID, "provision.purpose[0].code", "consent-purpose")],
        ),
        (
            disclosure(provision=provision(purpose=[{"system": "x", "code": "COC"}])),
            [(IssueType.CODE_INVALID, "provision.purpose[0].code", "consent-purpose")],
        ),
        (
            disclosure(provision=provision(code=[concept(INFORMATION_CATEGORY, "everything")])),
            [(IssueType.CODE_INVALID, "provision.code[0].coding[0].code", "consent-code")],
        ),
        (
            disclosure(
                provision=provision(type="deny", code=[concept(INFORMATION_CATEGORY, "diagnosis"), {"text": "droger"}])
            ),
            [(IssueType.CODE_INVALID, "provision.code[1]", "consent-code")],
        ),
        (
            disclosure(provision=provision(period={"start": "2026-03-02", "end": "2026"})),
            [(IssueType.VALUE, "provision.period.end", "day-precision")],
        ),
        (
            disclosure(provision=provision(period={"start": "2026-03-02", "end": "2026-03-01"})),
            [(IssueType.INVARIANT, "provision.period", "period-reversed")],
        ),
        (disclosure(provision=provision(provision=[{"type": "deny"}])), [not_obeyed("provision")]),
        (
            disclosure(provision=provision(data=[{"meaning": "instance", "reference": {"reference": "Goal/1"}}])),
            [not_obeyed("data")],
        ),
        (disclosure(provision=provision(**{"class": [{"code": "x"}]})), [not_obeyed("class")]),
        (disclosure(provision=provision(securityLabel=[{"code": "N"}])), [not_obeyed("securityLabel")]),
        (disclosure(provision=provision(dataPeriod={"start": "2026"})), [not_obeyed("dataPeriod")]),
        (
            disclosure(provision=provision(modifierExtension=[{"url": "x", "valueBoolean": True}])),
            [(IssueType.BUSINESS_RULE, "provision.modifierExtension", "modifier-not-understood")],
        ),
        (
            coordination(provision={"type": "permit", "actor": [actor("IRCP", "Organization/fk")]}),
            [(IssueType.BUSINESS_RULE, "provision.actor[0].reference", "coordination-has-no-recipient")],
        ),
        (
            coordination(organization=[{"display": "Eken"}]),
            [(IssueType.VALUE, "organization[0]", "consent-party")],
        ),
    ],
)
def test_refused(content: dict[str, Any], issues: list[tuple[IssueType, str, str]]) -> None:
    assert refused(content) == issues


@pytest.mark.parametrize("content", [disclosure(), coordination(), disclosure(provision={"type": "deny"})])
def test_a_check_needs_no_store(content: dict[str, Any]) -> None:
    consent.check(content)


def test_a_check_tells_what_is_wrong() -> None:
    with pytest.raises(Invalid):
        consent.check(disclosure(patient=None))


# ---- Writing -------------------------------------------------------------------------------------------------------

DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
GIVEN = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)
EMPLOYER = Recipient(RecipientKind.EMPLOYER, "5599990008", "Ekens Verkstad AB")
DISCLOSURES = st.builds(
    Consent,
    id=st.just("c1"),
    version=st.just(3),
    kind=st.just(ConsentKind.DISCLOSURE),
    status=st.sampled_from(ConsentStatus),
    effect=st.sampled_from(Effect),
    patient=st.just("p1"),
    unit=st.none() | st.just(UNIT),
    given=GIVEN,
    how=st.sampled_from(HowGiven),
    recipient=st.none() | st.sampled_from([FK, EMPLOYER]),
    direction=st.none() | st.sampled_from(Direction),
    purposes=st.frozensets(st.sampled_from(Purpose)),
    categories=st.frozensets(st.sampled_from(InformationCategory)),
    period=st.tuples(st.none() | DAYS, st.none() | DAYS).map(lambda days: Period.of_days(*days)),
    ends_with_event=st.sampled_from(["", "mötet"]),
).filter(lambda stated: not stated.period.is_reversed)
COORDINATIONS = st.builds(
    Consent,
    id=st.just("c1"),
    version=st.just(3),
    kind=st.just(ConsentKind.COORDINATION),
    status=st.sampled_from(ConsentStatus),
    effect=st.sampled_from(Effect),
    patient=st.just("p1"),
    unit=st.none() | st.just(UNIT),
    given=GIVEN,
    how=st.none() | st.sampled_from(HowGiven),
)


@given(DISCLOSURES | COORDINATIONS)
def test_stated_consents_read_back(stated: Consent) -> None:
    made = consent.to_fhir(stated, recorder=RECORDER)

    assert r4.check(made) == ()
    assert read(made) == stated


def test_who_wrote_it_down_and_under_which_law() -> None:
    made = consent.to_fhir(COORDINATION, recorder=RECORDER)

    assert made["extension"][0]["valueReference"]["identifier"]["value"] == RECORDER.value
    assert made["policy"] == [{"uri": LAW_2019_1297}]
    assert ORGANISATION_NUMBER.fhir not in str(made)
