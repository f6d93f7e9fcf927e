"""Coordination activities: FHIR R4 ``Procedure`` in, our codes on it, and what leaves for the regional platform.

Sources: fhir_sweden.md § 5.3; decisions D2, D8, D17; domain rules 20-25; contracts/wire/events.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contracts.activity import (
    ActivityKind,
    ActivityStatus,
    AppliedCode,
    CodedActivity,
    ContactMode,
    CoordinationActivity,
    NotDoneReason,
)
from contracts.errors import IssueType
from contracts.identity import HsaId
from contracts.record import Document
from fhir_mappings import people, primitives
from fhir_mappings.document import with_elements
from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    EXT_ACCOMPANYING_CODE,
    EXT_CODING_RULE,
    EXT_CONTACT_MODE,
    EXT_WITH_SICK_LEAVE,
    HSA_ID,
    ICD_10_SE,
    KVA,
    NOT_DONE_REASON,
)
from fhir_mappings.primitives import Json, coded, spellings
from fhir_mappings.reading import Reading

_KVA: Final = spellings(KVA)
_DIAGNOSIS_ELEMENTS: Final = ("reasonCode", "complication", "complicationDetail", "bodySite")
_MAY_TELL: Final = frozenset({*_DIAGNOSIS_ELEMENTS, "reasonReference", "contained"})
_UNCODED: Final = "not-done-uncoded"


# ---- FHIR in -----------------------------------------------------------------------------------------------------


def from_fhir(procedure: Json) -> CoordinationActivity:
    """What the rules need to know of a Procedure. Elements that tell of a diagnosis are listed, not refused: whether
    they may stand is a rule of the region."""
    reading = Reading(procedure)
    status = reading.member(procedure.get("status", ""), "Procedure.status", ActivityStatus) or ActivityStatus.UNKNOWN
    activity = CoordinationActivity(
        patient=reading.patient(procedure, "Procedure"),
        kinds=_kinds(procedure, reading),
        status=status,
        performed=_performed(procedure, status, reading),
        mode=reading.extension_member(procedure, "Procedure", EXT_CONTACT_MODE, ContactMode, "contact-mode"),
        not_done_reason=_not_done_reason(procedure, status, reading),
        with_sick_leave=reading.extension(procedure, "Procedure", EXT_WITH_SICK_LEAVE, "valueBoolean") is not False,
        part_of=_part_of(procedure),
        identifiers=primitives.identifiers(procedure),
        claimed_main=_claimed_main(procedure),
        claimed_accompanying=_claimed_accompanying(procedure),
        diagnosis_at=_diagnosis_at(procedure),
    )
    _check_uncoded(procedure, activity, reading)
    _check_performers(procedure, reading)
    reading.close()
    return activity


def kva_codings(procedure: Json) -> list[Json]:
    """The KVÅ codings on a Procedure as they stand: the main one, then the accompanying ones."""
    main = [each for each in procedure.get("code", {}).get("coding", ()) if each.get("system") in _KVA]
    beside = (each["valueCoding"] for each in procedure.get("extension", ()) if each["url"] == EXT_ACCOMPANYING_CODE)
    return [*main, *beside]


def _kinds(procedure: Json, reading: Reading) -> tuple[ActivityKind, ...]:
    found = coded(procedure.get("category"), "Procedure.category", ACTIVITY_KIND)
    return tuple(dict.fromkeys(reading.members(found, ActivityKind, "activity-kind")))


def _performed(procedure: Json, status: ActivityStatus, reading: Reading) -> datetime | None:
    period: Json = procedure.get("performedPeriod", {})
    stated = procedure.get("performedDateTime") or period.get("start")
    if stated is None and status is ActivityStatus.COMPLETED:
        text = "a completed activity says when: performedDateTime, or performedPeriod with a start"
        reading.note(IssueType.REQUIRED, "Procedure.performed", text, "performed-when")
    if period:
        return reading.period(period, "Procedure.performed").start
    return reading.instant(stated, "Procedure.performed")


def _not_done_reason(procedure: Json, status: ActivityStatus, reading: Reading) -> NotDoneReason | None:
    found = coded(procedure.get("statusReason"), "Procedure.statusReason", NOT_DONE_REASON)
    if status is not ActivityStatus.NOT_DONE:
        return None
    if not found:
        text = "why it did not come about is required: a coding of the not-done-reason code system"
        reading.note(IssueType.REQUIRED, "Procedure.statusReason", text, _UNCODED)
    reasons = reading.members(found, NotDoneReason, _UNCODED)
    return reading.only(reasons, "Procedure.statusReason", "why it did not come about", _UNCODED)


def _part_of(procedure: Json) -> str | None:
    targets = (primitives.literal(reference) for reference in procedure.get("partOf", ()))
    return next(("/".join(target) for target in targets if target and target[0] == "Procedure"), None)


def _claimed_main(procedure: Json) -> str | None:
    return next((code for code, _ in coded(procedure.get("code"), "Procedure.code", KVA)), None)


def _claimed_accompanying(procedure: Json) -> tuple[str, ...] | None:
    claimed = (
        str(extension.get("valueCoding", {}).get("code", ""))
        for extension in procedure.get("extension", ())
        if extension["url"] == EXT_ACCOMPANYING_CODE
    )
    return tuple(claimed) or None


def _check_uncoded(procedure: Json, activity: CoordinationActivity, reading: Reading) -> None:
    """What did not come about says so in words, and carries no KVÅ code."""
    if activity.status is not ActivityStatus.NOT_DONE:
        return
    if not procedure.get("code", {}).get("text"):
        reading.note(IssueType.REQUIRED, "Procedure.code.text", "what was tried is required, in words", _UNCODED)
    if activity.claimed_main is not None:
        text = "an activity that did not come about carries no KVÅ code"
        reading.note(IssueType.BUSINESS_RULE, "Procedure.code", text, _UNCODED)
    if activity.claimed_accompanying:
        text = "an activity that did not come about carries no accompanying code"
        reading.note(IssueType.BUSINESS_RULE, "Procedure.extension", text, _UNCODED)


def _check_performers(procedure: Json, reading: Reading) -> None:
    for index, performer in enumerate(procedure.get("performer", ())):
        for name in ("actor", "onBehalfOf"):
            if name in performer and (wrong := people.wrong_hsa_id(performer[name])):
                at = f"Procedure.performer[{index}].{name}.identifier.value"
                reading.note(IssueType.VALUE, at, wrong, "identity-check")


def _diagnosis_at(procedure: Json) -> tuple[str, ...]:
    category, code = procedure.get("category"), procedure.get("code")
    found = coded(category, "Procedure.category", ICD_10_SE) + coded(code, "Procedure.code", ICD_10_SE)
    coded_at = tuple(at for _, at in found)
    if _MAY_TELL.isdisjoint(procedure):
        return coded_at
    elements = tuple(f"Procedure.{name}" for name in _DIAGNOSIS_ELEMENTS if name in procedure)
    return elements + primitives.condition_references(procedure, "Procedure", "reasonReference") + coded_at


# ---- Our codes ---------------------------------------------------------------------------------------------------


def with_codes(document: Document, coded: CodedActivity, beside: Mapping[str, Any | None] | None = None) -> Document:
    """The document with the codes that the rules gave, in place of KVÅ codes that stood there; ``beside`` are elements that
    are set in the same go, as ``with_elements`` takes them.

    Without new codes, only those that a rule gave earlier go. Everything else stays as it came (D2); coding what is
    coded already changes nothing.
    """
    content = document.content
    changes = {"code": _main_code(content.get("code", {}), coded), "extension": _extensions(content, coded)}
    return with_elements(document, {**{name: value or None for name, value in changes.items()}, **(beside or {})})


def _main_code(code: Json, coded: CodedActivity) -> dict[str, Any]:
    earlier = code.get("coding", ())
    kept = [coding for coding in earlier if not _is_replaced(coding, coded)]
    if coded.main is not None:
        # In the place of the one that it replaces, so that a client finds its own codings where it put them.
        place = next((index for index, coding in enumerate(earlier) if _is_replaced(coding, coded)), 0)
        kept.insert(place, _coding(coded.main))
    return {name: value for name, value in {**code, "coding": kept}.items() if value}


def _extensions(content: Json, coded: CodedActivity) -> list[Json]:
    kept = [extension for extension in content.get("extension", ()) if not _is_replaced_extension(extension, coded)]
    return kept + [{"url": EXT_ACCOMPANYING_CODE, "valueCoding": _coding(code)} for code in coded.accompanying]


def _is_replaced(coding: Json, coded: CodedActivity) -> bool:
    is_kva = coding.get("system") in _KVA
    return is_kva and (coded.main is not None or primitives.extension_value(coding, EXT_CODING_RULE) is not None)


def _is_replaced_extension(extension: Json, coded: CodedActivity) -> bool:
    if extension["url"] != EXT_ACCOMPANYING_CODE:
        return False
    ours = primitives.extension_value(extension.get("valueCoding", {}), EXT_CODING_RULE) is not None
    return ours or bool(coded.codes)


def _coding(applied: AppliedCode) -> dict[str, Any]:
    rule = {"url": EXT_CODING_RULE, "valueString": applied.rule}
    return {"extension": [rule], "system": KVA.fhir, "code": applied.code, "display": applied.display}


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def to_fhir(
    activity: CoordinationActivity, *, employee: HsaId | None, unit: HsaId | None, note: str = "", text: str = ""
) -> dict[str, Any]:
    """The Procedure that says the activity, for systems that report without FHIR. It reads back as the same."""
    elements: dict[str, Any] = {
        "resourceType": "Procedure",
        "extension": _stated_extensions(activity),
        "identifier": [primitives.identifier(each.system, each.value) for each in activity.identifiers],
        "partOf": [{"reference": activity.part_of}] if activity.part_of else [],
        "status": str(activity.status),
        "statusReason": activity.not_done_reason and primitives.concept(NOT_DONE_REASON, activity.not_done_reason),
        "category": {"coding": [primitives.coding(ACTIVITY_KIND, kind) for kind in activity.kinds]},
        "code": _stated_code(activity, text),
        "subject": {"reference": f"Patient/{activity.patient}"},
        "performedDateTime": activity.performed and primitives.to_instant(activity.performed),
        "performer": _performer(employee, unit),
        "note": [{"text": note}] if note else [],
    }
    return {name: value for name, value in elements.items() if value}


def _stated_extensions(activity: CoordinationActivity) -> list[dict[str, Any]]:
    mode = [{"url": EXT_CONTACT_MODE, "valueCode": str(activity.mode)}] if activity.mode else []
    preventive = [] if activity.with_sick_leave else [{"url": EXT_WITH_SICK_LEAVE, "valueBoolean": False}]
    claimed = [
        {"url": EXT_ACCOMPANYING_CODE, "valueCoding": primitives.coding(KVA, code)}
        for code in activity.claimed_accompanying or ()
    ]
    return mode + preventive + claimed


def _stated_code(activity: CoordinationActivity, text: str) -> dict[str, Any]:
    code = primitives.concept(KVA, activity.claimed_main) if activity.claimed_main else {}
    return code | ({"text": text} if text else {})


def _performer(employee: HsaId | None, unit: HsaId | None) -> list[dict[str, Any]]:
    of_unit = primitives.logical(HSA_ID, unit.value, "Organization") if unit else None
    if employee is None:
        return [{"actor": of_unit}] if of_unit else []
    actor = {"actor": primitives.logical(HSA_ID, employee.value, "Practitioner")}
    return [actor | {"onBehalfOf": of_unit} if of_unit else actor]


# ---- The regional platform ---------------------------------------------------------------------------------------


def reduced(
    procedure: Json, version: int, updated: datetime | None = None, unit: HsaId | None = None
) -> dict[str, Any]:
    """What follow-up needs of a coded activity, as contracts/wire/events/activity.coded.v1 allows: no note, report,
    name or diagnosis. What is not named here never leaves, whatever a record system put in the Procedure.

    ``updated`` stands in where the Procedure has no ``meta.lastUpdated`` yet, ``unit`` where a performer's unit is not
    named by HSA-id.
    """
    elements: dict[str, Any] = {
        **retracted(procedure, version, updated),
        "extension": [
            {"url": EXT_ACCOMPANYING_CODE, "valueCoding": _bare_kva(extension["valueCoding"])}
            for extension in procedure.get("extension", ())
            if extension["url"] == EXT_ACCOMPANYING_CODE
        ],
        "status": procedure["status"],
        "category": _reduced_category(procedure),
        "code": _reduced_code(procedure),
        "performedDateTime": procedure.get("performedDateTime"),
        "performedPeriod": _ends(procedure.get("performedPeriod", {})),
        "performer": _reduced_performers(procedure, unit),
    }
    return {name: value for name, value in elements.items() if value}


def retracted(procedure: Json, version: int, updated: datetime | None = None) -> dict[str, Any]:
    """The least by which a receiver finds the activity that must no longer count."""
    at = procedure.get("meta", {}).get("lastUpdated") if updated is None else primitives.to_instant(updated)
    return {
        "resourceType": "Procedure",
        "id": procedure["id"],
        "meta": {"versionId": str(version), "lastUpdated": at},
        "status": str(ActivityStatus.ENTERED_IN_ERROR),
        "subject": {"reference": procedure["subject"]["reference"]},
    }


def _reduced_category(procedure: Json) -> dict[str, Any]:
    """Our own codes alone: those of others may name a diagnosis, and their displays anything."""
    found = coded(procedure.get("category"), "", ACTIVITY_KIND)
    return {"coding": [primitives.coding(ACTIVITY_KIND, code) for code, _ in found]} if found else {}


def _reduced_code(procedure: Json) -> dict[str, Any]:
    main = [_bare_kva(each) for each in procedure.get("code", {}).get("coding", ()) if each.get("system") in _KVA]
    return {"coding": main[:1]} if main else {}


def _bare_kva(coding: Json) -> dict[str, str]:
    return primitives.coding(KVA, coding["code"], coding.get("display", ""))


def _ends(period: Json) -> dict[str, str]:
    return {name: period[name] for name in ("start", "end") if name in period}


def _reduced_performers(procedure: Json, unit: HsaId | None) -> list[dict[str, Any]]:
    """The professions and the unit, never a person: the unit stands as the actor, which R4 demands."""
    found = [_reduced_performer(performer, unit) for performer in procedure.get("performer", ())] or [_acting(unit)]
    return [each for index, each in enumerate(found) if each and each not in found[:index]]


def _reduced_performer(performer: Json, unit: HsaId | None) -> dict[str, Any]:
    codings: list[Mapping[str, Any]] = performer.get("function", {}).get("coding", [])
    function = [
        primitives.coding(each["system"], each["code"]) for each in codings if {"system", "code"} <= each.keys()
    ]
    acting = _acting(people.staff_hsa_id(performer.get("onBehalfOf", {})) or unit)
    return {"function": {"coding": function}} | acting if function and acting else acting


def _acting(unit: HsaId | None) -> dict[str, Any]:
    return {"actor": {"identifier": primitives.identifier(HSA_ID, unit.value)}} if unit else {}
