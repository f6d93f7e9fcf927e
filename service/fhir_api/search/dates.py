"""What a date of any precision covers. https://hl7.org/fhir/R4/search.html#date"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final

from contracts.time import STOCKHOLM, Period
from fhir_mappings import primitives
from service.store.codec import to_micros

FAR_PAST: Final = -(2**62)
FAR_FUTURE: Final = 2**62


@primitives.remembered
def span(text: str) -> Period:
    """The time that a date of any precision covers: a year, a month or a day in Sweden, a minute, a second, or, with a
    fraction, an instant. A time without zone, which a search may state, is Swedish. ``ValueError`` for anything else."""
    match = _DATE.fullmatch(text)
    if match is None:
        return _time(text)
    year, month, day = int(match["year"]), match["month"], match["day"]
    last_month = int(month or 12)
    last_day = int(day or monthrange(year, last_month)[1])
    return Period.of_days(date(year, int(month or 1), int(day or 1)), date(year, last_month, last_day))


def micros(lasting: Period) -> tuple[int, int]:
    """The first instant and the first one after it, in microseconds; open sides are far away."""
    low = FAR_PAST if lasting.start is None else to_micros(lasting.start)
    return low, FAR_FUTURE if lasting.end is None else to_micros(lasting.end)


_DATE: Final = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?P<second>:\d\d(?P<fraction>\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII
)


def _time(text: str) -> Period:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("this is no date and no time")
    start = primitives.instant(text) if match["zone"] else _swedish(text)
    if match["fraction"]:
        return Period(start, start + timedelta(microseconds=1))
    return Period(start, start + (timedelta(seconds=1) if match["second"] else timedelta(minutes=1)))


def _swedish(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).astimezone(UTC)
    except OverflowError:
        raise ValueError("the year is outside what can be reckoned with") from None
