"""The order of what is found: several keys, either way, what has none last; the same whole or page by page."""

from collections.abc import Callable, Sequence
from functools import cmp_to_key, partial
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.fhir_api.search import query
from service.fhir_api.search.query import Query, parse
from service.fhir_api.search.scope import Scope
from service.store.snapshot import SqlSnapshot
from service.store.store import SqlStore
from tests.unit.service.store.samples import document

Json = dict[str, Any]
_units = count()


def _codes(each: Json) -> list[str]:
    return [coding["code"] for coding in each.get("code", {}).get("coding", [])]


def _values(each: Json) -> list[int]:
    return [each["valueQuantity"]["value"]] if "valueQuantity" in each else []


def _with_components(key: Callable[[Json], list[Any]]) -> Callable[[Json], list[Any]]:
    return lambda each: [found for part in (each, *each.get("component", [])) for found in key(part)]


DAYS = ["2026-01-01", "2026-02", "2026-03-01"]
KEYS: dict[str, Callable[[Json], list[Any]]] = {
    "code": _codes,
    "combo-code": _with_components(_codes),
    "combo-value-quantity": _with_components(_values),
    "date": lambda each: [each["effectiveDateTime"]] if "effectiveDateTime" in each else [],
    "value-quantity": _values,
    "value-string": lambda each: [each["valueString"].lower()] if "valueString" in each else [],
    "subject": lambda each: [each["subject"]["reference"]] if "subject" in each else [],
    "_id": lambda each: [each["id"]],
}
"""What a resource is sorted by, read once more."""

_codings = st.lists(st.sampled_from("abc"), max_size=2).map(
    lambda found: {"coding": [{"code": each} for each in found], "text": "words"}
)
_quantities = st.integers(-2, 2).map(lambda value: {"value": value})
_observations = st.fixed_dictionaries(
    {"resourceType": st.just("Observation")},
    optional={
        "code": _codings,
        "component": st.lists(
            st.fixed_dictionaries({"code": _codings}, optional={"valueQuantity": _quantities}), min_size=1, max_size=2
        ),
        "effectiveDateTime": st.sampled_from(DAYS),
        "valueQuantity": _quantities,
        "valueString": st.sampled_from(["Ek", "ek", "ASK"]),
        "subject": st.sampled_from("12").map(lambda id: {"reference": f"Patient/{id}"}),
    },
)
_sorts = st.lists(
    st.tuples(st.sampled_from(sorted(KEYS)), st.booleans()), min_size=1, max_size=3, unique_by=lambda key: key[0]
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_observations, max_size=7), _sorts, st.integers(1, 3))
def test_pages_are_the_whole_in_order(
    store: SqlStore, run: Callable[[Any], Any], made: list[Json], keys: list[tuple[str, bool]], size: int
) -> None:
    unit = f"s{next(_units)}"
    named = [{**content, "id": f"{unit}.{number}"} for number, content in enumerate(made)]
    run(store.run(lambda each: [each.save(document(content), content["id"], unit) for content in named] and None))
    in_order = sorted(named, key=cmp_to_key(partial(_compare, keys)))
    expected = [each["id"] for each in in_order]
    scope = Scope(store.numbers, (unit,))
    sort = ",".join(("-" if descending else "") + code for code, descending in keys)
    for count_ in (len(named) or 1, size):
        asked = parse("Observation", [("_sort", sort), ("_count", str(count_))])
        assert run(store.look(partial(_all_pages, asked, scope))) == expected


def _compare(keys: list[tuple[str, bool]], one: Json, other: Json) -> int:
    """By the first key that parts them; ``sorted`` leaves equals in the order of creation."""
    for code, descending in keys:
        mine, theirs = KEYS[code](one), KEYS[code](other)
        if not mine or not theirs:
            if mine or theirs:
                return -1 if mine else 1
            continue
        a, b = (max(mine), max(theirs)) if descending else (min(mine), min(theirs))
        if a != b:
            return (-1 if a < b else 1) * (-1 if descending else 1)
    return 0


def _all_pages(asked: Query, scope: Scope, look: SqlSnapshot) -> list[str]:
    seen: list[str] = []
    place = None
    while True:
        question = query.page(asked, scope, place)
        rows: Sequence[Any] = look.ask(question.text, question.values)
        seen += [row[1] for row in rows[: asked.count]]
        if len(rows) <= asked.count:
            return seen
        place = query.place_of(rows[asked.count - 1])


def test_names_stand_in_swedish_order(store: SqlStore, run: Callable[[Any], Any]) -> None:
    unit = f"s{next(_units)}"
    names = ["Öst", "Ärla", "Zetterholm", "Ask", "Åsa", "Örn", "ek"]
    people = [document({"resourceType": "Patient", "name": [{"family": name}]}) for name in names]
    run(store.run(lambda each: [each.save(*made, unit) for made in zip(people, names, strict=True)] and None))
    asked = parse("Patient", [("_sort", "family")])
    found = run(store.look(partial(_all_pages, asked, Scope(store.numbers, (unit,)))))
    assert found == ["Ask", "ek", "Zetterholm", "Åsa", "Ärla", "Örn", "Öst"]
