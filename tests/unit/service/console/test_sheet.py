"""What stands around the rows and in their cells, for what the mock world does not send."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from lxml import html

from contracts.identity import HsaId
from contracts.record import Caller, Right
from contracts.sick_leave import LastPull
from service.console import words
from service.console.rendering import rendered
from service.console.sheet import Form, Sheet, sheet, warnings
from service.rules.certificate_notice import CONTACT_WISHED
from service.rules.sick_leave import Overview, Question, Row, choices
from service.rules.sick_leave.question import written
from service.usecases.see_overview import Seen
from tests.unit.service.rules.overview_forms import ON, UNIT, intyg, one, row

NOW: Final = datetime(2016, 2, 16, 12, tzinfo=UTC)
PULLED: Final = LastPull(NOW - timedelta(hours=1), 0)
WHO: Final = Caller(HsaId("SE1111111111-P001"), "m", UNIT, HsaId("SE1111111111-S001"), frozenset(Right))


def shown(
    *rows: Row, total: int | None = None, held_back: int = 0, wishes: frozenset[str] = frozenset(), **asked: int
) -> Sheet:
    found = Overview(Question(ON, **asked), rows, len(rows) if total is None else total, held_back, None)  # type: ignore[arg-type]
    return sheet(Seen(found, PULLED, {}, wishes), choices(rows), NOW)


def cells(*rows: Row, template: str = "print.html", wishes: frozenset[str] = frozenset(), **asked: int) -> list[str]:
    made = shown(*rows, wishes=wishes, **asked)
    form = Form(WHO, UNIT.value, choices(rows), written(made.question))
    page = html.fromstring(bytes(rendered(template, form=form, sheet=made, issues=()).body).decode())
    return [" ".join(each.text_content().split()) for each in page.xpath("//tbody/tr")]


@pytest.mark.parametrize(
    ("pulled", "days", "told"),
    [
        (None, 0, [words.NEVER_PULLED]),
        (PULLED, 0, []),
        (PULLED, 3, [words.TOO_NARROW.format(days=0)]),
        (replace(PULLED, max_days_since_end=3), 3, []),
        (replace(PULLED, applying=True), 0, [words.APPLYING]),
        (replace(PULLED, at=NOW - timedelta(days=1)), 0, []),
        (replace(PULLED, at=NOW - timedelta(days=1, seconds=1)), 0, [words.OLD.format(at="2016-02-15 kl. 12.59")]),
        (
            replace(PULLED, failed=NOW),
            0,
            [words.PULL_FAILED.format(failed="2016-02-16 kl. 13.00", at="2016-02-16 kl. 12.00")],
        ),
    ],
    ids=["never", "fresh", "narrow", "wide", "applying", "a day", "more than a day", "failed"],
)
def test_warnings(pulled: LastPull | None, days: int, told: list[str]) -> None:
    assert list(warnings(pulled, Question(ON, max_days_since_end=days), NOW)) == told


@pytest.mark.parametrize("template", ["print.html", "list.html"])
def test_other_diagnoses_stand_below_the_first(template: str) -> None:
    (told,) = cells(one(intyg("02-12..20", diagnosis="F43.8", secondary_diagnoses=("M54.5", "J06"))), template=template)
    assert "F438 M545, J06" in told


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("02-16", "2016-02-16 sista dagen"),
        ("02-17", "2016-02-17 1 dag kvar"),
        ("02-20", "2016-02-20 4 dagar kvar"),
        ("02-15", "2016-02-15 avslutat för 1 dag sedan"),
        ("02-13", "2016-02-13 avslutat för 3 dagar sedan"),
    ],
)
def test_how_long_is_left(end: str, told: str) -> None:
    (found,) = cells(one(intyg(f"02-12..{end[3:]}"), max_days_since_end=5), max_days_since_end=5)
    assert told in found


@pytest.mark.parametrize("template", ["print.html", "list.html"])
def test_a_wish_for_contact_stands_by_the_doctor(template: str) -> None:
    wished = row(certificates=("a", "b"))
    (told,) = cells(wished, template=template, wishes=frozenset("b"))
    assert CONTACT_WISHED in told
    (told,) = cells(wished, template=template, wishes=frozenset("c"))
    assert CONTACT_WISHED not in told


def test_what_is_missing_is_a_dash() -> None:
    (told,) = cells(row(diagnosis=None, occupations=(), status=None))
    assert told.count("–") >= 3


def test_a_page_knows_its_neighbours() -> None:
    middle = shown(row(), row(), total=7, offset=2, limit=2)
    assert (("offset", "4") in middle.after, [name for name, _ in middle.before if name == "offset"]) == (True, [])
    assert [line.number for line in middle.lines] == [3, 4]
    first, last = shown(row(), row(), total=7, limit=2), shown(row(), total=7, offset=6, limit=2)
    assert (first.before, bool(first.after)) == ((), True)
    assert (("offset", "4") in last.before, last.after) == (True, ())
    nobody = shown(total=7, offset=8, limit=2)
    assert (bool(nobody.before), nobody.after) == (True, ())
