"""What the pages call things in a dialogue with another party, and what each standing means, in plain Swedish.

Codes are called what the guide calls them; what the rules and the outbox give as reasons in English is put into Swedish here.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from contracts.activity import ContactMode
from contracts.consent import Reason
from contracts.dialogue import Says, Standing
from contracts.meeting import MeetingStatus
from fhir_mappings import terminology
from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    ANSWER_SAYS,
    DIALOGUE_OUTPUT,
    DIALOGUE_STATE,
    MEETING_ANSWER,
    NOTIFICATION_TOPIC,
    RECIPIENT_KIND,
)
from fhir_mappings.terminology import Coded
from service.rules import channels

_SYSTEMS: Final = {
    "topic": NOTIFICATION_TOPIC,
    "party": RECIPIENT_KIND,
    "standing": DIALOGUE_STATE,
    "says": ANSWER_SAYS,
    "output": DIALOGUE_OUTPUT,
    "activity": ACTIVITY_KIND,
    "coming": MEETING_ANSWER,
}


def name(kind: str, code: str) -> str:
    """The guide's Swedish word for a code: of a ``topic``, a ``party``, a ``standing`` and so on."""
    concept = terminology.concept(Coded(_SYSTEMS[kind], code))
    return code if concept is None else terminology.word(concept, "sv", date.max)


MEANS: Final[Mapping[Standing, str]] = {
    Standing.CONSENT_TO_ASK: "Behovet är bedömt. Fråga patienten om samtycke innan något lämnas.",
    Standing.CONSENT_ASKED: (
        "Patienten är tillfrågad. Efter ett ja: registrera samtycket i journalsystemet och gör begäran aktiv där."
    ),
    Standing.CONSENT_REFUSED: "Patienten har sagt nej. Inget lämnas, och det är dokumenterat.",
    Standing.TO_APPROVE: "Läs meddelandet. Det skickas först när någon på enheten har godkänt det.",
    Standing.WITHHELD: "Meddelandet får inte lämnas nu och hålls inne.",
    Standing.QUEUED: "Meddelandet är på väg. Inget behöver göras.",
    Standing.NEEDS_OTHER_CHANNEL: "Inget system kan lämna meddelandet nu. Berätta själv, per telefon eller brev.",
    Standing.PARKED: "Meddelandet kom inte fram. Välj en annan väg, eller berätta själv.",
    Standing.INFORMED: "Motparten har fått meddelandet. Svar väntas.",
    Standing.OVERDUE: "Inget svar har kommit i tid. Hör av dig till motparten: ingen påminnelse skickas av sig själv.",
    Standing.ANSWERED: "Ett svar har kommit. Läs det och anteckna vad det betyder.",
    Standing.ACCEPTED: "Motparten har sagt ja.",
    Standing.DECLINED: "Motparten har sagt nej och angett skäl.",
    Standing.MORE_INFORMATION: "Motparten vill veta mer. Skriv en ny begäran i journalsystemet.",
    Standing.MEETING_PLANNED: "Ett möte är planerat.",
    Standing.TO_ANSWER: "Motparten väntar på svar. Svaret skrivs som en begäran i journalsystemet.",
    Standing.WITH_THE_DOCTOR: "Intyget ska kompletteras av läkaren som har utfärdat det.",
    Standing.ANSWER_SENT: "Enhetens svar har kommit fram.",
    Standing.CLOSED: "Dialogen är avslutad.",
    Standing.TAKEN_BACK: "Begäran togs tillbaka innan något lämnades.",
}
"""What each standing means, and what is to be done."""

STEPS: Final[Mapping[Standing, tuple[str, str]]] = {
    Standing.CONSENT_ASKED: ("Patienten är tillfrågad", "Svaret väntas. Inget lämnas innan."),
    Standing.CONSENT_REFUSED: ("Patienten har sagt nej", "Det som väntar tas tillbaka, och inget lämnas."),
    Standing.TO_ANSWER: ("Ska besvaras av enheten", "Dialogen väntar på ett svar från enheten."),
    Standing.WITH_THE_DOCTOR: ("Lämna till läkaren", "Läkaren svarar i intygssystemet."),
    Standing.CLOSED: ("Avsluta dialogen", "Det som inte är skickat tas tillbaka."),
}
"""Steps that a person takes by a button: what it says, and what follows."""
STAYS: Final = "Allt som har sagts står kvar."
"""What follows from ending a dialogue in which nothing waits."""

