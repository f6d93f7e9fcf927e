"""The channel to Försäkringskassan: one try, one outcome. What answers mean is told in ``wire``."""

from dataclasses import replace
from typing import Final

import httpx

from adapters import soap
from adapters.forsakringskassan import wire
from adapters.forsakringskassan.settings import Settings
from adapters.http import NoAnswer, NotReached, Sender, retry_after
from contracts.dialogue import PartyMessage
from contracts.outbox import Claim, DeliveryOutcome, OutcomeUnknown, RefusedForGood, Transient
from contracts.ports import Clock
from fhir_mappings import wording

ORIGINAL_CONSUMER: Final = "x-rivta-original-serviceconsumer-hsaid"


class Forsakringskassan:
    """Implements ``contracts.ports.Channel`` with SendMessageToRecipient."""

    def __init__(self, settings: Settings, clock: Clock, sender: Sender) -> None:
        self._settings = settings
        self._clock = clock
        self._sender = sender

    async def send(self, claim: Claim) -> DeliveryOutcome:
        """Try once. Raises ``TypeError`` for a payload that is promised to somebody else."""
        message = claim.message.payload
        if not isinstance(message, PartyMessage):
            raise TypeError(f"Försäkringskassan takes party messages, not {type(message).__name__}")
        body = self._body(message)
        return body if not isinstance(body, bytes) else await self._post(body, message.id)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()

    def _body(self, message: PartyMessage) -> bytes | RefusedForGood:
        """The request, or why it must not leave: what breaks the schema here would break it there."""
        try:
            body = wire.request(message, self._settings.logical_address)
        except wording.Unwritable as unwritable:
            return RefusedForGood(f"the message cannot be written: {unwritable}", unwritable.other_channel)
        broken = wire.schema_errors(body)
        return RefusedForGood(f"the message breaks the contract's schema: {'; '.join(broken)}") if broken else body

    async def _post(self, body: bytes, message_id: str) -> DeliveryOutcome:
        try:
            response = await self._sender.request("POST", self._settings.path, content=body, headers=self._headers())
        except NotReached as reason:
            return Transient(str(reason))
        except NoAnswer as reason:
            return OutcomeUnknown(str(reason))
        return self._told(response, message_id)

    def _told(self, response: httpx.Response, message_id: str) -> DeliveryOutcome:
        outcome = wire.outcome(response.status_code, response.content, message_id)
        if isinstance(outcome, Transient):
            return replace(outcome, retry_after=retry_after(response, self._clock.now()))
        return outcome

    def _headers(self) -> dict[str, str]:
        consumer = self._settings.system_hsa_id
        return soap.headers(wire.ACTION) | ({ORIGINAL_CONSUMER: consumer} if consumer else {})


def build(settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> Forsakringskassan:
    """The channel; tests and the mock world give it a transport of their own."""
    return Forsakringskassan(settings, clock, Sender(settings, transport))
