"""When a certificate may count as the information under 4 §: every combination (domain rule 17)."""

from datetime import UTC, datetime
from itertools import product
from typing import Final

import pytest

from contracts.certificate import MedicalCertificate
from contracts.consent import InformationCategory, Purpose
from contracts.identity import HsaId, PersonId, control_digit
from service.rules import certificate_notice

_SENT: Final = datetime(2026, 2, 2, 9, tzinfo=UTC)
_PERSON: Final = PersonId(f"19700101980{control_digit('700101980')}")


@pytest.mark.parametrize(("wished", "sent", "stands", "need", "consent"), [*product((True, False), repeat=5)])
def test_all_of_it_or_the_rules_that_forbid_it(
    wished: bool, sent: bool, stands: bool, need: bool, consent: bool
) -> None:
    certificate = MedicalCertificate(
        id="one",
        patient=_PERSON,
        unit=HsaId("SE1111111111-E001"),
        contact_wished=wished,
        sent_to_fk=_SENT if sent else None,
        revoked=not stands,
    )
    missing = {
        "notice-contact-wished": not wished,
        "notice-certificate-sent": not sent,
        "notice-certificate-stands": not stands,
        "notice-need-stated": not need,
        "notice-consent-stated": not consent,
    }
    told = certificate_notice.faults(certificate, states_need=need, patient_consents=consent)
    assert [issue.rule for issue in told] == [rule for rule, is_missing in missing.items() if is_missing]


def test_what_the_consents_must_cover() -> None:
    assert {InformationCategory.ASSUMED_REHAB_NEED} == certificate_notice.CATEGORIES
    assert certificate_notice.PURPOSE is Purpose.COORDINATION
