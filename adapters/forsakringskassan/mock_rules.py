"""What the recipient goes by beyond the schema: forsakringskassan.md § 1.7, a row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapters.forsakringskassan import wire


@dataclass(frozen=True, slots=True)
class CertificateAtRecipient:
    """What the recipient knows of a certificate. ``patient`` is twelve digits; ``unit`` issued it. What is about a
    ``test`` certificate is answered OK and goes no further."""

    id: str
    patient: str = field(repr=False)
    unit: str
    sent: bool = True
    revoked: bool = False
    test: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as read; empty where it holds nothing."""

    id: str = ""
    reference: str = ""
    subject: str = ""
    text: str = field(default="", repr=False)
    certificate: str = ""
    certificate_unit: str = ""
    patient_root: str = ""
    patient: str = field(default="", repr=False)
    recipient: str = ""
    reminder_of: str = ""
    answer_to: str = ""
    answer_before: str = ""
    sender_unit: str = ""
    address: str = ""

    @property
    def opens_case(self) -> bool:
        """Whether it is a question, and no answer or reminder."""
        return not (self.answer_to or self.reminder_of)


_WHERE: Final[Mapping[str, str]] = {
    "id": "s:meddelande-id",
    "reference": "s:referens-id",
    "subject": "s:amne/t:code",
    "text": "s:meddelande",
    "certificate": "s:intygs-id/t:extension",
    "certificate_unit": "s:intygs-id/t:root",
    "patient_root": "s:patientPerson-id/t:root",
    "patient": "s:patientPerson-id/t:extension",
    "recipient": "s:logiskAdressMottagare",
    "reminder_of": "s:paminnelseMeddelande-id",
    "answer_to": "s:svarPa/c:meddelande-id",
    "answer_before": "s:sistaDatumForSvar",
    "sender_unit": "s:skickatAv/c:enhet/c:enhets-id/t:extension",
}


def _in_full(path: str) -> str:
    """The path with namespaces instead of prefixes, which lxml finds a good deal faster."""
    steps = (step.split(":") for step in path.split("/"))
    return "/".join(f"{{{wire.NAMESPACES[prefix]}}}{name}" for prefix, name in steps)


_PATHS: Final = {name: _in_full(path) for name, path in _WHERE.items()}


def read(element: etree._Element, address: str) -> Incoming:
    """The request's element, and the address of its header."""
    found = {name: element.findtext(path, "").strip() for name, path in _PATHS.items()}
    return Incoming(**found, address=address)


@dataclass(frozen=True, slots=True)
class Known:
    """What the recipient goes by: certificates by id, and the subject of each message by id."""

    certificates: Mapping[str, CertificateAtRecipient]
    messages: Mapping[str, str]

    def certificate(self, incoming: Incoming) -> CertificateAtRecipient | None:
        """The certificate that the message is about."""
        return self.certificates.get(incoming.certificate)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule beyond the schema. ``error_id`` is empty where the recipient does not mind and the ledger still tells."""

    name: str
    error_id: str
    broken: Callable[[Incoming, Known], bool]
    words: str

    def __str__(self) -> str:
        return f"{self.name}: {self.words}"


_Doubt = Callable[[CertificateAtRecipient, Incoming], bool]


def _about(doubt: _Doubt) -> Callable[[Incoming, Known], bool]:
    """A rule about the certificate, silent when there is none: that is another rule's matter."""

    def broken(incoming: Incoming, known: Known) -> bool:
        certificate = known.certificate(incoming)
        return certificate is not None and doubt(certificate, incoming)

    return broken


SUBJECTS: Final = ("AVSTMN", "KONTKT", "OVRIGT", "KOMPLT", "PAMINN")
WRONG: Final = "VALIDATION_ERROR"

RULES: Final = (
    Rule(
        "SUBJECT_NOT_SUPPORTED_ERROR",
        WRONG,
        lambda incoming, _: incoming.subject not in SUBJECTS,
        "amne is none of the five codes",
    ),
    Rule(
        "RECIPIENT_INCONSISTENCY_ERROR",
        WRONG,
        lambda incoming, _: incoming.recipient != incoming.address,
        "logiskAdressMottagare differs from the header",
    ),
    Rule(
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
        WRONG,
        lambda incoming, _: bool(incoming.answer_before and (incoming.answer_to or incoming.reminder_of)),
        "sistaDatumForSvar stands on questions only",
    ),
    Rule(
        "MEDDELANDE_ID_MISSING_ERROR",
        WRONG,
        lambda incoming, _: not incoming.id,
        "meddelande-id is empty",
    ),
    Rule(
        "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
        WRONG,
        lambda incoming, known: incoming.id in known.messages,
        "meddelande-id has been received before",
    ),
    Rule(
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
        WRONG,
        lambda incoming, _: (incoming.subject == "PAMINN") != bool(incoming.reminder_of),
        "paminnelseMeddelande-id goes with PAMINN and with nothing else",
    ),
    Rule(
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
        WRONG,
        lambda incoming, known: any(
            id not in known.messages for id in (incoming.reminder_of, incoming.answer_to) if id
        ),
        "the message that is reminded of or answered is not known",
    ),
    Rule(
        "SUBJECT_CONSISTENCY_ERROR",
        WRONG,
        lambda incoming, known: known.messages.get(incoming.answer_to, incoming.subject) != incoming.subject,
        "an answer has the subject of its question",
    ),
    Rule(
        "CERTIFICATE_NOT_FOUND_ERROR",
        "APPLICATION_ERROR",
        lambda incoming, known: known.certificate(incoming) is None,
        "the certificate is not known",
    ),
    Rule(
        "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
        WRONG,
        _about(lambda certificate, incoming: certificate.patient != incoming.patient),
        "the patient is not the certificate's",
    ),
    Rule(
        "CERTIFICATE_NOT_SENT_ERROR",
        WRONG,
        _about(lambda certificate, _: not certificate.sent),
        "the certificate has not been sent to the recipient",
    ),
    Rule(
        "CERTIFICATE_REVOKED_ERROR",
        "REVOKED",
        _about(lambda certificate, _: certificate.revoked),
        "the certificate is revoked",
    ),
    Rule(
        "CERTIFICATE_UNIT_NOTE",
        "",
        _about(lambda certificate, incoming: certificate.unit != incoming.certificate_unit),
        "the root of intygs-id is not the issuing unit (noted, not refused)",
    ),
    Rule(
        "TEST_CERTIFICATE",
        "",
        _about(lambda certificate, _: certificate.test),
        "the certificate is marked as a test: answered OK, and goes no further",
    ),
)
"""§ 1.7, in the order in which the recipient speaks; names as far as they are known from reality."""
