"""Golden overviews: ``question.json`` is what a unit has and what is asked, ``episodes.json`` what the FHIR operation shows.

Cases are found by folder name. ``make approve`` (``REKO_APPROVE=1``) writes what the code says now, for review.
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from contracts.identity import HsaId, PersonId
from contracts.sick_leave import Certificate, RekoStatus, RekoStatusType
from fhir_mappings import r4
from fhir_mappings.counted_sick_leave import Counting, counted_episode
from service.rules.sick_leave import Listed, Question, held

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases" / "overview").glob("*/question.json"))
TODAY = date(2026, 3, 2)
UNIT = HsaId("SE1111111111-E001")


class Case(msgspec.Struct):
    """A ``question.json``."""

    settings: dict[str, Any]
    status: RekoStatusType | None
    certificates: list[Certificate]


def read(case: Path) -> Case:
    def person(kind: type, value: Any) -> Any:
        return PersonId(value) if kind is PersonId else value

    return msgspec.json.decode((case / "question.json").read_bytes(), type=Case, dec_hook=person)


def episodes(case: Case) -> list[bytes]:
    at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    statuses = [RekoStatus(case.status, "patient-1", UNIT, TODAY, at, UNIT, 1)] if case.status else []
    patients = {each.patient: Listed("patient-1", statuses=tuple(statuses)) for each in case.certificates}
    rows = held(case.certificates, patients, Question(TODAY, **case.settings)).rows
    counting = Counting(TODAY, UNIT, "Organization/unit-1", **case.settings)
    return [counted_episode(row, f"episode-{number}", counting) for number, row in enumerate(rows, 1)]


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_operation_shows(case: Path) -> None:
    found = [orjson.loads(body) for body in episodes(read(case))]
    written = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if os.environ.get("REKO_APPROVE") == "1":
        (case / "episodes.json").write_bytes(written)
    assert (case / "episodes.json").read_bytes() == written


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_models_take_it_and_it_names_nobody(case: Path) -> None:
    for body in episodes(read(case)):
        assert r4.model("EpisodeOfCare").model_validate_json(body), "the models are a second opinion"
        assert not [secret for secret in (b"19900330", b"F43") if secret in body]
