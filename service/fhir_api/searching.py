"""What every search passes, whatever is searched: what is asked, by GET and by POST ``_search``, and the bundle that answers.
https://hl7.org/fhir/R4/search.html"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, Severity, WrongMedia
from contracts.record import Caller, Record
from service.fhir_api import answers
from service.fhir_api.bundle import search_bundle
from service.fhir_api.conditions import asks_for_national_number
from service.fhir_api.formats import posted
from service.fhir_api.pages import PAGE
from service.fhir_api.preferences import is_lenient
from service.fhir_api.search import including, subset
from service.fhir_api.search import query as queries
from service.fhir_api.search.parameters import CONCEALED
from service.fhir_api.search.query import Pairs, Query
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.sorting import Place
from service.fhir_api.surroundings import Surroundings
from service.http_edge import names_a_person, read_body
from service.page_tokens import seal, unseal
from service.store.database import Row
from service.store.snapshot import SqlSnapshot, to_record
from service.store.sql import CURRENT_COLUMNS


class _Page(msgspec.Struct, frozen=True):
    type: str
    pairs: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    place: tuple[int | float | str | None, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked, by whom; ``pairs`` as they came, and the place where the page before ended."""

    query: Query
    pairs: Pairs
    caller: Caller
    place: Place | None = None


class Found(NamedTuple):
    """A page: what matches, what comes along (not all of it if that ``is_cut``), the total if it was counted, and where the
    page ends if there are more."""

    matched: Sequence[Record]
    along: Sequence[Record] = ()
    is_cut: bool = False
    total: int | None = None
    ends: Place | None = None


class Parse(Protocol):
    """Reads the parameters of a type; see ``query.parse``."""

    def __call__(self, type_: str, pairs: Pairs, *, lenient: bool = False) -> Query: ...


# What is asked


async def asked(
    around: Surroundings, request: Request, type_: str, caller: Caller, parse: Parse = queries.parse
) -> Search:
    """Raises ``Malformed`` for what cannot be obeyed, and ``WrongMedia``."""
    pairs = await _pairs(request)
    token = dict(pairs).get(PAGE)
    if token is None:
        return Search(parse(type_, queries.relative(around.base, pairs), lenient=is_lenient(request)), pairs, caller)
    page = unseal(around.page_key, token, _Page)
    if page.unit != caller.unit.value or page.type != type_:
        raise Malformed("this page link belongs to another search")
    return Search(replace(parse(type_, page.pairs), ignored=page.ignored), pairs, caller, page.place)


async def _pairs(request: Request) -> Pairs:
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    _no_person_in_address(pairs)
    if request.method != "POST":
        return pairs
    body = await read_body(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and media != "application/x-www-form-urlencoded":
        raise WrongMedia("send the parameters as application/x-www-form-urlencoded")
    stated = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    posted(request, stated)
    return pairs + stated


def _no_person_in_address(pairs: Pairs) -> None:
    """National numbers are searched for by POST alone, whatever they look like (decision D10)."""
    if asks_for_national_number(pairs):
        raise Malformed("search for a national number with POST [type]/_search, the parameters in the body")


# What is found


def read(search: Search, scope: Scope, snapshot: SqlSnapshot) -> Found:
    """A page, what comes along and the total, from one snapshot."""
    ask, query = asking(snapshot), search.query
    rows = ask(queries.page(query, scope, search.place)) if query.count else []
    shown = rows[: query.count]
    along, is_cut = including.included(query.includes, shown, scope, ask)
    total = ask(queries.count(query, scope))[0][0] if query.total else None
    ends = queries.place_of(shown[-1]) if len(rows) > len(shown) > 0 else None
    return Found(records(shown), records(along), is_cut, total, ends)


def asking(snapshot: SqlSnapshot) -> including.Ask:
    """Asks the snapshot."""
    return lambda question: snapshot.ask(question.text, question.values)


def records(rows: Sequence[Row]) -> list[Record]:
    """From rows that begin with ``sql.CURRENT_COLUMNS``."""
    return [to_record(each[: len(CURRENT_COLUMNS)]) for each in rows]


# What is answered


def answer(around: Surroundings, search: Search, found: Found) -> Response:
    """The bundle. ``_elements`` is asked of what matches alone."""
    query = search.query
    shown = [part(each, query.summary, query.elements) for each in found.matched]
    beside = [part(each, query.summary, ()) for each in found.along]
    links, told = _links(around, search, found), _warnings(query, found)
    return answers.resource(search_bundle(around.base, shown, links, found.total, told, beside))


def part(record: Record, summary: str, elements: Sequence[str]) -> Record:
    """What was asked for of a resource; one that is only part says so."""
    body = subset.subset(record.type, record.body, summary, elements)
    return record if body is record.body else replace(record, body=body)


def _links(around: Surroundings, search: Search, found: Found) -> dict[str, str]:
    query = search.query
    address = f"{around.base}/{query.type}"
    links = {"self": f"{address}?{_shown(search)}"}
    if found.ends is not None:
        page = _Page(query.type, query.pairs, query.ignored, found.ends, search.caller.unit.value)
        links["next"] = f"{address}?{urlencode({PAGE: seal(around.page_key, page)})}"
    return links


def _shown(search: Search) -> str:
    """The parameters that were obeyed, by name; values that may tell who somebody is are left out."""
    kept = [(name, value) for name, value in search.pairs if name not in search.query.ignored]
    return urlencode([(name, "" if _tells_who(name, value) else value) for name, value in kept], safe="|,:/")


def _tells_who(name: str, value: str) -> bool:
    """Also at the end of a chain, or from the other end."""
    return not CONCEALED.isdisjoint(_STEPS.split(name)) or (len(value) >= _LEAST and names_a_person(value.encode()))


_STEPS: Final = re.compile("[.:]")
_LEAST: Final = 10
"""Digits of a personal number without a century."""


def _warnings(query: Query, found: Found) -> list[Issue]:
    told = [f"{queries.tellable(name)}: ignored" for name in query.ignored]
    if found.is_cut:
        told.append(f"more than {including.MOST} resources come along with this page: the rest is left out")
    return [Issue(IssueType.NOT_SUPPORTED, text, severity=Severity.WARNING) for text in told]
