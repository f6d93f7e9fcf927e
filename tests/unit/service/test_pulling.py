"""The file of units and the timetable."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.identity import HsaId
from contracts.record import Caller, Right
from service.pulling.timetable import RETRY, Past, next_pull
from service.pulling.units import BadUnits, ScheduledUnit, from_file

ACTOR, PROVIDER = "SE2321000131-F1", "SE2321000131-S1"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


def entry(number: int = 1, more: str = "") -> str:
    return f'[[unit]]\ncare_unit = "SE2321000131-E{number}"\ncare_provider = "{PROVIDER}"\n{more}\n'


def read(home: Path, text: str) -> tuple[ScheduledUnit, ...]:
    file = home / "units.toml"
    file.write_text(text, encoding="utf-8")
    return from_file(file)


def unit(number: int = 1, every: timedelta = HOUR) -> ScheduledUnit:
    caller = Caller(HsaId(ACTOR), "c", HsaId(f"SE2321000131-E{number}"), HsaId(PROVIDER), frozenset())
    return ScheduledUnit(caller, every, 14)


def test_units_take_what_they_do_not_say_from_the_top(tmp_path: Path) -> None:
    common = f'actor = "{ACTOR}"\nevery_minutes = 30\n'
    plain, own = read(tmp_path, common + entry(1) + entry(2, "every_minutes = 5\nmax_days_since_end = 0"))
    assert (plain.id, plain.every, plain.days) == ("SE2321000131-E1", timedelta(minutes=30), 14)
    assert (own.id, own.every, own.days) == ("SE2321000131-E2", timedelta(minutes=5), 0)
    assert plain.caller.employee.value == ACTOR
    assert plain.caller.provider.value == PROVIDER
    assert plain.caller.rights == {Right.SICK_LEAVE_PULL}


def test_an_hour_is_the_rule(tmp_path: Path) -> None:
    (only,) = read(tmp_path, f'actor = "{ACTOR}"\n' + entry())
    assert only.every == HOUR


BAD = {
    "": "lacks actor",
    'actor = "x y"\n': "actor",
    "actor = 5\n": "actor",
    f'actor = "{ACTOR}"\nevery = 5\n': "every is not known here",
    f'actor = "{ACTOR}"\nevery_minutes = 0\n' + entry(): "every_minutes is a whole number from 1 to 10080",
    f'actor = "{ACTOR}"\n' + entry(more="every_minutes = true"): "unit 1: every_minutes is a whole number",
    f'actor = "{ACTOR}"\n' + entry(more="max_days_since_end = 15"): "from 0 to 14",
    f'actor = "{ACTOR}"\n' + entry(more='patient = "x"'): "unit 1: patient is not known here",
    f'actor = "{ACTOR}"\n[[unit]]\ncare_unit = "SE2321000131-E1"\n': "unit 1 lacks care_provider",
    f'actor = "{ACTOR}"\n' + entry() + entry(): "stands there twice",
    "actor = [": "units.toml",
}


@pytest.mark.parametrize(("text", "said"), BAD.items(), ids=BAD.values())
def test_a_bad_file_says_which_entry_and_which_part(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadUnits, match=said):
        read(tmp_path, text)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadUnits, match=r"units\.toml"):
        from_file(tmp_path / "units.toml")


# The timetable


def done(*began: datetime) -> Sequence[Past]:
    return [Past(at, failed=False) for at in began]


def test_a_unit_that_has_never_been_pulled_is_due_at_once() -> None:
    assert next_pull(unit(), (), NOW) == NOW


@given(st.integers(0, 10**6), st.timedeltas(timedelta(), timedelta(days=2)), st.integers(1, 7 * 24 * 60))
def test_the_next_slot_comes_within_the_interval(number: int, later: timedelta, minutes: int) -> None:
    one, began = unit(number, timedelta(minutes=minutes)), NOW + later
    due = next_pull(one, done(began), NOW)
    assert began < due <= began + one.every
    assert next_pull(one, done(due), NOW) == due + one.every, "slots stand apart by the interval"


def test_the_units_of_a_region_are_spread_over_the_interval() -> None:
    minutes = [int((next_pull(unit(number), done(NOW), NOW) - NOW) / timedelta(minutes=1)) for number in range(600)]
    per_minute = [minutes.count(minute) for minute in range(60)]
    assert max(per_minute) <= 30
    assert min(per_minute) >= 1


def test_what_failed_comes_sooner_and_then_ever_later_up_to_the_interval() -> None:
    waits = [next_pull(unit(), [Past(NOW, failed=True)] * failures, NOW) - NOW for failures in range(1, 12)]
    for doublings, wait in enumerate(waits):
        middle = min(RETRY * 2**doublings, HOUR)
        assert 0.8 * middle <= wait <= 1.2 * middle


def test_a_failure_long_ago_is_forgotten() -> None:
    past = [Past(NOW, failed=False), Past(NOW - HOUR, failed=True)]
    assert next_pull(unit(), past, NOW) == next_pull(unit(), done(NOW), NOW)


def test_units_that_failed_together_come_apart() -> None:
    assert len({next_pull(unit(number), [Past(NOW, failed=True)], NOW) for number in range(50)}) == 50
