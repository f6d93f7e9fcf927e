"""The officer's part of the control surface."""

from typing import Any, Final

from pydantic import TypeAdapter

from adapters.forsakringskassan.mock_officer import SCRIPTS, Case, Officer, Orders, Step, shown
from adapters.mocking import Room
from adapters.mocking.control import Asked, NotThere, Row

_ORDERS: Final = TypeAdapter(Orders)
_STEP: Final = TypeAdapter(Step)


def _officer(asked: Asked) -> tuple[Officer, Room]:
    counterpart = asked.world.counterpart("forsakringskassan")
    return Officer(counterpart), counterpart.room(asked.namespace)


def _case(asked: Asked) -> tuple[Officer, Room, Case]:
    officer, room = _officer(asked)
    found = officer.case(room, asked.number("number"))
    if found is None:
        raise NotThere
    return officer, room, found


def _orders(asked: Asked) -> Any:
    officer, room = _officer(asked)
    return _told(officer.orders(room))


def _instruct(asked: Asked) -> Any:
    """A token that is left out stays as it was."""
    officer, room = _officer(asked)
    orders = _ORDERS.validate_json(asked.body)
    if "token" not in orders.model_fields_set:
        orders = orders.model_copy(update={"token": officer.orders(room).token})
    officer.instruct(orders, asked.namespace)
    return _told(orders)


def _told(orders: Orders) -> dict[str, Any]:
    """A token is for nobody to read."""
    return orders.model_dump(by_alias=True, exclude={"token"})


def _scripts(_: Asked) -> Any:
    return {name: script.model_dump(mode="json", by_alias=True) for name, script in SCRIPTS.items()}


def _cases(asked: Asked) -> Any:
    officer, room = _officer(asked)
    return [shown(case) for case in officer.cases(room)]


def _one(asked: Asked) -> Any:
    return shown(_case(asked)[2])


async def _send(asked: Asked) -> Any:
    step = _STEP.validate_json(asked.body)
    officer, room, case = _case(asked)
    sent = await officer.send(room, case, step)
    return {"id": sent.letter.id, "state": sent.state, "told": sent.told}


_HERE: Final = "/_control/officer"
ROWS: Final = (
    Row("GET", _HERE, _orders, "How Försäkringskassan's officer works"),
    Row("PUT", _HERE, _instruct, "Where the officer's messages go, and by which script", _ORDERS),
    Row("GET", f"{_HERE}/scripts", _scripts, "The scripts"),
    Row("GET", f"{_HERE}/cases", _cases, "The officer's cases"),
    Row("GET", f"{_HERE}/cases/{{number}}", _one, "One case, and what has been sent in it"),
    Row("POST", f"{_HERE}/cases/{{number}}/messages", _send, "Answer or ask in this case so, at once", _STEP),
)
