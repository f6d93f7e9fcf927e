"""What is read of a certificate in an answer, and whether it can be used. Pure.

Real answers break their own schema (rehabstod.md § 1.8), so each record is judged by itself, and one that cannot be used
is set aside with a reason (decision D23). Where its parts stand is one table.
"""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from lxml import etree

from adapters.intygstjanst.columns import Elements, Part, Repeated, has_comments, xpath
from adapters.intygstjanst.drafts import drafted
from adapters.intygstjanst.wire import CORE
from contracts.identity import BadIdentity, HsaId, PersonId
from contracts.sick_leave import Certificate, CertificatePeriod, SetAside
from contracts.time import STOCKHOLM
from fhir_mappings.identifiers import NATIONAL_PERSON_SYSTEMS

RECORD: Final = f"{{{CORE}}}intygsData"

_RECORDS: Final = "c:intygsData"
_PARTS: Final = tuple(
    Part(_RECORDS, path)
    for path in (
        "c:intygsId",
        "c:patient/c:personId/t:root",
        "c:patient/c:personId/t:extension",
        "c:patient/c:fullstandigtNamn",
        "c:skapadAv/c:personalId/t:extension",
        "c:skapadAv/c:fullstandigtNamn",
        "c:skapadAv/c:enhet/c:enhetsId/t:extension",
        "c:skapadAv/c:enhet/c:enhetsnamn",
        "c:skapadAv/c:enhet/c:vardgivare/c:vardgivarId/t:extension",
        "c:diagnoskod",
        "c:signeringsTidpunkt",
    )
)
"""What stands once in a record, in the order in which ``_certificate`` takes it. HSA-ids are known by their form: their root
is not looked at, since two are in use and real answers have none. Befattningar and enkeltIntyg (always false) are not used."""

_LISTS: Final = (
    Repeated(_RECORDS, "c:arbetsformaga/c:formaga", "c:startdatum", "c:slutdatum", "c:nedsattning"),
    Repeated(_RECORDS, "c:bidiagnoser"),
    Repeated(_RECORDS, "c:sysselsattning"),
)
"""What may stand there several times, each with its own parts."""

_records: Final = xpath(_RECORDS)
_Periods = list[tuple[str, str, str]]


def judged(listed: etree._Element, provider: str, waits: bool = False) -> list[Certificate | SetAside]:
    """The records of a list. ``provider`` is the care provider where a record names none; the last one may have to wait for
    its end."""
    found = _records(listed)
    ended = len(found) - waits
    records = Elements(listed, found[:ended], found[ended:], not has_comments(listed))
    columns = (*(part.of_each(records) for part in _PARTS), *(each.of_each(records) for each in _LISTS))
    return [_judged(texts, provider) for texts in zip(*columns, strict=True)]


class Unusable(ValueError):
    """Why a record is set aside: plain words without personal data."""


def _judged(texts: tuple[Any, ...], provider: str) -> Certificate | SetAside:
    try:
        return _certificate(provider, *texts)
    except (Unusable, BadIdentity) as error:
        return SetAside(texts[0], str(error))


_write: Final = drafted(Certificate)
_certify: Final = drafted(CertificatePeriod)


def _certificate(
    common_provider: str,
    id: str,
    root: str,
    person: str,
    name: str,
    doctor: str,
    doctor_name: str,
    unit: str,
    unit_name: str,
    provider: str,
    diagnosis: str,
    signed: str,
    periods: _Periods,
    secondary_diagnoses: list[str],
    occupations: list[str],
) -> Certificate:
    if not id:
        raise Unusable("the certificate has no id")
    return _write(  # in the order of its fields: to name them takes as long as to fill them
        id,
        patient_id(root, person),
        hsa_id(unit, "unit"),
        _periods(periods),
        instant(signed),
        name,
        unit_name,
        _provider(provider or common_provider),
        doctor,
        doctor_name,
        diagnosis or None,
        tuple(filter(None, secondary_diagnoses)),
        _occupations(occupations),
    )


_PERSON_ROOTS: Final = frozenset({"", *(system.rivta for system in NATIONAL_PERSON_SYSTEMS)})


@lru_cache(maxsize=16)
def patient_id(root: str, text: str) -> PersonId:
    """By the digits alone, hyphen or not; a root that is there must be a national one (§ 1.8). A patient's certificates
    come together."""
    if root not in _PERSON_ROOTS:
        raise Unusable("the patient's identity is of another kind than the national numbers")
    return PersonId(text)


def _provider(text: str) -> HsaId | None:
    """Real answers have no common one (§ 1.8)."""
    return hsa_id(text, "care provider") if text else None


@lru_cache(maxsize=1024)
def hsa_id(text: str, whose: str) -> HsaId:
    """The same few stand in every record of an answer."""
    try:
        return HsaId(text)
    except BadIdentity:
        raise Unusable(f"the {whose}'s HSA-id is missing or malformed") from None


def _occupations(texts: list[str]) -> tuple[str, ...]:
    """Codes as they come, also unknown ones. A list may come unsplit, and the empty entries of a split one say nothing
    (§ 1.8)."""
    return tuple(filter(None, map(str.strip, ",".join(texts).split(","))))


def _periods(texts: _Periods) -> tuple[CertificatePeriod, ...]:
    if not texts:
        raise Unusable("the certificate has no periods")
    return tuple([_period(*parts) for parts in texts])


def _period(first: str, last: str, degree: str) -> CertificatePeriod:
    start, end = day(first), day(last)
    if end < start:
        raise Unusable("a period ends before it starts")
    return _certify(start, end, _DEGREES.get(degree) or _degree(degree))


_DEGREES: Final = {str(degree): degree for degree in range(1, 101)}
_WHOLE_NUMBER: Final = re.compile(r"\+?\d{1,9}", re.ASCII)


def _degree(text: str) -> int:
    """In any other spelling that the schema knows."""
    if _WHOLE_NUMBER.fullmatch(text) is None or not 1 <= int(text) <= 100:
        raise Unusable("a degree is no whole number of 1 to 100")
    return int(text)


_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """A calendar day as written: a zone on it (xs:date allows one) moves nothing."""
    match = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise Unusable("a period has an unreadable date") from None


_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)?", re.ASCII)
_START: Final = datetime(2000, 1, 1, tzinfo=UTC)
_START_WITHOUT_ZONE: Final = _START.replace(tzinfo=None)
_SHOWN_ANYWHERE: Final = range(2, 9999)
"""Years of which every instant can be shown in any zone."""


def instant(text: str) -> datetime:
    """A time without zone is Swedish time (§ 1.7). Counted from a fixed instant: ``astimezone`` takes many times longer."""
    match = _TIME.fullmatch(text)
    try:
        bare, zone = match.groups() if match else ("", None)
        at = datetime.fromisoformat(bare)
        instant = _START + (at - _START_WITHOUT_ZONE - (_offset(zone) if zone else _swedish_offset(at)))
        if instant.year not in _SHOWN_ANYWHERE:
            instant.astimezone(STOCKHOLM)
        return instant
    except (ValueError, OverflowError):
        raise Unusable("the signing time is missing or unreadable") from None


@lru_cache(maxsize=64)
def _offset(zone: str) -> timedelta:
    return _START - datetime.fromisoformat(f"2000-01-01T00:00:00{zone}")


def _swedish_offset(at: datetime) -> timedelta:
    return STOCKHOLM.utcoffset(at) or timedelta()
