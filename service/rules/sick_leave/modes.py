"""The two ways to count (decision D9). ``REHABSTOD`` answers what the national engine answers, quirks included;
``CORRECTED`` mends five of them (rehabstod.md § 3.6). All that differs stands side by side at the end, a line per quirk;
everything else is one code. Whoever shows a figure says in which mode it was counted.

| quirk | ``rehabstod`` | ``corrected`` | example |
|---|---|---|---|
| Q1 | the certificate that is shown is looked up by its dates: one with the same dates takes its place, and it counts twice | the certificate itself | A and B both 1-20 Feb, B signed later: [B, B], in corrected [A, B] |
| Q2 | to the left the chain goes on from the *last taken* certificate's start | from the earliest start so far | 1-10 Jan with a short 8-9 Jan inside it, one until 31 Dec, gap 5: the latter is cut off, in corrected it is a member |
| Q3 | to the right, and in a patient's groups, from the *last* certificate's end | from the latest end so far | 1-30 Jan, 2-3 Jan, 11-20 Jan, gap 5: two overlapping sick leaves, in corrected one |
| Q4 | of those that ended recently the *earliest* ended is shown | the last ended; of those the latest signed | ended 8 and 15 Jan, asked for 20 Jan: shown with 8 Jan's doctor and degrees, in corrected with 15 Jan's |
| Q5 | one that starts after the day prolongs a sick leave that has ended | when nothing is active on the day, those that start after it are not members | ended 10 Jan, next 14 Jan, asked for 12 Jan, gap 5: it ends in the future, in corrected on 10 Jan |

Filters are no counting: in both modes an unknown occupation code breaks none, as it does the national one (docs/overview.md).

So in corrected mode a sick leave is everything that can be reached from its certificate by steps of at most ``gap`` free
days, in both views alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from contracts.errors import Invalid
from service.rules.sick_leave.standing import Standing

Standings = list[Standing[Any]]


@dataclass(frozen=True, slots=True)
class Mode:
    """A name, and what the counting does where the two modes differ: where ``shown`` stands among its patient's
    certificates; how far a chain reaches to the left and to the right when one more is taken, from how far it reached and
    that one's day; which of those that ended recently is shown; which certificates may be members at all on the day."""

    name: str
    place: Callable[[Standings, Standing[Any]], int]
    earlier: Callable[[int, int], int]
    later: Callable[[int, int], int]
    ended: Callable[[Standings], Standing[Any]]
    present: Callable[[Standings, int], Standings]


def latest_signed(standings: Standings) -> Standing[Any]:
    """Of several signed at the same time the first (Q10). Raises ``Invalid`` when there are several and one has no
    signing time; of a single one it is not asked for."""
    if len(standings) == 1:
        return standings[0]
    times = [each.certificate.signed for each in standings]
    if None in times:
        raise Invalid("certificates are told apart by their signing times, and one has none")
    return standings[times.index(max(times))]


def _of_equal_dates(standings: Standings, wanted: Standing[Any]) -> int:
    return next(n for n, each in enumerate(standings) if each.start == wanted.start and each.end == wanted.end)


def _itself(standings: Standings, wanted: Standing[Any]) -> int:
    return next(n for n, each in enumerate(standings) if each is wanted)


def _new(_reached: int, day: int) -> int:
    return day


def _first(ended: Standings) -> Standing[Any]:
    return ended[0]


def _last_ended(ended: Standings) -> Standing[Any]:
    last = max(each.end for each in ended)
    return latest_signed([each for each in ended if each.end == last])


def _all(standings: Standings, _day: int) -> Standings:
    return standings


def _begun_unless_active(standings: Standings, day: int) -> Standings:
    if any(each.active for each in standings):
        return standings
    # One that ended stays, even if its periods are reversed and it "starts" later: it may be the one that is shown.
    return [each for each in standings if each.start <= day or each.recent]


REHABSTOD: Final = Mode(
    "rehabstod",
    place=_of_equal_dates,  # Q1
    earlier=_new,  # Q2
    later=_new,  # Q3
    ended=_first,  # Q4
    present=_all,  # Q5
)
CORRECTED: Final = Mode(
    "corrected",
    place=_itself,
    earlier=min,
    later=max,
    ended=_last_ended,
    present=_begun_unless_active,
)

MODES: Final = {mode.name: mode for mode in (REHABSTOD, CORRECTED)}
