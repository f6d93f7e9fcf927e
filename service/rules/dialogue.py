"""A dialogue with another party: from one standing to the next (forsakringskassan.md § 6.5; domain rules 13-16).

What happens comes from the outbox, from the other party, from the clock and from people on the unit. Nobody but a person says
what an answer means, and nothing that the other party says is lost because of where the dialogue stood.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum, auto
from typing import Final

from contracts.consent import Reason, RecipientKind
from contracts.dialogue import Dialogue, Refusal, Says, Standing, Topic
from contracts.outbox import DeliveryState
from service.rules.region import RegionalProfile

ANSWER_DAYS: Final = 7
"""Days that an answer may take where no agreement says another number (domain rule 15)."""


class Happened(Enum):
    """What moves a dialogue, beside the outbox's own states."""

    ANSWER_CAME = auto()
    REMINDED = auto()
    ANSWER_DUE = auto()


UNDER_WAY: Final = frozenset(
    {
        Standing.CONSENT_TO_ASK,
        Standing.CONSENT_ASKED,
        Standing.CONSENT_REFUSED,
        Standing.TO_APPROVE,
        Standing.WITHHELD,
        Standing.QUEUED,
        Standing.NEEDS_OTHER_CHANNEL,
        Standing.PARKED,
    }
)
"""The unit's message has not arrived, as far as the unit knows."""

_TOLD: Final = frozenset({Standing.INFORMED, Standing.OVERDUE, Standing.ANSWER_SENT})

HEARD: Final = frozenset(
    {
        Standing.INFORMED,
        Standing.OVERDUE,
        Standing.ANSWERED,
        Standing.ACCEPTED,
        Standing.DECLINED,
        Standing.MORE_INFORMATION,
        Standing.MEETING_PLANNED,
    }
)
"""The other party has been told, and may have answered."""

OVER: Final = frozenset({Standing.CLOSED, Standing.TAKEN_BACK})

ATTENTION: Final = frozenset(
    {
        Standing.CONSENT_TO_ASK,
        Standing.TO_APPROVE,
        Standing.WITHHELD,
        Standing.NEEDS_OTHER_CHANNEL,
        Standing.PARKED,
        Standing.OVERDUE,
        Standing.ANSWERED,
        Standing.MORE_INFORMATION,
        Standing.TO_ANSWER,
    }
)
"""Somebody on the unit has something to do."""

OF_DELIVERY: Final[Mapping[DeliveryState, Standing]] = {
    DeliveryState.WAITING: Standing.QUEUED,
    DeliveryState.CLAIMED: Standing.QUEUED,
    DeliveryState.RETRYING: Standing.QUEUED,
    DeliveryState.NEEDS_APPROVAL: Standing.TO_APPROVE,
    DeliveryState.NEEDS_OTHER_CHANNEL: Standing.NEEDS_OTHER_CHANNEL,
    DeliveryState.PARKED: Standing.PARKED,
    DeliveryState.WITHHELD: Standing.WITHHELD,
    DeliveryState.CANCELLED: Standing.TAKEN_BACK,
    DeliveryState.DELIVERED: Standing.INFORMED,
}

OF_ANSWER: Final[Mapping[Says, Standing]] = {
    Says.ACCEPTED: Standing.ACCEPTED,
    Says.DECLINED: Standing.DECLINED,
    Says.MORE_INFORMATION: Standing.MORE_INFORMATION,
    Says.MEETING: Standing.MEETING_PLANNED,
}
"""How an answer is read decides where the dialogue stands."""

BY_PERSON: Final[Mapping[Standing, frozenset[Standing]]] = {
    Standing.CONSENT_ASKED: frozenset({Standing.CONSENT_TO_ASK, Standing.WITHHELD}),
    Standing.CONSENT_REFUSED: UNDER_WAY - {Standing.QUEUED, Standing.CONSENT_REFUSED},
    **dict.fromkeys(OF_ANSWER.values(), HEARD),
    # They asked, the unit has answered, and a meeting comes of it.
    Standing.MEETING_PLANNED: HEARD | {Standing.ANSWER_SENT},
    Standing.TO_ANSWER: frozenset({Standing.ANSWER_SENT, Standing.WITH_THE_DOCTOR, Standing.CLOSED}),
    Standing.WITH_THE_DOCTOR: frozenset({Standing.TO_ANSWER}),
    Standing.CLOSED: frozenset(Standing) - OVER - {Standing.QUEUED},
}
"""The steps that a person may take, each with the standings from which."""


