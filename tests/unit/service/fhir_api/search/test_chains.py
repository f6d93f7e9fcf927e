"""Chains, ``_has`` and what comes along, against the second reading; what a neighbour has changes none of it."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.fhir_api.search import including, query
from service.fhir_api.search.query import parse
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.statements import Question
from service.store.snapshot import SqlSnapshot
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from tests.unit.service.fhir_api.search import naive_search
from tests.unit.service.store.samples import document

Json = dict[str, Any]
Pairs = Sequence[tuple[str, str]]
_units = count()


# A world: who owns what, ids being numbers by type

_owners = st.sampled_from(["ours", "theirs"])
_numbers = st.integers(0, 2)
_codes = st.sampled_from(["x", "y"])


def _reference(type: str) -> st.SearchStrategy[Json]:
    return _numbers.map(lambda number: {"reference": f"{type}/{number}"})


def _made(type: str, **elements: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[str, Json]]]:
    """Up to three resources of the type, each with its owner."""
    drawn = st.fixed_dictionaries(elements).map(lambda found: {name: each for name, each in found.items() if each})
    return st.lists(st.tuples(_owners, drawn), max_size=3).map(
        lambda found: [
            (owner, {"resourceType": type, "id": f"{number}", **content})
            for number, (owner, content) in enumerate(found)
        ]
    )


_concept = _codes.map(lambda code: {"coding": [{"code": code}]})
_worlds = st.tuples(
    _made("Organization", name=st.sampled_from(["Ek", "Ask"]), partOf=st.none() | _reference("Organization")),
    _made(
        "Patient",
        name=st.sampled_from(["Ek", "Ask"]).map(lambda name: [{"family": name}]),
        managingOrganization=st.none() | _reference("Organization"),
        active=st.booleans(),
    ),
    _made("Procedure", subject=_reference("Patient") | _reference("Group"), code=_concept, status=st.just("completed")),
    _made(
        "Observation",
        subject=_reference("Patient"),
        code=_concept,
        performer=st.lists(_reference("Patient") | _reference("Organization"), max_size=2),
    ),
).map(lambda parts: [each for part in parts for each in part])

ASKED = {
    "Procedure": [
        ("patient.family", "ek"),
        ("subject:Patient.family:exact", "Ek"),
        ("subject.active", "true"),
        ("subject.active:not", "true"),
        ("patient._id", "1,2"),
        ("patient.organization.name", "ask"),
        ("patient.organization:Organization.partof.name:contains", "s"),
        ("patient._has:Observation:subject:code", "x"),
        ("patient.organization:missing", "true"),
        ("patient.organization:below", "Organization/0"),
    ],
    "Patient": [
        ("_has:Procedure:patient:code", "x"),
        ("_has:Procedure:subject:status", "completed"),
        ("_has:Observation:performer:code", "x,y"),
        ("_has:Observation:subject:performer.name", "ek"),
        ("_has:Observation:subject:performer:Organization.partof.name", "ask"),
        ("organization.name", "ek"),
        ("organization._has:Patient:organization:family", "ask"),
        ("organization:below", "Organization/0"),
        ("organization:below", "1,2"),
        ("organization:above", "2"),
    ],
    "Organization": [
        ("_has:Patient:organization:family", "ek"),
        ("_has:Patient:organization:_has:Procedure:patient:code", "y"),
        ("partof.partof.name", "ek"),
        ("_has:Organization:partof:_id", "0"),
        ("partof:below", "0"),
        ("partof:above", "Organization/1,Organization/2"),
        ("_has:Patient:organization:organization:above", "0"),
    ],
    "Observation": [
        ("performer:below", "0"),
        ("performer:above", "Organization/2"),
        ("performer.name", "ek"),
        ("performer:Organization.name", "ek"),
        ("performer:Patient.name", "ask"),
    ],
}
_searches = st.sampled_from(sorted(ASKED)).flatmap(
    lambda type: st.tuples(st.just(type), st.lists(st.sampled_from(ASKED[type]), min_size=1, max_size=3))
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(_worlds, st.lists(_searches, min_size=1, max_size=5))
def test_what_is_asked_of_others_is_what_r4_says(
    store: SqlStore, run: Callable[[Any], Any], world: list[tuple[str, Json]], searches: list[tuple[str, list[Any]]]
) -> None:
    run(_compare(store, world, searches))


async def _compare(store: SqlStore, world: list[tuple[str, Json]], searches: list[tuple[str, list[Any]]]) -> None:
    unit = f"w{next(_units)}"
    named = [(f"{unit}.{owner}", _renamed(unit, content)) for owner, content in world]
    await store.run(lambda each: _write(each, named))
    ours = [content for owner, content in named if owner == f"{unit}.ours"]
    scope = Scope(store.numbers, (f"{unit}.ours", "nobody"))
    for type_, criteria in searches:
        asked = [(name, _ids(unit, value) if name.endswith(_NAMING) else value) for name, value in criteria]
        expected = [
            each["id"] for each in ours if each["resourceType"] == type_ and naive_search.matches(each, asked, ours)
        ]
        rows, total = await store.look(partial(_answers, type_, asked, scope))
        assert ([row[1] for row in rows], total) == (expected, len(expected)), asked


def _write(transaction: SqlTransaction, named: list[tuple[str, Json]]) -> None:
    for owner, content in named:
        transaction.save(document(content), content["id"], owner)


def _answers(type_: str, asked: Pairs, scope: Scope, look: SqlSnapshot) -> tuple[Sequence[Any], int]:
    parsed = parse(type_, asked)
    page, total = query.page(parsed, scope), query.count(parsed, scope)
    return look.ask(page.text, page.values), look.ask(total.text, total.values)[0][0]


def _renamed(unit: str, content: Any) -> Any:
    """Each example has ids of its own."""
    if isinstance(content, list):
        return [_renamed(unit, each) for each in content]
    if not isinstance(content, dict):
        return content
    named = {name: _renamed(unit, each) for name, each in content.items()}
    if "id" in named:
        named["id"] = f"{unit}.{named['id']}"
    if isinstance(named.get("reference"), str):
        named["reference"] = named["reference"].replace("/", f"/{unit}.")
    return named


_NAMING = ("_id", ":above", ":below")


def _ids(unit: str, value: str) -> str:
    """Ids, or references, of this example."""
    named = (each.rpartition("/") for each in value.split(","))
    return ",".join(f"{type}{slash}{unit}.{id}" for type, slash, id in named)


# What comes along


def _people(unit: str) -> list[tuple[str, Json]]:
    """A patient of ours at our organization, which is part of another's; an act, a neighbour's act, an observation."""
    subject = {"reference": f"Patient/{unit}.p"}
    return [
        (unit, _is("Organization", f"{unit}.o", partOf={"reference": f"Organization/{unit}.theirs"})),
        ("theirs", _is("Organization", f"{unit}.theirs")),
        (unit, _is("Patient", f"{unit}.p", managingOrganization={"reference": f"Organization/{unit}.o"})),
        (unit, _is("Procedure", f"{unit}.a", subject=subject, status="completed")),
        (unit, _is("Procedure", f"{unit}.b", subject={**subject, "reference": f"{subject['reference']}/_history/1"})),
        ("theirs", _is("Procedure", f"{unit}.c", subject=subject)),
        (unit, _is("Observation", f"{unit}.x", subject=subject, partOf=[{"reference": f"Procedure/{unit}.a"}])),
        ("theirs", _is("Observation", f"{unit}.y", subject=subject, partOf=[{"reference": f"Procedure/{unit}.a"}])),
    ]


def _is(type: str, id: str, **elements: Any) -> Json:
    return {"resourceType": type, "id": id, **elements}


@pytest.mark.parametrize(
    ("type", "asked", "along"),
    [
        ("Procedure", [("_include", "Procedure:patient")], "p"),
        ("Procedure", [("_include", "Procedure:subject:Patient")], "p"),
        ("Procedure", [("_include", "*")], "p"),
        ("Procedure", [("_include", "Procedure:*")], "p"),
        ("Procedure", [("_include", "Procedure:patient"), ("_include:iterate", "Patient:organization")], "po"),
        ("Procedure", [("_include:iterate", "Procedure:patient"), ("_include:iterate", "*")], "po"),
        ("Procedure", [("_include", "Procedure:patient"), ("_include:iterate", "Organization:partof")], "p"),
        ("Procedure", [("_revinclude", "Observation:part-of")], "x"),
        ("Procedure", [("_revinclude", "*")], "x"),
        ("Procedure", [("_include", "Procedure:patient"), ("_revinclude:iterate", "Observation:subject")], "px"),
        ("Patient", [("_revinclude", "Procedure:patient")], "ab"),
        ("Patient", [("_revinclude", "Procedure:patient"), ("_revinclude:iterate", "Observation:part-of")], "abx"),
        ("Patient", [("_revinclude", "Observation:subject:Patient"), ("_include", "Patient:organization")], "ox"),
        ("Organization", [("_include", "Organization:partof"), ("_revinclude:iterate", "*")], "pabx"),
        ("Organization", [("_include:iterate", "Organization:partof")], ""),
    ],
)
def test_what_comes_along(
    store: SqlStore, run: Callable[[Any], Any], type: str, asked: list[tuple[str, str]], along: str
) -> None:
    unit = f"i{next(_units)}"
    run(store.run(lambda transaction: _write(transaction, _people(unit))))
    found, is_cut = run(store.look(lambda look: _along(look, type, asked, Scope(store.numbers, (unit,)))))
    assert sorted(row[1] for row in found) == sorted(f"{unit}.{letter}" for letter in along)
    assert not is_cut


def test_too_many_are_cut_and_told(store: SqlStore, run: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    unit = f"i{next(_units)}"
    monkeypatch.setattr(including, "MOST", 1)
    run(store.run(lambda transaction: _write(transaction, _people(unit))))
    asked = [("_revinclude", "Procedure:patient"), ("_revinclude:iterate", "*")]
    found, is_cut = run(store.look(lambda look: _along(look, "Patient", asked, Scope(store.numbers, (unit,)))))
    assert (len(found), is_cut) == (1, True)


def _along(look: SqlSnapshot, type_: str, asked: Pairs, scope: Scope) -> tuple[Sequence[Any], bool]:
    def ask(question: Question) -> Sequence[Any]:
        return look.ask(question.text, question.values)

    parsed = parse(type_, asked)
    return including.included(parsed.includes, ask(query.page(parsed, scope)), scope, ask)
