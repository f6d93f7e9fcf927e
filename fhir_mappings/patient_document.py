"""What the patient's own document of a plan is made of beside the plan, and what is recorded of it: FHIR R4 in and out.

- Answers of the mapping: ``QuestionnaireResponse``, to which the plan points as ``supportingInfo``.
- That sensitive parts were released: ``Provenance``, which says who did what with which version, and why.
- That the document was handed over: ``Communication`` to the patient. It tells what was told to whom, when and how; a
  ``Provenance`` would tell only how the plan came about.

Domain rule 31; fhir_sweden.md §§ 5.1, 5.4.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from contracts.consent import InformationCategory
from contracts.identity import HsaId
from contracts.plan import Answer, HandedOver, Manner, Release
from contracts.record import Caller
from fhir_mappings import primitives
from fhir_mappings.identifiers import (
    EXT_EPISODE,
    EXT_INFORMATION_CATEGORY,
    EXT_TARGET_PART,
    HSA_ID,
    PARTICIPATION_MODE,
    PLAN_EVENT,
)
from fhir_mappings.primitives import Json, extension_value

HANDED_OVER: Final = "handed-over"
RELEASED: Final = "released-to-patient"
"""Codes of our CodeSystem ``plan-event``."""

HTML: Final = "text/html"
_PROVENANCE_ROLE: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_MEDIUM: Final = {Manner.PAPER: "WRITTEN", Manner.READ_TOGETHER: "FACE", Manner.DIGITAL: "ELECTRONIC"}
"""Codes of v3-ParticipationMode."""
_VERSIONED: Final = re.compile(r"CarePlan/(?P<id>[A-Za-z0-9\-.]{1,64})/_history/(?P<version>[0-9]{1,9})", re.ASCII)


# ---- Answers -----------------------------------------------------------------------------------------------------


def answers(content: Json) -> tuple[Answer, ...]:
    """The answers of a mapping, each question with its own. What no category marks as harmless counts as sensitive: nobody
    has said what it is about. A group's marking holds for what stands in it, and the sensitive one wins."""
    return tuple(_answers(content.get("item", ()), "item", None))


def _answers(items: Sequence[Json], at: str, inherited: bool | None) -> Iterator[Answer]:
    for index, item in enumerate(items):
        here = f"{at}[{index}]"
        sensitive = _sensitive(item, inherited)
        said = [each for each in item.get("answer", ()) if _value(each)]
        if said:
            text = ", ".join(map(_value, said))
            yield Answer(item.get("text", ""), text, sensitive is not False, here)
        yield from _answers(item.get("item", ()), f"{here}.item", sensitive)
        for number, answer in enumerate(item.get("answer", ())):
            yield from _answers(answer.get("item", ()), f"{here}.answer[{number}].item", sensitive)


def _sensitive(item: Json, inherited: bool | None) -> bool | None:
    """``None`` where neither the item nor what it stands in is marked."""
    category = extension_value(item, EXT_INFORMATION_CATEGORY)
    if inherited or category is None:
        return inherited
    return bool(category in (InformationCategory.SENSITIVE_CIRCUMSTANCES, InformationCategory.DIAGNOSIS))


def _value(answer: Json) -> str:
    """An answer in words; empty for what has none, as an attachment or a code alone."""
    name, value = next(((name, value) for name, value in answer.items() if name.startswith("value")), ("", ""))
    if isinstance(value, bool):
        return "Ja" if value else "Nej"
    if isinstance(value, Mapping):
        return str(value.get("display", "")) if name == "valueCoding" else _quantity(value)
    return str(value).replace(".", ",") if name == "valueDecimal" else str(value)


def _quantity(value: Json) -> str:
    number = str(value.get("value", "")).replace(".", ",")
    return f"{number} {value.get('unit', '')}".strip() if number else ""


# ---- Releases ----------------------------------------------------------------------------------------------------


def release(plan: str, parts: Sequence[str], by: Caller, at: datetime, why: str) -> dict[str, Any]:
    """The Provenance of a release: the plan, then each part (``Type/id/_history/version#where``) as a target of its own."""
    who = primitives.logical(HSA_ID, by.employee.value, "Practitioner")
    return {
        "resourceType": "Provenance",
        "target": [{"reference": plan}, *map(_target, parts)],
        "recorded": primitives.to_instant(at),
        "activity": primitives.concept(PLAN_EVENT, RELEASED),
        "reason": [{"text": why}],
        "agent": [
            {
                "type": primitives.concept(_PROVENANCE_ROLE, "author"),
                "who": who,
                "onBehalfOf": primitives.logical(HSA_ID, by.unit.value, "Organization"),
            }
        ],
    }


