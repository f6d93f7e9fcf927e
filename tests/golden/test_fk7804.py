"""Golden certificates of FK 7804: ``certificate.xml`` is the message, ``value.json`` what is read in it, ``response.json`` what is
kept of that; under ``invalid/`` ``issues.json`` is what is told instead.

What is named ``as-real`` breaks the contract's schema, or says what no code list knows. ``make approve`` (``REKO_APPROVE=1``)
writes what the code says now, for review.
"""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from adapters import soap
from adapters.intygstjanst.certificate import read_body
from adapters.intygstjanst.wire import CERTIFICATE
from contracts.certificate import MedicalCertificate
from contracts.errors import Invalid
from contracts.identity import HsaId, PersonId
from fhir_mappings import r4
from fhir_mappings.certificate import questionnaire_response

CASES: Final = Path(__file__).parent / "cases" / "fk7804"
READ: Final = sorted(path.parent for path in CASES.glob("*/certificate.xml"))
REFUSED: Final = sorted(path.parent for path in CASES.glob("invalid/*/certificate.xml"))
NOT_NEEDED: Final = ("F438A", "Nedsatt uthållighet.", "Klarar inte ett helt arbetspass.", "Samtalsstöd.", "Provgatan 1")


def message(case: Path) -> bytes:
    return (case / "certificate.xml").read_bytes()


def as_json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _plain(value: object) -> object:
    if isinstance(value, PersonId):
        return value.digits
    assert isinstance(value, HsaId)
    return value.value


def value(certificate: MedicalCertificate) -> bytes:
    kind = type(certificate.prognosis).__name__ if certificate.prognosis else None
    told = asdict(certificate)
    return as_json({**told, "prognosis": kind and {"kind": kind, **told["prognosis"]}})


def approved(file: Path, said: bytes) -> bytes:
    if os.environ.get("REKO_APPROVE") == "1":
        file.write_bytes(said)
    return file.read_bytes()


def test_there_are_cases() -> None:
    assert len(READ) > 10
    assert len(REFUSED) > 3


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_what_is_read(case: Path) -> None:
    said = value(read_body(message(case)))
    assert said == approved(case / "value.json", said)


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_what_is_kept(case: Path) -> None:
    body = questionnaire_response(read_body(message(case)), "Patient/patient-1", "DocumentReference/document-1")
    assert r4.model("QuestionnaireResponse").model_validate_json(body), "the models are a second opinion"
    said = as_json(orjson.loads(body))
    assert said == approved(case / "response.json", said)


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_what_coordination_does_not_need_is_neither_read_nor_kept(case: Path) -> None:
    sent = message(case).decode()
    kept = (case / "value.json").read_text("utf-8") + (case / "response.json").read_text("utf-8")
    assert all(each in sent for each in NOT_NEEDED)
    assert not [each for each in NOT_NEEDED if each in kept]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_refused(case: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        read_body(message(case))
    said = as_json([{"expression": each.expression, "text": each.text} for each in refusal.value.issues])
    assert said == approved(case / "issues.json", said)


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_the_schema_takes_what_is_an_answer_and_not_named_as_real(case: Path) -> None:
    content = soap.unwrap(message(case))
    assert not isinstance(content, soap.Fault)
    if "as-real" in case.name or content.tag != CERTIFICATE.response:
        return
    assert soap.schema_errors("get_certificate_2.xsd", content) == ()
