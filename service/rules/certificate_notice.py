"""When a certificate may count as the information under 4 § (lag 2019:1297, domain rule 17).

26.1 is a wish for contact and no more. A person says that it states the need, and that the patient consents; the certificate
must have reached Försäkringskassan, and stand.
"""

from collections.abc import Iterator
from typing import Final

from contracts.certificate import MedicalCertificate
from contracts.consent import InformationCategory, Purpose
from contracts.errors import Issue, IssueType

CONTACT_WISHED: Final = "Läkaren har önskat kontakt med Försäkringskassan i intyget"
"""How the wish is shown to a coordinator."""
CATEGORIES: Final = frozenset({InformationCategory.ASSUMED_REHAB_NEED})
PURPOSE: Final = Purpose.COORDINATION
"""What such a certificate tells, and for what: the consents must cover it."""


def faults(certificate: MedicalCertificate, *, states_need: bool, patient_consents: bool) -> tuple[Issue, ...]:
    """Why it may not; empty when it may, as far as the certificate and the person tell. The consents on record are asked
    beside this."""
    return tuple(_faults(certificate, states_need, patient_consents))


def _faults(certificate: MedicalCertificate, states_need: bool, patient_consents: bool) -> Iterator[Issue]:
    if not certificate.contact_wished:
        yield _fault("the doctor has not wished for contact in this certificate (26.1)", "notice-contact-wished")
    if certificate.sent_to_fk is None:
        yield _fault("it is not known that this certificate was sent to Försäkringskassan", "notice-certificate-sent")
    if certificate.revoked:
        yield _fault("this certificate has been revoked", "notice-certificate-stands")
    if not states_need:
        yield _fault(
            "say that the certificate states the need of measures: a wish alone does not", "notice-need-stated"
        )
    if not patient_consents:
        yield _fault("say that the patient consents to it", "notice-consent-stated")


def _fault(text: str, rule: str) -> Issue:
    return Issue(IssueType.BUSINESS_RULE, text, rule=rule)
