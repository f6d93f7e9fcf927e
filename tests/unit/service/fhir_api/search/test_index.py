"""From a resource to its index rows: each kind of element, each precision of a date, and what must not stop a write."""

from datetime import UTC, date, datetime, timedelta, timezone
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.identifiers import EXT_EPISODE
from service.fhir_api.search.dates import FAR_FUTURE, FAR_PAST, span
from service.fhir_api.search.extract import normal
from service.fhir_api.search.index import rows_of
from service.fhir_api.search.parameters import OF_TYPE, PARAMETERS, definitions
from service.store.codec import from_micros, to_micros
from service.store.tables import INDEX_TABLES

NUMBERS = {key: number for number, key in enumerate(definitions())}

Rows = set[tuple[Any, ...]]


def rows(type: str, parameter: str, **content: Any) -> Rows:
    """The rows of one parameter, without its number."""
    return rows_in(PARAMETERS[type][parameter].kind, type, parameter, **content)


def rows_in(kind: str, type: str, parameter: str, **content: Any) -> Rows:
    """The parameter's rows in the table of another kind, or under what is behind its code."""
    found = rows_of(NUMBERS, {"resourceType": type, **content})
    return {tuple(values) for number, *values in found[kind] if number == NUMBERS[type, parameter]}


TWO_CODINGS = {"coding": [{"system": "urn:kva", "code": "GC001"}, {"code": "own"}, {"display": "no code"}]}


@pytest.mark.parametrize(
    ("code", "content", "expected"),
    [
        ("status", {"status": "completed"}, {("completed", "")}),
        ("code", {"code": TWO_CODINGS}, {("GC001", "urn:kva"), ("own", "")}),
        ("code", {"code": {"text": "words alone"}}, {("", "")}),
        ("code", {"code": {"coding": []}}, {("", "")}),
        ("code", {}, set()),
        (
            "identifier",
            {"identifier": [{"system": "urn:ehr", "value": "1"}, {"value": "2"}]},
            {("1", "urn:ehr"), ("2", "")},
        ),
        ("identifier", {"identifier": [{"system": "urn:ehr"}]}, {("", "")}),
        ("identifier", {"identifier": [{"system": "s", "value": "1"}] * 2}, {("1", "s")}),
        ("category", {"category": {"coding": [{"code": "a"}]}}, {("a", "")}),
    ],
)
def test_tokens(code: str, content: dict[str, Any], expected: Rows) -> None:
    assert rows("Procedure", code, **content) == expected


def test_a_boolean_is_a_token() -> None:
    assert rows("Patient", "active", active=True) == {("true", "")}
    assert rows("Patient", "active", active=False) == {("false", "")}


@pytest.mark.parametrize(
    "system", ["http://electronichealth.se/identifier/personnummer", "urn:oid:1.2.752.129.2.1.3.1"]
)
@pytest.mark.parametrize("number", ["198001019804", "19800101-9804"])
def test_a_system_has_one_spelling_in_the_index(system: str, number: str) -> None:
    expected = {("198001019804", "http://electronichealth.se/identifier/personnummer")}
    assert rows("Patient", "identifier", identifier=[{"system": system, "value": number}]) == expected


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"reference": "Patient/p-1"}, {("Patient/p-1",)}),
        ({"reference": "Patient/p-1/_history/3"}, {("Patient/p-1",)}),
        ({"reference": "#contained"}, {("#contained",)}),
        ({"reference": "https://other.example/fhir/Patient/1"}, {("https://other.example/fhir/Patient/1",)}),
        ({"identifier": {"value": "by identifier alone"}}, {("",)}),
        ({"display": "words alone"}, {("",)}),
    ],
)
def test_references(element: dict[str, Any], expected: Rows) -> None:
    contained = [{"resourceType": "Patient", "id": "contained"}]
    assert rows("Procedure", "patient", subject=element, contained=contained) == expected
    assert rows("Procedure", "subject", subject=element) == expected


@pytest.mark.parametrize(
    "element",
    [
        {"reference": "Group/1"},
        {"reference": "#contained"},
        {"type": "Group", "identifier": {"value": "1"}},
        {"reference": "https://other.example/fhir/Group/1"},
    ],
)
def test_what_is_no_patient_is_not_found_as_one(element: dict[str, Any]) -> None:
    contained = [{"resourceType": "Group", "id": "contained"}]
    assert rows("Procedure", "subject", subject=element, contained=contained)
    assert not rows("Procedure", "patient", subject=element, contained=contained)


