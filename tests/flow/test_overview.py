"""The unit's overview over HTTP: rows, filters, summary, RekoStatus; who sees whom, and what the access log says.

Each test's certificates are issued by a doctor of its own (``ward``): asking for that doctor shows its own people alone.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from adapters.intygstjanst import mock as feed
from adapters.mocking import Fault
from contracts.identity import HsaId
from contracts.sick_leave import RekoStatusType
from contracts.time import swedish_day
from fhir_mappings.identifiers import PERSONNUMMER, SECURITY_LABEL
from service.api.overview_models import OverviewIn
from service.rules.sick_leave import FILTERS
from service.rules.sick_leave.question import PARAMETERS, UNAVAILABLE
from service.rules.sick_leave.reko_status import NAMES

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
_NUMBERS: Final = count(100)


@dataclass(slots=True)
class Ward:
    """One test's people on the unit: those whose certificates its doctor issued."""

    flow: "Flow"
    doctor: str = field(default_factory=lambda: f"TSTNMT2321000156-D{next(_NUMBERS):04}")

    @property
    def address(self) -> str:
        return f"/api/units/{self.flow.UNIT}/sick-leaves"

    def certify(self, person: "Person", first: int = -10, last: int = 20, **elements: Any) -> str:
        given = {"id": f"intyg-{self.doctor[-4:]}-{person.number[:8]}-{first}", "doctor": self.doctor, **elements}
        return self.flow.certify(person, first, last, **given)

    async def pull(self, **asked: int) -> None:
        response = await self.flow.coordinator.post(f"/api/units/{self.flow.UNIT}/pull", params=asked)
        assert response.status_code == 200, response.text

    async def get(self, client: httpx.AsyncClient | None = None, **asked: Any) -> Json:
        response = await (client or self.flow.coordinator).get(self.address, params={"doctor": self.doctor, **asked})
        return _answer(response)

    async def search(self, client: httpx.AsyncClient | None = None, **asked: Any) -> Json:
        body = asked if "page" in asked else {"doctor": [self.doctor], **asked}
        return _answer(await (client or self.flow.coordinator).post(f"{self.address}/_search", json=body))

    async def names(self, client: httpx.AsyncClient | None = None, **asked: Any) -> list[str]:
        return [each["name"] for each in (await self.search(client, **asked))["sickLeaves"]]


