"""The other parties' part of the control surface: they answer what was sent to them."""

from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, TypeAdapter

from adapters.mocking.control import Asked, NotThere, Row
from adapters.sdk.mock import Service
from fhir_mappings.identifiers import NATIONAL_PERSON_SYSTEMS

_PERSONS: Final = frozenset(system.rivta for system in NATIONAL_PERSON_SYSTEMS)


class AnswerIn(BaseModel):
    """What the recipient of a message answers. ``label``: the message's own; ``reference``: a case number of theirs."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    text: str
    label: str = ""
    reference: str = ""


def _answer(asked: Asked) -> Any:
    """From the recipient's function to the sender's, in the same conversation, about the same person."""
    given = _ANSWER.validate_json(asked.body)
    counterpart = asked.world.counterpart("message_service")
    room = counterpart.room(asked.namespace)
    known = room.remembered("messages").get(asked.request.path_params["id"])
    if known is None or "recipientAttention" not in known or "senderAttention" not in known:
        raise NotThere
    before = sum(each.get("refToMessageId") == known["messageId"] for each in room.remembered("messages").values())
    id = str(uuid5(UUID(known["messageId"]), f"answer {before + 1}"))
    return {"id": Service(counterpart).keep(room, _reply(known, given, id))}


def _reply(known: dict[str, Any], given: AnswerIn, id: str) -> dict[str, Any]:
    person = [each for each in known["recipientAttention"].get("referenceId", []) if each["root"] in _PERSONS]
    theirs = [{"root": known["recipient"], "extension": given.reference}] if given.reference else []
    function = known["recipientAttention"]["subOrganization"]
    return {
        "messageId": id,
        "conversationId": known["conversationId"],
        "refToMessageId": known["messageId"],
        "confidentiality": True,
        "label": given.label or known["label"],
        "sender": known["recipient"],
        "recipient": known["sender"],
        "senderAttention": {"subOrganization": function, "referenceId": [*person, *theirs]},
        "recipientAttention": known["senderAttention"],
        "digitalDocument": [{"documentId": "1", "index": 1, "contentTextBody": [given.text]}],
    }


_ANSWER: Final = TypeAdapter(AnswerIn)
ROWS: Final = (
    Row(
        "POST",
        "/_control/message_service/{id}/answers",
        _answer,
        "Let the recipient of an SDK message answer it",
        _ANSWER,
    ),
)
