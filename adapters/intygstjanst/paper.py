"""A certificate of FK 7804 as RIV-TA carries it, whole, as the mock sends it (forsakringskassan.md §§ 1.4, 1.10, 1.11). Pure.

Also the questions that coordination does not read are answered: who reads them after all is found out.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from lxml import etree

from adapters.intygstjanst.certificate import REVOKED, SENT
from adapters.intygstjanst.wire import CERTIFICATE, CERTIFICATE_TYPES, CERTIFICATES, FK, PARTIES
from contracts.certificate import InDays, InMonths, MedicalCertificate, Prognosis, Unclear
from contracts.identity import HsaId
from contracts.sick_leave import Certificate
from contracts.time import STOCKHOLM
from fhir_mappings.certificate import DAYS, PROGNOSES
from fhir_mappings.identifiers import HSA_ID, WORKPLACE_CODE, person_system
from fhir_mappings.sick_leave import LEVELS, TITLE, TYPE_CODE

_CORE: Final = f"{CERTIFICATES}:3"
_TYPES_OF_CERTIFICATES: Final = "b64ea353-e8f6-4832-b563-fc7d46f29548"
_RELATIONS: Final = "c2362fcd-eda0-4f9a-bd13-b3bbaf7f2146"
_STATUSES: Final = "9871cd17-8755-4ed9-b894-ff3729e775a4"
_ICD: Final = {1: "1.2.752.116.1.1.1.1.3", 2: "1.2.752.116.1.1.1"}
_NOT_READ: Final = {"35.1": "Nedsatt uthållighet.", "17.1": "Klarar inte ett helt arbetspass.", "19.1": "Samtalsstöd."}
_NOBODY: Final = "SE1111111111-0000"
Part = str | etree._Element


def response(form: MedicalCertificate, feed: Certificate | None) -> etree._Element:
    """GetCertificate's answer. ``feed`` has what the form of the contract has not: names and diagnoses."""
    element = etree.Element(
        CERTIFICATE.response, nsmap={"r": CERTIFICATE.responder, "c": _CORE, "t": CERTIFICATE_TYPES}
    )
    element.append(intyg(form, feed, CERTIFICATE.responder))
    return element


def intyg(form: MedicalCertificate, feed: Certificate | None, namespace: str) -> etree._Element:
    """The certificate, as a part of a message in that namespace."""
    paper = etree.Element(f"{{{namespace}}}intyg")
    paper.append(_id(form.unit, form.id))
    paper.append(_coded("typ", TYPE_CODE, _TYPES_OF_CERTIFICATES, TITLE))
    paper.append(_core("version", str(form.version or 1)))
    paper.extend(_core("signeringstidpunkt", _time(at)) for at in (form.signed,) if at)
    paper.extend(_core("skickatTidpunkt", _time(at)) for at in (form.sent_to_fk,) if at)
    paper.append(_patient(form, feed))
    paper.append(_author(form, feed))
    paper.extend(
        _core("relation", _coded("typ", each.kind, _RELATIONS), _id(form.unit, each.certificate))
        for each in form.relations
    )
    paper.extend(_history(form))
    paper.extend(_answers(form, feed))
    return paper


# Who and when


def _id(unit: HsaId, id: str) -> etree._Element:
    return _core("intygs-id", _types("root", unit.value), _types("extension", id))


def _patient(form: MedicalCertificate, feed: Certificate | None) -> etree._Element:
    given, _, family = (feed.patient_name if feed else "").partition(" ")
    return _core(
        "patient",
        _identifier("person-id", person_system(form.patient).rivta, form.patient.digits),
        _core("fornamn", given),
        _core("efternamn", family),
        *map(_core, ("postadress", "postnummer", "postort"), ("Provgatan 1", "000 00", "Provstad")),
    )


def _author(form: MedicalCertificate, feed: Certificate | None) -> etree._Element:
    provider = str(feed.provider) if feed and feed.provider else _NOBODY
    unit = _core(
        "enhet",
        _identifier("enhets-id", HSA_ID.rivta, form.unit.value),
        _identifier("arbetsplatskod", WORKPLACE_CODE.rivta, "0000000"),
        _core("enhetsnamn", feed.unit_name if feed else ""),
        *map(_core, ("postadress", "postnummer", "postort", "telefonnummer")),
        _core(
            "vardgivare", _identifier("vardgivare-id", HSA_ID.rivta, provider), _core("vardgivarnamn", "Vårdgivaren")
        ),
    )
    doctor = _identifier("personal-id", HSA_ID.rivta, form.doctor or _NOBODY)
    return _core("skapadAv", doctor, _core("fullstandigtNamn", form.doctor_name), unit)


