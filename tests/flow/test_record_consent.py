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
        ({"recipient": {"kind": "arbetsformedlingen", "organisationNumber": "2021002114"}}, "no-consent"),
    ],
)
async def test_a_consent_covers_what_it_says_and_no_more(flow: "Flow", asked: Json, reason: str) -> None:
    person = await flow.consenting("fk")
    answer = await decision(flow, person, **asked)
    assert (answer["permitted"], answer["reasons"]) == (False, [reason])


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
    hollow = {"sourceReference": {"display": "arkivet"}}
    (issue,) = await flow.refused({**in_writing(flow.forms.disclosure(person)), **hollow})
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