def test_a_logical_reference_is_found_by_its_identifier() -> None:
    unit = {"identifier": {"system": "urn:oid:1.2.752.129.2.1.4.1", "value": "SE1-1"}}
    found = {("SE1-1", "urn:oid:1.2.752.29.4.19")}  # the one spelling of the system
    assert rows_in("token", "Observation", "performer", performer=[unit, {"display": "nobody"}]) == found
    assert rows_in("token", "DocumentReference", "custodian", custodian=unit) == found
    assert rows_in("token", "EpisodeOfCare", "organization", managingOrganization=unit) == found


def test_a_path_leads_through_repeating_elements() -> None:
    performer = [
        {"actor": {"reference": "Organization/1"}},
        {"function": {}},
        {"actor": {"reference": "Practitioner/2"}},
    ]
    assert rows("Procedure", "performer", performer=performer) == {("Organization/1",), ("Practitioner/2",)}


@pytest.mark.parametrize("names", [[{"given": ["Åsa", None, "Märta"]}], [{"given": ["Åsa"]}, {"given": ["Märta"]}]])
def test_nulls_in_a_list_of_texts_are_no_texts(names: list[Any]) -> None:
    """JSON of FHIR pads a list with nulls where an entry has only extensions."""
    assert rows("Patient", "given", name=names) == {("åsa", "Åsa"), ("mærta", "Märta")}


def test_several_elements_under_one_parameter() -> None:
    named = rows("Patient", "name", name=[{"text": "Åsa Ek", "family": "Ek", "given": ["Åsa"]}])
    assert named == {("åsa ek", "Åsa Ek"), ("ek", "Ek"), ("åsa", "Åsa")}


def test_every_parameter_of_every_type_bears_an_empty_resource() -> None:
    for type_ in PARAMETERS:
        found = rows_of(NUMBERS, {"resourceType": type_})
        alive = {(NUMBERS["Patient", "deceased"], "false", "")} if type_ == "Patient" else set()
        assert found == {kind: set() for kind in INDEX_TABLES} | {"token": alive}


@pytest.mark.parametrize("code", ["status", "code", "identifier", "patient", "subject"])
def test_rows_of_some_parameters_are_those_that_they_have_among_all(code: str) -> None:
    typed = {"type": {"coding": [{"system": "urn:types", "code": "ehr"}]}, "value": "1"}
    content = {
        "resourceType": "Procedure",
        "status": "completed",
        "code": TWO_CODINGS | {"text": "words"},
        "identifier": [typed],
        "subject": {"reference": "Patient/1", "identifier": {"value": "2"}},
    }
    numbers = {NUMBERS["Procedure", code], NUMBERS.get(("Procedure", code + OF_TYPE))}
    expected = {kind: {row for row in found if row[0] in numbers} for kind, found in rows_of(NUMBERS, content).items()}
    assert rows_of(NUMBERS, content, frozenset({code})) == expected
    assert any(expected.values())


def test_a_type_that_is_not_searched_has_no_rows() -> None:
    assert not any(rows_of(NUMBERS, {"resourceType": "Basic", "status": "x"}).values())


# Dates


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026", "2025-12-31T23:00", "2026-12-31T23:00"),
        ("2026-05", "2026-04-30T22:00", "2026-05-31T22:00"),
        ("2024-02", "2024-01-31T23:00", "2024-02-29T23:00"),
        ("2026-12", "2026-11-30T23:00", "2026-12-31T23:00"),
        ("2026-05-04", "2026-05-03T22:00", "2026-05-04T22:00"),
        ("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),  # spring: 23 hours
        ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),  # autumn: 25 hours
        ("2026-05-04T10:15", "2026-05-04T08:15", "2026-05-04T08:16"),
        ("2026-05-04T10:15:30", "2026-05-04T08:15:30", "2026-05-04T08:15:31"),
        ("2026-05-04T10:15:30Z", "2026-05-04T10:15:30", "2026-05-04T10:15:31"),
        ("2026-05-04T10:15:30+02:00", "2026-05-04T08:15:30", "2026-05-04T08:15:31"),
        ("2026-05-04T10:15:30-11:30", "2026-05-04T21:45:30", "2026-05-04T21:45:31"),
        ("2026-05-04T10:15:30.5Z", "2026-05-04T10:15:30.500", "2026-05-04T10:15:30.500001"),
        ("2026-05-04T10:15:30.123456789Z", "2026-05-04T10:15:30.123456", "2026-05-04T10:15:30.123457"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00", "2017-01-01T00:00:01"),  # a leap second
    ],
)
def test_what_a_date_covers(text: str, first: str, after: str) -> None:
    assert (span(text).start, span(text).end) == (utc(first), utc(after))


