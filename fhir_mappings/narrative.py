"""A text in Swedish for people who read a Consent, CarePlan or Procedure where its sender wrote none.

The sender's own text stays as it came (decision D2). Ours is marked by the class of its ``div``, and is written anew whenever the
resource changes, also when it comes back in an update. Everything is escaped: names and words are data, never markup.
http://hl7.org/fhir/R4/narrative.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from html import escape
from typing import Final

from contracts.record import Document
from fhir_mappings import primitives, terminology
from fhir_mappings.activity import kva_codings
from fhir_mappings.document import with_elements
from fhir_mappings.goal import is_sensitive, words
from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    CONSENT_ACTION,
    CONSENT_KIND,
    CONTACT_MODE,
    EXT_CONSENT_EVENT,
    EXT_CONTACT_MODE,
    EXT_DECIDED_BY,
    EXT_LED_BY,
    INFORMATION_CATEGORY,
    NOT_DONE_REASON,
    PARTICIPATION_TYPE,
    PLAN_KIND,
)
from fhir_mappings.plan import follows_up
from fhir_mappings.primitives import Json, codes, extension_value
from fhir_mappings.terminology import Coded

_OPENING: Final = '<div xmlns="http://www.w3.org/1999/xhtml" lang="sv" class="rekobryggan">'

Line = tuple[str, str]
"""A label and what stands behind it; a line without the latter is left out."""


def with_narrative(document: Document) -> Document:
    """The document with a text of ours, if its type has one and nobody else's stands there."""
    lines = _LINES.get(document.type)
    text = document.content.get("text")
    if lines is None or (text is not None and not text["div"].startswith(_OPENING)):
        return document
    return with_elements(document, {"text": {"status": "generated", "div": _div(lines(document.content))}})


def _div(lines: Iterable[Line]) -> str:
    told = [f"<p><b>{_label(label)}</b>: {escape(said)}</p>" for label, said in lines if said]
    return f"{_OPENING}{''.join(told)}</div>"


_label: Final = lru_cache(1000)(escape)


# ---- What each type says -----------------------------------------------------------------------------------------


def _consent(content: Json) -> Iterator[Line]:
    provision: Json = content.get("provision", {})
    kind = codes(content.get("category", ()), "", CONSENT_KIND)
    denies = provision.get("type") == "deny"
    # What a refusal leaves out it means all of (decision D16).
    unsaid = "alla" if denies else ""
    answer = "Patienten säger nej" if denies else "Patienten säger ja"
    yield _words(CONSENT_KIND, [code for code, _ in kind]) or "Samtycke", answer
    yield "Läge", _CONSENT_STATUS.get(content["status"], "")
    yield "Sagt", _day(content.get("dateTime"))
    yield "Mottagare", _actor(provision, "IRCP") or unsaid
    yield "Enhet", _actor(provision, "CST") or _named(next(iter(content.get("organization", ())), {}))
    directions = codes(provision.get("action", ()), "", CONSENT_ACTION)
    yield "Riktning", ", ".join(_DIRECTION.get(code, "") for code, _ in directions)
    yield (
        "Ändamål",
        ", ".join(_PURPOSE.get(each.get("code", ""), "") for each in provision.get("purpose", ())) or unsaid,
    )
    found = codes(provision.get("code", ()), "", INFORMATION_CATEGORY)
    yield "Uppgifter", _words(INFORMATION_CATEGORY, [code for code, _ in found]) or unsaid
    yield "Gäller", _period(provision.get("period", {}))
    yield "Gäller till och med", str(extension_value(provision, EXT_CONSENT_EVENT) or "")


def _care_plan(content: Json) -> Iterator[Line]:
    kind = codes(content.get("category", ()), "", PLAN_KIND)
    yield _words(PLAN_KIND, [code for code, _ in kind]), content["title"]
    yield "Läge", _REQUEST_STATUS.get(content["status"], "")
    yield "Gäller", _period(content.get("period", {}))
    yield "Leds av", str(extension_value(content, EXT_LED_BY) or "")
    for activity in content.get("activity", ()):
        detail: Json = activity.get("detail", {})
        # What is held back from the patient has no place in a text that anybody may show (domain rule 31).
        label = "Uppföljning" if follows_up(detail) else "Åtgärd"
        yield label, "" if is_sensitive(detail) else "; ".join(filter(None, _measure(detail)))


