"""Messages for us, as the message service lists and shows them. Pure, and total: whatever JSON comes, it is a value or
``Unreadable``, whose reason repeats nothing of it.

Sources: sdk.md (attributes), forsakringskassan.md § 7.1 (what stands where). A service may write ``null`` for what is not there.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from adapters.sdk.addresses import ORGANISATION, Addresses
from adapters.sdk.wire import decoded, is_uuid
from contracts.consent import Recipient, RecipientKind
from contracts.dialogue import Attachment, ReceivedMessage, Unreadable
from contracts.identity import BadIdentity, HsaId, PersonId
from fhir_mappings.identifiers import NATIONAL_PERSON_SYSTEMS
from fhir_mappings.wording import SUBJECTS, clean

CHANNEL: Final = "sdk"
TOPICS: Final = {words: topic for topic, words in SUBJECTS.items()}
BINARY: Final = "application/octet-stream"
_MEDIA: Final = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
_SPACE: Final = re.compile(r"\s+", re.ASCII)
_PERSON_ROOTS: Final = frozenset(system.rivta for system in NATIONAL_PERSON_SYSTEMS)


class _Identified(msgspec.Struct):
    root: str | None = None
    extension: str | None = None
    label: str | None = None


class _Attention(msgspec.Struct, rename="camel"):
    sub_organization: _Identified | None = None
    attention_person: list[_Identified] | None = None
    reference_id: list[_Identified] | None = None


class _File(msgspec.Struct, rename="camel"):
    file_name: str | None = None
    content_type: str | None = None
    content: str = ""


class _Document(msgspec.Struct, rename="camel"):
    index: int | None = None
    content_text_body: list[str] | None = None
    content_files: list[_File] | None = None


class _Message(msgspec.Struct, rename="camel"):
    message_id: str | None = None
    conversation_id: str | None = None
    ref_to_message_id: str | None = None
    creation_date_time: str | None = None
    label: str | None = None
    sender: str | None = None
    sender_attention: _Attention | None = None
    recipient_attention: _Attention | None = None
    digital_document: list[_Document] | None = None


class _Data(msgspec.Struct):
    attributes: _Message
    id: str | None = None


class _One(msgspec.Struct):
    data: _Data


class _Many(msgspec.Struct):
    data: list[msgspec.Raw]


class _Broken(ValueError):
    """Why a message cannot be used."""


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """A message that lies there. Sorts by its age; one whose time cannot be read comes first."""

    sent: datetime
    id: str


def listed(body: bytes, address: str) -> list[Listed | Unreadable] | None:
    """The messages to the functional address; ``None`` for what is no list. Others, which a service that knows no filters may
    add, are left out: they are not ours to read."""
    many = decoded(body, _Many)
    return None if many is None else [each for raw in many.data for each in _entry(bytes(raw), address)]


def _entry(raw: bytes, address: str) -> Iterator[Listed | Unreadable]:
    data = decoded(raw, _Data)
    if data is None:
        yield Unreadable("", "an entry of the list cannot be read")
        return
    if _function(data.attributes.recipient_attention).casefold() != address.casefold():
        return
    try:
        yield Listed(_sent(data.attributes) or _UNTOLD, _id(data))
    except _Broken as broken:
        yield Unreadable("", str(broken))


def message(body: bytes, id: str, book: Addresses) -> ReceivedMessage | Unreadable:
    """The message that was asked for by its id, with its documents."""
    one = decoded(body, _One)
    if one is None:
        return Unreadable(id, "the message cannot be read as the interface has it")
    try:
        if _id(one.data) != id:
            raise _Broken("another message came than the one that was asked for")
        return _message(one.data.attributes, id, book)
    except _Broken as broken:
        return Unreadable(id, str(broken))


def _message(attributes: _Message, id: str, book: Addresses) -> ReceivedMessage:
    label = _words(attributes.label)
    documents = _in_order(attributes.digital_document or [])
    sent = _sent(attributes)
    if sent is None:
        raise _Broken("the time of the message cannot be read")
    return ReceivedMessage(
        id=id,
        channel=CHANNEL,
        sender=_sender(attributes, book),
        unit=_unit(attributes, book),
        topic=TOPICS.get(label),
        text="\n\n".join(clean(each) for document in documents for each in document.content_text_body or ()),
        sent=sent,
        patient=_patient(attributes),
        heading=label,
        reference=next(_references(attributes.sender_attention), ""),
        our_reference=_our_reference(attributes, book),
        answers=_uuid(attributes.ref_to_message_id),
        conversation=_uuid(attributes.conversation_id),
        contact=_contact(attributes.sender_attention),
        attachments=tuple(_attachment(each) for document in documents for each in document.content_files or ()),
    )


def _id(data: _Data) -> str:
    """One UUID: it stands in addresses, in logs and on pages, where nothing else that a sender wrote may stand."""
    id = _uuid(data.attributes.message_id or data.id)
    if not id:
        raise _Broken("the message has no id that is a UUID")
    return id


def _uuid(text: str | None) -> str:
    return str(UUID(text)) if text and is_uuid(text) else ""


_UNTOLD: Final = datetime.min.replace(tzinfo=UTC)


def _sent(attributes: _Message) -> datetime | None:
    try:
        told = datetime.fromisoformat(attributes.creation_date_time or "")
        return told.astimezone(UTC) if told.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _in_order(documents: list[_Document]) -> list[_Document]:
    """By their index; those without one last, as they came."""
    return sorted(documents, key=lambda each: (each.index is None, each.index or 0))


def _function(attention: _Attention | None) -> str:
    function = attention.sub_organization if attention else None
    return (function.extension if function else None) or ""


def _unit(attributes: _Message, book: Addresses) -> HsaId:
    unit = book.unit_at(_function(attributes.recipient_attention))
    if unit is None:
        raise _Broken("the message is for an address of none of our units")
    return unit


def _sender(attributes: _Message, book: Addresses) -> Recipient:
    """Whom the book has there; else somebody, by the organisation's own id."""
    attention = attributes.sender_attention
    organisation = attributes.sender or ""
    if re.fullmatch(ORGANISATION, organisation) is None:
        raise _Broken("the message does not say which organisation sent it")
    function = attention.sub_organization if attention else None
    name = _words(function.label if function else None)
    party = book.party_at(organisation, _function(attention))
    return party.recipient(name) if party else Recipient(RecipientKind.OTHER, organisation, name)


