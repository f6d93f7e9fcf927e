"""SendMessageToCare 2.0 as the recipient writes it, and what care answered. Pure. Facts: forsakringskassan.md § 1.3."""

from dataclasses import dataclass, field
from datetime import date, datetime
from http import HTTPStatus
from typing import Final, Literal

from lxml import etree
from lxml.builder import ElementMaker

from adapters import soap
from adapters.forsakringskassan import wire
from adapters.forsakringskassan.inbound import PARTY_SYSTEM, RESPONDER
from contracts.time import STOCKHOLM
from fhir_mappings.wording import clean

_NAMES: Final = {"s": RESPONDER, "c": wire.CORE, "t": wire.TYPES}
_S: Final = ElementMaker(namespace=RESPONDER, nsmap=_NAMES)
_C: Final = ElementMaker(namespace=wire.CORE, nsmap=_NAMES)
_T: Final = ElementMaker(namespace=wire.TYPES, nsmap=_NAMES)
_HEADINGS: Final = {
    "AVSTMN": "Avstämningsmöte",
    "KONTKT": "Kontakt",
    "OVRIGT": "Övrigt",
    "KOMPLT": "Komplettering",
    "PAMINN": "Påminnelse",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to care. ``unit`` is the receiver; ``patient`` its root and its twelve digits; ``answer_to`` with the
    reference that care gave; ``complements`` are numbers of questions in the certificate, and what is asked of each."""

    id: str
    sent: datetime
    certificate: tuple[str, str]
    patient: tuple[str, str] = field(repr=False)
    unit: str
    subject: str
    text: str = field(repr=False)
    reference: str = ""
    reminder_of: str = ""
    answer_to: str = ""
    answer_reference: str = ""
    complements: tuple[tuple[str, str], ...] = ()
    answer_before: date | None = None


def written(letter: Letter) -> bytes:
    """The envelope."""
    heading = _HEADINGS.get(letter.subject, letter.subject)
    message = _S(
        "SendMessageToCare",
        _S("meddelande-id", letter.id),
        *_optional("referens-id", letter.reference),
        _S("skickatTidpunkt", _local(letter.sent)),
        _S("intygs-id", *_ii(letter.certificate)),
        _S("patientPerson-id", *_ii(letter.patient)),
        _S("logiskAdressMottagare", letter.unit),
        _S("amne", _T("code", letter.subject), _T("codeSystem", wire.SUBJECT_SYSTEM), _T("displayName", heading)),
        _S("rubrik", heading),
        _S("meddelande", clean(letter.text)),
        *_optional("paminnelseMeddelande-id", letter.reminder_of),
        *_answered(letter),
        _S("skickatAv", _S("part", _T("code", "FKASSA"), _T("codeSystem", PARTY_SYSTEM)), _S("kontaktInfo", _CONTACT)),
        *(_S("komplettering", _S("frage-id", number), _S("text", clean(text))) for number, text in letter.complements),
        *_optional("sistaDatumForSvar", letter.answer_before.isoformat() if letter.answer_before else ""),
    )
    return soap.wrap(message, letter.unit)


_CONTACT: Final = "Frida Handläggare, Försäkringskassan, telefon 010-000 00 00"


Became = Literal["delivered", "refused", "failed"]
"""What became of a letter: care has it; care will never take it; or neither is known, and it is worth another try."""

_FOR_GOOD: Final = frozenset({"VALIDATION_ERROR", "APPLICATION_ERROR", "REVOKED"})


def became(status: int, body: bytes) -> tuple[Became, str]:
    """What care's answer means (§ 1.8), and its words."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml as bad:
        return "failed", str(bad)
    if isinstance(content, soap.Fault):
        unreadable = status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or "unmarshalling" in content.text.lower()
        return "refused" if unreadable else "failed", f"SOAP fault: {content.code}"
    if status != HTTPStatus.OK or content.tag != f"{{{RESPONDER}}}SendMessageToCareResponse":
        return "failed", "no answer of the contract"
    return _of_result(content)


def _of_result(response: etree._Element) -> tuple[Became, str]:
    code, text, error = (
        response.findtext(f"s:result/c:{name}", "", _NAMES) for name in ("resultCode", "resultText", "errorId")
    )
    words = f"{code} {text}".strip()
    if code in ("OK", "INFO"):
        return "delivered", words
    return "refused" if error in _FOR_GOOD else "failed", words


def _answered(letter: Letter) -> list[etree._Element]:
    if not letter.answer_to:
        return []
    reference = [_C("referens-id", letter.answer_reference)] if letter.answer_reference else []
    return [_S("svarPa", _C("meddelande-id", letter.answer_to), *reference)]


def _optional(name: str, text: str) -> list[etree._Element]:
    return [_S(name, text)] if text else []


def _ii(id: tuple[str, str]) -> list[etree._Element]:
    root, extension = id
    return [_T("root", root), _T("extension", extension)]


def _local(at: datetime) -> str:
    return at.astimezone(STOCKHOLM).replace(tzinfo=None).isoformat(timespec="seconds")
