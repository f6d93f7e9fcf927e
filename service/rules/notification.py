"""What a unit may ask to have told to another party, and by which channel (Act 4 §; domain_rules.md 13-19, 25, 31)."""

from typing import Final

from contracts.consent import InformationCategory, Purpose, RecipientKind
from contracts.dialogue import Notification, Topic
from contracts.errors import Issue, IssueType

_NEVER: Final = {
    InformationCategory.DIAGNOSIS: "a diagnosis never stands in a message",
    InformationCategory.SENSITIVE_CIRCUMSTANCES: "answers on violence, abuse and family never go out",
}

CHANNELS: Final = {RecipientKind.FORSAKRINGSKASSAN: "forsakringskassan"}
"""The channel that carries messages to a kind of recipient. Whoever is missing needs another channel."""

PURPOSE: Final = Purpose.COORDINATION
"""What every notification is for."""


def faults(notification: Notification) -> tuple[Issue, ...]:
    """Why the request cannot be accepted as it stands; empty when it can."""
    return tuple(_wrong_parts(notification)) + tuple(_missing_need(notification))


def _wrong_parts(notification: Notification) -> list[Issue]:
    return [
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
