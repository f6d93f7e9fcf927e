"""A Task is written: a meeting, a step in a dialogue, or anything else that a unit has to do.

The Task of a dialogue is the service's own: it keeps step with what is sent and what comes in. A client reads it, and may say where
the dialogue stands now, as a person on the unit may, or by itself what it is labelled; nothing else of it is a client's to change.
"""

from collections.abc import Mapping
from typing import Any

from contracts.errors import Conflict, Issue, IssueType
from contracts.ports import Transaction
from contracts.record import Record
from fhir_mappings import dialogue_task
from fhir_mappings.document import decode
from fhir_mappings.meeting import is_meeting
from service.usecases import attend_dialogue
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.keeping import current, keep, relabels, remove, unchanged
from service.usecases.record_meeting import record_meeting, remove_meeting
from service.usecases.record_resource import record_resource


def record_task(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """The story of the kind of Task that it is. Raises ``Conflict`` for what is the service's alone."""
    earlier = current(transaction, write) if write.id else None
    before: Mapping[str, Any] = {} if earlier is None else decode(earlier.body).content
    if earlier is not None and dialogue_task.is_dialogue(before):
        return _stepped(transaction, context, write, earlier, before)
    content = write.document.content
    if dialogue_task.is_dialogue(content):
        raise _ours("a dialogue begins with what is asked to be told, or with what another party says: not with a Task")
    if is_meeting(before) and not is_meeting(content):
        text = "a meeting stays one: cancel it, or mark it as entered in error"
        raise Conflict(Issue(IssueType.CONFLICT, text, "Task.code", rule="meeting-step"))
    return (record_meeting if is_meeting(content) else record_resource)(transaction, context, write)


def remove_task(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete it; never a dialogue's. Raises ``Conflict``."""
    record = transaction.read("Task", removal.id)
    content = decode(record.body).content if record is not None and removal.caller.may_see(record) else {}
    if dialogue_task.is_dialogue(content):
        raise _ours("the Task of a dialogue is its history: end the dialogue instead")
    return (remove_meeting if is_meeting(content) else remove)(transaction, context, removal)


def _stepped(
    transaction: Transaction, context: Context, write: Write, earlier: Record, before: Mapping[str, Any]
) -> Recorded:
    """A client says where a dialogue stands now, by ``businessStatus``, and why, by ``statusReason``; what follows from that is
    the service's to write. Raises ``Conflict`` for any other change, and for a step that a person may not take."""
    if relabels(write, earlier):
        return keep(transaction, context, write)
    content = write.document.content
    if _beside(content) != _beside(before) or ("meta" in content and _labels(content) != _labels(before)):
        text = (
            "of a dialogue's Task a client changes businessStatus and statusReason alone, or with the right its labels"
        )
        raise _ours(text)
    to = dialogue_task.standing(content)
    if to is None:
        raise _ours("businessStatus is a code of the dialogue-state code system")
    if content["businessStatus"] == before["businessStatus"]:
        return unchanged(transaction, write.caller, earlier)
    why = _why(content) if _why(content) != _why(before) else ""
    record = attend_dialogue.step(transaction, context, write.caller, earlier.id, to, why)
    return Recorded(record)


def _beside(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in ("businessStatus", "statusReason", "meta")}


def _labels(content: Mapping[str, Any]) -> Any:
    return content.get("meta", {}).get("security")


def _why(content: Mapping[str, Any]) -> str:
    return str(content.get("statusReason", {}).get("text", ""))


def _ours(text: str) -> Conflict:
    return Conflict(Issue(IssueType.BUSINESS_RULE, text, "Task", rule="dialogue-is-the-services"))
