"""The other parties' part of the control surface: they answer what was sent to them, by hand or by scripts."""

from itertools import count
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.mocking import casework_control
from adapters.mocking.casework import Orders
from adapters.mocking.control import Asked, NotThere, Row
from adapters.sdk import mock_letter
from adapters.sdk.mock import Service
from adapters.sdk.mock_case_worker import PartyWorker
from adapters.sdk.mock_parties import PARTIES, Step


class AnswerIn(BaseModel):
    """What the recipient of a message answers. ``label``: the message's own; ``reference``: a case number of theirs."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: str
    label: str = Field(default="", max_length=256)
    reference: str = Field(default="", max_length=256)


def _answer(asked: Asked) -> Any:
    """From the recipient's function to the sender's, in the same conversation, about the same person."""
    given = _ANSWER.validate_json(asked.body)
    counterpart = asked.world.counterpart("message_service")
    room = counterpart.room(asked.namespace)
    known = room.remembered("messages").get(asked.request.path_params["id"])
    if known is None or "recipientAttention" not in known or "senderAttention" not in known:
        raise NotThere
    # Also one that care has put away since: care knows its ids.
    ids = (str(uuid5(UUID(known["messageId"]), f"answer {number}")) for number in count(1))
    id = next(each for each in ids if each not in room.remembered("sent"))
    reply = mock_letter.written(known, id, given.text, label=given.label, reference=given.reference)
    return {"id": Service(counterpart).keep(room, reply)}


def _party(asked: Asked) -> casework_control.Found:
    name: str = asked.request.path_params["party"]
    if name not in PARTIES:
        raise NotThere
    counterpart = asked.world.counterpart(name)
    worker = PartyWorker(counterpart, PARTIES[name], asked.world.counterpart("message_service"))
    return worker, counterpart.room(asked.namespace)


def _parties(_: Asked) -> Any:
    return {name: party.model_dump(mode="json", by_alias=True, exclude={"scripts"}) for name, party in PARTIES.items()}


_ANSWER: Final = TypeAdapter(AnswerIn)
ROWS: Final = (
    Row(
        "POST",
        "/_control/message_service/{id}/answers",
        _answer,
        "Let the recipient of an SDK message answer it",
        _ANSWER,
    ),
    Row(
        "GET",
        "/_control/parties",
        _parties,
        "The parties behind the message service: organisation, functions, and what files they take",
    ),
    *casework_control.rows(
        "/_control/parties/{party}", "a party's case worker", _party, TypeAdapter(Orders), TypeAdapter(Step)
    ),
)
