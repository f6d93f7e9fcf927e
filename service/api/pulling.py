"""How pulls stand: for whoever watches over the feed. No patient's data: ids of certificates, counts, and reasons."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select

from contracts.errors import NotFound
from contracts.pulling import PullCounts
from contracts.record import Caller
from service.api import models
from service.store.codec import decode, from_micros
from service.store.database import Row
from service.store.store import SqlStore
from service.store.tables import pull, set_aside

_COLUMNS: Final = (
    pull.c.number,
    pull.c.unit,
    pull.c.state,
    pull.c.at,
    pull.c.ended,
    pull.c.days,
    pull.c.reason,
    pull.c.body,
)


async def newest(store: SqlStore, caller: Caller, due: Mapping[str, datetime]) -> list[models.UnitPullsOut]:
    """By unit."""
    last = select(func.max(pull.c.number)).where(pull.c.provider == caller.provider.value).group_by(pull.c.unit)
    rows = await store.select(_pulls().where(pull.c.number.in_(last)).order_by(pull.c.unit))
    return [models.UnitPullsOut(unit=row[1], newest=models.PullOut(**_told(row)), next=due.get(row[1])) for row in rows]


async def pulled(store: SqlStore, caller: Caller, number: int) -> models.PulledOut:
    """One pull of the care provider's. Raises ``NotFound``."""
    rows = await store.select(_pulls().where(pull.c.number == number, pull.c.provider == caller.provider.value))
    if not rows:
        raise NotFound("there is no such pull")
    aside = await store.select(
        select(set_aside.c.certificate, set_aside.c.reason)
        .where(set_aside.c.pull == number)
        .order_by(set_aside.c.number)
    )
    return models.PulledOut(**_told(rows[0]), set_aside=_aside(aside))


def _pulls() -> Select[Any]:
    return select(*_COLUMNS)


def _told(row: Row) -> dict[str, Any]:
    number, unit, state, began, ended, days, reason, body = row
    counts = decode(body, PullCounts)
    return {
        "number": number,
        "unit": unit,
        "state": state,
        "began": from_micros(began),
        "ended": None if ended is None else from_micros(ended),
        "max_days_since_end": days,
        "reason": reason,
        "certificates": counts.certificates,
        "patients": counts.patients,
        "applied": counts.applied,
        "changed": counts.changed,
        "vanished": counts.vanished,
        "sick_leaves": counts.sick_leaves,
        "set_aside_count": counts.set_aside,
    }


def _aside(rows: Sequence[Row]) -> tuple[models.SetAsideOut, ...]:
    return tuple(models.SetAsideOut(certificate=certificate, reason=reason) for certificate, reason in rows)
