"""search-type: https://hl7.org/fhir/R4/http.html#search, by GET and by POST ``_search``"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from cryptography.fernet import InvalidToken
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, Severity, WrongMedia
from contracts.record import Caller, Right
from fhir_mappings.identifiers import is_national_person_system
from service.fhir_api import answers
from service.fhir_api.bundle import search_bundle
from service.fhir_api.preferences import is_lenient
from service.fhir_api.reading import log_reading
from service.fhir_api.search import query as queries
from service.fhir_api.search.query import CONCEALED, Query
from service.fhir_api.surroundings import Surroundings, row_of
from service.http_edge import names_a_person, read_body
from service.store.snapshot import to_record

PAGE: Final = "_page"
"""The parameter that carries an opaque token in ``next`` links: nobody can read or change what it asks for."""


class _Page(msgspec.Struct, frozen=True):
    query: Query
    after: int
    unit: str


async def search_type(around: Surroundings, request: Request) -> Response:
    """A page of what matches, each patient's row in the access log durable before it leaves."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    pairs = await _pairs(request)
    query, after = _asked(around, row.type, pairs, caller, request)
    owners = (caller.unit.value, caller.provider.value)
    numbers = around.store.numbers
    found = await around.store.select(queries.page(query, numbers, owners, after)) if query.count else []
    total = await around.store.select(queries.count(query, numbers, owners)) if query.total else []
    records = [to_record(each[:-1]) for each in found[: query.count]]
    await log_reading(around, caller, records, "search-type")
    links = _links(around, query, pairs, caller, found)
    return answers.resource(search_bundle(around.base, records, links, total[0][0] if total else None, _ignored(query)))


async def _pairs(request: Request) -> Sequence[tuple[str, str]]:
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    _no_person_in_address(pairs)
    if request.method != "POST":
        return pairs
    body = await read_body(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and media != "application/x-www-form-urlencoded":
        raise WrongMedia("send the parameters as application/x-www-form-urlencoded")
    return pairs + parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _no_person_in_address(pairs: Sequence[tuple[str, str]]) -> None:
    """National numbers are searched for by POST alone, whatever they look like (decision D10)."""
    if any(is_national_person_system(value.partition("|")[0]) for _, value in pairs):
        raise Malformed("search for a national number with POST [type]/_search, the parameters in the body")


def _asked(
    around: Surroundings, type_: str, pairs: Sequence[tuple[str, str]], caller: Caller, request: Request
) -> tuple[Query, int | None]:
    token = dict(pairs).get(PAGE)
    if token is None:
        return queries.parse(type_, _relative(around.base, pairs), lenient=is_lenient(request)), None
    try:
        page = msgspec.msgpack.decode(around.page_key.decrypt(token.encode()), type=_Page)
    except (InvalidToken, msgspec.DecodeError, ValueError):
        raise Malformed("this page link is not one of ours") from None
    if page.unit != caller.unit.value or page.query.type != type_:
        raise Malformed("this page link belongs to another search")
    return page.query, page.after


def _relative(base: str, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """References to this server may be written in full."""
    return [(name, value.replace(f"{base}/", "")) for name, value in pairs]


def _links(
    around: Surroundings, query: Query, pairs: Sequence[tuple[str, str]], caller: Caller, found: Sequence[Any]
) -> dict[str, str]:
    address = f"{around.base}/{query.type}"
    links = {"self": f"{address}?{_shown(query, pairs)}"}
    if len(found) > query.count > 0:
        page = _Page(query, found[query.count - 1][-1], caller.unit.value)
        token = around.page_key.encrypt(msgspec.msgpack.encode(page)).decode()
        links["next"] = f"{address}?{urlencode({PAGE: token})}"
    return links


def _shown(query: Query, pairs: Sequence[tuple[str, str]]) -> str:
    """The parameters that were obeyed, by name; values that may tell who somebody is are left out."""
    kept = [(name, value) for name, value in pairs if name not in query.ignored]
    return urlencode([(name, "" if _tells_who(name, value) else value) for name, value in kept], safe="|,:/")


def _tells_who(name: str, value: str) -> bool:
    return name.partition(":")[0] in CONCEALED or names_a_person(value.encode())


def _ignored(query: Query) -> list[Issue]:
    return [
        Issue(IssueType.NOT_SUPPORTED, f"the parameter {name} was ignored", severity=Severity.WARNING)
        for name in query.ignored
        if name.isascii() and name.replace("-", "").replace("_", "").replace(":", "").isalpha()
    ]
