"""SendMessageToRecipient 2.1 as bytes, and what its answers mean. Pure: no clock, no randomness (decision D18).

Sources: forsakringskassan.md §§ 1.2-1.5 (the message), 1.7-1.8, 2.4 and 3 (the answers), 6.4 (what the text says).

Characters that XML 1.0 cannot carry become U+FFFD in texts, where the reader sees that something was lost; an id that
holds one is refused, because a changed id is another id.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

import httpx
from lxml import etree
from lxml.builder import ElementMaker

from adapters import soap
from adapters.http import classify
from contracts.dialogue import CareUnit, PartyMessage, Sender, Topic
from contracts.identity import HsaId, PersonId
from contracts.outbox import Delivered, DeliveryOutcome, OutcomeUnknown, RefusedForGood, RouteBroken, Transient
from contracts.time import STOCKHOLM
from fhir_mappings import identifiers
from fhir_mappings.wording import Unwritable, clean, text

RESPONDER: Final = "urn:riv:clinicalprocess:healthcond:certificate:SendMessageToRecipientResponder:2"
CORE: Final = "urn:riv:clinicalprocess:healthcond:certificate:3"
TYPES: Final = "urn:riv:clinicalprocess:healthcond:certificate:types:3"
NAMESPACES: Final = {"s": RESPONDER, "c": CORE, "t": TYPES}

REQUEST: Final = f"{{{RESPONDER}}}SendMessageToRecipient"
RESPONSE: Final = f"{{{RESPONDER}}}SendMessageToRecipientResponse"
ACTION: Final = f"{RESPONDER}:SendMessageToRecipient"
SCHEMA: Final = "send_message_to_recipient_2.xsd"

SUBJECT_SYSTEM: Final = "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499"
NO_WORKPLACE_CODE: Final = "0000000"
"""What real senders write when the unit has none; the element may not be empty (§ 1.4)."""

SUBJECTS: Final[Mapping[Topic, tuple[str, str]]] = {
    Topic.ASSUMED_REHAB_NEED: ("OVRIGT", "Övrigt"),
    Topic.MEETING: ("AVSTMN", "Avstämningsmöte"),
    Topic.CONTACT: ("KONTKT", "Kontakt"),
    Topic.OTHER: ("OVRIGT", "Övrigt"),
    Topic.SIP: ("OVRIGT", "Övrigt"),
}
"""There is no subject of its own for information under 4 § (§ 1.5, decision D20). KOMPLT and PAMINN are not care's."""

_S: Final = ElementMaker(namespace=RESPONDER, nsmap=NAMESPACES)
_C: Final = ElementMaker(namespace=CORE, nsmap=NAMESPACES)
_T: Final = ElementMaker(namespace=TYPES, nsmap=NAMESPACES)


def request(message: PartyMessage, logical_address: str) -> bytes:
    """The envelope to send, the same bytes each time. Raises ``Unwritable``."""
    return soap.wrap(_message(message, _id("logical address", logical_address)), logical_address)


def schema_errors(body: bytes) -> tuple[str, ...]:
    """Where a request breaks the contract's schema: element names only."""
    content = soap.unwrap(body)
    return ("the body is a fault",) if isinstance(content, soap.Fault) else soap.schema_errors(SCHEMA, content)


def _message(message: PartyMessage, address: str) -> etree._Element:
    """§ 1.2, elements in the contract's order."""
    if message.topic not in SUBJECTS:
        raise Unwritable("the topic is not care's to write about")
    if message.attachments:
        raise Unwritable("the contract carries no files", other_channel=True)
    code, display = SUBJECTS[message.topic]
    return _S(
        "SendMessageToRecipient",
        _S("meddelande-id", _id("message id", message.id)),
        *([_S("referens-id", _id("reference", message.reference))] if message.reference else []),
        _S("skickatTidpunkt", _timestamp(message.created)),
        _S("intygs-id", *_certificate(message)),
        _S("patientPerson-id", *_patient(message.patient)),
        _S("logiskAdressMottagare", address),
        _S("amne", _T("code", code), _T("codeSystem", SUBJECT_SYSTEM), _T("displayName", display)),
        _S("rubrik", display),
        _S("meddelande", text(message)),
        *_answered(message),
        _S("skickatAv", *_sender(message.sender)),
    )