def _target(part: str) -> dict[str, Any]:
    reference = part.partition("/_history/")[0]
    return {"extension": [{"url": EXT_TARGET_PART, "valueString": part}], "reference": reference}


def releases(provenances: Iterable[Json]) -> tuple[Release, ...]:
    """Every part that any of them releases."""
    return tuple(release for each in provenances if _is_release(each) for release in _released(each))


def _is_release(provenance: Json) -> bool:
    return any(code == RELEASED for code, _ in primitives.coded(provenance.get("activity"), "", PLAN_EVENT))


def _released(provenance: Json) -> Iterator[Release]:
    at = primitives.instant(provenance["recorded"])
    by = _who(provenance["agent"][0]["who"])
    why = " ".join(each["text"] for each in provenance.get("reason", ()) if "text" in each)
    parts = (extension_value(target, EXT_TARGET_PART) for target in provenance["target"])
    return (Release(str(part), at, by, why) for part in parts if part)


def _who(reference: Json) -> str:
    return str(
        reference.get("display") or reference.get("identifier", {}).get("value") or reference.get("reference", "")
    )


# ---- Handing over ------------------------------------------------------------------------------------------------


def binary(patient: str, media: str, document: bytes) -> dict[str, Any]:
    """The document as a Binary about the patient."""
    return {
        "resourceType": "Binary",
        "contentType": media,
        "securityContext": {"reference": f"Patient/{patient}"},
        "data": base64.b64encode(document).decode(),
    }


def communication(
    plan: Json, patient: str, handed: HandedOver, sender: HsaId, document: bytes, address: str
) -> dict[str, Any]:
    """The Communication that says that the patient has been given the plan; ``address`` is where the document is kept."""
    identity = f"CarePlan/{plan['id']}"
    episodes = [each for each in plan.get("extension", ()) if each["url"] == EXT_EPISODE]
    elements = {
        "resourceType": "Communication",
        "extension": episodes,
        "basedOn": [{"reference": identity}],
        "status": "completed",
        "medium": [primitives.concept(PARTICIPATION_MODE, _MEDIUM[handed.manner])] if handed.manner else [],
        "subject": {"reference": f"Patient/{patient}"},
        "topic": primitives.concept(PLAN_EVENT, HANDED_OVER),
        "about": [{"reference": f"{identity}/_history/{handed.version}"}],
        "sent": primitives.to_instant(handed.at),
        "recipient": [{"reference": f"Patient/{patient}"}],
        "sender": primitives.logical(HSA_ID, sender.value, "Practitioner"),
        "payload": [{"contentAttachment": _attachment(document, address, handed.version)}],
        "note": [{"text": handed.why}] if handed.why else [],
    }
    return {name: value for name, value in elements.items() if value}


def _attachment(document: bytes, address: str, version: int) -> dict[str, Any]:
    """With its size and hash, so that a document that was changed later is known for one."""
    digest = hashlib.sha1(document, usedforsecurity=False).digest()
    return {
        "contentType": HTML,
        "language": "sv",
        "url": address,
        "size": len(document),
        "hash": base64.b64encode(digest).decode(),
        "title": f"Din plan, version {version}",
    }


def handed_over(content: Json, reference: str, plan: str) -> HandedOver | None:
    """What a Communication tells of the plan with that id having come to the patient, whoever wrote it; ``None`` if nothing
    or if it never took place."""
    topics = [code for code, _ in primitives.coded(content.get("topic"), "", PLAN_EVENT)]
    version = next((int(each["version"]) for each in _abouts(content) if each["id"] == plan), None)
    if HANDED_OVER not in topics or content["status"] != "completed" or version is None or "sent" not in content:
        return None
    mediums = [code for code, _ in primitives.codes(content.get("medium", ()), "", PARTICIPATION_MODE)]
    return HandedOver(
        reference,
        version,
        primitives.instant(content["sent"]),
        next((manner for manner, code in _MEDIUM.items() if code in mediums), None),
        _who(content.get("sender", {})),
        " ".join(each["text"] for each in content.get("note", ())),
    )


def _abouts(content: Json) -> Iterator[re.Match[str]]:
    found = (_VERSIONED.fullmatch(each.get("reference", "")) for each in content.get("about", ()))
    return (each for each in found if each is not None)
