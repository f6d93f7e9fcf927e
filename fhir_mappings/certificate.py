"""What was read of a certificate, FK 7804, in FHIR: a ``QuestionnaireResponse`` beside the certificate's DocumentReference.

The form's own numbers are the ``linkId``s, so whoever knows the form finds each answer where the form has it (26.1, 39.4), in
either version; no answer needs a profile or an extension of ours. It has the certificate's identifier, and points at the
DocumentReference, which the feed writes anew at each pull and which therefore holds nothing of this. Only what was read stands
there: no diagnosis, function or treatment (forsakringskassan.md § 1.11).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from contracts.certificate import InDays, InMonths, Likely, MedicalCertificate, NotLikely, Prognosis, Unclear
from contracts.sick_leave import CertificatePeriod
from fhir_mappings import r4, terminology
from fhir_mappings.identifiers import (
    CERTIFICATE_ID,
    FK_7804,
    HSA_ID,
    OCCUPATION,
    PROGNOSIS,
    PROGNOSIS_DAYS,
    SICK_LEAVE_DEGREE,
    WORK_MEASURE,
)
from fhir_mappings.primitives import Json, coding, identifier, logical, to_instant
from fhir_mappings.sick_leave import LEVELS
from fhir_mappings.terminology import Coded

WISHED: Final = "26.1"
DOCUMENT: Final = "certificate"

_TEXTS: Final = {
    DOCUMENT: "Intyget",
    "sent-to-fk": "Skickat till Försäkringskassan",
    "relation": "Gäller ett tidigare intyg",
    "unread": "Finns i intyget och kunde inte läsas",
    "27.1": "Avstängning enligt smittskyddslagen",
    "28.1": "Sysselsättning",
    "29.1": "Yrke och arbetsuppgifter",
    "32": "Bedömd nedsättning",
    "32.1": "Grad",
    "32.2.start": "Från och med",
    "32.2.end": "Till och med",
    "39": "Prognos",
    "39.1": "Prognos för arbetsförmågan",
    "39.2": "Varför prognosen är oklar",
    "39.3": "Antal dagar",
    "39.4": "Antal månader",
    "40.1": "Arbetslivsinriktade åtgärder",
    "44.1": "Åtgärder som kan underlätta återgång",
    WISHED: "Önskar att Försäkringskassan tar kontakt",
    "26.2": "Varför kontakt önskas",
}
"""Each ``linkId``, in our own words. What is no number of the form is not asked there."""

DAYS: Final = {
    30: "TRETTIO_DGR",
    60: "SEXTIO_DGR",
    90: "NITTIO_DGR",
    180: "HUNDRAATTIO_DAGAR",
    365: "TREHUNDRASEXTIOFEM_DAGAR",
}
"""KV_FKMU_0007 by the number."""
PROGNOSES: Final = {
    Likely: "STOR_SANNOLIKHET",
    NotLikely: "SANNOLIKT_INTE",
    Unclear: "PROGNOS_OKLAR",
    InDays: "ATER_X_ANTAL_DGR",
    InMonths: "ATER_X_ANTAL_MANADER",
}
"""KV_FKMU_0006 of both versions, by what it says."""


def questionnaire_response(certificate: MedicalCertificate, patient: str, document: str) -> bytes:
    """What was read. ``patient`` is ``Patient/id``, ``document`` ``DocumentReference/id``. A revoked certificate was entered in
    error; its answers stay readable."""
    content = {
        "identifier": identifier(CERTIFICATE_ID, certificate.id),
        "questionnaire": f"{FK_7804}|{certificate.version}" if certificate.version else FK_7804,
        "status": "entered-in-error" if certificate.revoked else "completed",
        "subject": {"reference": patient},
        "authored": certificate.signed and to_instant(certificate.signed),
        "author": certificate.doctor
        and logical(HSA_ID, certificate.doctor, "Practitioner", certificate.doctor_name.strip()),
        "item": [*_items(certificate, document)],
    }
    return r4.build("QuestionnaireResponse", {name: value for name, value in content.items() if value})


def wishing(response: Json) -> str:
    """The id of the certificate in which the doctor wished for contact, if that was read in one that stands; empty for any
    other, also for a response of somebody else."""
    stated = response.get("identifier", {})
    wished = (each for each in response.get("item", ()) if each.get("linkId") == WISHED)
    says_so = any(answer.get("valueBoolean") is True for each in wished for answer in each.get("answer", ()))
    stands = response["status"] == "completed" and stated.get("system") == CERTIFICATE_ID
    return str(stated.get("value", "")) if says_so and stands else ""


def _items(certificate: MedicalCertificate, document: str) -> Iterator[Json]:
    yield _item(DOCUMENT, valueReference={"reference": document})
    if certificate.sent_to_fk:
        yield _item("sent-to-fk", valueDateTime=to_instant(certificate.sent_to_fk))
    for relation in certificate.relations:
        yield _group("relation", _item(relation.kind, valueString=relation.certificate))
    yield from _truth(certificate, "27.1", certificate.carrier_allowance)
    yield from _codings("28.1", OCCUPATION, certificate.occupations)
    yield from _strings("29.1", certificate.profession)
    yield from map(_period, certificate.periods)
    if certificate.prognosis:
        yield _group("39", *_prognosis(certificate.prognosis))
    yield from _codings("40.1", WORK_MEASURE, certificate.measures)
    yield from _strings("44.1", certificate.measures_text)
    yield from _truth(certificate, WISHED, certificate.contact_wished)
    yield from _strings("26.2", certificate.contact_reason)
    yield from _strings("unread", *certificate.unread)


def _period(period: CertificatePeriod) -> Json:
    return _group(
        "32",
        *_codings("32.1", SICK_LEAVE_DEGREE, (LEVELS[period.degree],)),
        _item("32.2.start", valueDate=period.start.isoformat()),
        _item("32.2.end", valueDate=period.end.isoformat()),
    )


def _prognosis(prognosis: Prognosis) -> Iterator[Json]:
    yield from _codings("39.1", PROGNOSIS, (PROGNOSES[type(prognosis)],))
    match prognosis:
        case Unclear(text):
            yield from _strings("39.2", text)
        case InDays(days):
            yield from _codings("39.3", PROGNOSIS_DAYS, (DAYS[days],))
        case InMonths(months):
            yield _item("39.4", valueInteger=months)


def _truth(certificate: MedicalCertificate, link: str, said: bool) -> Iterator[Json]:
    """What could not be read is not said to be untrue."""
    if link not in certificate.unread:
        yield _item(link, valueBoolean=said)


def _item(link: str, **answer: Any) -> Json:
    return _answered(link, [answer])


def _strings(link: str, *texts: str) -> Iterator[Json]:
    answers = [{"valueString": each} for each in texts if each]
    if answers:
        yield _answered(link, answers)


def _codings(link: str, system: str, codes: tuple[str, ...]) -> Iterator[Json]:
    if codes:
        yield _answered(link, [{"valueCoding": coding(system, code, label(system, code))} for code in codes])


def _answered(link: str, answers: list[Any]) -> Json:
    return {"linkId": link, **_text(link), "answer": answers}


def _group(link: str, *items: Json) -> Json:
    return {"linkId": link, **_text(link), "item": list(items)}


def _text(link: str) -> dict[str, str]:
    return {"text": _TEXTS[link]} if link in _TEXTS else {}


def label(system: str, code: str) -> str:
    """The Swedish words of one of the form's codes."""
    found = terminology.concept(Coded(system, str(code)))
    return "" if found is None else terminology.word(found, "sv", date.max)
