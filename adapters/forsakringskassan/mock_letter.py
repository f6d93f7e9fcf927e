"""SendMessageToCare 2.0 as the recipient writes it, and what care answered. Pure. Facts: forsakringskassan.md § 1.3."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from lxml import etree
from lxml.builder import ElementMaker

from adapters import soap
from adapters.forsakringskassan import wire
from adapters.forsakringskassan.inbound import PARTY_SYSTEM, RESPONDER
from contracts.time import STOCKHOLM

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
        _S("meddelande", letter.text),
        *_optional("paminnelseMeddelande-id", letter.reminder_of),
        *_answered(letter),
        _S("skickatAv", _S("part", _T("code", "FKASSA"), _T("codeSystem", PARTY_SYSTEM)), _S("kontaktInfo", _CONTACT)),
        *(_S("komplettering", _S("frage-id", number), _S("text", text)) for number, text in letter.complements),
        *_optional("sistaDatumForSvar", letter.answer_before.isoformat() if letter.answer_before else ""),
    )
    return soap.wrap(message, letter.unit)


_CONTACT: Final = "Frida Handläggare, Försäkringskassan, telefon 010-000 00 00"


def result(body: bytes) -> tuple[str, str]:
    """Care's result code and text; an empty code, and why, when it is no answer of the contract."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml as bad:
        return "", str(bad)
    if isinstance(content, soap.Fault):
        return "", f"SOAP fault: {content.code}"
    code, text = (content.findtext(f"s:result/c:{name}", "", _NAMES) for name in ("resultCode", "resultText"))
    return code, text


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
