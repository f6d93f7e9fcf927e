"""Where a dialogue stands, as decision tables (forsakringskassan.md § 6.5; domain rules 13-16)."""

from datetime import date
from itertools import product
from typing import Final

import pytest

from contracts.activity import ContactMode
from contracts.consent import Reason, RecipientKind
from contracts.dialogue import Refusal, Says, Standing, Topic
from contracts.outbox import DeliveryState
from service.rules import dialogue as rules
from service.rules.dialogue import Happened
from service.rules.region import RegionalProfile

S, D = Standing, DeliveryState

NEW_MESSAGE: Final = {
    # A message of ours that has just been promised: whatever the dialogue stood at, it begins anew from here.
    # (state, reason): (the unit began, the other party began)
    (D.WAITING, ""): (S.QUEUED, S.QUEUED),
    (D.NEEDS_APPROVAL, "somebody reads it"): (S.TO_APPROVE, S.TO_APPROVE),
    (D.NEEDS_OTHER_CHANNEL, "no certificate"): (S.NEEDS_OTHER_CHANNEL, S.NEEDS_OTHER_CHANNEL),
    (D.WITHHELD, "no-consent"): (S.WITHHELD, S.WITHHELD),
    (D.WITHHELD, "expired, no-coordination-consent"): (S.WITHHELD, S.WITHHELD),
    (D.WITHHELD, "refused"): (S.CONSENT_REFUSED, S.CONSENT_REFUSED),
    (D.WITHHELD, "withdrawn, refused"): (S.CONSENT_REFUSED, S.CONSENT_REFUSED),
    (D.WITHHELD, "coordination-refused"): (S.WITHHELD, S.WITHHELD),
    (D.CANCELLED, "the request was taken back"): (S.TAKEN_BACK, S.TO_ANSWER),
    (D.DELIVERED, ""): (S.INFORMED, S.ANSWER_SENT),
    (D.RETRYING, "TECHNICAL_ERROR"): (S.QUEUED, S.QUEUED),
    (D.CLAIMED, ""): (S.QUEUED, S.QUEUED),
    (D.PARKED, "VALIDATION_ERROR"): (S.PARKED, S.PARKED),
}


@pytest.mark.parametrize(("state", "reason"), NEW_MESSAGE)
@pytest.mark.parametrize("before", [None, S.CONSENT_TO_ASK, S.MORE_INFORMATION, S.TO_ANSWER, S.CLOSED, S.PARKED])
@pytest.mark.parametrize("theirs", [False, True])
def test_a_new_message_says_where_the_dialogue_stands(
    before: Standing | None, state: DeliveryState, reason: str, theirs: bool
) -> None:
    stands = rules.after_delivery(before, state, reason, begun_by_them=theirs, promised=True)
    assert stands is NEW_MESSAGE[state, reason][theirs]


@pytest.mark.parametrize(("before", "state"), list(product(sorted(set(Standing) - rules.UNDER_WAY), DeliveryState)))
@pytest.mark.parametrize("theirs", [False, True])
def test_news_of_an_old_message_take_nothing_back_that_was_said(
    before: Standing, state: DeliveryState, theirs: bool
) -> None:
    lost = state is D.PARKED and before in (S.INFORMED, S.OVERDUE, S.ANSWER_SENT)
    stands = rules.after_delivery(before, state, "", begun_by_them=theirs, promised=False)
    assert stands is (S.PARKED if lost else before)


def test_a_refusal_outlives_the_message_that_was_cancelled_because_of_it() -> None:
    stands = rules.after_delivery(S.CONSENT_REFUSED, D.CANCELLED, "", begun_by_them=False, promised=False)
    assert stands is S.CONSENT_REFUSED


def test_a_later_yes_opens_it_again() -> None:
    stands = rules.after_delivery(S.CONSENT_REFUSED, D.WAITING, "replayed", begun_by_them=False, promised=False)
    assert stands is S.QUEUED


def test_every_state_of_a_message_has_its_standing() -> None:
    assert set(rules.OF_DELIVERY) == set(DeliveryState)
    assert set(rules.OF_ANSWER) == set(Says)


BY_HAND: Final = {
    # what a person says: from where
    S.CONSENT_ASKED: {S.CONSENT_TO_ASK, S.WITHHELD},
    S.CONSENT_REFUSED: {S.CONSENT_TO_ASK, S.CONSENT_ASKED, S.TO_APPROVE, S.WITHHELD, S.NEEDS_OTHER_CHANNEL, S.PARKED},
    S.ACCEPTED: set(rules.HEARD),
    S.DECLINED: set(rules.HEARD),
    S.MORE_INFORMATION: set(rules.HEARD),
    S.MEETING_PLANNED: {*rules.HEARD, S.ANSWER_SENT},
    S.TO_ANSWER: {S.ANSWER_SENT, S.WITH_THE_DOCTOR, S.CLOSED},
    S.WITH_THE_DOCTOR: {S.TO_ANSWER},
    S.CLOSED: set(Standing) - {S.CLOSED, S.TAKEN_BACK, S.QUEUED},
}


@pytest.mark.parametrize(("before", "to"), list(product(Standing, Standing)))
def test_what_a_person_may_say(before: Standing, to: Standing) -> None:
    assert rules.may_step(before, to) is (before in BY_HAND.get(to, set()))


MEETING_COMES_OF: Final = {
    # who began it: where it may stand when a meeting comes out of it
    False: set(rules.HEARD),
    True: set(Standing) - {S.CLOSED, S.TAKEN_BACK, S.WITH_THE_DOCTOR},
}


