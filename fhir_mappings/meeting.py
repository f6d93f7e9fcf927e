"""Meetings with other parties: FHIR R4 ``Task`` in (``meeting_task`` writes it).

``code`` is the kind of meeting, ``input`` who takes part, ``output`` what came of it, ``partOf`` the dialogue that it came out of.
Its versions are the meeting's history. Sources: fhir_sweden.md § 5.3; glossary terms 19-25; http://hl7.org/fhir/R4/task.html
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from contracts.activity import ActivityKind, ContactMode
from contracts.consent import LegalBasis, Recipient, RecipientKind
from contracts.errors import IssueType
from contracts.meeting import (
    MEETINGS,
    FollowUp,
    Meeting,
    MeetingAnswer,
    MeetingOutput,
    MeetingStatus,
    Part,
    Participant,
    Shared,
)
from contracts.people import Party
from fhir_mappings import people, primitives
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
from fhir_mappings.labels import is_restricted
from fhir_mappings.people import PartyOf
from fhir_mappings.primitives import Json
from fhir_mappings.reading import Reading

_UNKNOWN: Final = "unknown"
"""Who does something at the meeting, where that cannot be told: nobody's key, so that the rules refuse it."""


def is_meeting(task: Json) -> bool:
    """Whether the Task says that it is a meeting, by its code."""
    return any(code in set(MEETINGS) for code, _ in primitives.coded(task.get("code"), "", ACTIVITY_KIND))


def from_fhir(task: Json, party_of: PartyOf = Party) -> Meeting:
    """A meeting's Task. ``party_of`` finds the organisation behind a literal reference. Raises ``Invalid``."""
    reading = Reading(task)
    kinds = _kinds(task, reading)
    told = _Told(task, reading, party_of)
    period: Json = task.get("executionPeriod", {})
    status = reading.member(task.get("status", ""), "Task.status", MeetingStatus, "meeting-status")
    meeting = Meeting(
        patient=reading.patient(task, "Task", "for"),
        kind=next((each for each in kinds if each in MEETINGS), MEETINGS[0]),
        status=status or MeetingStatus.ENTERED_IN_ERROR,
        participants=told.participants(),
        also=tuple(each for each in kinds if each not in MEETINGS),
        called_by=told.by(task.get("requester", {})),
        chair=told.doing(Part.CHAIR),
        secretary=told.doing(Part.SECRETARY),
        start=reading.instant(period.get("start"), "Task.executionPeriod", "start"),
        end=reading.instant(period.get("end"), "Task.executionPeriod", "end"),
        mode=reading.extension_member(task, "Task", EXT_CONTACT_MODE, ContactMode, "contact-mode"),
        place=place(task),
        purpose=task.get("description", ""),
        with_sick_leave=reading.extension(task, "Task", EXT_WITH_SICK_LEAVE, "valueBoolean") is not False,
        dialogue=_dialogue(task),
        outcome=told.text(MeetingOutput.OUTCOME),
        follow_up=told.follow_up(),
        plan=next(iter(told.references(MeetingOutput.PLAN, "CarePlan")), ""),
        why_no_plan=told.text(MeetingOutput.NO_PLAN),
        documents=told.references(MeetingOutput.DOCUMENTATION, "DocumentReference", "Binary"),
        shared=told.shared(),
        activity=next(iter(told.references(MeetingOutput.ACTIVITY, "Procedure")), ""),
        reason=task.get("statusReason", {}).get("text", ""),
        restricted=is_restricted(task),
    )
    for at in primitives.condition_references(task, "Task", "basedOn"):
        reading.note(IssueType.BUSINESS_RULE, at, "a meeting carries no diagnosis and points at none", "no-diagnosis")
    reading.close()
    return meeting


def _kinds(task: Json, reading: Reading) -> list[ActivityKind]:
    kinds = reading.members(
        primitives.coded(task.get("code"), "Task.code", ACTIVITY_KIND), ActivityKind, "meeting-kind"
    )
    if len({each for each in kinds if each in MEETINGS}) != 1:
        text = "which meeting it is: one of " + ", ".join(MEETINGS)
        reading.note(IssueType.REQUIRED, "Task.code", text, "meeting-kind")
    return list(dict.fromkeys(kinds))


def place(task: Json) -> str:
    """Where, in words."""
    location: Json = task.get("location", {})
    return str(location.get("display") or location.get("reference", ""))


def input_id(each: Json, index: int) -> str:
    """What an input is called: by its own id, else by its place."""
    return str(each.get("id", f"p{index + 1}"))


def _target(element: Json, name: str) -> tuple[str, str] | None:
    return primitives.literal(element.get(name, {}))


def _dialogue(task: Json) -> str:
    targets = (primitives.literal(each) for each in task.get("partOf", ()))
    return next(("/".join(target) for target in targets if target and target[0] == "Task"), "")


