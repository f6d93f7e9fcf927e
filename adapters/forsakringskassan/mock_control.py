"""The officer's part of the control surface."""

from typing import Final

from pydantic import TypeAdapter

from adapters.forsakringskassan.mock_officer import Officer, Orders, Step
from adapters.mocking import casework_control
from adapters.mocking.control import Asked


def _officer(asked: Asked) -> casework_control.Found:
    counterpart = asked.world.counterpart("forsakringskassan")
    return Officer(counterpart), counterpart.room(asked.namespace)


ROWS: Final = casework_control.rows(
    "/_control/officer", "Försäkringskassan's officer", _officer, TypeAdapter(Orders), TypeAdapter(Step)
)
