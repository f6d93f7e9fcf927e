"""Histories of a resource, of a type and of everything. https://hl7.org/fhir/R4/http.html#history

A page is found by the number of its versions, which only grows: whoever writes meanwhile changes no later page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed
from contracts.record import Caller, Right, Version
from fhir_mappings import primitives
from service.fhir_api import answers
from service.fhir_api.bundle import history_bundle
from service.fhir_api.pages import PAGE, page_address
from service.fhir_api.reading import log_reading
from service.fhir_api.search.dates import span
from service.fhir_api.surroundings import Surroundings
from service.page_tokens import seal, unseal
from service.store.codec import to_micros
from service.store.snapshot import may_be_seen, to_version
from service.store.sql import VERSION_COLUMNS, buried
from service.store.tables import history, resource

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose history: of everything, of a type, of one resource. ``name`` is the interaction's."""

    name: str
    type: str = ""
    id: str = ""

    @property
    def path(self) -> str:
        """The address below the base."""
        return "/".join(filter(None, (self.type, self.id, "_history")))


class Asked(msgspec.Struct, frozen=True):
    """What of it: versions made at ``since`` or later; current at some time in ``[first, last)``, in microseconds."""

    count: int = DEFAULT_COUNT
    since: int | None = None
    at: tuple[int, int] | None = None


class _Page(msgspec.Struct, frozen=True):
    path: str
    asked: Asked
    before: int
    unit: str


async def answer(around: Surroundings, request: Request, scope: Scope) -> Response:
    """A page of a history, each patient's row in the access log durable before it leaves."""
    caller = around.caller(request, Right.FHIR_READ)
    query = request.scope["query_string"].decode("latin-1")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    asked, before = _asked(around, caller, scope, parameters)
    matches = _matches(scope, caller, asked)
    found = await around.store.select(_page(matches, asked.count, before)) if asked.count else []
    total = (await around.store.select(_count(matches)))[0][0] if scope.id or not asked.count else None
    versions = [to_version(row) for row in found[: asked.count]]
    await log_reading(around, caller, [version.record for version in versions], scope.name)
    links = {"self": page_address(f"{around.base}/{scope.path}", parameters, (*_PARAMETERS, PAGE))}
    if len(found) > asked.count > 0:
        links["next"] = _next(around, scope, asked, caller, versions)
    return answers.resource(history_bundle(around.base, versions, links, total))


def _next(around: Surroundings, scope: Scope, asked: Asked, caller: Caller, versions: Sequence[Version]) -> str:
    page = _Page(scope.path, asked, versions[-1].number, caller.unit.value)
    return f"{around.base}/{scope.path}?{urlencode({PAGE: seal(around.page_key, page)})}"


# What is asked


def _asked(
    around: Surroundings, caller: Caller, scope: Scope, parameters: Mapping[str, str]
) -> tuple[Asked, int | None]:
    if PAGE not in parameters:
        return _read(parameters), None
    page = unseal(around.page_key, parameters[PAGE], _Page)
    if (page.unit, page.path) != (caller.unit.value, scope.path):
        raise Malformed("this page link belongs to another history")
    return page.asked, page.before


def _read(parameters: Mapping[str, str]) -> Asked:
    """Raises ``Malformed`` with everything that cannot be obeyed."""
    values: dict[str, Any] = {}
    issues = []
    for name, value in parameters.items():
        try:
            if name not in _LET_THROUGH:
                values[name.removeprefix("_")] = _PARAMETERS[name](value.replace(" ", "+"))
        except KeyError:
            issues.append(Issue(IssueType.NOT_SUPPORTED, "a history takes _count, _since and _at"))
        except ValueError:
            issues.append(Issue(IssueType.VALUE, f"{name} takes {_WANTED[name]}"))
    if issues:
        raise Malformed(*dict.fromkeys(issues))
    return Asked(**values)


def _counted(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError("no number")
    return min(int(value), MAX_COUNT)


def _instant(value: str) -> int:
    return to_micros(primitives.instant(value))


def _span(value: str) -> tuple[int, int]:
    covered = span(value)
    if covered.start is None or covered.end is None:
        raise ValueError("no date")
    return to_micros(covered.start), to_micros(covered.end)


_LET_THROUGH: Final = ("_format", "_pretty")
_PARAMETERS: Final = {"_count": _counted, "_since": _instant, "_at": _span}
_WANTED: Final = {
    "_count": "a whole number",
    "_since": "a time with a zone, or a day",
    "_at": "a date, or a time to the minute or the second",
}


# What matches


def _matches(scope: Scope, caller: Caller, asked: Asked) -> ColumnElement[bool]:
    """Of one resource, its versions are looked up. Otherwise versions are walked from the newest, and each is asked whose it
    is: a page costs what it holds, however long the history."""
    shown = [may_be_seen(caller)]
    if scope.type:
        shown.append(resource.c.type.in_([scope.type, buried(scope.type)]))
    if scope.id:
        of_it = select(resource.c.rid).where(resource.c.id == scope.id, *shown)
        conditions: list[ColumnElement[bool]] = [history.c.rid.in_(of_it)]
    else:
        conditions = [exists().where(resource.c.rid == history.c.rid, *shown)]
    if not caller.sees_restricted:
        conditions.append(history.c.restricted == 0)
    if asked.since is not None:
        conditions.append(history.c.updated >= asked.since)
    if asked.at is not None:
        conditions.append(_was_current(*asked.at))
    return and_(*conditions)


def _was_current(first: int, last: int) -> ColumnElement[bool]:
    """From when it was made until the next version was."""
    following = history.alias("following")
    replaced = (
        select(following.c.updated)
        .where(following.c.rid == history.c.rid, following.c.version == history.c.version + 1)
        .scalar_subquery()
    )
    return and_(history.c.updated < last, or_(replaced.is_(None), replaced > first))


def _page(matches: ColumnElement[bool], count: int, before: int | None) -> Select[Any]:
    """One version more than the page holds, if there are more. Bodies are joined last (docs/adr/0003-store.md)."""
    if before is not None:
        matches = and_(matches, history.c.hid < before)
    found = select(history.c.hid).where(matches).order_by(history.c.hid.desc()).limit(count + 1).subquery()
    return (
        select(*VERSION_COLUMNS)
        .join(history, history.c.rid == resource.c.rid)
        .join(found, found.c.hid == history.c.hid)
        .order_by(history.c.hid.desc())
    )


def _count(matches: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(history).where(matches)
