"""What another party reads, in Swedish, whichever channel carries it (forsakringskassan.md § 6.4's checklist). Pure.

Nothing stands in it beyond the parts of the message, each of one information category, and whom to reach when contact details
are among them.
"""

import re
from collections.abc import Mapping
from typing import Final

from contracts.consent import InformationCategory
from contracts.dialogue import MessagePart, NextStep, PartyMessage, Sender, Topic

OPENINGS: Final[Mapping[Topic, str]] = {
    Topic.ASSUMED_REHAB_NEED: (
        "Information enligt 4 § lagen (2019:1297) om koordineringsinsatser för sjukskrivna patienter."
    ),
    Topic.SIP: "Kallelse till samordnad individuell plan (SIP), 16 kap. 4 § hälso- och sjukvårdslagen (2017:30).",
}
"""What the subject alone does not say."""

SUBJECTS: Final[Mapping[Topic, str]] = {
    Topic.ASSUMED_REHAB_NEED: "Information enligt 4 § lagen (2019:1297)",
    Topic.MEETING: "Avstämningsmöte",
    Topic.CONTACT: "Kontakt",
    Topic.SIP: "Samordnad individuell plan (SIP)",
    Topic.OTHER: "Övrigt",
    Topic.COMPLEMENT: "Komplettering",
    Topic.REMINDER: "Påminnelse",
}
"""A topic as a subject line and as people read it; it tells nobody's name."""

HEADINGS: Final[Mapping[InformationCategory, str]] = {
    InformationCategory.ASSUMED_REHAB_NEED: "Antaget behov av rehabilitering",
    InformationCategory.MEETING_PARTICIPATION: "Deltagande i möte",
    InformationCategory.CONTACT_DETAILS: "Kontaktuppgifter",
    InformationCategory.SICK_LEAVE_PERIOD_AND_DEGREE: "Sjukskrivningens period och grad",
    InformationCategory.TAPERING_PLAN: "Planerad nedtrappning",
    InformationCategory.WORK_ADJUSTMENTS: "Anpassningar i arbetet",
    InformationCategory.ACTIVITY_LIMITATION: "Aktivitetsbegränsning",
    InformationCategory.CARE_MEASURES: "Vårdens åtgärder",
    InformationCategory.CERTIFICATE_DOCUMENT: "Läkarintyg",
    InformationCategory.DIAGNOSIS: "Diagnos",
}
"""Sensitive circumstances have no heading: they never leave in a message (glossary, information categories)."""

WANTED: Final[Mapping[NextStep, str]] = {
    NextStep.CONTACT: "Vi önskar att ni tar kontakt.",
    NextStep.MEETING: "Vi önskar ett avstämningsmöte.",
    NextStep.INVESTIGATION: "Vi önskar att ni utreder behovet av rehabiliteringsåtgärder.",
}

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unwritable(ValueError):
    """The message cannot take this form. The text says why and never repeats what it carries. ``other_channel``: another
    channel may carry it."""

    def __init__(self, reason: str, *, other_channel: bool = False) -> None:
        super().__init__(reason)
        self.other_channel = other_channel


def text(message: PartyMessage) -> str:
    """The opening, that the patient has consented and when, each part under its heading, what the unit wishes, whom to reach.
    Raises ``Unwritable`` for a message without any text, and for a category that never leaves."""
    parts = [_part(part) for part in message.parts if part.text.strip()]
    if not parts:
        raise Unwritable("no part of the message has any text")
    wanted = WANTED[message.wanted] if message.wanted else ""
    return "\n\n".join(
        filter(None, (OPENINGS.get(message.topic), _consented(message), *parts, wanted, _contact(message)))
    )


def clean(content: str) -> str:
    """Without what XML 1.0 cannot carry: U+FFFD stands there, so that the reader sees that something was lost."""
    return _NOT_XML.sub("\ufffd", content.replace("\r\n", "\n").replace("\r", "\n"))


def _part(part: MessagePart) -> str:
    heading = HEADINGS.get(part.category)
    if heading is None:
        raise Unwritable(f"the category {part.category} is never sent")
    said = clean(part.text).strip()
    return f"{heading}:\nBifogas: {said}" if part.file else f"{heading}:\n{said}"


def _consented(message: PartyMessage) -> str:
    """Only where a consent is what it rests on."""
    given = message.consent_given
    return f"Patienten har samtyckt till att uppgifterna lämnas (samtycke {given.isoformat()})." if given else ""


def _contact(message: PartyMessage) -> str:
    """Empty when nobody may be named, or neither name nor telephone is known."""
    if InformationCategory.CONTACT_DETAILS not in message.categories:
        return ""
    ways = ", ".join(filter(None, contact_ways(message.sender)))
    return ways and f"Kontakt: {ways}"


def contact_ways(sender: Sender) -> tuple[str, str]:
    """The sender's name, and her telephone in words; each may be empty."""
    telephone = clean(sender.unit.telephone).strip()
    return clean(sender.name).strip(), telephone and f"telefon {telephone}"
