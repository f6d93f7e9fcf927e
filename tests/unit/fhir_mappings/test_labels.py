"""Which labels leave a resource to the few."""

from typing import Any

import pytest

from fhir_mappings.document import from_content
from fhir_mappings.identifiers import CONFIDENTIALITY, SECURITY_LABEL
from fhir_mappings.labels import is_restricted, restricted

LABEL = {"system": CONFIDENTIALITY, "code": "R"}
MARKED = {"system": SECURITY_LABEL, "code": "sekretessmarkering"}


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (None, False),
        ({}, False),
        ({"versionId": "2"}, False),
        ({"security": [LABEL]}, True),
        ({"security": [MARKED, LABEL | {"display": "restricted"}]}, True),
        ({"security": [LABEL | {"code": "V"}]}, True),
        ({"security": [LABEL | {"code": "N"}]}, False),
        ({"security": [{"system": "urn:other", "code": "R"}]}, False),
        ({"security": [{"code": "R"}]}, False),
        ({"security": [MARKED]}, False),
    ],
)
def test_restricted_and_very_restricted_are(meta: Any, expected: bool) -> None:
    content = {"resourceType": "Goal"} | ({} if meta is None else {"meta": meta})
    assert is_restricted(content) is expected
    made = restricted(from_content(content))
    assert is_restricted(made.content)
    assert (made.content == content) is expected
    kept = made.content["meta"]["security"]
    assert kept[: len(kept) - (not expected)] == (meta or {}).get("security", [])
