"""The channel back to the record system."""

import httpx

from adapters.ehr import wire
from adapters.ehr.settings import Settings
from adapters.http import NoAnswer, NotReached, Sender, classify
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    OutcomeUnknown,
    RecordCopy,
    RefusedForGood,
    Transient,
)
from contracts.ports import Clock


class Ehr:
    """A ``Channel`` for ``RecordCopy``."""

    def __init__(self, clock: Clock, sender: Sender) -> None:
        self._clock = clock
        self._sender = sender

    async def send(self, claim: Claim) -> DeliveryOutcome:
        """Put the coded record in place of the record system's own, and tell what became of it."""
        copy = claim.message.payload
        if not isinstance(copy, RecordCopy):
            return RefusedForGood("the record system takes copies of its own records only")
        try:
            request = wire.request(copy)
        except wire.Unmatchable as error:
            return RefusedForGood(str(error))
        return await self._put(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()

    async def _put(self, request: wire.Request) -> DeliveryOutcome:
        try:
            response = await self._sender.request("PUT", request.target, content=request.body, headers=request.headers)
        except NotReached as error:
            return Transient(str(error))
        except NoAnswer as error:
            return OutcomeUnknown(str(error))
        return _outcome(response) or classify(response, self._clock.now())


def build(settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> Ehr:
    """The channel as the service uses it; tests hand in another transport."""
    return Ehr(clock, Sender(settings, transport))


def _outcome(response: httpx.Response) -> DeliveryOutcome | None:
    """What this interaction says beyond HTTP (http.html#cond-update); ``None`` leaves it to the common table."""
    if response.status_code == httpx.codes.PRECONDITION_FAILED:
        return RefusedForGood("HTTP 412: several records carry the identifier")
    if response.is_success and not wire.is_readable(response.content):
        # Something else than a FHIR server answers there (a portal's start page): nothing has been written.
        return RefusedForGood(f"HTTP {response.status_code}: the answer cannot be read")
    if response.status_code == httpx.codes.CREATED:
        return Delivered("the record system had no such record and created one")
    return None
