"""What became of a message after another service had taken it for us: it arrived, or it did not after all (sdk.md).

That a message service takes a message counts as telling: it has left. When the recipient's side then refuses it, the record says
so, and a person chooses another way.
"""

from typing import Final

from contracts.dialogue import Arrival, PartyMessage
from contracts.outbox import DeliveryState
from contracts.ports import Transaction
from fhir_mappings.document import decode, with_elements
from fhir_mappings.identifiers import MESSAGE_ID
from service.usecases.context import Context, Write
from service.usecases.follow_dialogue import service_for
from service.usecases.keeping import keep

FINAL: Final = (Arrival.ARRIVED, Arrival.REFUSED, Arrival.FAILED)
"""After these nobody need ask again."""

_LOST: Final = {
    Arrival.REFUSED: "the recipient's side refused it; another channel may carry it",
    Arrival.FAILED: "it did not reach the recipient's side; another channel may carry it",
}


def note_arrival(transaction: Transaction, context: Context, message_id: str, arrival: Arrival) -> None:
    """Keep it with the message's tries. One that did not arrive is parked, and what was kept as told is stopped."""
    queued = transaction.message(message_id)
    if arrival not in FINAL or queued is None or queued.state is not DeliveryState.DELIVERED:
        return
    transaction.note_deed(message_id, arrival.value, _LOST.get(arrival, "the recipient's side has accepted it"))
    payload = queued.message.payload
    if arrival is Arrival.ARRIVED or not isinstance(payload, PartyMessage):
        return
    transaction.move(message_id, DeliveryState.PARKED, _LOST[arrival])
    unit = payload.sender.unit
    found = transaction.by_token(
        "Communication", "identifier", MESSAGE_ID, payload.id, queued.message.question.unit.value
    )
    for record in found:
        reason = {"text": _LOST[arrival]}
        stopped = with_elements(decode(record.body), {"status": "stopped", "statusReason": reason})
        keep(transaction, context, Write(service_for(unit.id, unit.provider), stopped, record.id))
