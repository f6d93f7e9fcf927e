"""Conditions that a request states: on the version that it knows, and on what a search finds.

https://hl7.org/fhir/R4/http.html#cond-update, https://hl7.org/fhir/R4/http.html#cread
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from contracts.errors import Malformed, VersionConflict
from contracts.record import Record
from fhir_mappings.identifiers import is_national_person_system
from service.fhir_api.search import query as queries
from service.fhir_api.search.scope import Scope
from service.fhir_api.stage import Stage
from service.usecases.context import ABSENT, ANY

_VERSION: Final = re.compile(r'(?:W/)?"(\d{1,9})"')
Pairs = Sequence[tuple[str, str]]


# On a version


def expected_version(if_match: str | None, if_none_match: str | None = None) -> int | None:
    """The version that a write expects, ANY for ``If-Match: *``, ABSENT for ``If-None-Match: *``. Raises ``Malformed``.
    https://hl7.org/fhir/R4/http.html#concurrency, RFC 9110 § 13.1"""
    if if_none_match is not None:
        if if_match is not None or if_none_match.strip() != "*":
            raise Malformed("a write takes one condition on the version: If-Match, or If-None-Match: *")
        return ABSENT
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return ANY
    match = _VERSION.fullmatch(if_match.strip())
    if match is None:
        raise Malformed('If-Match takes one version, as in W/"3"')
    return int(match[1])


def is_unmodified(record: Record, known: str | None, since: datetime | None) -> bool:
    """Whether the caller has this version already (``If-None-Match``, else ``If-Modified-Since``, which knows whole
    seconds): then 304 is the answer."""
    if known is not None:
        return known.strip() == "*" or str(record.version) in _VERSION.findall(known)
    return since is not None and record.updated.replace(microsecond=0) <= since


def http_date(text: str | None) -> datetime | None:
    """The time that a header states. What cannot be read asks for nothing (RFC 9110 § 13.1.3)."""
    try:
        found = None if text is None else parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)


# On what a search finds


def only_match(stage: Stage, type_: str, condition: str) -> Record | None:
    """The one resource that matches the condition, for this caller, in this transaction; ``None`` if there is none. Raises
    ``VersionConflict`` for several, and for a condition that says nothing; ``Malformed`` as a search does."""
    query = queries.condition(type_, condition, stage.around.base)
    scope = Scope.of(stage.caller, stage.transaction.index.numbers)
    found = queries.matching(query, scope, stage.transaction)
    if len(found) > 1:
        raise VersionConflict("the condition matches several resources")
    return found[0] if found else None


def condition_in_header(request: Request) -> str | None:
    """What ``If-None-Exist`` states. Headers are read as Latin-1; bytes that are UTF-8 mean that."""
    stated = request.headers.get("if-none-exist")
    try:
        return None if stated is None else stated.encode("latin-1").decode()
    except UnicodeDecodeError:
        return stated


def stated_condition(type_: str, stated: str) -> str:
    """The query of an ``If-None-Exist``. R4 speaks of what stands behind a question mark; HAPI's client writes the whole
    address of the search. Raises ``Malformed`` for a search on another type."""
    address, mark, query = stated.partition("?")
    if not mark or "=" in address:
        return stated
    if address.rpartition("/")[2] not in ("", type_):
        raise Malformed("If-None-Exist is a search on the type that is created")
    return query


def condition_in_address(request: Request) -> str:
    """The query of a conditional update, patch or delete. Raises ``Malformed`` for a national number, unless it
    stands inside a Bundle (decision D10)."""
    query: str = request.scope["query_string"].decode("latin-1")
    if not getattr(request.state, "is_inside", False) and asks_for_national_number(parse_qsl(query)):
        raise Malformed("a condition on a national number stands in If-None-Exist or in a transaction's entry")
    return query


def asks_for_national_number(pairs: Pairs) -> bool:
    """Whether one of the values of a search is of a system of national numbers, whatever the number looks like."""
    with_system = [value for _, value in pairs if "|" in value]
    return any(is_national_person_system(part) for value in with_system for part in _PARTS.split(value))


_PARTS: Final = re.compile(r"[,|$]")