SAYS: Final[Mapping[Says, str]] = {
    Says.ACCEPTED: "Ja",
    Says.DECLINED: "Nej",
    Says.MORE_INFORMATION: "Vill ha mer information",
    Says.MEETING: "Ett möte",
}

MODES: Final[Mapping[ContactMode, str]] = {
    ContactMode.TELEPHONE: "Telefon",
    ContactMode.LETTER: "Brev",
    ContactMode.VISIT: "Besök",
    ContactMode.VIDEO: "Video",
    ContactMode.MESSAGE: "Meddelande i ett annat system",
}
"""How somebody is told or heard by hand."""

MANUAL: Final = channels.MANUAL
MEETINGS: Final[Mapping[MeetingStatus, str]] = {
    MeetingStatus.REQUESTED: "Föreslaget",
    MeetingStatus.ACCEPTED: "Bestämt",
    MeetingStatus.COMPLETED: "Hållet",
    MeetingStatus.CANCELLED: "Inställt",
    MeetingStatus.ENTERED_IN_ERROR: "Felregistrerat",
}
"""How far a meeting has come."""

CHANNELS: Final[Mapping[str, str]] = {
    channels.CERTIFICATE_DIALOGUE: "Ärendekommunikation om intyget",
    channels.SDK: "Säker digital kommunikation (SDK)",
    channels.MANUAL: "En person berättar: telefon, brev eller möte",
}

REFUSED: Final[Mapping[Reason, str]] = {
    Reason.CONSENT_COVERS: "samtycke finns",
    Reason.RECORD_OWNER: "journalsystemets egen uppgift",
    Reason.OWN_FOLLOW_UP: "vårdgivarens egen uppföljning",
    Reason.COORDINATION_WITHIN_PROVIDER: "koordinering inom vårdgivaren",
    Reason.ANSWERS_REQUEST: "svar på en myndighets begäran",
    Reason.EMERGENCY: "fara för liv eller hälsa",
    Reason.NO_COORDINATION_CONSENT: "patienten har inte samtyckt till koordinering",
    Reason.COORDINATION_CONSENT_ENDED: "samtycket till koordinering har upphört",
    Reason.COORDINATION_REFUSED: "patienten har sagt nej till koordinering",
    Reason.NO_CONSENT: "inget samtycke till att lämna uppgifterna är registrerat",
    Reason.OTHER_RECIPIENT: "samtycket gäller en annan mottagare",
    Reason.OTHER_DIRECTION: "samtycket gäller inte att lämna uppgifter",
    Reason.OTHER_PURPOSE: "samtycket gäller ett annat ändamål",
    Reason.OTHER_UNIT: "samtycket gäller en annan enhet",
    Reason.CATEGORY_NOT_COVERED: "samtycket täcker inte alla uppgifter i meddelandet",
    Reason.NOT_YET_VALID: "samtycket har inte börjat gälla",
    Reason.EXPIRED: "samtycket har gått ut",
    Reason.WITHDRAWN: "samtycket är återkallat",
    Reason.NOT_IN_FORCE: "samtycket gäller inte",
    Reason.REFUSED: "patienten har sagt nej",
    Reason.CONSENT_UNREADABLE: "ett registrerat samtycke kan inte läsas och måste rättas",
    Reason.PROTECTED_IDENTITY: "patienten har skyddade personuppgifter",
    Reason.NEVER_SENT: "meddelandet har uppgifter som aldrig lämnas",
    Reason.BASIS_NOT_APPLICABLE: "grunden gäller inte här",
    Reason.REGION_DEMANDS_CONSENT: "regionen kräver samtycke",
    Reason.OTHER_PROVIDER: "mottagaren hör till en annan vårdgivare",
    Reason.UNDER_BLOCK: "uppgifterna är spärrade",
    Reason.BLOCK_UNKNOWN: "det går inte att se om uppgifterna är spärrade",
    Reason.PRIVATE_PROVIDER: "grunden gäller bara offentliga vårdgivare",
    Reason.REQUEST_NOT_NAMED: "myndighetens begäran är inte angiven",
    Reason.NOTICE_NEEDS_CONSENT: "informationen kräver samtycke",
    Reason.GROUND_NOT_STATED: "grunden är inte angiven",
    Reason.GROUND_OVER: "den angivna grunden gäller inte längre",
}
"""What the consent rules say."""

