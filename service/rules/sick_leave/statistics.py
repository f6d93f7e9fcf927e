"""The unit's summary (rehabstod.md §§ 4.3, 4.6): its sick leaves counted by gender, diagnosis group, degree and length, for
everybody and for women and men apart.

The national summary always counts with gap 0 and 0 days since the end, whatever the table beside it shows; ours says with
which settings it was counted. It holds no person.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from service.rules.sick_leave.diagnosis import category
from service.rules.sick_leave.question import DEFAULT_MODE, Question
from service.rules.sick_leave.row import Gender, Row


def national(question: Question) -> Question:
    """The question as the national summary counts, whatever is asked."""
    return replace(question, mode=DEFAULT_MODE, gap=0, max_days_since_end=0)


class DiagnosisGroup(NamedTuple):
    """Spans of categories, both ends inclusive."""

    name: str
    spans: tuple[tuple[str, str], ...]


GROUPS: Final = (
    DiagnosisGroup("Somatiska sjukdomar", (("A00", "E90"), ("G00", "L99"), ("N00", "N99"))),
    DiagnosisGroup("Muskuloskeletala sjukdomar", (("M00", "M99"),)),
    DiagnosisGroup("Övrigt", (("P00", "P96"), ("Q00", "Q99"), ("S00", "Y98"))),
    DiagnosisGroup(
        "Faktorer av betydelse för hälsotillståndet och för kontakter med hälso- och sjukvården", (("Z00", "Z99"),)
    ),
    DiagnosisGroup("Psykiska sjukdomar", (("F00", "F99"),)),
    DiagnosisGroup("Graviditet och förlossning", (("O00", "O99"),)),
    DiagnosisGroup("Symtomdiagnoser", (("R00", "R99"),)),
)
NO_GROUP: Final = "Utan giltig diagnoskod"


def diagnosis_group(code: str) -> str:
    """The group of a clean code, by its category."""
    found = category(code) or ""
    return next((each.name for each in GROUPS if any(a <= found <= b for a, b in each.spans)), NO_GROUP)


@dataclass(frozen=True, slots=True)
class Share:
    """How many sick leaves, and how many in a hundred of the list that is counted."""

    id: str
    name: str
    count: int
    percentage: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One list of sick leaves by diagnosis group (the largest first), degree (the lowest first; 0 when it has ended),
    number of degrees on the certificate that is shown, and length. What does not occur is not there."""

    groups: tuple[Share, ...]
    degrees: tuple[Share, ...]
    degree_counts: tuple[Share, ...]
    lengths: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """``genders`` are women, then men, also where there are none."""

    total: int
    genders: tuple[Share, ...]
    everybody: Breakdown
    men: Breakdown
    women: Breakdown


LENGTHS: Final = ((90, "< 90"), (181, "Dag 90-180"), (366, "Dag 181-365"), (None, "> 365"))
"""Each up to, but not with, that many days."""
DEGREE_COUNTS: Final = ("En", "Flera")


def summary(rows: Sequence[Row]) -> Summary:
    """Of rows before any filter."""
    women, men = ([row for row in rows if row.gender is gender] for gender in (Gender.WOMAN, Gender.MAN))
    return Summary(
        len(rows),
        (_share("F", Gender.WOMAN.value, len(women), len(rows)), _share("M", Gender.MAN.value, len(men), len(rows))),
        _breakdown(rows),
        _breakdown(men),
        _breakdown(women),
    )


def _breakdown(rows: Sequence[Row]) -> Breakdown:
    return Breakdown(
        tuple(sorted(_counted(rows, _group, _GROUP_NAMES), key=lambda share: -share.count)),
        _counted(rows, _degree, [(str(n), f"{n} %") for n in range(101)]),
        _counted(rows, _degree_count, _numbered(DEGREE_COUNTS)),
        _counted(rows, _length, _numbered(name for _, name in LENGTHS)),
    )


def _counted(rows: Sequence[Row], key: Callable[[Row], str], names: Iterable[tuple[str, str]]) -> tuple[Share, ...]:
    """Shares of what occurs, in the order of the names."""
    counts = Counter(map(key, rows))
    return tuple(_share(id, name, counts[id], len(rows)) for id, name in names if counts[id])


def _share(id: str, name: str, count: int, of: int) -> Share:
    return Share(id, name, count, 100 * count / of if of else 0.0)


def _numbered(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(str(number), name) for number, name in enumerate(names, 1)]


_GROUP_NAMES: Final = [(name, name) for name in (*(each.name for each in GROUPS), NO_GROUP)]


def _group(row: Row) -> str:
    return diagnosis_group(row.diagnosis.code) if row.diagnosis else NO_GROUP


def _degree(row: Row) -> str:
    return str(row.degree)


def _degree_count(row: Row) -> str:
    """Degrees as they stand on the certificate: two periods of the same degree are two."""
    return "1" if len(row.degrees) == 1 else "2"


def _length(row: Row) -> str:
    return next(str(number) for number, (end, _) in enumerate(LENGTHS, 1) if end is None or row.days < end)
