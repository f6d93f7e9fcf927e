"""Questions of one shape share a statement, and nothing of a value is written into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from service.fhir_api.search import parameters, query, statements
from service.fhir_api.search.query import parse
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.statements import Question, question
from service.store.tables import resource

NUMBERS = {key: number for number, key in enumerate(parameters.definitions())}
SCOPE = Scope(NUMBERS, ("unit", "provider"))


def asked(*pairs: tuple[str, str]) -> Question:
    return query.page(parse("Procedure", pairs), SCOPE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([("code", "a|b")], [("code", "c|d")]),
        ([("patient", "1"), ("date", "ge2026")], [("patient", "2"), ("date", "ge2027-01-01")]),
        ([("patient.name", "a")], [("patient.name", "b")]),
        ([("_has:Observation:part-of:value-quantity", "5")], [("_has:Observation:part-of:value-quantity", "7.25")]),
        ([("_count", "5")], [("_count", "6")]),
    ],
)
def test_the_same_shape_is_written_once(one: list[tuple[str, str]], other: list[tuple[str, str]]) -> None:
    assert asked(*one).text is asked(*other).text
    assert asked(*one).values != asked(*other).values


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("code", "b"), ("code", "|b")),
        (("code", "a|b"), ("code", "a|")),
        (("code", "b"), ("code", "b,c")),
        (("code", "b"), ("code:not", "b")),
        (("code", "b"), ("code:text", "b")),
        (("code:missing", "true"), ("code:missing", "false")),
        (("date", "ge2026"), ("date", "gt2026")),
        (("patient", "1"), ("patient:identifier", "1")),
        (("patient.name", "a"), ("patient.name:exact", "a")),
        (("patient.name", "a"), ("patient.family:contains", "a")),
        (("_sort", "date"), ("_sort", "-date")),
        (("_sort", "date"), ("_sort", "date,code")),
    ],
)
def test_another_shape_is_another_statement(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert asked(one).text != asked(other).text


def test_pages_after_a_value_and_after_none_are_asked_differently() -> None:
    parsed = parse("Procedure", [("_sort", "date")])
    texts = {query.page(parsed, SCOPE, place).text for place in (None, (5, 1), (None, 1), (7, 2))}
    assert len(texts) == 3


@given(st.text(st.characters(exclude_characters="\0,", exclude_categories=["Cs"]), min_size=1))
def test_no_value_stands_in_a_statement(value: str) -> None:
    before = asked(("code", "x")).text
    try:
        found = asked(("code", value.replace("\\", "").replace("|", "") or "x"))
    except ValueError:
        return
    assert found.text is before


def test_values_that_do_not_fit_are_a_defect() -> None:
    with pytest.raises(RuntimeError, match="takes 1 values and has 2"):
        question("too many", ["a", "b"], lambda binds: select(resource.c.rid).where(resource.c.id == next(binds)))


def test_no_more_statements_are_kept_than_anybody_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "MOST", 3)
    monkeypatch.setattr(statements, "_written", {})
    for count in range(1, 8):
        asked(("code", ",".join(["x"] * count)))
        assert len(statements._written) <= 3
