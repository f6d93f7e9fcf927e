"""What a unit may ask to have told (domain_rules.md 13, 25, 31; decision D20)."""

from dataclasses import replace

import pytest

from contracts.consent import InformationCategory, Purpose, RecipientKind
from contracts.dialogue import OURS, MessagePart, Notification, Topic
from contracts.errors import IssueType, Severity
from service.rules import notification

NEED = InformationCategory.ASSUMED_REHAB_NEED
MEETING = InformationCategory.MEETING_PARTICIPATION
DIAGNOSIS, SENSITIVE = InformationCategory.DIAGNOSIS, InformationCategory.SENSITIVE_CIRCUMSTANCES
NEVER = {DIAGNOSIS, SENSITIVE}

_PAYLOAD = "CommunicationRequest.payload"
_SENT, _NEED = "notification-never-sent", "notification-states-the-need"


def asked(topic: Topic, *categories: InformationCategory) -> Notification:
    parts = tuple(MessagePart(category, "Ordagrant ur samtalet") for category in categories)
    return Notification("p-1", "Organization/fk", topic, parts)


CASES: dict[str, tuple[Notification, list[tuple[str, str]]]] = {
    "a judged need": (asked(Topic.ASSUMED_REHAB_NEED, NEED), []),
    "a judged need and who takes part": (asked(Topic.ASSUMED_REHAB_NEED, MEETING, NEED), []),
    "4 § without the need": (asked(Topic.ASSUMED_REHAB_NEED, MEETING), [(_PAYLOAD, _NEED)]),
    "4 § without any text": (asked(Topic.ASSUMED_REHAB_NEED), [(_PAYLOAD, _NEED)]),
    "a meeting": (asked(Topic.MEETING, MEETING), []),
    "contact": (asked(Topic.CONTACT, InformationCategory.CONTACT_DETAILS), []),
    "something else": (asked(Topic.OTHER, InformationCategory.WORK_ADJUSTMENTS), []),
    "a meeting, with a diagnosis": (asked(Topic.MEETING, MEETING, DIAGNOSIS), [(f"{_PAYLOAD}[1]", _SENT)]),
    "contact, with answers on violence": (asked(Topic.CONTACT, SENSITIVE), [(f"{_PAYLOAD}[0]", _SENT)]),
    "everything at once": (
        asked(Topic.ASSUMED_REHAB_NEED, SENSITIVE, MEETING, DIAGNOSIS),
        [(f"{_PAYLOAD}[0]", _SENT), (f"{_PAYLOAD}[2]", _SENT), (_PAYLOAD, _NEED)],
    ),
}


@pytest.mark.parametrize(("request_", "expected"), CASES.values(), ids=CASES)
def test_a_request_to_tell(request_: Notification, expected: list[tuple[str, str]]) -> None:
    assert [(issue.expression, issue.rule) for issue in notification.faults(request_)] == expected


@pytest.mark.parametrize("topic", sorted(OURS))
@pytest.mark.parametrize("category", InformationCategory)
def test_what_is_never_told_whatever_it_is_about(topic: Topic, category: InformationCategory) -> None:
    issues = notification.faults(asked(topic, NEED, category))
    assert [issue.expression for issue in issues] == ([f"{_PAYLOAD}[1]"] if category in NEVER else [])


def test_a_fault_is_an_error_that_repeats_no_text() -> None:
    for request_, _ in CASES.values():
        for issue in notification.faults(request_):
            assert issue.severity is Severity.ERROR
            assert issue.type in (IssueType.BUSINESS_RULE, IssueType.REQUIRED)
            assert "Ordagrant" not in issue.text


def test_a_notification_is_for_coordination_but_an_answer_on_duty_for_the_decision() -> None:
    plain = asked(Topic.CONTACT, MEETING)
    assert notification.purpose(plain) is Purpose.COORDINATION
    assert notification.purpose(replace(plain, answers="Communication/q", duty="x")) is Purpose.BENEFIT_DECISION


def test_the_duty_to_answer_holds_answers_alone() -> None:
    on_duty = replace(asked(Topic.CONTACT, MEETING), duty="matters")
    assert [issue.rule for issue in notification.faults(on_duty)] == ["duty-answers-a-request"]
    assert notification.faults(replace(on_duty, answers="Communication/q")) == ()


@pytest.mark.parametrize("topic", Topic)
def test_complements_and_reminders_are_the_other_partys_to_write(topic: Topic) -> None:
    rules = [issue.rule for issue in notification.faults(asked(topic, NEED))]
    assert rules == ([] if topic in OURS else ["topic-not-ours"])


ANSWERS = {
    # what was asked: the topics with which it can be answered, or the rule that forbids every one
    Topic.MEETING: {Topic.MEETING},
    Topic.CONTACT: {Topic.CONTACT},
    Topic.OTHER: {Topic.OTHER},
    Topic.SIP: {Topic.SIP},
    Topic.COMPLEMENT: "complement-is-the-doctors",
    Topic.REMINDER: "reminder-has-no-answer",
    None: set(OURS),
}


@pytest.mark.parametrize("question", ANSWERS)
@pytest.mark.parametrize("topic", sorted(OURS))
def test_what_may_answer_what(question: Topic | None, topic: Topic) -> None:
    allowed = ANSWERS[question]
    rules = [issue.rule for issue in notification.wrong_answer(asked(topic, NEED), question)]
    if isinstance(allowed, str):
        assert rules == [allowed]
    else:
        assert rules == ([] if topic in allowed else ["answer-topic"])


@pytest.mark.parametrize("kind", RecipientKind)
def test_no_system_is_told_as_a_party(kind: RecipientKind) -> None:
    is_system = kind in (RecipientKind.REGIONAL_PLATFORM, RecipientKind.RECORD_SYSTEM)
    assert [issue.rule for issue in notification.wrong_recipient(kind)] == ["recipient-is-a-party"] * is_system
