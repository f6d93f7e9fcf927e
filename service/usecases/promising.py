"""Promising a message: decided now, and again in the transaction that claims it (decision D3)."""

from contracts.consent import DecisionRecord
from contracts.outbox import DeliveryState, OutboxMessage
from contracts.ports import Transaction
from service.usecases.context import Context
from service.usecases.deciding import decide


def promise(
    transaction: Transaction,
    context: Context,
    message: OutboxMessage,
    state: DeliveryState = DeliveryState.WAITING,
    reason: str = "",
    decision: DecisionRecord | None = None,
) -> DecisionRecord:
    """Put the message in the outbox in ``state``, or withheld with the reasons when it may not be sent. ``decision`` is the
    answer to its question where that has been asked in this transaction. Raises ``ValueError`` for one that carries more
    than is asked about: what was not asked is not permitted."""
    if message.says_more_than_asked:
        raise ValueError("the message carries more than is asked about")
    decision = decision or decide(transaction, message.question, context.region)
    transaction.note_decision(decision, message.about)
    if decision.permitted:
        transaction.promise(message, state, reason)
    else:
        transaction.promise(message, DeliveryState.WITHHELD, reasons(decision))
    return decision


def reasons(decision: DecisionRecord) -> str:
    """The reasons as one text."""
    return ", ".join(decision.reasons)
