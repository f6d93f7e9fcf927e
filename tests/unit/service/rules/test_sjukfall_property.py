"""The engine against a second, naive one on any input, and how answers must change when questions do.

Both are asked as ``reko sjukfall`` is: with the JSON of a question. Days lie close together and are few, so that equal dates,
nested certificates and gaps of exactly the allowed length are common. Periods that end before they start are asked about in
the mode ``rehabstod`` alone: what a sick leave of them would mean is nobody's to say.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod
from service.rules.sick_leave import CORRECTED, MODES, Mode, group, patient_view
from service.sjukfall import answer
from tests.unit.service.rules import naive_sjukfall as naive
from tests.unit.service.rules.naive_sjukfall import Json

MODE = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
MANY = settings(max_examples=1000, deadline=None)
FIRST = "2024-01-01"
PERSON = PersonId(f"19700101980{control_digit('700101980')}")

CODES = ["F43.9", "m54.5", "F32.1  ", "M123   Palindrom reumatism", " J06", "åäö", "F-4", "ß", "12345678 "]
TIMES = ["T10:00", "T10:00:00", "T10:00:30", "T10:00:30.5", "T10:00:30.500001", "T11:59:59.000000001"]
SHORT = settings(max_examples=150, deadline=None)


def later(day: str, by: int) -> str:
    return (date.fromisoformat(day) + timedelta(by)).isoformat()


@dataclass(frozen=True)
class Kind:
    """Which questions: ``reversed_too`` lets periods end before they start, ``faults`` lets needed things be missing."""

    views: tuple[str, ...] = ("enhet", "patient")
    patients: tuple[str | None, ...] = ("P", "P", "P", "Q", " P ", "\tQ", None)
    reversed_too: bool = False
    faults: bool = False


def questions(**kind: Any) -> st.SearchStrategy[Json]:
    """Each question and each certificate from one number: quick to draw, and fewer certificates are simpler."""
    number = st.integers(0, 2**32)
    return st.builds(lambda first, rest: _question(Kind(**kind), first, rest), number, st.lists(number, max_size=8))


def _question(kind: Kind, number: int, certificates: list[int]) -> Json:
    chance = _chance(number)
    view = chance.choice(kind.views)
    patients = kind.patients if view == "enhet" else kind.patients[:1]
    own = [_certificate(kind, f"intyg-{n}", patients, _chance(each)) for n, each in enumerate(certificates)]
    for each, other in pairwise(own):
        if chance.random() < 0.25:
            each["formagor"] = other.get("formagor")
    return {
        "id": chance.choice([None, 7, "seven", 1.5, {"seven": [7]}]),
        "view": view,
        "aktivtDatum": None if kind.faults and chance.random() < 0.03 else _day(chance, 45),
        "maxIntygsGlapp": chance.choice([0, 1, 2, 3, 5, 8, 90] + [-1] * kind.faults),
        "maxAntalDagarSedanSjukfallAvslut": chance.choice([None, -1, 0, 1, 5, 14]),
        "intyg": own,
    }


def _certificate(kind: Kind, id: str, patients: tuple[str | None, ...], chance: Random) -> Json:
    shortest = -6 if kind.reversed_too and chance.random() < 0.4 else 0
    found: Json = {
        "id": id,
        "patientId": chance.choice(patients),
        "patientNamn": chance.choice([None, "Anna", "Bo"]),
        "lakareId": chance.choice([None, "L1", "L2"]),
        "vardenhetId": chance.choice([None, "E1", "E2"]),
        "vardgivareId": chance.choice([None, "V1"]),
        "signeringsTidpunkt": _day(chance) + chance.choice(TIMES),
        "diagnosKod": chance.choice([None, *CODES]),
        "biDiagnoser": chance.choice([None, [], CODES[:1], CODES[1:3]]),
        "sysselsattning": chance.choice([None, [], ["STUDIER"], ["ARBETSLOSHET", "ANNAT", "FORALDRALEDIG"]]),
        "formagor": [_period(shortest, chance) for _ in range(chance.choice([1, 1, 1, 2, 4]))],
    }
    if kind.faults and chance.random() < 0.1:
        found |= chance.choice(
            [{"signeringsTidpunkt": None}] * 5 + [{"formagor": []}, {"formagor": None}, {"diagnosKod": " "}]
        )
    return {key: value for key, value in found.items() if value is not None or chance.random() < 0.5}


def _period(shortest: int, chance: Random) -> Json:
    start = _day(chance)
    end = later(start, chance.choice([chance.randint(shortest, 3), chance.randint(shortest, 12)]))
    return {"start": start, "slut": end, "nedsattning": chance.choice([25, 50, 75, 100])}


def _day(chance: Random, last: int = 30) -> str:
    return later(FIRST, chance.randint(0, last))


def _chance(number: int) -> Random:
    return Random(number)  # noqa: S311 -- it makes test data


def asked(question: Json, mode: Mode) -> Json:
    found: Json = json.loads(answer(json.dumps(question).encode(), mode))
    return found


def result(question: Json, mode: Mode) -> Any:
    return asked(question, mode).get("result")


# Two engines


@given(questions(reversed_too=True, faults=True))
@MANY
def test_rehabstod_answers_what_the_naive_engine_answers(question: Json) -> None:
    try:
        expected = naive.result(question, "rehabstod")
    except naive.Failure:
        assert asked(question, MODES["rehabstod"]).keys() == {"id", "error"}
    else:
        assert asked(question, MODES["rehabstod"]) == {"id": question["id"], "result": expected}


@given(questions(faults=True))
@MANY
def test_corrected_answers_what_its_definition_says(question: Json) -> None:
    try:
        expected = naive.result(question, "corrected")
    except naive.Failure:
        assert asked(question, CORRECTED).keys() == {"id", "error"}
    else:
        assert asked(question, CORRECTED) == {"id": question["id"], "result": expected}


# How answers follow questions


@MODE
@given(question=questions(views=("enhet",), patients=("A", "B", "C"), reversed_too=True), chance=st.randoms())
@SHORT
def test_other_patients_change_nothing(mode: Mode, question: Json, chance: Random) -> None:
    """Nor does it matter where they come: each patient's answer is that of a question about nobody else."""
    own = {id: [each for each in question["intyg"] if each["patientId"] == id] for id in ("A", "B", "C")}
    alone = [result(question | {"intyg": certificates}, mode) for certificates in own.values()]
    mixed = [id for id in own for _ in own[id]]
    chance.shuffle(mixed)
    rests = {id: iter(certificates) for id, certificates in own.items()}
    assert result(question | {"intyg": [next(rests[id]) for id in mixed]}, mode) == [
        one for each in alone for one in each
    ]


