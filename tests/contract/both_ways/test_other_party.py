"""The other direction of SDK: what another party answers, through the mock's control, keeps the interface and is read by us as
what it is (sdk.md)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mocking import Level, Validation
from adapters.mocking.validation import wrong
from adapters.registry import CHANNELS
from adapters.sdk.adapter import Sdk, build
from adapters.sdk.mock_model import Many, One
from adapters.sdk.settings import Settings
from contracts.dialogue import PartyMessage, ReceivedMessage
from contracts.errors import NotFound
from contracts.identity import PersonId
from contracts.outbox import Delivered
from fhir_mappings.wording import clean
from service.clock import MovableClock
from service.mock_world import MockWorld
from tests.contract.both_ways.line import Line
from tests.contract.both_ways.messages import MESSAGES
from tests.contract.test_channels import SAMPLES, claim_of

TO_SDK: Final = next(each for each in MESSAGES if each.name == "care to sdk")
PATIENT: Final = PersonId("191201019807")


@dataclass(frozen=True, slots=True)
class Both:
    """Our mailbox, and the other party's client: the control surface."""

    line: Line
    ours: Sdk
    theirs: httpx.AsyncClient

    async def send(self, message: PartyMessage) -> None:
        claim = claim_of(next(each for each in CHANNELS if each.name == "sdk"))
        sent = replace(claim, message=replace(claim.message, payload=message))
        assert isinstance(await self.ours.send(sent), Delivered)

    async def answer(self, id: str, **said: str) -> httpx.Response:
        return await self.theirs.post(f"/_control/message_service/{id}/answers", json=said)

    async def found(self) -> list[Any]:
        return [each async for each in self.ours.waiting()]


@asynccontextmanager
async def both() -> AsyncIterator[Both]:
    clock = MovableClock()
    world = MockWorld(clock)
    world.counterpart("message_service").room().validation = Validation(answers=Level.STRICT)
    line = Line(httpx.ASGITransport(world.app()))
    settings = Settings.model_validate({"url": "http://mocks/message_service", **SAMPLES["sdk"].settings})
    ours = build(settings, clock, line)
    try:
        async with httpx.AsyncClient(transport=line.server, base_url="http://mocks") as theirs:
            yield Both(line, ours, theirs)
    finally:
        await ours.aclose()


words = st.text(max_size=60) | st.just("x" * 257)


@settings(max_examples=40)
@given(
    sample=st.sampled_from([each for each in TO_SDK.samples.values() if each.patient is not None]),
    said=st.fixed_dictionaries({"text": words}, optional={"label": words, "reference": words}),
)
async def test_whatever_they_answer(sample: PartyMessage, said: dict[str, str]) -> None:
    """It is refused at once, or it comes to us as it was meant: about the same person, in the same conversation."""
    ours = replace(sample, patient=PATIENT)
    async with both() as met:
        await met.send(ours)
        told = await met.answer(ours.id, **said)
        if told.status_code == 422:
            assert await met.found() == []
            return
        (found,) = await met.found()
        assert isinstance(found, ReceivedMessage)
        assert (found.id, found.answers, found.patient) == (told.json()["id"], ours.id, PATIENT)
        assert found.conversation == (ours.conversation or ours.id)
        assert (found.text, found.our_reference) == (clean(said["text"]), ours.reference)
        shown = met.line.answers[-1]
        assert wrong(One, shown.content) == ()


async def test_whatever_we_call_and_whatever_is_answered_keeps_the_interface() -> None:
    """Sending, listing, fetching, asking what became of ours, removing; and what is not there."""
    ours = replace(next(iter(TO_SDK.samples.values())), patient=PATIENT)
    async with both() as met:
        await met.send(ours)
        theirs = (await met.answer(ours.id, text="Ja.")).json()["id"]
        await met.found()
        await met.ours.arrival(ours.id)
        await met.ours.put_away(theirs)
        with suppress(NotFound):
            await met.ours.arrival(theirs)
        calls = zip(met.line.requests, met.line.answers, strict=True)
        told = [_judged(request, answer) for request, answer in calls]
    assert {name for name, _ in told} == {"send", "list", "fetch", "remove", "nothing there"}
    assert [wrong for _, wrong in told if wrong] == []


def _judged(request: httpx.Request, answer: httpx.Response) -> tuple[str, list[str]]:
    """Which call it is, and everything that is wrong with it or with its answer."""
    inside = request.url.path.removeprefix("/message_service/v1/sdk/messages")
    call, model, status = CALLS[request.method, bool(inside)]
    wrong_headers = [name for name in ("Authorization", "Accept") if not request.headers.get(name)]
    wrong_id = [] if not inside or str(UUID(inside[1:])) == inside[1:] else ["the id"]
    wrong_filter = [name for name in request.url.params if name not in FILTERS]
    if answer.status_code == 404:
        problem = answer.headers["Content-Type"] == "application/problem+json" and answer.json()["status"] == 404
        return "nothing there", [*wrong_headers, *wrong_id, *([] if problem else ["the problem"])]
    wrong_answer = list(wrong(model, answer.content)) if model else []
    wrong_status = [] if answer.status_code == status else ["the status"]
    return call, [*wrong_headers, *wrong_id, *wrong_filter, *wrong_answer, *wrong_status]


CALLS: Final[Mapping[tuple[str, bool], tuple[str, Any, int]]] = {
    ("POST", False): ("send", One, 201),
    ("GET", False): ("list", Many, 200),
    ("GET", True): ("fetch", One, 200),
    ("DELETE", True): ("remove", None, 202),
}
FILTERS: Final = {
    f"filter[{name}]"
    for name in (
        "messageStatus",
        "creationDateTime",
        "recipientAttention.subOrganization.extension",
        "senderAttention.subOrganization.extension",
    )
}
"""sdk.md, the four calls."""
