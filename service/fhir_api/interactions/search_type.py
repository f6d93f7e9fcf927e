"""search-type: https://hl7.org/fhir/R4/http.html#search, by GET and by POST ``_search``"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, Severity, WrongMedia
from contracts.record import Caller, Record, Right
from service.fhir_api import answers
from service.fhir_api.bundle import search_bundle
from service.fhir_api.conditions import asks_for_national_number
from service.fhir_api.formats import posted
from service.fhir_api.pages import PAGE
from service.fhir_api.preferences import is_lenient
from service.fhir_api.reading import log_reading
from service.fhir_api.search import including, subset
from service.fhir_api.search import query as queries
from service.fhir_api.search.parameters import CONCEALED
from service.fhir_api.search.query import Query
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.sorting import Place
from service.fhir_api.search.statements import Question
from service.fhir_api.surroundings import Surroundings, row_of
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


class _Found(NamedTuple):
    """What was read from one snapshot: the page's rows with one more if there are more, what comes along, the total."""

    rows: Sequence[Row]
    along: Sequence[Row]
    is_cut: bool
    total: int | None


async def search_type(around: Surroundings, request: Request) -> Response:
    """A page of what matches, each patient's row in the access log durable before it leaves."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    pairs = await _pairs(request)
    query, place = _asked(around, row.type, pairs, caller, request)
    scope = Scope.of(caller, around.store.numbers)
    found = await _find(around, query, scope, place)
    matched, along = _records(found.rows[: query.count]), _records(found.along)
    await log_reading(around, caller, [*matched, *along], "search-type")
    shown = [_part(query, each, query.elements) for each in matched]
    beside = [_part(query, each, ()) for each in along]
    links = _links(around, query, pairs, caller, found.rows)
    return answers.resource(search_bundle(around.base, shown, links, found.total, _warnings(query, found), beside))


async def _find(around: Surroundings, query: Query, scope: Scope, place: Place | None) -> _Found:
    if query.is_quick:
        return around.store.glance(lambda snapshot: _read(query, scope, place, snapshot))
    return await around.store.look(lambda snapshot: _read(query, scope, place, snapshot))


def _read(query: Query, scope: Scope, place: Place | None, snapshot: SqlSnapshot) -> _Found:
    def ask(question: Question) -> Sequence[Row]:
        return snapshot.ask(question.text, question.values)

    rows = ask(queries.page(query, scope, place)) if query.count else []
    along, is_cut = including.included(query.includes, rows[: query.count], scope, ask)
    total = ask(queries.count(query, scope))[0][0] if query.total else None
    return _Found(rows, along, is_cut, total)


def _records(rows: Sequence[Row]) -> list[Record]:
    return [to_record(each[: len(CURRENT_COLUMNS)]) for each in rows]


def _part(query: Query, record: Record, elements: Sequence[str]) -> Record:
    """What was asked for of a resource; an entry that is only part of one says so."""
    body = subset.subset(record.type, record.body, query.summary, elements)
    return record if body is record.body else replace(record, body=body)


async def _pairs(request: Request) -> Sequence[tuple[str, str]]:
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


def _no_person_in_address(pairs: Sequence[tuple[str, str]]) -> None:
    """National numbers are searched for by POST alone, whatever they look like (decision D10)."""
    if asks_for_national_number(pairs):
        raise Malformed("search for a national number with POST [type]/_search, the parameters in the body")


def _asked(
    around: Surroundings, type_: str, pairs: Sequence[tuple[str, str]], caller: Caller, request: Request
) -> tuple[Query, Place | None]:
    token = dict(pairs).get(PAGE)
    if token is None:
        return queries.parse(type_, queries.relative(around.base, pairs), lenient=is_lenient(request)), None
    page = unseal(around.page_key, token, _Page)
    if page.unit != caller.unit.value or page.type != type_:
        raise Malformed("this page link belongs to another search")
    return replace(queries.parse(type_, page.pairs), ignored=page.ignored), page.place


def _links(
    around: Surroundings, query: Query, pairs: Sequence[tuple[str, str]], caller: Caller, found: Sequence[Row]
) -> dict[str, str]:
    address = f"{around.base}/{query.type}"
    links = {"self": f"{address}?{_shown(query, pairs)}"}
    if len(found) > query.count > 0:
        place = queries.place_of(found[query.count - 1])
        page = _Page(query.type, query.pairs, query.ignored, place, caller.unit.value)
        links["next"] = f"{address}?{urlencode({PAGE: seal(around.page_key, page)})}"
    return links


def _shown(query: Query, pairs: Sequence[tuple[str, str]]) -> str:
    """The parameters that were obeyed, by name; values that may tell who somebody is are left out."""
    kept = [(name, value) for name, value in pairs if name not in query.ignored]
    return urlencode([(name, "" if _tells_who(name, value) else value) for name, value in kept], safe="|,:/")


def _tells_who(name: str, value: str) -> bool:
    """Also at the end of a chain, or from the other end."""
    return not CONCEALED.isdisjoint(_STEPS.split(name)) or (len(value) >= _LEAST and names_a_person(value.encode()))


_STEPS: Final = re.compile("[.:]")
_LEAST: Final = 10
"""Digits of a personal number without a century."""


def _warnings(query: Query, found: _Found) -> list[Issue]:
    told = [f"{queries.tellable(name)}: ignored" for name in query.ignored]
    if found.is_cut:
        told.append(f"more than {including.MOST} resources come along with this page: the rest is left out")
    return [Issue(IssueType.NOT_SUPPORTED, text, severity=Severity.WARNING) for text in told]
