"""Who sends messages to whom: each channel of the registry to its mock, and Försäkringskassan's officer to our own service."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import httpx

from adapters.forsakringskassan import inbound
from adapters.forsakringskassan import mock as recipient
from adapters.forsakringskassan.mock_officer import SCRIPTS, Complement, Officer, Orders, Step
from adapters.forsakringskassan.wire import SUBJECTS
from adapters.mocking import Counterpart
from adapters.mocking.courier import Courier
from adapters.registry import CHANNELS, Adapter, OpenChannel
from contracts.consent import InformationCategory
from contracts.dialogue import OURS, Attachment, MessagePart, NextStep, PartyMessage, Topic
from contracts.identity import PersonId, control_digit
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    EventType,
    OutcomeUnknown,
    RecordEvent,
    RefusedForGood,
    RouteBroken,
    Transient,
)
from tests.contract.both_ways.judges import CONTRACTS
from tests.contract.both_ways.line import TROUBLES, UNREADABLE, Line
from tests.contract.both_ways.meeting import Direction, Meaning, Meeting
from tests.contract.test_channels import CERTIFICATE, NOW, SAMPLES, UNIT, claim_of, open_channel

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

# ---- Care asks: a channel, and the mock of whom it is to -----------------------------------------------------------

_MEANS: Final[Mapping[type[DeliveryOutcome], Meaning]] = {
    Delivered: Meaning.DELIVERED,
    Transient: Meaning.AGAIN,
    OutcomeUnknown: Meaning.AGAIN,
    RefusedForGood: Meaning.REFUSED,
    RouteBroken: Meaning.ROUTE,
}
ODD: Final = "Åsa <b>&amp; ]]> \u2028\U0001f600 \x0b\r\n\t\"'"
"""What breaks whoever writes bytes by hand."""
ASKED: Final = "0b9a6c1e-0000-4c36-9e15-3b1f6d2a9c40"
"""A question of the other party's that an answer of ours answers."""
COORDINATED: Final = PersonId(f"19800161980{control_digit('800161980')}")
"""A samordningsnummer."""
_OF_COORDINATED: Final = "intyg-samordning"


def _party_message(channel: str) -> PartyMessage:
    payload = SAMPLES[channel].payload
    assert isinstance(payload, PartyMessage)
    return payload


def _to_fk() -> dict[str, PartyMessage]:
    usual = _party_message("forsakringskassan")
    unit = replace(usual.sender.unit, name=ODD, address="Vägen 1", city="Ö", telephone="010-0", workplace_code="17")
    sender = replace(usual.sender, name=ODD, unit=unit)
    contact = MessagePart(InformationCategory.CONTACT_DETAILS, ODD)
    answer = replace(usual, topic=Topic.CONTACT, answers=ASKED)
    return {
        **{str(topic): replace(usual, topic=topic) for topic in SUBJECTS},
        "odd characters": replace(usual, sender=sender, parts=(*usual.parts, contact)),
        "a long text": replace(usual, parts=(replace(usual.parts[0], text="Å" * 100_000),)),
        "a wish and a consent": replace(usual, wanted=NextStep.MEETING, consent_given=date(2026, 5, 1)),
        "an answer": answer,
        "an answer with references": replace(answer, reference="R-1 å", their_reference="FK-7"),
        "a samordningsnummer": replace(usual, patient=COORDINATED, certificate=_OF_COORDINATED),
    }


def _to_sdk() -> dict[str, PartyMessage]:
    usual = _party_message("sdk")
    file = Attachment("intyg å.pdf", "application/pdf", bytes(range(256)))
    answer = replace(usual, answers=ASKED, conversation=ASKED)
    return {
        **{str(topic): replace(usual, topic=topic) for topic in sorted(OURS)},
        "odd characters": replace(usual, parts=(MessagePart(InformationCategory.CONTACT_DETAILS, ODD),)),
        "files": replace(usual, attachments=(file, replace(file, content=b""))),
        "an answer": answer,
        "an answer of nobody": replace(answer, patient=None),
        "an answer to another channel's": replace(answer, answers="fråga-1", their_reference="AF-1"),
        "a certificate for Försäkringskassan": replace(
            usual, recipient=_party_message("forsakringskassan").recipient, certificate=CERTIFICATE, reference="R-1"
        ),
    }


def _to_platform() -> dict[str, RecordEvent]:
    coded = SAMPLES["regional_platform"].payload
    assert isinstance(coded, RecordEvent)
    lines = coded.data.replace("\n", "")
    gone = (
        '{"resourceType": "Procedure", "id": "a-1", "status": "entered-in-error", "subject": {"reference": "Patient/p-1"},'
        ' "meta": {"versionId": "2", "lastUpdated": "2026-05-04T08:29:59Z"}}'
    )
    return {
        "coded": replace(coded, data=lines),
        "retracted": replace(coded, type=EventType.ACTIVITY_RETRACTED, sequence=2, data=gone),
    }


_SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "forsakringskassan": _to_fk(),
    "sdk": _to_sdk(),
    "regional_platform": _to_platform(),
    "ehr": {"a coded activity": SAMPLES["ehr"].payload},
}


