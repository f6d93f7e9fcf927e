"""The mock's internal API: computed sick leaves of a unit, in the steps of rehabstod.md § 2.1.

Not played: deceased persons, RekoStatus (nobody has one, so only REKO_1 matches). A chapter of diagnoses matches by its
categories alone.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.intygstjanst import wire_rest
from adapters.intygstjanst.computing import OCCUPATIONS, Computation, Compute, plainly
from adapters.intygstjanst.register import Register, active_patients, registered, setting
from adapters.intygstjanst.settings import REST_PATH
from adapters.mocking import Answered, Counterpart, Fault, Room, describing, play
from adapters.mocking.validation import issues
from contracts.errors import Unavailable
from contracts.identity import PersonId
from contracts.sick_leave import Certificate, ReportedDiagnosis, ReportedSickLeave
from contracts.time import swedish_day

PROTECTED_NAME: Final = "Skyddad personuppgift"
MISSING_NAME: Final = "Namn okänt"


INTERNAL: Final = "/internalapi"
"""Where the internal API begins: what the adapter's ``rest_url`` ends with."""


def route(counterpart: Counterpart) -> Route:
    """The one operation that is played."""

    async def answer(request: Request, room: Room, fault: Fault | None) -> Answered:
        return _refused(fault) if fault is not None else _answered(counterpart, room, await request.body())

    async def ask(request: Request) -> Response:
        return await play(counterpart, request, answer)

    return Route(f"{INTERNAL}{REST_PATH}", ask, methods=["POST"])


def _refused(fault: Fault) -> Answered:
    return Answered(JSONResponse({"status": 500, "error": fault.text or "Internal Server Error"}, 500))


def _answered(counterpart: Counterpart, room: Room, body: bytes) -> Answered:
    try:
        asked = question(body)
    except BadQuestion as error:
        response = JSONResponse({"status": 400, "error": "Bad Request"}, 400)
        return Answered(response, report=tuple(map(str, error.args)), rule="QUESTION")
    compute: Compute = setting(counterpart, room, "compute", plainly)
    found = answer(asked, registered(counterpart, room), compute, swedish_day(counterpart.now()))
    summary = {"unit": asked.care_unit_id, "sickLeaves": len(found)}
    return Answered(written(found), accepted=True, summary=summary, judge=_broken)


def _broken(body: bytes) -> tuple[str, ...]:
    """Whether the client's side can read it; single records may have the real service's quirks."""
    try:
        wire_rest.sick_leaves(body)
    except Unavailable as error:
        return (str(error),)
    return ()


# Asking


class _Model(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_camel, hide_input_in_errors=True
    )


class _Interval(_Model):
    from_: int | None = Field(default=None, alias="from")
    to: int | None = None


class _Category(_Model):
    letter: Annotated[str, Field(pattern="^[A-Z ]$")]
    number: Annotated[int, Field(ge=0, le=99)]

    @property
    def place(self) -> tuple[str, int]:
        return self.letter, self.number


class _Chapter(_Model):
    from_: _Category = Field(alias="from")
    to: _Category
    name: str


class Question(_Model):
    """What is asked (§ 2.1). Strict, as no client of ours may send anything else."""

    care_unit_id: str
    unit_id: str | None = None
    doctor_ids: list[str] = []
    max_certificate_gap: Annotated[int, Field(ge=0, le=90)]
    max_days_since_sick_leave_completed: Annotated[int, Field(ge=0, le=14)]
    sick_leave_length_intervals: list[_Interval] = []
    diagnosis_chapters: list[_Chapter] = []
    from_patient_age: int | None = None
    to_patient_age: int | None = None
    protected_person_filter_id: str | None = None
    from_sick_leave_end_date: date | None = None
    to_sick_leave_end_date: date | None = None
    reko_status_type_ids: list[str] = []
    occupation_type_ids: list[str] = []
    text_search: str | None = None


class BadQuestion(ValueError):
    """Where a request is wrong, without what it held."""


def question(body: bytes) -> Question:
    """The request as read. Raises ``BadQuestion``."""
    try:
        return Question.model_validate_json(body)
    except ValidationError as error:
        raise BadQuestion(*issues(error)) from None


DESCRIBED: Final = describing.route(
    "Intygstjänsten: internal API",
    "The one operation that is played; the two SOAP contracts have their WSDLs.",
    [
        describing.Operation(
            "POST",
            f"{INTERNAL}{REST_PATH}",
            "Computed sick leaves of a unit",
            TypeAdapter(Question),
            answers=((200, "content: the sick leaves"), (400, "Not understood")),
        )
    ],
)


def answer(asked: Question, register: Register, compute: Compute, today: date) -> list[ReportedSickLeave]:
    """The sick leaves that are answered with."""
    computation = Computation(today, asked.max_certificate_gap, asked.max_days_since_sick_leave_completed)
    computed = compute(_certificates(asked, register, today), computation)
    return [each for each in computed if all(holds(asked, each, today) for holds in _FILTERS)]


