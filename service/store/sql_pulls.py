"""Statements about pulls and what they stage, compiled as those of ``service.store.sql``."""

from typing import Final

from sqlalchemy import bindparam, delete, func, select, update

from contracts.pulling import PullState
from service.store.sql import NUMBER, compiled, insert_into, insert_many
from service.store.tables import UNDER_WAY, pull, set_aside, staged

INSERT_PULL: Final = insert_into(pull, "number", tail=NUMBER)
_columns: Final = (
    pull.c.number,
    pull.c.at,
    pull.c.state,
    pull.c.body,
    pull.c.caller,
    pull.c.days,
    pull.c.cursor,
    pull.c.ended,
    pull.c.reason,
)
READ: Final = compiled(select(*_columns).where(pull.c.number == bindparam("of_pull")))
RUNNING: Final = compiled(select(*_columns).where(UNDER_WAY))
"""Not in order: with one the database would go through all pulls instead of the index of those under way."""
SAVE: Final = compiled(
    update(pull)
    .where(pull.c.number == bindparam("of_pull"))
    .values(
        state=bindparam("to"),
        body=bindparam("counts"),
        cursor=bindparam("stands"),
        ended=bindparam("over"),
        reason=bindparam("because"),
    )
)
LAST_DONE: Final = compiled(
    select(func.max(pull.c.at)).where(pull.c.unit == bindparam("of_unit"), pull.c.state == PullState.DONE.value)
)

_oldest_kept = (
    select(pull.c.number)
    .where(pull.c.unit == bindparam("of_unit"))
    .order_by(pull.c.number.desc())
    .limit(1)
    .offset(bindparam("kept"))
    .scalar_subquery()
)
_forgotten = select(pull.c.number).where(pull.c.unit == bindparam("of_unit"), pull.c.number <= _oldest_kept)
PRUNE_ASIDE: Final = compiled(delete(set_aside).where(set_aside.c.pull.in_(_forgotten)))
PRUNE: Final = compiled(delete(pull).where(pull.c.unit == bindparam("of_unit"), pull.c.number <= _oldest_kept))

STAGE: Final = insert_many(staged, "number")
"""The values in the order of the table's columns."""
_of_pull = staged.c.pull == bindparam("of_pull")
_certificates = select(staged.c.certificate).where(_of_pull).group_by(staged.c.certificate)
STAGED_TWICE: Final = compiled(_certificates.having(func.count() > 1))
_first = select(func.min(staged.c.number)).where(_of_pull).group_by(staged.c.certificate)
STAGED_AGAIN: Final = compiled(
    select(staged.c.number, staged.c.certificate)
    .where(_of_pull, staged.c.number.not_in(_first))
    .order_by(staged.c.number)
)
UNSTAGE: Final = compiled(delete(staged).where(staged.c.number == bindparam("row")))
_all_persons = select(staged.c.person).where(_of_pull).distinct().subquery()
COUNT_STAGED: Final = compiled(
    select(
        select(func.count()).select_from(staged).where(_of_pull).scalar_subquery(),
        select(func.count()).select_from(_all_persons).scalar_subquery(),
    )
)
STAGED_PERSONS: Final = compiled(
    select(staged.c.person)
    .where(_of_pull, staged.c.person > bindparam("after"))
    .distinct()
    .order_by(staged.c.person)
    .limit(bindparam("most"))
)
STAGED_OF_PERSON: Final = compiled(
    select(staged.c.certificate, staged.c.body)
    .where(_of_pull, staged.c.person == bindparam("person"))
    .order_by(staged.c.number)
)
_cleared = select(staged.c.number).where(_of_pull).limit(bindparam("most"))
CLEAR_STAGED: Final = compiled(delete(staged).where(staged.c.number.in_(_cleared)))

INSERT_ASIDE: Final = insert_into(set_aside, "number")
_aside_of_pull = set_aside.c.pull == bindparam("of_pull")
COUNT_ASIDE: Final = compiled(select(func.count()).select_from(set_aside).where(_aside_of_pull))
ASIDE_OF_PULL: Final = compiled(
    select(set_aside.c.certificate, set_aside.c.reason).where(_aside_of_pull).order_by(set_aside.c.number)
)
UNUSABLE: Final = compiled(
    select(set_aside.c.number).where(_aside_of_pull, set_aside.c.certificate == bindparam("with_id")).limit(1)
)
