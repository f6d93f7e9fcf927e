"""Meetings with other parties: FHIR R4 ``Task`` out. What is written reads back as the same meeting (``meeting``)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contracts.activity import Identifier
from contracts.consent import Recipient
from contracts.meeting import Meeting, MeetingOutput, Part, Participant, Shared
from contracts.record import Document
from fhir_mappings import people, primitives
from fhir_mappings.document import from_content, with_elements
from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    EXT_CAME,
    EXT_CONTACT_MODE,
    EXT_INVITATION,
    EXT_MEETING_ANSWER,
    EXT_PARTICIPANT_NAME,
    EXT_PARTY_KIND,
    EXT_SHARED_AT,
    EXT_SHARED_BASIS,
    EXT_SHARED_WITH,
    EXT_WITH_SICK_LEAVE,
    MEETING_OUTPUT,
    MEETING_PARTICIPANT,
)
from fhir_mappings.meeting import input_id, place
from fhir_mappings.primitives import Json


def to_fhir(meeting: Meeting, *, unit: Json, authored: datetime, identifier: Identifier | None = None) -> Document:
    """The Task of a new meeting. ``unit`` is the reference to the care unit whose meeting it is, ``identifier`` what the
    system that planned it calls it."""
    elements: dict[str, Any] = {
        "resourceType": "Task",
        "identifier": [primitives.identifier(identifier.system, identifier.value)] if identifier else [],
        **_elements(meeting, {}, unit),
        "intent": "plan",
        "for": {"reference": f"Patient/{meeting.patient}"},
        "authoredOn": primitives.to_instant(authored),
        "requester": _named(meeting, meeting.called_by, unit),
        "owner": unit,
    }
    return from_content({name: value for name, value in elements.items() if value})


def changed(document: Document, meeting: Meeting, at: datetime) -> Document:
    """The Task as the meeting stands now. What it says beside that stays as it came, and so do the references by which it
    names people and parties. The same document where nothing is new."""
    before = document.content
    elements = _elements(meeting, before, before["owner"])
    news = with_elements(document, {name: value or None for name, value in elements.items()})
    return news if news is document else with_elements(news, {"lastModified": primitives.to_instant(at)})


def _elements(meeting: Meeting, before: Json, unit: Json) -> dict[str, Any]:
    """Everything of a meeting that may change."""
    others = [each for each in before.get("partOf", ()) if (primitives.literal(each) or ("",))[0] != "Task"]
    return {
        "extension": _extensions(meeting, before),
        "partOf": others + ([{"reference": meeting.dialogue}] if meeting.dialogue else []),
        "status": str(meeting.status),
        "statusReason": {**before.get("statusReason", {}), "text": meeting.reason} if meeting.reason else None,
        "code": _code(meeting, before),
        "description": meeting.purpose,
        "executionPeriod": _period(meeting),
        "location": _location(meeting, before),
        "input": [*_taking_part(meeting, before), *_working(meeting, unit)],
        "output": _outputs(meeting, before),
    }


def _code(meeting: Meeting, before: Json) -> dict[str, Any]:
    stated: Json = before.get("code", {})
    theirs = [each for each in stated.get("coding", ()) if each.get("system") != ACTIVITY_KIND]
    ours = [primitives.coding(ACTIVITY_KIND, kind) for kind in (meeting.kind, *meeting.also)]
    return {**stated, "coding": ours + theirs}


def _extensions(meeting: Meeting, before: Json) -> list[Any]:
    ours = (EXT_CONTACT_MODE, EXT_WITH_SICK_LEAVE)
    theirs = [each for each in before.get("extension", ()) if each["url"] not in ours]
    mode = [{"url": EXT_CONTACT_MODE, "valueCode": str(meeting.mode)}] if meeting.mode else []
    preventive = [] if meeting.with_sick_leave else [{"url": EXT_WITH_SICK_LEAVE, "valueBoolean": False}]
    return theirs + mode + preventive


def _period(meeting: Meeting) -> dict[str, str]:
    ends = {"start": meeting.start, "end": meeting.end}
    return {name: primitives.to_instant(at) for name, at in ends.items() if at is not None}


def _location(meeting: Meeting, before: Json) -> Any:
    if meeting.place == place(before):
        return before.get("location")
    return {"display": meeting.place} if meeting.place else None


# ---- Who takes part ----------------------------------------------------------------------------------------------


def _taking_part(meeting: Meeting, before: Json) -> list[dict[str, Any]]:
    inputs = ((each, input_id(each, index)) for index, each in enumerate(before.get("input", ())))
    earlier: dict[str, Json] = {id: each for each, id in inputs if not _is_work(each)}
    return [_participant(meeting, each, earlier.get(each.id, {})) for each in meeting.participants]


def _is_work(each: Json) -> bool:
    """Whether an input says who chairs or documents: those are written anew, and name nobody who takes part."""
    found = primitives.coded(each["type"], "", MEETING_PARTICIPANT)
    return any(code in (Part.CHAIR, Part.SECRETARY) for code, _ in found)


def _participant(meeting: Meeting, who: Participant, earlier: Json) -> dict[str, Any]:
    theirs = [each for each in earlier.get("extension", ()) if each["url"] not in _SAID_OF]
    kind = earlier.get("type") or primitives.concept(MEETING_PARTICIPANT, who.part)
    kind = {**kind, "text": who.role} if who.role else kind
    value = {name: each for name, each in earlier.items() if name.startswith("value")} or _value(meeting, who)
    return {"id": who.id, "extension": theirs + _said_of(who), "type": kind, **value}


def _value(meeting: Meeting, who: Participant) -> dict[str, Any]:
    if who.part is Part.PATIENT:
        return {"valueReference": {"reference": f"Patient/{meeting.patient}"}}
    if who.party is None:
        return {"valueString": who.name or who.role}
    return {"valueReference": _reference_to(who.party)}


_SAID_OF: Final = (EXT_PARTY_KIND, EXT_PARTICIPANT_NAME, EXT_MEETING_ANSWER, EXT_CAME, EXT_INVITATION)


def _said_of(who: Participant) -> list[dict[str, Any]]:
    return _stated(
        {
            EXT_PARTY_KIND: {"valueCode": str(who.party.kind)} if who.party else None,
            EXT_PARTICIPANT_NAME: {"valueString": who.name} if who.party and who.name else None,
            EXT_MEETING_ANSWER: {"valueCode": str(who.answer)},
            EXT_CAME: None if who.came is None else {"valueBoolean": who.came},
            EXT_INVITATION: _reference(who.invitation),
        }
    )


def _working(meeting: Meeting, unit: Json) -> list[dict[str, Any]]:
    """Who chairs and who documents."""
    work = ((Part.CHAIR, meeting.chair), (Part.SECRETARY, meeting.secretary))
    return [
        {"type": primitives.concept(MEETING_PARTICIPANT, part), "valueReference": _named(meeting, key, unit)}
        for part, key in work
    ]


def _named(meeting: Meeting, key: str, unit: Json) -> Json:
    """A reference to the party with the key; empty: to the unit."""
    parties = (each.party for each in meeting.parties if each.party is not None)
    found = next((party for party in parties if party.party == key), None)
    return unit if found is None else _reference_to(found)


def _reference_to(party: Recipient) -> dict[str, Any]:
    return people.recipient_reference(party, by_number=True)[0]


# ---- What came of it ---------------------------------------------------------------------------------------------


def _outputs(meeting: Meeting, before: Json) -> list[Any]:
    theirs = [each for each in before.get("output", ()) if not primitives.coded(each["type"], "", MEETING_OUTPUT)]
    follow_up = meeting.follow_up
    said = (
        (MeetingOutput.ACTIVITY, _reference(meeting.activity)),
        (MeetingOutput.OUTCOME, _text(meeting.outcome)),
        (MeetingOutput.FOLLOW_UP, _text(follow_up.how if follow_up else "")),
        (MeetingOutput.FOLLOW_UP_DATE, {"valueDate": follow_up.on.isoformat()} if follow_up and follow_up.on else None),
        (MeetingOutput.PLAN, _reference(meeting.plan)),
        (MeetingOutput.NO_PLAN, _text(meeting.why_no_plan)),
        *((MeetingOutput.DOCUMENTATION, _reference(each)) for each in meeting.documents),
        *((MeetingOutput.SHARED, _given(each, meeting.patient)) for each in meeting.shared),
    )
    ours = [{"type": primitives.concept(MEETING_OUTPUT, output), **value} for output, value in said if value]
    return theirs + ours


def _text(text: str) -> dict[str, Any] | None:
    return {"valueString": text} if text else None


def _reference(target: str) -> dict[str, Any] | None:
    return {"valueReference": {"reference": target}} if target else None


def _given(shared: Shared, patient: str) -> dict[str, Any]:
    to = {"reference": f"Patient/{patient}"} if shared.to is None else _reference_to(shared.to)
    said = _stated(
        {
            EXT_SHARED_WITH: {"valueReference": to},
            EXT_PARTY_KIND: {"valueCode": str(shared.to.kind)} if shared.to else None,
            EXT_SHARED_AT: {"valueDateTime": primitives.to_instant(shared.at)},
            EXT_SHARED_BASIS: {"valueString": str(shared.basis)} if shared.basis else None,
        }
    )
    return {"extension": said, "valueReference": {"reference": shared.document}}


def _stated(said: Mapping[str, dict[str, Any] | None]) -> list[dict[str, Any]]:
    return [{"url": url, **value} for url, value in said.items() if value]
