"""Consents and refusals: what is too general is refused, what is on record decides, and every answer gives its reasons."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contracts.consent import InformationCategory
from fhir_mappings.consent_door import EXT_WITNESS
from fhir_mappings.identifiers import ACT_REASON, CONSENT_ACTION, EXT_CONSENT_EVENT, INFORMATION_CATEGORY

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


async def decision(flow: "Flow", person: "Person", *categories: str, **asked: Any) -> Json:
    """May Försäkringskassan be told, today?"""
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "categories": categories or ["assumed_rehab_need"],
        **asked,
    }
    response = await flow.coordinator.post("/api/consent/decision", json=question)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def test_both_consents_permit_and_are_named(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    consent = await flow.post(flow.forms.disclosure(person))
    answer = await decision(flow, person)
    assert (answer["permitted"], answer["reasons"], answer["basis"]) == (True, ["consent-covers"], "consent")
    assert answer["consents"] == [f"Consent/{consent['id']}/_history/1"]
    assert answer["recipient"] == "forsakringskassan"


async def test_nothing_on_record_is_a_no_with_all_reasons(flow: "Flow") -> None:
    answer = await decision(flow, await flow.patient())
    assert not answer["permitted"]
    assert answer["reasons"] == ["no-coordination-consent", "no-consent"]


async def test_disclosure_alone_is_not_enough(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.disclosure(person))
    assert (await decision(flow, person))["reasons"] == ["no-coordination-consent"]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"purpose": "ELIGDTRM"}, "other-purpose"),
        ({"direction": "collect"}, "other-direction"),
        ({"categories": ["assumed_rehab_need", "care_measures"]}, "category-not-covered"),
        (
            {"recipient": {"kind": "arbetsformedlingen", "organisationNumber": "2021002114"}},
            "no-consent other-recipient",
        ),
    ],
)
async def test_a_consent_covers_what_it_says_and_no_more(flow: "Flow", asked: Json, reason: str) -> None:
    person = await flow.consenting("fk")
    answer = await decision(flow, person, **asked)
    assert (answer["permitted"], answer["reasons"]) == (False, reason.split())


async def test_sensitive_circumstances_are_never_sent(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "fk", ["sensitive_circumstances"]))
    assert "never-sent" in (await decision(flow, person, "sensitive_circumstances"))["reasons"]


def without(*path: str) -> Callable[[Json], None]:
    def leave_out(form: Json) -> None:
        for step in path[:-1]:
            form = form[step]
        del form[path[-1]]

    return leave_out


def only_the_unit(form: Json) -> None:
    form["provision"]["actor"] = form["provision"]["actor"][:1]


def for_two_years(form: Json) -> None:
    form["provision"]["period"]["end"] = "2099-12-31"


def given_tomorrow(form: Json) -> None:
    form["dateTime"] = "2098-12-31"


def said_in_words(form: Json) -> None:
    form["provision"]["code"][0]["text"] = "Alla uppgifter"


def said_by_others(form: Json) -> None:
    form["provision"]["code"][1]["coding"].append({"system": "urn:example:all", "code": "everything"})


@pytest.mark.parametrize(
    ("leave_out", "at"),
    [
        (only_the_unit, "Consent.provision.actor"),
        (without("provision", "purpose"), "Consent.provision.purpose"),
        (without("provision", "code"), "Consent.provision.code"),
        (without("provision", "action"), "Consent.provision.action"),
        (without("provision", "period", "end"), "Consent.provision.period.end"),
        (for_two_years, "Consent.provision.period.end"),
        (without("provision", "type"), "Consent.provision.type"),
        (without("verification"), "Consent.verification"),
        (given_tomorrow, "Consent.dateTime"),
        (said_in_words, "Consent.provision.code[0].text"),
        (said_by_others, "Consent.provision.code[1].coding[1]"),
    ],
)
async def test_a_permission_that_is_too_general_is_refused(
    flow: "Flow", leave_out: Callable[[Json], None], at: str
) -> None:
    person = await flow.patient()
    form = flow.forms.disclosure(person)
    leave_out(form)
    before = await flow.stored()
    (issue,) = await flow.refused(form)
    assert issue["expression"] == [at]
    assert await flow.stored() == before


async def test_everything_that_is_missing_is_told_at_once(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.disclosure(person)
    form["provision"] = {"type": "permit", "actor": form["provision"]["actor"]}
    assert {issue["expression"][0] for issue in await flow.refused(form)} == {
        "Consent.provision.purpose",
        "Consent.provision.code",
        "Consent.provision.action",
        "Consent.provision.period.end",
    }


async def test_a_limit_that_would_not_be_obeyed_is_refused(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.disclosure(person)
    form["provision"]["provision"] = [{"type": "deny", "code": [concept(INFORMATION_CATEGORY, "care_measures")]}]
    (issue,) = await flow.refused(form)
    assert issue["expression"] == ["Consent.provision.provision"]


async def test_a_refusal_may_be_as_wide_as_the_patient_wants(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    form = flow.forms.disclosure(person, effect="deny")
    form["provision"] = {"type": "deny"}
    refusal = await flow.post(form)
    answer = await decision(flow, person)
    assert (answer["permitted"], answer["reasons"]) == (False, ["refused"])
    assert answer["consents"] == [f"Consent/{refusal['id']}/_history/1"]


async def test_a_later_yes_ends_the_no_that_it_covers(flow: "Flow") -> None:
    person = await flow.consenting()
    refusal = await flow.post(flow.forms.disclosure(person, effect="deny"))
    assert (await decision(flow, person))["reasons"] == ["no-consent", "refused"]
    wish = {"Prefer": "return=OperationOutcome"}
    answer = await flow.coordinator.post("/fhir/Consent", json=flow.forms.disclosure(person), headers=wish)
    assert f"the refusal Consent/{refusal['id']} is ended by this consent" in answer.text
    ended = (await flow.coordinator.get(f"/fhir/Consent/{refusal['id']}")).json()
    assert (ended["status"], ended["meta"]["versionId"]) == ("inactive", "2")
    assert (await decision(flow, person))["permitted"]


async def test_a_yes_does_not_end_a_wider_no_but_names_it(flow: "Flow") -> None:
    person = await flow.consenting()
    wide = flow.forms.disclosure(person, effect="deny")
    wide["provision"] = {"type": "deny"}
    refusal = await flow.post(wide)
    wish = {"Prefer": "return=OperationOutcome"}
    answer = await flow.coordinator.post("/fhir/Consent", json=flow.forms.disclosure(person), headers=wish)
    assert f"Consent/{refusal['id']}" in answer.text
    assert not (await decision(flow, person))["permitted"]


async def test_a_draft_permits_nothing(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, status="proposed"))
    assert (await decision(flow, person))["reasons"] == ["not-in-force"]


async def test_another_units_consent_is_none_of_ours(flow: "Flow") -> None:
    person = await flow.patient(flow.neighbour)
    response = await flow.coordinator.post("/fhir/Consent", json=flow.forms.coordination(person))
    assert response.status_code == 422
    assert "Consent.patient.reference" in response.text


async def test_a_new_consent_points_at_what_was_withheld(flow: "Flow") -> None:
    person = await flow.consenting()
    about = await flow.request(person)
    withheld = await flow.until(about, "withheld")
    wish = {"Prefer": "return=OperationOutcome"}
    answer = await flow.coordinator.post("/fhir/Consent", json=flow.forms.disclosure(person), headers=wish)
    assert f"message {withheld.id} to forsakringskassan may be sent now: replay it" in answer.text


async def test_two_directions_are_two_consents(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.disclosure(person)
    form["provision"]["action"].append(concept(CONSENT_ACTION, "collect"))
    (issue,) = await flow.refused(form)
    assert issue["expression"] == ["Consent.provision.action"]


async def test_an_unknown_purpose_is_refused(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.disclosure(person)
    form["provision"]["purpose"] = [{"system": ACT_REASON, "code": "HMARKT"}]
    (issue,) = await flow.refused(form)
    assert (issue["code"], issue["expression"]) == ("code-invalid", ["Consent.provision.purpose[0].code"])


async def test_a_consent_holds_until_its_last_day_has_gone(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    flow.clock.advance(timedelta(days=179))
    assert (await decision(flow, person))["permitted"]
    flow.clock.advance(timedelta(days=2))
    assert (await decision(flow, person))["reasons"] == ["expired"]


# What a consent has with it


def in_writing(form: Json) -> Json:
    form["verification"][0]["extension"][0]["valueCode"] = "WRITTEN"
    return form


@pytest.mark.parametrize(
    "evidence",
    [
        {
            "sourceReference": {
                "type": "DocumentReference",
                "identifier": {"system": "urn:example:archive", "value": "7"},
            }
        },
        {"sourceAttachment": {"url": "urn:example:archive:7"}},
    ],
)
async def test_a_written_consent_shows_its_document(flow: "Flow", evidence: Json) -> None:
    person = await flow.patient()
    (issue,) = await flow.refused(in_writing(flow.forms.disclosure(person)))
    assert issue["expression"] == ["Consent.source"]
    for hollow in (
        {"display": "arkivet"},
        {"identifier": {"system": "urn:example:archive"}},
        {"reference": "#nothing"},
    ):
        (issue,) = await flow.refused({**in_writing(flow.forms.disclosure(person)), "sourceReference": hollow})
        assert issue["expression"] == ["Consent.source"]
    await flow.post({**in_writing(flow.forms.disclosure(person)), **evidence})


async def test_a_written_one_without_fhir_names_its_document(flow: "Flow") -> None:
    person = await flow.patient()
    given = {
        "patient": {"id": person.id},
        "kind": "disclosure",
        "givenAt": flow.forms.time(),
        "how": "WRITTEN",
        "heardBy": "TSTNMT2321000156-P0044",
        "recipient": {"kind": "employer", "organisationNumber": "5560000001"},
        "purposes": ["COC"],
        "categories": ["work_adjustments"],
        "endsWithEvent": "trepartsmötet",
    }
    refused = await flow.coordinator.post("/api/consents", json=given)
    assert (refused.status_code, refused.json()["issues"][0]["at"]) == (422, "Consent.source")
    evidence = {"system": "urn:example:archive", "value": "7"}
    answer = await flow.coordinator.post("/api/consents", json={**given, "evidence": evidence})
    assert answer.status_code == 201, answer.text
    stored = (await flow.coordinator.get(f"/fhir/{answer.json()['resource']}")).json()
    assert stored["sourceReference"]["identifier"] == evidence
    assert stored["extension"][0]["valueReference"]["identifier"]["value"] == "TSTNMT2321000156-P0044"


async def test_categories_are_named_one_by_one(flow: "Flow") -> None:
    """The employer's too, and the diagnosis: what stands in one concept cannot have been asked about separately."""
    person = await flow.patient()
    form = flow.forms.disclosure(person, "employer", ["work_adjustments", "diagnosis"])
    one, other = form["provision"]["code"]
    together = {**form, "provision": {**form["provision"], "code": [{"coding": one["coding"] + other["coding"]}]}}
    (issue,) = await flow.refused(together)
    assert (issue["expression"], "of its own" in issue["diagnostics"]) == (["Consent.provision.code[0]"], True)
    await flow.post(form)