@asynccontextmanager
async def _channel(adapter: Adapter[OpenChannel], _: "Flow") -> AsyncIterator[Meeting]:
    counterpart = Counterpart(adapter.name, lambda: NOW)
    SAMPLES[adapter.name].prepare(counterpart)
    if adapter.name == "forsakringskassan":
        known = recipient.CertificateAtRecipient(_OF_COORDINATED, COORDINATED.digits, UNIT.value)
        recipient.register(counterpart, [known])
        recipient.ask(counterpart, ASKED, "KONTKT")
    line = Line(httpx.ASGITransport(adapter.mock(counterpart)))
    said: list[Claim] = [claim_of(adapter)]

    async def ask(sample: Any) -> Meaning:
        claim = claim_of(adapter)
        said[0] = replace(claim, message=replace(claim.message, payload=sample))
        return _MEANS[type(await channel.send(said[0]))]

    async def again() -> Meaning:
        said[0] = replace(said[0], attempt=said[0].attempt + 1)
        return _MEANS[type(await channel.send(said[0]))]

    async def kept() -> int:
        return len(counterpart.room().ledger.accepted_ids())

    async with open_channel(adapter, line) as channel:
        yield Meeting(line, ask, again, kept, counterpart.room().order, (ASKED, "KONTKT"))


# ---- Försäkringskassan asks: the officer, and our service ----------------------------------------------------------


@asynccontextmanager
async def _officer(flow: "Flow") -> AsyncIterator[Meeting]:
    """The officer has a case: something that the service has told, delivered by its own relay."""
    line = Line(httpx.ASGITransport(flow.app))
    counterpart = flow.world.counterparts["forsakringskassan"]
    counterpart.around.courier = Courier(line)
    officer, room = Officer(counterpart), counterpart.room()
    officer.instruct(Orders(deliver_to=f"http://reko/soap{inbound.PATH}", token="token-of-platform"))
    person = await flow.consenting("fk")
    about = await flow.request(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    await flow.until(about, "delivered")
    case = officer.cases(room)[-1]

    def last() -> Meaning:
        if case.sent[-1].state == "delivered":
            return Meaning.DELIVERED
        return Meaning.AGAIN if flow.world.agenda.waiting(room.namespace) else Meaning.REFUSED

    async def ask(steps: tuple[Step, ...]) -> Meaning:
        for step in steps:
            await officer.send(room, case, step)
        return last()

    async def again() -> Meaning:
        await flow.world.move(advance=AGAIN_AFTER)
        return last()

    async def kept() -> int:
        found = await flow.coordinator.get("/fhir/Communication", params={"patient": person.id, "_count": 100})
        return sum("received" in entry["resource"] for entry in found.json().get("entry", []))

    try:
        yield Meeting(line, ask, again, kept, lambda _: None, (case.question.id, case.question.subject))
    finally:
        flow.world.agenda.forget(room.namespace)


AGAIN_AFTER: Final = timedelta(hours=1)
FIRST: Final = 1000
"""The officer's number of the first message by hand."""


def _by_hand(step: Step) -> Step:
    return step.model_copy(update={"reminds": FIRST - 1 + step.reminds} if step.reminds else {})


_OFFICERS: Final[Mapping[str, tuple[Step, ...]]] = {
    "a question": (Step(text="Vem kan vi kontakta?", subject="KONTKT"),),
    **{f"script {name}": tuple(map(_by_hand, each.steps)) for name, each in SCRIPTS.items() if each.steps},
    **{f"a question {code}": (Step(text="Fråga", subject=code),) for code in ("AVSTMN", "OVRIGT")},
    "an answer": (Step(text=ODD.replace("\x0b", ""), answers=True),),
    "a last day": (Step(text="Svara.", subject="KONTKT", answer_within=0),),
    "complements": (
        Step(
            text="Komplettera.",
            subject="KOMPLT",
            complements=(Complement(question="35", text="Mer å"), Complement(question="26", text="")),
        ),
    ),
    "a reminder of a question by hand": (Step(text="Fråga", subject="KONTKT"), Step(text="Påminnelse", reminds=FIRST)),
    "a long text": (Step(text="Å" * 100_000, subject="OVRIGT"),),
}

# ---- The table -----------------------------------------------------------------------------------------------------

_CONTRACT_OF: Final = {
    "forsakringskassan": "SendMessageToRecipient",
    "sdk": "MT-MK",
    "regional_platform": "CloudEvents",
    "ehr": "FHIR R4",
}
_SAID_AGAIN: Final = {
    "forsakringskassan": b"MEDDELANDE_ID_NOT_UNIQUE_ERROR",
    "sdk": b"MESSAGE_ID_NOT_UNIQUE",
    "regional_platform": b'"duplicate":true',
    "ehr": b'"versionId":"1"',
}
_PARKED: Final = dict.fromkeys(UNREADABLE, Meaning.REFUSED)
_UNREADABLE: Final = {
    "forsakringskassan": _PARKED,
    "ehr": _PARKED,
    # CloudEvents defines no body: any success is one, but for a page that somebody in between puts up.
    "regional_platform": dict.fromkeys(UNREADABLE - {"a web page"}, Meaning.DELIVERED),
}


def _of(adapter: Adapter[OpenChannel]) -> Direction:
    name = adapter.name
    meet: Any = partial(_channel, adapter)
    return Direction(
        f"care to {name}",
        CONTRACTS[_CONTRACT_OF[name]],
        meet,
        _SAMPLES[name],
        _SAID_AGAIN[name],
        _UNREADABLE.get(name, {}),
    )


def _open_officer(flow: "Flow") -> AbstractAsyncContextManager[Meeting]:
    return _officer(flow)


TO_CARE: Final = Direction(
    "Försäkringskassan to care", CONTRACTS["SendMessageToCare"], _open_officer, _OFFICERS, b">INFO<"
)
MESSAGES: Final = (*map(_of, CHANNELS), TO_CARE)
EVERY_TROUBLE: Final = [(each, name) for each in MESSAGES for name in TROUBLES]