def _measure(detail: Json) -> Iterator[str]:
    yield str(detail.get("description") or words(detail.get("code", {})))
    yield _day(detail.get("scheduledPeriod", {}).get("start"))
    yield ", ".join(filter(None, map(_named, detail.get("performer", ()))))
    decides = extension_value(detail, EXT_DECIDED_BY)
    yield f"beslut: {decides}" if decides else ""


def _procedure(content: Json) -> Iterator[Line]:
    kinds = [code for code, _ in primitives.coded(content.get("category"), "", ACTIVITY_KIND)]
    yield "Koordineringsinsats", _words(ACTIVITY_KIND, kinds)
    yield "Läge", _EVENT_STATUS.get(content["status"], "")
    reasons = [code for code, _ in primitives.coded(content.get("statusReason"), "", NOT_DONE_REASON)]
    yield "Skäl", _words(NOT_DONE_REASON, reasons)
    yield "När", _day(content.get("performedDateTime")) or _period(content.get("performedPeriod", {}))
    mode = extension_value(content, EXT_CONTACT_MODE)
    yield "Kontaktsätt", _words(CONTACT_MODE, [str(mode)] if mode else [])
    code: Json = content.get("code", {})
    yield "Vad", code.get("text", "")
    yield "KVÅ", "; ".join(f"{each.get('code', '')} {each.get('display', '')}".strip() for each in kva_codings(content))
    yield "Av", ", ".join(filter(None, (_named(each["actor"]) for each in content.get("performer", ()))))


_LINES: Final[Mapping[str, Callable[[Json], Iterator[Line]]]] = {
    "Consent": _consent,
    "CarePlan": _care_plan,
    "Procedure": _procedure,
}


# ---- Words -------------------------------------------------------------------------------------------------------

_CONSENT_STATUS: Final = {
    "draft": "utkast",
    "proposed": "föreslaget",
    "active": "gäller",
    "rejected": "avvisat",
    "inactive": "gäller inte längre",
    "entered-in-error": "felaktigt infört",
}
_REQUEST_STATUS: Final = {
    "draft": "utkast",
    "active": "gäller",
    "on-hold": "vilar",
    "revoked": "upphävd",
    "completed": "avslutad",
    "entered-in-error": "felaktigt införd",
    "unknown": "okänt",
}
_EVENT_STATUS: Final = {
    "preparation": "planerad",
    "in-progress": "pågår",
    "not-done": "blev inte av",
    "on-hold": "vilar",
    "stopped": "avbruten",
    "completed": "utförd",
    "entered-in-error": "felaktigt införd",
    "unknown": "okänt",
}
_PURPOSE: Final = {"COC": "koordinering", "ELIGDTRM": "beslut om ersättning"}
_DIRECTION: Final = {"disclose": "lämna ut", "collect": "fråga och få veta"}


def _words(system: str, found: list[str]) -> str:
    return ", ".join(filter(None, (_word(system, code) for code in dict.fromkeys(found))))


@lru_cache(1000)
def _word(system: str, code: str) -> str:
    """A code of our systems in Swedish; its words have never changed, so any day will do. Empty for what is no code."""
    concept = terminology.concept(Coded(system, code))
    return terminology.word(concept, "sv", date.max) if concept else ""


def _named(reference: Json) -> str:
    return str(reference.get("display", ""))


def _actor(provision: Json, role: str) -> str:
    acting = (each for each in provision.get("actor", ()) if role in _roles(each))
    return ", ".join(filter(None, (_named(each.get("reference", {})) for each in acting)))


def _roles(actor: Json) -> list[str]:
    return [code for code, _ in primitives.coded(actor.get("role"), "", PARTICIPATION_TYPE)]


def _day(text: str | None) -> str:
    return "" if text is None else primitives.swedish_date(text).isoformat()


def _period(period: Json) -> str:
    start, end = _day(period.get("start")), _day(period.get("end"))
    if start == end:
        return start
    return " ".join(filter(None, (start and f"från {start}", end and f"till {end}")))
