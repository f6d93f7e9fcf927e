"""What operators see: the outbox, routes, and the trace of one resource. Lists never show content. Who may not see a resource
sees nothing that is about it (``_theirs``)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Select, Table, and_, func, not_, or_, select, text

from contracts.consent import DecisionRecord
from contracts.errors import NotFound
from contracts.outbox import OF_DESTINATION, Deed, DeliveryState
from contracts.ports import Snapshot
from contracts.record import Access, AccessAction, Caller
from fhir_mappings.document import decode
from service.api import models
from service.api.records import codes_of, decision_out
from service.outbox.tending import TO_TELL
from service.outbox.tending import destinations as used
from service.store.codec import decode as read_back
from service.store.codec import from_micros
from service.store.snapshot import about_what_may_be_seen, may_be_seen
from service.store.sql import alive
from service.store.store import SqlStore
from service.store.tables import BLOCKS, attempt, deed, outbox, resource, route
from service.store.tables import decision as decisions
from service.usecases.deciding import decide_as_then
from service.usecases.see_plan import handed_over

LIST: Final = 500
"""Rows of one answer."""

_COLUMNS: Final = (
    outbox.c.id,
    outbox.c.destination,
    outbox.c.key,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.next_try,
    outbox.c.reason,
    outbox.c.about,
    outbox.c.patient,
)
_PATIENT: Final = len(_COLUMNS) - 1
_NUMBER: Final = len(_COLUMNS)


async def messages(
    store: SqlStore, caller: Caller, asked: models.OutboxQuery
) -> tuple[list[models.MessageOut], int | None]:
    """The unit's messages that fit, newest first; of blocked keys the messages that hold back others, with how many. Where
    there may be more, behind which the next page begins."""
    wanted = [outbox.c[name] == value for name in ("state", "destination") if (value := getattr(asked, name))]
    if asked.after:
        wanted.append(outbox.c.number < asked.after)
    statement = select(*_COLUMNS, outbox.c.number, *([_held_back(caller)] if asked.blocked else []))
    statement = (
        statement.where(_theirs(outbox, caller), *wanted, *(_BLOCKED if asked.blocked else ()))
        .order_by(outbox.c.number.desc())
        .limit(LIST)
    )
    rows = await store.select(statement)
    await _log(store, caller, {row[_PATIENT]: f"outbox/{row[0]}" for row in reversed(rows)}, "outbox-list")
    more = int(rows[-1][_NUMBER]) if len(rows) == LIST else None
    return [_message((*row[:_NUMBER], *row[_NUMBER + 1 :])) for row in rows], more


_BLOCKED: Final = (outbox.c.state == DeliveryState.PARKED.value, outbox.c.head == 1)
_behind: Final = outbox.alias("behind")
_WAITS_BEHIND: Final = text(BLOCKS.text.replace("state", "behind.state"))


def _held_back(caller: Caller) -> Any:
    """How many later ones of its key wait behind a message."""
    later = _behind.c.key == outbox.c.key, _behind.c.number > outbox.c.number
    waits = *later, _WAITS_BEHIND, about_what_may_be_seen(_behind.c.about, caller)
    return select(func.count()).select_from(_behind).where(*waits).scalar_subquery()


async def deeds(store: SqlStore, caller: Caller, asked: models.PageQuery) -> tuple[list[models.DeedOut], int | None]:
    """What operators did to the unit's messages and the care provider's destinations, newest first. Where there may be more,
    behind which the next page begins."""
    columns = (
        deed.c.number,
        deed.c.patient,
        deed.c.at,
        deed.c.employee,
        deed.c.unit,
        deed.c.deed,
        deed.c.about,
        deed.c.why,
    )
    wanted = [deed.c.provider == caller.provider.value, *([deed.c.number < asked.after] if asked.after else [])]
    theirs = or_(deed.c.unit == caller.unit.value, deed.c.deed.in_(OF_DESTINATION))
    hidden = select("outbox/" + outbox.c.id).where(not_(about_what_may_be_seen(outbox.c.about, caller)))
    statement = select(*columns).where(*wanted, theirs, deed.c.about.not_in(hidden))
    rows = await store.select(statement.order_by(deed.c.number.desc()).limit(LIST))
    await _log(store, caller, {row[1]: row[_ABOUT] for row in reversed(rows) if row[1]}, "outbox-deeds")
    return [_deed(*row[2:]) for row in rows], int(rows[-1][0]) if len(rows) == LIST else None


_ABOUT: Final = 6
"""Where the message stands in such a row."""


def _deed(at: int, employee: str, unit: str, did: str, about: str, why: str) -> models.DeedOut:
    return models.DeedOut(at=from_micros(at), employee=employee, unit=unit, deed=Deed(did), about=about, why=why)


async def destinations(store: SqlStore, names: Collection[str]) -> list[models.DestinationOut]:
    """How the routes to them stand, and to others for which messages wait though nothing carries them there."""
    forsaken = [name for name in await used(store) if name not in names and await _is_waited_for(store, name)]
    columns = (route.c.destination, route.c.held, route.c.since, route.c.faults, route.c.open_until)
    rows = {row[0]: row[1:] for row in await store.select(select(*columns))}
    return [
        _destination(name, name in names, *rows.get(name, ("", None, 0, None))) for name in sorted({*names, *forsaken})
    ]


async def _is_waited_for(store: SqlStore, name: str) -> bool:
    waits = outbox.c.destination == name, outbox.c.state.in_([state.value for state in TO_TELL])
    return bool(await store.select(select(outbox.c.number).where(*waits).limit(1)))


def _destination(
    name: str, configured: bool, held: str, since: int | None, faults: int, until: int | None
) -> models.DestinationOut:
    return models.DestinationOut(
        name=name,
        configured=configured,
        held=held,
        held_since=from_micros(since) if held and since is not None else None,
        circuit="closed" if until is None else "open",
        faults=faults,
        open_until=None if until is None else from_micros(until),
    )


async def message(store: SqlStore, caller: Caller, id: str) -> models.MessageOut:
    """One message with its tries. Raises ``NotFound``."""
    found = await store.select(select(*_COLUMNS).where(outbox.c.id == id, _theirs(outbox, caller)))
    if not found:
        raise NotFound("there is no such message")
    await _log(store, caller, {found[0][_PATIENT]: f"outbox/{id}"}, "outbox-read")
    return _message(found[0], await _tries(store, [id]))


async def content(store: SqlStore, caller: Caller, id: str) -> dict[str, Any]:
    """What a message says. Somebody reads a patient's data: the access log has the row first. Raises ``NotFound``, also for
    one about something, or somebody, of whom the caller may not see some version: the message may have been made of that one."""
    columns = outbox.c.payload, outbox.c.patient, outbox.c.about
    found = await store.select(select(*columns).where(outbox.c.id == id, _theirs(outbox, caller)))
    payload, patient, about = found[0] if found else (None, "", "")
    made_of = (about, f"Patient/{patient}") if payload else ()
    versions = [each.record for reference in made_of for each in store.versions(*reference.split("/"))]
    if not payload or not all(map(caller.may_see, versions)):
        raise NotFound("there is no such message, or its content has been erased")
    await _log(store, caller, {patient: f"outbox/{id}"}, "outbox-content")
    said: dict[str, Any] = orjson.loads(payload)
    return said


async def trace(store: SqlStore, caller: Caller, id: str) -> models.TraceOut:
    """Everything that followed from a resource (by id) or a message. Raises ``NotFound``."""
    about = await _resource_of(store, caller, id)
    type_, _, id_ = about.partition("/")
    rows = await store.select(
        select(*_COLUMNS).where(_concerns(outbox, about), _theirs(outbox, caller)).order_by(outbox.c.number)
    )
    tries = await _tries(store, [row[0] for row in rows])
    versions = [each.record for each in store.versions(type_, id_) if caller.may_see(each.record)]
    await _log(store, caller, {record.patient: about for record in versions[:1] if record.patient}, "trace")
    written = next((record for record in versions if record.body), None)
    content = decode(written.body).content if written is not None and type_ == "Procedure" else None
    return models.TraceOut(
        resource=about,
        versions=tuple(sorted(record.version for record in versions)),
        codes=codes_of(content),
        decisions=await _decisions(store, caller, about),
        messages=tuple(_message(row, tries) for row in rows),
        handed_over=await _handed_over(store, caller, about),
    )


async def _handed_over(store: SqlStore, caller: Caller, about: str) -> tuple[models.HandedOverOut, ...]:
    """Of a plan: when the patient was given which version."""

    def look(snapshot: Snapshot) -> tuple[models.HandedOverOut, ...]:
        plan = snapshot.read(*about.split("/", 1)) if about.startswith("CarePlan/") else None
        return () if plan is None else tuple(map(models.HandedOverOut.of, handed_over(snapshot, caller, plan)))

    return await store.look(look)


async def replayed(store: SqlStore, caller: Caller, number: int) -> models.DecisionReplayedOut:
    """A kept decision of the unit, made once more from its own inputs. Raises ``NotFound``, and ``Conflict`` for one whose
    inputs were not kept."""
    table = decisions.c
    wanted = select(table.body, table.patient).where(table.number == number, _theirs(decisions, caller))
    found = await store.select(wanted)
    if not found:
        raise NotFound("there is no such decision")
    kept = read_back(found[0][0], DecisionRecord)
    again = decide_as_then(kept)
    await _log(store, caller, {found[0][1]: f"decision/{number}"} if found[0][1] else {}, "decision-replay")
    return models.DecisionReplayedOut(
        same=again.decision == kept.decision,
        rules=kept.rules,
        rules_now=again.rules,
        then=decision_out(number, kept.decision),
        again=decision_out(number, again.decision),
    )


async def _log(store: SqlStore, caller: Caller, read: Mapping[str, str], interaction: str) -> None:
    """A row of the access log for each patient, with what was read; without it nothing is shown. Raises
    ``Unavailable``."""
    rows = [Access(caller, AccessAction.READ, patient, what, interaction) for patient, what in read.items()]
    if rows:
        await store.log(*rows)


async def _resource_of(store: SqlStore, caller: Caller, id: str) -> str:
    found = await store.select(
        select(resource.c.type, resource.c.id).where(resource.c.id == id, may_be_seen(caller))
    ) or await store.select(_as_reference(id, caller))
    if not found:
        raise NotFound("there is no such resource or message")
    return f"{alive(found[0][0])}/{found[0][1]}" if len(found[0]) == 2 else str(found[0][0])


def _as_reference(id: str, caller: Caller) -> Select[Any]:
    return select(outbox.c.about).where(outbox.c.id == id, _theirs(outbox, caller))


def _theirs(table: Table, caller: Caller) -> ColumnElement[bool]:
    """Messages or decisions of the caller's unit, about what the caller may see."""
    return and_(table.c.unit == caller.unit.value, about_what_may_be_seen(table.c.about, caller))