@MODE
@given(question=questions(reversed_too=True), wider=st.integers(1, 30))
@SHORT
def test_a_wider_gap_never_splits(mode: Mode, question: Json, wider: int) -> None:
    narrow = _together(result(question, mode))
    wide = _together(result(question | {"maxIntygsGlapp": question["maxIntygsGlapp"] + wider}, mode))
    assert all(any(members <= others for others in wide) for members in narrow)


def _together(sick_leaves: list[Json]) -> list[set[str]]:
    return [set(each.get("intygLista") or [intyg["id"] for intyg in each["intyg"]]) for each in sick_leaves]


@MODE
@given(question=questions(reversed_too=True), by=st.integers(-800, 40_000))
@SHORT
def test_shifted_dates_shift_the_answer(mode: Mode, question: Json, by: int) -> None:
    assert result(_shifted(question, by), mode) == _shifted(result(question, mode), by)


DATES = {"start", "slut", "aktivtDatum"}


def _shifted(value: Any, by: int) -> Any:
    if isinstance(value, list):
        return [_shifted(each, by) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _shifted_member(key, each, by) for key, each in value.items()}


def _shifted_member(key: str, value: Any, by: int) -> Any:
    if key in DATES:
        return later(value, by)
    return later(value[:10], by) + value[10:] if key == "signeringsTidpunkt" else _shifted(value, by)


# What the mended mode promises beside


def _told_apart(question: Json) -> bool:
    times = [each["signeringsTidpunkt"] for each in question["intyg"]]
    return len({naive.signed(each) for each in times}) == len(times)


@given(question=questions(patients=("A",)), chance=st.randoms())
@SHORT
def test_corrected_does_not_ask_in_which_order_certificates_come(question: Json, chance: Random) -> None:
    assume(_told_apart(question))
    shuffled = list(question["intyg"])
    chance.shuffle(shuffled)
    before, after = (result(question | {"intyg": each}, CORRECTED) for each in (question["intyg"], shuffled))
    assert [_unordered(each) for each in before] == [_unordered(each) for each in after]


def _unordered(sick_leave: Json) -> Json:
    """Without the names that a group takes from its first certificate, and members in any order."""
    inner = sorted(sick_leave["intyg"], key=lambda each: each["id"]) if isinstance(sick_leave["intyg"], list) else None
    listed = sorted(sick_leave.get("intygLista", []))
    return sick_leave | {"intygLista": listed, "intyg": inner or sick_leave["intyg"], "patientNamn": None}


@given(questions(views=("enhet",), patients=("A",)))
@SHORT
def test_corrected_shows_one_sick_leave_in_both_views(question: Json) -> None:
    of_unit = result(question | {"maxAntalDagarSedanSjukfallAvslut": 0}, CORRECTED)
    of_patient = result(question | {"view": "patient"}, CORRECTED)
    if of_unit:
        (shown,) = of_unit
        (same,) = [each for each in of_patient if shown["aktivIntygsId"] in [intyg["id"] for intyg in each["intyg"]]]
        assert (same["start"], same["slut"], same["dagar"]) == (shown["start"], shown["slut"], shown["dagar"])
        assert sorted(shown["intygLista"]) == sorted(intyg["id"] for intyg in same["intyg"])


@given(questions(views=("patient",), patients=("A",)))
@SHORT
def test_stored_episodes_are_corrected_sick_leaves_seen_from_afar(question: Json) -> None:
    """``group`` counts what is to come; asked on a day after everything, the patient view says the same."""
    own = [_contract(each) for each in question["intyg"]]
    found = patient_view(own, date(2030, 1, 1), question["maxIntygsGlapp"], CORRECTED)
    assert [
        (each.start, each.end, {one.id for one in each.certificates}) for each in group(own, question["maxIntygsGlapp"])
    ] == [(each.start, each.end, {one.certificate.id for one in each.members}) for each in reversed(found)]


def _contract(each: Json) -> Certificate:
    periods = tuple(CertificatePeriod(start, end, degree) for start, end, degree in naive.periods(each))
    return Certificate(each["id"], PERSON, HsaId("SE1111111111-E001"), periods, datetime(2024, 1, 1, tzinfo=UTC))
