"""A unit's overview (rehabstod.md §§ 2.1, 4.5, 5.1, 5.3): which patients, which certificates count, what a row shows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.sick_leave import CertificatePeriod, RekoStatus, RekoStatusType
from service.rules.sick_leave import CORRECTED, REHABSTOD, Gender, Listed, Marking, Question, choices, overview
from service.rules.sick_leave.row import NO_NAME, age, gender
from tests.unit.service.rules.overview_forms import (
    ADA,
    BO,
    CIA,
    CLINIC,
    ON,
    UNIT,
    find,
    intyg,
    listed,
    one,
    person,
)
from tests.unit.service.rules.sjukfall_forms import day
from tests.unit.service.rules.test_sjukfall import ENGINE, Expected

PROTECTED = Listed("ada", "Ada", Marking.PROTECTED)


def who(*certificates: Any, **rest: Any) -> list[str]:
    return [row.patient for row in find(*certificates, **rest).rows]


# Which patients (steps 2-4, 8)

CHOSEN = {
    "covers the day": (["02-12..20"], {}, True),
    "ended yesterday": (["02-01..15"], {}, False),
    "ended yesterday, one day asked for": (["02-01..15"], {"max_days_since_end": 1}, True),
    "ended as long ago as asked for": (["02-01..11"], {"max_days_since_end": 5}, True),
    "ended one day longer ago": (["02-01..10"], {"max_days_since_end": 5}, False),
    "begins tomorrow": (["02-17..20"], {}, False),
    "a hole on the day": (["02-11..15+02-17..22"], {}, False),
    "a hole on the day, days asked for": (["02-11..15+02-17..22"], {"max_days_since_end": 14}, False),
    "a hole on the day that another fills": (["02-11..15+02-17..22", "02-16..16"], {}, True),
}


@pytest.mark.parametrize("mode", [REHABSTOD.name, CORRECTED.name])
@pytest.mark.parametrize(("texts", "asked", "is_shown"), CHOSEN.values(), ids=CHOSEN)
def test_who_is_shown(texts: list[str], asked: dict[str, Any], is_shown: bool, mode: str) -> None:
    assert bool(find(*map(intyg, texts), mode=mode, **asked).rows) is is_shown


def test_all_certificates_of_a_patient_count_wherever_and_whosever() -> None:
    here = intyg("02-12..20", unit=CLINIC)
    elsewhere = intyg("02-01..10", doctor="D2", unit=UNIT)
    row = one(here, elsewhere, unit=CLINIC.value, doctors=("D1",))
    assert (row.start, row.days, row.count) == (day("02-01"), 19, 2)


def test_a_mottagning_chooses_patients_and_may_show_another_ones_certificate() -> None:
    here = intyg("02-01..16", unit=CLINIC)
    newer = intyg("02-10..20 s 02-12", unit=UNIT)
    assert one(here, newer, unit=CLINIC.value).unit == UNIT
    assert find(newer, unit=CLINIC.value).rows == ()


def test_a_single_period_on_the_mottagning_is_enough_to_choose() -> None:
    """The national query looks at periods: one with a hole on the day may choose what another certificate shows."""
    holed = intyg("02-11..15+02-20..22", unit=CLINIC)
    active = intyg("02-12..19", unit=UNIT)
    assert one(holed, active, unit=CLINIC.value, max_days_since_end=1).active == active.id
    assert find(holed, active, unit=CLINIC.value).rows == ()


@pytest.mark.parametrize("mode", [REHABSTOD.name, CORRECTED.name])
@pytest.mark.parametrize(("texts", "expected"), ENGINE.values(), ids=ENGINE)
def test_the_national_engines_twelve_cases_as_rows(texts: tuple[str, ...], expected: Expected, mode: str) -> None:
    certificates = [intyg(text, id=str(number)) for number, text in enumerate(texts, 1)]
    rows = [(row.start, row.end, row.count, row.days, row.active) for row in find(*certificates, mode=mode).rows]
    assert rows == ([(day(expected[0]), day(expected[1]), *expected[2:])] if expected else [])


def test_the_gap_decides_what_belongs_together() -> None:
    both = intyg("02-01..08"), intyg("02-12..20")
    assert (one(*both, gap=2).start, one(*both, gap=3).start) == (day("02-12"), day("02-01"))


def test_the_mode_decides_which_of_those_that_ended_is_shown() -> None:
    """Q4."""
    both = intyg("02-01..08", doctor="D1"), intyg("02-09..12", doctor="D2")
    asked = {"max_days_since_end": 14}
    assert (one(*both, mode="rehabstod", **asked).doctor, one(*both, mode="corrected", **asked).doctor) == ("D1", "D2")


# Doctors (§§ 5.1, 7.9)

SCOPE = {
    "nobody asked, nobody's scope": ("", (), {"D1", "D2"}),
    "one asked for": ("", ("D2",), {"D2"}),
    "the scope of one": ("D1", (), {"D1"}),
    "her own asked for": ("D1", ("D1",), {"D1"}),
    "another's asked for: intersected, never added": ("D1", ("D2",), set()),
    "both asked for": ("D1", ("D1", "D2"), {"D1"}),
}


@pytest.mark.parametrize(("doctor", "asked", "shown"), SCOPE.values(), ids=SCOPE)
def test_a_doctor_sees_her_own(doctor: str, asked: tuple[str, ...], shown: set[str]) -> None:
    certificates = intyg("02-12..20", ADA, doctor="D1"), intyg("02-12..20", BO, doctor="D2")
    found = overview(certificates, listed(certificates), Question(ON, doctors=asked), doctor)
    assert {row.doctor for row in found.rows} == shown


def test_a_sick_leave_whose_certificate_that_is_shown_is_anothers_is_dropped() -> None:
    mine, newer = intyg("02-12..20", doctor="D1"), intyg("02-15..25 s 02-15", doctor="D2")
    assert who(mine, newer, doctor="D1") == []
    found = overview((mine, newer), listed((mine, newer)), Question(ON, doctors=("D1",)))
    assert found.rows == ()


def test_of_two_doctors_asked_for_only_her_own_certificates_choose_for_a_doctor() -> None:
    there, elsewhere = intyg("02-12..18", doctor="D2", unit=CLINIC), intyg("02-14..20", doctor="D1", unit=UNIT)
    asked = {"doctors": ("D1", "D2"), "unit": CLINIC.value}
    assert who(there, elsewhere, **asked) != []
    assert who(there, elsewhere, doctor="D1", **asked) == []


# Protected and deceased (§ 5.3)

MARKED = {
    "a coordinator": (PROTECTED, "", [], 1),
    "the doctor who issued": (PROTECTED, "D1", ["Skyddad personuppgift"], 0),
    "another doctor": (PROTECTED, "D2", [], 0),
    "not found": (Listed("ada", "", Marking.NOT_FOUND), "D1", ["Namn okänt"], 0),
    "not found, a coordinator": (Listed("ada", "", Marking.NOT_FOUND), "", [], 1),
    "deceased": (Listed("ada", "Ada", deceased=True), "", [], 0),
    "deceased and protected": (Listed("ada", "Ada", Marking.PROTECTED, deceased=True), "D1", [], 0),
    "neither": (Listed("ada", "Ada"), "", ["Ada"], 0),
}


@pytest.mark.parametrize(("patient", "doctor", "names", "held_back"), MARKED.values(), ids=MARKED)
def test_who_may_be_shown(patient: Listed, doctor: str, names: list[str], held_back: int) -> None:
    found = find(intyg("02-12..20"), patients={"ADA": patient}, doctor=doctor)
    assert ([row.name for row in found.rows], found.held_back) == (names, held_back)


def test_a_protected_sick_leave_is_made_of_the_doctors_own_certificates() -> None:
    own, others = intyg("02-12..20", doctor="D1"), intyg("02-01..10", doctor="D2")
    row = one(own, others, patients={"ADA": PROTECTED}, doctor="D1")
    assert (row.start, row.certificates, row.protected) == (day("02-12"), (own.id,), True)


def test_an_issuer_without_id_is_nobody() -> None:
    assert find(intyg("02-12..20", doctor=""), patients={"ADA": PROTECTED}).rows == ()


@pytest.mark.parametrize(
    "asked",
    [{"text": "1971"}, {"age_from": 99}, {"doctors": ("D9",)}, {"unit": CLINIC.value}, {"chapters": ("F00-F99",)}],
)
def test_how_many_are_held_back_tells_nothing_by_filters(asked: dict[str, Any]) -> None:
    assert find(intyg("02-12..20"), patients={"ADA": PROTECTED}, **asked).held_back == 1


# What a row shows


def test_a_row_shows_the_active_certificate_and_the_whole_sick_leave() -> None:
    newest = intyg(
        "02-12..15@100+02-16..20@50",
        id="new",
        diagnosis="F43.8A Utmattning",
        secondary_diagnoses=("m54.5", " "),
        occupations=("ARBETSLOSHET", "NYTT_SLAG"),
        unit_name="Mottagningen",
    )
    row = one(intyg("02-01..10@75", id="old"), newest)
    assert row.diagnosis is not None
    assert (row.diagnosis.code, row.diagnosis.name, row.chapter.id) == ("F438A", "Utmattning", "F00-F99")
    assert [each.code for each in row.secondary] == ["M545"]
    assert row.occupations == ("Arbetssökande", "NYTT_SLAG")
    assert (row.start, row.end, row.days, row.days_left) == (day("02-01"), day("02-20"), 19, 4)
    assert (row.active, row.certificates, row.count) == ("new", ("old", "new"), 2)
    assert (row.degree, row.degrees) == (50, (100, 50))
    assert [each.degree for each in row.periods] == [75, 100, 50]
    assert (row.doctor, row.doctor_name, row.unit, row.unit_name) == ("D1", "Dag", UNIT, "Mottagningen")
    assert (row.age, row.gender, row.number[:9]) == (45, Gender.WOMAN, "19710101-")


def test_a_certificate_that_counts_twice_has_one_line_in_time() -> None:
    """Q1: of two with the same days the one signed later takes both places."""
    row = one(intyg("02-12..20 s 02-12", id="A"), intyg("02-12..20 s 02-13", id="B"))
    assert (row.certificates, row.count) == (("B", "B"), 2)
    assert row.periods == (CertificatePeriod(day("02-12"), day("02-20"), 100),)


ENDED = {
    "goes on": ("02-12..20", 0, (4, False)),
    "ends today": ("02-12..16", 0, (0, False)),
    "ended within the days": ("02-01..14", 2, (-2, True)),
    "ended, more days asked for": ("02-01..14", 14, (-2, True)),
}


@pytest.mark.parametrize(("text", "asked", "expected"), ENDED.values(), ids=ENDED)
def test_days_left_and_recently_ended(text: str, asked: int, expected: tuple[int, bool]) -> None:
    row = one(intyg(text), max_days_since_end=asked)
    assert (row.days_left, row.recently_ended) == expected


def test_one_ahead_makes_the_sick_leave_not_recently_ended() -> None:
    """Q5: the flag is the sick leave's, not the certificate's; the degree is 0 all the same."""
    both = intyg("02-01..14"), intyg("02-18..20")
    national, ours = (one(*both, mode=mode, max_days_since_end=5) for mode in ("rehabstod", "corrected"))
    assert (national.days_left, national.recently_ended, national.degree) == (4, False, 0)
    assert (ours.days_left, ours.recently_ended, ours.degree) == (-2, True, 0)


def test_names_come_from_the_record_then_the_certificate() -> None:
    known, unknown = Listed("ada", "Ada Ek"), Listed("ada")
    assert one(intyg("02-12..20"), patients={"ADA": known}).name == "Ada Ek"
    assert one(intyg("02-12..20", patient_name="A Ek"), patients={"ADA": unknown}).name == "A Ek"
    assert one(intyg("02-12..20", patient_name=""), patients={"ADA": unknown}).name == NO_NAME


@pytest.mark.parametrize("text", [None, "  "])
def test_without_a_diagnosis_there_is_no_chapter(text: str | None) -> None:
    row = one(intyg("02-12..20", diagnosis=text))
    assert (row.diagnosis, row.chapter.id) == (None, "none")


AGES = [("19710216", 45), ("19710217", 44), ("19710215", 45), ("20160216", 0), ("19710276", 45), ("19710277", 44)]


@pytest.mark.parametrize(("born", "years"), AGES)
def test_ages_are_whole_years_and_the_60_of_a_samordningsnummer_is_taken_away(born: str, years: int) -> None:
    assert age(person(born), ON) == years


def test_gender_is_the_last_digit_but_one() -> None:
    assert [gender(person("19700101", serial)) for serial in (980, 981)] == [Gender.WOMAN, Gender.MAN]


def test_doctors_who_share_a_name_are_told_apart() -> None:
    certificates = (
        intyg("02-12..20", ADA, doctor="D1", doctor_name="Dag"),
        intyg("02-12..20", BO, doctor="D2", doctor_name="Dag"),
        intyg("02-12..20", CIA, doctor="D3", doctor_name=""),
    )
    assert sorted(row.doctor_name for row in find(*certificates).rows) == ["D3", "Dag (D1)", "Dag (D2)"]


# RekoStatus (§ 4.1)


def status(type: str, on: str, registered: int = 1, version: int = 1) -> RekoStatus:
    at = datetime(2016, 2, 16, registered, tzinfo=UTC)
    return RekoStatus(RekoStatusType(type), "ada", UNIT, day(on), at, UNIT, version)


STATUSES = {
    "none": ([], None),
    "on the first day": ([status("REKO_2", "02-12")], "REKO_2"),
    "on the last day": ([status("REKO_2", "02-20")], "REKO_2"),
    "before it": ([status("REKO_2", "02-11")], None),
    "after it": ([status("REKO_2", "02-21")], None),
    "the newest registration, not the newest day": (
        [status("REKO_2", "02-13", 2), status("REKO_3", "02-15", 1)],
        "REKO_2",
    ),
    "registered at once: the later version": (
        [status("REKO_3", "02-13", 1, 2), status("REKO_2", "02-13", 1, 1)],
        "REKO_3",
    ),
}


@pytest.mark.parametrize(("statuses", "found"), STATUSES.values(), ids=STATUSES)
def test_the_status_of_a_sick_leave(statuses: list[RekoStatus], found: str | None) -> None:
    row = one(intyg("02-12..20"), patients={"ADA": Listed("ada", statuses=tuple(statuses))})
    assert (row.status and row.status.type) == found


# Pages


def three(**asked: Any) -> Any:
    certificates = (
        intyg("02-12..20", ADA, patient_name="Åsa"),
        intyg("02-12..18", BO, patient_name="Örn"),
        intyg("02-14..20", CIA, patient_name="Zoe"),
    )
    return overview(certificates, listed(certificates), Question(ON, **asked))


ORDERS = {
    ("end", False): ["Örn", "Åsa", "Zoe"],
    ("end", True): ["Åsa", "Zoe", "Örn"],
    ("start", True): ["Zoe", "Åsa", "Örn"],
    ("name", False): ["Zoe", "Åsa", "Örn"],
    ("age", False): ["Zoe", "Örn", "Åsa"],
    ("number", False): ["Åsa", "Örn", "Zoe"],
    ("length", False): ["Örn", "Zoe", "Åsa"],
}


@pytest.mark.parametrize(("order", "names"), ORDERS.items())
def test_order(order: tuple[str, bool], names: list[str]) -> None:
    assert [row.name for row in three(sort=order[0], descending=order[1]).rows] == names


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", ["status", "gender", "end", "doctor", "name", "degree", "diagnosis", "occupation"])
def test_pages_join_to_the_whole_in_every_order(sort: str, descending: bool) -> None:
    whole = three(sort=sort, descending=descending).rows
    pages, after = [], None
    for left in (3, 2, 1):
        page = three(sort=sort, descending=descending, limit=1, after=after)
        assert (page.total, page.next is None) == (3, left == 1)
        pages += page.rows
        after = page.next
    assert tuple(pages) == whole


def test_a_row_that_comes_or_goes_between_pages_moves_no_other() -> None:
    first = three(limit=2)
    without = [intyg("02-12..18", BO, patient_name="Örn"), intyg("02-14..20", CIA, patient_name="Zoe")]
    earlier = intyg("02-12..17", person("19800101"))
    certificates = [*without, earlier]
    second = overview(certificates, listed(certificates), Question(ON, limit=2, after=first.next))
    assert [row.name for row in second.rows] == ["Zoe"]


def test_offset_and_no_rows_at_all() -> None:
    assert [row.name for row in three(offset=1, limit=1).rows] == ["Åsa"]
    beyond = three(offset=9)
    assert (beyond.rows, beyond.total, beyond.next) == ((), 3, None)
    counted = three(limit=0)
    assert (counted.rows, counted.total, counted.next) == ((), 3, None)
    nothing = overview((), {}, Question(ON))
    assert (nothing.rows, nothing.total, nothing.held_back) == ((), 0, 0)


def test_choices_are_what_occurs() -> None:
    found = find(
        intyg("02-12..20", ADA, doctor="D2", doctor_name="Östen", diagnosis="F43", occupations=("STUDIER",)),
        intyg("02-12..20", BO, doctor="D1", doctor_name="Åke", unit=CLINIC, unit_name="Mottagningen"),
        intyg("02-01..15", CIA, doctor="D1", doctor_name="Åke"),
        max_days_since_end=1,
    )
    offered = choices(found.rows)
    assert offered.doctors == (("D1", "Åke"), ("D2", "Östen"))
    assert offered.chapters == ("F00-F99", "none")
    assert offered.units == ((CLINIC.value, "Mottagningen"), (UNIT.value, UNIT.value))
    assert (offered.occupations, offered.sick_leaves, offered.ongoing) == (("Studier",), 3, 2)


def test_far_days_are_reckoned_with() -> None:
    """Q9: a typed end date stays; and nothing overflows at the calendar's own ends."""
    row = one(intyg("02-12..9999-12-31"), max_days_since_end=14)
    assert (row.end, row.days_left) == (date.max, (date.max - ON).days)
    certificates = [intyg("0001-01-01..0001-01-02")]
    assert overview(certificates, listed(certificates), Question(date(1, 1, 1), max_days_since_end=14)).total == 1
