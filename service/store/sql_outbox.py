"""Statements about the outbox, compiled as those of ``service.store.sql``.

A message is the *head* of its key when it is the first that is not over. Heads alone are indexed by when they are due, so
that a claim costs the same however many wait behind them, or behind a parked one.
"""

from functools import cache
from typing import Final

from sqlalchemy import (
    ColumnElement,
    TextClause,
    and_,
    bindparam,
    case,
    delete,
    exists,
    literal,
    null,
    or_,
    select,
    update,
)

from contracts.outbox import DeliveryState
from service.store.codec import PARTY_MESSAGE
from service.store.sql import Statement, compiled, insert_into, insert_many, restricted_of
from service.store.tables import BLOCKS, ENDED, TRYABLE, attempt, decision, deed, outbox, route

INSERT_MESSAGE: Final = insert_into(outbox, "number", "uncounted", "lost")
INSERT_ATTEMPT: Final = insert_many(attempt, "number")
INSERT_DEED: Final = insert_many(deed, "number")

_sibling = outbox.alias("sibling")
_columns: Final = (
    outbox.c.id,
    outbox.c.destination,
    outbox.c.about,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.next_try,
    outbox.c.reason,
    outbox.c.kind,
    outbox.c.question,
    outbox.c.payload,
)
_of_message = outbox.c.id == bindparam("message")
DUE_MESSAGES: Final = compiled(
    select(*_columns)
    .where(
        TRYABLE,
        outbox.c.destination == bindparam("name"),
        outbox.c.next_try <= bindparam("now"),
        # One that waited elsewhere and was let go may be earlier than one that is being sent.
        ~exists().where(_sibling.c.key == outbox.c.key, _sibling.c.state == DeliveryState.CLAIMED.value),
    )
    .order_by(outbox.c.next_try, outbox.c.number)
    .limit(bindparam("slots"))
    .with_for_update(of=outbox, skip_locked=True)  # where others claim beside; SQLite has no such thing, and no need
)
FIRST_OF_KEY: Final = compiled(
    select(outbox.c.number).where(BLOCKS, outbox.c.key == bindparam("of_key")).order_by(outbox.c.number).limit(1)
)
UNSEAT: Final = compiled(
    update(outbox)
    .where(outbox.c.key == bindparam("of_key"), outbox.c.head == 1, outbox.c.number != bindparam("first"))
    .values(head=0)
)
SEAT: Final = compiled(update(outbox).where(outbox.c.number == bindparam("first"), outbox.c.head == 0).values(head=1))
MESSAGE: Final = compiled(select(*_columns).where(_of_message))
PLACE_OF: Final = compiled(select(outbox.c.key, outbox.c.state, outbox.c.kind).where(_of_message))
_SEEN: Final = outbox.c.about.not_in(restricted_of(bindparam("hidden_of")))
STANDING: Final = compiled(select(outbox.c.unit, outbox.c.state).where(_of_message, _SEEN))
MESSAGES_OF_PATIENT: Final = compiled(
    select(*_columns)
    .where(
        outbox.c.patient == bindparam("of_patient"),
        outbox.c.state != DeliveryState.DELIVERED.value,
        outbox.c.state != DeliveryState.CANCELLED.value,
    )
    .order_by(outbox.c.number)
)
FITTING: Final = compiled(
    select(outbox.c.number, outbox.c.id)
    .where(
        outbox.c.unit == bindparam("of_unit"),
        outbox.c.state == bindparam("standing"),
        outbox.c.number > bindparam("after"),
        outbox.c.changed >= bindparam("since"),
        or_(bindparam("name") == literal(""), outbox.c.destination == bindparam("name")),
        _SEEN,
    )
    .order_by(outbox.c.number)
    .limit(bindparam("most"))
)
PATIENT_OF: Final = compiled(select(outbox.c.patient).where(_of_message))
MOVE_MESSAGE: Final = compiled(
    update(outbox)
    .where(_of_message)
    .values(
        state=bindparam("to"),
        reason=bindparam("because"),
        next_try=bindparam("due"),
        changed=bindparam("now"),
        lease_until=null(),
        lost=0,
    )
)
LOSE_MESSAGE: Final = compiled(
    update(outbox)
    .where(_of_message)
    .values(
        state=bindparam("to"),
        reason=bindparam("because"),
        next_try=bindparam("due"),
        changed=bindparam("now"),
        lease_until=null(),
        lost=outbox.c.lost + 1,
        uncounted=outbox.c.uncounted + 1,
    )
)
UNCOUNT: Final = compiled(update(outbox).where(_of_message).values(uncounted=outbox.c.uncounted + 1))
RESTART: Final = compiled(update(outbox).where(_of_message).values(uncounted=outbox.c.attempts))


