"""$everything: https://hl7.org/fhir/R4/patient-operation-everything.html; on EpisodeOfCare likewise, what belongs to it

Everything about the patient that the caller may see, in the order in which it came, and with each page what that points at
beside the patient: staff, units, places. A page is found by the number of its last resource: others may write meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, NotFound
from contracts.record import Caller, Record, Right
from fhir_mappings import primitives
from fhir_mappings.document import decode
from fhir_mappings.identifiers import BASE
from fhir_mappings.references import links
from service.fhir_api import answers
from service.fhir_api.bundle import search_bundle
from service.fhir_api.operations.parameters import Pairs, stated
from service.fhir_api.pages import PAGE
from service.fhir_api.reading import shown
from service.fhir_api.resources import ROWS
from service.fhir_api.search.dates import micros, span
from service.fhir_api.surroundings import Surroundings, row_of
from service.page_tokens import seal, unseal
from service.store.codec import to_micros
from service.store.snapshot import may_be_seen, to_record
from service.store.sql import CURRENT_COLUMNS
from service.store.tables import date_index, history, resource
from service.usecases.keeping import SHARED

OF: Final = {
    "Patient": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    "EpisodeOfCare": f"{BASE}/OperationDefinition/episode-everything",
}
"""The types that it is asked of, each with its definition."""

MAX_COUNT: Final = 500
DEFAULT_COUNT: Final = 100
"""Resources on a page, beside what they point at."""


class Asked(msgspec.Struct, frozen=True):
    """``start`` and ``end`` are microseconds between which the time of care lies, ``since`` that of the last change."""

    count: int = DEFAULT_COUNT
    types: tuple[str, ...] = ()
    since: int | None = None
    start: int | None = None
    end: int | None = None


class _Page(msgspec.Struct, frozen=True):
    path: str
    asked: Asked
    after: int
    unit: str


@dataclass(frozen=True, slots=True)
class _Subject:
    """The patient, and the resource that all must belong to, if it is not the patient."""

    path: str
    patient: str
    belonging: str = ""


async def everything(around: Surroundings, request: Request) -> Response:
    """A page, the patient's row in the access log durable before it leaves: all of it is about one patient."""
    row = row_of(request)
    if row.type not in OF:
        raise NotFound("$everything is asked of a Patient or an EpisodeOfCare")
    caller = around.caller(request, Right.FHIR_READ)
    record = await shown(around, caller, row.type, request.path_params["id"], "everything")
    subject = _subject(record)
    pairs = [pair for pair in await stated(request) if pair[0] not in _LET_THROUGH]
    asked, after = _asked(around, caller, subject, pairs)
    found, last = await _found(around, caller, subject, asked, after)
    beside = _pointed_at(around, caller, found)
    address = f"{around.base}/{subject.path}"
    pages = {"self": f"{address}?{urlencode(pairs)}" if pairs else address}
    if last is not None:
        page = _Page(subject.path, asked, last, caller.unit.value)
        pages["next"] = f"{address}?{urlencode({PAGE: seal(around.page_key, page)})}"
    wanted = [each for each in (*found, *beside) if not asked.types or each.type in asked.types]
    return answers.resource(search_bundle(around.base, wanted, pages, None, ()))


def _subject(record: Record) -> _Subject:
    path = f"{record.reference}/$everything"
    return _Subject(path, record.patient, "" if record.type == "Patient" else record.reference)


# What is found


async def _found(
    around: Surroundings, caller: Caller, subject: _Subject, asked: Asked, after: int
) -> tuple[list[Record], int | None]:
    """A page of what belongs to the subject, and the number of its last resource if there are more."""
    found: list[tuple[Record, int]] = []
    while len(found) <= asked.count:
        rows = await around.store.select(_page(around, caller, subject, asked, after))
        known = ((to_record(row[:-1]), row[-1]) for row in rows)
        found += [(record, number) for record, number in known if _belongs(record, subject)]
        if len(rows) <= asked.count:
            break
        after = rows[-1][-1]
    page = found[: asked.count]
    return [record for record, _ in page], page[-1][1] if len(found) > asked.count else None


