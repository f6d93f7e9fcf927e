"""Somebody on the unit looks at its dialogues with other parties: which there are, and everything that has been said in one; or
takes what has not been sent as a letter.

Rows and pages name patients: each patient's row in the access log is durable before the answer leaves.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from contracts.dialogue import Attachment, Dialogue, MessagePart, Output, Standing
from contracts.errors import Invalid, NotFound
from contracts.identity import PersonId
from contracts.meeting import Meeting
from contracts.outbox import DUE
from contracts.people import Party, RegisteredPatient
from contracts.ports import Snapshot, Store, Transaction
from contracts.record import Access, AccessAction, Caller, Record
from fhir_mappings import dialogue as request_mapping
from fhir_mappings import dialogue_task, people, wording
from fhir_mappings.dialogue_task import Said
from fhir_mappings.document import decode
from fhir_mappings.identifiers import CONVERSATION_ID, DIALOGUE_STATE
from fhir_mappings.primitives import instant
from service.rules import dialogue as rules
from service.rules import letter as letter_rules
from service.usecases import attend_dialogue, follow_dialogue, record_meeting, sort_message
from service.usecases.attend_dialogue import Preview
from service.usecases.context import Context
from service.usecases.deciding import party_finder, seen_patient
from service.usecases.keeping import visible
from service.usecases.see_overview import log_reading, own_unit

T = TypeVar("T")

LIST: Final = 500
"""Dialogues of one answer."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A dialogue, whom it is about and what the other party is called here. ``patient`` is ``None`` when that record is gone or
    cannot be read, ``party_name`` empty when no organisation here has one."""

    task: Record
    dialogue: Dialogue
    patient: RegisteredPatient | None
    party_name: str

    @property
    def needs_somebody(self) -> bool:
        """Whether somebody on the unit has something to do."""
        return rules.needs_somebody(self.dialogue)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of a dialogue. ``at`` is when it was sent, or when it came; ``files`` are ids of Binary with the names that
    the sender gave them; ``contact`` are lines on whom to reach there; ``resource`` is ``Communication/<id>``."""

    resource: str
    is_received: bool
    at: datetime | None
    texts: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()
    contact: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Everything:
    """A dialogue with all that was said in it, oldest first. ``unsent`` is what waits, word for word; ``unwritable`` why what
    waits can be written for nobody; ``draft`` what the patient is asked about while nothing waits yet; ``meetings`` what it led to."""

    listed: Listed
    letters: tuple[Letter, ...]
    said: tuple[Said, ...]
    unsent: Preview | None
    message: str = ""
    unwritable: str = ""
    draft: tuple[MessagePart, ...] = ()
    meetings: tuple[Meeting, ...] = ()


@dataclass(frozen=True, slots=True)
class PaperLetter:
    """What has not been sent, as a letter. ``obstacle`` is why it is not to be printed now, empty when it may be; ``addressee``
    is ``None`` when nothing but the name is known; ``number`` is the patient's where the letter holds it."""

    listed: Listed
    preview: Preview
    obstacle: str
    addressee: Party | None
    number: PersonId | None


ON_ITS_WAY: Final = "it is on its way by a system: a letter would tell the same twice"
NOT_NAMED: Final = "nobody here knows the patient's name"


@dataclass(frozen=True, slots=True)
class Found:
    """Dialogues as listed, how many of all need somebody, and how many messages wait for a person to say whom they are about."""

    shown: Sequence[Listed]
    waiting: int
    unsorted: int


@dataclass(frozen=True, slots=True)
class Stray:
    """A message that does not say whom it is about; ``sender`` is a name or a number."""

    id: str
    sender: str
    heading: str
    letter: Letter


