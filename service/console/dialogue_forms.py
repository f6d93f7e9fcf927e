"""What people send from a dialogue's page: each form read into what the use case takes.

A form tells which version of the dialogue, and which unsent message, stood on the page: what somebody has changed meanwhile is
not acted upon, and the same form sent twice does its deed once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from contracts.activity import ContactMode
from contracts.dialogue import Says, Standing
from contracts.errors import Conflict, Invalid, Issue, IssueType, RekoError
from contracts.ports import Transaction
from contracts.record import Caller
from contracts.time import STOCKHOLM
from service.console import dialogue_words as words
from service.console.forms import Pairs
from service.usecases import attend_dialogue
from service.usecases.attend_dialogue import Heard, Opened, Reading
from service.usecases.context import Context

E = TypeVar("E", bound=StrEnum)

SHORT: Final = 500
LONG: Final = 10_000
"""Characters that a field takes: as many as the JSON API's."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Deed = Callable[[Transaction, Context, Caller, str], object]


class Unfilled(Exception):
    """A form lacks something. ``wishes`` say in Swedish what each field takes."""

    def __init__(self, *wishes: str) -> None:
        super().__init__()
        self.wishes = wishes


@dataclass(slots=True)
class Fields:
    """The fields of a form as they are read, and what was wrong with them so far."""

    sent: Mapping[str, str]
    now: datetime
    wishes: list[str]

    def text(self, name: str, label: str, most: int = SHORT, *, required: bool = False) -> str:
        """What was written, its ends trimmed."""
        value = self.sent.get(name, "").replace("\r\n", "\n").strip()
        if len(value) > most:
            self.wishes.append(f"{label} får ha högst {most} tecken.")
        if _CONTROL.search(value):
            self.wishes.append(f"{label} har ett tecken som inte kan sparas.")
        if required and not value:
            self.wishes.append(f"{label} behöver fyllas i.")
        return value

    def choice(self, name: str, label: str, members: Mapping[E, str]) -> E | None:
        """Which of the members was chosen."""
        found = next((member for member in members if member == self.sent.get(name)), None)
        if found is None:
            self.wishes.append(f"{label} behöver väljas.")
        return found

    def moment(self, name: str, label: str) -> datetime:
        """A time in Sweden that has been; now where none was written."""
        try:
            text = self.sent.get(name, "").strip()
            at = datetime.strptime(text[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=STOCKHOLM) if text else self.now
        except ValueError:
            at = _NEVER
        if at.year < _EARLIEST or at > self.now:
            self.wishes.append(f"{label} ska vara en tid som har varit.")
            return self.now
        return at

    def done(self) -> None:
        """Raises ``Unfilled`` when something was wrong."""
        if self.wishes:
            raise Unfilled(*self.wishes)


_EARLIEST: Final = 2000
_NEVER: Final = datetime.min.replace(tzinfo=STOCKHOLM)


def deed(name: str, pairs: Pairs, now: datetime) -> Deed:
    """What the form asks to be done. Raises ``Unfilled``; the deed raises as its use case does, and ``Conflict`` for a page that
    has become old."""
    fields = Fields(dict(pairs), now, [])
    does = _DEEDS[name](fields)
    fields.done()
    sent = fields.sent.get("version", ""), fields.sent.get("message", "")

    def fresh(transaction: Transaction, context: Context, caller: Caller, id: str) -> object:
        found = attend_dialogue.opened(transaction, caller, id)
        if stamp(found) != sent:
            raise Conflict(Issue(IssueType.CONFLICT, "the dialogue has changed since", rule=_STALE))
        return does(transaction, context, caller, id)

    return fresh


_STALE: Final = "stale-page"


def stamp(found: Opened) -> tuple[str, str]:
    """The version and the unsent message that a form is about."""
    return str(found.task.version), found.unsent.message.id if found.unsent else ""


def told(error: RekoError) -> str:
    """Why a deed was refused."""
    issue = error.issues[0]
    if issue.rule == _STALE:
        return words.STALE
    if isinstance(error, Invalid):
        return words.INCOMPLETE
    forbidden = issue.text.partition(_FORBIDDEN)
    return words.NOT_TOLD.format(why=words.reason(forbidden[2])) if forbidden[1] else words.NO_LONGER


_FORBIDDEN: Final = "it may not be told: "


# ---- One form each -----------------------------------------------------------------------------------------------


def _step(fields: Fields) -> Deed:
    to = fields.choice("to", "Steget", dict.fromkeys(words.STEPS, "")) or Standing.CLOSED
    why = fields.text("why", "Anteckningen")
    return lambda transaction, context, caller, id: attend_dialogue.step(transaction, context, caller, id, to, why)


def _answer(fields: Fields) -> Deed:
    reading = _reading(fields, heard=fields.sent.get("mode", "") != "")
    return lambda transaction, context, caller, id: attend_dialogue.read_answer(
        transaction, context, caller, id, reading
    )


def _approve(fields: Fields) -> Deed:
    return attend_dialogue.approve


def _channel(fields: Fields) -> Deed:
    channel = fields.text("channel", "Vägen", required=True)
    return lambda transaction, context, caller, id: attend_dialogue.choose(transaction, context, caller, id, channel)


def _told(fields: Fields) -> Deed:
    mode = fields.choice("mode", "Sättet", words.MODES) or ContactMode.TELEPHONE
    reading = _reading(fields, heard=True) if fields.sent.get("says") else None

    def both(transaction: Transaction, context: Context, caller: Caller, id: str) -> object:
        done = attend_dialogue.tell(transaction, context, caller, id, mode)
        return done if reading is None else attend_dialogue.read_answer(transaction, context, caller, id, reading)

    return both


_DEEDS: Final[Mapping[str, Callable[[Fields], Deed]]] = {
    "steps": _step,
    "answer": _answer,
    "approve": _approve,
    "channel": _channel,
    "told": _told,
}
"""By the last part of the address."""

DEEDS: Final = tuple(_DEEDS)


def _reading(fields: Fields, *, heard: bool) -> Reading:
    says = fields.choice("says", "Vad svaret betyder", words.SAYS) or Says.MEETING
    return Reading(
        says,
        fields.text("reason", "Skälet", required=says is Says.DECLINED),
        fields.text("officer", "Handläggaren"),
        fields.text("next_step", "Nästa steg"),
        fields.text("follow_up", "Uppföljningen"),
        heard=_heard(fields) if heard else None,
    )


def _heard(fields: Fields) -> Heard:
    mode = fields.choice("mode", "Sättet", words.MODES) or ContactMode.TELEPHONE
    return Heard(mode, fields.moment("at", "Tiden"), fields.text("text", "Vad som sades", LONG, required=True))
