"""What operators see and do: the outbox, routes, and the trace of one resource. Lists never show content."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Select, func, or_, select

from contracts.consent import DecisionRecord
from contracts.errors import Conflict, NotFound
from contracts.outbox import DeliveryState
from contracts.record import Access, AccessAction, Caller
from fhir_mappings.document import decode
from service.api import models
from service.api.records import codes_of, decision_out
from service.store.codec import decode as read_back
from service.store.codec import from_micros
from service.store.store import SqlStore
from service.store.tables import attempt, outbox, resource
from service.store.tables import decision as decisions
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from service.usecases.deciding import decide_as_then
from service.usecases.notify import obstacle

LIST: Final = 500
"""Rows of one answer."""

ERASED: Final = "what the message said has been erased: write a new request"

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

_REPLAYABLE: Final = (DeliveryState.PARKED, DeliveryState.WITHHELD, DeliveryState.RETRYING)
_CANCELLABLE: Final = (
    DeliveryState.WAITING,
    DeliveryState.RETRYING,
    DeliveryState.PARKED,
    DeliveryState.WITHHELD,
    DeliveryState.NEEDS_OTHER_CHANNEL,
)


async def messages(store: SqlStore, caller: Caller, filters: Mapping[str, str]) -> list[models.MessageOut]:
    """The unit's newest messages, by ``state`` and ``destination``."""
    wanted = [outbox.c[name] == value for name, value in filters.items() if value]
    statement = (
        select(*_COLUMNS)
        .where(outbox.c.unit == caller.unit.value, *wanted)
        .order_by(outbox.c.number.desc())
        .limit(LIST)
    )
    rows = await store.select(statement)
    await _log(store, caller, {row[-1]: f"outbox/{row[0]}" for row in reversed(rows)}, "outbox-list")
    return [_message(row) for row in rows]


async def message(store: SqlStore, caller: Caller, id: str) -> models.MessageOut:
    """One message with its tries. Raises ``NotFound``."""
    found = await store.select(select(*_COLUMNS).where(outbox.c.id == id, outbox.c.unit == caller.unit.value))
    if not found:
        raise NotFound("there is no such message")
    await _log(store, caller, {found[0][-1]: f"outbox/{id}"}, "outbox-read")
    return _message(found[0], await _tries(store, [id]))


async def content(store: SqlStore, caller: Caller, id: str) -> dict[str, Any]:
    """What a message says. Somebody reads a patient's data: the access log has the row first. Raises ``NotFound``."""
    wanted = select(outbox.c.payload, outbox.c.patient).where(outbox.c.id == id, outbox.c.unit == caller.unit.value)
    found = await store.select(wanted)
    if not found or found[0][0] is None:
        raise NotFound("there is no such message, or its content has been erased")
    await _log(store, caller, {found[0][1]: f"outbox/{id}"}, "outbox-content")
    said: dict[str, Any] = orjson.loads(found[0][0])
    return said


async def standing(store: SqlStore) -> list[tuple[str, str, int, datetime]]:
    """Per destination and state: how many messages, and when the oldest was promised."""
    columns = outbox.c.destination, outbox.c.state
    rows = await store.select(select(*columns, func.count(), func.min(outbox.c.created)).group_by(*columns))
    return [(destination, state, messages, from_micros(oldest)) for destination, state, messages, oldest in rows]


async def trace(store: SqlStore, caller: Caller, id: str) -> models.TraceOut:
    """Everything that followed from a resource (by id) or a message. Raises ``NotFound``."""
    about = await _resource_of(store, caller, id)
    type_, _, id_ = about.partition("/")
    rows = await store.select(
        select(*_COLUMNS).where(_concerns(about), outbox.c.unit == caller.unit.value).order_by(outbox.c.number)
    )
    tries = await _tries(store, [row[0] for row in rows])
    versions = store.versions(type_, id_)
    await _log(store, caller, {record.patient: about for record in versions[:1] if record.patient}, "trace")
    content = decode(versions[0].body).content if type_ == "Procedure" else None
    return models.TraceOut(
        resource=about,
        versions=tuple(sorted(record.version for record in versions)),
        codes=codes_of(content),
        decisions=await _decisions(store, about),
        messages=tuple(_message(row, tries) for row in rows),
    )


async def replayed(store: SqlStore, caller: Caller, number: int) -> models.ReplayedOut:
    """A kept decision of the unit, made once more from its own inputs. Raises ``NotFound``, and ``Conflict`` for one whose
    inputs were not kept."""
    table = decisions.c
    wanted = select(table.body, table.patient).where(table.number == number, table.unit == caller.unit.value)
    found = await store.select(wanted)
    if not found:
        raise NotFound("there is no such decision")
    kept = read_back(found[0][0], DecisionRecord)
    again = decide_as_then(kept)
    await _log(store, caller, {found[0][1]: f"decision/{number}"} if found[0][1] else {}, "decision-replay")
    return models.ReplayedOut(
        same=again.decision == kept.decision,
        rules=kept.rules,
        rules_now=again.rules,
        then=decision_out(number, kept.decision),
        again=decision_out(number, again.decision),
    )