async def see_dialogues(
    store: Store, caller: Caller, unit: str, patient: str, *, attention: bool, show: Callable[[Found], T]
) -> T:
    """What ``show`` makes of the unit's open dialogues: what needs somebody first, the urgent on
    top, then by when they last moved. With ``patient`` (a logical id) all of hers, also those that are over; with ``attention``
    only those that need somebody. Raises ``NotFound`` for another unit."""
    own_unit(caller, unit)

    def look(snapshot: Snapshot) -> tuple[list[str], T]:
        tasks = _of_patient(snapshot, caller, patient) if patient else open_on(snapshot, caller)
        known = sorted((_listed(snapshot, caller, task) for task in tasks), key=_order)
        shown = [each for each in known if each.needs_somebody or not attention][:LIST]
        waiting = sum(each.needs_somebody for each in known)
        unsorted = len(sort_message.unsorted(snapshot, caller))
        return [each.task.patient for each in shown], show(Found(shown, waiting, unsorted))

    patients, shown = await store.look(look)
    await log_reading(store, caller, patients, "dialogue-list")
    return shown


def see_unsorted(snapshot: Snapshot, caller: Caller) -> list[Stray]:
    """What has come to the unit and tells of nobody who is known, oldest first: no patient's row in the access log can be
    written before a person has said whose it is."""
    return [_stray(each) for each in sort_message.unsorted(snapshot, caller)]


def see_dialogue(transaction: Transaction, context: Context, caller: Caller, id: str) -> Everything:
    """Everything of one dialogue. Raises ``NotFound``."""
    found = attend_dialogue.opened(transaction, caller, id)
    transaction.log_access(_access(caller, found.task, "dialogue-read"))
    unsent, unwritable = None, ""
    if found.unsent is not None:
        try:
            unsent = attend_dialogue.preview(transaction, context, caller, id)
        except wording.Unwritable as error:
            unwritable = str(error)
    said = dialogue_task.said(decode(found.task.body).content)
    return Everything(
        _listed(transaction, caller, found.task),
        tuple(_letter(each) for each in _communications(transaction, caller, found.dialogue)),
        said,
        unsent,
        found.unsent.message.id if found.unsent else "",
        unwritable,
        () if found.unsent else _draft(transaction, caller, found.dialogue),
        _meetings(transaction, caller, said),
    )


def paper_letter(transaction: Transaction, context: Context, caller: Caller, id: str) -> PaperLetter:
    """What waits, as a letter. It is logged as a print only where nothing stands in its way. Raises ``NotFound`` when nothing
    waits, and as ``wording.text``."""
    shown = attend_dialogue.preview(transaction, context, caller, id)
    listed = _listed(transaction, caller, attend_dialogue.opened(transaction, caller, id).task)
    is_named = listed.patient is not None and bool(listed.patient.name)
    obstacle = shown.refused or (ON_ITS_WAY if shown.state in DUE else "" if is_named else NOT_NAMED)
    if not obstacle:
        shown = attend_dialogue.preview(transaction, context, caller, id, AccessAction.PRINT)
    named = letter_rules.names_number(shown.message.recipient.kind)
    number = listed.patient.person if listed.patient and named else None
    return PaperLetter(listed, shown, obstacle, _addressee(transaction, shown), number)


def attachment(transaction: Transaction, caller: Caller, id: str, binary: str) -> Attachment:
    """A file that came in the dialogue. Raises ``NotFound`` for any other Binary."""
    found = attend_dialogue.opened(transaction, caller, id)
    letters = (_letter(each) for each in _communications(transaction, caller, found.dialogue))
    name = next((name for each in letters for file, name in each.files if file == binary), None)
    if name is None:
        raise NotFound("there is no such file in this dialogue")
    content = decode(visible(transaction, caller, "Binary", binary).body).content
    transaction.log_access(_access(caller, found.task, "dialogue-attachment"))
    return Attachment(name, content.get("contentType", ""), base64.b64decode(content.get("data", "")))


# ---- Which there are ---------------------------------------------------------------------------------------------


def open_on(snapshot: Snapshot, caller: Caller) -> Iterable[Record]:
    """The Tasks of the unit's dialogues that are not over."""
    unit = caller.unit.value
    open_ones = [standing for standing in Standing if standing not in rules.OVER]
    found = (snapshot.by_token("Task", "business-status", DIALOGUE_STATE, each.value, unit) for each in open_ones)
    return (task for tasks in found for task in tasks if caller.may_see(task) and _is_dialogue(task))


def _of_patient(snapshot: Snapshot, caller: Caller, patient: str) -> Iterable[Record]:
    found = snapshot.by_reference("Task", "patient", f"Patient/{patient}")
    return (task for task in found if caller.may_see(task) and _is_dialogue(task))


