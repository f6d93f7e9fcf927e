"""Where a dialogue with another party stands: FHIR R4 ``Task`` in and out.

``groupIdentifier`` is the conversation, ``focus`` what began it, ``businessStatus`` the standing, ``restriction.period.end`` the
last day for an answer, ``output`` what the other party has said. Its versions are the dialogue's history.
Sources: forsakringskassan.md §§ 6.5, 7.1; glossary terms 12, 22; http://hl7.org/fhir/R4/task.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.consent import Recipient, RecipientKind
from contracts.dialogue import Dialogue, Output, Says, Standing, Topic
from contracts.identity import HsaId
from contracts.record import Document
from fhir_mappings import people, primitives
from fhir_mappings.document import from_content, with_elements
from fhir_mappings.identifiers import (
    ANSWER_SAYS,
    CONVERSATION_ID,
    DIALOGUE_OUTPUT,
    DIALOGUE_STATE,
    HSA_ID,
    NOTIFICATION_TOPIC,
    RECIPIENT_KIND,
)
from fhir_mappings.primitives import Json

_STATUS: Final[Mapping[Standing, str]] = {
    Standing.CONSENT_TO_ASK: "ready",
    Standing.CONSENT_ASKED: "in-progress",
    Standing.CONSENT_REFUSED: "cancelled",
    Standing.TO_APPROVE: "on-hold",
    Standing.WITHHELD: "on-hold",
    Standing.QUEUED: "in-progress",
    Standing.NEEDS_OTHER_CHANNEL: "on-hold",
    Standing.PARKED: "on-hold",
    Standing.INFORMED: "in-progress",
    Standing.OVERDUE: "in-progress",
    Standing.ANSWERED: "in-progress",
    Standing.ACCEPTED: "accepted",
    Standing.DECLINED: "rejected",
    Standing.MORE_INFORMATION: "in-progress",
    Standing.MEETING_PLANNED: "accepted",
    Standing.TO_ANSWER: "requested",
    Standing.WITH_THE_DOCTOR: "received",
    Standing.ANSWER_SENT: "completed",
    Standing.CLOSED: "completed",
    Standing.TAKEN_BACK: "cancelled",
}
"""FHIR's own states, which say less."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a dialogue has given: a text, a code, or a reference (``Type/id``)."""

    output: Output
    value: str | Says

    def to_fhir(self) -> dict[str, Any]:
        """As ``Task.output``."""
        kind = {"type": primitives.concept(DIALOGUE_OUTPUT, self.output)}
        if isinstance(self.value, Says):
            return kind | {"valueCodeableConcept": primitives.concept(ANSWER_SAYS, self.value)}
        if self.output in _REFERENCES:
            return kind | {"valueReference": {"reference": self.value}}
        return kind | {"valueString": self.value}


_REFERENCES: Final = (Output.ANSWER, Output.MEETING, Output.PLAN)


def to_fhir(dialogue: Dialogue) -> Document:
    """The Task of a dialogue that begins."""
    elements: dict[str, Any] = {
        "resourceType": "Task",
        "groupIdentifier": primitives.identifier(CONVERSATION_ID, dialogue.conversation),
        "intent": "order",
        "code": primitives.concept(NOTIFICATION_TOPIC, dialogue.topic),
        "focus": {"reference": dialogue.focus},
        "for": {"reference": f"Patient/{dialogue.patient}"},
        "authoredOn": primitives.to_instant(dialogue.begun),
        "requester": _asked_by(dialogue),
        "performerType": [_party_kind(dialogue.party)],
        "owner": _owner(dialogue),
        **_state(dialogue),
    }
    return from_content({name: value for name, value in elements.items() if value is not None})


def changed(document: Document, dialogue: Dialogue, said: Sequence[Said], at: datetime) -> Document:
    """The Task as the dialogue stands now, with what has been said added; everything else stays as it came. The same document
    where nothing is new."""
    outputs = [*document.content.get("output", ()), *(each.to_fhir() for each in said)]
    news = {**_state(dialogue), "owner": _owner(dialogue), "output": outputs or None}
    moved = with_elements(document, news)
    return document if moved is document else with_elements(moved, {"lastModified": primitives.to_instant(at)})


