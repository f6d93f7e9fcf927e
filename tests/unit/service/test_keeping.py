"""References of a resource: those that are looked for in its dump are those that a walk finds."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from service.usecases import keeping

POINTING = st.sampled_from(
    [
        "Patient/1",
        "Patient/a-b.C",
        "Patient/1/_history/2",
        "Patient/1/_history/",
        "https://x.example/Patient/1",
        "#inside",
        "Patient/å",
        "patient/1",
    ]
)
TEXT = st.one_of(POINTING, st.text(st.sampled_from('"reference:{},Patnt/1\\\n å'), max_size=40))
NAMES = st.sampled_from(["reference", "display", "subject", "valueReference", "text"])
CONTENT = st.dictionaries(
    NAMES,
    st.recursive(
        st.one_of(TEXT, st.integers(0, 9), st.booleans(), st.none()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
        max_leaves=12,
    ),
)


@given(CONTENT)
@example({"text": {"reference": "Patient/1"}, "display": '"reference":"Patient/2"'})
@example(
    {"subject": [{"reference": "Patient/1"}, {"reference": ["Patient/2"]}, {"reference": {"reference": "Patient/3"}}]}
)
def test_a_dump_tells_the_same_references_as_a_walk(content: dict[str, Any]) -> None:
    assert keeping._literals(content) == {reference for _, reference in keeping._places(content)}
