"""A person decides that a patient with protected identity is told of all the same (domain rule 8)."""

from collections.abc import Callable
from dataclasses import replace

from contracts.consent import StatedGround
from contracts.errors import Conflict
from contracts.outbox import Deed, DeliveryState, Erased, Queued
from contracts.record import Access, AccessAction, Caller
from service.api.deeds import ERASED, OVERTAKEN, refuse_unless
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from service.usecases.deciding import decide_again, is_protected
from service.usecases.notify import let_go
from service.usecases.promising import reasons


def release(context: Context, caller: Caller, id: str, why: str) -> Callable[[SqlTransaction], str]:
    """Let one withheld message go in spite of the marking, if nothing else is in the way. Who and why stands with the
    message, in every later decision about it, and in the access log. Answers why it is left as it was, empty when it is not:
    people tell parties, but what only a system takes waits for one. Raises ``NotFound`` and ``Conflict``."""

    def story(transaction: SqlTransaction) -> str:
        queued = _withheld(transaction, caller, id)
        stated = StatedGround(caller.employee, transaction.at, why)
        message = replace(queued.message, question=replace(queued.message.question, release=stated))
        decision = decide_again(transaction, message.question, context.region)
        transaction.note_decision(decision, message.about)
        to, stands = let_go(context, message)
        if decision.permitted and to is None:
            transaction.log_access(
                Access(caller, AccessAction.READ, message.patient, f"outbox/{id}", "protected-release")
            )
            return stands
        released = f"released by {caller.employee}: {why}"
        if to is None or not decision.permitted:
            transaction.fix(message, DeliveryState.WITHHELD, reasons(decision))
        else:
            transaction.fix(message, to, stands or released)
        transaction.note_deed(id, Deed.RELEASED, released)
        transaction.keep_deed(caller, Deed.RELEASED, f"outbox/{id}", why, message.patient)
        access = Access(caller, AccessAction.WRITE, message.patient, f"outbox/{id}", "protected-release")
        transaction.log_access(access)
        return ""

    return story


def _withheld(transaction: SqlTransaction, caller: Caller, id: str) -> Queued:
    refuse_unless(transaction, caller, id, (DeliveryState.WITHHELD,), Deed.RELEASED)
    queued = transaction.message(id)
    if queued is not None and isinstance(queued.message.payload, Erased):
        raise Conflict(ERASED)
    if transaction.is_overtaken(id):
        raise Conflict(OVERTAKEN)
    if queued is None or not is_protected(transaction, queued.message.patient):
        raise Conflict("the patient's identity is not protected: something else withholds it, see its reason")
    return queued