def is_dialogue(task: Json) -> bool:
    """Whether the Task is a dialogue's: the service keeps it."""
    group: Json = task.get("groupIdentifier", {})
    return bool(group.get("system") == CONVERSATION_ID)


def from_fhir(task: Json, unit: HsaId) -> Dialogue:
    """A stored Task of a dialogue. Raises ``KeyError`` and ``ValueError`` for any other."""
    due = task.get("restriction", {}).get("period", {}).get("end")
    return Dialogue(
        patient=task["for"]["reference"].removeprefix("Patient/"),
        unit=unit,
        conversation=task["groupIdentifier"]["value"],
        topic=Topic(primitives.coded(task["code"], "", NOTIFICATION_TOPIC)[0][0]),
        party=_party(task),
        focus=task["focus"]["reference"],
        standing=standing(task) or Standing.CLOSED,
        begun=primitives.instant(task["authoredOn"]),
        asked_by=_employee(task["requester"]),
        owner=_employee(task["owner"]),
        due=None if due is None else primitives.swedish_date(due),
        urgent=task.get("priority") == "urgent",
        reason=task.get("statusReason", {}).get("text", ""),
    )


def standing(task: Json) -> Standing | None:
    """Where the Task says that the dialogue stands."""
    found = primitives.coded(task.get("businessStatus"), "", DIALOGUE_STATE)
    return next((Standing(code) for code, _ in found if code in set(Standing)), None)


def said(task: Json) -> tuple[Said, ...]:
    """Everything that the dialogue has given, oldest first."""
    return tuple(each for output in task.get("output", ()) if (each := _said(output)) is not None)


def _said(output: Json) -> Said | None:
    kinds = primitives.coded(output["type"], "", DIALOGUE_OUTPUT)
    if not kinds or kinds[0][0] not in set(Output):
        return None
    says = primitives.coded(output.get("valueCodeableConcept"), "", ANSWER_SAYS)
    reference = output.get("valueReference", {}).get("reference")
    value = Says(says[0][0]) if says else reference or output.get("valueString", "")
    return Said(Output(kinds[0][0]), value)


def _state(dialogue: Dialogue) -> dict[str, Any]:
    due = dialogue.due and {"period": {"end": dialogue.due.isoformat()}}
    return {
        "status": _STATUS[dialogue.standing],
        "businessStatus": primitives.concept(DIALOGUE_STATE, dialogue.standing),
        "statusReason": {"text": dialogue.reason} if dialogue.reason else None,
        "priority": "urgent" if dialogue.urgent else None,
        "restriction": due,
    }


def _asked_by(dialogue: Dialogue) -> dict[str, Any]:
    if dialogue.asked_by is not None:
        return primitives.logical(HSA_ID, dialogue.asked_by.value, "Practitioner")
    return people.recipient_reference(dialogue.party, by_number=True)[0]


def _owner(dialogue: Dialogue) -> dict[str, Any]:
    if dialogue.owner is not None:
        return primitives.logical(HSA_ID, dialogue.owner.value, "Practitioner")
    return primitives.logical(HSA_ID, dialogue.unit.value, "Organization")


def _employee(reference: Json) -> HsaId | None:
    """Units and other parties have HSA-ids too."""
    return None if reference.get("type") == "Organization" else people.staff_hsa_id(reference)


def _party_kind(party: Recipient) -> dict[str, Any]:
    """Who the other party is, by kind and key: neither requester nor owner may be theirs."""
    return primitives.concept(RECIPIENT_KIND, party.kind) | {"text": party.party}


def _party(task: Json) -> Recipient:
    kind: Json = next(iter(task.get("performerType", ())), {})
    found = primitives.coded(kind, "", RECIPIENT_KIND)
    return Recipient(RecipientKind(found[0][0]) if found else RecipientKind.OTHER, kind.get("text", ""))
