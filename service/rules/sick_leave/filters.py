"""The overview's filters (rehabstod.md § 4.5): what each is called, what may be chosen, and which rows it lets through.

One table for the interfaces, the page and the documentation. Filters are joined by "and", the values of one by "or".
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from contracts.sick_leave import RekoStatusType
from service.rules.sick_leave.diagnosis import CHAPTERS, NO_CHAPTER
from service.rules.sick_leave.occupation import LABELS, TYPES
from service.rules.sick_leave.question import UNAVAILABLE, Interval, Question
from service.rules.sick_leave.reko_status import NAMES, NO_STATUS
from service.rules.sick_leave.row import Row


class Option(NamedTuple):
    """A value that may be asked for, and what it is called."""

    id: str
    label: str


class Filter(NamedTuple):
    """``parameters`` are the names of its parts in ``question.PARAMETERS``; ``options`` what may be chosen where that does
    not depend on the data. One that is ``unavailable`` says why, and lets nothing be asked."""

    id: str
    label: str
    parameters: tuple[str, ...]
    lets_through: Callable[[Question, Row], bool]
    options: tuple[Option, ...] = ()
    unavailable: str = ""


YEAR: Final = 365
"""Days. The two long intervals meet: 365 and 730 days are in two each."""

LENGTHS: Final = (
    (Interval(0, 14), "0-14 dagar"),
    (Interval(15, 30), "15-30 dagar"),
    (Interval(31, 60), "31-60 dagar"),
    (Interval(61, 90), "61-90 dagar"),
    (Interval(91, 180), "91-180 dagar"),
    (Interval(181, YEAR), "181-365 dagar"),
    (Interval(YEAR, 2 * YEAR), "1-2 år"),
    (Interval(2 * YEAR, None), "Över 2 år"),
)


def _length(question: Question, row: Row) -> bool:
    return not question.lengths or any(row.days in each for each in question.lengths)


def _end(question: Question, row: Row) -> bool:
    return (question.end_from is None or question.end_from <= row.end) and (
        question.end_to is None or row.end <= question.end_to
    )


def _ends_within(question: Question, row: Row) -> bool:
    """The last day is today or at most that many days ahead: time for a renewal."""
    return question.ends_within is None or 0 <= row.days_left <= question.ends_within


def _age(question: Question, row: Row) -> bool:
    return row.age in Interval(question.age_from, question.age_to)


def _chapter(question: Question, row: Row) -> bool:
    return not question.chapters or row.chapter.id in question.chapters


def _doctor(question: Question, row: Row) -> bool:
    """The doctor of the certificate that is shown."""
    return not question.doctors or row.doctor in question.doctors


def _status(question: Question, row: Row) -> bool:
    """``REKO_1`` is also a sick leave for which none was ever set."""
    status = row.status.type if row.status else RekoStatusType.NONE
    return not question.statuses or status in question.statuses


def _occupation(question: Question, row: Row) -> bool:
    """A label that contains the type's name. An unknown code is a label as any: it breaks nothing."""
    names = [LABELS[each] for each in question.occupations]
    return not names or any(name in label for name in names for label in row.occupations)


def _text(question: Question, row: Row) -> bool:
    wanted = question.text.strip().casefold()
    return not wanted or any(wanted in field.casefold() for field in searched(row))


def searched(row: Row) -> Iterable[str]:
    """The texts that free text is looked for in, each by itself."""
    codes = [row.diagnosis.code, row.diagnosis.name or ""] if row.diagnosis else []
    yield f"{row.age} år"
    yield row.name
    yield row.gender
    yield " ".join(filter(None, [*codes, *(each.code for each in row.secondary)]))
    yield row.start.isoformat()
    yield row.end.isoformat()
    yield f"{row.days} dagar"
    yield str(row.count)
    yield f"{row.degree}%"
    yield row.doctor_name
    yield row.number
    yield row.person.digits
    yield from row.occupations
    yield row.status_name or NO_STATUS


def _everything(_question: Question, _row: Row) -> bool:
    """Nothing can be asked of it, and the sub-unit has had its say before the counting."""
    return True


FILTERS: Final = (
    Filter(
        "length", "Sjukskrivningslängd", ("length",), _length, tuple(Option(each.id, name) for each, name in LENGTHS)
    ),
    Filter("end", "Slutdatum", ("endFrom", "endTo"), _end),
    Filter("endsWithin", "Slutar inom dagar", ("endsWithin",), _ends_within),
    Filter("age", "Ålder", ("ageFrom", "ageTo"), _age),
    Filter(
        "chapter",
        "Diagnoskapitel",
        ("chapter",),
        _chapter,
        (*(Option(each.id, f"{each.id}: {each.name}") for each in CHAPTERS), Option(NO_CHAPTER.id, NO_CHAPTER.name)),
    ),
    Filter("doctor", "Läkare", ("doctor",), _doctor),
    Filter("status", "Status", ("status",), _status, tuple(Option(id, name) for id, name in NAMES.items())),
    Filter("occupation", "Sysselsättning", ("occupation",), _occupation, tuple(Option(id, LABELS[id]) for id in TYPES)),
    Filter("text", "Fritext", ("text",), _text),
    Filter("unit", "Mottagning", ("unit",), _everything),
    Filter("communication", "Ärendestatus", (), _everything, unavailable=UNAVAILABLE["communication"]),
    Filter("risk", "Risk", (), _everything, unavailable=UNAVAILABLE["risk"]),
)


def filtered(rows: Iterable[Row], question: Question) -> list[Row]:
    """The rows that every filter lets through, in their order."""
    return [row for row in rows if all(each.lets_through(question, row) for each in FILTERS)]
