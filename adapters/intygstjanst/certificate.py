"""A certificate of FK 7804 as RIV-TA carries it, read leniently (forsakringskassan.md §§ 1.4, 1.10, 1.11). Pure.

``intyg`` stands alike in the answer of GetCertificate 2 and in a RegisterCertificate 3. Only what the contract names for
coordination is read; what cannot be read is told by element, and never by what stands in it.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, TypeVar

from lxml import etree

from adapters import soap
from adapters.intygstjanst import records
from adapters.intygstjanst.answered import Answers, Parts, Unread, code, coded, text, text_at, truth
from adapters.intygstjanst.wire import CERTIFICATE, FK
from contracts.certificate import (
    InDays,
    InMonths,
    Likely,
    MedicalCertificate,
    NotLikely,
    Occupation,
    Prognosis,
    Relation,
    RelationKind,
    Unclear,
    WorkMeasure,
)
from contracts.errors import Invalid, Issue, IssueType, Unavailable
from contracts.identity import HsaId, PersonId
from contracts.sick_leave import CertificatePeriod
from fhir_mappings.certificate import DAYS
from fhir_mappings.sick_leave import LEVELS, OCCUPATIONS, TYPE_CODE

T = TypeVar("T")

SENT: Final = "SENTTO"
REVOKED: Final = "CANCEL"
"""Codes of a status (§ 1.10)."""

_LONGEST_ID: Final = 64
_DEGREES: Final = {code: degree for degree, code in LEVELS.items()}
_OCCUPATIONS: Final = {written: Occupation(code) for written, (code, _) in OCCUPATIONS.items()}
_WORDS: Final = ("DGR", "DAGAR")
_DAYS: Final = {f"{code.rpartition('_')[0]}_{word}": days for days, code in DAYS.items() for word in _WORDS}
"""KV_FKMU_0007, which shortens the word in some of its codes and not in others: either is read."""
_MONTHS: Final = re.compile(r"[1-9]\d?", re.ASCII)
_VERSION: Final = re.compile(r"([12])(\.\d+)*", re.ASCII)


def read(content: etree._Element) -> MedicalCertificate:
    """The certificate in a message's element. Raises ``Invalid`` for none, for one of another type, and for one that does not
    say which it is, whose, or of which unit."""
    found = content.findall("{*}intyg")
    if len(found) != 1:
        raise _refused("the message holds no certificate, or several", "intyg")
    if _code_of(found[0], "typ") != TYPE_CODE:
        raise _refused("the certificate is of another type than FK 7804 (LISJP)", "intyg/typ")
    return _Reading(found[0]).certificate()


def answer(status: int, body: bytes) -> MedicalCertificate | None:
    """What GetCertificate answered, ``None`` when no certificate stands in it. Raises ``Unavailable`` for a failure, whose words
    may hold personal data and are not repeated, and as ``read``."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml as bad:
        raise Unavailable(f"HTTP {status}: the answer cannot be read: {bad}") from None
    if isinstance(content, soap.Fault):
        raise Unavailable(f"HTTP {status}: the answer is a SOAP fault {content.platform_code}".rstrip())
    if status != 200 or content.tag != CERTIFICATE.response:
        raise Unavailable(f"HTTP {status}: the answer is one of another contract")
    return read(content) if len(content.findall("{*}intyg")) else None


