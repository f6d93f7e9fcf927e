"""read and search-type of ``AuditEvent``: made from the rows of decisions and tries when somebody asks (ADR 0011).

What the rows tell is asked of them. For the rest, events that the rows do not rule out are made, some at a time, and asked
as all that is searched is, in an index of their own that lasts as long as the question.

https://hl7.org/fhir/R4/http.html#read, https://hl7.org/fhir/R4/http.html#search
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, NotFound, NotSupported
from contracts.record import Record, Right
from service.fhir_api import answers, searching
from service.fhir_api.audit_trail import NEWEST, OLDEST, Events, Told, Trail, beyond, told, told_by_id, told_of
from service.fhir_api.reading import log_reading, part_asked
from service.fhir_api.search import including
from service.fhir_api.search import query as queries
from service.fhir_api.search.criteria import Criterion, Way, pointing_at
from service.fhir_api.search.index import rows_of
from service.fhir_api.search.parameters import LAST_UPDATED, MADE
from service.fhir_api.search.query import Query
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.sorting import Place, SortKey
from service.fhir_api.search.statements import padded
from service.fhir_api.searching import Found, Search
from service.fhir_api.surroundings import Surroundings
from service.store.shelf import shelf
from service.store.snapshot import SqlSnapshot

AT_A_TIME: Final = (200, 600, 2200)
"""Events that are made and asked for one page: few at first, as often many match. Behind the last of them it ends, full or
not: that far is a third of a second."""

MOST: Final = sum(AT_A_TIME)
"""Events that are made and asked for one answer that wants all of them."""

MOST_ADDRESSES: Final = 1000
"""What a chain or a hierarchy may lead to."""


async def read_audit_event(around: Surroundings, request: Request) -> Response:
    """One event of the unit, by ``decision-<number>`` or ``disclosure-<number>``."""
    caller = around.caller(request, Right.FHIR_READ)
    asked = [told_by_id([request.path_params["id"]])]
    found = await around.store.look(lambda snapshot: Trail(snapshot, around.base, caller, asked).events(1))
    if not found:
        raise NotFound("there is no such AuditEvent")
    (event,) = found.values()
    await log_reading(around, caller, [event], "read")
    body = part_asked(request, MADE, event.body)
    return answers.resource(body, headers=answers.version_headers(event))


async def search_audit_events(around: Surroundings, request: Request) -> Response:
    """The unit's events, newest first unless asked otherwise, each patient's row in the access log durable before they leave."""
    caller = around.caller(request, Right.FHIR_READ)
    search = await searching.asked(around, request, MADE, caller)
    found = await around.store.look(lambda snapshot: _find(around.base, search, snapshot))
    await log_reading(around, caller, [*found.matched, *found.along], "search-type")
    return searching.answer(around, search, found)


async def refuse_change(*_: object) -> Response:
    """Nobody writes the trail. Raises ``NotSupported``."""
    raise NotSupported("AuditEvent is made by the service itself: it is read and searched, and has no versions")


# What is found


def _find(base: str, search: Search, snapshot: SqlSnapshot) -> Found:
    """A page, what comes along and the total, from one snapshot. Raises ``Malformed`` for what would take too long."""
    scope = Scope.of(search.caller, snapshot.index.numbers)
    of_rows, of_events = _divided(search.query, scope, snapshot)
    trail = Trail(snapshot, base, search.caller, of_rows)
    look = _Look(search, scope, trail, of_events, _codes(search.query))
    found = look.found()
    along, is_cut = look.along(found.matched)
    return found._replace(along=along, is_cut=is_cut)


def _codes(query: Query) -> frozenset[str]:
    """The parameters that anything is asked of: to index events by all of them takes as long again as all the rest."""
    along = including.references(MADE) if query.includes else []
    named = (_STEPS.split(name)[0] for name, _, _ in query.asked)
    return frozenset([*named, *(key.parameter.code for key in query.sort), *(each.code for each in along)])


def _divided(query: Query, scope: Scope, snapshot: SqlSnapshot) -> tuple[list[Told], tuple[Criterion, ...]]:
    """What is asked of the rows, and what is left to ask of the events. What leads through stored resources is followed
    first: then a reference to where it leads is wanted."""
    of_rows: list[Told] = []
    of_events: list[Criterion] = []
    for name, value, criterion in query.asked:
        by_rows, by_events = told(name, value), criterion
        if criterion.way is not None:
            code, addresses = _STEPS.split(name)[0], _addresses(criterion.way, scope, snapshot)
            by_rows = told_of(addresses) if code == "patient" or not addresses else None
            by_events = pointing_at(MADE, code, addresses)
        if by_rows is None:
            of_events.append(by_events)
        else:
            of_rows.append(by_rows)
    return of_rows, tuple(of_events)


_STEPS: Final = re.compile("[.:]")


def _addresses(way: Way, scope: Scope, snapshot: SqlSnapshot) -> list[str]:
    found = searching.asking(snapshot)(way.question(scope, MOST_ADDRESSES + 1))
    if len(found) > MOST_ADDRESSES:
        raise _too_costly(f"more than {MOST_ADDRESSES} resources are led to: say more closely to which")
    return padded([address for (address,) in found])


def _too_costly(text: str) -> Malformed:
    return Malformed(Issue(IssueType.TOO_COSTLY, text))


_NEWEST_FIRST: Final = SortKey(LAST_UPDATED, descending=True)


def _by_time(sort: Sequence[SortKey]) -> SortKey | None:
    """The order of time, if that is asked or none is."""
    if not sort:
        return _NEWEST_FIRST
    is_time = len(sort) == 1 and sort[0].parameter.code in ("date", "_lastUpdated")
    return replace(sort[0], parameter=LAST_UPDATED) if is_time else None


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the trail; ``asked`` is what its rows do not tell, ``codes`` the parameters that events are indexed by."""

    search: Search
    scope: Scope
    trail: Trail
    asked: tuple[Criterion, ...]
    codes: frozenset[str]

    def found(self) -> Found:
        """The page, and the total if that is wanted."""
        query = self.search.query
        by_time = _by_time(query.sort if query.count else ())
        if by_time is None:
            return self._in_order((*query.sort, _NEWEST_FIRST))
        if self.asked and query.total:
            return self._in_order((by_time,))
        shown, ends = self._in_time(oldest_first=not by_time.descending) if query.count else ([], None)
        return Found(shown, total=self.trail.count() if query.total else None, ends=ends)

    def _in_time(self, *, oldest_first: bool) -> tuple[list[Record], Place | None]:
        """The next page as far as events are looked at, and where it ends if that is not the end of all."""
        shown: list[Record] = []
        place, wanted = self.search.place or (OLDEST if oldest_first else NEWEST), self.search.query.count
        for some in AT_A_TIME if self.asked else (wanted + 1,):
            events = self.trail.events(some, place, oldest_first=oldest_first)
            matching = self._matching(events)
            for number, event in events.items():
                if event.id in matching:
                    if len(shown) == wanted:
                        return shown, place
                    shown.append(event)
                place = beyond(place, number)
            if len(events) < some:
                return shown, None
        return shown, place

    def _matching(self, events: Events) -> Collection[str]:
        """The ids of those that match."""
        if not self.asked or not events:
            return [event.id for event in events.values()]
        query = Query(MADE, criteria=self.asked, count=len(events))
        with self._shelf(events) as kept:
            return {event.id for event in queries.matching(query, self.scope, kept)}

    def _in_order(self, sort: tuple[SortKey, ...]) -> Found:
        """The page of all that match, put in an order that ends with that of time, and counted. Raises ``Malformed`` if too
        many would be looked at."""
        if self.trail.count(MOST + 1) > MOST:
            raise _too_costly(
                f"more than {MOST} events would have to be looked at for this order or total: ask for a patient or a day "
                "too, or for the order of time and no total"
            )
        query = replace(self.search.query, criteria=self.asked, sort=sort, includes=())
        onwards = -1 if sort[-1].descending else 1  # equals stand on the shelf as time has them
        with self._shelf({onwards * number: event for number, event in self.trail.events(MOST).items()}) as kept:
            return searching.read(replace(self.search, query=query), self.scope, kept)

    def along(self, matched: Sequence[Record]) -> tuple[Sequence[Record], bool]:
        """What comes along: the references of what is shown are read from events, the rest from what is stored."""
        includes, ask = self.search.query.includes, searching.asking(self.trail.snapshot)
        if not (includes and matched):
            return (), False
        rows = [(each.type, each.id, rid) for rid, each in enumerate(matched)]
        with self._shelf(dict(enumerate(matched))) as kept:
            along, is_cut = including.included(includes, rows, self.scope, ask, searching.asking(kept))
        return searching.records(along), is_cut

    @contextmanager
    def _shelf(self, events: Mapping[int, Record]) -> Iterator[SqlSnapshot]:
        snapshot = self.trail.snapshot
        kept = shelf(events, snapshot.at, replace(snapshot.index, rows_of=partial(rows_of, only=self.codes)))
        with closing(kept.connection):
            yield kept