def needs_somebody(dialogue: Dialogue) -> bool:
    """Whether somebody on the unit has something to do in it."""
    return dialogue.urgent or dialogue.standing in ATTENTION


def may_step(standing: Standing, to: Standing) -> bool:
    """Whether a person on the unit may say that the dialogue stands there now."""
    return standing in BY_PERSON.get(to, frozenset())


def may_meet(standing: Standing, *, begun_by_them: bool) -> bool:
    """Whether a meeting may come out of the dialogue: the other party has been told, or has asked and is answered by the unit
    rather than by a doctor."""
    return standing in HEARD or (begun_by_them and standing not in OVER | {Standing.WITH_THE_DOCTOR})


def after_delivery(
    standing: Standing | None, state: DeliveryState, reason: str, *, begun_by_them: bool, promised: bool
) -> Standing:
    """Where the dialogue stands when a message of ours has come to ``state``. ``promised`` tells that it is a new message;
    news of an old one do not take back what the other party has said since."""
    if standing is not None and not promised and standing not in UNDER_WAY:
        lost = state is DeliveryState.PARKED and standing in _TOLD  # it did not arrive after all
        return Standing.PARKED if lost else standing
    if state is DeliveryState.WITHHELD and Reason.REFUSED in reason.split(", "):
        return Standing.CONSENT_REFUSED  # the duty is over, and stands documented (domain rule 13)
    if begun_by_them and state is DeliveryState.DELIVERED:
        return Standing.ANSWER_SENT
    if standing is Standing.CONSENT_REFUSED and state is DeliveryState.CANCELLED:
        return standing  # what the patient said counts, not what followed from it
    if begun_by_them and state is DeliveryState.CANCELLED:
        return Standing.TO_ANSWER
    return OF_DELIVERY[state]


def after(standing: Standing, event: Happened) -> Standing:
    """Where the dialogue stands when something has happened that the unit did not do."""
    match event:
        case Happened.ANSWER_CAME:
            return Standing.ANSWERED
        case Happened.REMINDED:
            # Whoever reminds has not got the answer, whatever was sent.
            return Standing.TO_ANSWER if standing in (Standing.ANSWER_SENT, Standing.CLOSED) else standing
        case Happened.ANSWER_DUE:
            return Standing.OVERDUE if standing is Standing.INFORMED else standing


def missing_in_answer(says: Says, *, reason: str, officer: str, next_step: str) -> str:
    """What an answer must be told with and is not (domain rule 15); empty when nothing is missing."""
    if says is Says.DECLINED and not reason.strip():
        return "a no is told with its reason"
    if says is Says.ACCEPTED and not (officer.strip() or next_step.strip()):
        return "a yes names the officer or the next step"
    return ""


_WITHOUT_SUBJECT: Final = {Topic.ASSUMED_REHAB_NEED: Topic.OTHER, Topic.SIP: Topic.OTHER}
"""Topics that have no subject of their own on the way to Försäkringskassan (§ 1.5)."""


def answers_another_topic(asked: Topic, answered: Topic | None) -> bool:
    """Whether an answer has another topic than its question, as far as their channel tells topics apart."""
    return answered is not None and _WITHOUT_SUBJECT.get(asked, asked) is not answered


def answer_due(recipient: RecipientKind, region: RegionalProfile, told: date) -> date | None:
    """The last day on which an answer is in time: Försäkringskassan's by the region's agreement, nobody else's by any."""
    if recipient is not RecipientKind.FORSAKRINGSKASSAN:
        return None
    return told + timedelta(days=ANSWER_DAYS if region.answer_days is None else region.answer_days)


def refusals_of_form(
    topic: Topic | None, *, is_answer: bool, is_reminder: bool, has_complements: bool, has_last_day: bool
) -> tuple[Refusal, ...]:
    """What is wrong with a message from Försäkringskassan as such (§ 1.7)."""
    wrong = {
        Refusal.TOPIC_UNKNOWN: topic is None,
        Refusal.REMINDER_AND_TOPIC: (topic is Topic.REMINDER) != is_reminder,
        Refusal.COMPLEMENT_AND_TOPIC: has_complements and topic is not Topic.COMPLEMENT,
        Refusal.LAST_DAY_ON_ANSWER: has_last_day and (is_answer or is_reminder),
    }
    return tuple(refusal for refusal, is_so in wrong.items() if is_so)
