"""Certificates and patients for the overview's tables, in short writing: ``intyg("02-12..20@50", ADA, doctor="D2")``.

The day that is asked about is 2016-02-16, as in the national engine's own tests. ADA is a woman of 45, BO a man of 26.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any, Final

from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate
from service.rules.sick_leave import Held, Listed, Question, Row, held
from tests.unit.service.rules.sjukfall_forms import day, period

ON: Final = day("02-16")
UNIT: Final = HsaId("SE1111111111-E001")
CLINIC: Final = HsaId("SE1111111111-E002")


def person(born: str, serial: int = 980) -> PersonId:
    return PersonId(f"{born}{serial}{control_digit(f'{born[2:]}{serial}')}")


ADA: Final = person("19710101", 980)
BO: Final = person("19900101", 239)
CIA: Final = person("20160301", 238)


def intyg(text: str, patient: PersonId = ADA, id: str = "", **elements: Any) -> Certificate:
    spans, _, signed = text.partition(" s ")
    periods = tuple(map(period, spans.split("+")))
    at = datetime.combine(day(signed) if signed else periods[0].start, time(10), UTC)
    given: dict[str, Any] = {"unit": UNIT, "doctor": "D1", "doctor_name": "Dag", "patient_name": "N N", **elements}
    return Certificate(id=id or text, patient=patient, periods=periods, signed=at, **given)


def listed(certificates: Iterable[Certificate], **known: Listed) -> dict[PersonId, Listed]:
    """Everybody who has a certificate; ``ADA=Listed(...)`` says more of one."""
    names = {ADA: "ADA", BO: "BO", CIA: "CIA"}
    people = {each.patient for each in certificates}
    return {each: known.get(names.get(each, ""), Listed(f"id-{each.digits[:8]}")) for each in people}


def find(*certificates: Certificate, doctor: str = "", patients: dict[str, Listed] | None = None, **asked: Any) -> Held:
    return held(certificates, listed(certificates, **(patients or {})), Question(ON, **asked), doctor)


def one(*certificates: Certificate, **rest: Any) -> Row:
    (row,) = find(*certificates, **rest).rows
    return row


def row(**elements: Any) -> Row:
    """A row of one certificate, with other values where the test says so."""
    return replace(one(intyg("02-12..20")), **elements)
