"""``reko sjukfall``: the sick-leave engine by itself, for comparison with the national one. JSON lines in, JSON lines out,
one answer per question and in their order.

A question is ``{"id", "view": "enhet"|"patient", "aktivtDatum", "maxIntygsGlapp", "maxAntalDagarSedanSjukfallAvslut",
"intyg": [..]}``, an absent key the same as null; the structures below are its form and the answers'. What cannot be
computed is answered ``{"id", "error"}``, in words that repeat nothing of the question, and the others go on. Ids are
opaque here: nothing asks whether a ``patientId`` is a personal number, and nothing is kept.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from io import BufferedIOBase
from typing import Annotated, BinaryIO, Final, Literal

from msgspec import DecodeError, Meta, Raw, Struct, ValidationError, field
from msgspec.json import Decoder, Encoder

from contracts.errors import Malformed, Refused
from service.rules.sick_leave import Mode, PatientSickLeave, Standing, UnitSickLeave, patient_view, unit_view
from service.rules.sick_leave.diagnosis import diagnosis, trimmed
from service.rules.sick_leave.occupation import LABELS

Int = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
_NULL: Final = Raw(b"null")

# Questions. ``gc=False``: what holds no containers cannot be part of a cycle.


class Period(Struct, gc=False):
    """One of a certificate's ``formagor``, the engine's ``CertifiedPeriod``."""

    start: date
    end: date = field(name="slut")
    degree: Int = field(name="nedsattning")


class Certificate(Struct):
    """One ``intyg``; the engine's ``Certified``. ``signed`` is kept as ``local_time`` writes it."""

    id: str | None = None
    patient: str | None = field(name="patientId", default=None)
    patient_name: str | None = field(name="patientNamn", default=None)
    doctor: str | None = field(name="lakareId", default=None)
    unit: str | None = field(name="vardenhetId", default=None)
    provider: str | None = field(name="vardgivareId", default=None)
    signed: str | None = field(name="signeringsTidpunkt", default=None)
    diagnosis: str | None = field(name="diagnosKod", default=None)
    secondary_diagnoses: list[str | None] | None = field(name="biDiagnoser", default=None)
    occupations: list[str | None] | None = field(name="sysselsattning", default=None)
    periods: list[Period] | None = field(name="formagor", default=None)


class Question(Struct):
    """One line in. The id comes back byte for byte, whatever JSON it is."""

    id: Raw = _NULL
    view: Literal["enhet", "patient"] | None = None
    on: date | None = field(name="aktivtDatum", default=None)
    gap: Int | None = field(name="maxIntygsGlapp", default=None)
    days_since_end: Int | None = field(name="maxAntalDagarSedanSjukfallAvslut", default=None)
    certificates: list[Certificate] | None = field(name="intyg", default=None)


# Answers: their keys are these names in camel case, in this order


class DiagnosisOut(Struct, rename="camel", gc=False):
    original_code: str
    cleaned_code: str
    name: str | None


class UnitSickLeaveOut(Struct, rename="camel"):
    """A ``sjukfall`` of the unit's view."""

    patient_id: str | None
    patient_namn: str | None
    vardgivare_id: str | None
    vardenhet_id: str | None
    lakare_id: str | None
    diagnos: DiagnosisOut | None
    bi_diagnoser: list[DiagnosisOut | None] | None
    start: date
    slut: date
    dagar: int
    intyg: int
    intyg_lista: list[str | None]
    aktiv_grad: int
    grader: list[int]
    aktiv_intygs_id: str | None
    sysselsattning: list[str | None]


class MemberOut(Struct, rename="camel"):
    """An ``intyg`` in a patient's sick leave."""

    id: str | None
    patient_id: str | None
    start: date
    slut: date
    dagar: int
    grader: list[int]
    aktivt: bool
    nyligen_avslutat: bool
    sysselsattning: list[str | None]
    diagnos: DiagnosisOut | None
    signerings_tidpunkt: str | None


class PatientSickLeaveOut(Struct, rename="camel"):
    """A ``sjukfall`` of the patient's view."""

    patient_id: str | None
    patient_namn: str | None
    diagnos: DiagnosisOut | None
    start: date
    slut: date
    dagar: int
    intyg: list[MemberOut]


class Answer(Struct):
    id: Raw
    result: list[UnitSickLeaveOut] | list[PatientSickLeaveOut]


class Refusal(Struct):
    id: Raw
    error: str


class OnlyId(Struct):
    """What a refusal needs of a question that has not the form."""

    id: Raw = _NULL


_QUESTION: Final = Decoder(Question)
_ONLY_ID: Final = Decoder(OnlyId)
_ENCODER: Final = Encoder()


def run(source: BufferedIOBase, sink: BinaryIO, mode: Mode) -> None:
    """Answer until the source ends. What has been asked in full is answered before more is waited for."""
    for lines in _whole_lines(source):
        sink.write(b"".join([answer(line, mode) + b"\n" for line in lines if line.strip()]))
        sink.flush()


def _whole_lines(source: BufferedIOBase) -> Iterator[list[bytes]]:
    """The lines that have come, as often as some have."""
    begun: list[bytes] = []
    while chunk := source.read1(1 << 20):
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline:
            yield b"".join([*begun, whole]).split(b"\n")
            begun = []
        begun.append(rest)
    yield [b"".join(begun)]


def answer(line: bytes, mode: Mode) -> bytes:
    """The answer to one question, or why there is none."""
    try:
        question = _read(line)
        return _ENCODER.encode(Answer(question.id, _result(question, mode)))
    except Refused as error:
        return _ENCODER.encode(Refusal(_id_of(line), str(error)))


