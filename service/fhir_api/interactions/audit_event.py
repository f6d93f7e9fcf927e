"""read and search-type of ``AuditEvent``: made from the rows of decisions and tries when somebody asks (ADR 0011)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from sqlalchemy import Select, select
from starlette.requests import Request
from starlette.responses import Response

from contracts.audit import AuditedDecision, AuditedDisclosure
from contracts.consent import DecisionRecord, Question
from contracts.errors import Malformed, NotFound, NotSupported
from contracts.outbox import REACHED
from contracts.record import Caller, Record, Right
from fhir_mappings import audit_event
from service.fhir_api import answers
from service.fhir_api.bundle import search_bundle
from service.fhir_api.pages import PAGE
from service.fhir_api.reading import log_reading
from service.fhir_api.search.dates import FAR_FUTURE, FAR_PAST, span
from service.fhir_api.surroundings import Surroundings
from service.page_tokens import seal, unseal
from service.store.codec import decode, from_micros, to_micros
from service.store.tables import attempt, decision, outbox

USUAL_PAGE: Final = 100
LONGEST_PAGE: Final = 1000

_DECISIONS: Final = select(decision.c.number, decision.c.at, decision.c.patient, decision.c.about, decision.c.body)
_DISCLOSURES: Final = (
    select(
        attempt.c.number,
        attempt.c.at,
        outbox.c.patient,
        outbox.c.about,
        outbox.c.id,
        outbox.c.destination,
        outbox.c.question,
        attempt.c.outcome,
        attempt.c.reason,
    )
    .join(outbox, outbox.c.id == attempt.c.message)
    .where(outbox.c.kind == "party-message", attempt.c.outcome.in_(tuple(REACHED)))
)
"""What has left, or may have left, for somebody outside. The care provider's own platform and record system are nobody outside."""

_PREFIXES: Final[Mapping[str, Mapping[str, str]]] = {
    "eq": {"first": "begins", "last": "ends"},
    "ge": {"first": "begins"},
    "gt": {"first": "ends"},
    "le": {"last": "ends"},
    "lt": {"last": "begins"},
}
"""Which side of what a date covers bounds the search: from ``first`` up to but not including ``last``."""


class _Asked(msgspec.Struct, frozen=True):
    """What is wanted: of whom, when (microseconds), and where the page before ended in each table."""

    unit: str
    patient: str = ""
    first: int = FAR_PAST
    last: int = FAR_FUTURE
    count: int = USUAL_PAGE
    decisions_before: int = FAR_FUTURE
    tries_before: int = FAR_FUTURE


async def read_audit_event(around: Surroundings, request: Request) -> Response:
    """One event of the unit, by ``decision-<number>`` or ``disclosure-<number>``."""
    caller = around.caller(request, Right.FHIR_READ)
    kind, _, digits = request.path_params["id"].partition("-")
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else 0
    found: Sequence[Record] = ()
    if kind == "decision":
        found = await _decisions(around, _of_unit(_DECISIONS, decision, caller.unit.value), decision.c.number == number)
    elif kind == "disclosure":
        found = await _disclosures(
            around, _of_unit(_DISCLOSURES, outbox, caller.unit.value), attempt.c.number == number
        )
    if not found:
        raise NotFound("there is no such AuditEvent")
    await log_reading(around, caller, found, "read")
    return answers.record(found[0])


async def search_audit_events(around: Surroundings, request: Request) -> Response:
    """The unit's events, newest first: ``patient``, ``date`` (ge, gt, le, lt), ``_count``."""
    caller = around.caller(request, Right.FHIR_READ)
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    asked = _asked(around, pairs, caller)
    decisions, tries = await _decisions(around, *_wanted(asked)[0]), await _disclosures(around, *_wanted(asked)[1])
    found = sorted((*decisions, *tries), key=lambda each: each.updated, reverse=True)
    shown = found[: asked.count]
    await log_reading(around, caller, shown, "search-type")
    links = {"self": f"{around.base}/AuditEvent?{urlencode([pair for pair in pairs if pair[0] != PAGE])}"}
    if len(found) > asked.count:
        token = seal(around.page_key, _after(asked, shown))
        links["next"] = f"{around.base}/AuditEvent?{urlencode({PAGE: token})}"
    return answers.resource(search_bundle(around.base, shown, links, None, []))