def _history(form: MedicalCertificate) -> Iterator[etree._Element]:
    if form.sent_to_fk:
        yield _status(FK, SENT, form.sent_to_fk)
    if form.revoked and form.signed:
        yield _status("HSVARD", REVOKED, form.signed)


def _status(part: str, status: str, at: datetime) -> etree._Element:
    return _core(
        "status", _coded("part", part, PARTIES), _coded("status", status, _STATUSES), _core("tidpunkt", _time(at))
    )


# What is answered


def _answers(form: MedicalCertificate, feed: Certificate | None) -> Iterator[etree._Element]:
    if form.carrier_allowance:
        yield _answer(("27.1", "true"))
    for number, occupation in enumerate(form.occupations, 1):
        yield _answer(("28.1", _cv(occupation, "KV_FKMU_0002")), instance=number)
    if form.profession:
        yield _answer(("29.1", form.profession))
    if feed and feed.diagnosis:
        yield _answer(("6.2", _cv(feed.diagnosis, _ICD[form.version or 1])), ("6.1", feed.diagnosis))
    yield from (_answer((part, text)) for part, text in _NOT_READ.items())
    for number, period in enumerate(form.periods, 1):
        days = _types("datePeriod", _types("start", period.start.isoformat()), _types("end", period.end.isoformat()))
        yield _answer(("32.1", _cv(LEVELS[period.degree], "KV_FKMU_0003")), ("32.2", days), instance=number)
    if form.prognosis:
        yield _answer(*_prognosis(form.prognosis))
    for number, measure in enumerate(form.measures, 1):
        yield _answer(("40.1", _cv(measure, "KV_FKMU_0004")), instance=number)
    if form.measures_text:
        yield _answer(("44.1", form.measures_text))
    reason = (("26.2", form.contact_reason),) if form.contact_reason else ()
    yield _answer(("26.1", str(form.contact_wished).lower()), *reason)


def _prognosis(prognosis: Prognosis) -> Iterator[tuple[str, Part]]:
    yield "39.1", _cv(PROGNOSES[type(prognosis)], "KV_FKMU_0006")
    match prognosis:
        case Unclear(text) if text:
            yield "39.2", text
        case InDays(days):
            yield "39.3", _cv(DAYS[days], "KV_FKMU_0007")
        case InMonths(months):
            yield "39.4", str(months)


def _answer(*parts: tuple[str, Part], instance: int | None = None) -> etree._Element:
    told = [] if instance is None else [_core("instans", str(instance))]
    answer = _core("svar", *told, *(_part(number, content) for number, content in parts))
    answer.set("id", parts[0][0].partition(".")[0])
    return answer


def _part(number: str, content: Part) -> etree._Element:
    part = _core("delsvar", content)
    part.set("id", number)
    return part


# Elements


def _cv(code: str, system: str) -> etree._Element:
    return _types("cv", _types("code", code), _types("codeSystem", system))


def _coded(name: str, code: str, system: str, display: str = "") -> etree._Element:
    shown = [_types("displayName", display)] if display else []
    return _core(name, _types("code", code), _types("codeSystem", system), *shown)


def _identifier(name: str, root: str, extension: str) -> etree._Element:
    return _core(name, _types("root", root), _types("extension", extension))


def _time(at: datetime) -> str:
    return at.astimezone(STOCKHOLM).replace(tzinfo=None).isoformat(timespec="seconds")


def _core(name: str, *content: Part) -> etree._Element:
    return _element(_CORE, name, content)


def _types(name: str, *content: Part) -> etree._Element:
    return _element(CERTIFICATE_TYPES, name, content)


def _element(namespace: str, name: str, content: tuple[Part, ...]) -> etree._Element:
    element = etree.Element(f"{{{namespace}}}{name}")
    for each in content:
        if isinstance(each, str):
            element.text = each
        else:
            element.append(each)
    return element
