"""SendMessageToCare 2.0: what Försäkringskassan says to care, as bytes. Pure; implements ``contracts.ports.Entrance``.

Three layers judge a message: the schema and the code lists here, the state rules in the service. Sources:
forsakringskassan.md §§ 1.3 (the message), 1.4-1.6 (types), 1.7 (names of refusals, how care answers).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from lxml import etree
from lxml.builder import ElementMaker

from adapters import soap
from adapters.forsakringskassan import wire
from contracts.consent import Recipient, RecipientKind
from contracts.dialogue import Complement, NotTaken, Receipt, ReceivedMessage, Refusal, Topic
from contracts.identity import FORSAKRINGSKASSAN, BadIdentity, HsaId, PersonId
from contracts.time import STOCKHOLM

RESPONDER: Final = "urn:riv:clinicalprocess:healthcond:certificate:SendMessageToCareResponder:2"
ACTION: Final = f"{RESPONDER}:SendMessageToCare"
REQUEST: Final = f"{{{RESPONDER}}}SendMessageToCare"
SCHEMA: Final = "send_message_to_care_2.xsd"
PATH: Final = "/clinicalprocess/healthcond/certificate/SendMessageToCare/2/rivtabp21"
"""By the platform's pattern (§ 1.1)."""
WSDL: Final = "send_message_to_care_2.wsdl"

PARTY_SYSTEM: Final = "769bb12b-bd9f-4203-a5cd-fd14f2eb3b80"
TOPICS: Final[Mapping[str, Topic]] = {
    "AVSTMN": Topic.MEETING,
    "KONTKT": Topic.CONTACT,
    "OVRIGT": Topic.OTHER,
    "KOMPLT": Topic.COMPLEMENT,
    "PAMINN": Topic.REMINDER,
}
"""§ 1.5. The schema names none of them (§ 1.6)."""

PARTIES: Final[Mapping[str, Recipient]] = {
    "FKASSA": Recipient(RecipientKind.FORSAKRINGSKASSAN, FORSAKRINGSKASSAN.value, "Försäkringskassan"),
}
"""Registered parties that may write (§ 2.1)."""

REFUSALS: Final[Mapping[Refusal, str]] = {
    Refusal.TOPIC_UNKNOWN: "SUBJECT_NOT_SUPPORTED_ERROR: amne is none of the contract's",
    Refusal.PARTY_UNKNOWN: "PART_NOT_SUPPORTED_ERROR: part is no registered recipient",
    Refusal.UNIT_UNKNOWN: "UNIT_NOT_SUPPORTED_ERROR: the receiving unit is not served here",
    Refusal.REMINDER_AND_TOPIC: (
        "PAMINNELSE_ID_INCONSISTENCY_ERROR: paminnelseMeddelande-id goes with PAMINN and with nothing else"
    ),
    Refusal.COMPLEMENT_AND_TOPIC: "KOMPLETTERING_INCONSISTENCY_ERROR: komplettering goes with KOMPLT alone",
    Refusal.LAST_DAY_ON_ANSWER: "MESSAGE_TYPE_CONSISTENCY_ERROR: sistaDatumForSvar stands on questions only",
    Refusal.ID_TAKEN: "MEDDELANDE_ID_NOT_UNIQUE_ERROR: another message has come with this meddelande-id",
    Refusal.ANSWERED_UNKNOWN: "REFERENCED_MESSAGE_NOT_FOUND_ERROR: the message that is answered is not known here",
    Refusal.REMINDED_UNKNOWN: "REFERENCED_MESSAGE_NOT_FOUND_ERROR: the message that is reminded of is not known here",
    Refusal.TOPIC_DIFFERS: "SUBJECT_CONSISTENCY_ERROR: an answer has the amne of its question",
    Refusal.PATIENT_UNKNOWN: "CERTIFICATE_NOT_FOUND_ERROR: neither the certificate nor the patient is known on the unit",
    Refusal.OTHER_PATIENT: "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR: the patient is not the certificate's",
}
"""What the sender is told: the names are known from care's side of reality (§ 1.7), PART_ and UNIT_ are ours."""

NO_ID: Final = "MEDDELANDE_ID_MISSING_ERROR: meddelande-id is empty"
"""The schema lets it through (§ 1.2), and nobody could tell the message from the next one. The name is ours."""

_NAMES: Final = {"s": RESPONDER, "c": wire.CORE, "t": wire.TYPES}
_S: Final = ElementMaker(namespace=RESPONDER, nsmap=_NAMES)
_C: Final = ElementMaker(namespace=wire.CORE, nsmap=_NAMES)

_Bad = tuple[int, bytes]


