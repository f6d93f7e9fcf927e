"""``reko sjukfall``: the form of questions and answers, what is refused and in which words, and the stream."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Malformed
from service.rules.sick_leave import CORRECTED, MODES, REHABSTOD
from service.sjukfall import answer, local_time, run

REKO = Path(sys.executable).with_name("reko")
SECRET = "20160101-SECRET"

CERTIFICATE: dict[str, Any] = {
    "id": "intyg-1",
    "patientId": " P1\t",
    "patientNamn": "Åsa Exempel",
    "lakareId": "L1",
    "lakareNamn": "Doktor",
    "vardenhetId": "E1",
    "vardgivareId": "V1",
    "signeringsTidpunkt": "2016-02-01T10:00:00",
    "diagnosKod": "F43.9",
    "biDiagnoser": ["M79.1  Myalgi"],
    "sysselsattning": ["STUDIER", "ANNAT", None],
    "formagor": [
        {"start": "2016-02-15", "slut": "2016-02-28", "nedsattning": 50},
        {"start": "2016-02-01", "slut": "2016-02-14", "nedsattning": 100},
    ],
}
QUESTION: dict[str, Any] = {
    "id": 1,
    "view": "enhet",
    "aktivtDatum": "2016-02-16",
    "maxIntygsGlapp": 5,
    "maxAntalDagarSedanSjukfallAvslut": 0,
    "intyg": [CERTIFICATE],
}


def asked(question: Any) -> Any:
    return json.loads(answer(json.dumps(question).encode(), REHABSTOD))


def with_certificate(**changes: Any) -> dict[str, Any]:
    return QUESTION | {"intyg": [CERTIFICATE | changes]}


# Answers


def test_a_units_sick_leave_has_these_keys_in_this_order() -> None:
    assert answer(json.dumps(QUESTION).encode(), REHABSTOD).decode() == (
        '{"id":1,"result":[{"patientId":"P1","patientNamn":"Åsa Exempel","vardgivareId":"V1","vardenhetId":"E1","lakareId":"L1",'
        '"diagnos":{"originalCode":"F43.9","cleanedCode":"F439","name":null},'
        '"biDiagnoser":[{"originalCode":"M79.1  Myalgi","cleanedCode":"M791","name":"Myalgi"}],'
        '"start":"2016-02-01","slut":"2016-02-28","dagar":28,"intyg":1,"intygLista":["intyg-1"],'
        '"aktivGrad":50,"grader":[100,50],"aktivIntygsId":"intyg-1","sysselsattning":["Studier",null,null]}]}'
    )


def test_a_patients_sick_leave_has_these_keys_in_this_order() -> None:
    assert answer(json.dumps(QUESTION | {"view": "patient"}).encode(), REHABSTOD).decode() == (
        '{"id":1,"result":[{"patientId":"P1","patientNamn":"Åsa Exempel",'
        '"diagnos":{"originalCode":"F43.9","cleanedCode":"F439","name":null},"start":"2016-02-01","slut":"2016-02-28","dagar":28,'
        '"intyg":[{"id":"intyg-1","patientId":" P1\\t","start":"2016-02-01","slut":"2016-02-28","dagar":28,"grader":[100,50],'
        '"aktivt":true,"nyligenAvslutat":false,"sysselsattning":["Studier",null,null],'
        '"diagnos":{"originalCode":"F43.9","cleanedCode":"F439","name":null},"signeringsTidpunkt":"2016-02-01T10:00"}]}]}'
    )


@pytest.mark.parametrize("view", ["enhet", "patient"])
def test_absent_is_the_same_as_null(view: str) -> None:
    bare = {"formagor": CERTIFICATE["formagor"]}
    nulls = dict.fromkeys(CERTIFICATE) | bare
    question = QUESTION | {"view": view, "maxAntalDagarSedanSjukfallAvslut": None}
    absent = {key: value for key, value in question.items() if value is not None}
    assert asked(question | {"intyg": [nulls]}) == asked(absent | {"intyg": [bare]})


def test_what_was_null_stays_null_but_occupations_become_none_at_all() -> None:
    (found,) = asked(QUESTION | {"intyg": [{"formagor": CERTIFICATE["formagor"]}]})["result"]
    kept = (
        "patientId",
        "patientNamn",
        "vardgivareId",
        "vardenhetId",
        "lakareId",
        "diagnos",
        "biDiagnoser",
        "aktivIntygsId",
    )
    assert [found[key] for key in kept] == [None] * len(kept)
    assert (found["sysselsattning"], found["intygLista"]) == ([], [None])


def test_an_empty_list_of_secondary_diagnoses_stays_empty() -> None:
    assert asked(with_certificate(biDiagnoser=[]))["result"][0]["biDiagnoser"] == []


def test_units_answers_come_by_patient_id() -> None:
    certificates = [CERTIFICATE | {"patientId": id} for id in ("b", "a", " c", None, "B", "å")]
    found = asked(QUESTION | {"intyg": certificates})["result"]
    assert [each["patientId"] for each in found] == [None, "B", "a", "b", "c", "å"]


def test_ids_that_differ_in_blanks_alone_are_two_patients() -> None:
    certificates = [CERTIFICATE | {"patientId": id, "id": id} for id in ("X", " X ", "X\u2003")]
    found = asked(QUESTION | {"intyg": certificates})["result"]
    assert [(each["patientId"], each["aktivIntygsId"]) for each in found] == [
        ("X", "X"),
        ("X", " X "),
        ("X\u2003", "X\u2003"),
    ]


@pytest.mark.parametrize("id", ["null", "7", "1.50", '"a\\u00e5"', '{"b":[1, 2]}', "12345678901234567890123", "1e400"])
def test_an_id_comes_back_as_it_was_written(id: str) -> None:
    head = f'{{"id":{id},'.encode()
    assert answer(head + b'"view":"enhet","maxIntygsGlapp":5}', REHABSTOD) == head + b'"result":[]}'
    assert answer(head + b'"maxIntygsGlapp":5}', REHABSTOD) == head + b'"error":"view is missing"}'


EMPTY: list[dict[str, Any]] = [
    {"intyg": None},
    {"intyg": []},
    {"intyg": [], "aktivtDatum": None},
    {"maxIntygsGlapp": -1},
    {"maxIntygsGlapp": -1, "aktivtDatum": None, "intyg": [{}]},
]


@pytest.mark.parametrize("changes", EMPTY)
def test_empty_input_and_a_negative_gap_have_an_empty_answer(changes: dict[str, Any]) -> None:
    assert asked(QUESTION | changes) == {"id": 1, "result": []}


def test_days_since_end_are_none_unless_asked_for() -> None:
    late = QUESTION | {"aktivtDatum": "2016-03-01"}
    assert asked(late | {"maxAntalDagarSedanSjukfallAvslut": None})["result"] == []
    assert asked(late | {"maxAntalDagarSedanSjukfallAvslut": 2})["result"][0]["aktivGrad"] == 0


def test_the_two_modes_answer_differently_where_they_should() -> None:
    certificates = [CERTIFICATE | {"id": id, "signeringsTidpunkt": f"2016-02-0{id}T10:00"} for id in ("1", "2")]
    line = json.dumps(QUESTION | {"intyg": certificates}).encode()
    found = {mode.name: json.loads(answer(line, mode))["result"][0]["intygLista"] for mode in (REHABSTOD, CORRECTED)}
    assert found == {"rehabstod": ["2", "2"], "corrected": ["1", "2"]}


# Refusals

FORM = "not a question of the known form"
REFUSED: dict[str, tuple[Any, str]] = {
    "no view": (QUESTION | {"view": None}, "view is missing"),
    "another view": (QUESTION | {"view": SECRET}, f"{FORM}, at $.view"),
    "no gap": (QUESTION | {"maxIntygsGlapp": None}, "maxIntygsGlapp is missing"),
    "gap as text": (QUESTION | {"maxIntygsGlapp": SECRET}, f"{FORM}, at $.maxIntygsGlapp"),
    "gap beyond whole numbers of the engine": (QUESTION | {"maxIntygsGlapp": 2**31}, f"{FORM}, at $.maxIntygsGlapp"),
    "no day": (QUESTION | {"aktivtDatum": None}, "aktivtDatum is missing"),
    "a day that is none": (QUESTION | {"aktivtDatum": "2015-02-29"}, f"{FORM}, at $.aktivtDatum"),
    "no periods": (with_certificate(formagor=None), "a certificate has no periods"),
    "an empty list of periods": (with_certificate(formagor=[]), "a certificate has no periods"),
    "a period without end": (
        with_certificate(formagor=[{"start": "2016-02-01", "nedsattning": 50}]),
        f"{FORM}, at $.intyg[0].formagor[0]",
    ),
    "a degree that is no number": (
        with_certificate(formagor=[{"start": "2016-02-01", "slut": "2016-02-02", "nedsattning": SECRET}]),
        f"{FORM}, at $.intyg[0].formagor[0].nedsattning",
    ),
    "blank diagnosis": (with_certificate(diagnosKod=" \t"), "a diagnosis is blank"),
    "blank secondary diagnosis": (with_certificate(biDiagnoser=["M79", ""]), "a diagnosis is blank"),
    "blank diagnosis of one that would not be shown": (
        QUESTION | {"intyg": [CERTIFICATE, CERTIFICATE | {"patientId": SECRET, "diagnosKod": " "}]},
        "a diagnosis is blank",
    ),
    "signed at no time": (with_certificate(signeringsTidpunkt=SECRET), "a signeringsTidpunkt is no local time"),
    "signed at no time, though nobody asks": (
        with_certificate(signeringsTidpunkt="2016-02-01T10:00Z"),
        "a signeringsTidpunkt is no local time",
    ),
    "two active, one not signed": (
        QUESTION | {"intyg": [CERTIFICATE, CERTIFICATE | {"signeringsTidpunkt": None}]},
        "certificates are told apart by their signing times, and one has none",
    ),
    "a patient id that is no text": (with_certificate(patientId=197001019801), f"{FORM}, at $.intyg[0].patientId"),
}


@pytest.mark.parametrize(("question", "error"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_computed(question: Any, error: str) -> None:
    assert asked(question) == {"id": 1, "error": error}
    assert SECRET not in error


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"x", "not one line of JSON in UTF-8"),
        (b'{"id":1', "not one line of JSON in UTF-8"),
        (b'{"id":"\xff"}', "not one line of JSON in UTF-8"),
        (b'{"id":1,"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not one line of JSON in UTF-8"),
        (b"null", FORM),
        (b"[1]", FORM),
        (b'"enhet"', FORM),
    ],
)
def test_a_line_that_is_no_question_has_no_id(line: bytes, error: str) -> None:
    assert json.loads(answer(line, REHABSTOD)) == {"id": None, "error": error}


# Signing times


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2016-02-01T10:00", "2016-02-01T10:00"),
        ("2016-02-01T10:00:00", "2016-02-01T10:00"),
        ("2016-02-01T00:00:00", "2016-02-01T00:00"),
        ("2016-02-01T10:00:30", "2016-02-01T10:00:30"),
        ("2016-02-01T10:30:00.000", "2016-02-01T10:30"),
        ("2016-02-01T10:00:00.5", "2016-02-01T10:00:00.500"),
        ("2016-02-01T10:00:00.1234", "2016-02-01T10:00:00.123400"),
        ("2016-02-01T10:00:00.000000001", "2016-02-01T10:00:00.000000001"),
        ("2016-02-01t10:00", "2016-02-01T10:00"),
        ("2016-02-01t10:00:00", "2016-02-01T10:00"),
        ("2016-02-29T23:59:59", "2016-02-29T23:59:59"),
    ],
)
def test_a_signing_time_is_written_as_the_national_engine_writes_it(text: str, shown: str) -> None:
    assert local_time(text) == shown
    found = asked(QUESTION | {"view": "patient", "intyg": [CERTIFICATE | {"signeringsTidpunkt": text}]})
    assert found["result"][0]["intyg"][0]["signeringsTidpunkt"] == shown


NO_TIMES = [
    "2016-02-01",
    "2016-02-30T10:00",
    "2016-02-01T24:00",
    "2016-02-01T10:60",
    "2016-02-01T10:00:60",
    "2016-02-01T10",
    "2016-02-01T10:",
    "2016-02-01T10:0",
    "2016-02-01T10:00:",
    "2016-02-01T10:00:0",
    "2016-02-01T10:00:00.1234567890",
    "2016-02-01T10:00Z",
    "2016-02-01T10:00+01",
    "2016-02-01T10:00:00+01",
    "2016-02-01T10:00:00+01:00",
    "2016-02-01T10:00:00.5Z",
    "2016-02-01T1000",
    "20160201T10:00",
    "2016-W05-1T10:00",
    "2016-W05-1T10:00:00",
    "2016-02-01_10:00",
    "2016-02-01T10:00:00,5",
    "٢016-02-01T10:00",
    "2016-02-01T10:00:00.٢",
]


@pytest.mark.parametrize("text", ["", " 2016-02-01T10:00", "2016-02-01T10:00\n", "2016-02-01 10:00", *NO_TIMES])
def test_what_is_no_local_time(text: str) -> None:
    with pytest.raises(Malformed, match="signeringsTidpunkt"):
        local_time(text)


def test_signing_times_as_written_sort_as_the_times_do() -> None:
    times = ["2016-02-01T10:00", "2016-02-01T10:00:00.000000001", "2016-02-01T10:00:00.1", "2016-02-01T10:00:00.10001"]
    times += [
        "2016-02-01T10:00:01",
        "2016-02-01T10:00:01.5",
        "2016-02-01T10:00:01.51",
        "2016-02-01T10:01",
        "2016-02-01T11:00:00",
    ]
    written = [local_time(text) for text in times]
    assert written == sorted(written)


# The stream


class Trickle(io.BytesIO):
    """Gives a few bytes at a time, as a pipe may."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(7)


