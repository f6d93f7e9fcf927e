"""The order of the overview: every column sorts both ways, and no two rows are alike, so that pages hold still.

A page that follows another begins where that one ended (a ``Place``), not at a number: rows that a pull adds or takes away
meanwhile neither show a patient twice nor hide one.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from service.rules.sick_leave.row import Row

Key = str | int


class Place(NamedTuple):
    """Where a row stands: its value in the column that sorts, and who it is (the twelve digits; a place that goes out is
    encrypted)."""

    key: Key
    person: str


class Column(NamedTuple):
    """A column of the table: its id, its heading, and what it sorts by."""

    id: str
    label: str
    key: Callable[[Row], Key]


_ALPHABET: Final = str.maketrans("åäöéü", "{|}ey")
"""After z come å, ä, ö; whatever stands after z in ASCII stands for them."""


def alphabetic(text: str) -> str:
    """Sorts as a Swedish register does."""
    return text.casefold().translate(_ALPHABET)


COLUMNS: Final = {
    each.id: each
    for each in (
        Column("status", "Status", lambda row: row.status.type.value if row.status else ""),
        Column("number", "Personnummer", lambda row: row.person.digits),
        Column("age", "Ålder", lambda row: row.age),
        Column("name", "Namn", lambda row: alphabetic(row.name)),
        Column("gender", "Kön", lambda row: row.gender.value),
        Column("diagnosis", "Diagnos/er", lambda row: row.diagnosis.code if row.diagnosis else ""),
        Column("occupation", "Sysselsättning", lambda row: alphabetic(", ".join(row.occupations))),
        Column("start", "Startdatum", lambda row: row.start.toordinal()),
        Column("end", "Slutdatum", lambda row: row.end.toordinal()),
        Column("length", "Längd", lambda row: row.days),
        Column("certificates", "Intyg", lambda row: row.count),
        Column("degree", "Grad", lambda row: row.degree),
        Column("doctor", "Läkare", lambda row: alphabetic(row.doctor_name)),
    )
}
"""Rehabstöd's Ärenden and Risk are not there: their data are not (see ``question.UNAVAILABLE``)."""


def place(row: Row, sort: str) -> Place:
    """Where a row stands when that column sorts."""
    return Place(COLUMNS[sort].key(row), row.person.digits)


def ordered(rows: Sequence[Row], sort: str, *, descending: bool) -> list[Row]:
    """By the column; alike ones by their national number, upwards either way."""
    by_person = sorted(rows, key=lambda row: row.person.digits)
    return sorted(by_person, key=COLUMNS[sort].key, reverse=descending)


def following(rows: Sequence[Row], after: Place, sort: str, *, descending: bool) -> list[Row]:
    """Of ordered rows those that come after the place."""
    return [row for row in rows if _follows(place(row, sort), after, descending)]


def _follows(found: Place, after: Place, descending: bool) -> bool:
    if found.key == after.key:
        return found.person > after.person
    # Both are keys of one column, and so of one kind.
    return (found.key < after.key) if descending else (found.key > after.key)  # type: ignore[operator]
