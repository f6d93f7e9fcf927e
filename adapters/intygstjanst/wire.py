"""Bytes <-> contracts for ListActiveSickLeavesForCareUnit 1. Pure: no I/O, no clock.

Strict in what is asked (rehabstod.md §§ 1.3-1.7), lenient in what is read (§ 1.8): the real answers break their own
schema, so each record is judged by itself, and one that cannot be used is set aside with a reason (decision D23).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from lxml import etree

from adapters import soap
from contracts.errors import Invalid, Unavailable
from contracts.identity import BadIdentity, HsaId, PersonId
from contracts.sick_leave import Certificate, CertificatePeriod, SetAside
from contracts.time import STOCKHOLM
from fhir_mappings.identifiers import HSA_ID, NATIONAL_PERSON_SYSTEMS

NAME: Final = "ListActiveSickLeavesForCareUnit"
RESPONDER: Final = f"urn:riv:clinicalprocess:healthcond:rehabilitation:{NAME}Responder:1"
CORE: Final = "urn:riv:clinicalprocess:healthcond:rehabilitation:1"
TYPES: Final = "urn:riv:clinicalprocess:healthcond:certificate:types:2"
ACTION: Final = f"{RESPONDER}:{NAME}"
SCHEMA: Final = "list_active_sick_leaves_for_care_unit_1.xsd"
MOST_DAYS: Final = 14
"""The contract's bound on how long ago a sick leave may have ended (§ 1.4)."""

_MAX_BYTES: Final = 512 * 1024 * 1024
_MAX_DEPTH: Final = 32
_PIECE: Final = 64 * 1024
_MAX_SPAN: Final = 1024 * 1024
"""Bytes in which a record must have ended. A record has some 1,600; texts and foreign parts this large are an attack,
and nothing is dropped from memory before a record ends."""


def request(unit: HsaId, max_days_since_end: int, logical_address: str) -> bytes:
    """The question in its envelope. Raises ``Invalid`` for days that the contract does not allow."""
    if not 0 <= max_days_since_end <= MOST_DAYS:
        raise Invalid(f"days since the end of a sick leave are 0 to {MOST_DAYS}")
    question = etree.Element(f"{{{RESPONDER}}}{NAME}", nsmap={"r": RESPONDER, "t": TYPES})
    asked = etree.SubElement(question, f"{{{RESPONDER}}}enhets-id")
    etree.SubElement(asked, f"{{{TYPES}}}root").text = HSA_ID.rivta
    etree.SubElement(asked, f"{{{TYPES}}}extension").text = unit.value
    etree.SubElement(question, f"{{{RESPONDER}}}max-dagar-sedan-avslut").text = str(max_days_since_end)
    return soap.wrap(question, logical_address)


# Reading. Local elements belong to the namespace of the type that declares them (§ 1.2).

_ENVELOPE: Final = f"{{{soap.ENVELOPE}}}Envelope"
_BODY: Final = f"{{{soap.ENVELOPE}}}Body"
_FAULT: Final = f"{{{soap.ENVELOPE}}}Fault"
_RESPONSE: Final = f"{{{RESPONDER}}}{NAME}Response"
_LIST: Final = f"{{{RESPONDER}}}intygsLista"
_RECORD: Final = f"{{{CORE}}}intygsData"
_RECORD_DEPTH: Final = 5
_CODES: Final = ("{*}resultCode", "{*}result/{*}resultCode")
"""Flat in this contract, nested in its sibling; a fault that was turned into an answer may come as either (§ 1.8)."""


_Table = dict[object, "str | _Table"]  # from the tag of an element


def _core(**fields: "str | _Table") -> _Table:
    return {f"{{{CORE}}}{name}": field for name, field in fields.items()}


def _identifier(root: str, extension: str) -> _Table:
    return {f"{{{TYPES}}}root": root, f"{{{TYPES}}}extension": extension}


_CERTIFICATE: Final = _core(
    intygsId="id",
    patient=_core(personId=_identifier("patient root", "patient"), fullstandigtNamn="patient name"),
    skapadAv=_core(
        personalId=_identifier("", "doctor"),
        fullstandigtNamn="doctor name",
        enhet=_core(
            enhetsId=_identifier("", "unit"),
            enhetsnamn="unit name",
            vardgivare=_core(vardgivarId=_identifier("", "provider")),
        ),
    ),
    diagnoskod="diagnosis",
    bidiagnoser="secondary diagnoses",
    arbetsformaga=_core(formaga="periods"),
    signeringsTidpunkt="signed",
    sysselsattning="occupations",
)
"""What is read of a record, and where it stands. HSA-ids are known by their form: their root is not looked at, since
two are in use and real answers have none. Befattningar and enkeltIntyg (always false) are not used."""

_PERIOD: Final = _core(startdatum="start", slutdatum="end", nedsattning="degree")
_COMMON_PROVIDER: Final = f"{{{RESPONDER}}}vardgivare/{{{CORE}}}vardgivarId/{{{TYPES}}}extension"

