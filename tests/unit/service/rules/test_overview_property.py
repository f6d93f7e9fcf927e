"""The overview's steps (rehabstod.md § 2.1) against a plain reading of them, on any small unit.

The engine itself is not read twice here (test_sjukfall_property.py does): what is asked is who and what goes into it, and what
comes through to whom.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.identity import PersonId
from contracts.sick_leave import Certificate, CertificatePeriod
from service.rules.sick_leave import MODES, Listed, Marking, Question, held, overview, unit_view
from tests.unit.service.rules.overview_forms import ADA, BO, CIA, CLINIC, ON, UNIT

DOCTORS = ("D1", "D2", "")


def _certificates() -> st.SearchStrategy[list[Certificate]]:
    return st.lists(st.builds(_certificate, st.integers(0, 2**32)), max_size=8).map(_numbered)


def _certificate(number: int) -> Certificate:
    """From one number, so that it is quick to draw."""
    parts = [number // 8**n % 8 for n in range(10)]
    periods = tuple(
        CertificatePeriod(ON + timedelta(days=first - 6), ON + timedelta(days=first - 6 + length), 50)
        for first, length in ((parts[0], parts[1]), (parts[2] + 4, parts[3] % 3))[: 1 + parts[4] % 2]
    )
    return Certificate(
        id="",
        patient=(ADA, BO, CIA)[parts[5] % 3],
        unit=(UNIT, CLINIC)[parts[6] % 2],
        periods=periods,
        signed=datetime(2016, 2, 1 + parts[7], tzinfo=UTC),
        doctor=DOCTORS[parts[8] % 3],
    )


def _numbered(certificates: list[Certificate]) -> list[Certificate]:
    return [replace(each, id=f"c{n}") for n, each in enumerate(certificates)]


LISTED = st.fixed_dictionaries(
    {
        person: st.builds(
            Listed,
            id=st.just(person.digits[:8]),
            marking=st.sampled_from([Marking.NONE, Marking.NONE, Marking.PROTECTED, Marking.NOT_FOUND]),
            deceased=st.sampled_from([False, False, False, True]),
        )
        for person in (ADA, BO, CIA)
    }
)
ASKED = st.fixed_dictionaries(
    {"mode": st.sampled_from(list(MODES)), "gap": st.integers(0, 6), "max_days_since_end": st.integers(0, 6)},
    optional={
        "unit": st.sampled_from(["", UNIT.value, CLINIC.value]),
        "doctors": st.sampled_from([(), ("D1",), ("D2",), ("D1", "D2")]),
    },
)
Shown = set[tuple[PersonId, str, tuple[str, ...], int]]


def plain(certificates: list[Certificate], patients: dict[PersonId, Listed], q: Question, doctor: str) -> Shown:
    """Patient by patient, one sentence of § 2.1 at a time."""
    shown: Shown = set()
    for person, listed in patients.items():
        own = [each for each in certificates if each.patient == person]
        wanted = list(own)
        if q.unit:
            wanted = [each for each in wanted if each.unit.value == q.unit]
        if q.doctors:
            wanted = [each for each in wanted if each.doctor in q.doctors]
        if doctor:
            wanted = [each for each in wanted if each.doctor == doctor]
        earliest = q.on - timedelta(days=q.max_days_since_end)
        near = [p for each in wanted for p in each.periods if p.start <= q.on and p.end >= earliest]
        if not near or listed.deceased:
            continue
        if listed.marking is not Marking.NONE:
            own = [each for each in own if doctor != "" and each.doctor == doctor]
        for leave in unit_view(own, q.on, q.gap, q.max_days_since_end, MODES[q.mode]):
            of_those_asked_for = not q.doctors or leave.shown.doctor in q.doctors
            of_the_doctor = not doctor or leave.shown.doctor == doctor
            if of_those_asked_for and of_the_doctor:
                members = tuple(each.id for each in leave.certificates)
                shown.add((person, leave.shown.id, members, leave.days))
    return shown


@given(_certificates(), LISTED, ASKED, st.sampled_from(["", "D1", "D2"]))
@settings(max_examples=600, deadline=None)
def test_the_steps_are_what_a_plain_reading_says(
    certificates: list[Certificate], patients: dict[PersonId, Listed], asked: dict[str, Any], doctor: str
) -> None:
    question = Question(ON, **asked)
    found = overview(certificates, patients, question, doctor)
    assert {(row.person, row.active, row.certificates, row.days) for row in found.rows} == plain(
        certificates, patients, question, doctor
    )
    assert found.total == len(found.rows)


@given(_certificates(), LISTED, ASKED, st.sampled_from(["", "D1"]))
@settings(max_examples=200, deadline=None)
def test_nobody_learns_of_the_protected(
    certificates: list[Certificate], patients: dict[PersonId, Listed], asked: dict[str, Any], doctor: str
) -> None:
    """Their certificates change no row of anybody else's, and the number held back is the whole unit's, whatever is
    asked."""
    question = Question(ON, **asked)
    protected = {person for person, listed in patients.items() if listed.marking is not Marking.NONE}
    others = [each for each in certificates if each.patient not in protected]
    found = held(certificates, patients, question, doctor)
    assert [row for row in found.rows if row.person not in protected] == list(
        held(others, patients, question, doctor).rows
    )
    whole = Question(ON, **{**asked, "unit": "", "doctors": ()})
    assert found.held_back == held(certificates, patients, whole, doctor).held_back
    assert found.held_back <= len(protected)
