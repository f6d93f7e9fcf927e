from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from contracts.plan import FollowUp, PlanKind, PlanSeen, RehabPlan

TODAY = date(2026, 5, 4)
EARLIER, YESTERDAY, LATER = date(2026, 4, 1), date(2026, 5, 3), date(2026, 6, 1)
SEEN = PlanSeen(
    "CarePlan/1", 1, datetime(2026, 4, 1, tzinfo=UTC), "active", RehabPlan(PlanKind.REHAB, "Plan", "p1"), TODAY
)


@pytest.mark.parametrize(
    ("planned", "done", "coming", "overdue"),
    [
        ((), (), None, None),
        ((TODAY,), (), TODAY, None),
        ((LATER, TODAY), (), TODAY, None),
        ((YESTERDAY,), (), None, YESTERDAY),
        ((EARLIER, YESTERDAY, LATER), (), LATER, YESTERDAY),
        ((YESTERDAY,), (YESTERDAY,), None, None),
        ((YESTERDAY,), (TODAY,), None, None),
        ((YESTERDAY,), (EARLIER,), None, YESTERDAY),
        ((EARLIER,), (YESTERDAY,), None, None),
    ],
)
def test_when_it_is_followed_up(
    planned: tuple[date, ...], done: tuple[date, ...], coming: date | None, overdue: date | None
) -> None:
    plan = replace(SEEN.plan, follow_ups=tuple(map(FollowUp, planned)))
    for seen in (
        replace(SEEN, plan=plan, followed_up=done),
        replace(SEEN, plan=replace(plan, follow_ups=(*plan.follow_ups, *(FollowUp(day, done=True) for day in done)))),
    ):
        assert (seen.next_follow_up, seen.overdue_follow_up) == (coming, overdue)