def _page(around: Surroundings, caller: Caller, subject: _Subject, asked: Asked, after: int) -> Select[Any]:
    types = _looked_through(asked)
    conditions: list[ColumnElement[bool]] = [
        resource.c.patient == subject.patient,
        may_be_seen(caller),
        resource.c.type.in_(types),
        resource.c.rid > after,
    ]
    if asked.since is not None:
        conditions.append(resource.c.updated >= asked.since)
    if asked.start is not None or asked.end is not None:
        conditions.append(_in_time(around, types, asked))
    return (
        select(*CURRENT_COLUMNS, resource.c.rid)
        .join(history, history.c.hid == resource.c.hid)
        .where(*conditions)
        .order_by(resource.c.rid)
        .limit(asked.count + 1)
    )


def _looked_through(asked: Asked) -> tuple[str, ...]:
    """What the care provider shares belongs to nobody: it is found by what points at it, of whatever type that is."""
    return asked.types if asked.types and SHARED.isdisjoint(asked.types) else tuple(ROWS)


def _in_time(around: Surroundings, types: Iterable[str], asked: Asked) -> ColumnElement[bool]:
    """The time of care touches the period; what has no time of care is always in it."""
    known = around.store.numbers
    dated = [known[type_, ROWS[type_].dated] for type_ in types if (type_, ROWS[type_].dated) in known]
    of_care = and_(date_index.c.rid == resource.c.rid, date_index.c.parameter.in_(dated))
    touching = [of_care]
    if asked.start is not None:
        touching.append(date_index.c.high > asked.start)
    if asked.end is not None:
        touching.append(date_index.c.low < asked.end)
    return or_(~exists().where(of_care), exists().where(*touching))


def _belongs(record: Record, subject: _Subject) -> bool:
    """Of an episode: the patient, the episode itself, and what points at it."""
    if subject.belonging in ("", record.reference) or record.type == "Patient":
        return True
    return subject.belonging in links(decode(record.body).content)


def _pointed_at(around: Surroundings, caller: Caller, found: Sequence[Record]) -> list[Record]:
    """What belongs to the care provider and is pointed at on this page."""
    wanted = dict.fromkeys(link for record in found for link in links(decode(record.body).content))
    targets = [target for link in wanted if (target := primitives.literal({"reference": link})) is not None]
    records = [around.store.read(*target) for target in targets if target[0] in SHARED]
    return [record for record in records if record is not None and caller.may_see(record)]


# What is asked


def _asked(around: Surroundings, caller: Caller, subject: _Subject, pairs: Pairs) -> tuple[Asked, int]:
    token = dict(pairs).get(PAGE)
    if token is None:
        return _read(pairs), 0
    page = unseal(around.page_key, token, _Page)
    if (page.unit, page.path) != (caller.unit.value, subject.path):
        raise Malformed("this page link belongs to something else")
    return page.asked, page.after


def _read(pairs: Pairs) -> Asked:
    """Raises ``Malformed`` with everything that cannot be obeyed."""
    values: dict[str, Any] = {}
    issues = []
    for name, value in pairs:
        if name not in PARAMETERS:
            issues.append(Issue(IssueType.NOT_SUPPORTED, f"$everything takes {', '.join(PARAMETERS)}"))
            continue
        element, read, wanted = PARAMETERS[name]
        try:
            found: Any = read(value.replace(" ", "+"))
        except ValueError:
            issues.append(Issue(IssueType.VALUE, f"{name} takes {wanted}"))
            continue
        if element in values and element != "types":
            issues.append(Issue(IssueType.VALUE, f"{name} is stated once"))
        values[element] = (*values.get(element, ()), *found) if element == "types" else found
    if issues:
        raise Malformed(*dict.fromkeys(issues))
    return Asked(**values)


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit() and 0 < len(value) < 10 and int(value)):
        raise ValueError("no number")
    return min(int(value), MAX_COUNT)


def _types(value: str) -> tuple[str, ...]:
    types = tuple(value.split(","))
    if not set(types) <= set(ROWS):
        raise ValueError("not served")
    return types


def _since(value: str) -> int:
    return to_micros(primitives.instant(value))


def _start(value: str) -> int:
    return micros(span(value))[0]


def _end(value: str) -> int:
    return micros(span(value))[1]


_LET_THROUGH: Final = ("_format", "_pretty")
PARAMETERS: Final = {
    "_count": ("count", _count, "a whole number from 1"),
    "_type": ("types", _types, "resource types that are served, with commas between"),
    "_since": ("since", _since, "a time with a zone, or a day"),
    "start": ("start", _start, "a date"),
    "end": ("end", _end, "a date"),
}
