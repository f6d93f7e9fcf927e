"""The REST form: strict in what is asked, lenient in what is read, computed as the mock is told (rehabstod.md § 2)."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http import NoAnswer, NotReached, Sender
from adapters.intygstjanst import mock, wire_rest
from adapters.intygstjanst.computing import Computation, diagnosis, plainly
from adapters.intygstjanst.national import NationalEngine
from adapters.intygstjanst.settings import REST_PATH, Settings
from adapters.intygstjanst.wire_rest import Chapter, Wanted
from adapters.mocking import Counterpart, Fault
from contracts.errors import Invalid, Unavailable
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod, ReportedDiagnosis, ReportedSickLeave, SetAside

NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
TODAY = date(2026, 3, 2)
UNIT, WARD = HsaId("SE1111111111-E001"), HsaId("SE1111111111-E002")
PROVIDER = HsaId("SE1111111111-V001")


def person(birth: str, serial: str = "980") -> PersonId:
    return PersonId(f"{birth}{serial}{control_digit(birth[2:] + serial)}")


ALMA, BIRGER = person("19700303"), person("19600202", "981")


def certificate(id: str, patient: PersonId, first: int, last: int, degree: int = 100, **other: Any) -> Certificate:
    """From day to day, counted from today, both inclusive."""
    usual = Certificate(
        id,
        patient,
        UNIT,
        (CertificatePeriod(TODAY + timedelta(first), TODAY + timedelta(last), degree),),
        datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(first),
        "Alma Provsson",
        "VC",
        PROVIDER,
        "SE1111111111-D001",
        "Beata Remissén",
        "F43.9",
        occupations=("STUDIER",),
    )
    return replace(usual, **other)


# ---- Asking ------------------------------------------------------------------------------------------------------


def test_a_plain_question_has_every_field() -> None:
    assert orjson.loads(wire_rest.request(UNIT, Wanted())) == {
        "careUnitId": "SE1111111111-E001",
        "unitId": None,
        "doctorIds": [],
        "maxCertificateGap": 5,
        "maxDaysSinceSickLeaveCompleted": 0,
        "sickLeaveLengthIntervals": [],
        "diagnosisChapters": [],
        "fromPatientAge": None,
        "toPatientAge": None,
        "protectedPersonFilterId": None,
        "fromSickLeaveEndDate": None,
        "toSickLeaveEndDate": None,
        "rekoStatusTypeIds": [],
        "occupationTypeIds": [],
        "textSearch": None,
    }


FULL = Wanted(
    gap=90,
    days_since_end=14,
    sub_unit=WARD,
    doctors=("SE1111111111-D001",),
    lengths=((0, 14), (730, None)),
    chapters=(Chapter("F00", "F99", "Psykiska"), Chapter(" 0", " 0", "Utan")),
    ages=(18, 65),
    ends=(TODAY, None),
    statuses=("REKO_1",),
    occupations=("STUDIER",),
    text="Alma",
    protected_for=HsaId("SE1111111111-D001"),
)


def test_a_full_question_says_it_all() -> None:
    asked = orjson.loads(wire_rest.request(UNIT, FULL))
    assert asked["unitId"] == "SE1111111111-E002"
    assert asked["sickLeaveLengthIntervals"] == [{"from": 0, "to": 14}, {"from": 730, "to": None}]
    assert asked["diagnosisChapters"] == [
        {"from": {"letter": "F", "number": 0}, "to": {"letter": "F", "number": 99}, "name": "Psykiska"},
        {"from": {"letter": " ", "number": 0}, "to": {"letter": " ", "number": 0}, "name": "Utan"},
    ]
    assert (asked["fromPatientAge"], asked["toPatientAge"]) == (18, 65)
    assert (asked["fromSickLeaveEndDate"], asked["toSickLeaveEndDate"]) == ("2026-03-02", None)
    assert (asked["protectedPersonFilterId"], asked["textSearch"]) == ("SE1111111111-D001", "Alma")


@pytest.mark.parametrize(
    "change",
    [
        {"gap": -1},
        {"gap": 91},
        {"days_since_end": -1},
        {"days_since_end": 15},
        {"lengths": ((14, 0),)},
        {"ages": (65, 18)},
        {"ends": (TODAY, TODAY - timedelta(1))},
        {"chapters": (Chapter("F", "F99", "x"),)},
        {"chapters": (Chapter("F00", "f99", "x"),)},
    ],
    ids=str,
)
def test_what_may_not_be_asked_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        wire_rest.request(UNIT, replace(FULL, **change))


# ---- Reading -----------------------------------------------------------------------------------------------------

REPORTED = ReportedSickLeave(
    patient=ALMA,
    unit=UNIT,
    start=date(2026, 2, 1),
    end=date(2026, 3, 31),
    days=59,
    count=2,
    certificates=("a", "b"),
    active="b",
    degree=50,
    degrees=(100, 50),
    patient_name="Alma Provsson",
    unit_name="Vårdcentralen",
    provider=PROVIDER,
    doctor="SE1111111111-D001",
    doctor_name="Beata Remissén",
    diagnosis=ReportedDiagnosis("F43.9", "F439", None),
    secondary_diagnoses=(ReportedDiagnosis("M54.5  Lumbago", "M545", "Lumbago"),),
    occupations=("Studier",),
    status="REKO_3",
)
ROW = {
    "rekoStatus": {"status": {"id": "REKO_3", "name": "Aktiv"}, "patientId": "x", "staffId": "y"},
    "vardgivare": {"id": "SE1111111111-V001", "namn": None},
    "vardenhet": {"id": "SE1111111111-E001", "namn": "Vårdcentralen"},
    "lakare": {"id": "SE1111111111-D001", "namn": "Beata Remissén"},
    "patient": {"id": f"{ALMA.digits[:8]}-{ALMA.digits[8:]}", "namn": "Alma Provsson"},
    "diagnosKod": {"originalCode": "F43.9", "cleanedCode": "F439", "name": None},
    "biDiagnoser": [{"originalCode": "M54.5  Lumbago", "cleanedCode": "M545", "name": "Lumbago"}],
    "start": "2026-02-01",
    "slut": "2026-03-31",
    "dagar": 59,
    "intyg": 2,
    "intygLista": ["a", "b"],
    "aktivGrad": 50,
    "grader": [100, 50],
    "aktivIntygsId": "b",
    "sysselsattning": ["Studier"],
}


def answer(*rows: object) -> bytes:
    return orjson.dumps({"content": rows})


def test_a_sick_leave_is_read() -> None:
    assert wire_rest.sick_leaves(answer(ROW)) == [REPORTED]
    assert wire_rest.sick_leaves(answer()) == []


LENIENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no status": ({"rekoStatus": None}, {"status": ""}),
    "a number without hyphen": ({"patient": {"id": ALMA.digits, "namn": "Alma Provsson"}}, {}),
    "no names": (
        {"patient": {"id": ALMA.digits}, "vardenhet": {"id": UNIT.value, "namn": None}, "lakare": {}},
        {"patient_name": "", "unit_name": "", "doctor": "", "doctor_name": ""},
    ),
    "no care provider": ({"vardgivare": None}, {"provider": None}),
    "no diagnoses": ({"diagnosKod": None, "biDiagnoser": None}, {"diagnosis": None, "secondary_diagnoses": ()}),
    "an unknown occupation": ({"sysselsattning": [None, "Studier"]}, {}),
    "lists that are null": (
        {"intygLista": None, "grader": None, "sysselsattning": None},
        {"certificates": (), "degrees": (), "occupations": ()},
    ),
    "ended": ({"aktivGrad": 0}, {"degree": 0}),
    "more than is known": ({"srs": {"risk": 3}}, {}),
}


@pytest.mark.parametrize(("row", "differs"), LENIENT.values(), ids=LENIENT)
def test_what_may_be_missing_is_passed_over(row: dict[str, Any], differs: dict[str, Any]) -> None:
    assert wire_rest.sick_leaves(answer({**ROW, **row})) == [replace(REPORTED, **differs)]


BAD_ROWS: dict[str, tuple[object, str]] = {
    "no row": (None, "date"),
    "a list": ([ROW], "date"),
    "a text": ("ROW", "date"),
    "no start": ({**ROW, "start": None}, "date"),
    "a start in numbers": ({**ROW, "start": [2026, 2, 1]}, "date"),
    "a day that is none": ({**ROW, "slut": "2026-02-30"}, "date"),
    "a week": ({**ROW, "slut": "2026-W05-6"}, "date"),
    "reversed": ({**ROW, "slut": "2026-01-31"}, "before it starts"),
    "no patient": ({**ROW, "patient": None}, "twelve digits"),
    "a wrong number": ({**ROW, "patient": {"id": "19700303-9800"}}, "control digit"),
    "no unit": ({**ROW, "vardenhet": None}, "unit's HSA-id"),
    "a malformed care provider": ({**ROW, "vardgivare": {"id": "VG"}}, "care provider's HSA-id"),
    "no length": ({**ROW, "dagar": None}, "length"),
    "a length in words": ({**ROW, "dagar": "59"}, "length"),
    "a yes for a number": ({**ROW, "intyg": True}, "number of certificates"),
    "a broken degree": ({**ROW, "aktivGrad": 50.0}, "degree"),
    "a negative degree": ({**ROW, "grader": [-1]}, "degree"),
}


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_set_aside_and_hides_no_other(row: object, reason: str) -> None:
    aside, read = wire_rest.sick_leaves(answer(row, ROW))
    assert isinstance(aside, SetAside)
    assert reason in aside.reason
    assert aside.certificate == ("b" if isinstance(row, dict) else "")
    assert "19700303" not in aside.reason
    assert read == REPORTED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a/>",
        b"null",
        b"[]",
        b"{}",
        b'{"content": null}',
        b'{"content": {}}',
        b'{"content": [',
        b"\xff",
        b"[" * 5000,
    ],
)
def test_what_is_no_list_of_sick_leaves_is_a_failure(body: bytes) -> None:
    with pytest.raises(Unavailable):
        wire_rest.sick_leaves(body)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ROW, "id", "namn"]), inner),
    max_leaves=10,
)


@given(st.lists(st.one_of(json, st.dictionaries(st.sampled_from([*ROW]), json).map(lambda odd: {**ROW, **odd}))))
def test_every_row_is_read_or_set_aside(rows: list[object]) -> None:
    found = wire_rest.sick_leaves(answer(*rows))
    assert len(found) == len(rows)
    assert all(isinstance(each, ReportedSickLeave | SetAside) for each in found)


# ---- The client --------------------------------------------------------------------------------------------------

INTERNAL = "http://intygstjanst.test:8081/inera-certificate/internalapi"
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    def now(self) -> datetime:
        return NOW


def engine(transport: httpx.AsyncBaseTransport | Handler, rest_url: str = INTERNAL, token: str = "") -> NationalEngine:
    ready = transport if isinstance(transport, httpx.AsyncBaseTransport) else httpx.MockTransport(transport)
    settings = Settings.model_validate({"url": "http://x.test", "rest_url": rest_url, "token": token})
    return NationalEngine(Sender(settings.rest, ready))


async def ask(source: NationalEngine, wanted: Wanted | None = None) -> list[ReportedSickLeave | SetAside]:
    try:
        return await (source.active_sick_leaves(UNIT) if wanted is None else source.active_sick_leaves(UNIT, wanted))
    finally:
        await source.aclose()


async def test_what_is_sent_goes_to_the_internal_address_without_the_token() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=answer(ROW))

    assert await ask(engine(handler, token="secret"), FULL) == [REPORTED]
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", f"{INTERNAL}{REST_PATH}")
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers
    assert request.content == wire_rest.request(UNIT, FULL)


@pytest.mark.parametrize("status", [203, 302, 400, 404, 500, 503])
async def test_another_status_is_a_failure(status: int) -> None:
    with pytest.raises(Unavailable, match=f"HTTP {status}"):
        await ask(engine(lambda _: httpx.Response(status, content=answer(ROW))))


async def test_a_failure_copies_nothing() -> None:
    with pytest.raises(Unavailable) as caught:
        await ask(engine(lambda _: httpx.Response(500, text="Patienten 19700303")))
    assert "Patienten" not in repr(caught.value) + repr(caught.value.__context__) + repr(caught.value.__cause__)


async def test_broken_connections_are_told_apart() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    with pytest.raises(NotReached):
        await ask(engine(refuse))
    with pytest.raises(NoAnswer):
        await ask(engine(cut))


async def test_an_answer_without_measure_is_refused() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b" " * 1_000_000

    with pytest.raises(NoAnswer):
        await ask(engine(lambda _: httpx.Response(200, stream=Endless())))


# ---- Against the counterpart -------------------------------------------------------------------------------------


@pytest.fixture
def counterpart() -> Counterpart:
    counterpart = Counterpart("intygstjanst", lambda: NOW)
    chain = [certificate("a1", ALMA, -30, -4), certificate("a2", ALMA, -1, 9, degree=50)]
    mock.register(counterpart, [*chain, certificate("b", BIRGER, -20, -2, diagnosis="M54.5  Lumbago", occupations=())])
    return counterpart


async def found(counterpart: Counterpart, **wanted: Any) -> list[ReportedSickLeave]:
    transport = httpx.ASGITransport(mock.create(counterpart))
    rows = await ask(engine(transport, f"http://mock{mock.INTERNAL}"), Wanted(**wanted))
    return [row for row in rows if isinstance(row, ReportedSickLeave)]


async def ids(counterpart: Counterpart, **wanted: Any) -> list[tuple[str, ...]]:
    return [row.certificates for row in await found(counterpart, **wanted)]


async def test_a_sick_leave_comes_with_all_that_it_says(counterpart: Counterpart) -> None:
    (row,) = await found(counterpart)
    assert row == ReportedSickLeave(
        patient=ALMA,
        unit=UNIT,
        start=TODAY - timedelta(30),
        end=TODAY + timedelta(9),
        days=38,
        count=2,
        certificates=("a1", "a2"),
        active="a2",
        degree=50,
        degrees=(50,),
        patient_name="Alma Provsson",
        unit_name="VC",
        provider=PROVIDER,
        doctor="SE1111111111-D001",
        doctor_name="Beata Remissén",
        diagnosis=ReportedDiagnosis("F43.9", "F439"),
        occupations=("Studier",),
    )


async def test_the_gap_and_the_days_are_the_callers(counterpart: Counterpart) -> None:
    assert await ids(counterpart, gap=2) == [("a1", "a2")]
    assert await ids(counterpart, gap=1) == [("a2",)]
    assert await ids(counterpart, days_since_end=1) == [("a1", "a2")]
    assert await ids(counterpart, days_since_end=2) == [("a1", "a2"), ("b",)]
    assert [row.degree for row in await found(counterpart, days_since_end=2)] == [50, 0]


Chains = list[tuple[str, ...]]
ONLY_ALMA: Chains = [("a1", "a2")]
ONLY_BIRGER: Chains = [("b",)]
BOTH: Chains = [*ONLY_ALMA, *ONLY_BIRGER]
NOBODY: Chains = []
FILTERS: dict[str, tuple[dict[str, Any], Chains]] = {
    "another doctor": ({"doctors": ("SE1111111111-D002",)}, NOBODY),
    "the doctor": ({"doctors": ("SE1111111111-D002", "SE1111111111-D001")}, BOTH),
    "a length, both ends inclusive": ({"lengths": ((0, 5), (38, 38))}, ONLY_ALMA),
    "an open length": ({"lengths": ((38, None),)}, ONLY_ALMA),
    "no such length": ({"lengths": ((39, None), (20, 37))}, NOBODY),
    "a chapter": ({"chapters": (Chapter("M00", "M99", "x"),)}, ONLY_BIRGER),
    "two chapters": ({"chapters": (Chapter("M00", "M99", "x"), Chapter("F00", "F99", "y"))}, BOTH),
    "without valid code": ({"chapters": (Chapter(" 0", " 0", "x"),)}, NOBODY),
    "an age before the birthday": ({"ages": (55, 55)}, ONLY_ALMA),
    "an age after it": ({"ages": (66, 66)}, ONLY_BIRGER),
    "an end": ({"ends": (TODAY, None)}, ONLY_ALMA),
    "an end, both inclusive": ({"ends": (TODAY - timedelta(2), TODAY - timedelta(2))}, ONLY_BIRGER),
    "no status": ({"statuses": ("REKO_1", "REKO_3")}, BOTH),
    "a status": ({"statuses": ("REKO_3",)}, NOBODY),
    "an occupation": ({"occupations": ("STUDIER",)}, ONLY_ALMA),
    "another occupation": ({"occupations": ("ARBETSSOKANDE",)}, NOBODY),
    "a text in any letters": ({"text": "lumbago"}, NOBODY),
    "a text that is seen": ({"text": "m545"}, ONLY_BIRGER),
    "a name": ({"text": "ALMA"}, BOTH),
    "a number": ({"text": "19700303-"}, ONLY_ALMA),
    "all must hold": ({"chapters": (Chapter("F00", "F99", "y"),), "ages": (66, 66)}, NOBODY),
}


@pytest.mark.parametrize(("wanted", "expected"), FILTERS.values(), ids=FILTERS)
async def test_filters_hold_all_together(counterpart: Counterpart, wanted: dict[str, Any], expected: Chains) -> None:
    assert await ids(counterpart, days_since_end=14, **wanted) == expected


async def test_a_mottagning_chooses_the_patients_and_the_care_unit_the_certificates(counterpart: Counterpart) -> None:
    mock.subordinate(counterpart, UNIT, WARD)
    mock.register(counterpart, [certificate("w", BIRGER, -1, 1, unit=WARD)])
    assert await ids(counterpart) == [("a1", "a2"), ("b", "w")]
    assert await ids(counterpart, sub_unit=WARD) == [("b", "w")]


async def test_a_protected_person_is_seen_by_the_own_doctor_alone(counterpart: Counterpart) -> None:
    own = certificate("a3", ALMA, 10, 12, doctor="SE1111111111-D002")
    mock.register(counterpart, [own], protected=[ALMA])
    assert await ids(counterpart) == []
    assert await ids(counterpart, protected_for=HsaId("SE1111111111-D002")) == []
    (row,) = await found(counterpart, protected_for=HsaId("SE1111111111-D001"))
    assert (row.certificates, row.patient_name) == (("a1", "a2"), "Skyddad personuppgift")


async def test_a_missing_name_is_told_so(counterpart: Counterpart) -> None:
    mock.register(counterpart, [certificate("b2", BIRGER, 0, 1, patient_name="")])
    assert [row.patient_name for row in await found(counterpart)] == ["Alma Provsson", "Namn okänt"]


async def test_the_engine_can_be_handed_in(counterpart: Counterpart) -> None:
    asked: list[tuple[list[str], Computation]] = []

    def compute(certificates: Sequence[Certificate], computation: Computation) -> Iterable[ReportedSickLeave]:
        asked.append(([each.id for each in certificates], computation))
        return [REPORTED, replace(REPORTED, patient=BIRGER, status="")]

    mock.compute_with(counterpart, compute)
    rows = await found(counterpart, gap=7, days_since_end=3)
    assert asked == [(["a1", "a2", "b"], Computation(TODAY, 7, 3))]
    assert [row.patient for row in rows] == [ALMA, BIRGER]


@pytest.mark.parametrize("kind", ["result", "soap-fault", "http", "nonsense"])
async def test_failures_that_the_counterpart_plays(counterpart: Counterpart, kind: str) -> None:
    counterpart.room().order([Fault.model_validate({"kind": kind, "text": "Patienten saknas"})])
    with pytest.raises(Unavailable):
        await found(counterpart)
    await found(counterpart)
    assert [(entry.accepted, entry.fault) for entry in counterpart.room().ledger.entries] == [(False, kind), (True, "")]
    assert counterpart.room().ledger.entries[1].summary == {"unit": UNIT.value, "sickLeaves": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"careUnitId": None},
        {"maxCertificateGap": "5"},
        {"maxCertificateGap": 91},
        {"fromSickLeaveEndDate": "2026"},
        {"sickLeaveLengthIntervals": [{"from": "1"}]},
        {"diagnosisChapters": [{"from": {"letter": "ÅÄ", "number": 0}}]},
        {"unknown": 1},
    ],
    ids=str,
)
async def test_a_bad_question_is_refused_and_written_down(counterpart: Counterpart, change: dict[str, Any]) -> None:
    body = orjson.dumps({**orjson.loads(wire_rest.request(UNIT, FULL)), **change})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(mock.create(counterpart)), base_url="http://mock"
    ) as client:
        response = await client.post(f"{mock.INTERNAL}{REST_PATH}", content=body)
    assert response.status_code == 400
    (entry,) = counterpart.room().ledger.entries
    assert not entry.accepted
    assert entry.report


# ---- The plain way to compute ------------------------------------------------------------------------------------


def test_nothing_computes_to_nothing() -> None:
    assert plainly([], Computation(TODAY, 5, 0)) == []
    assert plainly([certificate("a", ALMA, 1, 5)], Computation(TODAY, 5, 0)) == []


def test_the_latest_signed_active_certificate_tells_of_the_sick_leave() -> None:
    earlier = certificate("a", ALMA, -5, 5, degree=100)
    later = replace(certificate("b", ALMA, -5, 9, degree=25), signed=earlier.signed + timedelta(hours=1))
    (row,) = plainly([later, earlier], Computation(TODAY, 0, 0))
    assert (row.active, row.degree, row.count, row.days) == ("b", 25, 2, 15)


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ("f43.9", "F439", None),
        ("M80.-", "M80-", None),
        ("M123   Palindrom", "M123", "Palindrom"),
        ("F43.9AB", "F439AB", ""),
    ],
)
def test_diagnoses_are_cleaned(text: str, code: str, name: str | None) -> None:
    assert diagnosis(text) == ReportedDiagnosis(text, code, name)
