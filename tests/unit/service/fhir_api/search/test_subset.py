"""Parts of resources keep their bytes, and nothing that R4 requires is left out."""

import orjson
import pytest

from service.fhir_api.search.parameters import PARAMETERS
from service.fhir_api.search.subset import SUBSETTED, element_names, subset

OBSERVATION = (
    b'{"resourceType":"Observation","id":"1","meta":{"versionId":"1","tag":[{"code":"own"}]},"text":{"status":"empty"},'
    b'"status":"final","_status":{"id":"s"},"code":{"text":"\\u00e5"},"valueQuantity":{"value": 1.50},"note":[{"text":"n"}],'
    b'"component":[{"code":{"text":"c"},"valueQuantity":{"value":2.0},"interpretation":[{"text":"high"}]}]}'
)


def test_what_stays_keeps_its_bytes() -> None:
    part = subset("Observation", OBSERVATION, "true", ())
    assert b'{"value": 1.50}' in part
    assert b'{"value":2.0}' in part
    assert b'"\\u00e5"' in part
    assert b"interpretation" not in part
    assert b"note" not in part


def test_an_own_tag_stays_beside_the_one_that_says_part() -> None:
    for summary, elements in (("true", ()), ("text", ()), ("data", ()), ("false", ("note",))):
        part = orjson.loads(subset("Observation", OBSERVATION, summary, elements))
        assert part["meta"] == {"versionId": "1", "tag": [{"code": "own"}, SUBSETTED]}


def test_the_whole_is_untouched() -> None:
    assert subset("Observation", OBSERVATION, "false", ()) is OBSERVATION
    assert subset("Observation", OBSERVATION, "count", ()) is OBSERVATION


@pytest.mark.parametrize(
    ("elements", "kept"),
    [
        (("note",), {"note", "status", "_status", "code"}),
        (("value",), {"valueQuantity", "status", "_status", "code"}),
        (("valueQuantity", "component"), {"valueQuantity", "component", "status", "_status", "code"}),
    ],
)
def test_elements_and_what_is_required(elements: tuple[str, ...], kept: set[str]) -> None:
    assert set(orjson.loads(subset("Observation", OBSERVATION, "false", elements))) == kept | {
        "resourceType",
        "id",
        "meta",
    }


def test_every_type_has_a_row() -> None:
    for type_ in PARAMETERS:
        assert {"id", "meta"} <= element_names(type_)
        body = orjson.dumps({"resourceType": type_, "id": "1", "meta": {}})
        for summary in ("true", "text", "data"):
            assert orjson.loads(subset(type_, body, summary, ()))["meta"] == {"tag": [SUBSETTED]}