@pytest.mark.parametrize(("standing", "theirs"), list(product(Standing, MEETING_COMES_OF)))
def test_a_meeting_comes_of_what_the_other_party_has_heard_or_asked(standing: Standing, theirs: bool) -> None:
    assert rules.may_meet(standing, begun_by_them=theirs) is (standing in MEETING_COMES_OF[theirs])


def test_nobody_says_by_hand_that_something_was_delivered() -> None:
    automatic = {S.QUEUED, S.INFORMED, S.ANSWERED, S.OVERDUE, S.ANSWER_SENT, S.PARKED, S.WITHHELD}
    assert not [to for to in automatic if any(rules.may_step(before, to) for before in Standing)]


@pytest.mark.parametrize("before", Standing)
def test_an_answer_is_never_lost(before: Standing) -> None:
    assert rules.after(before, Happened.ANSWER_CAME) is S.ANSWERED


@pytest.mark.parametrize("before", Standing)
def test_only_who_waits_for_an_answer_waits_too_long(before: Standing) -> None:
    assert rules.after(before, Happened.ANSWER_DUE) is (S.OVERDUE if before is S.INFORMED else before)


@pytest.mark.parametrize("before", Standing)
def test_whoever_reminds_has_not_got_the_answer(before: Standing) -> None:
    expected = S.TO_ANSWER if before in (S.ANSWER_SENT, S.CLOSED) else before
    assert rules.after(before, Happened.REMINDED) is expected


TOLD: Final = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("kind", "agreed", "due"),
    [
        (RecipientKind.FORSAKRINGSKASSAN, None, date(2026, 3, 11)),
        (RecipientKind.FORSAKRINGSKASSAN, 14, date(2026, 3, 18)),
        (RecipientKind.FORSAKRINGSKASSAN, 0, date(2026, 3, 4)),
        (RecipientKind.EMPLOYER, None, None),
        (RecipientKind.ARBETSFORMEDLINGEN, 14, None),
        (RecipientKind.MUNICIPALITY, None, None),
    ],
)
def test_until_when_an_answer_is_in_time(kind: RecipientKind, agreed: int | None, due: date | None) -> None:
    region = RegionalProfile("Test", frozenset({ContactMode.VISIT}), answer_days=agreed)
    assert rules.answer_due(kind, region, TOLD) == due


FORM: Final = {
    # topic, answers, reminds, complements, last day: what is wrong
    (Topic.OTHER, False, False, False, False): (),
    (Topic.MEETING, True, False, False, False): (),
    (Topic.CONTACT, False, False, False, True): (),
    (Topic.COMPLEMENT, False, False, True, True): (),
    (Topic.COMPLEMENT, False, False, False, False): (),
    (Topic.REMINDER, False, True, False, False): (),
    (None, False, False, False, False): (Refusal.TOPIC_UNKNOWN,),
    (Topic.REMINDER, False, False, False, False): (Refusal.REMINDER_AND_TOPIC,),
    (Topic.OTHER, False, True, False, False): (Refusal.REMINDER_AND_TOPIC,),
    (Topic.OTHER, False, False, True, False): (Refusal.COMPLEMENT_AND_TOPIC,),
    (Topic.CONTACT, True, False, False, True): (Refusal.LAST_DAY_ON_ANSWER,),
    (Topic.REMINDER, False, True, False, True): (Refusal.LAST_DAY_ON_ANSWER,),
    (None, True, True, True, True): (
        Refusal.TOPIC_UNKNOWN,
        Refusal.REMINDER_AND_TOPIC,
        Refusal.COMPLEMENT_AND_TOPIC,
        Refusal.LAST_DAY_ON_ANSWER,
    ),
}


@pytest.mark.parametrize("case", FORM)
def test_what_is_wrong_with_a_message_as_such(case: tuple[Topic | None, bool, bool, bool, bool]) -> None:
    topic, answers, reminds, complements, last_day = case
    wrong = rules.refusals_of_form(
        topic, is_answer=answers, is_reminder=reminds, has_complements=complements, has_last_day=last_day
    )
    assert wrong == FORM[case]


def test_the_reason_of_a_refusal_is_the_consent_rules_own_word() -> None:
    assert Reason.REFUSED.value == "refused"


@pytest.mark.parametrize(
    ("says", "reason", "officer", "next_step", "missing"),
    [
        (Says.DECLINED, "behandling pågår", "", "", ""),
        (Says.DECLINED, " ", "Frida", "samtal", "a no is told with its reason"),
        (Says.ACCEPTED, "", "Frida", "", ""),
        (Says.ACCEPTED, "", "", "samtal", ""),
        (Says.ACCEPTED, "därför", " ", "", "a yes names the officer or the next step"),
        (Says.MORE_INFORMATION, "", "", "", ""),
        (Says.MEETING, "", "", "", ""),
    ],
)
def test_what_an_answer_is_told_with(says: Says, reason: str, officer: str, next_step: str, missing: str) -> None:
    assert rules.missing_in_answer(says, reason=reason, officer=officer, next_step=next_step) == missing


@pytest.mark.parametrize(
    ("asked", "answered", "differs"),
    [
        (Topic.MEETING, Topic.MEETING, False),
        (Topic.MEETING, Topic.CONTACT, True),
        (Topic.ASSUMED_REHAB_NEED, Topic.OTHER, False),
        (Topic.ASSUMED_REHAB_NEED, Topic.CONTACT, True),
        (Topic.SIP, Topic.OTHER, False),
        (Topic.CONTACT, None, False),
    ],
)
def test_an_answer_has_the_topic_of_its_question(asked: Topic, answered: Topic | None, differs: bool) -> None:
    assert rules.answers_another_topic(asked, answered) is differs
