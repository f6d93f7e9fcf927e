from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.time import Period, day_start, swedish_day
from fhir_mappings import primitives
from fhir_mappings.identifiers import ICD_10_SE, KVA

SHORT_NIGHT, LONG_NIGHT = date(2026, 3, 29), date(2026, 10, 25)
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-02", utc(2026, 3, 1, 23)),
        ("2026-03-29", utc(2026, 3, 28, 23)),
        ("2026-03-30", utc(2026, 3, 29, 22)),
        ("2026-10-25", utc(2026, 10, 24, 22)),
        ("2026-10-26", utc(2026, 10, 25, 23)),
        ("2026-03-02T09:00:00+01:00", utc(2026, 3, 2, 8)),
        ("2026-03-02T08:00:00Z", utc(2026, 3, 2, 8)),
        ("2026-03-02T08:00:00.123456789Z", datetime(2026, 3, 2, 8, 0, 0, 123456, UTC)),
        ("2026-10-25T02:30:00+02:00", utc(2026, 10, 25, 0, 30)),
        ("2026-10-25T02:30:00+01:00", utc(2026, 10, 25, 1, 30)),
        ("2016-12-31T23:59:60Z", utc(2017, 1, 1)),
        ("9999-12-31", primitives.LAST_INSTANT),
        ("9999-12-31T23:59:59Z", primitives.LAST_INSTANT),
    ],
)
def test_instants(text: str, at: datetime) -> None:
    assert primitives.instant(text) == at


@pytest.mark.parametrize(
    "text", ["2026", "2026-03", "2026-02-31", "2026-03-02T09:00:00", "0001-01-01", "0001-01-01T00:00:00+14:00"]
)
def test_what_does_not_say_the_day_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError):
        primitives.instant(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-29", date(2026, 3, 29)),
        ("2026-03-28T23:30:00Z", date(2026, 3, 29)),
        ("2026-10-25T22:59:59Z", date(2026, 10, 25)),
        ("2026-10-25T23:00:00Z", date(2026, 10, 26)),
        ("9999-12-31T23:59:59Z", date(9999, 12, 31)),
    ],
)
def test_swedish_days(text: str, day: date) -> None:
    assert primitives.swedish_date(text) == day


@pytest.mark.parametrize(
    ("element", "start", "end"),
    [
        ({}, None, None),
        ({"start": "2026-03-29"}, utc(2026, 3, 28, 23), None),
        ({"end": "2026-03-29"}, None, utc(2026, 3, 29, 22)),
        ({"end": "2026-10-25"}, None, utc(2026, 10, 25, 23)),
        ({"end": "2026-10-25T12:00:00+01:00"}, None, utc(2026, 10, 25, 11, 0, 1)),
        ({"end": "2026-10-25T12:00:00.9+01:00"}, None, utc(2026, 10, 25, 11, 0, 1)),
        ({"end": "9999-12-31"}, None, primitives.LAST_INSTANT),
        ({"end": "9999-12-31T23:59:59+01:00"}, None, primitives.LAST_INSTANT),
    ],
)
def test_periods_are_half_open(element: dict[str, str], start: datetime | None, end: datetime | None) -> None:
    assert primitives.period(element) == Period(start, end)


@pytest.mark.parametrize(("day", "hours"), [(SHORT_NIGHT, 23), (LONG_NIGHT, 25), (date(2026, 6, 1), 24)])
def test_a_day_is_as_long_as_it_is(day: date, hours: int) -> None:
    period = primitives.period({"start": day.isoformat(), "end": day.isoformat()})

    assert period.start is not None
    assert period.end == period.start + timedelta(hours=hours)


@given(
    st.sampled_from([SHORT_NIGHT, LONG_NIGHT]).flatmap(
        lambda day: st.dates(day - timedelta(days=2), day + timedelta(days=2))
    ),
    st.timedeltas(timedelta(days=-3), timedelta(days=3)),
)
def test_a_period_of_days_holds_exactly_its_days(day: date, away: timedelta) -> None:
    at = day_start(day) + away
    period = primitives.period({"start": day.isoformat(), "end": day.isoformat()})

    assert period.holds(at) is (swedish_day(at) == day)