def _patient(attributes: _Message) -> PersonId | None:
    """What is said of one person must not be filed under another: two of them, or a number that is none, is nobody's to guess."""
    try:
        people = {PersonId((each.extension or "").strip()) for each in _named(attributes) if _is_person(each)}
    except BadIdentity:
        raise _Broken("the personal number in the message is no right one") from None
    if len(people) > 1:
        raise _Broken("the message names more than one person")
    return next(iter(people), None)


def _named(attributes: _Message) -> Iterator[_Identified]:
    for attention in (attributes.recipient_attention, attributes.sender_attention):
        yield from (attention.reference_id or ()) if attention else ()


def _is_person(reference: _Identified) -> bool:
    return (reference.root or "").strip().lower().removeprefix("urn:oid:") in _PERSON_ROOTS


def _references(attention: _Attention | None, root: str = "") -> Iterator[str]:
    """Case numbers and the like; of those that ``root`` gave, where it says."""
    for each in (attention.reference_id or ()) if attention else ():
        if not _is_person(each) and _words(each.extension) and (not root or each.root == root):
            yield _words(each.extension)


def _our_reference(attributes: _Message, book: Addresses) -> str:
    """Given back as the recipient's: by the root that we wrote, else the first."""
    attention = attributes.recipient_attention
    return next(_references(attention, book.organisation), "") or next(_references(attention), "")


def _contact(attention: _Attention | None) -> tuple[str, ...]:
    if attention is None:
        return ()
    named = (*(attention.attention_person or ()), attention.sub_organization)
    return tuple(filter(None, (_words(each.label) for each in named if each is not None)))


def _attachment(file: _File) -> Attachment:
    try:
        content = base64.b64decode(_SPACE.sub("", file.content), validate=True)
    except ValueError:
        raise _Broken("an attachment of the message is no base64") from None
    media = (file.content_type or "").strip()
    return Attachment(_words(file.file_name), media if _MEDIA.fullmatch(media) else BINARY, content)


def _words(text: str | None) -> str:
    """On one line, without what cannot be carried."""
    return " ".join(clean(text or "").split())
