"""Försäkringskassan's officer: takes up what care asks, and follows a script on the world's clock, or is played by hand.

Scripts are data: ``officer_scripts.toml``. What the officer sends stands in the counterpart's ledger as ``out``. A message
that does not arrive is sent again an hour later, three times, with the same id.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from adapters import soap
from adapters.forsakringskassan import inbound, mock_letter
from adapters.forsakringskassan.mock_letter import Letter
from adapters.forsakringskassan.mock_rules import Incoming
from adapters.mocking import NAMESPACE_HEADER, Counterpart, Entry, Room
from adapters.mocking.courier import Reply
from adapters.mocking.faults import Twist
from adapters.mocking.ledger import KEPT_OF_ANSWER, masked
from adapters.mocking.people import PEOPLE
from contracts.time import swedish_day

TRIES: Final = 4
AGAIN_AFTER: Final = timedelta(hours=1)


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Complement(_Model):
    """A question of the certificate, by its number, and what is missing there."""

    question: str = Field(pattern=r"^\d+$")
    text: str


class Step(_Model):
    """One message of a script. ``reminds`` counts the script's steps from 1."""

    text: str = Field(repr=False)
    after: timedelta = timedelta(0)
    answers: bool = False
    subject: Literal["", "AVSTMN", "KONTKT", "OVRIGT", "KOMPLT", "PAMINN"] = ""
    answer_within: int | None = Field(default=None, ge=0)
    complements: tuple[Complement, ...] = ()
    reminds: int | None = Field(default=None, ge=1)


class Script(_Model):
    """What the officer does with a question."""

    words: str
    steps: tuple[Step, ...]


SCRIPTS: Final[Mapping[str, Script]] = TypeAdapter(dict[str, Script]).validate_python(
    tomllib.loads((Path(__file__).parent / "officer_scripts.toml").read_text(encoding="utf-8"))
)


class Orders(_Model):
    """How the officer works in a namespace. ``deliverTo``: the full address that takes SendMessageToCare; empty, and
    nothing arrives anywhere. ``token`` goes with it as a bearer token, where the receiver wants one. ``script``: what is done with a question; ``bySubject`` instead of it, by the question's
    subject. Test persons have scripts of their own."""

    deliver_to: str = Field(default="", pattern=r"^(https?://.+)?$")
    token: str = Field(default="", repr=False)
    script: str = "silence"
    by_subject: dict[str, str] = {}

    def script_for(self, incoming: Incoming) -> str:
        """The name of the script for a question. Raises ``ValueError`` for one that is not there."""
        person = PEOPLE.get(incoming.patient)
        wanted = (person.script if person else "") or self.by_subject.get(incoming.subject, self.script)
        if wanted not in SCRIPTS:
            raise ValueError(f"there is no such script; there are {', '.join(SCRIPTS)}")
        return wanted


@dataclass(slots=True)
class Sent:
    """A message of the officer's: its letter and what became of it. ``answered`` by care."""

    letter: Letter
    state: Literal["planned", "delivered", "failed", "skipped"] = "planned"
    told: str = ""
    answered: bool = False


@dataclass(slots=True)
class Case:
    """A question from care and what the officer has made of it. ``number`` counts the namespace's cases."""

    number: int
    question: Incoming
    received: datetime
    script: str
    sent: list[Sent] = field(default_factory=list)
    by_step: dict[int, Sent] = field(default_factory=dict)