_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_WHOLE_NUMBER: Final = re.compile(r"\+?\d{1,9}", re.ASCII)
_PERSON_ROOTS: Final = ("", *(system.rivta for system in NATIONAL_PERSON_SYSTEMS))


class AnswerReader:
    """Reads an answer piece by piece, in memory that does not grow with it.

    What ``feed`` hands out counts only once ``close`` has returned: a cut-off answer looks whole until then.
    Both raise ``Unavailable``, and its reason never copies a text of the answer, which may hold personal data.
    """

    def __init__(self, max_bytes: int = _MAX_BYTES, max_depth: int = _MAX_DEPTH) -> None:
        self._parser = soap.pull_parser(_ENVELOPE, _RECORD)
        self._is_deep = _deeper_than(max_depth - 1)
        self._is_deep_record = _deeper_than(max_depth - _RECORD_DEPTH)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._span = 0
        self._envelope: etree._Element | None = None

    def feed(self, chunk: bytes) -> list[Certificate | SetAside]:
        """The records that end in these bytes."""
        pieces = (chunk[start : start + _PIECE] for start in range(0, len(chunk), _PIECE))
        return [record for piece in pieces for record in self._records(piece)]

    def close(self) -> None:
        """Say that no more comes. Raises unless the answer is whole and its result is OK."""
        try:
            root = self._parser.close()
        except etree.XMLSyntaxError:
            raise Unavailable("the answer is cut off or is not well-formed XML") from None
        if root is not self._envelope:
            raise Unavailable("the answer is no whole SOAP envelope")
        if self._is_deep(root):
            raise _too_deep()
        _check_outcome(root)

    def _records(self, piece: bytes) -> list[Certificate | SetAside]:
        self._measure(len(piece))
        self._parse(piece)
        found = [self._taken(record) for record in self._ended() if _is_in_place(record)]
        if found:
            self._span = 0
        return found

    def _measure(self, size: int) -> None:
        self._bytes += size
        self._span += size
        if self._bytes > self._max_bytes:
            raise Unavailable("the answer is larger than the limit")
        if self._span > _MAX_SPAN:
            raise Unavailable("a part of the answer is larger than the limit")

    def _parse(self, piece: bytes) -> None:
        try:
            self._parser.feed(piece)
        except etree.XMLSyntaxError:
            raise Unavailable("the answer is not well-formed XML") from None

    def _ended(self) -> Iterator[etree._Element]:
        events = list(self._parser.read_events())
        if self._envelope is None and events:
            self._envelope = _opened(events[0][1])
        if self._envelope is None and self._bytes > _PIECE:
            raise Unavailable("the answer is no SOAP envelope")
        return (element for event, element in events if event == "end" and element.tag == _RECORD)

    def _taken(self, record: etree._Element) -> Certificate | SetAside:
        """Read a record, then drop it from memory with everything before it."""
        if self._is_deep_record(record):
            raise _too_deep()
        judged = _judged(record)
        _drop(record)
        return judged


def _deeper_than(levels: int) -> etree.XPath:
    """Whether an element has others that many levels and one below it."""
    return etree.XPath(f"boolean({'/'.join('*' * (levels + 1))})")


def _too_deep() -> Unavailable:
    return Unavailable("the answer is nested too deeply")


def _drop(record: etree._Element) -> None:
    record.clear()
    above = record.getparent()
    while above is not None and record.getprevious() is not None:
        del above[0]


def _opened(first: etree._Element) -> etree._Element:
    """The envelope, once it is seen that nothing stands before or around it."""
    if first.getparent() is not None or first.tag != _ENVELOPE:
        raise Unavailable("the answer is no SOAP envelope")
    if first.getroottree().docinfo.internalDTD is not None:
        raise Unavailable("the answer has a document type declaration")
    return first


def _check_outcome(envelope: etree._Element) -> None:
    bodies = envelope.findall(_BODY)
    if len(bodies) != 1 or len(bodies[0]) != 1:
        raise Unavailable("the answer is no SOAP envelope with one body element")
    content = bodies[0][0]
    if content.tag == _FAULT:
        platform_code = soap.Fault("", (content.findtext("faultstring") or "").strip()).platform_code
        raise Unavailable(f"the answer is a SOAP fault {platform_code}".rstrip())
    if content.tag != _RESPONSE:
        raise Unavailable("the answer is one of another contract")
    _check_result(content)


def _check_result(response: etree._Element) -> None:
    codes = {(code.text or "").strip() for path in _CODES for code in response.iterfind(path)}
    failed = codes & {"ERROR", "INFO"}
    if failed:
        raise Unavailable(f"the answer's result is {' and '.join(sorted(failed))}")
    if codes != {"OK"}:
        raise Unavailable("the answer has no known result")
    if response.find(_LIST) is None:
        raise Unavailable("the answer has no list of certificates")


