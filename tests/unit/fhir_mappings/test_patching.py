"""Patches as RFC 6902 and RFC 7396 say them, on bytes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Conflict, Invalid, Malformed, RekoError, TooLarge, WrongMedia
from fhir_mappings import patching

MERGE = "application/merge-patch+json"
STEPS = "application/json-patch+json"


# The table of RFC 7396, appendix A, but for the targets that are no objects: a resource is one.
MERGES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), MERGES)
def test_merging_is_as_the_rfc_says(target: Any, patch: Any, result: Any) -> None:
    change = patching.read(MERGE, json.dumps(patch).encode())
    assert json.loads(change.apply(json.dumps(target).encode())) == result


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/c/1", "value": 9}, {"a": 1, "b": {"x": 2}, "c": [3, 9, 4]}),
        ({"op": "add", "path": "/c/-", "value": 9}, {"a": 1, "b": {"x": 2}, "c": [3, 4, 9]}),
        ({"op": "remove", "path": "/c/0"}, {"a": 1, "b": {"x": 2}, "c": [4]}),
        ({"op": "replace", "path": "/b/x", "value": {}}, {"a": 1, "b": {"x": {}}, "c": [3, 4]}),
        ({"op": "move", "from": "/b/x", "path": "/d"}, {"a": 1, "b": {}, "c": [3, 4], "d": 2}),
        ({"op": "copy", "from": "/c", "path": "/d"}, {"a": 1, "b": {"x": 2}, "c": [3, 4], "d": [3, 4]}),
        ({"op": "test", "path": "/c", "value": [3, 4]}, {"a": 1, "b": {"x": 2}, "c": [3, 4]}),
    ],
)
def test_operations_are_as_the_rfc_says(operation: Any, result: Any) -> None:
    body = b'{"a":1,"b":{"x":2},"c":[3,4]}'
    assert json.loads(patching.read(STEPS, json.dumps([operation]).encode()).apply(body)) == result


@pytest.mark.parametrize(
    ("media", "body", "error"),
    [
        (STEPS, b'[{"op":"remove","path":"/x"}]', Invalid),
        (STEPS, b'[{"op":"test","path":"/a","value":2}]', Conflict),
        (STEPS, b'[{"op":"nothing","path":"/a"}]', Malformed),
        (STEPS, b'[{"op":"copy","from":"","path":"/a"}]' * 1, None),
        (STEPS, json.dumps([{"op": "copy", "from": "", "path": "/a"}] * 11).encode(), TooLarge),
        (STEPS, b"{}", Malformed),
        (MERGE, b"[]", Malformed),
        (MERGE, b"[" * 5000, Malformed),
        (MERGE, b'{"a":\xff}', Malformed),
        ("text/plain", b"{}", WrongMedia),
        ("application/json", b'{"resourceType":"Parameters"}', WrongMedia),
        ("application/json", b"1", Malformed),
    ],
)
def test_what_cannot_be_is_told(media: str, body: bytes, error: type[RekoError] | None) -> None:
    if error is None:
        patching.read(media, body).apply(b'{"a":1}')
        return
    with pytest.raises(error):
        patching.read(media, body).apply(b'{"a":1}')


def test_no_patch_grows_beyond_the_limit() -> None:
    body = json.dumps({"a": ["x" * 100_000] * 30}).encode()
    doubling = json.dumps([{"op": "copy", "from": "", "path": f"/{name}"} for name in "bcdefg"]).encode()
    with pytest.raises(TooLarge):
        patching.read(STEPS, doubling).apply(body)


def test_digits_and_order_stay() -> None:
    body = b'{"z":1.500,"a":0.10,"n":[1.0,2.00]}'
    change = patching.read(STEPS, b'[{"op":"add","path":"/n/-","value":3.000}]')
    assert change.apply(body) == b'{"z":1.500,"a":0.10,"n":[1.0,2.00,3.000]}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(target=st.dictionaries(st.text(max_size=3), JSON), result=st.dictionaries(st.text(max_size=3), JSON))
def test_what_is_replaced_whole_is_the_new(target: Any, result: Any) -> None:
    change = patching.read(STEPS, json.dumps([{"op": "replace", "path": "", "value": result}]).encode())
    assert json.loads(change.apply(json.dumps(target).encode())) == result
