"""What the JSON API takes and gives of dialogues with other parties."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from contracts.activity import ContactMode
from contracts.consent import RecipientKind
from contracts.dialogue import Output, Says, Standing, Topic
from service.api.models import Instant, Model, ShortText, Text

Told = Literal[ContactMode.VISIT, ContactMode.TELEPHONE, ContactMode.VIDEO, ContactMode.LETTER, ContactMode.MESSAGE]
"""How somebody is told or heard; a person may also write by a system that this one does not know."""


class DialogueQuery(Model):
    """Which open dialogues are wanted. ``attention``: only those in which somebody on the unit has something to do."""

    state: Standing | None = None
    attention: bool = False
    patient: Annotated[str, Field(pattern=r"^[A-Za-z0-9\-.]{1,64}$")] | None = None


class OtherParty(Model):
    """Whom the dialogue is with: ``number`` is an organisation number, an HSA-id, or ``Organization/<id>``."""

    kind: RecipientKind
    number: str


class DialogueOut(Model):
    """Where a dialogue stands. ``id`` is that of its Task, whose versions are its history."""

    id: str
    version: int
    patient: str
    conversation: str
    topic: Topic
    party: OtherParty
    state: Standing
    reason: str
    attention: bool
    urgent: bool
    due: date | None
    begun: datetime
    begun_by_them: bool
    about: str


class SaidOut(Model):
    """One thing that the dialogue has given."""

    what: Output
    value: str


class LetterOut(Model):
    """One message of the dialogue: sent by the unit, or received."""

    resource: str
    direction: Literal["sent", "received"]
    at: datetime | None
    texts: tuple[str, ...]
    attachments: tuple[str, ...] = ()


class UnsortedOut(LetterOut):
    """A message that does not say whom it is about."""

    sender: str


class PatientId(Model):
    """The patient, by the id that this service gave."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]


class WayOut(Model):
    """A way to the other party, whether it can carry the message now, and why or why not."""

    channel: str
    usable: bool
    reason: str


class UnsentOut(Model):
    """What has not been sent, word for word. ``refused`` is why it may not be sent now; empty when it may."""

    text: str
    channel: str
    state: str
    refused: str
    ways: tuple[WayOut, ...]


class OneDialogueOut(DialogueOut):
    """A dialogue with everything that has been said in it, oldest first."""

    messages: tuple[LetterOut, ...]
    said: tuple[SaidOut, ...]
    unsent: UnsentOut | None


class StepIn(Model):
    """Where a person says that the dialogue stands now."""

    to: Standing
    why: ShortText = ""


class HeardIn(Model):
    """What somebody on the unit was told, how and when."""

    mode: Told
    at: Instant
    text: Annotated[Text, Field(min_length=1)]


class AnswerIn(Model):
    """What an answer means, as a person has read it; ``heard`` where it did not come by a system."""

    says: Says
    reason: ShortText = ""
    officer: ShortText = ""
    next_step: ShortText = ""
    follow_up: ShortText = ""
    plan: Annotated[str, Field(pattern=r"^(CarePlan/[A-Za-z0-9\-.]{1,64})?$")] = ""
    heard: HeardIn | None = None


class ChannelIn(Model):
    """The way that a person has chosen."""

    channel: Literal["forsakringskassan", "sdk", "manual"]


class ToldIn(Model):
    """How a person has told the other party, and what it answered, if it did at once."""

    mode: Told
    answer: AnswerIn | None = None

    @model_validator(mode="after")
    def _answer_was_heard(self) -> "ToldIn":
        if self.answer is not None and self.answer.heard is None:
            raise ValueError("an answer that came at once was heard: say what was said")
        return self
