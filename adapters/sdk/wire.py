"""A message as the body of a POST, and what the message service's answers say of it. Pure: no clock, no randomness
(decision D18).

Sources: sdk.md (the interface), forsakringskassan.md § 7.1 (what stands where). Incoming messages: ``reading``.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
import msgspec

from adapters.http import classify
from adapters.sdk.addresses import Addresses, Party
from contracts.consent import RecipientKind
from contracts.dialogue import OURS, Arrival, PartyMessage
from contracts.outbox import Delivered, DeliveryOutcome, OutcomeUnknown, RefusedForGood, RouteBroken
from fhir_mappings import identifiers
from fhir_mappings.wording import SUBJECTS, Unwritable, clean, text

CONTENT_TYPE: Final = "application/json"
PROBLEM: Final = "application/problem+json"
SCOPES: Final = tuple(
    f"urn:sdk.api:{name}" for name in ("sendMessage", "getMessageByFilter", "getMessage", "deleteMessage")
)
LIMIT: Final = 30 * 1024 * 1024
"""Bytes of a message in all."""
LONGEST: Final = 256
"""Characters of a label, an address or a reference."""
FUNCTION: Final = "urn:riv:infrastructure:messaging:functionalAddress"
DELIVERED_EARLIER: Final = Delivered("delivered earlier: the message service has the message id")

ARRIVALS: Final[Mapping[str, Arrival]] = {
    "NEW": Arrival.UNDER_WAY,
    "SCHEDULED": Arrival.UNDER_WAY,
    "SUBMITTED": Arrival.UNDER_WAY,
    "SCHEDULED_FOR_RESEND": Arrival.UNDER_WAY,
    "ACKNOWLEDGE": Arrival.UNDER_WAY,
    "WAITING_FOR_RECEIPT": Arrival.UNDER_WAY,
    "ACCEPTED": Arrival.ARRIVED,
    "RETRIEVED": Arrival.ARRIVED,
    "RECEIPT_SENT": Arrival.ARRIVED,
    "REJECTED": Arrival.REFUSED,
    "MESSAGE_EXCHANGE_ERROR": Arrival.FAILED,
    "ERROR": Arrival.FAILED,
}
"""``messageStatus``. An AS4 receipt (ACKNOWLEDGE) says that the other side's access point has it, not that the party does;
RETRIEVED and RECEIPT_SENT are of the receiving side."""

_MAY_BE_KNOWN: Final = frozenset({400, 409, 422})
"""Refusals that a known message id may bring: which of them is not defined, and so it is looked for."""
_WRONG_PLACE: Final = frozenset({404, 405})
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,59}", re.ASCII)


def message_id(message: PartyMessage) -> str:
    """Its id as it stands in bodies and addresses. Raises ``Unwritable``."""
    return _uuid("message id", message.id)


def request(message: PartyMessage, book: Addresses) -> bytes:
    """The body, the same bytes each time. Raises ``Unwritable``, with ``other_channel`` for a recipient or a unit without an
    address."""
    body = msgspec.json.encode({"data": {"type": "messages", "attributes": _attributes(message, book)}})
    if len(body) > LIMIT:
        raise Unwritable(f"the message is larger than {LIMIT} bytes", other_channel=True)
    return body


def _attributes(message: PartyMessage, book: Addresses) -> dict[str, Any]:
    if message.topic not in OURS:
        raise Unwritable("the topic is not care's to write about")
    party, address, id = _there(message, book), _here(message, book), message_id(message)
    return {
        "messageId": id,
        "conversationId": _uuid("conversation id", message.conversation or message.id),
        **_answered(message),
        "creationDateTime": _instant(message.created),
        "label": SUBJECTS[message.topic],
        # Health data are under secrecy (25 kap. 1 § OSL, patientdatalagen): there is no message of ours that is not.
        "confidentiality": True,
        "sender": book.organisation,
        "recipient": party.organisation,
        "senderAttention": _attention(address, message.sender.unit.name, _ours(message, book)),
        "recipientAttention": _attention(party.address, party.name, _theirs(message, party)),
        "digitalDocument": [_document(message, id)],
    }


def _document(message: PartyMessage, id: str) -> dict[str, Any]:
    """The text and the files of the message: one document."""
    files = [
        {
            "fileName": each.name,
            "contentType": each.content_type,
            "content": base64.b64encode(each.content).decode("ascii"),
        }
        for each in message.attachments
    ]
    document = {"documentId": id, "index": 1, "contentTextBody": [text(message)]}
    return document | ({"contentFiles": files} if files else {})


def _there(message: PartyMessage, book: Addresses) -> Party:
    party = book.of_party(message.recipient)
    if party is None:
        raise Unwritable("there is no address for the recipient", other_channel=True)
    return party


def _here(message: PartyMessage, book: Addresses) -> str:
    address = book.of_unit(message.sender.unit.id)
    if address is None:
        raise Unwritable("the unit has no address to write from", other_channel=True)
    return address


def _answered(message: PartyMessage) -> dict[str, str]:
    """A question that came by another channel may have an id that this one cannot carry: then it goes as a reference."""
    return {"refToMessageId": str(UUID(message.answers))} if is_uuid(message.answers) else {}


def _attention(address: str, name: str, references: list[dict[str, str]]) -> dict[str, Any]:
    label = clean(name).strip()[:LONGEST]
    function = {"root": FUNCTION, "extension": address, **({"label": label} if label else {})}
    return {"subOrganization": function, **({"referenceId": references} if references else {})}


def _ours(message: PartyMessage, book: Addresses) -> list[dict[str, str]]:
    return [_reference(book.organisation, message.reference, "Vår referens")] if message.reference else []


def _theirs(message: PartyMessage, party: Party) -> list[dict[str, str]]:
    """Whom it is about, and by what the other party knows the matter. The certificate's id is told to Försäkringskassan alone:
    others learn of a certificate by what the patient has consented to."""
    found = _person(message)
    if message.their_reference:
        found.append(_reference(party.organisation, message.their_reference, "Er referens"))
    if message.answers and not is_uuid(message.answers):
        found.append(_reference(party.organisation, message.answers, "Besvarat meddelande"))
    if message.certificate and message.recipient.kind is RecipientKind.FORSAKRINGSKASSAN:
        found.append(_reference(message.certificate_unit.value, message.certificate, "Läkarintyg"))
    return found


def _person(message: PartyMessage) -> list[dict[str, str]]:
    if message.patient is not None:
        return [{"root": identifiers.person_system(message.patient).rivta, "extension": message.patient.digits}]
    if message.answers:  # the question says whom it is about
        return []
    raise Unwritable("the message says of nobody whom it is about", other_channel=True)


def _reference(root: str, extension: str, label: str) -> dict[str, str]:
    """``root`` is who gave the reference."""
    if clean(extension) != extension or not extension.strip() or len(extension) > LONGEST:
        raise Unwritable("a reference is empty, too long, or holds a character that cannot be carried")
    return {"root": root, "extension": extension, "label": label}


def _uuid(name: str, content: str) -> str:
    if not is_uuid(content):
        raise Unwritable(f"the {name} is no UUID")
    return str(UUID(content))


def is_uuid(content: str) -> bool:
    """Whether it is one, in any of its spellings."""
    try:
        UUID(content)
    except ValueError:
        return False
    return True


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise Unwritable("the time of the message has no zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# What came back.


class _Attributes(msgspec.Struct, rename="camel"):
    message_id: str | None = None
    sender: str | None = None
    message_status: str | None = None


class _Data(msgspec.Struct):
    attributes: _Attributes
    id: str | None = None


class _One(msgspec.Struct):
    data: _Data

    @property
    def id(self) -> str:
        """What it says its id is."""
        told = self.data.attributes.message_id or self.data.id or ""
        return str(UUID(told)) if is_uuid(told) else told


class _Issue(msgspec.Struct, rename="camel"):
    type_code: str | None = None


class _Problem(msgspec.Struct, rename="camel"):
    event_issues: list[_Issue] | None = None


def outcome(response: httpx.Response, id: str, organisation: str, now: datetime) -> DeliveryOutcome | None:
    """What the answer to a POST says of the message; ``None`` where only looking for it can tell. Total."""
    status = response.status_code
    if status == httpx.codes.CREATED and _holds(response, id, organisation):
        return Delivered()
    if response.is_success or status in _MAY_BE_KNOWN:
        return None
    if status in _WRONG_PLACE:
        return RouteBroken(f"HTTP {status}: no message service takes messages at that address")
    return classify(response, now)


def refusal(response: httpx.Response) -> str:
    """Why a message was not taken that is not there: the codes of the issues, and none of their words, which may quote what
    was sent."""
    if response.is_success:
        return f"HTTP {response.status_code}, and the message service does not have the message"
    problem = decoded(response.content, _Problem)
    codes = {issue.type_code or "" for issue in (problem.event_issues if problem else None) or ()}
    told = ", ".join(sorted(code for code in codes if _CODE.fullmatch(code)))
    return f"HTTP {response.status_code}: {told}" if told else f"HTTP {response.status_code}"


def found(response: httpx.Response, id: str, organisation: str, now: datetime) -> DeliveryOutcome | None:
    """What the answer to a look-up says of the message; ``None``: it is not there. Total."""
    status = response.status_code
    if status == httpx.codes.NOT_FOUND:
        return None
    if status == httpx.codes.OK and _holds(response, id, organisation):
        return DELIVERED_EARLIER
    told = classify(response, now)
    if isinstance(told, Delivered | RefusedForGood):  # of the look-up, not of the message
        return OutcomeUnknown(f"HTTP {status} when the message was looked for")
    return told


def arrival(response: httpx.Response, id: str, organisation: str) -> Arrival | None:
    """What became of a message of ours; ``None`` where the answer does not tell."""
    one = decoded(response.content, _One) if response.status_code == httpx.codes.OK else None
    if one is None or not _holds(response, id, organisation):
        return None
    return ARRIVALS.get(one.data.attributes.message_status or "")


def _holds(response: httpx.Response, id: str, organisation: str) -> bool:
    """Whether it is the message of ours with that id: who knows an id of ours can send a message of the same id to us."""
    one = decoded(response.content, _One)
    if one is None or one.id != id:
        return False
    return (one.data.attributes.sender or organisation).casefold() == organisation.casefold()


T = TypeVar("T")


def decoded(body: bytes, type: type[T]) -> T | None:
    """The JSON as that type, or ``None`` for what is none. Total: deep nesting and broken UTF-8 too."""
    try:
        return msgspec.json.decode(body, type=type)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
