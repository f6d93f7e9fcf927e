"""Certificates in short writing, for the engine's tables: ``of("02-01..10", "02-12..20 s 01-30")`` are numbers 1 and 2.

``02-15..03-04`` spans months; ``+`` joins a certificate's periods; ``@50`` is a degree (100 otherwise); ``s 01-30`` the day
of signing (the first day otherwise). The year is 2016, as in the national engine's own tests.
"""

from dataclasses import dataclass
from datetime import date, datetime, time

from contracts.sick_leave import CertificatePeriod


@dataclass(frozen=True, slots=True)
class Intyg:
    id: str
    periods: tuple[CertificatePeriod, ...]
    signed: datetime | None
    patient: str = "P"


def day(text: str) -> date:
    return date.fromisoformat(text if len(text) > 5 else f"2016-{text}")


def period(text: str) -> CertificatePeriod:
    span, _, degree = text.partition("@")
    first, _, last = span.partition("..")
    return CertificatePeriod(day(first), day(last if "-" in last else first[:-2] + last), int(degree or 100))


def intyg(text: str, id: str = "1", patient: str = "P") -> Intyg:
    spans, _, signed = text.partition(" s ")
    periods = tuple(period(each) for each in spans.split("+"))
    return Intyg(id, periods, datetime.combine(day(signed) if signed else periods[0].start, time(10)), patient)


def of(*texts: str, patient: str = "P") -> list[Intyg]:
    return [intyg(text, str(number), patient) for number, text in enumerate(texts, 1)]
