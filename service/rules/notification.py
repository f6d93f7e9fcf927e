"""What a unit may ask to have told to another party (Act 4 §; domain_rules.md 13-19, 25, 31)."""

from typing import Final

from contracts.consent import InformationCategory, Purpose, RecipientKind
from contracts.dialogue import OURS, Notification, Topic
from contracts.errors import Issue, IssueType

_NEVER: Final = {
    InformationCategory.DIAGNOSIS: "a diagnosis never stands in a message",
    InformationCategory.SENSITIVE_CIRCUMSTANCES: "answers on violence, abuse and family never go out",
}


def purpose(notification: Notification) -> Purpose:
    """What it is for: coordination, or where it answers on the duty to, the authority's own decision."""
    return Purpose.BENEFIT_DECISION if notification.duty else Purpose.COORDINATION


def faults(notification: Notification) -> tuple[Issue, ...]:
    """Why the request cannot be accepted as it stands; empty when it can."""
    return (
        *_wrong_topic(notification),
        *_wrong_parts(notification),
        *_missing_need(notification),
        *_unasked_duty(notification),
    )


def wrong_recipient(kind: RecipientKind) -> tuple[Issue, ...]:
    """Whoever calls a party a platform or a record system would tell it without the patient's consent (decision D17)."""
    if kind not in (RecipientKind.REGIONAL_PLATFORM, RecipientKind.RECORD_SYSTEM):
        return ()
    text = "a platform or a record system is told of records by itself, on a ground of its own: name a party"
    return (Issue(IssueType.BUSINESS_RULE, text, "CommunicationRequest.recipient", rule="recipient-is-a-party"),)


def wrong_answer(notification: Notification, asked: Topic | None) -> tuple[Issue, ...]:
    """Why it cannot be the answer to a question about ``asked``; empty when it can (domain rule 16)."""
    at = "CommunicationRequest.extension"
    if asked is Topic.COMPLEMENT:
        text = "a complement of a certificate is the issuing doctor's to give, not the coordinator's"
        return (Issue(IssueType.BUSINESS_RULE, text, at, rule="complement-is-the-doctors"),)
    if asked is Topic.REMINDER:
        text = "a reminder has no answer of its own: answer what it reminds of"
        return (Issue(IssueType.BUSINESS_RULE, text, at, rule="reminder-has-no-answer"),)
    if asked is not None and asked is not notification.topic:
        text = f"an answer has the topic of its question: {asked}"
        return (Issue(IssueType.BUSINESS_RULE, text, "CommunicationRequest.category", rule="answer-topic"),)
    return ()


def _unasked_duty(notification: Notification) -> list[Issue]:
    """The duty to answer holds a request that has come, and nothing else (domain rule 9)."""
    if not notification.duty or notification.answers:
        return []
    text = "the duty to answer is a ground for answers alone: name the question"
    return [Issue(IssueType.BUSINESS_RULE, text, "CommunicationRequest.extension", rule="duty-answers-a-request")]


def _wrong_topic(notification: Notification) -> list[Issue]:
    if notification.topic in OURS:
        return []
    text = "complements and reminders are for the other party to write"
    return [Issue(IssueType.BUSINESS_RULE, text, "CommunicationRequest.category", rule="topic-not-ours")]


def _wrong_parts(notification: Notification) -> list[Issue]:
    blank = [
        Issue(
            IssueType.REQUIRED,
            "a part of the message says something",
            f"CommunicationRequest.payload[{index}]",
            rule="payload-text",
        )
        for index, part in enumerate(notification.parts)
        if not part.text.strip()
    ]
    return blank + [
        Issue(
            IssueType.BUSINESS_RULE,
            _NEVER[part.category],
            f"CommunicationRequest.payload[{index}]",
            rule="notification-never-sent",
        )
        for index, part in enumerate(notification.parts)
        if part.category in _NEVER
    ]


def _missing_need(notification: Notification) -> list[Issue]:
    if notification.topic is not Topic.ASSUMED_REHAB_NEED:
        return []
    if InformationCategory.ASSUMED_REHAB_NEED in notification.categories:
        return []
    return [
        Issue(
            IssueType.REQUIRED,
            "information under 4 § states the need that a person has judged",
            "CommunicationRequest.payload",
            rule="notification-states-the-need",
        )
    ]