@pytest.mark.parametrize("text", ["0001", "0001-01", "0001-01-01"])
def test_the_first_day_of_the_calendar_is_an_open_beginning(text: str) -> None:
    assert span(text).start is None


@pytest.mark.parametrize("text", ["9999", "9999-12", "9999-12-31"])
def test_the_last_day_of_the_calendar_is_an_open_end(text: str) -> None:
    assert span(text).end is None


NO_DATES = [
    "26",
    "2026-5",
    "2026-05-4",
    "20260504",
    "2026-W19-1",
    "2026-13",
    "2026-02-30",
    "0000",
    "２０２６",
    "igår",
    "2026-05-04T",
    "2026-05-04T10",
    "2026-05-04_10:15:30Z",
    "2026-05-04T10:15:30+2",
    "2026-05-04T25:15:30Z",
    "0001-01-01T00:00:00",
]


@pytest.mark.parametrize("text", ["", *NO_DATES])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        span(text)


@pytest.mark.parametrize(
    ("element", "low", "high"),
    [
        ({"performedDateTime": "2026-05-04"}, "2026-05-03T22:00", "2026-05-04T22:00"),
        ({"performedPeriod": {"start": "2026-05-04", "end": "2026-06"}}, "2026-05-03T22:00", "2026-06-30T22:00"),
        ({"performedPeriod": {"start": "2026-05-04T10:15:30Z"}}, "2026-05-04T10:15:30", None),
        ({"performedPeriod": {"end": "2026-05-04"}}, None, "2026-05-04T22:00"),
        ({"performedPeriod": {"start": "2026-05-04", "end": "9999-12-31"}}, "2026-05-03T22:00", None),
        ({"performedPeriod": {"extension": []}}, None, None),
        ({"performedDateTime": "0001-01-01T00:00:00+14:00"}, None, None),  # before any instant that can be told
    ],
)
def test_dates_and_periods(element: dict[str, Any], low: str | None, high: str | None) -> None:
    ((first, last),) = rows("Procedure", "date", **element)
    assert first == (FAR_PAST if low is None else to_micros(utc(low)))
    assert last == (FAR_FUTURE if high is None else to_micros(utc(high)))


@given(st.dates(), st.sampled_from([4, 7, 10]))
def test_a_wider_date_covers_a_narrower_one(day: date, length: int) -> None:
    wide, narrow = span(day.isoformat()[:length]), span(day.isoformat())
    assert wide.start is None or narrow.start is None or wide.start <= narrow.start
    assert wide.end is None or (narrow.end is not None and narrow.end <= wide.end)


_zones = st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(utc("0001-01-03").replace(tzinfo=None), utc("9999-12-29").replace(tzinfo=None), timezones=_zones))
def test_a_time_with_zone_is_that_second(at: datetime) -> None:
    covered = span(at.replace(microsecond=0).isoformat())
    assert covered.start == at.replace(microsecond=0)
    assert covered.end == covered.start + timedelta(seconds=1)
    assert from_micros(to_micros(covered.start)) == covered.start


# Texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Åsa", "åsa"),
        ("A\u030asa", "åsa"),
        ("ÅNGSTRÖM", "ångstrøm"),
        ("Émile Zola", "emile zola"),
        ("e\u0301mile", "emile"),
        ("  Anna \t Maria\n", "anna maria"),
        ("Straße", "strasse"),
        ("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
        ("İzmir", "izmir"),
        ("Øst", "øst"),
        ("Öst", "øst"),
        ("Ärla", "ærla"),
    ],
)
def test_texts_are_compared_without_case_accents_and_needless_blanks(text: str, expected: str) -> None:
    assert normal(text) == expected


@given(st.text())
def test_what_is_normal_stays_so(text: str) -> None:
    assert normal(normal(text)) == normal(text)


def test_asa_is_not_asa() -> None:
    assert len({normal("Asa"), normal("Åsa"), normal("Äsa")}) == 3


# Other kinds of elements