def _read(line: bytes) -> Question:
    try:
        question = _QUESTION.decode(line)
        bytes(question.id).decode()
        return question
    except ValidationError as error:
        # The place names keys of the form alone; the words before it may repeat a value.
        raise Malformed(f"not a question of the known form{_place(error)}") from None
    except (DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("not one line of JSON in UTF-8") from None


def _place(error: ValidationError) -> str:
    _, found, place = str(error).rpartition(" - at ")
    return f", at {place.strip('`')}" if found else ""


def _id_of(line: bytes) -> Raw:
    try:
        found = _ONLY_ID.decode(line).id
        bytes(found).decode()
        return found
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return _NULL


# Views


def _result(question: Question, mode: Mode) -> list[UnitSickLeaveOut] | list[PatientSickLeaveOut]:
    """An empty list of certificates and a negative gap have an empty answer before a missing day is noticed."""
    certificates = question.certificates or []
    for certificate in certificates:
        _check(certificate)
    if question.view is None:
        raise Malformed("view is missing")
    if question.gap is None:
        raise Malformed("maxIntygsGlapp is missing")
    if not certificates or question.gap < 0:
        return []
    if question.on is None:
        raise Malformed("aktivtDatum is missing")
    if question.view == "patient":
        return [_patient_sick_leave(each) for each in patient_view(certificates, question.on, question.gap, mode)]
    found = unit_view(certificates, question.on, question.gap, question.days_since_end or 0, mode)
    return sorted([_unit_sick_leave(each) for each in found], key=_patient_id)


def _check(certificate: Certificate) -> None:
    """What cannot be read is refused even where nothing would ask for it."""
    if certificate.signed is not None:
        certificate.signed = local_time(certificate.signed)
    _diagnosis(certificate.diagnosis)
    for text in certificate.secondary_diagnoses or ():
        _diagnosis(text)


def _patient_id(sick_leave: UnitSickLeaveOut) -> str:
    return sick_leave.patient_id or ""


def _unit_sick_leave(each: UnitSickLeave[Certificate]) -> UnitSickLeaveOut:
    shown = each.shown
    secondary = shown.secondary_diagnoses
    return UnitSickLeaveOut(
        patient_id=shown.patient and trimmed(shown.patient),
        patient_namn=shown.patient_name,
        vardgivare_id=shown.provider,
        vardenhet_id=shown.unit,
        lakare_id=shown.doctor,
        diagnos=_diagnosis(shown.diagnosis),
        bi_diagnoser=None if secondary is None else [_diagnosis(text) for text in secondary],
        start=each.start,
        slut=each.end,
        dagar=each.days,
        intyg=len(each.certificates),
        intyg_lista=[certificate.id for certificate in each.certificates],
        aktiv_grad=each.degree,
        grader=each.degrees,
        aktiv_intygs_id=shown.id,
        sysselsattning=_labels(shown),
    )


def _patient_sick_leave(each: PatientSickLeave[Certificate]) -> PatientSickLeaveOut:
    first = each.first
    return PatientSickLeaveOut(
        patient_id=first.patient and trimmed(first.patient),
        patient_namn=first.patient_name,
        diagnos=_diagnosis(each.diagnosed.diagnosis),
        start=each.start,
        slut=each.end,
        dagar=each.days,
        intyg=[_member(standing) for standing in each.members],
    )


def _member(standing: Standing[Certificate]) -> MemberOut:
    certificate = standing.certificate
    return MemberOut(
        id=certificate.id,
        patient_id=certificate.patient,
        start=date.fromordinal(standing.start),
        slut=date.fromordinal(standing.end),
        dagar=standing.days,
        grader=standing.degrees,
        aktivt=standing.active,
        nyligen_avslutat=standing.recent,
        sysselsattning=_labels(certificate),
        diagnos=_diagnosis(certificate.diagnosis),
        signerings_tidpunkt=certificate.signed,
    )


# Parts


@lru_cache(maxsize=4096)
def _diagnosis(text: str | None) -> DiagnosisOut | None:
    if text is None:
        return None
    found = diagnosis(text)
    return DiagnosisOut(found.original, found.code, found.name)


def _labels(certificate: Certificate) -> list[str | None]:
    """An unknown code keeps its place, without a label."""
    codes = certificate.occupations
    return [LABELS.get(code or "") for code in codes] if codes else []


_LOCAL_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d)(?::(\d\d)(?:\.(\d{0,9}))?)?", re.ASCII)


def local_time(text: str) -> str:
    """A time without zone as the national engine writes it: seconds and fraction only where they are not zero, fractions
    in threes of digits. Written so, times sort as texts do.

    Raises ``Malformed``.
    """
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        raise Malformed("a signeringsTidpunkt is no local time") from None
    # Every third character from the fifth tells the two usual forms from all others that Python reads.
    match text[4::3]:
        case "--T:":
            return text
        case "--T::":
            return text.removesuffix(":00")
        case _:
            return _unusual_time(text)


def _unusual_time(text: str) -> str:
    found = _LOCAL_TIME.fullmatch(text)
    if found is None:
        raise Malformed("a signeringsTidpunkt is no local time")
    day, minute, second, fraction = found.groups(default="")
    digits = fraction.rstrip("0")
    if digits:
        return f"{day}T{minute}:{second}.{digits.ljust(-(-len(digits) // 3) * 3, '0')}"
    return f"{day}T{minute}:{second}" if second.strip("0") else f"{day}T{minute}"
