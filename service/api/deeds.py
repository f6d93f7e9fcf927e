"""What operators do: replay one message or many, take one back, pause a destination and resume it. Who did it and why is kept in
the same transaction, and of a message among its tries too."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from contracts.errors import Conflict, NotFound
from contracts.outbox import Deed, DeliveryState, Erased, Queued
from contracts.record import Access, AccessAction, Caller
from service.api import models
from service.store.snapshot import hidden_of
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from service.usecases.deciding import decide_again
from service.usecases.notify import let_go, obstacle
from service.usecases.promising import reasons

STEP: Final = 500
"""Messages of one answer, and of one transaction."""

ERASED: Final = "what the message said has been erased: write a new request"
OVERTAKEN: Final = "a newer version of the record has been sent, or is being sent: cancel this one"

_REPLAYABLE: Final = (DeliveryState.PARKED, DeliveryState.WITHHELD, DeliveryState.RETRYING)
_CANCELLABLE: Final = (
    DeliveryState.WAITING,
    DeliveryState.RETRYING,
    DeliveryState.PARKED,
    DeliveryState.WITHHELD,
    DeliveryState.NEEDS_OTHER_CHANNEL,
    DeliveryState.NEEDS_APPROVAL,
)


def replay(context: Context, caller: Caller, id: str, why: str) -> Callable[[SqlTransaction], str]:
    """Let a message be tried again, if a channel can carry it; its timetable begins anew. Consent is asked again when it is
    claimed. One that was withheld, and that somebody is to read first or only a person can tell, goes to a person if the
    consents allow it now. Answers why it is left as it was, empty when it is not: what was decided about it is kept either
    way."""

    def work(transaction: SqlTransaction) -> str:
        refuse_unless(transaction, caller, id, _REPLAYABLE, Deed.REPLAYED)
        fate = _looked_at(transaction, context, caller, id)
        if fate.to is None:
            return fate.obstacle
        _replay(transaction, caller, id, why, fate)
        transaction.keep_deed(caller, Deed.REPLAYED, f"outbox/{id}", why, transaction.patient_of(id))
        return ""

    return work


def cancel(caller: Caller, id: str, why: str) -> Callable[[SqlTransaction], None]:
    """Take a message back for good."""

    def work(transaction: SqlTransaction) -> None:
        refuse_unless(transaction, caller, id, _CANCELLABLE, Deed.CANCELLED)
        _do(transaction, caller, id, why, DeliveryState.CANCELLED, Deed.CANCELLED)
        transaction.keep_deed(caller, Deed.CANCELLED, f"outbox/{id}", why, transaction.patient_of(id))

    return work


def pause(caller: Caller, destination: str, why: str) -> Callable[[SqlTransaction], None]:
    """Start no more tries to a destination."""

    def work(transaction: SqlTransaction) -> None:
        transaction.hold(destination, f"paused by {caller.employee}: {why}")
        transaction.keep_deed(caller, Deed.PAUSED, f"destinations/{destination}", why)

    return work


def resume(caller: Caller, destination: str, why: str) -> Callable[[SqlTransaction], None]:
    """Let tries start again."""

    def work(transaction: SqlTransaction) -> None:
        transaction.release(destination)
        transaction.keep_deed(caller, Deed.RESUMED, f"destinations/{destination}", why)

    return work


def replay_many(
    context: Context, caller: Caller, asked: models.ReplayIn
) -> Callable[[SqlTransaction], models.ReplayOut]:
    """Replay the unit's messages that fit, or tell what that would do. A dry run asks the consent rules too; otherwise they
    are asked when each is claimed."""

    def work(transaction: SqlTransaction) -> models.ReplayOut:
        fit = transaction.fitting(caller, asked.state, asked.destination, asked.since, asked.after, STEP)
        told = [_one_of_many(transaction, context, caller, asked, id) for _, id in fit]
        if not asked.dry_run:
            transaction.keep_deed(caller, Deed.REPLAYED, _filter(asked), asked.why)
        return models.ReplayOut(
            dry_run=asked.dry_run,
            replayed=sum(not each.obstacle for each in told),
            messages=tuple(told),
            next=fit[-1][0] if len(fit) == STEP else None,
        )

    return work


def _filter(asked: models.ReplayIn) -> str:
    """Which messages were asked for, as an address of the API would say it."""
    wanted = asked.model_dump(mode="json", exclude={"why", "dry_run"}, exclude_defaults=True)
    return f"outbox?{urlencode({'state': asked.state, **wanted}, safe=':')}"


def _one_of_many(
    transaction: SqlTransaction, context: Context, caller: Caller, asked: models.ReplayIn, id: str
) -> models.ReplayedOut:
    fate = _looked_at(transaction, context, caller, id, rehearsed=asked.dry_run)
    if fate.to is not None and not asked.dry_run:
        _replay(transaction, caller, id, asked.why, fate)
    return models.ReplayedOut(id=id, obstacle=fate.obstacle)


@dataclass(frozen=True, slots=True)
class _Fate:
    """Where a replay leads; nowhere if ``to`` is ``None``. ``obstacle`` is why it is not tried; empty when it is."""

    to: DeliveryState | None
    obstacle: str


def _looked_at(
    transaction: SqlTransaction, context: Context, caller: Caller, id: str, *, rehearsed: bool = False
) -> _Fate:
    """Whoever is told of it has seen something of the patient."""
    patient = transaction.patient_of(id)
    transaction.log_access(Access(caller, AccessAction.READ, patient, f"outbox/{id}", "outbox-replay"))
    return _fate(transaction, context, id, rehearsed=rehearsed)


def _fate(transaction: SqlTransaction, context: Context, id: str, *, rehearsed: bool) -> _Fate:
    """A rehearsal asks the consents about everything; else they are asked at the claim, and here about what is not claimed."""
    queued = transaction.message(id)
    if queued is None:
        return _Fate(None, "the stored message cannot be read")
    if isinstance(queued.message.payload, Erased):
        return _Fate(None, ERASED)
    if transaction.is_overtaken(id):
        return _Fate(None, OVERTAKEN)
    to, why = _way(context, queued)
    refusal = ""
    if rehearsed or to in _BY_A_PERSON:
        decision = decide_again(transaction, queued.message.question, context.region)
        refusal = "" if decision.permitted else f"withheld: {reasons(decision)}"
        if not rehearsed:
            transaction.note_decision(decision, queued.message.about)
    told = "; ".join(filter(None, (why, refusal)))
    return _Fate(None if refusal and to in _BY_A_PERSON else to, told)


_BY_A_PERSON: Final = (DeliveryState.NEEDS_OTHER_CHANNEL, DeliveryState.NEEDS_APPROVAL)


def _way(context: Context, queued: Queued) -> tuple[DeliveryState | None, str]:
    if queued.state is DeliveryState.WITHHELD:
        return let_go(context, queued.message)
    no_way = obstacle(context, queued.message)
    return None if no_way else DeliveryState.WAITING, no_way


def refuse_unless(
    transaction: SqlTransaction, caller: Caller, id: str, allowed: Sequence[DeliveryState], deed: Deed
) -> None:
    """Raises ``NotFound`` for a message that is not the caller's to see, and ``Conflict`` for one whose state allows no such
    deed."""
    standing = transaction.standing(id, hidden_of(caller))
    if standing is None or standing[0] not in caller.owners:
        raise NotFound("there is no such message")
    if standing[1] not in allowed:
        raise Conflict(f"a message that is {standing[1].value} cannot be {deed}")


def _replay(transaction: SqlTransaction, caller: Caller, id: str, why: str, fate: _Fate) -> None:
    assert fate.to is not None  # noqa: S101 - it leads somewhere
    transaction.restart(id)
    _do(transaction, caller, id, why, fate.to, Deed.REPLAYED, fate.obstacle)


def _do(
    transaction: SqlTransaction, caller: Caller, id: str, why: str, to: DeliveryState, deed: Deed, stands: str = ""
) -> None:
    """``stands`` is the reason that the message has there, if it is another than the deed."""
    reason = f"{deed} by {caller.employee}: {why}"
    transaction.move(id, to, stands or reason)
    transaction.note_deed(id, deed, reason)
