import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.document import decode, from_content, same_content, with_elements

NAMES = st.text("abcdefgåäö_", min_size=1, max_size=6)
SCALARS = st.sampled_from(["100.00", "1e2", "0.10", "true", '"\\u00e5"', '"å"', '"a\\/b"', "-0.0", '"\\ud83d\\ude00"'])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: "[ " + " ,".join(parts) + "]")
        | st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(
            lambda parts: "{" + ", ".join(f'"{name}" : {value}' for name, value in parts.items()) + " }"
        )
    ),
    max_leaves=6,
)


def body_of(elements: dict[str, str]) -> bytes:
    return ("{\n" + " ,\n".join(f'  "{name}" :{value}' for name, value in elements.items()) + "}").encode()


def raw(body: bytes) -> dict[str, bytes]:
    return {name: bytes(part) for name, part in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}


@given(st.dictionaries(NAMES, VALUES, max_size=6), st.dictionaries(NAMES, st.none() | st.integers(0, 9), max_size=3))
def test_untouched_elements_keep_their_bytes(elements: dict[str, str], changes: dict[str, int | None]) -> None:
    before = decode(body_of({"resourceType": '"X"'} | elements))

    after = with_elements(before, changes)

    assert orjson.loads(after.body) == after.content
    kept = {name: part for name, part in raw(before.body).items() if name not in changes}
    assert {name: part for name, part in raw(after.body).items() if name not in changes} == kept
    assert all(after.content.get(name) == value for name, value in changes.items())


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, st.none() | st.integers(0, 9), max_size=3))
def test_the_same_change_twice_changes_nothing_more(elements: dict[str, str], changes: dict[str, int | None]) -> None:
    once = with_elements(decode(body_of(elements)), changes)

    assert with_elements(once, changes) is once


def test_an_element_that_has_the_value_keeps_its_bytes() -> None:
    before = decode(b'{"resourceType": "X", "a": [100.00 ], "b": 1}')

    assert with_elements(before, {"a": [100.0], "b": 2}).body == b'{"resourceType":"X","a":[100.00 ],"b":2}'


def test_type_id_and_meta_stand_first() -> None:
    before = decode(b'{"status":"active","resourceType":"X"}')

    after = with_elements(before, {"meta": {"versionId": "1"}, "id": "7"})

    assert list(orjson.loads(after.body)) == ["resourceType", "id", "meta", "status"]


def test_the_first_document_is_left_alone() -> None:
    before = decode(b'{"resourceType":"X","a":1}')

    with_elements(before, {"a": None, "b": 2})

    assert before.content == {"resourceType": "X", "a": 1}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1}, {"a": 1, "id": "7", "meta": {"versionId": "2"}}, True),
        ({"a": 1, "id": "8"}, {"a": 1, "id": "7"}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": 1, "text": {}}, False),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
    ],
)
def test_same_content_looks_past_id_and_meta(one: dict[str, object], other: dict[str, object], same: bool) -> None:
    assert same_content(from_content(one), from_content(other)) is same