class SendMessageToCare:
    """The contract's one operation, from the side that provides it."""

    path = PATH
    wsdl = WSDL

    def read(self, body: bytes, action: str) -> ReceivedMessage | _Bad:
        """See ``contracts.ports.Entrance``."""
        try:
            content = soap.unwrap(body)
        except soap.BadXml as bad:
            return _fault(f"Unmarshalling Error: {bad}")
        if isinstance(content, soap.Fault) or content.tag != REQUEST:
            return _fault("Unmarshalling Error: unexpected element in the body")
        if action.strip('"') not in ("", ACTION):
            return _fault("The given SOAPAction does not match an operation.")
        errors = soap.schema_errors(SCHEMA, content)
        return _refused(f"Validation error: {'; '.join(errors)}") if errors else _read(content)

    def answer(self, receipt: Receipt) -> _Bad:
        """See ``contracts.ports.Entrance``."""
        if isinstance(receipt, NotTaken):
            return _refused("; ".join(REFUSALS[reason] for reason in receipt.reasons))
        return 200, _result("INFO", "The message has been received before.") if receipt.again else _result("OK")

    def failure(self, why: str) -> _Bad:
        """See ``contracts.ports.Entrance``."""
        return 200, _result("ERROR", why, "TECHNICAL_ERROR")


def _read(element: etree._Element) -> ReceivedMessage | _Bad:
    """A message that the schema has passed, held against the code lists."""

    def text(path: str) -> str:
        return element.findtext(path, default="", namespaces=_NAMES).strip()

    if not text("s:meddelande-id"):
        return _refused(NO_ID)
    try:
        party = PARTIES.get(text("s:skickatAv/s:part/t:code"))
        if party is None:
            return _refused(REFUSALS[Refusal.PARTY_UNKNOWN])
        return ReceivedMessage(
            id=text("s:meddelande-id"),
            channel="forsakringskassan",
            sender=party,
            unit=HsaId(text("s:logiskAdressMottagare")),
            topic=TOPICS.get(text("s:amne/t:code")),
            text=element.findtext("s:meddelande", default="", namespaces=_NAMES),
            sent=_instant(text("s:skickatTidpunkt")),
            patient=PersonId(text("s:patientPerson-id/t:extension")),
            heading=text("s:rubrik"),
            certificate=text("s:intygs-id/t:extension"),
            reference=text("s:referens-id"),
            our_reference=text("s:svarPa/c:referens-id"),
            answers=text("s:svarPa/c:meddelande-id"),
            reminds_of=text("s:paminnelseMeddelande-id"),
            answer_before=_day(text("s:sistaDatumForSvar")),
            contact=_lines(element, "s:skickatAv/s:kontaktInfo"),
            complements=tuple(map(_complement, element.iterfind("s:komplettering", _NAMES))),
        )
    except BadIdentity as bad:
        return _refused(f"Validation error: {bad}")  # tells what is wrong with it, never the number
    except (ValueError, OverflowError):
        return _refused("Validation error: a date or a number that there is not")


def _complement(element: etree._Element) -> Complement:
    instance = element.findtext("s:instans", default="", namespaces=_NAMES).strip()
    return Complement(
        question=element.findtext("s:frage-id", default="", namespaces=_NAMES).strip(),
        text=element.findtext("s:text", default="", namespaces=_NAMES).strip(),
        instance=int(instance) if instance else None,
    )


def _lines(element: etree._Element, path: str) -> tuple[str, ...]:
    return tuple(line for each in element.iterfind(path, _NAMES) if (line := (each.text or "").strip()))


def _instant(text: str) -> datetime:
    """Swedish wall-clock time. Raises ``OverflowError`` at the ends of the calendar, where nobody can keep it."""
    at = datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM)
    at.astimezone(UTC)
    return at


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _fault(words: str) -> _Bad:
    """Senders take an unmarshalling error for good, and try again behind any other fault (§ 1.8)."""
    return 500, soap.fault("Client", words)


def _refused(words: str) -> _Bad:
    return 200, _result("ERROR", words, "VALIDATION_ERROR")


def _result(code: str, words: str = "", error_id: str = "") -> bytes:
    """Order matters to the schema: code, text, error."""
    told: tuple[tuple[Callable[..., etree._Element], str, str], ...] = (
        (_C, "resultCode", code),
        (_C, "resultText", words),
        (_C, "errorId", error_id),
    )
    result = _S("result", *(make(name, text) for make, name, text in told if text))
    return soap.wrap(_S("SendMessageToCareResponse", result))


def create() -> SendMessageToCare:
    """The entrance."""
    return SendMessageToCare()
