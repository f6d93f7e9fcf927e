"""Sick leaves are found by unit, period, degree and what goes on on a day (issue: certificates and sick leaves in FHIR)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from contracts.time import swedish_day
from fhir_mappings.identifiers import HSA_ID, PERSONNUMMER, SNOMED_CT, UCUM, WORK_ABILITY

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]

RIVTA_HSA: Final = "urn:oid:1.2.752.129.2.1.4.1"
"""Another spelling of the same system."""


@pytest.fixture
async def patient(flow: "Flow") -> str:
    """Somebody on sick leave from five days ago, wholly for ten days and half for sixteen more."""
    person = next(flow.people)
    today = swedish_day(flow.clock.now())
    whole = {"start": today - timedelta(days=5), "end": today + timedelta(days=4), "degree": 100}
    half = {"start": today + timedelta(days=5), "end": today + timedelta(days=20), "degree": 50}
    flow.certify(person, periods=[whole, half])
    pulled = await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")
    assert pulled.status_code == 200
    (found,) = await search(flow, "Patient", identifier=f"{PERSONNUMMER.fhir}|{person.number}")
    return str(found["id"])


async def search(flow: "Flow", type: str, **criteria: str) -> list[Json]:
    named = {name.replace("__", ":").replace("_of_", "."): value for name, value in criteria.items()}
    response = await flow.coordinator.post(f"/fhir/{type}/_search", data=named)
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


async def degrees(flow: "Flow", patient: str, name: str, value: str) -> list[int]:
    found = await flow.coordinator.post("/fhir/Observation/_search", data={"patient": patient, name: value})
    assert found.status_code == 200, found.text
    return [entry["resource"]["valueQuantity"]["value"] for entry in found.json().get("entry", [])]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("value-quantity", "50", [50]),
        ("value-quantity", f"50|{UCUM}|%", [50]),
        ("value-quantity", "50||%", [50]),
        ("value-quantity", "50||mg", []),
        ("value-quantity", "ge50", [100, 50]),
        ("value-quantity", "gt50", [100]),
        ("value-quantity", "ap48", [50]),
        ("code", f"{SNOMED_CT.fhir}|224459001", [100, 50]),
        ("code:text", "on sick leave", [100, 50]),
        ("code-value-quantity", f"{WORK_ABILITY}|assessed-reduction$lt75", [50]),
        ("combo-code-value-concept", f"{WORK_ABILITY}|reduction-level$HALFTEN", [50]),
        ("combo-code", f"{SNOMED_CT.fhir}|224459001", [100, 50]),
        ("combo-code", f"{WORK_ABILITY}|reduction-level", [100, 50]),
        ("combo-code:not", f"{SNOMED_CT.fhir}|224459001", []),
        ("combo-code:not", f"{WORK_ABILITY}|reduction-level", []),
        ("combo-code:not", f"{SNOMED_CT.fhir}|reduction-level", [100, 50]),
        ("combo-code:missing", "true", []),
        ("combo-code:missing", "false", [100, 50]),
        ("combo-code:text", "on sick leave", [100, 50]),
        ("combo-value-quantity", "50", [50]),
        ("combo-code-value-quantity", f"{WORK_ABILITY}|assessed-reduction$lt75", [50]),
        ("_sort", "combo-value-quantity", [50, 100]),
        ("_sort", "-combo-value-quantity", [100, 50]),
        ("component-code-value-concept", f"{WORK_ABILITY}|occupation$HALFTEN", []),
        ("performer:identifier", "{unit}", [100, 50]),
        ("performer:identifier", f"{HSA_ID.fhir}|{{unit}}", [100, 50]),
        ("performer:identifier", f"{RIVTA_HSA}|{{unit}}", [100, 50]),
        ("performer:identifier", "TSTNMT2321000156-E9999", []),
        ("derived-from:DocumentReference.custodian:identifier", "{unit}", [100, 50]),
        ("episode-of-care:missing", "false", [100, 50]),
        ("episode-of-care.status", "active", [100, 50]),
        ("episode-of-care.status", "finished", []),
        ("_has:Observation:derived-from:code", "x", None),
    ],
)
async def test_periods_by_degree_code_and_unit(
    flow: "Flow", patient: str, name: str, value: str, expected: list[int] | None
) -> None:
    asked = value.replace("{unit}", flow.UNIT)
    if expected is not None:
        assert await degrees(flow, patient, name, asked) == expected
    else:
        assert await degrees(flow, patient, name, asked) == []


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-6, []), (-5, [100]), (0, [100]), (4, [100]), (5, [50]), (20, [50]), (21, [])],
)
async def test_periods_that_go_on_on_a_day_first_and_last_day_included(
    flow: "Flow", patient: str, days: int, expected: list[int]
) -> None:
    day = swedish_day(flow.clock.now()) + timedelta(days=days)
    assert await degrees(flow, patient, "ongoing", f"{day}") == expected
    assert await degrees(flow, patient, "date", f"ap{day}") == expected


async def test_sick_leaves_that_go_on_on_a_day(flow: "Flow", patient: str) -> None:
    """One without an end still does, however far ahead."""
    today = swedish_day(flow.clock.now())
    for days, found in ((-6, 0), (-5, 1), (0, 1), (400, 1)):
        day = today + timedelta(days=days)
        assert len(await search(flow, "EpisodeOfCare", patient=patient, ongoing=f"{day}")) == found
    refused = await flow.coordinator.get(f"/fhir/EpisodeOfCare?ongoing=ge{today}")
    assert refused.status_code == 400


@pytest.mark.parametrize(("days", "found"), [(-6, 0), (-5, 1), (20, 1), (21, 0)])
async def test_certificates_that_go_on_on_a_day(flow: "Flow", patient: str, days: int, found: int) -> None:
    day = swedish_day(flow.clock.now()) + timedelta(days=days)
    assert len(await search(flow, "DocumentReference", patient=patient, ongoing=f"{day}")) == found


async def test_sick_leaves_and_certificates_of_a_unit(flow: "Flow", patient: str) -> None:
    (episode,) = await search(flow, "EpisodeOfCare", patient=patient)
    asked = {"patient": patient, "organization:identifier": f"{HSA_ID.fhir}|{flow.UNIT}"}
    response = await flow.coordinator.post("/fhir/EpisodeOfCare/_search", data=asked)
    by_unit = {each["resource"]["id"] for each in response.json().get("entry", [])}
    by_reference = {
        each["id"] for each in await search(flow, "EpisodeOfCare", patient=patient, organization__missing="false")
    }
    assert by_reference == {episode["id"]}
    assert by_unit in ({episode["id"]}, set())  # the unit stands as an Organization where one is known
    documents = await search(flow, "DocumentReference", patient=patient, custodian__identifier=flow.UNIT)
    assert len(documents) == 1
    assert (
        len(await search(flow, "DocumentReference", patient=patient, author__identifier="TSTNMT2321000156-D0001")) == 1
    )
    assert await search(flow, "DocumentReference", patient=patient, author__identifier="TSTNMT2321000156-D0002") == []


async def test_a_sick_leave_with_all_that_belongs_to_it(flow: "Flow", patient: str) -> None:
    asked = {
        "patient": patient,
        "_include": "EpisodeOfCare:patient",
        "_revinclude": "Observation:episode-of-care",
        "_include:iterate": "Observation:derived-from",
    }
    bundle = (await flow.coordinator.post("/fhir/EpisodeOfCare/_search", data=asked)).json()
    modes = [(each["resource"]["resourceType"], each["search"]["mode"]) for each in bundle["entry"]]
    assert modes[0] == ("EpisodeOfCare", "match")
    assert sorted(modes[1:]) == [
        ("DocumentReference", "include"),
        ("Observation", "include"),
        ("Observation", "include"),
        ("Patient", "include"),
    ]
    (episode,) = await search(flow, "EpisodeOfCare", patient=patient)
    by_extension = await degrees(flow, patient, "episode-of-care", f"EpisodeOfCare/{episode['id']}")
    assert by_extension == [100, 50]


async def test_a_document_may_belong_to_an_episode(flow: "Flow", patient: str) -> None:
    """R4 lets ``DocumentReference.context.encounter`` be an EpisodeOfCare."""
    assert await search(flow, "DocumentReference", patient=patient, encounter__EpisodeOfCare="x") == []
