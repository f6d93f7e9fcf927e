"""What operators do to messages: replay one or many, take one back. Who did it and why is kept with the message's tries."""

from collections.abc import Callable, Sequence
from typing import Final

from contracts.errors import Conflict, NotFound
from contracts.outbox import DeliveryState
from contracts.record import Access, AccessAction, Caller
from service.api import models
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from service.usecases.deciding import decide_again
from service.usecases.notify import obstacle
from service.usecases.promising import reasons

STEP: Final = 500
"""Messages of one answer, and of one transaction."""

ERASED: Final = "what the message said has been erased: write a new request"

_REPLAYABLE: Final = (DeliveryState.PARKED, DeliveryState.WITHHELD, DeliveryState.RETRYING)
_CANCELLABLE: Final = (
    DeliveryState.WAITING,
    DeliveryState.RETRYING,
    DeliveryState.PARKED,
    DeliveryState.WITHHELD,
    DeliveryState.NEEDS_OTHER_CHANNEL,
    DeliveryState.NEEDS_APPROVAL,
)


def replay(context: Context, caller: Caller, id: str, why: str) -> Callable[[SqlTransaction], None]:
    """Let a message be tried again, if a channel can carry it; its timetable begins anew. Consent is asked again when it is
    claimed."""

    def work(transaction: SqlTransaction) -> None:
        _check(transaction, caller, id, _REPLAYABLE, "replayed")
        obstructed = _obstructed(transaction, context, id)
        if obstructed:
            raise Conflict(obstructed)
        _replay(transaction, caller, id, why)

    return work


def cancel(caller: Caller, id: str, why: str) -> Callable[[SqlTransaction], None]:
    """Take a message back for good."""

    def work(transaction: SqlTransaction) -> None:
        _check(transaction, caller, id, _CANCELLABLE, "cancelled")
        _do(transaction, caller, id, why, DeliveryState.CANCELLED, "cancelled")

    return work


def replay_many(
    context: Context, caller: Caller, asked: models.ReplayIn
) -> Callable[[SqlTransaction], models.ReplayOut]:
    """Replay the unit's messages that fit, or tell what that would do. A dry run asks the consent rules too; otherwise they
    are asked when each is claimed."""

    def work(transaction: SqlTransaction) -> models.ReplayOut:
        unit = caller.unit.value
        fit = transaction.fitting(unit, asked.state, asked.destination, asked.since, asked.after, STEP)
        told = [_one_of_many(transaction, context, caller, asked, id) for _, id in fit]
        return models.ReplayOut(
            dry_run=asked.dry_run,
            replayed=sum(not each.obstacle for each in told),
            messages=tuple(told),
            next=fit[-1][0] if len(fit) == STEP else None,
        )

    return work


def _one_of_many(
    transaction: SqlTransaction, context: Context, caller: Caller, asked: models.ReplayIn, id: str
) -> models.ReplayedOut:
    obstructed = _obstructed(transaction, context, id)
    if not obstructed and asked.dry_run:
        obstructed = _refusal(transaction, context, id)
    elif not obstructed:
        _replay(transaction, caller, id, asked.why)
    transaction.log_access(
        Access(caller, AccessAction.READ, transaction.patient_of(id), f"outbox/{id}", "outbox-replay")
    )
    return models.ReplayedOut(id=id, obstacle=obstructed)


def _obstructed(transaction: SqlTransaction, context: Context, id: str) -> str:
    """Why it cannot be tried, whatever the consents say; empty when it can."""
    if transaction.is_erased(id):
        return ERASED
    queued = transaction.message(id)
    if queued is None:
        return "the stored message cannot be read"
    return obstacle(context, queued.message)


def _refusal(transaction: SqlTransaction, context: Context, id: str) -> str:
    queued = transaction.message(id)
    assert queued is not None  # noqa: S101 - it has just been read
    decision = decide_again(transaction, queued.message.question, context.region)
    return "" if decision.permitted else f"withheld: {reasons(decision)}"


def _check(transaction: SqlTransaction, caller: Caller, id: str, allowed: Sequence[DeliveryState], deed: str) -> None:
    standing = transaction.standing(id)
    if standing is None or not caller.may_see(standing[0]):
        raise NotFound("there is no such message")
    if standing[1] not in allowed:
        raise Conflict(f"a message that is {standing[1].value} cannot be {deed}")


def _replay(transaction: SqlTransaction, caller: Caller, id: str, why: str) -> None:
    transaction.restart(id)
    _do(transaction, caller, id, why, DeliveryState.WAITING, "replayed")


def _do(transaction: SqlTransaction, caller: Caller, id: str, why: str, to: DeliveryState, deed: str) -> None:
    reason = f"{deed} by {caller.employee}: {why}"
    transaction.move(id, to, reason)
    transaction.note_deed(id, deed, reason)
