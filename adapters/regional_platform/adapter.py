"""The channel to the regional platform."""

import httpx
import orjson

from adapters.http import NoAnswer, NotReached, Sender, classify
from adapters.regional_platform import schemas, signing, wire
from adapters.regional_platform.settings import Settings
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    OutcomeUnknown,
    RecordEvent,
    RefusedForGood,
    Transient,
)
from contracts.ports import Clock


class RegionalPlatform:
    """A ``Channel`` for ``RecordEvent``."""

    def __init__(self, settings: Settings, clock: Clock, sender: Sender) -> None:
        self._settings = settings
        self._clock = clock
        self._sender = sender
        self._keys = signing.keys(settings.signing_secrets.get_secret_value())

    async def send(self, claim: Claim) -> DeliveryOutcome:
        """Judge the event, post it, and tell what became of it."""
        event = claim.message.payload
        if not isinstance(event, RecordEvent):
            return RefusedForGood("the regional platform takes record events only")
        fault = _fault(event, self._settings)
        return RefusedForGood(fault) if fault else await self._post(event)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()

    async def _post(self, event: RecordEvent) -> DeliveryOutcome:
        headers, body = wire.request(event, self._settings)
        headers |= signing.signed(self._keys, event.id, self._clock.now(), body)
        try:
            response = await self._sender.request("POST", self._settings.path, content=body, headers=headers)
        except NotReached as error:
            return Transient(str(error))
        except NoAnswer as error:
            return OutcomeUnknown(str(error))
        if (response.is_success or response.status_code == httpx.codes.CONFLICT) and _says_duplicate(response):
            return Delivered("the platform had it already")
        return classify(response, self._clock.now())


def build(settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> RegionalPlatform:
    """The channel as the service uses it; tests hand in another transport."""
    return RegionalPlatform(settings, clock, Sender(settings, transport))


def _fault(event: RecordEvent, settings: Settings) -> str:
    """Why the event may not leave, naming places and never values. Empty when it may."""
    broken = schemas.broken_places(event.type, event.data.encode(errors="surrogatepass"))
    if broken:
        return f"the data breaks {schemas.file_name(event.type)} at {', '.join(broken)}"
    personal = wire.personal_attributes(wire.attributes(event, settings))
    return f"a personal number stands in the attribute {', '.join(personal)}" if personal else ""


def _says_duplicate(response: httpx.Response) -> bool:
    """The one thing read from an answer: ``{"duplicate": true}``. CloudEvents defines no body, so all else is free."""
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and answer.get("duplicate") is True