def _answered(message: PartyMessage) -> list[etree._Element]:
    """Its children are of the core namespace (§ 1.6)."""
    if not message.answers:
        return []
    theirs = [_C("referens-id", _id("reference", message.their_reference))] if message.their_reference else []
    return [_S("svarPa", _C("meddelande-id", _id("answered message id", message.answers)), *theirs)]


def _patient(patient: PersonId | None) -> list[etree._Element]:
    """Personnummer and samordningsnummer alone; the schema takes no reserve number (§ 1.6)."""
    if patient is None:
        raise Unwritable("the patient has no number that the contract takes", other_channel=True)
    return _ii(identifiers.person_system(patient).rivta, patient.digits)


def _certificate(message: PartyMessage) -> list[etree._Element]:
    """Real senders write the issuing unit as root (§ 1.2)."""
    if not message.certificate.strip():
        raise Unwritable("the message names no certificate that it is about", other_channel=True)
    return _ii(message.certificate_unit.value, _id("certificate id", message.certificate))


def _sender(sender: Sender) -> list[etree._Element]:
    return [
        _C("personal-id", *_hsa(sender.employee)),
        _C("fullstandigtNamn", clean(sender.name)),
        _C("enhet", *_unit(sender.unit)),
    ]


def _unit(unit: CareUnit) -> list[etree._Element]:
    workplace = clean(unit.workplace_code.strip()) or NO_WORKPLACE_CODE
    return [
        _C("enhets-id", *_hsa(unit.id)),
        _C("arbetsplatskod", *_ii(identifiers.WORKPLACE_CODE.rivta, workplace)),
        _C("enhetsnamn", clean(unit.name)),
        _C("postadress", clean(unit.address)),
        _C("postnummer", clean(unit.postal_code)),
        _C("postort", clean(unit.city)),
        _C("telefonnummer", clean(unit.telephone)),
        _C("vardgivare", _C("vardgivare-id", *_hsa(unit.provider)), _C("vardgivarnamn", clean(unit.provider_name))),
    ]


def _hsa(id: HsaId) -> list[etree._Element]:
    return _ii(identifiers.HSA_ID.rivta, id.value)


def _ii(root: str, extension: str) -> list[etree._Element]:
    return [_T("root", root), _T("extension", extension)]


def _timestamp(at: datetime) -> str:
    """Swedish wall-clock time to the second: the contract takes neither fraction nor zone."""
    if at.tzinfo is None:
        raise Unwritable("the time of the message has no zone")
    return at.astimezone(STOCKHOLM).replace(tzinfo=None).isoformat(timespec="seconds")


def _id(name: str, content: str) -> str:
    if not content.strip():
        raise Unwritable(f"the {name} is empty")
    if clean(content) != content:
        raise Unwritable(f"the {name} holds a character that XML cannot carry")
    return content


# What came back. The tables are § 3's reconciliation table and § 2.4's codes; how to read them is below.

_Verdict = Callable[[str], DeliveryOutcome]

BY_ERROR_ID: Final[Mapping[str, _Verdict]] = {
    "TECHNICAL_ERROR": Transient,
    "VALIDATION_ERROR": RefusedForGood,
    "APPLICATION_ERROR": partial(RefusedForGood, other_channel=True),
    "REVOKED": partial(RefusedForGood, other_channel=True),
}
UNDEFINED_ERROR: Final[_Verdict] = partial(Transient, max_attempts=3)
"""ERROR without an errorId that the contract knows: worth a few tries (§ 1.8)."""

BY_PLATFORM_CODE: Final[Mapping[str, _Verdict]] = {
    "VP001": RefusedForGood,
    "VP002": RouteBroken,
    "VP003": RefusedForGood,
    "VP004": RouteBroken,
    "VP005": RefusedForGood,
    "VP006": RouteBroken,
    "VP007": RouteBroken,
    "VP008": Transient,
    "VP009": OutcomeUnknown,
    "VP010": RouteBroken,
    "VP011": RouteBroken,
    "VP012": Transient,
    "VP013": RouteBroken,
    "VP014": RouteBroken,
    "VP015": RefusedForGood,
}