def _certificates(asked: Question, register: Register, today: date) -> list[Certificate]:
    """Steps 2 to 5: everything of the patients who count, as far as it may be seen."""
    own = register.on(register.units(asked.care_unit_id))
    deciding = [one for one in own if _decides(asked, one)]
    patients = active_patients(deciding, asked.max_days_since_sick_leave_completed, today)
    return [
        _shown(one, register.protected) for one in own if one.patient in patients and _visible(asked, one, register)
    ]


def _decides(asked: Question, certificate: Certificate) -> bool:
    on_unit = asked.unit_id in (None, certificate.unit.value)
    return on_unit and (not asked.doctor_ids or certificate.doctor in asked.doctor_ids)


def _visible(asked: Question, certificate: Certificate, register: Register) -> bool:
    """Protected persons are seen by the one doctor, and only what that doctor wrote."""
    return certificate.patient not in register.protected or certificate.doctor == asked.protected_person_filter_id


def _shown(certificate: Certificate, protected: set[PersonId]) -> Certificate:
    hidden = PROTECTED_NAME if certificate.patient in protected else ""
    return replace(certificate, patient_name=hidden or certificate.patient_name or MISSING_NAME)


# Step 8: the filters, all of which must hold

_Filter = Callable[[Question, ReportedSickLeave, date], bool]


def _doctor(asked: Question, found: ReportedSickLeave, _: date) -> bool:
    return not asked.doctor_ids or found.doctor in asked.doctor_ids


def _length(asked: Question, found: ReportedSickLeave, _: date) -> bool:
    intervals = asked.sick_leave_length_intervals
    return not intervals or any(_within(found.days, each.from_, each.to) for each in intervals)


def _chapter(asked: Question, found: ReportedSickLeave, _: date) -> bool:
    place = _place(found.diagnosis)
    chapters = asked.diagnosis_chapters
    return not chapters or any(each.from_.place <= place <= each.to.place for each in chapters)


def _age(asked: Question, found: ReportedSickLeave, today: date) -> bool:
    first, last = asked.from_patient_age, asked.to_patient_age
    born = found.patient.birth_date
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return first is None or last is None or first <= age <= last


def _end(asked: Question, found: ReportedSickLeave, _: date) -> bool:
    return _within(found.end, asked.from_sick_leave_end_date, asked.to_sick_leave_end_date)


def _status(asked: Question, found: ReportedSickLeave, _: date) -> bool:
    return not asked.reko_status_type_ids or (found.status or "REKO_1") in asked.reko_status_type_ids


def _occupation(asked: Question, found: ReportedSickLeave, _: date) -> bool:
    wanted = [OCCUPATIONS.get(type, type) for type in asked.occupation_type_ids]
    return not wanted or any(name in label for name in wanted for label in found.occupations)


def _text(asked: Question, found: ReportedSickLeave, _: date) -> bool:
    return (asked.text_search or "").casefold() in " ".join(_searched(found)).casefold()


_FILTERS: Final[Sequence[_Filter]] = (_doctor, _length, _chapter, _age, _end, _status, _occupation, _text)


def _within(value: Any, first: Any, last: Any) -> bool:
    return (first is None or first <= value) and (last is None or value <= last)


def _place(diagnosis: ReportedDiagnosis | None) -> tuple[str, int]:
    code = re.match(r"([A-Z])(\d\d)", diagnosis.code if diagnosis else "")
    return (code[1], int(code[2])) if code else (" ", 0)


def _searched(found: ReportedSickLeave) -> Iterable[str]:
    """What a user sees of the row, as far as the answer holds it (§ 4.5)."""
    codes = (each.code for each in (found.diagnosis, *found.secondary_diagnoses) if each is not None)
    days = (found.start.isoformat(), found.end.isoformat(), f"{found.days} dagar", str(found.count), f"{found.degree}%")
    return (found.patient_name, _hyphened(found.patient), found.doctor_name, *codes, *days, *found.occupations)


# Writing


def written(sick_leaves: Iterable[ReportedSickLeave]) -> Response:
    """The answer's bytes."""
    body = orjson.dumps({"content": [_written(each) for each in sick_leaves]})
    return Response(body, media_type="application/json")


def _written(found: ReportedSickLeave) -> dict[str, Any]:
    return {
        "rekoStatus": None,
        "vardgivare": {"id": found.provider.value if found.provider else None, "namn": None},
        "vardenhet": {"id": found.unit.value, "namn": found.unit_name},
        "lakare": {"id": found.doctor, "namn": found.doctor_name or None},
        "patient": {"id": _hyphened(found.patient), "namn": found.patient_name},
        "diagnosKod": _diagnosis(found.diagnosis) if found.diagnosis else None,
        "biDiagnoser": [_diagnosis(each) for each in found.secondary_diagnoses],
        "start": found.start,
        "slut": found.end,
        "dagar": found.days,
        "intyg": found.count,
        "intygLista": found.certificates,
        "aktivGrad": found.degree,
        "grader": found.degrees,
        "aktivIntygsId": found.active,
        "sysselsattning": [label or None for label in found.occupations],
    }


def _diagnosis(found: ReportedDiagnosis) -> dict[str, Any]:
    return {"originalCode": found.original, "cleanedCode": found.code, "name": found.name}


def _hyphened(person: PersonId) -> str:
    return f"{person.digits[:8]}-{person.digits[8:]}"