def test_answers_come_in_order_and_blank_lines_are_no_questions() -> None:
    lines = [b'{"id":1}', b"", b"nonsense", b"  \r", b'{"id":2,"view":"enhet","maxIntygsGlapp":0}\r', b'{"id":3}']
    for source in (io.BytesIO(b"\n".join(lines)), Trickle(b"\n".join(lines) + b"\n")):
        sink = io.BytesIO()
        run(source, sink, REHABSTOD)
        assert [json.loads(line)["id"] for line in sink.getvalue().splitlines()] == [1, None, 2, 3]


def test_nothing_asked_nothing_answered() -> None:
    sink = io.BytesIO()
    run(io.BytesIO(), sink, REHABSTOD)
    assert sink.getvalue() == b""


def test_the_command_answers_before_it_is_asked_again() -> None:
    with subprocess.Popen(
        [REKO, "sjukfall", "--mode", "corrected"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reko:
        assert reko.stdin
        assert reko.stdout
        for id in (1, 2):
            reko.stdin.write(json.dumps(QUESTION | {"id": id}).encode() + b"\n")
            reko.stdin.flush()
            assert json.loads(reko.stdout.readline())["id"] == id
        assert reko.communicate(json.dumps(QUESTION | {"id": 3}).encode())[0].startswith(b'{"id":3,"result":[{')
    assert reko.returncode == 0


def test_the_national_way_is_the_default() -> None:
    """Q1 tells the modes apart."""

    def intyg(id: str, hour: int) -> dict[str, object]:
        periods = [{"start": "2026-02-01", "slut": "2026-02-20", "nedsattning": 50}]
        return {"id": id, "patientId": "x", "signeringsTidpunkt": f"2026-02-01T{hour}:00", "formagor": periods}

    asked = {"id": 1, "view": "enhet", "aktivtDatum": "2026-02-10", "maxIntygsGlapp": 5}
    question = json.dumps({**asked, "intyg": [intyg("A", 10), intyg("B", 11)]}).encode()
    done = subprocess.run([REKO, "sjukfall"], input=question, capture_output=True, check=True)
    assert json.loads(done.stdout)["result"][0]["intygLista"] == ["B", "B"]


@pytest.mark.parametrize("arguments", [["--mode", "other"], ["--mode"], ["--mode", "rehabstod", "more"]])
def test_wrong_use_of_the_command_is_2(arguments: list[str]) -> None:
    done = subprocess.run([REKO, "sjukfall", *arguments], input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_the_command_knows_every_mode() -> None:
    for mode in MODES:
        done = subprocess.run([REKO, "sjukfall", "--mode", mode], input=b"{}\n", capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (0, b'{"id":null,"error":"view is missing"}\n')