class _Told:
    """What a Task's input and output tell."""

    def __init__(self, task: Json, reading: Reading, party_of: PartyOf) -> None:
        self._task, self._reading, self._party_of = task, reading, party_of
        self._owner = self._key(task.get("owner", {}))
        self._inputs = [(each, self._part(each, index)) for index, each in enumerate(task.get("input", ()))]

    # Who takes part

    def participants(self) -> tuple[Participant, ...]:
        """In the order of the Task. Whoever has no id of her own is named by her place."""
        return tuple(
            self._participant(each, part, index)
            for index, (each, part) in enumerate(self._inputs)
            if part in (Part.PATIENT, Part.PARTY, Part.PERSON)
        )

    def _part(self, each: Json, index: int) -> Part | None:
        found = primitives.coded(each["type"], f"Task.input[{index}].type", MEETING_PARTICIPANT)
        return next(iter(self._reading.members(found, Part, "meeting-participant")), None)

    def _participant(self, each: Json, part: Part | None, index: int) -> Participant:
        at = f"Task.input[{index}]"
        if part is Part.PATIENT and _target(each, "valueReference") != _target(self._task, "for"):
            text = "the patient who takes part is the one whom the meeting is about"
            self._reading.note(IssueType.BUSINESS_RULE, f"{at}.value", text, "same-patient")
        answer = self._reading.extension_member(each, at, EXT_MEETING_ANSWER, MeetingAnswer, "meeting-answer")
        invitation, invited_at = self._reading.extension_at(each, at, EXT_INVITATION, "valueReference")
        return Participant(
            id=input_id(each, index),
            part=part or Part.PERSON,
            party=self._party(each, each.get("valueReference", {}), at) if part is Part.PARTY else None,
            name=_name(each),
            role=each["type"].get("text", ""),
            answer=answer or MeetingAnswer.NOT_YET,
            came=self._reading.extension(each, at, EXT_CAME, "valueBoolean"),
            invitation=self._target(invitation, invited_at, "CommunicationRequest") if invitation else "",
        )

    def _party(self, each: Json, reference: Json, at: str) -> Recipient | None:
        """The organisation, with what it is to the unit: by its number, else as ``party-kind`` says, else as it is known."""
        party = people.referenced_party(self._task, reference, self._party_of)
        kind = self._reading.extension_member(each, at, EXT_PARTY_KIND, RecipientKind, "meeting-party")
        if party is None:
            text = "a party is an organisation: Organization/<id>, or a right organisation number or HSA-id"
            self._reading.note(IssueType.VALUE, f"{at}.value", text, "meeting-party")
            return None
        told = replace(party, stated_kind=kind or party.stated_kind).as_recipient()
        if kind not in (None, told.kind):
            text = "this kind of party has another organisation number"
            self._reading.note(IssueType.BUSINESS_RULE, f"{at}.extension", text, "meeting-party")
        return told

    # Who does what

    def by(self, reference: Json) -> str:
        """The key of the party that a reference means; empty for the unit and for people."""
        if not reference or self._is_person(reference):
            return ""
        key = self._key(reference)
        return "" if key == self._owner else key

    def doing(self, part: Part) -> str:
        """Who has a part of the work, as ``by``: whoever calls the meeting, where nobody else is named."""
        found = (each.get("valueReference", {}) for each, stated in self._inputs if stated is part)
        return self.by(next(found, self._task.get("requester", {})))

    def _target(self, reference: Json | None, at: str, *types: str) -> str:
        return self._reading.target(reference, at, *types, rule="meeting-reference")

    def _is_person(self, reference: Json) -> bool:
        return reference.get("type") in _PEOPLE or (primitives.literal(reference) or ("",))[0] in _PEOPLE

    def _key(self, reference: Json) -> str:
        party = people.referenced_party(self._task, reference, self._party_of)
        return _UNKNOWN if party is None else party.key

    # What came of it

    def _outputs(self, output: MeetingOutput) -> Iterable[tuple[Json, str]]:
        for index, each in enumerate(self._task.get("output", ())):
            found = primitives.coded(each["type"], "", MEETING_OUTPUT)
            if found and found[0][0] == output:
                yield each, f"Task.output[{index}]"

    def text(self, output: MeetingOutput) -> str:
        """The words of the first output of the kind."""
        return next((str(each.get("valueString", "")) for each, _ in self._outputs(output)), "")

    def references(self, output: MeetingOutput, *types: str) -> tuple[str, ...]:
        """``Type/id`` of each output of the kind."""
        found = self._outputs(output)
        named = (self._target(each.get("valueReference"), f"{at}.value", *types) for each, at in found)
        return tuple(each for each in named if each)

    def follow_up(self) -> FollowUp | None:
        """How and when, if either is told."""
        days = (
            self._reading.swedish_date(each.get("valueDate") or each.get("valueDateTime"), f"{at}.value")
            for each, at in self._outputs(MeetingOutput.FOLLOW_UP_DATE)
        )
        how, on = self.text(MeetingOutput.FOLLOW_UP), next(days, None)
        return FollowUp(how, on) if how or on else None

    def shared(self) -> tuple[Shared, ...]:
        """Who has been given what."""
        given = (self._shared(each, at) for each, at in self._outputs(MeetingOutput.SHARED))
        return tuple(each for each in given if each is not None)

    def _shared(self, each: Json, at: str) -> Shared | None:
        document = self._target(each.get("valueReference"), f"{at}.value", "DocumentReference", "Binary")
        when = self._reading.instant(
            self._reading.extension(each, at, EXT_SHARED_AT, "valueDateTime"), f"{at}.extension"
        )
        to: Json = self._reading.extension(each, at, EXT_SHARED_WITH, "valueReference") or {}
        basis = self._reading.extension(each, at, EXT_SHARED_BASIS, "valueString")
        ground = None if basis is None else self._reading.member(basis, f"{at}.extension", LegalBasis, "shared-basis")
        is_patient = (primitives.literal(to) or ("",))[0] == "Patient"
        party = None if is_patient else self._party(each, to, at)
        return Shared(document, party, ground, when) if when else None


_PEOPLE: Final = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")


def _name(each: Json) -> str:
    """Who comes: of a party the person who speaks for it."""
    reference: Json = each.get("valueReference", {})
    named = primitives.extension_value(each, EXT_PARTICIPANT_NAME) or each.get("valueString")
    is_party = any(code == Part.PARTY for code, _ in primitives.coded(each["type"], "", MEETING_PARTICIPANT))
    return str(named or ("" if is_party else reference.get("display", "")))