REASONS: Final[Mapping[str, str]] = {
    "there is no electronic way to this recipient": "ingen elektronisk väg till mottagaren finns",
    "the recipient has a certificate that the message can be tied to": "mottagaren har ett intyg att knyta meddelandet till",
    "the recipient has a functional address": "mottagaren har en funktionsadress",
    "the dialogue about certificates is not connected here": "är inte ansluten här",
    "the patient takes part in Arbetsförmedlingen's programmes and has no certificate there": (
        "patienten deltar i Arbetsförmedlingens program och har inget intyg där"
    ),
    "the patient has no national number, which this channel needs": "patienten saknar personnummer, som den här vägen kräver",
    "no certificate of this patient is known: tell them by another channel, or pull the sick leaves": (
        "inget intyg för patienten är känt här"
    ),
    "the dialogue about certificates carries no files": "dialogen om intyg bär inga filer",
    "the recipient could not tell whom it is about: the patient has no national number": (
        "mottagaren skulle inte kunna se vem det gäller: patienten saknar personnummer"
    ),
    "no functional address of this recipient is known": "ingen funktionsadress till mottagaren är känd",
    "somebody on the unit reads it before it is sent": "enheten läser meddelanden innan de skickas",
    "the request was taken back": "begäran togs tillbaka",
    "the request was corrected": "begäran rättades",
    "the recipient has answered it": "motparten har svarat på meddelandet",
    "a certificate is known now": "ett intyg har blivit känt",
    "it is on its way by a system: a letter would tell the same twice": (
        "meddelandet är på väg av sig självt, och ett brev skulle säga samma sak två gånger"
    ),
    "nobody here knows the patient's name": "patientens namn är inte känt här",
    "no part of the message has any text": "meddelandet har ingen text",
}
"""What the rules of channels and the outbox say."""

_DEEDS: Final = (
    (re.compile(r"approved by (\S+)"), r"godkänt av \1"),
    (re.compile(r"told by (\w+) by (\S+)"), r"\2 berättade: {mode}"),
    (re.compile(r"released by (\S+): (.*)", re.DOTALL), r"\1 beslutade att det får lämnas: \2"),
    (re.compile(r"manual chosen by (\S+)"), r"\1 valde att en person berättar"),
    (re.compile(r"(\w+) chosen by (\S+)"), r"\2 valde en annan väg"),
    (re.compile(r"the category \w+ is never sent"), "meddelandet har uppgifter som aldrig lämnas"),
    (re.compile(r"given up after (\d+) tries: (.*)"), r"gavs upp efter \1 försök (\2)"),
    (re.compile(r"(.*); another channel may carry it"), r"mottagaren tog inte emot det: en annan väg kan fungera (\1)"),
)


def reason(text: str) -> str:
    """A reason in Swedish. What another system answered, and what a person wrote, stands as it is."""
    known = _known(text) or _several(text, ", ") or _several(text, "; ")
    return known or next((told for found in _DEEDS if (told := _deed(text, *found))), text)


def _known(text: str) -> str:
    return REFUSED[Reason(text)] if text in set(Reason) else REASONS.get(text, "")


def _several(text: str, between: str) -> str:
    told = [_known(part) for part in text.split(between)]
    return "; ".join(told) if all(told) else ""


def _deed(text: str, pattern: re.Pattern[str], words: str) -> str:
    match = pattern.fullmatch(text)
    if match is None:
        return ""
    modes = [MODES.get(mode, "") for mode in ContactMode if mode in match.groups()]
    return match.expand(words.replace("{mode}", "".join(modes).lower()))


DONE: Final[Mapping[str, str]] = {
    "steps": "Antecknat.",
    "answer": "Svaret är antecknat.",
    "approve": "Godkänt: meddelandet skickas nu.",
    "channel": "Vägen är vald.",
    "told": "Antecknat att motparten är meddelad.",
    "sorted": "Meddelandet hör nu till patienten.",
}
"""What a page says when something has just been done."""

STALE: Final = (
    "Dialogen har ändrats sedan sidan hämtades, och inget sparades. Läs hur den står nu, och skicka igen om det behövs."
)
NO_LONGER: Final = "Det går inte från där dialogen står nu. Inget sparades."
INCOMPLETE: Final = "Ett ja behöver handläggare eller nästa steg, och ett nej behöver ett skäl."
NOT_TOLD: Final = "Det får inte lämnas nu: {why}."
NO_NUMBER: Final = "Det är inget personnummer eller samordningsnummer: tolv siffror, med rätt kontrollsiffra."
NOBODY: Final = "Ingen patient på enheten har det numret. Lägg in patienten i journalsystemet först."
SORTED: Final = "Meddelandet hör redan till en patient."
"""What is said beside a form that was refused."""