def read_body(body: bytes) -> MedicalCertificate:
    """The same of a message in its envelope. Raises ``Invalid`` also for bytes that are none."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml as bad:
        raise _refused(str(bad), "") from None
    if isinstance(content, soap.Fault):
        raise _refused("the message is a SOAP fault", "")
    return read(content)


class _Reading:
    """One certificate, and what in it could not be read."""

    def __init__(self, paper: etree._Element) -> None:
        self._paper = paper
        self._unread = Unread()
        self._answers = Answers(paper, self._unread)

    def certificate(self) -> MedicalCertificate:
        answers = self._answers
        return MedicalCertificate(
            id=self._owed("intygs-id/extension", _id),
            patient=self._owed("patient/person-id/extension", self._person),
            unit=self._owed("skapadAv/enhet/enhets-id/extension", HsaId),
            version=self._version(),
            doctor=self._told("skapadAv/personal-id/extension", lambda found: HsaId(found).value) or "",
            doctor_name=self._told("skapadAv/fullstandigtNamn", str) or "",
            signed=self._told("signeringstidpunkt", records.instant),
            sent_to_fk=self._sent(),
            revoked=any(_code_of(each, "status") == REVOKED for each in self._statuses()),
            carrier_allowance=answers.one("27.1", truth) or False,
            occupations=answers.each("28.1", lambda element: _OCCUPATIONS[coded(element)]),
            profession=answers.one("29.1", text) or "",
            periods=answers.rows("32", _period),
            prognosis=self._prognosis(),
            measures=answers.each("40.1", lambda element: WorkMeasure(coded(element))),
            measures_text=answers.one("44.1", text) or "",
            contact_wished=answers.one("26.1", truth) or False,
            contact_reason=answers.one("26.2", text) or "",
            relations=tuple(self._relations()),
            unread=tuple(self._unread),
        )

    def _person(self, digits: str) -> PersonId:
        return records.patient_id(text_at(self._paper, "patient/person-id/root"), digits)

    def _version(self) -> int | None:
        """By its number, else by what only one of the two forms has."""
        try:
            stated = _VERSION.fullmatch(text_at(self._paper, "version"))
        except ValueError:
            stated = None
        if stated:
            return int(stated[1])
        one, two = (any(map(self._answers.has, parts)) for parts in _ONLY_IN)
        return None if one == two else 1 if one else 2

    def _statuses(self) -> list[etree._Element]:
        return self._paper.findall("{*}status")

    def _sent(self) -> datetime | None:
        """By a status that names the party; where no status tells of sending, by the certificate's own time if it names
        that recipient."""
        told = [each for each in self._statuses() if _code_of(each, "status") == SENT]
        if told:
            ours = [each for each in told if _code_of(each, "part") == FK]
            times = [self._told("tidpunkt", records.instant, each, "status/tidpunkt") for each in ours]
            return min((each for each in times if each), default=None)
        named = {_code(each) for each in self._paper.findall("{*}mottagare")}
        return self._told("skickatTidpunkt", records.instant) if FK in named else None

    def _relations(self) -> Iterator[Relation]:
        for each in self._paper.findall("{*}relation"):
            try:
                yield Relation(RelationKind(_code_of(each, "typ")), _id(text_at(each, "intygs-id/extension")))
            except ValueError:
                self._unread.add("relation")

    def _prognosis(self) -> Prognosis | None:
        kind = self._answers.one("39.1", lambda element: _PROGNOSES[coded(element)])
        return kind(self._answers) if kind else None

    # Elements of the certificate itself

    def _owed(self, path: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(text_at(self._paper, path))
        except ValueError:
            raise _refused("missing or unreadable", f"intyg/{path}") from None

    def _told(
        self, path: str, parse: Callable[[str], T], within: etree._Element | None = None, name: str = ""
    ) -> T | None:
        try:
            found = text_at(self._paper if within is None else within, path)
            return parse(found) if found else None
        except ValueError:
            self._unread.add(name or path)
            return None


_ONLY_IN: Final = (("20.1", "39.3", "40.1"), ("39.4",))
"""Parts that only version 1 has, and that only version 2 has."""

_PROGNOSES: Final[dict[str, Callable[[Answers], Prognosis | None]]] = {
    "STOR_SANNOLIKHET": lambda _: Likely(),
    "SANNOLIKT_INTE": lambda _: NotLikely(),
    "PROGNOS_OKLAR": lambda answers: Unclear(answers.one("39.2", text) or ""),
    "ATER_X_ANTAL_DGR": lambda answers: _after(answers, "39.3", lambda part: InDays(_DAYS[coded(part)])),
    "ATER_X_ANTAL_MANADER": lambda answers: _after(answers, "39.4", lambda part: InMonths(_months(part))),
}
"""KV_FKMU_0006 of both versions."""


def _after(answers: Answers, part: str, parse: Callable[[etree._Element], Prognosis]) -> Prognosis | None:
    if not answers.has(part):
        answers.miss(part)
    return answers.one(part, parse)


def _months(part: etree._Element) -> int:
    """As a text, or as a quantity: which of them is not known."""
    found = text(part) or text_at(part, "pq/value")
    if _MONTHS.fullmatch(found) is None:
        raise ValueError("no whole number of 1 to 99")
    return int(found)


def _period(parts: Parts) -> CertificatePeriod:
    degree, days = _DEGREES[coded(parts["32.1"])], parts["32.2"]
    start, end = (records.day(text_at(days, f"datePeriod/{name}")) for name in ("start", "end"))
    if end < start:
        raise ValueError("a period ends before it starts")
    return CertificatePeriod(start, end, degree)


def _id(found: str) -> str:
    if not 0 < len(found) <= _LONGEST_ID:
        raise ValueError("no id, or one that is too long")
    return found


def _code_of(element: etree._Element, name: str) -> str:
    return _code(element.find(f"{{*}}{name}"))


def _code(element: etree._Element | None) -> str:
    """Empty also for one that is too long to be any."""
    try:
        return code(element)
    except ValueError:
        return ""


def _refused(why: str, at: str) -> Invalid:
    return Invalid(Issue(IssueType.STRUCTURE, why, at))
