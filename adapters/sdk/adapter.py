"""SDK as a channel and as a mailbox: one object, because both are one message service. What answers mean is told in ``wire``,
what messages say in ``reading``."""

from collections.abc import AsyncIterator, Iterable
from typing import Final
from urllib.parse import quote

import httpx

from adapters.http import NotReached, TooMuch
from adapters.oauth import AuthorizedSender, ClientRefused
from adapters.sdk import reading, wire
from adapters.sdk.addresses import Addresses
from adapters.sdk.settings import Settings
from contracts.consent import Recipient
from contracts.dialogue import Arrival, PartyMessage, ReceivedMessage, Unreadable
from contracts.errors import NotFound, Unavailable
from contracts.identity import HsaId
from contracts.outbox import Claim, Delivered, DeliveryOutcome, OutcomeUnknown, RefusedForGood, RouteBroken, Transient
from contracts.ports import Clock
from fhir_mappings.wording import Unwritable

LARGEST: Final = 2 * wire.LIMIT
"""Bytes of an answer: a message of the largest size, its files in base64 and its texts escaped."""
PATIENCE: Final = 3
"""Messages in a row that cannot be fetched, after which a round gives up."""
FILTER: Final = "filter[recipientAttention.subOrganization.extension]"
_HEADERS: Final = {"Accept": f"{wire.CONTENT_TYPE}, {wire.PROBLEM}"}
_GONE_OR_NOT_LET_GO: Final = frozenset({404, 400, 405, 409, 422})
_PASSING: Final = frozenset({401, 403, 407, 408, 429})
"""Refusals that say nothing of the message that was asked for."""