async def refuse_change(*_: object) -> Response:
    """Nobody writes the trail. Raises ``NotSupported``."""
    raise NotSupported("AuditEvent is made by the service itself and can only be read")


def _of_unit(statement: Select[Any], table: Any, unit: str) -> Select[Any]:
    return statement.where(table.c.unit == unit)


def _wanted(asked: _Asked) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The statement and conditions for each table."""
    both = []
    for statement, owner, own, before in (
        (_DECISIONS, decision, decision, asked.decisions_before),
        (_DISCLOSURES, outbox, attempt, asked.tries_before),
    ):
        of_patient = [owner.c.patient == asked.patient] if asked.patient else []
        ordered = _of_unit(statement, owner, asked.unit).order_by(own.c.number.desc()).limit(asked.count + 1)
        both.append((ordered, own.c.number < before, own.c.at >= asked.first, own.c.at < asked.last, *of_patient))
    return both[0], both[1]


def _after(asked: _Asked, shown: Sequence[Record]) -> _Asked:
    """The next page begins behind the last one shown of each kind."""
    numbers: dict[str, list[int]] = {"decision": [asked.decisions_before], "disclosure": [asked.tries_before]}
    for record in shown:
        kind, _, number = record.id.partition("-")
        numbers[kind].append(int(number))
    return msgspec.structs.replace(
        asked, decisions_before=min(numbers["decision"]), tries_before=min(numbers["disclosure"])
    )


async def _decisions(around: Surroundings, statement: Select[Any], *conditions: Any) -> list[Record]:
    rows = await around.store.select(statement.where(*conditions))
    made = []
    for number, at, patient, about, body in rows:
        audited = AuditedDecision(number, from_micros(at), about, decode(body, DecisionRecord))
        made.append(_record(f"decision-{number}", audited.at, patient, audit_event.of_decision(audited, around.base)))
    return made


async def _disclosures(around: Surroundings, statement: Select[Any], *conditions: Any) -> list[Record]:
    rows = await around.store.select(statement.where(*conditions))
    made = []
    for number, at, patient, about, message, destination, question, outcome, reason in rows:
        certain = REACHED[outcome]
        asked, when = decode(question, Question), from_micros(at)
        audited = AuditedDisclosure(
            number, when, about, message, destination, asked, certain, reason if certain else ""
        )
        made.append(_record(f"disclosure-{number}", when, patient, audit_event.of_disclosure(audited, around.base)))
    return made


def _record(id: str, at: datetime, patient: str, body: bytes) -> Record:
    return Record("AuditEvent", id, 1, at, "", patient, body)


# What is asked


def _asked(around: Surroundings, pairs: Sequence[tuple[str, str]], caller: Caller) -> _Asked:
    token = dict(pairs).get(PAGE)
    if token is None:
        return _parsed(pairs, caller)
    asked = unseal(around.page_key, token, _Asked)
    if asked.unit != caller.unit.value:
        raise Malformed("this page link belongs to another search")
    return asked


def _parsed(pairs: Sequence[tuple[str, str]], caller: Caller) -> _Asked:
    said: dict[str, Any] = {"unit": caller.unit.value}
    for name, value in pairs:
        if name == "patient":
            said["patient"] = value.removeprefix("Patient/")
        elif name == "date":
            said |= _bounds(value)
        elif name == "_count":
            said["count"] = _count(value)
        else:
            raise Malformed("AuditEvent is searched by patient, date and _count")
    return _Asked(**said)


def _count(value: str) -> int:
    if not value.isascii() or not value.isdecimal() or int(value[:9]) < 1:
        raise Malformed("_count is a number from 1")
    return min(int(value[:9]), LONGEST_PAGE)


def _bounds(value: str) -> Mapping[str, int]:
    """As https://hl7.org/fhir/R4/search.html#prefix says of an instant; a day counts whole, in Sweden (decision D12)."""
    prefix, text = (value[:2], value[2:]) if value[:2] in _PREFIXES else ("eq", value)
    try:
        covered = span(text.replace(" ", "+"))
    except ValueError:
        raise Malformed("date is a date of any precision, or a time, with ge, gt, le or lt before it") from None
    begins = FAR_PAST if covered.start is None else to_micros(covered.start)
    ends = FAR_FUTURE if covered.end is None else to_micros(covered.end)
    return {name: begins if side == "begins" else ends for name, side in _PREFIXES[prefix].items()}
