"""Bytes <-> contracts for the REST form, ``POST /sickleave/active`` (rehabstod.md §§ 2, 2.1). Pure: no I/O, no clock.

It answers with computed sick leaves, not with certificates. Strict in what is asked, lenient in what is read.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from contracts.errors import Invalid, Unavailable
from contracts.identity import BadIdentity, HsaId, PersonId
from contracts.pulling import MOST_DAYS
from contracts.sick_leave import ReportedDiagnosis, ReportedSickLeave, SetAside

MOST_GAP: Final = 90
"""What Rehabstöd lets its users set (§ 4.4)."""

Days = tuple[int | None, int | None]
"""From and to, both inclusive; ``None`` is an open side."""
_ANY: Final[Days] = (None, None)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter of diagnoses, from one category to another (``F00``, ``F99``); its name must be the national one, letter
    by letter (§ 4.3)."""

    first: str
    last: str
    name: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked beside the unit. Everything that is left out, or empty, narrows nothing.

    ``sub_unit`` is a mottagning: the patients are those with a certificate there. ``protected_for`` is the doctor who may
    see persons with protected identity, those that this doctor has certified.
    """

    gap: int = 5
    days_since_end: int = 0
    sub_unit: HsaId | None = None
    doctors: tuple[str, ...] = ()
    lengths: tuple[Days, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    ages: tuple[int, int] | None = None
    ends: tuple[date | None, date | None] = (None, None)
    statuses: tuple[str, ...] = ()
    occupations: tuple[str, ...] = ()
    text: str = ""
    protected_for: HsaId | None = None


def request(unit: HsaId, wanted: Wanted) -> bytes:
    """The question. Raises ``Invalid`` for what may not be asked."""
    _check(wanted)
    ages, ends = wanted.ages or _ANY, wanted.ends
    return orjson.dumps(
        {
            "careUnitId": unit.value,
            "unitId": wanted.sub_unit and wanted.sub_unit.value,
            "doctorIds": wanted.doctors,
            "maxCertificateGap": wanted.gap,
            "maxDaysSinceSickLeaveCompleted": wanted.days_since_end,
            "sickLeaveLengthIntervals": [{"from": first, "to": last} for first, last in wanted.lengths],
            "diagnosisChapters": [_chapter(chapter) for chapter in wanted.chapters],
            "fromPatientAge": ages[0],
            "toPatientAge": ages[1],
            "protectedPersonFilterId": wanted.protected_for and wanted.protected_for.value,
            "fromSickLeaveEndDate": ends[0],
            "toSickLeaveEndDate": ends[1],
            "rekoStatusTypeIds": wanted.statuses,
            "occupationTypeIds": wanted.occupations,
            "textSearch": wanted.text or None,
        }
    )


_CATEGORY: Final = re.compile(r"[A-Z ]\d{1,2}", re.ASCII)


def _check(wanted: Wanted) -> None:
    reversed_ranges = [span for span in (*wanted.lengths, wanted.ages or _ANY, wanted.ends) if _is_reversed(*span)]
    wrong = {
        f"a gap is 0 to {MOST_GAP} days": not 0 <= wanted.gap <= MOST_GAP,
        f"days since the end of a sick leave are 0 to {MOST_DAYS}": not 0 <= wanted.days_since_end <= MOST_DAYS,
        "an interval ends before it begins": bool(reversed_ranges),
        "a chapter goes from a letter and a number to another": not all(map(_is_chapter, wanted.chapters)),
    }
    if any(wrong.values()):
        raise Invalid(*(text for text, is_so in wrong.items() if is_so))


def _is_reversed(first: Any, last: Any) -> bool:
    return first is not None and last is not None and bool(last < first)


def _is_chapter(chapter: Chapter) -> bool:
    return all(_CATEGORY.fullmatch(category) for category in (chapter.first, chapter.last))


def _chapter(chapter: Chapter) -> dict[str, object]:
    return {"from": _category(chapter.first), "to": _category(chapter.last), "name": chapter.name}


def _category(text: str) -> dict[str, object]:
    return {"letter": text[0], "number": int(text[1:])}


# Reading


def sick_leaves(body: bytes) -> list[ReportedSickLeave | SetAside]:
    """The sick leaves of an answer. Raises ``Unavailable``: it is none. No reason repeats a text of it."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unavailable("the answer is no JSON") from None
    content = answer.get("content") if isinstance(answer, dict) else None
    if not isinstance(content, list):
        raise Unavailable("the answer has no list of sick leaves")
    return [_judged(record) for record in content]


class _Unusable(ValueError):
    """Why a record is set aside: plain words without personal data."""


def _judged(record: object) -> ReportedSickLeave | SetAside:
    try:
        return _sick_leave(record)
    except (_Unusable, BadIdentity) as error:
        return SetAside(_text(record, "aktivIntygsId"), str(error))


def _sick_leave(record: object) -> ReportedSickLeave:
    start, end = _day(record, "start"), _day(record, "slut")
    if end < start:
        raise _Unusable("the sick leave ends before it starts")
    return ReportedSickLeave(
        patient=PersonId(_text(record, "patient", "id")),
        unit=_hsa_id(_text(record, "vardenhet", "id"), "unit"),
        start=start,
        end=end,
        days=_number(_at(record, "dagar"), "length"),
        count=_number(_at(record, "intyg"), "number of certificates"),
        certificates=_texts(record, "intygLista"),
        active=_text(record, "aktivIntygsId"),
        degree=_number(_at(record, "aktivGrad"), "degree"),
        degrees=tuple(_number(each, "degree") for each in _list(record, "grader")),
        patient_name=_text(record, "patient", "namn"),
        unit_name=_text(record, "vardenhet", "namn"),
        provider=_provider(_text(record, "vardgivare", "id")),
        doctor=_text(record, "lakare", "id"),
        doctor_name=_text(record, "lakare", "namn"),
        diagnosis=_diagnosis(_at(record, "diagnosKod")),
        secondary_diagnoses=tuple(filter(None, map(_diagnosis, _list(record, "biDiagnoser")))),
        occupations=_texts(record, "sysselsattning"),
        status=_text(record, "rekoStatus", "status", "id"),
    )


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object, *path: str) -> str:
    found = _at(value, *path)
    return found.strip() if isinstance(found, str) else ""


def _list(value: object, name: str) -> list[object]:
    found = _at(value, name)
    return found if isinstance(found, list) else []


def _texts(value: object, name: str) -> tuple[str, ...]:
    """Those that say something: an unknown occupation comes as ``null`` (§ 4.2)."""
    return tuple(text for each in _list(value, name) if (text := _text(each)))


_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _day(record: object, name: str) -> date:
    text = _text(record, name)
    try:
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise _Unusable("the sick leave has an unreadable date") from None


def _number(value: object, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Unusable(f"a {what} is no whole number")
    return value


def _hsa_id(text: str, whose: str) -> HsaId:
    try:
        return HsaId(text)
    except BadIdentity:
        raise _Unusable(f"the {whose}'s HSA-id is missing or malformed") from None


def _provider(text: str) -> HsaId | None:
    return _hsa_id(text, "care provider") if text else None


def _diagnosis(value: object) -> ReportedDiagnosis | None:
    original = _text(value, "originalCode")
    name = _at(value, "name")
    return (
        ReportedDiagnosis(original, _text(value, "cleanedCode"), name if isinstance(name, str) else None)
        if original
        else None
    )
