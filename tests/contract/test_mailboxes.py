"""One suite for the port ``Mailbox``, over every mailbox of the registry, each against its own mock in-process.

To add a mailbox here: how another party posts to it, and what it is built with, in ``SAMPLES``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mocking import Counterpart, Fault, Level, Validation
from adapters.mocking.faults import CATALOGUE, NamedFault
from adapters.registry import MAILBOXES, Adapter, OpenMailbox
from contracts.consent import Purpose, Question, Recipient, RecipientKind
from contracts.dialogue import Arrival, PartyMessage, ReceivedMessage, Topic, Unreadable
from contracts.errors import NotFound, Unavailable
from contracts.identity import ARBETSFORMEDLINGEN, HsaId
from contracts.outbox import Claim, Delivered, OutboxMessage
from service.clock import MovableClock
from tests.contract.test_channels import SAMPLES as CHANNEL_SAMPLES

NOW: Final = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
UNIT: Final = HsaId("SE2321000016-1001")
AF: Final = Recipient(RecipientKind.ARBETSFORMEDLINGEN, ARBETSFORMEDLINGEN.value, "Arbetsförmedlingen")
A, B, C = (f"0b9a6c1e-0000-4c36-9e15-3b1f6d2a9c4{n}" for n in range(3))
NUMBER: Final = "198507219817"
EKEN: Final = "sdk:inkorg:0203:region.example:eken"
FOR_OTHERS: Final = "sdk:inkorg:0203:region.example:personalavdelningen"
Found = ReceivedMessage | Unreadable


@dataclass(frozen=True, slots=True)
class Sample:
    """``letter`` makes the request with which Arbetsförmedlingen answers a message of ours, to a function of ours or of others,
    with a number of the person that may be wrong. ``settings``: what the mailbox is built with beside its URL."""

    letter: Callable[[str, str, str], httpx.Request]
    settings: Mapping[str, Any] = field(default_factory=dict)


def _sdk_letter(id: str, to: str, number: str) -> httpx.Request:
    root = "urn:riv:infrastructure:messaging:functionalAddress"
    attributes = {
        "confidentiality": True,
        "label": "Kontakt",
        "sender": "0203:af.example",
        "recipient": "0203:region.example",
        "senderAttention": {"subOrganization": {"root": root, "extension": "sdk:inkorg:0203:af.example"}},
        "recipientAttention": {
            "subOrganization": {"root": root, "extension": to},
            "referenceId": [{"root": "1.2.752.129.2.1.3.1", "extension": number}],
        },
        "messageId": id,
        "creationDateTime": f"2026-05-04T08:30:0{id[-1]}Z",
        "conversationId": C,
        "refToMessageId": C,
        "digitalDocument": [{"documentId": "1", "contentTextBody": [f"Meddelande {id[-1]}."]}],
    }
    content = {"data": {"type": "messages", "attributes": attributes}}
    headers = {"Authorization": "Bearer af"}
    return httpx.Request("POST", "http://counterpart.example/v1/sdk/messages", json=content, headers=headers)


SAMPLES: Final[Mapping[str, Sample]] = {
    "sdk": Sample(_sdk_letter, CHANNEL_SAMPLES["sdk"].settings),
}
every_mailbox = pytest.mark.parametrize("adapter", MAILBOXES, ids=lambda adapter: adapter.name)


@dataclass
class Post:
    """A mailbox with the counterpart at its other end, and the time."""

    adapter: Adapter[OpenMailbox]
    clock: MovableClock
    counterpart: Counterpart
    transport: httpx.AsyncBaseTransport
    mailbox: OpenMailbox
    sequence: int = 0

    async def other_party_posts(self, *ids: str, to: str = EKEN, number: str = NUMBER) -> None:
        for id in ids:
            answer = await self.transport.handle_async_request(SAMPLES[self.adapter.name].letter(id, to, number))
            assert answer.status_code < 300, await answer.aread()
            await self.moves(timedelta(seconds=1))

    async def we_post(self, *faults: Fault) -> str:
        """Ours; its id."""
        self.order(*faults)
        self.sequence += 1
        payload = CHANNEL_SAMPLES[self.adapter.name].payload
        id = f"5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c4{self.sequence}"
        question = Question("p-1", UNIT, AF, frozenset(), Purpose.COORDINATION, NOW)
        assert isinstance(payload, PartyMessage)
        own = replace(payload, id=id)
        message = OutboxMessage("m-1", self.adapter.name, "CommunicationRequest/1", question, own)
        assert isinstance(await self.mailbox.send(Claim(message, 1, 1)), Delivered)
        return id

    def order(self, *faults: Fault) -> None:
        self.counterpart.room().order(list(faults))

    async def moves(self, by: timedelta) -> None:
        self.clock.advance(by)
        await self.counterpart.around.agenda.run_due()

    async def found(self) -> Sequence[Found]:
        return [each async for each in self.mailbox.waiting()]

    async def ids(self) -> list[str]:
        return [each.id for each in await self.found()]

    async def restart(self) -> None:
        """The process dies, and another one begins."""
        await self.mailbox.aclose()
        self.mailbox = built(self.adapter, self.clock, self.transport)


def built(adapter: Adapter[OpenMailbox], clock: MovableClock, transport: httpx.AsyncBaseTransport) -> OpenMailbox:
    settings = adapter.settings().model_validate(
        {"url": "http://counterpart.example", **SAMPLES[adapter.name].settings}
    )
    return adapter.build(settings, clock, transport)


@asynccontextmanager
async def opened(adapter: Adapter[OpenMailbox]) -> AsyncIterator[Post]:
    clock = MovableClock()
    clock.move_to(NOW)
    counterpart = Counterpart(adapter.prefix, clock.now)
    transport = httpx.ASGITransport(adapter.mock(counterpart))
    post = Post(adapter, clock, counterpart, transport, built(adapter, clock, transport))
    try:
        yield post
    finally:
        await post.mailbox.aclose()


@pytest.fixture
async def post(adapter: Adapter[OpenMailbox]) -> AsyncIterator[Post]:
    async with opened(adapter) as post:
        yield post


def test_every_mailbox_has_a_sample() -> None:
    assert SAMPLES.keys() == {adapter.name for adapter in MAILBOXES}


@every_mailbox
async def test_an_empty_mailbox(post: Post) -> None:
    assert await post.found() == []


@every_mailbox
async def test_what_the_other_party_wrote(post: Post, adapter: Adapter[OpenMailbox]) -> None:
    await post.other_party_posts(A)
    (found,) = await post.found()
    assert isinstance(found, ReceivedMessage)
    assert (found.id, found.channel, found.sender, found.unit) == (A, adapter.name, AF, UNIT)
    assert (found.topic, found.text, found.answers, found.conversation) == (Topic.CONTACT, "Meddelande 0.", C, C)
    assert (found.sent, found.patient and found.patient.digits) == (NOW, NUMBER)


@every_mailbox
async def test_the_oldest_first_and_again_until_put_away(post: Post) -> None:
    await post.other_party_posts(A, B)
    assert [await post.ids() for _ in range(2)] == [[A, B], [A, B]]
    await post.mailbox.put_away(A)
    assert await post.ids() == [B]


@every_mailbox
async def test_what_is_for_others_is_not_fetched(post: Post) -> None:
    await post.other_party_posts(A, to=FOR_OTHERS)
    assert await post.found() == []


@every_mailbox
async def test_our_own_is_not_fetched(post: Post) -> None:
    await post.we_post()
    assert await post.found() == []


@every_mailbox
async def test_one_that_cannot_be_read_stays_and_stops_no_other(post: Post) -> None:
    await post.other_party_posts(A)
    await post.other_party_posts(B, number="198507229819")
    await post.other_party_posts(C)
    for _ in range(2):
        found = await post.found()
        assert [each.id for each in found if isinstance(each, ReceivedMessage)] == [A, C]
        (unreadable,) = [each for each in found if isinstance(each, Unreadable)]
        assert unreadable.id == B
        assert "1985" not in unreadable.reason


@every_mailbox
async def test_nothing_is_lost_when_the_process_dies(post: Post) -> None:
    """Between fetching and keeping, and between keeping and putting away: it comes again, under its id."""
    await post.other_party_posts(A, B)
    async with aclosing(post.mailbox.waiting()) as waiting:  # type: ignore[type-var]
        assert (await anext(waiting)).id == A
    await post.restart()
    assert await post.ids() == [A, B]
    await post.restart()
    await post.mailbox.put_away(A)
    assert await post.ids() == [B]


@every_mailbox
@pytest.mark.parametrize("minutes", [0, 2, 11])
async def test_put_away_is_put_away_in_every_state(post: Post, minutes: int) -> None:
    """Whether or not the service lets it go then."""
    await post.other_party_posts(A, B)
    await post.moves(timedelta(minutes=minutes))
    assert await post.ids() == [A, B]
    await post.mailbox.put_away(A)
    await post.mailbox.put_away(A)
    assert await post.ids() == [B]


@every_mailbox
async def test_a_message_lies_there_however_long(post: Post) -> None:
    await post.other_party_posts(A)
    await post.moves(timedelta(days=30))
    assert await post.ids() == [A]


@every_mailbox
@pytest.mark.parametrize("name", sorted(name for name, row in CATALOGUE.items() if row.fault))
@pytest.mark.parametrize("calls_before", [0, 2, 3])
async def test_whatever_goes_wrong_everything_comes_in_the_end(post: Post, name: str, calls_before: int) -> None:
    """A round under a named fault says that it was not whole, or brings everything; and the next one brings everything."""
    fault = NamedFault(name=name, seconds=0).fault()
    if fault.kind not in post.counterpart.plays:
        return
    await post.other_party_posts(A, B)
    post.order(*[Fault(kind="delay", seconds=0)] * calls_before, fault)
    came: list[Found] = []
    try:
        async for each in post.mailbox.waiting():
            came.append(each)  # noqa: PERF401 - what comes before it fails counts
    except Unavailable:
        assert len(came) < 2
    else:
        assert [each.id for each in came] in ([A, B], [A], [B]), "one that is gone meanwhile is no fault"
    post.order()
    assert [each.id for each in await post.found() if isinstance(each, ReceivedMessage)] == [A, B]


@every_mailbox
@pytest.mark.parametrize("name", ["http-401", "http-403", "http-500", "http-503", "loses-the-answer", "soap-fault"])
async def test_what_could_not_be_put_away_is_told(post: Post, name: str) -> None:
    await post.other_party_posts(A)
    post.order(NamedFault(name=name, seconds=0).fault())
    with pytest.raises(Unavailable):
        await post.mailbox.put_away(A)
    await post.mailbox.put_away(A)
    assert await post.found() == []


@every_mailbox
@pytest.mark.parametrize(
    ("fate", "expected"),
    [("", Arrival.ARRIVED), ("rejected-later", Arrival.REFUSED), ("never-arrives", Arrival.FAILED)],
)
async def test_what_becomes_of_ours(post: Post, fate: str, expected: Arrival) -> None:
    id = await post.we_post(*([NamedFault(name=fate).fault()] if fate else []))
    told = [await post.mailbox.arrival(id)]
    for minutes in (1, 9):
        await post.moves(timedelta(minutes=minutes))
        told.append(await post.mailbox.arrival(id))
    assert told == [Arrival.UNDER_WAY, Arrival.UNDER_WAY, expected]


@every_mailbox
async def test_what_became_of_what_was_never_sent_is_not_told(post: Post) -> None:
    with pytest.raises(NotFound):
        await post.mailbox.arrival(A)


@every_mailbox
async def test_both_sides_keep_the_contract(post: Post) -> None:
    """What the mock answers is judged strictly."""
    post.counterpart.room().validation = Validation(answers=Level.STRICT)
    id = await post.we_post()
    await post.other_party_posts(A)
    assert await post.ids() == [A]
    assert await post.mailbox.arrival(id) is Arrival.UNDER_WAY
    await post.mailbox.put_away(A)
    assert [(entry.report, entry.rule) for entry in post.counterpart.room().ledger.entries] == [((), "")] * 3


bodies = st.binary(max_size=200) | st.sampled_from(
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{" * 5000,
        b"[" * 5000,
        b'{"data": []}',
        b'{"data": [1, {}]}',
        b'{"data": {"id": "x"}}',
    ]
)


@every_mailbox
@given(status=st.integers(200, 599), body=bodies, media=st.sampled_from(["", "application/problem+json", "text/html"]))
def test_no_answer_makes_it_raise_anything_else(
    adapter: Adapter[OpenMailbox], status: int, body: bytes, media: str
) -> None:
    async def everything() -> None:
        answer = httpx.Response(status, content=body, headers={"Content-Type": media})
        mailbox = built(adapter, MovableClock(), httpx.MockTransport(lambda _: answer))
        with suppress(Unavailable):
            for each in [each async for each in mailbox.waiting()]:
                assert isinstance(each, ReceivedMessage | Unreadable)
        for deed in (mailbox.put_away(A), mailbox.arrival(A)):
            with suppress(Unavailable, NotFound):
                await deed
        await mailbox.aclose()

    asyncio.run(everything())