class Sdk:
    """Implements ``contracts.ports.Channel``, ``AddressBook`` and ``Mailbox`` with the MT-MK interface."""

    def __init__(self, settings: Settings, book: Addresses, clock: Clock, sender: AuthorizedSender) -> None:
        self._path = settings.path
        self._book = book
        self._clock = clock
        self._sender = sender
        self._kept: set[str] = set()
        """Messages that are put away and may lie there still."""

    def reaches(self, recipient: Recipient, unit: HsaId) -> bool:
        """See ``contracts.ports.AddressBook``."""
        return self._book.of_party(recipient) is not None and self._book.of_unit(unit) is not None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()

    # The channel

    async def send(self, claim: Claim) -> DeliveryOutcome:
        """Try once. Behind an earlier try the message may be there already, whatever became of that: so it is looked for first.
        Raises ``TypeError`` for a payload that is promised to somebody else."""
        message = claim.message.payload
        if not isinstance(message, PartyMessage):
            raise TypeError(f"SDK takes party messages, not {type(message).__name__}")
        try:
            id, body = wire.message_id(message), wire.request(message, self._book)
        except Unwritable as unwritable:
            return RefusedForGood(f"the message cannot be written: {unwritable}", unwritable.other_channel)
        there = await self._look_for(id) if claim.attempt > 1 else None
        return there or await self._post(id, body)

    async def _post(self, id: str, body: bytes) -> DeliveryOutcome:
        headers = {**_HEADERS, "Content-Type": wire.CONTENT_TYPE}
        try:
            response = await self._sender.request("POST", self._path, content=body, headers=headers, at_most=LARGEST)
        except Unavailable as reason:
            return _unanswered(reason)
        told = wire.outcome(response, id, self._book.organisation, self._clock.now())
        return told or await self._settled(id, wire.refusal(response))

    async def _settled(self, id: str, refusal: str) -> DeliveryOutcome:
        """What the message service itself says of the message, after an answer that leaves it open."""
        there = await self._look_for(id)
        if there is None:
            return RefusedForGood(refusal)
        return there if isinstance(there, Delivered) else OutcomeUnknown(f"{refusal}; {there.reason}")

    async def _look_for(self, id: str) -> DeliveryOutcome | None:
        """``None``: it is not there."""
        try:
            response = await self._get(id)
        except Unavailable as reason:
            return _unanswered(reason)
        return wire.found(response, id, self._book.organisation, self._clock.now())

    # The mailbox

    async def waiting(self) -> AsyncIterator[ReceivedMessage | Unreadable]:
        """See ``contracts.ports.Mailbox``. Asked for by our addresses and by no state: the states in which a message has not
        been fetched are each service's own, and one that says RETRIEVED may have been fetched by us and lost before it was kept.
        A message that cannot be fetched now is left, and told of by ``Unavailable`` once the others have come."""
        lies_there = await self._listed()
        self._kept &= {each.id for each in lies_there}
        failed = in_a_row = 0
        for each in lies_there:
            if each.id in self._kept:
                continue
            try:
                found = each if isinstance(each, Unreadable) else await self._fetched(each.id)
                in_a_row = 0
            except Unavailable:
                failed, in_a_row = failed + 1, in_a_row + 1
                if in_a_row == PATIENCE:
                    break
                continue
            if found is not None:
                yield found
        if failed:
            raise Unavailable("the message service does not hand out all messages that it lists")

    async def put_away(self, id: str) -> None:
        """See ``contracts.ports.Mailbox``. The service's copy is removed: ours is kept by now. In a state in which it may not be
        removed it stays there, and this object passes it over; after a restart it comes again."""
        response = await self._sender.request("DELETE", self._one(id), headers=_HEADERS)
        if not response.is_success and response.status_code not in _GONE_OR_NOT_LET_GO:
            raise Unavailable(f"the message service does not put the message away: HTTP {response.status_code}")
        self._kept.add(id)

    async def arrival(self, id: str) -> Arrival:
        """See ``contracts.ports.Mailbox``. A state that is none of the interface's is no arrival that can be told:
        ``Unavailable``."""
        response = await self._get(id)
        if _says_that_nothing_is_there(response):
            raise NotFound("the message service has the message no more")
        told = wire.arrival(response, id, self._book.organisation)
        if told is None:
            raise Unavailable(f"the message service does not tell what became of it: HTTP {response.status_code}")
        return told

    async def _listed(self) -> list[reading.Listed | Unreadable]:
        """What lies at all our addresses: what cannot be read first, then the oldest first."""
        found = [each for address in self._book.units.values() for each in await self._listed_at(address)]
        unreadable = [each for each in found if isinstance(each, Unreadable)]
        return [*unreadable, *sorted({each for each in found if isinstance(each, reading.Listed)})]

    async def _listed_at(self, address: str) -> Iterable[reading.Listed | Unreadable]:
        query = f"{quote(FILTER, safe='')}={quote(address, safe='')}"
        response = await self._sender.request("GET", f"{self._path}?{query}", headers=_HEADERS, at_most=LARGEST)
        if _says_that_nothing_is_there(response):
            return ()
        found = reading.listed(response.content, address) if response.status_code == httpx.codes.OK else None
        if found is None:
            raise Unavailable(f"the message service does not list messages: HTTP {response.status_code}")
        return found

    async def _fetched(self, id: str) -> ReceivedMessage | Unreadable | None:
        """``None``: it is there no more. Raises ``Unavailable``."""
        try:
            response = await self._get(id)
        except TooMuch:
            return Unreadable(id, "the message is larger than the interface allows")
        status = response.status_code
        if status == httpx.codes.NOT_FOUND:
            return None
        if status == httpx.codes.OK:
            return reading.message(response.content, id, self._book)
        if response.is_client_error and status not in _PASSING:
            return Unreadable(id, f"the message service does not hand out the message: HTTP {status}")
        raise Unavailable(f"HTTP {status}")

    # Both

    async def _get(self, id: str) -> httpx.Response:
        return await self._sender.request("GET", self._one(id), headers=_HEADERS, at_most=LARGEST)

    def _one(self, id: str) -> str:
        return f"{self._path}/{quote(id, safe='')}"


def _unanswered(reason: Unavailable) -> DeliveryOutcome:
    if isinstance(reason, ClientRefused):
        return RouteBroken(str(reason))
    return Transient(str(reason)) if isinstance(reason, NotReached) else OutcomeUnknown(str(reason))


def _says_that_nothing_is_there(response: httpx.Response) -> bool:
    """A problem document: any other 404 is of a wrong address, behind which messages may lie."""
    media = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return response.status_code == httpx.codes.NOT_FOUND and media == wire.PROBLEM


def build(settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> Sdk:
    """The channel and mailbox; tests and the mock world give it a transport of their own."""
    sender = AuthorizedSender(settings, wire.SCOPES, clock, transport)
    return Sdk(settings, settings.book(), clock, sender)