_NOT_UNIQUE: Final = re.compile(r"(MEDDELANDE|MESSAGE)_?ID_(NOT_UNIQUE|ALREADY_EXISTS)")
_HAS_IT: Final = re.compile(r"already exist|exists already|finns redan|not unique|inte unik|duplicate|dubblett")
_OTHERS: Final = re.compile(r"referen|intyg|certificate|patient")
_UNREADABLE_THERE: Final = ("unmarshalling", "unmarshaling")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_LONG_NUMBER: Final = re.compile(r"\d(?:[-+ ]?\d){5,}")
_TOLD_AT_MOST: Final = 200
_NO_HEADERS: Final = datetime(1970, 1, 1, tzinfo=UTC)


def outcome(http_status: int, body: bytes, message_id: str) -> DeliveryOutcome:
    """What an answer says of the message. Total: every status and every body has an outcome."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml as bad:
        return _unread(http_status, str(bad))
    if isinstance(content, soap.Fault):
        return _of_fault(http_status, content)
    if content.tag != RESPONSE or not 200 <= http_status < 300:
        return _unread(http_status, "its content is not the contract's response")
    return _of_result(content, message_id)


def _of_result(response: etree._Element, message_id: str) -> DeliveryOutcome:
    code, error_id, told = (
        response.findtext(f"{{*}}result/{{*}}{name}", default="").strip()
        for name in ("resultCode", "errorId", "resultText")
    )
    if code in ("OK", "INFO"):
        return Delivered(_reason("INFO", told) if code == "INFO" else "")
    if code != "ERROR":
        return _unread(200, "it holds no result code of the contract")
    if error_id == "VALIDATION_ERROR" and _is_duplicate(told, message_id):
        return Delivered("delivered earlier: the recipient already has the message id")
    if error_id not in BY_ERROR_ID:
        return UNDEFINED_ERROR(_reason("ERROR without a known error id", told))
    return BY_ERROR_ID[error_id](_reason(error_id, told))


def _of_fault(http_status: int, fault: soap.Fault) -> DeliveryOutcome:
    """A fault's text is never told on: it may quote what was sent."""
    if fault.platform_code in BY_PLATFORM_CODE:
        meaning = soap.PLATFORM_CODES[fault.platform_code][1]
        return BY_PLATFORM_CODE[fault.platform_code](f"{fault.platform_code}: {meaning}")
    if any(mark in fault.text.lower() for mark in _UNREADABLE_THERE):
        return RefusedForGood("the recipient could not read the request")
    return OutcomeUnknown("SOAP fault") if http_status < 300 else _by_status(http_status, "SOAP fault")


def _unread(http_status: int, why: str) -> DeliveryOutcome:
    """A success that cannot be read parks the message; beside a failure status the body matters little."""
    if 200 <= http_status < 300:
        return RefusedForGood(f"the answer cannot be read: {why}")
    return _by_status(http_status, "no readable fault")


def _by_status(http_status: int, why: str) -> DeliveryOutcome:
    """503 says that nothing was handled; behind any other 5xx the message may have arrived."""
    if http_status >= 500 and http_status != 503:
        return OutcomeUnknown(f"HTTP {http_status}, {why}")
    return classify(httpx.Response(http_status), _NO_HEADERS)


def _is_duplicate(told: str, message_id: str) -> bool:
    """Whether it says that our own id is there already (§ 3: then an earlier try went well)."""
    if _NOT_UNIQUE.search(told) is not None:
        return True
    before, ours, after = told.lower().partition(message_id.lower() or "\0")
    # The words must be said of the message id itself: a certificate or a reference may be missing or doubled too.
    beside = before[-40:], after[:40]
    return bool(ours) and any(_HAS_IT.search(words) and not _OTHERS.search(words) for words in beside)


def _reason(name: str, told: str) -> str:
    """The recipient's words without what may be a person: long numbers and quoted values go, and so does length."""
    words = _LONG_NUMBER.sub("…", _QUOTED.sub("'…'", " ".join(told.split())))
    return f"{name}: {words[:_TOLD_AT_MOST]}" if words else name