@cache
def claim_messages(count: int) -> Statement:
    """Claims so many: ``message_0`` and so on. Tells of each its id, try, fence and what did not count."""
    return compiled(
        update(outbox)
        .where(outbox.c.id.in_([bindparam(f"message_{number}") for number in range(count)]))
        .values(
            state=DeliveryState.CLAIMED.value,
            attempts=outbox.c.attempts + 1,
            fence=outbox.c.fence + 1,
            lease_until=bindparam("until"),
            changed=bindparam("now"),
        ),
        tail=" RETURNING id, attempts, fence, uncounted",
    )


CLAIM_OF: Final = compiled(select(outbox.c.fence, outbox.c.state).where(_of_message))
RENEW: Final = compiled(
    update(outbox)
    .where(_of_message, outbox.c.fence == bindparam("held"), outbox.c.state == DeliveryState.CLAIMED.value)
    .values(lease_until=bindparam("until"))
)
ORPHANS: Final = compiled(
    select(outbox.c.id, outbox.c.attempts, outbox.c.lost).where(
        outbox.c.state == DeliveryState.CLAIMED.value, outbox.c.lease_until <= bindparam("real_now")
    )
)
CLAIMED_FOR: Final = compiled(
    select(outbox.c.number)
    .where(outbox.c.destination == bindparam("name"), outbox.c.state == DeliveryState.CLAIMED.value)
    .limit(1)
)
_about = outbox.c.about == bindparam("resource")
PROMISED: Final = compiled(
    select(literal(1)).where(
        or_(
            exists().where(_about, outbox.c.state != DeliveryState.CANCELLED.value),
            # Pruned since: what was decided is kept.
            and_(
                exists().where(decision.c.about == bindparam("resource"), decision.c.permitted == 1),
                ~exists().where(_about),
            ),
        )
    )
)
FIX_MESSAGE: Final = compiled(
    update(outbox)
    .where(_of_message)
    .values(
        kind=bindparam("of_kind"),
        question=bindparam("asked"),
        payload=bindparam("news"),
        destination=bindparam("to_where"),
        key=bindparam("in_key"),
        # Nobody is the head of a key by having been that of another.
        head=case((outbox.c.key == bindparam("in_key"), outbox.c.head), else_=0),
    )
)

_over = and_(ENDED, outbox.c.state != DeliveryState.WITHHELD.value)  # what is withheld may be let go yet
_ended = (
    select(outbox.c.id, outbox.c.changed, outbox.c.kind)
    .where(
        _over,
        outbox.c.state == bindparam("over"),
        outbox.c.changed >= bindparam("since"),
        outbox.c.changed < bindparam("before"),
        or_(outbox.c.kind != PARTY_MESSAGE, outbox.c.payload.is_not(None)),
    )
    .order_by(outbox.c.changed)
    .limit(bindparam("most"))
)
ENDED_MESSAGES: Final = compiled(_ended)


def _erase_some(*which: ColumnElement[bool] | TextClause) -> Statement:
    """Of so many of those what they say, where that has been kept long enough."""
    outlived = outbox.c.payload.is_not(None), outbox.c.changed <= bindparam("before")
    some = select(outbox.c.number).where(*which, *outlived).limit(bindparam("most"))
    return compiled(update(outbox).where(outbox.c.number.in_(some)).values(payload=null()))


ERASE_WITHHELD: Final = _erase_some(outbox.c.state == DeliveryState.WITHHELD.value)
ERASE_CANCELLED: Final = _erase_some(ENDED, outbox.c.state == DeliveryState.CANCELLED.value)
ERASE: Final = compiled(update(outbox).where(_of_message).values(payload=null()))
OVERTAKEN: Final = compiled(
    select(outbox.c.number).where(
        _of_message,
        exists().where(
            _sibling.c.about == outbox.c.about,
            _sibling.c.destination == outbox.c.destination,
            _sibling.c.number > outbox.c.number,
            _sibling.c.attempts > 0,
        ),
    )
)

FORGET_ATTEMPTS: Final = compiled(delete(attempt).where(attempt.c.message == bindparam("message")))
FORGET_MESSAGE: Final = compiled(delete(outbox).where(_over, _of_message))

INSERT_ROUTE: Final = insert_into(route)
_of_route = route.c.destination == bindparam("name")
ROUTE: Final = compiled(select(route.c.held, route.c.faults, route.c.open_until).where(_of_route))
LOCK_ROUTE: Final = compiled(select(route.c.destination).where(_of_route).with_for_update())
HOLD_ROUTE: Final = compiled(update(route).where(_of_route).values(held=bindparam("because"), since=bindparam("now")))
BREAK_ROUTE: Final = compiled(
    update(route).where(_of_route).values(faults=bindparam("counted"), open_until=bindparam("until"))
)
RELEASE_ROUTE: Final = compiled(delete(route).where(_of_route))
