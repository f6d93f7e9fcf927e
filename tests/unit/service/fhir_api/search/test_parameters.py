"""The table of search parameters: it fits R4's structures, says why something is refused, and holds what we added."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import orjson
import pytest

from fhir_mappings.r4 import TYPES
from service.fhir_api.interactions.capabilities import statement
from service.fhir_api.resources import ROWS
from service.fhir_api.search import extract, index
from service.fhir_api.search.parameters import (
    ANY,
    CONCEALED,
    KINDS,
    PARAMETERS,
    SOUND,
    SearchParameter,
    definitions,
    find,
    why_unserved,
)
from service.fhir_api.search.query import parse

SCHEMA: dict[str, Any] = orjson.loads((files("contracts") / "wire/fhir/r4.schema.json").read_bytes())["definitions"]
ALL = [(type_, each) for type_, rows in PARAMETERS.items() for each in rows.values()]


def test_every_type_that_is_served_can_be_searched() -> None:
    assert set(ROWS) <= set(PARAMETERS)
    assert set(TYPES) - {"Bundle", "Parameters", "OperationOutcome", "CapabilityStatement"} <= set(PARAMETERS)


def test_as_many_as_r4_has() -> None:
    """Counted in HL7's list, less what is refused: https://hl7.org/fhir/R4/searchparameter-registry.html"""
    r4 = {
        type_: sum(not each.code.startswith("_") and "hl7.org" in each.url for each in rows.values())
        for type_, rows in PARAMETERS.items()
    }
    assert [r4[each] for each in ("Patient", "Observation", "Consent", "EpisodeOfCare", "DocumentReference")] == [
        23,
        38,
        15,
        9,
        25,
    ]


@pytest.mark.parametrize("type_", sorted(set(PARAMETERS) & set(SCHEMA)))
def test_every_path_is_one_of_r4(type_: str) -> None:
    for parameter in PARAMETERS[type_].values():
        for path, data_type in _paths(parameter):
            assert _type_at(type_, path) in (data_type, None) or data_type in (
                "existence",
                "composite",
                "position",
                SOUND,
            ), path


def _paths(parameter: SearchParameter, head: str = "") -> Iterator[tuple[str, str]]:
    for element in parameter.elements:
        yield (head + element.path).strip("."), element.type
        for part in parameter.parts:
            yield from _paths(part, f"{element.path}.")


def _type_at(type_: str, path: str) -> str | None:
    """The data type at the path; ``None`` for a primitive, which the schema writes out."""
    at = type_
    for step in path.split(".") if path else ():
        if step.startswith("extension["):
            return "Reference"
        schema = SCHEMA[at]["properties"][re.sub(r"\[.*\]", "", step)]
        reference = (schema.get("items") or schema).get("$ref")
        at = reference.rpartition("/")[2] if reference else ""
    return at.partition("(")[0] if "properties" in SCHEMA.get(at, {}) and "." not in at else None


def test_every_kind_is_known_to_those_who_index_and_ask() -> None:
    assert {each.kind for _, each in ALL} == set(KINDS)
    assert set(index._EXTRACT) | {"composite"} == set(KINDS)
    assert {part.kind for _, each in ALL for part in each.parts[:1]} <= set(index._FIRST)
    assert {part.kind for _, each in ALL for part in each.parts[1:]} <= set(index._SECOND)


def test_texts_of_each_complex_type_are_found() -> None:
    types = {element.type for _, each in ALL if each.kind == "string" for element in each.elements}
    assert types - {"string", "markdown"} == set(extract._PARTS)


def test_what_is_this_or_that_of_two_others_is_searched_in_their_rows() -> None:
    combined = [(type_, each) for type_, each in ALL if len(each.rows) > 1]
    assert {each.code for _, each in combined} == {code for _, each in ALL if (code := each.code).startswith("combo-")}
    for type_, each in combined:
        parts = [PARAMETERS[type_][code] for code in each.rows]
        assert sorted(each.elements, key=str) == sorted((of for part in parts for of in part.elements), key=str)
        assert {(part.kind, part.of, part.system) for part in parts} == {(each.kind, each.of, each.system)}
        assert {tuple(of.definition for of in part.parts) for part in parts} == {
            tuple(of.definition for of in each.parts)
        }


@pytest.mark.parametrize(
    ("type_", "code", "reason"),
    [("Patient", "_content", "whole text"), ("Goal", "_text", "narratives")],
)
def test_what_is_refused_says_why(type_: str, code: str, reason: str) -> None:
    assert find(type_, code) is None
    assert reason in why_unserved(type_, code)
    assert why_unserved(type_, "colour") == ""


def test_a_reference_knows_where_it_may_point() -> None:
    for type_, each in ALL:
        assert each.kind != "reference" or each.targets, (type_, each.code)
        assert each.targets == ANY or "*" not in each.targets
    encounter = find("DocumentReference", "encounter")
    assert encounter is not None
    assert encounter.targets == ("Encounter", "EpisodeOfCare")


def test_parameters_of_our_own_have_our_address() -> None:
    own = {(type_, each.code) for type_, each in ALL if each.url.startswith("https://rekobryggan.example/fhir/")}
    assert {("EpisodeOfCare", "ongoing"), ("Observation", "ongoing"), ("Observation", "episode-of-care")} <= own
    assert all(each.url.startswith("http") for _, each in ALL)


def test_what_shares_rows_has_none_of_its_own() -> None:
    known = definitions()
    assert ("Observation", "ongoing") not in known
    assert ("Observation", "date") in known
    assert ("Patient", "identifier:of-type") in known


def test_what_tells_who_somebody_is_is_concealed() -> None:
    assert {
        "identifier",
        "name",
        "family",
        "given",
        "phonetic",
        "birthdate",
        "address",
        "phone",
        "value-string",
    } <= CONCEALED
    assert not {"patient", "code", "status", "date", "_id"} & CONCEALED


def test_what_the_statement_promises_can_be_asked() -> None:
    for row in statement("http://here/fhir")["rest"][0]["resource"]:
        type_ = row["type"]
        if type_ not in ROWS:
            continue  # our guide, and what is made when it is asked for, are searched by rules of their own
        for name, listed in (("_include", row["searchInclude"]), ("_revinclude", row["searchRevInclude"])):
            for value in listed:
                assert len(parse(type_, [(name, value)]).includes) == 1
        assert {each["name"] for each in row["searchParam"]} == {"_id", "_lastUpdated", *PARAMETERS[type_]}
        assert all(each["definition"] for each in row["searchParam"])