@given(INSTANTS)
def test_instants_read_back(at: datetime) -> None:
    assert primitives.instant(primitives.to_instant(at)) == at


@given(st.none() | INSTANTS, st.none() | INSTANTS | st.dates(date(1950, 1, 1), date(2150, 1, 1)).map(day_start))
def test_periods_read_back(start: datetime | None, end: datetime | None) -> None:
    assert primitives.period(primitives.to_period(Period(start, end))) == Period(start, end)


def test_times_are_written_as_swedes_read_them() -> None:
    assert primitives.to_instant(utc(2026, 10, 25, 0, 30)) == "2026-10-25T02:30:00+02:00"
    assert primitives.to_instant(utc(2026, 10, 25, 1, 30)) == "2026-10-25T02:30:00+01:00"
    assert primitives.to_period(Period(utc(2026, 3, 28, 23), utc(2026, 3, 29, 22))) == {
        "start": "2026-03-29",
        "end": "2026-03-29",
    }


@pytest.mark.parametrize("system", ["urn:oid:1.2.752.116.1.3.2.1.4", "urn:oid:1.2.752.116.1.1.1.1.1"])
def test_codes_are_found_under_every_spelling_of_their_system(system: str) -> None:
    concepts: list[primitives.Json] = [
        {"text": "a"},
        {"coding": [{"system": "x", "code": "no"}, {"system": system, "code": "GC001"}]},
    ]

    assert primitives.codes(concepts, "P.category", KVA) == [("GC001", "P.category[1].coding[1].code")]
    assert primitives.codes(concepts, "P.category", ICD_10_SE) == []
    assert primitives.codes(concepts, "P.category", "x") == [("no", "P.category[1].coding[0].code")]


def test_a_coding_without_code_is_not_passed_over() -> None:
    assert primitives.coded({"coding": [{"system": KVA.fhir}]}, "P.code", KVA) == [("", "P.code.coding[0].code")]


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ({"reference": "Patient/1"}, ("Patient", "1")),
        ({"reference": "Patient/a-B.9"}, ("Patient", "a-B.9")),
        ({"reference": "https://ehr.example/fhir/Patient/1"}, None),
        ({"reference": "Patient/1/_history/2"}, ("Patient", "1")),
        ({"reference": "Patient/1\n"}, None),
        ({"reference": "Patient/å"}, None),
        ({"reference": "Patient?identifier=1"}, None),
        ({"reference": "urn:uuid:1"}, None),
        ({"reference": "#1"}, None),
        ({"identifier": {"value": "1"}}, None),
    ],
)
def test_literal_references(reference: dict[str, object], target: tuple[str, str] | None) -> None:
    assert primitives.literal(reference) == target


@pytest.mark.parametrize(
    ("reference", "points"),
    [
        ({"reference": "Condition/1"}, True),
        ({"reference": "https://ehr.example/fhir/Condition/1/_history/2"}, True),
        ({"type": "Condition", "identifier": {"value": "1"}}, True),
        ({"reference": "Observation/Condition"}, False),
        ({"reference": "PreCondition/1"}, False),
        ({"display": "Condition/1"}, False),
    ],
)
def test_whether_a_reference_points_at_a_type(reference: dict[str, object], points: bool) -> None:
    assert primitives.points_at(reference, "Condition") is points


def test_extension_values() -> None:
    element = {"extension": [{"url": "a", "valueCode": "x"}, {"url": "b", "valueBoolean": False}, {"url": "c"}]}

    assert [primitives.extension_value(element, url) for url in "abcd"] == ["x", False, None, None]
    assert primitives.extension_value({}, "a") is None


def test_identifiers_without_system_or_value_are_left_out() -> None:
    found = primitives.identifiers({"identifier": [{"value": "1"}, {"system": "s"}, {"system": "s", "value": "2"}]})

    assert [(each.system, each.value) for each in found] == [("s", "2")]
