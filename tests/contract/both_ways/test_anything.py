"""Whatever a side is given to say, it says by the contract or not at all; whatever comes to a side, it answers by the contract."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.forsakringskassan.mock_officer import Complement, Step
from contracts.consent import InformationCategory
from contracts.dialogue import MessagePart, PartyMessage
from tests.contract.both_ways import bad
from tests.contract.both_ways.meeting import GOOD, Direction, Meaning
from tests.contract.both_ways.messages import MESSAGES, TO_CARE
from tests.contract.both_ways.test_refused import SOAP

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

PARTIES: Final = [each for each in MESSAGES if isinstance(each.sample, PartyMessage)]
words = st.text(max_size=60)
said = words.filter(str.strip)


@st.composite
def party_messages(draw: st.DrawFn, known: PartyMessage) -> PartyMessage:
    """The same with other words, names, references and times."""
    told: Any = {name: draw(words) for name in _TEXTS}
    unit = replace(known.sender.unit, **told)
    parts = [MessagePart(draw(st.sampled_from(_CATEGORIES)), draw(said)) for _ in range(draw(st.integers(1, 3)))]
    return replace(
        known,
        sender=replace(known.sender, unit=unit, name=draw(words)),
        parts=tuple(parts),
        reference=draw(words),
        created=draw(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001 - as hypothesis wants them
    )


_TEXTS: Final = ("name", "provider_name", "address", "postal_code", "city", "telephone", "workplace_code")
_CATEGORIES: Final = sorted(
    set(InformationCategory) - {InformationCategory.SENSITIVE_CIRCUMSTANCES, InformationCategory.CERTIFICATE_DOCUMENT}
)


@pytest.mark.parametrize("direction", PARTIES, ids=lambda each: each.name)
@settings(max_examples=40)
@given(data=st.data())
async def test_whatever_a_unit_writes(house: "Flow", direction: Direction, data: st.DataObject) -> None:
    """It leaves valid and is taken, or it does not leave and is refused for good."""
    message = data.draw(party_messages(direction.sample))
    async with direction.meet(house) as met:
        told = await met.ask(message)
        assert told is (Meaning.DELIVERED if met.line.requests else Meaning.REFUSED)
        for request in met.line.requests:
            assert direction.contract.wrong_request(request) == []


steps = st.builds(
    Step,
    text=words,
    answers=st.booleans(),
    subject=st.sampled_from(["", "AVSTMN", "KONTKT", "OVRIGT", "KOMPLT", "PAMINN"]),
    answer_within=st.none() | st.integers(0, 10_000),
    complements=st.lists(st.builds(Complement, question=st.from_regex(r"\A[0-9]{1,4}\Z"), text=words), max_size=2).map(
        tuple
    ),
)


@settings(max_examples=30)
@given(step=steps)
async def test_whatever_the_officer_writes(house: "Flow", step: Step) -> None:
    """It leaves valid; and care takes it, or refuses it by a rule, and the officer knows which."""
    async with TO_CARE.meet(house) as met:
        told = await met.ask((step,))
        (request,), (answer,) = met.line.requests, met.line.answers
        assert TO_CARE.contract.wrong_request(request) == []
        assert TO_CARE.contract.wrong_answer(answer) == []
        assert (told, await met.kept()) in ((Meaning.DELIVERED, 1), (Meaning.REFUSED, 0))


pieces: Final = st.binary(max_size=6) | st.sampled_from([b"<", b"</x>", b"&", b'"', "å".encode(), b"\x00", b"<!--"])


@pytest.mark.parametrize("direction", SOAP, ids=lambda each: each.name)
@settings(max_examples=30)
@given(at=st.floats(0, 0.999), length=st.integers(0, 20), piece=pieces)
async def test_whatever_is_changed_in_a_request(
    house: "Flow", direction: Direction, at: float, length: int, piece: bytes
) -> None:
    """The answer is of the contract, and nothing is taken that the contract refuses."""

    def changed(body: bytes) -> bytes:
        start = int(at * len(body))
        return body[:start] + piece + body[start + length :]

    async with direction.meet(house) as met:
        met.line.alter = bad.body(changed)
        told = await met.ask(direction.sample)
        (request,), (answer,) = met.line.requests, met.line.answers
        assert answer.status_code == 403 or direction.contract.wrong_answer(answer) == []
        if told in GOOD:
            assert direction.contract.request(changed(request.content)) == ()
