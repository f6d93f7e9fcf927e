"""An operator lets messages be tried again: one, or all that fit; told first, asked for consent again, kept with who and why."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.mocking import Fault
from service.api import operating

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


async def ask(flow: "Flow", **asked: Any) -> Json:
    given = {"why": "the recipient is well again", **asked}
    response = await flow.coordinator.post("/api/outbox/replay", json=given)
    assert response.status_code == 200, response.text
    told: Json = response.json()
    return told


async def deeds(flow: "Flow") -> list[Json]:
    done: list[Json] = (await flow.lister.get("/api/outbox/deeds")).json()
    return done


async def parked(flow: "Flow", number: int = 1) -> list[str]:
    """So many messages that the recipient has refused; the requests."""
    flow.order("forsakringskassan", Fault(kind="result", error_id="REVOKED", times=number))
    about = [await flow.request(await flow.consenting("fk")) for _ in range(number)]
    for each in about:
        await flow.until(each, "parked")
    return about


def ids(told: Json) -> list[str]:
    return [each["id"] for each in told["messages"]]


async def test_a_dry_run_comes_first_and_does_nothing(flow: "Flow") -> None:
    about = await parked(flow, 3)
    promised = [flow.promised(each)[0] for each in about]
    told = await ask(flow)
    assert (told["dryRun"], told["replayed"], told["next"]) == (True, 3, None)
    assert ids(told) == [each.id for each in promised]
    assert [flow.promised(each)[0] for each in about] == promised
    done = await ask(flow, dryRun=False)
    assert (done["dryRun"], done["replayed"], ids(done)) == (False, 3, ids(told))
    for each in about:
        await flow.until(each, "delivered")
    assert ids(await ask(flow)) == []


async def test_who_and_why_is_kept_and_the_timetable_begins_anew(flow: "Flow") -> None:
    (about,) = await parked(flow)
    (id,) = ids(await ask(flow, dryRun=False, why="they have found the certificate"))
    await flow.until(about, "delivered")
    tries = (await flow.coordinator.get(f"/api/outbox/{id}")).json()["tries"]
    assert [(each["attempt"], each["outcome"]) for each in tries] == [
        (1, "RefusedForGood"),
        (0, "replayed"),
        (2, "Delivered"),
    ]
    assert tries[1]["reason"] == f"replayed by {flow.COORDINATOR}: they have found the certificate"


async def test_every_deed_is_kept_and_each_unit_is_shown_its_own(flow: "Flow") -> None:
    about = await parked(flow, 2)
    first, second = (flow.promised(each)[0].id for each in about)
    since = "2026-05-04T08:30:00+02:00"
    for path, given in (
        (f"outbox/{first}/replay", {"why": "it is mended"}),
        (f"outbox/{first}/cancel", {"why": "too late, it has been replayed"}),
        (f"outbox/{second}/cancel", {"why": "told by telephone"}),
        ("outbox/replay", {"why": "only a look", "state": "parked"}),
        ("outbox/replay", {"why": "all that are left", "destination": "ehr", "since": since, "dryRun": False}),
        ("destinations/ehr/pause", {"why": "maintenance"}),
    ):
        await flow.until(about[0], "delivered") if path == f"outbox/{first}/cancel" else None
        await flow.coordinator.post(f"/api/{path}", json=given)
    await flow.coordinator.post("/api/destinations/ehr/resume")
    done = (await deeds(flow))[:5]
    assert [(each["deed"], each["about"], each["why"]) for each in reversed(done)] == [
        ("replayed", f"outbox/{first}", "it is mended"),
        ("cancelled", f"outbox/{second}", "told by telephone"),
        ("replayed", "outbox?state=parked&destination=ehr&since=2026-05-04T08:30:00%2B02:00", "all that are left"),
        ("paused", "destinations/ehr", "maintenance"),
        ("resumed", "destinations/ehr", ""),
    ]
    assert {(each["employee"], each["unit"]) for each in done} == {(flow.COORDINATOR, flow.UNIT)}
    seen = flow.rows("SELECT DISTINCT resource FROM access_log WHERE interaction = 'outbox-deeds'")
    assert {(f"outbox/{first}",), (f"outbox/{second}",)} <= {*seen}, "why may tell of a patient"
    theirs = (await flow.neighbour.get("/api/outbox/deeds")).json()[:2]
    assert [each["deed"] for each in theirs] == ["resumed", "paused"], "a destination is the care provider's"
    assert (await flow.stranger.get("/api/outbox/deeds")).json() == []
    assert (await flow.reader.get("/api/outbox/deeds")).status_code == 403


async def test_deeds_are_told_page_by_page(flow: "Flow", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating, "LIST", 2)
    for why in ("first", "second", "third"):
        await flow.coordinator.post("/api/destinations/ehr/pause", json={"why": why})
    await flow.coordinator.post("/api/destinations/ehr/resume")
    newest = await flow.lister.get("/api/outbox/deeds")
    assert [each["why"] for each in newest.json()] == ["", "third"]
    oldest = await flow.lister.get(f"/api/outbox/deeds{newest.links['next']['url']}")
    assert [each["why"] for each in oldest.json()] == ["second", "first"]


async def test_only_what_fits_is_replayed(flow: "Flow") -> None:
    (early,) = await parked(flow)
    flow.clock.advance(timedelta(hours=1))
    since = flow.clock.now().isoformat()
    flow.clock.advance(timedelta(hours=1))
    (late,) = await parked(flow)
    first, second = (flow.promised(about)[0].id for about in (early, late))
    assert ids(await ask(flow)) == [first, second]
    assert ids(await ask(flow, since=since)) == [second]
    assert ids(await ask(flow, destination="forsakringskassan")) == [first, second]
    assert ids(await ask(flow, destination="ehr")) == []
    assert ids(await ask(flow, state="retrying")) == []
    rows = flow.rows("SELECT number FROM outbox WHERE id = ?", first)
    assert ids(await ask(flow, after=rows[0][0])) == [second]


async def test_consent_is_asked_again_at_the_dry_run_and_at_the_claim(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    withheld = await flow.until(await flow.request(person), "withheld")
    (told,) = [each for each in (await ask(flow, state="withheld"))["messages"] if each["id"] == withheld.id]
    assert told["obstacle"].startswith("withheld: ")
    await ask(flow, state="withheld", dryRun=False)
    await flow.quiet()
    assert flow.rows("SELECT state, attempts FROM outbox WHERE id = ?", withheld.id) == [("withheld", 0)]
    await flow.post(flow.forms.disclosure(person))
    (told,) = [each for each in (await ask(flow, state="withheld"))["messages"] if each["id"] == withheld.id]
    assert told["obstacle"] == ""


NO_WAY = "there is no electronic way to this recipient"


async def to_an_employer(flow: "Flow") -> "tuple[Person, str]":
    """A message that is withheld, and that no channel could carry."""
    person = await flow.consenting()
    request = await flow.post(flow.forms.request(person, recipient="employer"))
    about = f"CommunicationRequest/{request['id']}"
    return person, (await flow.until(about, "withheld", "employer")).id


async def test_what_may_be_told_after_all_and_only_by_a_person_goes_to_a_person(flow: "Flow") -> None:
    person, id = await to_an_employer(flow)
    decided = "SELECT permitted FROM decision WHERE patient = ?"
    asked = len(flow.rows(decided, person.id))
    early = await flow.coordinator.post(f"/api/outbox/{id}/replay", json={"why": "a test"})
    assert (early.status_code, early.json()["detail"]) == (409, f"{NO_WAY}; withheld: no-consent")
    assert flow.rows(f"{decided} ORDER BY number", person.id)[asked:] == [(0,)], "a no is a decision too, and is kept"
    assert not [each for each in await deeds(flow) if each["about"] == f"outbox/{id}"], "nothing was done"
    await flow.post(flow.forms.disclosure(person, "employer"))
    replayed = (await flow.coordinator.post(f"/api/outbox/{id}/replay", json={"why": "a test"})).json()
    assert (replayed["state"], replayed["reason"]) == ("needs-other-channel", NO_WAY)
    assert replayed["tries"][-1]["reason"] == f"replayed by {flow.COORDINATOR}: a test"
    (dialogue,) = (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
    told = await flow.coordinator.post(f"/api/dialogues/{dialogue['id']}/told", json={"mode": "telephone"})
    assert told.status_code == 200, told.text


async def test_a_dry_run_tells_everything_that_stands_in_the_way(flow: "Flow") -> None:
    person, id = await to_an_employer(flow)

    async def obstacle(**asked: Any) -> str:
        told = await ask(flow, state="withheld", destination="employer", **asked)
        return next(str(each["obstacle"]) for each in told["messages"] if each["id"] == id)

    assert await obstacle() == f"{NO_WAY}; withheld: no-consent"
    assert await obstacle(dryRun=False) == f"{NO_WAY}; withheld: no-consent"
    await flow.post(flow.forms.disclosure(person, "employer"))
    assert await obstacle() == NO_WAY
    assert flow.rows("SELECT state FROM outbox WHERE id = ?", id) == [("withheld",)]
    assert await obstacle(dryRun=False) == NO_WAY
    assert flow.rows("SELECT state FROM outbox WHERE id = ?", id) == [("needs-other-channel",)]


async def test_what_cannot_be_read_any_more_is_told_and_left(flow: "Flow") -> None:
    (about,) = await parked(flow)
    (message,) = flow.promised(about)
    flow.change("UPDATE outbox SET payload = NULL WHERE id = ?", message.id)
    told = await ask(flow, dryRun=False)
    assert [(each["id"], each["obstacle"]) for each in told["messages"]] == [
        (message.id, "what the message said has been erased: write a new request")
    ]
    assert told["replayed"] == 0
    one = await flow.coordinator.post(f"/api/outbox/{message.id}/replay", json={"why": "a test"})
    assert one.status_code == 409


async def test_each_unit_replays_its_own_and_needs_the_right(flow: "Flow") -> None:
    (about,) = await parked(flow)
    told = (await flow.neighbour.post("/api/outbox/replay", json={"why": "a test", "dryRun": False})).json()
    assert ids(told) == []
    assert flow.promised(about)[0].state == "parked"
    assert (await flow.reader.post("/api/outbox/replay", json={"why": "a test"})).status_code == 403


async def test_to_list_to_read_and_to_replay_are_three_rights(flow: "Flow") -> None:
    (about,) = await parked(flow)
    (message,) = flow.promised(about)
    why = {"why": "a test"}
    for path in ("/api/outbox", "/api/outbox?blocked=true", f"/api/outbox/{message.id}"):
        told = await flow.lister.get(path)
        assert told.status_code == 200, path
        assert "Behov kan antas" not in told.text, "a list shows no content"
    assert (await flow.lister.get("/api/destinations")).status_code == 200
    assert (await flow.lister.get(f"/api/outbox/{message.id}/content")).status_code == 403
    for path in (
        f"outbox/{message.id}/replay",
        "outbox/replay",
        f"outbox/{message.id}/cancel",
        "destinations/ehr/pause",
    ):
        assert (await flow.lister.post(f"/api/{path}", json=why)).status_code == 403, path
    assert "Behov kan antas" in (await flow.coordinator.get(f"/api/outbox/{message.id}/content")).text


async def test_each_patient_whose_message_is_named_is_logged(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="result", error_id="REVOKED"))
    message = await flow.until(await flow.request(person), "parked")
    await ask(flow)
    assert (flow.COORDINATOR, "Läsa", f"outbox/{message.id}", "outbox-replay") in flow.accesses(person)


@pytest.mark.parametrize(
    "asked",
    [
        {"state": "delivered"},
        {"why": ""},
        {"since": "2026-05-04T08:30:00"},
        {"after": -1},
        {"all": True},
        {"destination": "19700101-9801"},
    ],
)
async def test_what_makes_no_sense_is_refused(flow: "Flow", asked: Json) -> None:
    response = await flow.coordinator.post("/api/outbox/replay", json={"why": "a test", **asked})
    assert response.status_code == 422
