"""Case workers: who at a counterpart takes up what care asks, and follows a script on the world's clock, or is played by hand.

Here is what they share whoever they are: scripts, cases, orders by namespace, twists, another try. A counterpart's own worker
says how a message of a step is written (``_written``) and how it gets to care (``_carried``).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Generic, Literal, Protocol, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.faults import Twist
from adapters.mocking.ledger import Entry
from adapters.mocking.people import PEOPLE

TRIES: Final = 4
_BY_HAND: Final = 1000
"""Steps by hand are numbered from here, beyond every script's."""


class Model(BaseModel):
    """A table of a script, or an order."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Step(Model):
    """One message of a script, so long ``after`` the question came. It ``answers`` the question, or asks something itself.
    ``reminds`` counts the script's steps from 1: it is left out if care has answered that one. ``answerWithin``: days."""

    text: str = Field(repr=False)
    after: timedelta = timedelta(0)
    answers: bool = False
    answer_within: int | None = Field(default=None, ge=0, le=10_000)
    reminds: int | None = Field(default=None, ge=1)


class Orders(Model):
    """How a case worker works in a namespace. ``script``: what is done with a question; ``bySubject`` instead of it, by the
    question's subject. Test persons have scripts of their own, where the worker has one of that name."""

    script: str = "silence"
    by_subject: dict[str, str] = {}


class Question(Protocol):
    """What came from care, whatever carried it. ``opens_case`` is false for answers and the like."""

    @property
    def id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def patient(self) -> str: ...
    @property
    def answer_to(self) -> str: ...
    @property
    def opens_case(self) -> bool: ...


class Letter(Protocol):
    """What goes to care, whatever carries it."""

    @property
    def id(self) -> str: ...
    @property
    def sent(self) -> datetime: ...
    @property
    def subject(self) -> str: ...
    @property
    def answer_to(self) -> str: ...


QuestionT = TypeVar("QuestionT", bound=Question)
LetterT = TypeVar("LetterT", bound=Letter)
StepT = TypeVar("StepT", bound=Step)
OrdersT = TypeVar("OrdersT", bound=Orders)


class Script(Model, Generic[StepT]):
    """What is done with a question."""

    words: str
    steps: tuple[StepT, ...]


@dataclass(slots=True)
class Sent(Generic[LetterT]):
    """A message of the worker's: its letter and what became of it. ``answered`` by care."""

    letter: LetterT
    state: Literal["planned", "delivered", "failed", "skipped"] = "planned"
    told: str = ""
    answered: bool = False