async def test_all_ordinary_categories_are_all(flow: "Flow") -> None:
    person = await flow.patient()
    every = [each.value for each in InformationCategory if each.value not in ("diagnosis", "sensitive_circumstances")]
    (issue,) = await flow.refused(flow.forms.disclosure(person, "employer", every))
    assert issue["expression"] == ["Consent.provision.code"]
    await flow.post(flow.forms.disclosure(person, "employer", every[1:]))


async def test_an_end_that_is_none_is_refused_as_policy(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.disclosure(person)
    del form["provision"]["period"]["end"]
    form["provision"]["extension"] = [{"url": EXT_CONSENT_EVENT, "valueString": "tills vidare"}]
    (issue,) = await flow.refused(form)
    assert "the unit's policy" in issue["diagnostics"]
    assert "not law" in issue["diagnostics"]


async def test_who_recorded_it_stays_with_it(flow: "Flow") -> None:
    """Where the record system has named nobody who heard it. What it wrote is left as it was."""

    def recorder(consent: Json) -> list[str]:
        return [each["valueReference"]["identifier"]["value"] for each in consent["meta"].get("extension", ())]

    person = await flow.patient()
    stored = await flow.post(flow.forms.coordination(person))
    assert recorder(stored) == [flow.COORDINATOR]
    assert recorder(await flow.put({**stored, "language": "sv"})) == [flow.COORDINATOR]
    heard = [{"url": EXT_WITNESS, "valueReference": {"identifier": {"system": "urn:a", "value": "b"}}}]
    assert recorder(await flow.post(flow.forms.disclosure(person, extension=heard))) == []


async def test_nobody_in_general_is_told(flow: "Flow") -> None:
    """What has no number may be called anything: the name says who everybody is."""
    person = await flow.patient()
    everybody = await flow.post({"resourceType": "Organization", "name": "Alla myndigheter"})
    form = flow.forms.disclosure(person)
    form["provision"]["actor"][1]["reference"] = {"reference": f"Organization/{everybody['id']}"}
    (issue,) = await flow.refused(form)
    assert issue["expression"] == ["Consent.provision.actor"]
    form["provision"]["type"] = "deny"
    await flow.post(form)


@pytest.mark.parametrize("kind", ["coordination", "disclosure"])
async def test_a_consent_is_recorded_when_it_has_been_given(flow: "Flow", kind: str) -> None:
    """Clocks may differ by a minute, and what was recorded so is in force at once."""
    person = await flow.patient()
    ahead, much = (flow.forms.time(timedelta(seconds=seconds)) for seconds in (50, 120))
    form = flow.forms.coordination(person) if kind == "coordination" else flow.forms.disclosure(person)
    (issue,) = await flow.refused({**form, "dateTime": much})
    assert issue["expression"] == ["Consent.dateTime"]
    last_day = {"lastDay": form["provision"]["period"]["end"]} if kind == "disclosure" else {}
    plain = {
        "patient": {"id": person.id},
        "kind": kind,
        "how": "VERBAL",
        **({"recipient": {"kind": "forsakringskassan"}, "purposes": ["COC"]} if last_day else {}),
        **({"categories": ["assumed_rehab_need"]} if last_day else {}),
        **last_day,
    }
    refused = await flow.coordinator.post("/api/consents", json=plain | {"givenAt": much})
    assert (refused.status_code, refused.json()["issues"][0]["at"]) == (422, "Consent.dateTime")
    await flow.post({**flow.forms.coordination(person), "dateTime": ahead})
    await flow.post({**flow.forms.disclosure(person), "dateTime": ahead})
    assert (await decision(flow, person))["permitted"]


async def test_a_consent_stays_of_its_kind(flow: "Flow") -> None:
    person = await flow.patient()
    coordination = await flow.post(flow.forms.coordination(person))
    form = {**flow.forms.disclosure(person), "id": coordination["id"]}
    response = await flow.coordinator.put(f"/fhir/Consent/{coordination['id']}", json=form)
    assert (response.status_code, response.json()["issue"][0]["expression"]) == (422, ["Consent.category"])


@pytest.mark.parametrize("status", ["inactive", "rejected"])
@pytest.mark.parametrize("effect", ["permit", "deny"])
async def test_what_the_patient_has_said_is_not_deleted(flow: "Flow", status: str, effect: str) -> None:
    person = await flow.patient()
    for form in (flow.forms.coordination(person), flow.forms.disclosure(person, effect=effect)):
        said = await flow.post(form)
        await flow.put({**said, "status": status})
        kept = await flow.coordinator.delete(f"/fhir/Consent/{said['id']}")
        assert (kept.status_code, kept.json()["issue"][0]["expression"]) == (409, ["Consent.status"])


@pytest.mark.parametrize("status", ["draft", "proposed", "entered-in-error"])
async def test_what_the_patient_has_not_said_is_deleted(flow: "Flow", status: str) -> None:
    draft = await flow.post(flow.forms.disclosure(await flow.patient(), status=status))
    assert (await flow.coordinator.delete(f"/fhir/Consent/{draft['id']}")).status_code == 204


async def test_a_permission_is_not_widened_without_a_new_word(flow: "Flow") -> None:
    person = await flow.consenting()
    narrow = await flow.post(flow.forms.disclosure(person, categories=["contact_details"]))
    wide = {**narrow, "provision": flow.forms.disclosure(person)["provision"]}
    path = f"/fhir/Consent/{narrow['id']}"
    refused = await flow.coordinator.put(path, json=wide)
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (409, ["Consent.dateTime"])
    assert not (await decision(flow, person))["permitted"]
    assert (await flow.put(narrow))["meta"]["versionId"] == "1"
    flow.clock.advance(timedelta(seconds=1))
    said = await flow.put({**wide, "dateTime": flow.forms.time()})
    assert (await decision(flow, person))["permitted"]
    await flow.put({**said, "provision": narrow["provision"]})
    assert not (await decision(flow, person))["permitted"]


async def test_a_refusal_becomes_a_permission_by_a_new_word_alone(flow: "Flow") -> None:
    person = await flow.consenting()
    refusal = await flow.post(flow.forms.disclosure(person, effect="deny"))
    yes = flow.forms.disclosure(person) | {"id": refusal["id"]}
    path = f"/fhir/Consent/{refusal['id']}"
    for given in (refusal["dateTime"], flow.forms.time(timedelta(days=-1))):
        assert (await flow.coordinator.put(path, json={**yes, "dateTime": given})).status_code == 409
    flow.clock.advance(timedelta(seconds=1))
    assert (await flow.coordinator.put(path, json={**yes, "dateTime": flow.forms.time()})).status_code == 200
    assert (await decision(flow, person))["permitted"]


async def test_an_older_yes_leaves_the_refusal(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, effect="deny"))
    await flow.post(flow.forms.disclosure(person, dateTime=flow.forms.time(timedelta(days=-1))))
    assert (await decision(flow, person))["reasons"] == ["refused"]


@pytest.mark.parametrize("day_alone", [False, True])
async def test_a_yes_that_is_sent_again_leaves_a_refusal_that_tells_no_time(flow: "Flow", day_alone: bool) -> None:
    """A refusal needs no time, and a day alone begins before whatever was said on it."""
    person = await flow.consenting()
    yes = await flow.post(flow.forms.disclosure(person))
    refusal = flow.forms.disclosure(person, effect="deny")
    refusal |= {"dateTime": refusal["dateTime"][:10]} if day_alone else {}
    flow.clock.advance(timedelta(minutes=1))
    await flow.post(refusal if day_alone else {name: value for name, value in refusal.items() if name != "dateTime"})
    await flow.put({**yes, "language": "sv"})
    assert (await decision(flow, person))["reasons"] == ["refused"]
    await flow.post(flow.forms.disclosure(person))
    assert (await decision(flow, person))["permitted"], "the patient's new word"
