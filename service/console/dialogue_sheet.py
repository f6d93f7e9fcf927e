"""What the pages of dialogues show: lines of the list, and of one dialogue its history and what may be done from where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple

from contracts.dialogue import Output, Says, Standing
from contracts.outbox import DUE, DeliveryState
from contracts.record import Caller, Right, Version
from fhir_mappings.dialogue_task import Said
from service.console import dialogue_words as words
from service.rules import channels
from service.rules import dialogue as rules
from service.usecases import follow_dialogue
from service.usecases.context import SERVICE
from service.usecases.see_dialogues import Everything, Listed

PROTECTED: Final = "Skyddad personuppgift"
UNKNOWN: Final = "Okänd patient"


@dataclass(frozen=True, slots=True)
class Line:
    """A dialogue as a line shows it on a day."""

    listed: Listed
    today: date

    @property
    def id(self) -> str:
        """The Task's."""
        return self.listed.task.id

    @property
    def patient(self) -> str:
        """The name; of somebody with a protected identity nothing (rehabstod.md § 5.2)."""
        known = self.listed.patient
        if known is None:
            return UNKNOWN
        return PROTECTED if known.protected else known.name or UNKNOWN

    @property
    def number(self) -> str:
        """The personal number as people write it; empty where none is to be shown."""
        known = self.listed.patient
        return "" if known is None or known.protected or known.person is None else written(known.person.digits)

    @property
    def party(self) -> str:
        """Whom it is with: the name, and what it is to the patient where that is not the same."""
        kind, name = words.name("party", self.listed.dialogue.party.kind), self.listed.party_name
        return kind if name in ("", kind) else f"{name} ({kind.lower()})"

    @property
    def topic(self) -> str:
        """What it is about."""
        return words.name("topic", self.listed.dialogue.topic)

    @property
    def standing(self) -> str:
        """Where it stands, in a word or two."""
        return words.name("standing", self.listed.dialogue.standing)

    @property
    def means(self) -> str:
        """What that means, and what is to be done."""
        return words.MEANS[self.listed.dialogue.standing]

    @property
    def reason(self) -> str:
        """Why it stands there; empty where nobody said."""
        told = words.reason(self.listed.dialogue.reason)
        return told[:1].upper() + told[1:]

    @property
    def days_late(self) -> int:
        """How many days ago the last day for an answer was; none or less while there is time."""
        due = self.listed.dialogue.due
        return 0 if due is None else (self.today - due).days

    @property
    def late(self) -> str:
        """The reminder; empty while there is time."""
        if self.days_late <= 0 or self.listed.dialogue.standing not in _LATE:
            return ""
        days = f"{self.days_late} {'dag' if self.days_late == 1 else 'dagar'}"
        return f"{_LATE[self.listed.dialogue.standing]} {days} över tiden".strip()


_LATE: Final[Mapping[Standing, str]] = {
    Standing.OVERDUE: "",
    Standing.INFORMED: "Svar dröjer:",
    Standing.TO_ANSWER: "Enhetens svar dröjer:",
}
"""What is said before how late an answer is, where the standing does not say it already."""


def written(digits: str) -> str:
    """A national number as people write it."""
    return f"{digits[:8]}-{digits[8:]}"


class Moment(NamedTuple):
    """A version of the dialogue: ``who`` is an HSA-id, *tjänsten*, or empty where the access log does not tell."""

    at: datetime
    standing: str
    reason: str
    who: str


def history(versions: Sequence[Version], writers: Mapping[int, Sequence[tuple[str, str]]]) -> tuple[Moment, ...]:
    """The oldest first; of a deletion nothing."""
    kept = [each.record for each in versions if each.record.body]
    told = [(record, follow_dialogue.read(record)) for record in sorted(kept, key=lambda record: record.version)]
    return tuple(
        Moment(
            record.updated,
            words.name("standing", dialogue.standing),
            words.reason(dialogue.reason),
            _who(writers.get(record.version, ())),
        )
        for record, dialogue in told
    )