@dataclass(slots=True)
class Case(Generic[QuestionT, LetterT]):
    """A question from care and what has been made of it. ``number`` counts the namespace's cases."""

    number: int
    question: QuestionT
    received: datetime
    script: str
    sent: list[Sent[LetterT]] = field(default_factory=list)
    by_step: dict[int, Sent[LetterT]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Carried:
    """A try to get something to care: the ledger's entry of it, and in words what was answered. ``again``: it may be tried
    once more."""

    entry: Entry
    told: str
    again: bool = True


class CaseWorker(ABC, Generic[QuestionT, StepT, LetterT, OrdersT]):
    """The case worker of a counterpart, with cases of its own in each namespace. ``name``: whose, to people; ``standing``: how
    it works without orders. What does not arrive is sent again ``again_after``, three times; what comes twice comes ``twice_after``."""

    again_after: timedelta
    twice_after: timedelta = timedelta(0)

    def __init__(
        self, counterpart: Counterpart, name: str, scripts: Mapping[str, Script[StepT]], standing: OrdersT
    ) -> None:
        self.name = name
        self.scripts = scripts
        self._counterpart = counterpart
        self._standing = standing

    @abstractmethod
    def _written(
        self, case: Case[QuestionT, LetterT], id: str, step: StepT, reminded: Sent[LetterT] | None, at: datetime
    ) -> LetterT:
        """A step's message."""

    @abstractmethod
    async def _carried(self, room: Room, letter: LetterT, at: datetime) -> Carried:
        """One try to get it to care."""

    @abstractmethod
    def about(self, question: QuestionT) -> dict[str, Any]:
        """What the counterpart's own questions tell of themselves; never the person."""

    def orders(self, room: Room) -> OrdersT:
        """As the namespace wants it, else as everybody does."""
        found: OrdersT = room.state.get("orders") or self._counterpart.room().state.get("orders") or self._standing
        return found

    def instruct(self, orders: OrdersT, namespace: str = "") -> None:
        """Work so from now on. Raises ``ValueError`` for a script that is not there."""
        for name in (orders.script, *orders.by_subject.values()):
            if name not in self.scripts:
                raise ValueError(f"there is no such script; there are {', '.join(self.scripts)}")
        self._counterpart.room(namespace).state["orders"] = orders

    def cases(self, room: Room) -> list[Case[QuestionT, LetterT]]:
        """What there is to do with, the oldest first."""
        return list(room.remembered("cases").values())

    def case(self, room: Room, number: int) -> Case[QuestionT, LetterT] | None:
        """The case of that number."""
        found: Case[QuestionT, LetterT] | None = room.remembered("cases").get(number)
        return found

    async def take_up(self, room: Room, question: QuestionT, twist: Twist = "", at: datetime | None = None) -> None:
        """Something from care was accepted (``at``: then, else now): a question opens a case, an answer is noted where it
        belongs."""
        if not question.opens_case:
            self._note_answer(room, question.answer_to)
            return
        case = self._open(room, question, at or self._counterpart.now())
        steps = list(enumerate(self.scripts[case.script].steps, 1))
        self._plan(room, case, steps, twist)
        if twist == "before-acknowledgement" and steps:
            await self._do(room, case, *steps[0], twist, case.received)

    async def send(self, room: Room, case: Case[QuestionT, LetterT], step: StepT) -> Sent[LetterT]:
        """Send something in a case at once, by hand. The step's delay is not minded."""
        return await self._do(room, case, _BY_HAND + len(case.sent), step, "", self._counterpart.now())

    def _script(self, room: Room, question: QuestionT) -> str:
        person, orders = PEOPLE.get(question.patient), self.orders(room)
        if person and person.script in self.scripts:
            return person.script
        return orders.by_subject.get(question.subject, orders.script)

    def _open(self, room: Room, question: QuestionT, at: datetime) -> Case[QuestionT, LetterT]:
        number = room.state["case"] = room.state.get("case", 0) + 1
        case = Case[QuestionT, LetterT](number, question, at, self._script(room, question))
        room.remembered("cases")[number] = case
        return case

    def _plan(
        self, room: Room, case: Case[QuestionT, LetterT], steps: Sequence[tuple[int, StepT]], twist: Twist
    ) -> None:
        """Each step at its time; ``reversed``: at the times of the script, what is last first."""
        done = steps[1:] if twist == "before-acknowledgement" else steps
        times = [step.after for _, step in done]
        ordered = done[::-1] if twist == "reversed" else done
        for after, (number, step) in zip(times, ordered, strict=True):
            deed = partial(self._do, room, case, number, step, twist)
            words = f"{self.name}: ärende {case.number}, steg {number}"
            self._counterpart.around.agenda.make(case.received + after, room.namespace, words, deed)

    async def _do(
        self, room: Room, case: Case[QuestionT, LetterT], number: int, step: StepT, twist: Twist, at: datetime
    ) -> Sent[LetterT]:
        reminded = case.by_step.get(step.reminds) if step.reminds else None
        # Made of the question's own id, so that the same play has the same ids.
        id = str(uuid5(NAMESPACE_URL, f"{case.question.id}/{number}"))
        sent = Sent(self._written(case, id, step, reminded, at))
        case.sent.append(sent)
        case.by_step[number] = sent
        if reminded is not None and reminded.answered:
            sent.state, sent.told = "skipped", "care has answered"
            return sent
        await self._deliver(room, sent, TRIES, at)
        if twist == "twice":
            self._later(room, sent, TRIES, at + self.twice_after, "samma meddelande en gång till")
        return sent

    async def _deliver(self, room: Room, sent: Sent[LetterT], tries: int, at: datetime) -> None:
        carried = await self._carried(room, sent.letter, at)
        sent.state, sent.told = "delivered" if carried.entry.accepted else "failed", carried.told
        self._counterpart.write(room, carried.entry)
        if sent.state == "failed" and carried.again and tries > 1:
            self._later(room, sent, tries - 1, at + self.again_after, "ny sändning av det som inte kom fram")

    def _later(self, room: Room, sent: Sent[LetterT], tries: int, at: datetime, words: str) -> None:
        told = f"{self.name}: {words}"
        self._counterpart.around.agenda.make(at, room.namespace, told, partial(self._deliver, room, sent, tries))

    def _note_answer(self, room: Room, id: str) -> None:
        for case in self.cases(room):
            for sent in case.sent:
                sent.answered |= sent.letter.id == id


def shown(worker: CaseWorker[QuestionT, Any, LetterT, Any], case: Case[QuestionT, LetterT]) -> dict[str, Any]:
    """A case as JSON, without the person."""
    return {
        "number": case.number,
        "message": case.question.id,
        "subject": case.question.subject,
        **worker.about(case.question),
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
