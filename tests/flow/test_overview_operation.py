"""``Organization/[id]/$sick-leave-overview`` over HTTP: the overview as a Bundle."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from contracts.time import swedish_day
from fhir_mappings import r4
from fhir_mappings.identifiers import ENGINE_MODE, EXT_SICK_LEAVE_COUNTED
from tests.flow.test_overview import PROTECTED, Ward, logged, marked

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]
COUNTED: Final = {"on", "gap", "maxDaysSinceEnd", "lastDay", "days", "degree", "certifiedDegree", "certificate"}


@pytest.fixture
def ward(flow: "Flow") -> Ward:
    return Ward(flow)


def address(flow: "Flow") -> str:
    return f"/fhir/{flow.forms.refs['unit']}/$sick-leave-overview"


async def get(ward: Ward, **asked: Any) -> httpx.Response:
    return await ward.flow.coordinator.get(address(ward.flow), params={"doctor": ward.doctor, **asked})


def rows(bundle: Mapping[str, Any]) -> list[Json]:
    return [each["resource"] for each in bundle.get("entry", ()) if each["search"]["mode"] == "match"]


def told(bundle: Mapping[str, Any]) -> list[str]:
    outcomes = [each["resource"] for each in bundle.get("entry", ()) if each["search"]["mode"] == "outcome"]
    return [issue["diagnostics"] for outcome in outcomes for issue in outcome["issue"]]


def figures(episode: Json) -> Json:
    (counted,) = episode["extension"]
    assert counted["url"] == EXT_SICK_LEAVE_COUNTED
    return {
        part["url"]: next(value for name, value in part.items() if name.startswith("value"))
        for part in counted["extension"]
    }


def links(bundle: Mapping[str, Any]) -> dict[str, str]:
    return {each["relation"]: each["url"] for each in bundle["link"]}


async def test_a_row_is_the_stored_episode_with_the_figures(ward: Ward) -> None:
    flow, person = ward.flow, next(ward.flow.people)
    today = swedish_day(flow.clock.now())
    certificate = ward.certify(person)
    await ward.pull()
    response = await get(ward, mode="corrected", gap=3)
    assert response.status_code == 200
    bundle = response.json()
    assert r4.check(bundle) == ()
    assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "searchset", 1)
    (entry, _) = bundle["entry"]
    (episode,) = rows(bundle)
    assert entry["fullUrl"].endswith(f"/fhir/EpisodeOfCare/{episode['id']}")
    stored = (await flow.coordinator.get(f"/fhir/EpisodeOfCare/{episode['id']}")).json()
    assert {name: stored[name] for name in ("id", "identifier", "status", "type", "patient", "period")} == {
        name: episode[name] for name in ("id", "identifier", "status", "type", "patient", "period")
    }
    assert episode["meta"] == {"tag": [{"system": ENGINE_MODE, "code": "corrected"}]}
    assert episode["managingOrganization"] == {"reference": flow.forms.refs["unit"]}
    found = figures(episode)
    assert set(found) == COUNTED | {"activeCertificate"}
    assert (found["gap"], found["days"], found["degree"]["value"]) == (3, 31, 100)
    assert (found["on"], found["lastDay"]) == (f"{today}", f"{today + timedelta(days=20)}")
    assert found["activeCertificate"]["value"] == found["certificate"]["value"] == certificate
    assert not [secret for secret in (person.number, person.name, "F438A") if secret in response.text]
    patient = episode["patient"]["reference"].removeprefix("Patient/")
    assert logged(flow, response) == [(patient, "Läsa", "$sick-leave-overview")]


async def test_it_says_what_json_says(ward: Ward) -> None:
    flow = ward.flow
    for last in (3, 20, -2):
        ward.certify(next(flow.people), -10, last)
    await ward.pull(max_days_since_end=14)
    status = {"status": "REKO_8"}
    plain = (await ward.get(maxDaysSinceEnd=14, sort="-length"))["sickLeaves"]
    await flow.coordinator.put(f"/api/units/{flow.UNIT}/patients/{plain[0]['patient']}/reko-status", json=status)
    shown = rows((await get(ward, maxDaysSinceEnd=14, sort="-length")).json())
    assert [each["patient"]["reference"] for each in shown] == [f"Patient/{each['patient']}" for each in plain]
    assert [each["id"] for each in shown] == [each["episode"] for each in plain]
    assert [figures(each)["days"] for each in shown] == [each["days"] for each in plain]
    assert [figures(each)["degree"]["value"] for each in shown] == [100, 100, 0]
    assert [each["status"] for each in shown] == ["active", "active", "finished"]
    assert figures(shown[0])["rekoStatus"]["code"] == "REKO_8"
    assert "rekoStatus" not in figures(shown[1])


async def test_links_echo_the_settings_and_pages_go_on(ward: Ward) -> None:
    flow = ward.flow
    people = [next(flow.people) for _ in range(3)]
    for n, person in enumerate(people):
        ward.certify(person, -10, 10 + n)
    await ward.pull()
    first = (await get(ward, _count=2)).json()
    echoed = parse_qs(urlsplit(links(first)["self"]).query)
    assert echoed == {
        "mode": ["rehabstod"],
        "gap": ["5"],
        "maxDaysSinceEnd": ["0"],
        "doctor": [ward.doctor],
        "sort": ["end"],
        "_count": ["2"],
    }
    ward.certify(next(flow.people), -10, 5)
    await ward.pull()
    second = (await flow.coordinator.get(links(first)["next"])).json()
    assert [figures(each)["lastDay"][-2:] for each in rows(first) + rows(second)] == [
        f"{swedish_day(flow.clock.now()) + timedelta(days=10 + n)}"[-2:] for n in range(3)
    ]
    assert (len(rows(second)), "next" in links(second)) == (1, False)
    again = (await flow.coordinator.get(links(first)["self"])).json()
    assert again["total"] == 4
    counted = (await get(ward, _count=0)).json()
    assert (counted["total"], rows(counted)) == (4, [])


async def test_parameters_may_be_posted_and_text_must_be(ward: Ward) -> None:
    flow = ward.flow
    sought, other = next(flow.people), next(flow.people)
    for person in (sought, other):
        ward.certify(person)
    await ward.pull()
    parameters = [
        {"name": "doctor", "valueString": ward.doctor},
        {"name": "gap", "valueInteger": 0},
        {"name": "text", "valueString": sought.number[:8]},
        {"name": "endFrom", "valueDate": "2020-01-01"},
        {"name": "length", "valueCode": "31-60"},
    ]
    body = {"resourceType": "Parameters", "parameter": parameters}
    response = await flow.coordinator.post(address(flow), json=body)
    bundle = response.json()
    assert (bundle["total"], len(rows(bundle))) == (1, 1)
    assert sought.number[:8] not in links(bundle)["self"]
    assert parse_qs(urlsplit(links(bundle)["self"]).query, keep_blank_values=True)["text"] == [""]
    refused = await get(ward, text=sought.name)
    assert (refused.status_code, sought.name in refused.text) == (400, False)
    empty = await flow.coordinator.post(address(flow))
    assert empty.json()["total"] >= 2


async def test_how_old_and_wide_the_data_are_is_told(ward: Ward) -> None:
    flow = ward.flow
    await marked(flow)
    protected = await marked(flow, **PROTECTED)
    flow.certify(protected)
    await ward.pull(max_days_since_end=3)
    plain = told((await get(ward)).json())
    assert [each for each in plain if "protected" in each]
    assert [each for each in plain if each.startswith("as pulled ") and each.endswith("3 days since the end")]
    assert not [each for each in plain if "missing" in each]
    assert [each for each in told((await get(ward, maxDaysSinceEnd=14)).json()) if "missing" in each]


BAD: Final[dict[str, tuple[Json, int]]] = {
    "a wide gap": ({"gap": "91"}, 422),
    "an unknown parameter": ({"name": "x"}, 422),
    "a limit of the other surface": ({"offset": "1"}, 422),
    "no page": ({"_page": "x"}, 400),
    "a page and more": ({"_page": "x", "gap": "1"}, 400),
    "what SRS has": ({"risk": "1"}, 422),
}


@pytest.mark.parametrize(("asked", "status"), BAD.values(), ids=BAD)
async def test_bad_questions_are_told(flow: "Flow", asked: Json, status: int) -> None:
    response = await flow.coordinator.get(address(flow), params=asked)
    assert (response.status_code, response.json()["resourceType"]) == (status, "OperationOutcome")


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "gap"},
        {"name": "gap", "valueQuantity": {"value": 1}},
        {"name": "gap", "valueDecimal": 1.5},
        {"name": "gap", "valueInteger": 91},
        {"name": "19710101-9806", "valueString": "1"},
    ],
)
async def test_bad_parameters_are_told(flow: "Flow", parameter: Json) -> None:
    body = {"resourceType": "Parameters", "parameter": [parameter]}
    response = await flow.coordinator.post(address(flow), json=body)
    assert (response.status_code, "9806" in response.text) == (422, False)


async def test_what_is_no_parameters_is_refused(flow: "Flow") -> None:
    patient = await flow.coordinator.post(address(flow), json={"resourceType": "Patient"})
    form = await flow.coordinator.post(address(flow), data={"gap": "1"})
    assert (patient.status_code, form.status_code) == (400, 415)


async def test_only_the_callers_own_unit(flow: "Flow") -> None:
    paths = [f"/fhir/{flow.forms.refs[each]}/$sick-leave-overview" for each in ("fk", "employer")]
    for path in [*paths, "/fhir/Organization/nothing/$sick-leave-overview", "/fhir/Patient/x/$sick-leave-overview"]:
        assert (await flow.coordinator.get(path)).status_code == 404, path
    for client, status in ((flow.neighbour, 404), (flow.stranger, 404), (flow.nobody, 401)):
        assert (await client.get(address(flow))).status_code == status
    assert (await flow.coordinator.put(address(flow), json={})).status_code == 405


async def test_the_statement_names_the_operation(flow: "Flow") -> None:
    statement = (await flow.nobody.get("/fhir/metadata")).json()
    (organization,) = [each for each in statement["rest"][0]["resource"] if each["type"] == "Organization"]
    assert [each["name"] for each in organization["operation"]] == ["validate", "sick-leave-overview"]