class Officer:
    """The officer of a counterpart, with cases of its own in each namespace."""

    def __init__(self, counterpart: Counterpart) -> None:
        self._counterpart = counterpart

    def orders(self, room: Room) -> Orders:
        """As the namespace wants it, else as everybody does."""
        found: Orders = room.state.get("officer") or self._counterpart.room().state.get("officer") or Orders()
        return found

    def instruct(self, orders: Orders, namespace: str = "") -> None:
        """Work so from now on. Raises ``ValueError`` for a script that is not there."""
        for name in (orders.script, *orders.by_subject.values()):
            if name not in SCRIPTS:
                raise ValueError(f"there is no such script; there are {', '.join(SCRIPTS)}")
        self._counterpart.room(namespace).state["officer"] = orders

    def cases(self, room: Room) -> list[Case]:
        """What the officer has to do with, the oldest first."""
        return list(room.remembered("cases").values())

    def case(self, room: Room, number: int) -> Case | None:
        """The case of that number."""
        found: Case | None = room.remembered("cases").get(number)
        return found

    async def take_up(self, room: Room, incoming: Incoming, twist: Twist = "") -> None:
        """A message from care was accepted: a question opens a case, an answer is noted where it belongs."""
        if incoming.answer_to or incoming.reminder_of:
            self._note_answer(room, incoming.answer_to)
            return
        case = self._open(room, incoming)
        steps = list(enumerate(SCRIPTS[case.script].steps, 1))
        self._plan(room, case, steps, twist)
        if twist == "before-acknowledgement" and steps:
            await self._do(room, case, *steps[0], twist, self._counterpart.now())

    async def send(self, room: Room, case: Case, step: Step) -> Sent:
        """Send something in a case at once, by hand. The step's delay is not minded."""
        return await self._do(room, case, 1000 + len(case.sent), step, "", self._counterpart.now())

    def _open(self, room: Room, incoming: Incoming) -> Case:
        cases = room.remembered("cases")
        number = room.state["case"] = room.state.get("case", 0) + 1
        case = Case(number, incoming, self._counterpart.now(), self.orders(room).script_for(incoming))
        cases[number] = case
        return case

    def _plan(self, room: Room, case: Case, steps: Sequence[tuple[int, Step]], twist: Twist) -> None:
        """Each step at its time; ``reversed``: at the times of the script, what is last first."""
        done = steps[1:] if twist == "before-acknowledgement" else steps
        times = [step.after for _, step in done]
        ordered = done[::-1] if twist == "reversed" else done
        for after, (number, step) in zip(times, ordered, strict=True):
            deed = partial(self._do, room, case, number, step, twist)
            words = f"ärende {case.number}, steg {number}"
            self._counterpart.around.agenda.make(case.received + after, room.namespace, words, deed)

    async def _do(self, room: Room, case: Case, number: int, step: Step, twist: Twist, at: datetime) -> Sent:
        reminded = case.by_step.get(step.reminds) if step.reminds else None
        sent = Sent(_letter(case, number, step, reminded, at))
        case.sent.append(sent)
        case.by_step[number] = sent
        if reminded is not None and reminded.answered:
            sent.state, sent.told = "skipped", "care has answered"
            return sent
        for _ in range(2 if twist == "twice" else 1):
            await self._deliver(room, sent, TRIES, at)
        return sent

    async def _deliver(self, room: Room, sent: Sent, tries: int, at: datetime) -> None:
        body = mock_letter.written(sent.letter)
        headers = soap.headers(inbound.ACTION) | {NAMESPACE_HEADER: room.namespace}
        room.remembered("messages")[sent.letter.id] = sent.letter.subject
        orders = self.orders(room)
        address = orders.deliver_to
        if orders.token:
            headers["Authorization"] = f"Bearer {orders.token}"
        reply = (
            await self._counterpart.around.courier.post(address, body, headers)
            if address
            else Reply(0, trouble="no address is set")
        )
        code, told = mock_letter.result(reply.body) if reply.status else ("", reply.trouble)
        sent.state, sent.told = "delivered" if code in ("OK", "INFO") else "failed", f"{code} {told}".strip()
        self._write(room, sent, at, body, headers, reply)
        if sent.state == "failed" and address and tries > 1:
            again = partial(self._deliver, room, sent, tries - 1)
            self._counterpart.around.agenda.make(
                at + AGAIN_AFTER, room.namespace, "ny sändning av det som inte kom fram", again
            )

    def _write(self, room: Room, sent: Sent, at: datetime, body: bytes, headers: dict[str, str], reply: Reply) -> None:
        wrong = soap.errors_in(inbound.SCHEMA, reply.body) if reply.status else ()
        report = [*soap.errors_in(inbound.SCHEMA, body), *(f"answer: {line}" for line in wrong)]
        entry = Entry(
            at=at,
            id=sent.letter.id,
            accepted=sent.state == "delivered",
            raw=body,
            report=(*report, *([sent.told] if sent.state == "failed" else [])),
            summary={"subject": sent.letter.subject, "certificate": sent.letter.certificate[1]},
            direction="out",
            method="POST",
            path=inbound.PATH,
            headers=masked(headers.items()),
            size=len(body),
            status=reply.status,
            answer_headers=masked({"content-length": "", **reply.headers}.items()),
            answer=bytearray(reply.body[:KEPT_OF_ANSWER]),
        )
        self._counterpart.write(room, entry)

    def _note_answer(self, room: Room, id: str) -> None:
        for case in self.cases(room):
            for sent in case.sent:
                sent.answered |= sent.letter.id == id


def _letter(case: Case, number: int, step: Step, reminded: Sent | None, at: datetime) -> Letter:
    """The id is made of the question's own and the step's number: the same play has the same ids."""
    asked = case.question
    last_day = None if step.answer_within is None else swedish_day(at) + timedelta(days=step.answer_within)
    return Letter(
        id=str(uuid5(NAMESPACE_URL, f"{asked.id}/{number}")),
        sent=at,
        certificate=(asked.certificate_unit, asked.certificate),
        patient=(asked.patient_root, asked.patient),
        unit=asked.sender_unit,
        subject=asked.subject if step.answers else "PAMINN" if reminded else step.subject or asked.subject,
        text=step.text,
        reference=f"FK-{case.number}",
        reminder_of=reminded.letter.id if reminded else "",
        answer_to=asked.id if step.answers else "",
        answer_reference=asked.reference if step.answers else "",
        complements=tuple((each.question, each.text) for each in step.complements),
        answer_before=last_day,
    )


def shown(case: Case) -> dict[str, Any]:
    """A case as JSON, without the person."""
    return {
        "number": case.number,
        "message": case.question.id,
        "subject": case.question.subject,
        "certificate": case.question.certificate,
        "unit": case.question.sender_unit,
        "received": case.received.isoformat(),
        "script": case.script,
        "sent": [
            {
                "id": sent.letter.id,
                "at": sent.letter.sent.isoformat(),
                "subject": sent.letter.subject,
                "isAnswer": bool(sent.letter.answer_to),
                "state": sent.state,
                "told": sent.told,
                "answered": sent.answered,
            }
            for sent in case.sent
        ],
    }