def _who(writers: Sequence[tuple[str, str]]) -> str:
    """What the service does in a person's transaction, the person has done."""
    people = {employee for employee, commission in writers if commission != SERVICE}
    if people:
        return people.pop() if len(people) == 1 else ""
    return "tjänsten" if writers else ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One dialogue, and what its page offers: nothing that would be refused. ``sent`` is what a refused form held, ``wrong``
    what is said beside it; both by the form's name."""

    caller: Caller
    everything: Everything
    line: Line
    history: tuple[Moment, ...]
    done: str = ""
    sent: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    wrong: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return self.everything.listed.dialogue.standing

    @property
    def may_act(self) -> bool:
        """Whether the caller may do anything at all."""
        return Right.FHIR_WRITE in self.caller.rights

    @property
    def steps(self) -> tuple[Standing, ...]:
        """The steps that a button takes."""
        return tuple(to for to in words.STEPS if self.may_act and rules.may_step(self.standing, to))

    @property
    def readings(self) -> dict[Says, str]:
        """How an answer may be read now."""
        return _readings(self.standing) if self.may_act else {}

    @property
    def readings_at_once(self) -> dict[Says, str]:
        """How an answer may be read that comes as they are told: none to what is itself an answer to theirs."""
        ours = self.everything.listed.dialogue.begun_by_them
        told = rules.after_delivery(self.standing, DeliveryState.DELIVERED, "", begun_by_them=ours, promised=False)
        return _readings(told)

    @property
    def may_send(self) -> bool:
        """Whether what waits may be told now."""
        unsent = self.everything.unsent
        return self.may_act and unsent is not None and not unsent.refused

    @property
    def may_approve(self) -> bool:
        """Whether it waits for somebody to have read it."""
        unsent = self.everything.unsent
        return self.may_send and unsent is not None and unsent.state is DeliveryState.NEEDS_APPROVAL

    @property
    def other_ways(self) -> tuple[str, ...]:
        """Ways that can be chosen in place of the one that it is on."""
        unsent = self.everything.unsent
        if unsent is None or not self.may_send:
            return ()
        with_person = unsent.state is DeliveryState.NEEDS_OTHER_CHANNEL
        stuck = unsent.state in (DeliveryState.PARKED, DeliveryState.WITHHELD) or with_person
        now = "" if stuck else unsent.channel
        return tuple(
            way.channel
            for way in unsent.ways
            if way.usable and way.channel != now and not (with_person and way.channel == channels.MANUAL)
        )

    @property
    def may_print(self) -> bool:
        """Whether a letter may be made of it. What is on its way by a system would be told twice."""
        unsent = self.everything.unsent
        return unsent is not None and not unsent.refused and unsent.state not in DUE

    @property
    def stray(self) -> Sequence[str]:
        """What is wrong with a form that the page offers no more."""
        offered = {
            "approve": self.may_approve,
            "channel": self.other_ways,
            "told": self.may_send,
            "answer": self.readings,
            "steps": self.steps,
        }
        return [text for name, texts in self.wrong.items() if not offered[name] for text in texts]

    @property
    def plans(self) -> tuple[str, ...]:
        """Ids of the plans that it has led to."""
        named = dict.fromkeys(str(each.value) for each in self.everything.said if each.output is Output.PLAN)
        return tuple(each.removeprefix("CarePlan/") for each in named)

    @property
    def said(self) -> tuple[tuple[str, str], ...]:
        """What the other party has said, as people on the unit have read it."""
        return tuple((words.name("output", each.output), _value(each)) for each in self.everything.said if _tells(each))


def _readings(standing: Standing) -> dict[Says, str]:
    return {says: words.SAYS[says] for says, to in rules.OF_ANSWER.items() if rules.may_step(standing, to)}


def _tells(said: Said) -> bool:
    """Messages, reminders and meetings stand as such elsewhere on the page."""
    return isinstance(said.value, Says) or not said.value.startswith(("Communication/", "Task/", "CarePlan/"))


def _value(said: Said) -> str:
    return words.name("says", said.value) if isinstance(said.value, Says) else said.value
