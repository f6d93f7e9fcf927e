"""Our sick leaves of a unit held against those that the national engine computes of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adapters.intygstjanst import mock as feed
from contracts.identity import HsaId
from contracts.time import swedish_day

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]


@pytest.fixture
async def both(serve: Callable[..., AbstractAsyncContextManager["Flow"]], tmp_path: Path) -> AsyncIterator["Flow"]:
    """A service that may ask the national engine, and a unit of generated patients that has been pulled."""
    async with serve(tmp_path, national=True) as flow:
        flow.world.populate(11, HsaId(flow.UNIT), HsaId(flow.PROVIDER), 60)
        assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull?max_days_since_end=14")).status_code == 200
        yield flow


async def compared(flow: "Flow", **asked: Any) -> Json:
    response = await flow.coordinator.get(f"/api/units/{flow.UNIT}/sick-leaves/comparison", params=asked)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


@pytest.mark.parametrize(("gap", "days"), [(0, 0), (5, 0), (5, 14), (90, 7)])
async def test_in_the_mode_that_claims_to_be_equal_the_two_are(both: "Flow", gap: int, days: int) -> None:
    answer = await compared(both, gap=gap, maxDaysSinceEnd=days)
    assert (answer["mode"], answer["gap"], answer["maxDaysSinceEnd"]) == ("rehabstod", gap, days)
    assert answer["ours"] == answer["theirs"] > 30
    assert (answer["differences"], answer["unreadable"]) == ([], 0)


async def test_what_has_changed_since_the_pull_is_told_by_part(both: "Flow") -> None:
    person = next(both.people)
    certificate = both.certify(person, -10, 20)
    await both.coordinator.post(f"/api/units/{both.UNIT}/pull")
    both.certify(person, -10, 30, id=certificate)
    (found,) = (await compared(both))["differences"]
    today = swedish_day(both.clock.now())
    assert (found["only"], found["certificates"]) == (None, [certificate])
    assert found["parts"] == [
        {"part": "end", "ours": f"{today + timedelta(days=20)}", "theirs": f"{today + timedelta(days=30)}"},
        {"part": "days", "ours": 31, "theirs": 41},
    ]
    assert both.rows(
        "SELECT count(*) FROM access_log WHERE interaction = 'comparison' AND patient = ?", found["patient"]
    )


async def test_what_only_one_of_them_has_is_told(both: "Flow") -> None:
    mine, theirs = next(both.people), next(both.people)
    gone = both.certify(mine)
    await both.coordinator.post(f"/api/units/{both.UNIT}/pull")
    feed.withdraw(both.world.counterparts["intygstjanst"], [gone])
    new = both.certify(theirs)
    found = {each["only"]: each for each in (await compared(both))["differences"]}
    assert found["ours"]["certificates"] == [gone]
    assert (found["theirs"]["certificates"], found["theirs"]["patient"]) == ([new], None)


async def test_only_for_the_own_unit_and_with_the_right(both: "Flow") -> None:
    address = f"/api/units/{both.UNIT}/sick-leaves/comparison"
    assert (await both.neighbour.get(address)).status_code == 404
    assert (await both.nobody.get(address)).status_code == 401
    assert (await both.coordinator.get(f"{address}?doctor=x")).status_code == 422
    assert (await both.coordinator.get(f"{address}?gap=91")).status_code == 422


async def test_without_an_address_it_says_which_setting_is_missing(flow: "Flow") -> None:
    response = await flow.coordinator.get(f"/api/units/{flow.UNIT}/sick-leaves/comparison")
    assert response.status_code == 405
    assert "REKO_ADAPTERS__INTYGSTJANST__REST_URL" in response.json()["detail"]