@pytest.mark.parametrize(
    ("kind", "type", "code", "content", "expected"),
    [
        (
            "token",
            "Patient",
            "email",
            {
                "telecom": [
                    {"system": "email", "value": "a@b.example"},
                    {"system": "phone", "value": "070"},
                    {"value": "x"},
                ]
            },
            {("a@b.example", "")},
        ),
        ("token", "Patient", "phone", {"telecom": [{"system": "phone"}]}, {("", "")}),
        ("token", "Patient", "deceased", {"deceasedDateTime": "2026"}, {("true", "")}),
        ("token", "Patient", "deceased", {"deceasedBoolean": False}, {("false", "")}),
        ("token", "Patient", "deceased", {"deceasedBoolean": True}, {("true", "")}),
        (
            "token",
            "Patient",
            "identifier:of-type",
            {
                "identifier": [
                    {"type": {"coding": [{"system": "s", "code": "MR"}, {"code": "X"}]}, "value": "1"},
                    {"value": "2"},
                ]
            },
            {("1", "s|MR"), ("1", "|X")},
        ),
        (
            "string",
            "Procedure",
            "code",
            {"code": {"coding": [{"code": "1", "display": "Möte"}], "text": "Ett MÖTE"}},
            {("møte", "Möte"), ("ett møte", "Ett MÖTE")},
        ),
        (
            "string",
            "Patient",
            "identifier",
            {"identifier": [{"type": {"text": "Kort"}, "value": "1"}]},
            {("kort", "Kort")},
        ),
        (
            "string",
            "Patient",
            "address",
            {
                "address": [
                    {"line": ["Gata 1", None], "city": "By", "postalCode": "123 45", "period": {"start": "2026"}}
                ]
            },
            {("gata 1", "Gata 1"), ("by", "By"), ("123 45", "123 45")},
        ),
        (
            "string",
            "Practitioner",
            "name",
            {"name": [{"prefix": ["Dr"], "family": "Ek", "use": "official"}]},
            {("dr", "Dr"), ("ek", "Ek")},
        ),
        ("reference", "Procedure", "instantiates-canonical", {"instantiatesCanonical": ["u|1"]}, {("u|1",), ("u",)}),
        (
            "reference",
            "Observation",
            "episode-of-care",
            {"extension": [{"url": EXT_EPISODE, "valueReference": {"reference": "EpisodeOfCare/1"}}, {"url": "other"}]},
            {("EpisodeOfCare/1",)},
        ),
        ("uri", "Procedure", "_profile", {"meta": {"profile": ["a", "b|1"]}}, {("a",), ("b|1",)}),
        (
            "quantity",
            "Observation",
            "value-quantity",
            {"valueQuantity": {"value": 1.5, "unit": "per cent", "system": "u", "code": "%"}},
            {("%", 1.5, 1.5, "u"), ("per cent", 1.5, 1.5, "")},
        ),
        (
            "quantity",
            "Observation",
            "value-quantity",
            {"valueQuantity": {"value": 5, "comparator": "<"}},
            {("", -inf, 5.0, "")},
        ),
        ("quantity", "Observation", "value-quantity", {"valueQuantity": {"unit": "mg"}}, set()),
        (
            "quantity",
            "Observation",
            "value-quantity",
            {"valueSampledData": {"origin": {"value": 10, "code": "mm"}, "factor": 2, "data": "E 1 -3 U"}},
            {("mm", 4.0, 12.0, "")},
        ),
        (
            "quantity",
            "ValueSet",
            "context-quantity",
            {"useContext": [{"code": {"code": "age"}, "valueRange": {"low": {"value": 18, "unit": "a"}}}]},
            {("", 18.0, inf, ""), ("a", 18.0, inf, "")},
        ),
        (
            "quantity",
            "Encounter",
            "length",
            {"length": {"value": 20, "unit": "min", "code": "min"}},
            {("min", 20.0, 20.0, "")},
        ),
        ("special", "Location", "near", {"position": {"latitude": 59.3, "longitude": 18}}, {(59.3, 18.0)}),
        (
            "composite",
            "DocumentReference",
            "relationship",
            {"relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/1"}}]},
            {("DocumentReference/1", "", "replaces", "", 0.0, 0.0)},
        ),
        (
            "composite",
            "Observation",
            "code-value-string",
            {"code": {"coding": [{"code": "c"}]}, "valueString": "Å"},
            {("c", "", "å", "Å", 0.0, 0.0)},
        ),
    ],
)
def test_what_is_found_in_an_element(kind: str, type: str, code: str, content: dict[str, Any], expected: Rows) -> None:
    assert rows_in(kind, type, code, **content) == expected


def test_each_time_of_a_timing_and_the_bounds_of_what_repeats() -> None:
    timing = {"event": ["2026-01-01", None], "repeat": {"boundsPeriod": {"start": "2026-02-01"}}}
    days = [span("2026-01-01"), span("2026-02-01")]
    assert None not in [day.start for day in days] + [day.end for day in days]
    (first, after), (bound, _) = [(to_micros(day.start), to_micros(day.end)) for day in days if day.start and day.end]
    found = rows("CarePlan", "activity-date", activity=[{"detail": {"scheduledTiming": timing}}])
    assert found == {(first, after), (bound, FAR_FUTURE)}
    assert rows("CarePlan", "activity-date", activity=[{"detail": {"scheduledTiming": {"repeat": {}}}}]) == set()
