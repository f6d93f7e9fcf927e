"""Golden certificates: ``certificate.json`` is what the feed told, ``resources.json`` what is stored of it.

Cases are found by folder name. ``make approve`` (``REKO_APPROVE=1``) writes what the code says now, for review.
"""

import os
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from contracts.identity import PersonId
from contracts.sick_leave import Certificate
from fhir_mappings import r4
from fhir_mappings.sick_leave import document_reference, episode_of_care, observations
from service.rules.sick_leave import group

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases" / "sick_leave").glob("*/certificate.json"))
TODAY = date(2026, 3, 2)


def read(case: Path) -> Certificate:
    def person(kind: type, value: Any) -> Any:
        return PersonId(value) if kind is PersonId else value

    return msgspec.json.decode((case / "certificate.json").read_bytes(), type=Certificate, dec_hook=person)


def resources(certificate: Certificate) -> bytes:
    patient, document, episode = "Patient/patient-1", "DocumentReference/document-1", "EpisodeOfCare/episode-1"
    ids = [f"observation-{number}" for number, _ in enumerate(certificate.periods, 1)]
    (sick_leave,) = group([certificate])
    bodies = [
        document_reference(certificate, patient, "document-1", episode),
        *observations(certificate, patient, document, episode, ids),
        episode_of_care(sick_leave, patient, "episode-1", TODAY, certificate.unit),
    ]
    for body in bodies:
        assert r4.model(orjson.loads(body)["resourceType"]).model_validate_json(body), "the models are a second opinion"
    return orjson.dumps([orjson.loads(body) for body in bodies], option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_stored_of_a_certificate(case: Path) -> None:
    written = resources(read(case))
    if os.environ.get("REKO_APPROVE") == "1":
        (case / "resources.json").write_bytes(written)
    assert (case / "resources.json").read_bytes() == written
