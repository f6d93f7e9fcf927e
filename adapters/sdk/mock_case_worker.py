"""A party's case worker (``adapters.mocking.casework``), who writes to care through the message service.

What it writes lies there for the function that wrote to it, as any message does; it stands in the party's ledger as ``out``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from adapters.mocking.casework import Carried, Case, CaseWorker, Orders, Sent
from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.ledger import Entry
from adapters.mocking.validation import wrong
from adapters.sdk import mock_letter
from adapters.sdk.mock import Service
from adapters.sdk.mock_model import Answerable, Body
from adapters.sdk.mock_parties import Party, Step
from adapters.sdk.mock_party_rules import Incoming
from adapters.sdk.settings import PATH
from contracts.time import swedish_day

_NO_ONE: Final = "the message does not say whom to answer"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to care. ``attributes`` are those of the message service; empty where there is nobody to write to."""

    id: str
    sent: datetime
    subject: str
    answer_to: str
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)


class PartyWorker(CaseWorker[Incoming, Step, Letter, Orders]):
    """The case worker of a party."""

    again_after = timedelta(minutes=12)
    twice_after = timedelta(minutes=12)
    """By then care may have put away the first, which the message service would have recognised."""

    def __init__(self, counterpart: Counterpart, party: Party, message_service: Counterpart) -> None:
        super().__init__(counterpart, party.title, party.scripts, Orders())
        self._party = party
        self._message_service = message_service

    def about(self, question: Incoming) -> dict[str, Any]:
        """See ``CaseWorker.about``."""
        sender = question.envelope.get("sender", "")
        return {"conversation": question.conversation, "function": question.function, "from": sender}

    def _written(
        self, case: Case[Incoming, Letter], id: str, step: Step, reminded: Sent[Letter] | None, at: datetime
    ) -> Letter:
        asked = case.question
        text = step.text
        if step.answer_within is not None:
            text += f"\n\nSvar önskas senast {swedish_day(at) + timedelta(days=step.answer_within)}."
        subject = step.label or asked.subject
        reference = f"{self._party.reference}-{case.number}"
        letter = Letter(id, at, subject, asked.id if step.answers else "")
        if wrong(Answerable, orjson.dumps(asked.envelope)):
            return letter
        attributes = mock_letter.written(
            asked.envelope,
            id,
            text,
            label=subject,
            reference=reference,
            answers=step.answers,
            files=step.files,
            at=at,
        )
        return replace(letter, attributes=attributes)

    async def _carried(self, room: Room, letter: Letter, at: datetime) -> Carried:
        if not letter.attributes:
            return Carried(_entry(letter, at, b"", _NO_ONE), _NO_ONE, again=False)
        service = self._message_service.room(room.namespace)
        body = orjson.dumps({"data": {"type": "messages", "attributes": letter.attributes}})
        if letter.id in service.remembered("messages"):
            # It is there, which is what was wanted: the message service knows its duplicates.
            return Carried(_entry(letter, at, body), "MESSAGE_ID_NOT_UNIQUE")
        Service(self._message_service).keep(service, dict(letter.attributes), at=at)
        return Carried(_entry(letter, at, body), "NEW")


def _entry(letter: Letter, at: datetime, body: bytes, failed: str = "") -> Entry:
    return Entry(
        at=at,
        id=letter.id,
        accepted=not failed,
        raw=body,
        report=(failed,) if failed else wrong(Body, body),
        summary={"label": letter.subject},
        direction="out",
        method="POST",
        path=PATH,
        size=len(body),
        status=0 if failed else 201,
    )