class _Unusable(ValueError):
    """Why a record is set aside: plain words without personal data."""


def _is_in_place(record: etree._Element) -> bool:
    above = record.getparent()
    return above is not None and above.tag == _LIST and getattr(above.getparent(), "tag", None) == _RESPONSE


class _Fields:
    """The elements that a table names, by the table's names."""

    def __init__(self, element: etree._Element, table: _Table) -> None:
        self._found: defaultdict[str, list[etree._Element]] = defaultdict(list)
        self._gather(element, table)

    def _gather(self, element: etree._Element, table: _Table) -> None:
        for child in element:
            field = table.get(child.tag)
            if isinstance(field, str):
                self._found[field].append(child)
            elif field is not None:
                self._gather(child, field)

    def elements(self, name: str) -> list[etree._Element]:
        return self._found.get(name, [])

    def texts(self, name: str) -> tuple[str, ...]:
        """Those that say something."""
        texts = ((element.text or "").strip() for element in self.elements(name))
        return tuple(text for text in texts if text)

    def text(self, name: str) -> str:
        """The first one, empty when there is none."""
        found = self.elements(name)
        return (found[0].text or "").strip() if found else ""


def _judged(record: etree._Element) -> Certificate | SetAside:
    fields = _Fields(record, _CERTIFICATE)
    try:
        return _certificate(fields, _provider(fields, record))
    except (_Unusable, BadIdentity) as error:
        return SetAside(fields.text("id"), str(error))


def _certificate(fields: _Fields, provider: HsaId | None) -> Certificate:
    return Certificate(
        id=_id(fields),
        patient=_patient(fields),
        unit=_hsa_id(fields.text("unit"), "unit"),
        periods=_periods(fields),
        signed=_instant(fields.text("signed")),
        patient_name=fields.text("patient name"),
        unit_name=fields.text("unit name"),
        provider=provider,
        doctor=fields.text("doctor"),
        doctor_name=fields.text("doctor name"),
        diagnosis=fields.text("diagnosis") or None,
        secondary_diagnoses=fields.texts("secondary diagnoses"),
        occupations=_occupations(fields),
    )


def _id(fields: _Fields) -> str:
    if not fields.text("id"):
        raise _Unusable("the certificate has no id")
    return fields.text("id")


def _patient(fields: _Fields) -> PersonId:
    """By the digits alone, hyphen or not; a root that is there must be a national one (§ 1.8)."""
    if fields.text("patient root") not in _PERSON_ROOTS:
        raise _Unusable("the patient's identity is of another kind than the national numbers")
    return PersonId(fields.text("patient"))


def _provider(fields: _Fields, record: etree._Element) -> HsaId | None:
    """The unit's own; failing that the answer's common one, which real answers lack (§ 1.8)."""
    text = fields.text("provider") or _common_provider(record)
    return _hsa_id(text, "care provider") if text else None


def _common_provider(record: etree._Element) -> str:
    response = next(record.iterancestors(_RESPONSE))
    return (response.findtext(_COMMON_PROVIDER) or "").strip()


def _hsa_id(text: str, whose: str) -> HsaId:
    try:
        return HsaId(text)
    except BadIdentity:
        raise _Unusable(f"the {whose}'s HSA-id is missing or malformed") from None


def _occupations(fields: _Fields) -> tuple[str, ...]:
    """Codes as they come, also unknown ones; the empty entries that a split list leaves say nothing (§ 1.8)."""
    codes = (code.strip() for text in fields.texts("occupations") for code in text.split(","))
    return tuple(code for code in codes if code)


def _periods(fields: _Fields) -> tuple[CertificatePeriod, ...]:
    periods = tuple(_period(_Fields(element, _PERIOD)) for element in fields.elements("periods"))
    if not periods:
        raise _Unusable("the certificate has no periods")
    return periods


def _period(fields: _Fields) -> CertificatePeriod:
    start, end = _day(fields.text("start")), _day(fields.text("end"))
    if end < start:
        raise _Unusable("a period ends before it starts")
    return CertificatePeriod(start, end, _degree(fields.text("degree")))


def _degree(text: str) -> int:
    if _WHOLE_NUMBER.fullmatch(text) is None or not 1 <= int(text) <= 100:
        raise _Unusable("a degree is no whole number of 1 to 100")
    return int(text)


def _day(text: str) -> date:
    """A calendar day as written: a zone on it (xs:date allows one) moves nothing."""
    match = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise _Unusable("a period has an unreadable date") from None


def _instant(text: str) -> datetime:
    """A time without zone is Swedish time (§ 1.7)."""
    try:
        at = datetime.fromisoformat(text if _DATE_TIME.fullmatch(text) else "")
        # By way of Swedish time, so that an instant is refused here that could not be shown in it.
        return (at if at.tzinfo else at.replace(tzinfo=STOCKHOLM)).astimezone(STOCKHOLM).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Unusable("the signing time is missing or unreadable") from None
