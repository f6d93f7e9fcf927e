"""In which order the entries of a transaction are done, whatever points at what."""

from hypothesis import given
from hypothesis import strategies as st

from service.fhir_api.changing import Target
from service.fhir_api.entries import Entry
from service.fhir_api.interactions.transaction import Step, in_order
from service.fhir_api.resources import ROWS


def step(index: int, method: str, *points_at: int, type: str = "List") -> Step:
    entry = Entry(index, method, type, "", f"urn:uuid:{index}", None, {})
    return Step(entry, Target(ROWS[type]), f"fresh-{index}", links=tuple(f"urn:uuid:{each}" for each in points_at))


def order(*steps: Step) -> list[int]:
    return [each.entry.index for each in in_order(steps)]


def test_creates_come_before_updates_each_in_their_order() -> None:
    assert order(step(0, "PATCH"), step(1, "PUT"), step(2, "POST"), step(3, "PUT"), step(4, "POST")) == [2, 4, 1, 3, 0]


def test_patients_come_first_after_what_they_point_at() -> None:
    assert order(step(0, "POST"), step(1, "PUT", 2, type="Patient"), step(2, "PUT"), step(3, "POST")) == [2, 1, 0, 3]


def test_what_is_pointed_at_comes_first() -> None:
    assert order(step(0, "POST", 1, 2), step(1, "PUT", 3), step(2, "POST"), step(3, "POST")) == [2, 3, 1, 0]


def test_of_a_circle_everybody_comes_once() -> None:
    assert sorted(order(step(0, "POST", 1), step(1, "POST", 2), step(2, "POST", 0), step(3, "POST", 3))) == [0, 1, 2, 3]


def test_a_long_chain_is_no_matter() -> None:
    chain = [step(index, "POST", index + 1) for index in range(1000)]
    assert order(*chain) == list(range(999, -1, -1))


@given(
    st.lists(st.tuples(st.sampled_from(["POST", "PUT", "PATCH"]), st.sets(st.integers(0, 9), max_size=4)), max_size=10)
)
def test_everybody_comes_once_and_after_what_they_point_at_if_that_can_be(
    drawn: list[tuple[str, set[int]]],
) -> None:
    steps = [step(index, method, *points_at) for index, (method, points_at) in enumerate(drawn)]
    done = order(*steps)
    assert sorted(done) == list(range(len(steps)))
    reach = {index: {each for each in points_at if each < len(drawn)} for index, (_, points_at) in enumerate(drawn)}
    for _ in drawn:
        reach = {index: near.union(*(reach[each] for each in near)) for index, near in reach.items()}
    for index, (_, points_at) in enumerate(drawn):
        for needed in points_at - {index}:
            in_a_circle = needed < len(drawn) and index in reach[needed]
            assert needed >= len(drawn) or in_a_circle or done.index(needed) < done.index(index)