def replay(context: Context, caller: Caller, id: str, why: str) -> Callable[[SqlTransaction], None]:
    """Let a message be tried again, if a channel can carry it. Consent is asked again when it is claimed; who and why is
    kept with its tries."""
    moved = _moved(caller, id, why, _REPLAYABLE, DeliveryState.WAITING, "replayed")

    def move(transaction: SqlTransaction) -> None:
        queued = None if transaction.is_erased(id) else transaction.message(id)
        obstructed = "" if queued is None else obstacle(context, queued.message)
        if obstructed and queued is not None and caller.may_see(queued.message.question.unit.value):
            raise Conflict(obstructed)
        moved(transaction)

    return move


def cancel(caller: Caller, id: str, why: str) -> Callable[[SqlTransaction], None]:
    """Take a message back for good."""
    return _moved(caller, id, why, _CANCELLABLE, DeliveryState.CANCELLED, "cancelled")


def _moved(
    caller: Caller, id: str, why: str, allowed: Sequence[DeliveryState], to: DeliveryState, deed: str
) -> Callable[[SqlTransaction], None]:
    def move(transaction: SqlTransaction) -> None:
        standing = transaction.standing(id)
        if standing is None or not caller.may_see(standing[0]):
            raise NotFound("there is no such message")
        if standing[1] not in allowed:
            raise Conflict(f"a message that is {standing[1].value} cannot be {deed}")
        if to is DeliveryState.WAITING and transaction.is_erased(id):
            raise Conflict(ERASED)
        reason = f"{deed} by {caller.employee}: {why}"
        transaction.move(id, to, reason)
        transaction.note_deed(id, deed, reason)

    return move


async def _log(store: SqlStore, caller: Caller, read: Mapping[str, str], interaction: str) -> None:
    """A row of the access log for each patient, with what was read; without it nothing is shown. Raises
    ``Unavailable``."""
    rows = [Access(caller, AccessAction.READ, patient, what, interaction) for patient, what in read.items()]
    if rows:
        await store.run(lambda transaction: transaction.log_access(*rows))


async def _resource_of(store: SqlStore, caller: Caller, id: str) -> str:
    owners = (caller.unit.value, caller.provider.value)
    found = await store.select(
        select(resource.c.type, resource.c.id).where(resource.c.id == id, resource.c.unit.in_(owners))
    ) or await store.select(_as_reference(id, caller))
    if not found:
        raise NotFound("there is no such resource or message")
    return f"{found[0][0]}/{found[0][1]}" if len(found[0]) == 2 else str(found[0][0])


def _as_reference(id: str, caller: Caller) -> Select[Any]:
    return select(outbox.c.about).where(outbox.c.id == id, outbox.c.unit == caller.unit.value)


def _concerns(about: str) -> Any:
    type_, _, id_ = about.partition("/")
    return or_(outbox.c.about == about, outbox.c.patient == id_) if type_ == "Patient" else outbox.c.about == about


async def _tries(store: SqlStore, ids: Sequence[str]) -> dict[str, tuple[models.TryOut, ...]]:
    columns = (attempt.c.message, attempt.c.attempt, attempt.c.at, attempt.c.outcome, attempt.c.reason)
    rows = await store.select(select(*columns).where(attempt.c.message.in_(ids)).order_by(attempt.c.number))
    by_message: dict[str, tuple[models.TryOut, ...]] = {}
    for id_, number, at, outcome, reason in rows:
        made = models.TryOut(attempt=number, at=from_micros(at), outcome=outcome, reason=reason)
        by_message[id_] = (*by_message.get(id_, ()), made)
    return by_message


async def _decisions(store: SqlStore, about: str) -> tuple[models.DecisionOut, ...]:
    type_, _, id_ = about.partition("/")
    wanted = decisions.c.patient == id_ if type_ == "Patient" else decisions.c.about == about
    rows = await store.select(select(decisions.c.number, decisions.c.body).where(wanted).order_by(decisions.c.number))
    return tuple(decision_out(number, read_back(body, DecisionRecord).decision) for number, body in rows)


def _message(row: Sequence[Any], tries: Mapping[str, tuple[models.TryOut, ...]] | None = None) -> models.MessageOut:
    id_, destination, key, state, attempts, next_try, reason, about, _ = row
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
        tries=(tries or {}).get(id_, ()),
    )
