"""The answers of the mock as bytes, in two ways: as the schema says, and as the real service answers. Pure.

Source: rehabstod.md §§ 1.4-1.8. Each difference of the real service is one branch here and one row of its table.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal
from xml.sax.saxutils import escape

from adapters import soap
from adapters.intygstjanst.wire import CORE, PERSON, TYPES, Contract
from contracts.identity import HsaId, PersonId
from contracts.sick_leave import Certificate, CertificatePeriod
from contracts.time import STOCKHOLM
from fhir_mappings.identifiers import HSA_ID, person_system

Mode = Literal["valid", "real"]
"""``valid``: every answer holds against the schema. ``real``: every deviation of the real service is there."""

_Node = tuple[str, "str | list[_Node]"]
_NOBODY: Final = "SE1111111111-0000"
"""Stands where the schema demands an HSA-id and there is none."""
_TOGETHER: Final = 50
"""Records in one piece of an answer."""


def certificates(contract: Contract, found: Sequence[Certificate], mode: Mode) -> Iterator[bytes]:
    """An answer with result OK, in pieces."""
    yield f"{_head(contract)}{_xml(_common_provider(found, mode))}<r:intygsLista>".encode()
    for first in range(0, len(found), _TOGETHER):
        yield _xml(_record(certificate, mode) for certificate in found[first : first + _TOGETHER]).encode()
    yield f"</r:intygsLista>{_xml(_result(contract, 'OK'))}{_tail(contract)}".encode()


def failure(contract: Contract, code: str, text: str, mode: Mode) -> bytes:
    """An answer with another result. The real service leaves out all but the result (§ 1.8)."""
    required: list[_Node] = [*_common_provider((), mode), ("r:intygsLista", [])] if mode == "valid" else []
    return f"{_head(contract)}{_xml([*required, *_result(contract, code, text)])}{_tail(contract)}".encode()


def turned_fault(contract: Contract, text: str) -> bytes:
    """What the real service makes of a SOAP fault: in both contracts the elements of the one by care unit, which the one
    by person does not know (§ 1.8)."""
    return f"{_head(contract)}{_xml([('r:resultCode', 'ERROR'), ('r:comment', text)])}{_tail(contract)}".encode()


def _head(contract: Contract) -> str:
    spaces = {"soap": soap.ENVELOPE, "r": contract.responder, "c": CORE, "t": TYPES}
    declared = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    opened = f"<soap:Envelope {declared}><soap:Body><r:{contract.name}Response>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{opened}'


def _tail(contract: Contract) -> str:
    return f"</r:{contract.name}Response></soap:Body></soap:Envelope>"


def _result(contract: Contract, code: str, text: str = "") -> list[_Node]:
    if contract is PERSON:
        return [("r:result", [("r:resultCode", code), *_told("r:resultMessage", text)])]
    return [("r:resultCode", code), *_told("r:comment", text)]


def _told(name: str, text: str) -> list[_Node]:
    return [(name, text)] if text else []


def _xml(nodes: Iterable[_Node]) -> str:
    return "".join(f"<{name}>{_content(content)}</{name}>" for name, content in nodes)


def _content(content: "str | list[_Node]") -> str:
    return escape(content) if isinstance(content, str) else _xml(content)


def _common_provider(found: Sequence[Certificate], mode: Mode) -> list[_Node]:
    """The real service never sets it."""
    first = next((str(certificate.provider) for certificate in found if certificate.provider), _NOBODY)
    return [_provider(first, mode, "r")] if mode == "valid" else []


def _record(certificate: Certificate, mode: Mode) -> _Node:
    return (
        "c:intygsData",
        [
            ("c:intygsId", certificate.id),
            ("c:patient", _patient(certificate, mode)),
            ("c:skapadAv", _author(certificate, mode)),
            *_diagnoses(certificate, mode),
            ("c:arbetsformaga", [_period(period) for period in certificate.periods]),
            ("c:enkeltIntyg", "false"),
            ("c:signeringsTidpunkt", _signed(certificate, mode)),
            *_occupations(certificate, mode),
        ],
    )


def _patient(certificate: Certificate, mode: Mode) -> list[_Node]:
    name = certificate.patient_name
    names: list[_Node] = [("c:fullstandigtNamn", name)] if name or mode == "valid" else []
    return [("c:personId", _person_id(certificate.patient, mode)), *names]


def _person_id(person: PersonId, mode: Mode) -> list[_Node]:
    digits = person.digits
    if mode == "real":
        return [("t:extension", f"{digits[:8]}-{digits[8:]}")]
    return [("t:root", person_system(person).rivta), ("t:extension", digits)]


def _hsa_id(id: HsaId | str, mode: Mode) -> list[_Node]:
    if mode == "real":
        return [("t:extension", str(id))]
    return [("t:root", HSA_ID.rivta), ("t:extension", str(id) or _NOBODY)]


def _author(certificate: Certificate, mode: Mode) -> list[_Node]:
    name = certificate.doctor_name
    names: list[_Node] = [("c:fullstandigtNamn", name)] if name else []
    positions: list[_Node] = [("c:befattningar", [])] if mode == "valid" else []
    return [
        ("c:personalId", _hsa_id(certificate.doctor, mode)),
        *names,
        *positions,
        ("c:enhet", _unit(certificate, mode)),
    ]


def _unit(certificate: Certificate, mode: Mode) -> list[_Node]:
    provider = [] if certificate.provider is None else [_provider(str(certificate.provider), mode, "c")]
    return [("c:enhetsId", _hsa_id(certificate.unit, mode)), ("c:enhetsnamn", certificate.unit_name), *provider]


def _provider(id: str, mode: Mode, prefix: str) -> _Node:
    name: list[_Node] = [("c:vardgivarnamn", "Vårdgivaren")] if mode == "valid" else []
    return (f"{prefix}:vardgivare", [("c:vardgivarId", _hsa_id(id, mode)), *name])


def _diagnoses(certificate: Certificate, mode: Mode) -> list[_Node]:
    main = certificate.diagnosis
    mains: list[_Node] = [("c:diagnoskod", main or "")] if main or mode == "valid" else []
    shown = certificate.secondary_diagnoses[:2] if mode == "real" else certificate.secondary_diagnoses
    return [*mains, *(("c:bidiagnoser", code) for code in shown)]


def _period(period: CertificatePeriod) -> _Node:
    return (
        "c:formaga",
        [
            ("c:startdatum", period.start.isoformat()),
            ("c:slutdatum", period.end.isoformat()),
            ("c:nedsattning", str(period.degree)),
        ],
    )


def _signed(certificate: Certificate, mode: Mode) -> str:
    """Swedish time; the real service leaves out the zone and fractions (§ 1.7)."""
    local = certificate.signed.astimezone(STOCKHOLM)
    return local.replace(tzinfo=None).isoformat(timespec="seconds") if mode == "real" else local.isoformat()


def _occupations(certificate: Certificate, mode: Mode) -> list[_Node]:
    """At most four in the schema; the real service keeps the empty entries of its comma list (§ 1.8)."""
    codes = certificate.occupations if mode == "real" else certificate.occupations[:4]
    return [("c:sysselsattning", code) for code in codes]