def _answer(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


@pytest.fixture
def ward(flow: "Flow") -> Ward:
    return Ward(flow)


def logged(flow: "Flow", response: httpx.Response) -> list[tuple[str, str, str]]:
    """The access log's rows of the request: patient, action, interaction."""
    request_id = response.headers["X-Request-Id"]
    statement = "SELECT patient, action, interaction FROM access_log WHERE request_id = ? ORDER BY number"
    return [(str(a), str(b), str(c)) for a, b, c in flow.rows(statement, request_id)]


async def marked(flow: "Flow", **elements: Any) -> "Person":
    """Somebody whom the record system has introduced with these elements."""
    person = next(flow.people)
    identifier = [{"system": PERSONNUMMER.fhir, "value": person.number}]
    await flow.post({"resourceType": "Patient", "identifier": identifier, "name": [{"text": person.name}], **elements})
    return person


PROTECTED: Final = {"meta": {"security": [{"system": SECURITY_LABEL, "code": "sekretessmarkering"}]}}


# Rows


async def test_a_row_tells_everything_of_a_sick_leave(ward: Ward) -> None:
    flow, person = ward.flow, next(ward.flow.people)
    today = swedish_day(flow.clock.now())
    older = ward.certify(person, -40, -11, id="intyg-older", diagnosis="M54.5")
    newest = ward.certify(
        person,
        id="intyg-newest",
        doctor_name="Ro Rad",
        diagnosis="F43.8A Utmattningssyndrom",
        occupations=("ARBETSSOKANDE",),
        periods=(
            {"start": today - timedelta(days=10), "end": today - timedelta(days=1), "degree": 100},
            {"start": today, "end": today + timedelta(days=20), "degree": 50},
        ),
    )
    await ward.pull()
    answer = await ward.get()
    (row,) = answer["sickLeaves"]
    assert re.fullmatch("[0-9a-f-]{36}", row.pop("patient"))
    assert re.fullmatch("[0-9a-f-]{36}", row.pop("episode"))
    spans = [(-40, -11, 100), (-10, -1, 100), (0, 20, 50)]
    assert row == {
        "personalNumber": f"{person.number[:8]}-{person.number[8:]}",
        "name": person.name,
        "protected": False,
        "age": row["age"],
        "gender": "Kvinna",
        "status": None,
        "diagnosis": {"original": "F43.8A Utmattningssyndrom", "code": "F438A", "name": "Utmattningssyndrom"},
        "secondaryDiagnoses": [],
        "chapter": {"id": "F00-F99", "name": "Psykiska sjukdomar och syndrom samt beteendestörningar"},
        "occupations": ["Arbetssökande"],
        "start": f"{today - timedelta(days=40)}",
        "end": f"{today + timedelta(days=20)}",
        "days": 61,
        "daysLeft": 20,
        "recentlyEnded": False,
        "certificateCount": 2,
        "certificates": [older, newest],
        "activeCertificate": newest,
        "contactWished": False,
        "degree": 50,
        "degrees": [100, 50],
        "doctor": {"id": ward.doctor, "name": "Ro Rad"},
        "unit": {"id": flow.UNIT, "name": flow.UNIT},
        "periods": [
            {"start": f"{today + timedelta(days=a)}", "end": f"{today + timedelta(days=b)}", "degree": degree}
            for a, b, degree in spans
        ],
    }
    assert today.year - row["age"] - int(person.number[:4]) in (0, 1)


async def test_the_settings_and_the_data_are_told(ward: Ward) -> None:
    flow = ward.flow
    ward.certify(next(flow.people))
    await ward.pull(max_days_since_end=3)
    at = flow.clock.now()
    plain, wide = await ward.get(), await ward.get(mode="corrected", gap=0, maxDaysSinceEnd=14)
    told = [(each["mode"], each["gap"], each["maxDaysSinceEnd"], each["on"]) for each in (plain, wide)]
    today = f"{swedish_day(at)}"
    assert told == [("rehabstod", 5, 0, today), ("corrected", 0, 14, today)]
    assert (plain["pulled"]["maxDaysSinceEnd"], plain["pulled"]["failedSince"]) == (3, None)
    assert [each["pulled"]["coversAsked"] for each in (plain, wide)] == [True, False]
    flow.order("intygstjanst", Fault(kind="http", status=500, times=9))
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 503
    flow.order("intygstjanst")
    stale = await ward.get()
    assert stale["pulled"]["at"] == plain["pulled"]["at"]
    assert stale["pulled"]["failedSince"] is not None


async def test_before_the_first_pull_there_is_none(flow: "Flow") -> None:
    answer = _answer(await flow.neighbour.get(f"/api/units/{flow.OTHER_UNIT}/sick-leaves"))
    assert (answer["pulled"], answer["total"], answer["heldBack"], answer["sickLeaves"]) == (None, 0, 0, [])


async def test_the_gap_and_the_mode_change_the_figures(ward: Ward) -> None:
    person = next(ward.flow.people)
    ward.certify(person, -40, -13)
    ward.certify(person, -10, 20)
    ended = next(ward.flow.people)
    ward.certify(ended, -40, -5)
    ward.certify(ended, -4, -2)
    await ward.pull(max_days_since_end=14)
    assert [(await ward.get(gap=gap))["sickLeaves"][0]["days"] for gap in (1, 2)] == [31, 59]
    shown = [
        (await ward.search(mode=mode, maxDaysSinceEnd=14, text=ended.name))["sickLeaves"][0]["activeCertificate"]
        for mode in ("rehabstod", "corrected")
    ]
    assert [each.rpartition("-")[2] for each in shown] == ["40", "4"]


async def test_every_filter_is_asked_by_address_and_by_body(ward: Ward) -> None:
    """One who is found by it and one who is not."""
    flow = ward.flow
    today = swedish_day(flow.clock.now())
    sought, other = next(flow.people), next(flow.people)
    ward.certify(sought, -9, 3, diagnosis="F32", occupations=("STUDIER",), doctor_name="Siv Sökt")
    ward.certify(other, -60, 90, diagnosis="M54", occupations=("NUVARANDE_ARBETE",), doctor_name="Siv Sökt")
    await ward.pull()
    await ward.get()
    rows = {each["name"]: each for each in (await ward.get())["sickLeaves"]}
    patient = rows[other.name]["patient"]
    status = await flow.coordinator.put(
        f"/api/units/{flow.UNIT}/patients/{patient}/reko-status", json={"status": "REKO_2"}
    )
    assert status.status_code == 200
    for asked in (
        {"length": ["0-14"]},
        {"length": ["0-14", "15-30"]},
        {"endFrom": f"{today}", "endTo": f"{today + timedelta(days=3)}"},
        {"endsWithin": 3},
        {"chapter": ["F00-F99"]},
        {"status": ["REKO_1"]},
        {"occupation": ["STUDIER"]},
    ):
        assert await ward.names(**asked) == [sought.name], asked
        assert [each["name"] for each in (await ward.get(**asked))["sickLeaves"]] == [sought.name], asked
    assert await ward.names(text=sought.name.upper()) == [sought.name]
    assert await ward.names(text="kontaktad") == [other.name]
    assert await ward.names(text=other.number[:8]) == [other.name]
    assert await ward.names(ageFrom=1, ageTo=rows[sought.name]["age"]) == [sought.name, other.name]
    assert await ward.names(ageTo=1) == []
    assert await ward.names(unit=flow.OTHER_UNIT) == []
    assert await ward.names(sort="-end") == [other.name, sought.name]


async def test_a_mottagning_limits_whom_not_what_counts(ward: Ward) -> None:
    flow = ward.flow
    clinic = "TSTNMT2321000156-E0101"
    feed.subordinate(flow.world.counterparts["intygstjanst"], HsaId(flow.UNIT), HsaId(clinic))
    there, elsewhere = next(flow.people), next(flow.people)
    ward.certify(there, -10, 20, unit=clinic)
    ward.certify(there, -40, -11)
    ward.certify(elsewhere)
    await ward.pull()
    (row,) = (await ward.get(unit=clinic))["sickLeaves"]
    assert (row["name"], row["unit"]["id"], row["days"], row["certificateCount"]) == (there.name, clinic, 61, 2)
    assert (await ward.get())["total"] == 2
    filters = _answer(await flow.coordinator.get(f"{ward.address}/filters"))["filters"]
    units = next(each for each in filters if each["id"] == "unit")["options"]
    assert {each["id"] for each in units} == {flow.UNIT, clinic}


# What is refused

REFUSED: Final[dict[str, tuple[Json, int, str]]] = {
    "a wide gap": ({"gap": 91}, 422, "gap takes a whole number from 0 to 90"),
    "a narrow gap": ({"gap": "-1"}, 422, "gap takes a whole number"),
    "many days": ({"maxDaysSinceEnd": 15}, 422, "maxDaysSinceEnd takes a whole number from 0 to 14"),
    "no mode": ({"mode": "19710101-9806x"}, 422, "mode takes one of rehabstod, corrected"),
    "no day": ({"endFrom": "igår"}, 422, "endFrom takes a date, YYYY-MM-DD"),
    "an unknown status": ({"status": "REKO_9"}, 422, "status takes one of REKO_1, REKO_2"),
    "an unknown chapter": ({"chapter": "F00-F98"}, 422, "chapter takes one of A00-B99"),
    "an unknown parameter": ({"patient": "x"}, 422, "a parameter that is not known here"),
    "what Webcert has": ({"communication": "1"}, 422, "Webcert"),
    "what SRS has": ({"risk": "1"}, 422, "SRS"),
    "free text": ({"text": "hemlig"}, 400, "POST it to .../sick-leaves/_search"),
    "no page": ({"page": "hemlig"}, 400, "this page link is not one of ours"),
    "a page and more": ({"page": "x", "gap": 1}, 400, "send it alone"),
}


@pytest.mark.parametrize(("asked", "status", "text"), REFUSED.values(), ids=REFUSED)
async def test_bad_questions_are_told(flow: "Flow", asked: Json, status: int, text: str) -> None:
    response = await flow.coordinator.get(f"/api/units/{flow.UNIT}/sick-leaves", params=asked)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert text in response.json()["detail"]
    assert not [value for value in asked.values() if len(str(value)) > 4 and str(value) in response.text]
    assert logged(flow, response) == []


async def test_a_personal_number_never_stands_in_the_address(flow: "Flow") -> None:
    for path in ("sick-leaves?doctor=197101019806", "patients/197101019806/reko-status"):
        response = await flow.coordinator.get(f"/api/units/{flow.UNIT}/{path}")
        assert response.status_code == 400
        assert "197101019806" not in response.text


async def test_bad_bodies_are_told(flow: "Flow") -> None:
    address = f"/api/units/{flow.UNIT}/sick-leaves/_search"
    for body, status in (
        ({"gap": 91}, 422),
        ({"gap": "fem"}, 422),
        ({"gap": True}, 422),
        ({"limit": "10"}, 422),
        ({"name": "Prov"}, 422),
        ({"length": "0-14"}, 422),
        ({"risk": 1}, 422),
        ({"text": "x" * 201}, 422),
        ([], 422),
    ):
        response = await flow.coordinator.post(address, json=body)
        assert response.status_code == status, body
        assert "Prov" not in response.text
    garbage = await flow.coordinator.post(address, content=b"{", headers={"Content-Type": "application/json"})
    assert garbage.status_code == 400


async def test_who_may_ask(flow: "Flow") -> None:
    unit = f"/api/units/{flow.UNIT}"
    paths = [f"{unit}/sick-leaves{end}" for end in ("", "/filters", "/summary")] + [f"{unit}/patients/x/reko-status"]
    for path in paths:
        assert (await flow.nobody.get(path)).status_code == 401
        for client in (flow.neighbour, flow.stranger):
            assert (await client.get(path)).status_code == 404
    status = {"status": "REKO_2"}
    assert (await flow.nobody.put(paths[-1], json=status)).status_code == 401
    assert (await flow.reader.put(paths[-1], json=status)).status_code == 403
    assert (await flow.neighbour.put(paths[-1], json=status)).status_code == 404
    assert (await flow.coordinator.put(paths[-1], json=status)).status_code == 404
    assert (await flow.coordinator.get(paths[-1])).status_code == 404


# Doctors, the protected, the dead


async def test_a_doctor_sees_what_she_issued_and_nothing_else(ward: Ward) -> None:
    flow = ward.flow
    mine, others = next(flow.people), next(flow.people)
    flow.certify(mine)
    ward.certify(others)
    await ward.pull()
    own = _answer(await flow.doctor.get(ward.address))
    assert {each["doctor"]["id"] for each in own["sickLeaves"]} == {flow.DOCTOR}
    assert mine.name in {each["name"] for each in own["sickLeaves"]}
    assert await ward.names(flow.doctor) == []
    assert await ward.names(flow.coordinator) == [others.name]


async def test_a_protected_person_is_shown_to_the_doctor_who_issued_alone(ward: Ward) -> None:
    flow = ward.flow
    person = await marked(flow, **PROTECTED)
    before = (await ward.get())["heldBack"]
    certificate = flow.certify(person)
    ward.certify(person, -30, -11)
    await ward.pull()
    response = await flow.coordinator.get(ward.address)
    assert certificate not in response.text
    assert person.name not in response.text
    assert response.json()["heldBack"] == before + 1
    for asked in ({"text": person.number[:8]}, {"text": "Skyddad"}, {"doctor": [flow.DOCTOR]}):
        found = await ward.search(**asked)
        assert certificate not in str(found)
        assert found["heldBack"] == before + 1
    seen = _answer(await flow.doctor.get(ward.address))
    (row,) = [each for each in seen["sickLeaves"] if each["activeCertificate"] == certificate]
    assert (row["name"], row["protected"], row["certificates"]) == ("Skyddad personuppgift", True, [certificate])
    assert seen["heldBack"] == 0
    address = f"/api/units/{flow.UNIT}/patients/{row['patient']}/reko-status"
    assert (await flow.coordinator.put(address, json={"status": "REKO_2"})).status_code == 404
    assert (await flow.coordinator.get(address)).status_code == 404
    assert (await flow.doctor.get(address)).status_code == 200


@pytest.mark.parametrize("dead", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-01-02"}])
async def test_the_dead_are_not_shown(ward: Ward, dead: Json) -> None:
    living = await marked(ward.flow, deceasedBoolean=False)
    for person in (living, await marked(ward.flow, **dead)):
        ward.certify(person)
    await ward.pull()
    assert await ward.names() == [living.name]


# Pages


async def test_pages_hold_still_while_a_pull_changes_the_unit(ward: Ward) -> None:
    flow = ward.flow
    people = [next(flow.people) for _ in range(5)]
    certificates = [ward.certify(person, -10, 10 + n) for n, person in enumerate(people)]
    await ward.pull()
    first = await ward.search(limit=2)
    assert (first["total"], [each["name"] for each in first["sickLeaves"]]) == (5, [each.name for each in people[:2]])
    newcomer, late = next(flow.people), next(flow.people)
    ward.certify(newcomer, -10, 5)
    ward.certify(late, -10, 40)
    feed.withdraw(flow.world.counterparts["intygstjanst"], [certificates[0], certificates[3]])
    await ward.pull()
    second = await ward.search(page=first["next"])
    third = await ward.search(page=second["next"])
    rest = [each["name"] for page in (second, third) for each in page["sickLeaves"]]
    assert rest == [people[2].name, people[4].name, late.name]
    assert (second["total"], third["next"]) == (5, None)
    assert second["on"] == first["on"]


async def test_a_page_link_is_encrypted_and_nobody_elses(ward: Ward) -> None:
    flow = ward.flow
    people = [next(flow.people) for _ in range(2)]
    for person in people:
        ward.certify(person)
    await ward.pull()
    token = (await ward.search(limit=1, sort="number", text="prov"))["next"]
    assert people[0].number not in token
    gone_on = await flow.coordinator.get(ward.address, params={"page": token})
    assert [each["name"] for each in gone_on.json()["sickLeaves"]] == [people[1].name]
    for wrong, client, unit in (
        (token[:-3] + "abc", flow.coordinator, flow.UNIT),
        (token, flow.neighbour, flow.OTHER_UNIT),
    ):
        response = await client.get(f"/api/units/{unit}/sick-leaves", params={"page": wrong})
        assert response.status_code == 400


# The access log


async def test_each_patient_shown_has_a_row_and_nobody_else(ward: Ward) -> None:
    flow = ward.flow
    for _ in range(3):
        ward.certify(next(flow.people))
    await ward.pull()
    asked: Json = {"doctor": ward.doctor, "limit": 2}
    response = await flow.coordinator.get(ward.address, params=asked)
    shown = [each["patient"] for each in response.json()["sickLeaves"]]
    assert logged(flow, response) == [(each, "Läsa", "sick-leaves") for each in shown]
    for path in ("/filters", "/summary", "?limit=0"):
        assert logged(flow, await flow.coordinator.get(ward.address + path)) == []


async def test_what_cannot_be_logged_is_neither_shown_nor_set(ward: Ward) -> None:
    flow, person = ward.flow, next(ward.flow.people)
    ward.certify(person)
    await ward.pull()
    (row,) = (await ward.get())["sickLeaves"]
    address = f"/api/units/{flow.UNIT}/patients/{row['patient']}/reko-status"
    with flow.no_room("access_log"):
        response = await flow.coordinator.get(ward.address, params={"doctor": ward.doctor})
        assert (response.status_code, person.name in response.text) == (503, False)
        assert (await flow.coordinator.put(address, json={"status": "REKO_2"})).status_code == 503
        assert (await flow.coordinator.get(address)).status_code == 503
    assert _answer(await flow.coordinator.get(address))["statuses"] == []


# RekoStatus


async def test_a_status_is_set_versioned_and_logged(ward: Ward) -> None:
    flow = ward.flow
    ward.certify(next(flow.people))
    await ward.pull()
    (row,) = (await ward.get())["sickLeaves"]
    address = f"/api/units/{flow.UNIT}/patients/{row['patient']}/reko-status"
    today = f"{swedish_day(flow.clock.now())}"
    made = []
    for type in ("REKO_2", "REKO_3"):
        response = await flow.coordinator.put(address, json={"status": type})
        assert logged(flow, response) == [(row["patient"], "Skriva", "reko-status")]
        made.append(_answer(response))
    assert [(each["status"], each["name"], each["version"], each["changed"]) for each in made] == [
        ("REKO_2", "Kontaktad", 1, True),
        ("REKO_3", "Aktiv", 2, True),
    ]
    assert {(each["day"], each["staff"]) for each in made} == {(today, flow.COORDINATOR)}
    again = _answer(await flow.coordinator.put(address, json={"status": "REKO_3"}))
    assert (again["version"], again["changed"]) == (2, False)
    history = await flow.reader.get(address)
    assert [each["status"] for each in history.json()["statuses"]] == ["REKO_3", "REKO_2"]
    assert logged(flow, history) == [(row["patient"], "Läsa", "reko-status")]
    (seen,) = (await ward.get())["sickLeaves"]
    assert (seen["status"]["status"], seen["status"]["version"]) == ("REKO_3", 2)
    assert (await ward.get(status="REKO_2"))["total"] == 0


async def test_a_status_is_set_for_the_last_day_of_what_does_not_reach_beyond_today(ward: Ward) -> None:
    flow = ward.flow
    today = swedish_day(flow.clock.now())
    ends, ended = next(flow.people), next(flow.people)
    ward.certify(ends, -10, 0)
    ward.certify(ended, -10, -3)
    await ward.pull(max_days_since_end=14)
    rows = {each["name"]: each for each in (await ward.search(maxDaysSinceEnd=14))["sickLeaves"]}
    for person, settings, day in ((ends, {}, 0), (ended, {"maxDaysSinceEnd": 14}, -3)):
        address = f"/api/units/{flow.UNIT}/patients/{rows[person.name]['patient']}/reko-status"
        told = _answer(await flow.coordinator.put(address, json={"status": "REKO_5", **settings}))
        assert told["day"] == f"{today + timedelta(days=day)}"
    unseen = f"/api/units/{flow.UNIT}/patients/{rows[ended.name]['patient']}/reko-status"
    response = await flow.coordinator.put(unseen, json={"status": "REKO_2"})
    assert response.status_code == 422
    assert "no sick leave" in response.json()["detail"]


async def test_a_status_follows_the_sick_leave_and_is_lost_with_its_days(ward: Ward) -> None:
    flow, person = ward.flow, next(ward.flow.people)
    first = ward.certify(person, -10, 5)
    await ward.pull()
    (row,) = (await ward.get())["sickLeaves"]
    address = f"/api/units/{flow.UNIT}/patients/{row['patient']}/reko-status"
    await flow.coordinator.put(address, json={"status": "REKO_4"})
    ward.certify(person, 6, 30)
    await ward.pull()
    (longer,) = (await ward.get())["sickLeaves"]
    assert (longer["daysLeft"], longer["status"]["status"]) == (30, "REKO_4")
    flow.clock.advance(timedelta(days=20))
    try:
        (later,) = (await ward.get())["sickLeaves"]
        assert later["status"]["status"] == "REKO_4"
        feed.withdraw(flow.world.counterparts["intygstjanst"], [first])
        await ward.pull()
        (shorter,) = (await ward.get())["sickLeaves"]
        assert shorter["status"] is None
    finally:
        flow.clock.advance(timedelta(days=-20))


async def test_statuses_that_are_refused(ward: Ward) -> None:
    flow = ward.flow
    ward.certify(next(flow.people))
    mine = next(flow.people)
    flow.certify(mine)
    await ward.pull()
    (row,) = (await ward.get())["sickLeaves"]
    address = f"/api/units/{flow.UNIT}/patients/{row['patient']}/reko-status"
    for body in ({"status": "REKO_9"}, {"status": ""}, {}, {"status": "REKO_2", "day": "2026-01-01"}):
        response = await flow.coordinator.put(address, json=body)
        assert response.status_code == 422, body
        assert "REKO_9" not in response.text
    ranged = await flow.coordinator.put(address, json={"status": "REKO_2", "gap": 91})
    assert "from 0 to 90" in ranged.json()["detail"]
    assert (await flow.doctor.put(address, json={"status": "REKO_2"})).status_code == 403
    assert (await flow.doctor.get(address)).status_code == 404
    own = {each["name"]: each["patient"] for each in _answer(await flow.doctor.get(ward.address))["sickLeaves"]}
    readable = f"/api/units/{flow.UNIT}/patients/{own[mine.name]}/reko-status"
    assert (await flow.doctor.get(readable)).status_code == 200
    assert _answer(await flow.coordinator.get(address))["statuses"] == []


# Summary and filters


async def test_the_summary_is_counted_as_asked_and_as_the_national_one(ward: Ward) -> None:
    flow, person = ward.flow, next(ward.flow.people)
    ward.certify(person, -100, -8)
    ward.certify(person, -5, 20)
    await ward.pull(max_days_since_end=14)
    before = _answer(await flow.coordinator.get(f"{ward.address}/summary", params={"gap": 0}))
    wide = _answer(await flow.coordinator.get(f"{ward.address}/summary", params={"gap": 2, "maxDaysSinceEnd": 0}))
    assert [
        (wide[each]["mode"], wide[each]["gap"], wide[each]["maxDaysSinceEnd"]) for each in ("asked", "national")
    ] == [
        ("rehabstod", 2, 0),
        ("rehabstod", 0, 0),
    ]
    assert wide["national"] == before["national"] == before["asked"]
    assert wide["asked"]["sickLeaveLengths"] != wide["national"]["sickLeaveLengths"]
    assert wide["asked"]["total"] == sum(each["count"] for each in wide["asked"]["genders"])
    assert [each["id"] for each in wide["asked"]["genders"]] == ["F", "M"]
    assert wide["asked"]["femaleDiagnosisGroups"][0]["name"] == "Psykiska sjukdomar"
    assert wide["asked"]["countSickLeaveDegrees"][0]["name"] == "En"
    assert (wide["pulled"]["coversAsked"], wide["on"]) == (True, f"{swedish_day(flow.clock.now())}")
    for asked in ({"doctor": ward.doctor}, {"text": "x"}, {"page": "x"}, {"gap": 91}):
        refused = await flow.coordinator.get(f"{ward.address}/summary", params=asked)
        assert refused.status_code in (400, 422), asked


async def test_filters_say_what_can_be_asked(ward: Ward) -> None:
    flow = ward.flow
    ward.certify(next(flow.people), doctor_name="Zacharias Z", diagnosis="Z73")
    await ward.pull()
    told = _answer(await flow.coordinator.get(f"{ward.address}/filters"))
    filters = {each["id"]: each for each in told["filters"]}
    assert list(filters) == [each.id for each in FILTERS]
    assert {"id": ward.doctor, "label": "Zacharias Z", "occurs": True} in filters["doctor"]["options"]
    occurs = {each["id"]: each["occurs"] for each in filters["chapter"]["options"]}
    assert (len(occurs), occurs["Z00-Z99"], occurs["Q00-Q99"]) == (23, True, False)
    assert [each["id"] for each in filters["status"]["options"]] == list(RekoStatusType)
    assert [each["label"] for each in filters["status"]["options"]] == list(NAMES.values())
    assert filters["occupation"]["options"][0]["label"] == "Nuvarande arbete"
    assert {each: filters[each]["unavailable"] for each in UNAVAILABLE} == dict(UNAVAILABLE)
    assert (told["sickLeaves"] > 0, told["hasOngoingSickLeaves"]) == (True, True)
    assert {each["id"] for each in told["columns"]} >= {"end", "name", "degree"}


# What the description says


async def test_the_description_names_every_parameter(flow: "Flow") -> None:
    described = (await flow.nobody.get("/api/openapi.json")).json()["paths"]
    query = {
        each["name"] for each in described["/units/{unit}/sick-leaves"]["get"]["parameters"] if each["in"] == "query"
    }
    names = {each.name for each in PARAMETERS if not each.concealed}
    assert query == names | {"page"}
    members = {each.alias for each in OverviewIn.model_fields.values()}
    assert members == {each.name for each in PARAMETERS} | set(UNAVAILABLE) | {"page"}