def _is_dialogue(task: Record) -> bool:
    return dialogue_task.is_dialogue(decode(task.body).content)


def _order(listed: Listed) -> tuple[Any, ...]:
    return not listed.needs_somebody, not listed.dialogue.urgent, listed.task.updated, listed.task.id


def _listed(snapshot: Snapshot, caller: Caller, task: Record) -> Listed:
    dialogue = follow_dialogue.read(task)
    return Listed(task, dialogue, _patient(snapshot, caller, task.patient), _party_name(snapshot, caller, dialogue))


def _patient(snapshot: Snapshot, caller: Caller, id: str) -> RegisteredPatient | None:
    try:
        return seen_patient(snapshot, caller, id)
    except Invalid:
        return None


def _party_name(snapshot: Snapshot, caller: Caller, dialogue: Dialogue) -> str:
    """As the organisation that what began it names is called."""
    content = _content(snapshot, caller, dialogue.focus)
    named = [content["sender"]] if dialogue.begun_by_them and "sender" in content else content.get("recipient", ())
    try:
        party = people.referenced_party(content, named[0], party_finder(snapshot)) if named else None
    except Invalid:
        return ""
    return "" if party is None else party.name


# ---- What was said -----------------------------------------------------------------------------------------------


def _communications(transaction: Transaction, caller: Caller, dialogue: Dialogue) -> Iterable[Record]:
    unit, conversation = caller.unit.value, dialogue.conversation
    said = transaction.by_token("Communication", "identifier", CONVERSATION_ID, conversation, unit)
    return (each for each in said if caller.may_see(each))


def _letter(record: Record) -> Letter:
    content = decode(record.body).content
    at, payload = content.get("received") or content.get("sent"), content.get("payload", ())
    files = [each["contentAttachment"] for each in payload if "contentAttachment" in each]
    return Letter(
        record.reference,
        "received" in content,
        None if at is None else instant(at),
        tuple(each["contentString"] for each in payload if "contentString" in each),
        tuple(_file(each) for each in files),
        tuple(each["text"] for each in content.get("note", ())),
    )


def _stray(record: Record) -> Stray:
    content = decode(record.body).content
    sender: Mapping[str, Any] = content.get("sender", {})
    name = sender.get("display") or sender.get("identifier", {}).get("value", "")
    return Stray(record.id, name, content.get("topic", {}).get("text", ""), _letter(record))


def _file(attachment: Mapping[str, Any]) -> tuple[str, str]:
    return str(attachment.get("url", "")).removeprefix("Binary/"), str(attachment.get("title", ""))


def _meetings(transaction: Transaction, caller: Caller, said: Sequence[Said]) -> tuple[Meeting, ...]:
    """As they stand now, in the order in which they were planned."""
    named = dict.fromkeys(each.value for each in said if each.output is Output.MEETING)
    records = (transaction.read(*str(reference).split("/")) for reference in named)
    seen = (record for record in records if record is not None and caller.may_see(record))
    read = (record_meeting.read(transaction, record) for record in seen)
    return tuple(each for each in read if each is not None)


def _draft(transaction: Transaction, caller: Caller, dialogue: Dialogue) -> tuple[MessagePart, ...]:
    """What a request says that is not active yet."""
    content = {} if dialogue.begun_by_them else _content(transaction, caller, dialogue.focus)
    return request_mapping.from_fhir(content).parts if content.get("status") == "draft" else ()


def _content(snapshot: Snapshot, caller: Caller, reference: str) -> Mapping[str, Any]:
    """Nothing, where it is gone or not the caller's to see."""
    record = snapshot.read(*reference.split("/"))
    return decode(record.body).content if record is not None and caller.may_see(record) else {}


def _addressee(transaction: Transaction, shown: Preview) -> Party | None:
    """The recipient with the address that its organisation has here."""
    request = transaction.read("CommunicationRequest", shown.message.reference)
    content = {} if request is None else decode(request.body).content
    return request_mapping.recipient_party(content, party_finder(transaction))


def _access(caller: Caller, task: Record, interaction: str) -> Access:
    return Access(caller, AccessAction.READ, task.patient, task.reference, interaction)