def _concerns(table: Table, about: str) -> ColumnElement[bool]:
    type_, _, id_ = about.partition("/")
    return or_(table.c.about == about, table.c.patient == id_) if type_ == "Patient" else table.c.about == about


async def _tries(store: SqlStore, ids: Sequence[str]) -> dict[str, tuple[models.TryOut, ...]]:
    columns = (attempt.c.message, attempt.c.attempt, attempt.c.at, attempt.c.outcome, attempt.c.reason)
    rows = await store.select(select(*columns).where(attempt.c.message.in_(ids)).order_by(attempt.c.number))
    by_message: dict[str, tuple[models.TryOut, ...]] = {}
    for id_, number, at, outcome, reason in rows:
        made = models.TryOut(attempt=number, at=from_micros(at), outcome=outcome, reason=reason)
        by_message[id_] = (*by_message.get(id_, ()), made)
    return by_message


async def _decisions(store: SqlStore, caller: Caller, about: str) -> tuple[models.DecisionOut, ...]:
    wanted = _concerns(decisions, about), _theirs(decisions, caller)
    rows = await store.select(select(decisions.c.number, decisions.c.body).where(*wanted).order_by(decisions.c.number))
    return tuple(decision_out(number, read_back(body, DecisionRecord).decision) for number, body in rows)


def _message(row: Sequence[Any], tries: Mapping[str, tuple[models.TryOut, ...]] | None = None) -> models.MessageOut:
    id_, destination, key, state, attempts, next_try, reason, about, _, *held_back = row
    due: datetime | None = None if next_try is None else from_micros(next_try)
    return models.MessageOut(
        id=id_,
        destination=destination,
        key=key,
        state=state,
        attempts=attempts,
        next_try=due,
        reason=reason,
        about=about,
        holds_back=held_back[0] if held_back else None,
        tries=(tries or {}).get(id_, ()),
    )
