"""May this unit tell X Y for Z today? ``Consent/$decide`` and the JSON API give one answer, kept so that it can be given
again (docs/consent.md)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.block_service.mock import register
from adapters.mocking import Fault
from fhir_mappings import primitives
from fhir_mappings.identifiers import HSA_ID, ORGANISATION_NUMBER, RECIPIENT_KIND
from service.mock_world import BlockIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
FK = {"identifier": {"system": ORGANISATION_NUMBER.fhir, "value": "2021005521"}}


def parameters(
    person: "Person", *more: Json, recipient: Json = FK, categories: tuple[str, ...] = ("contact_details",)
) -> Json:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": {"reference": person.reference}},
            {"name": "recipient", "valueReference": recipient},
            *({"name": "category", "valueCode": category} for category in categories),
            *more,
        ],
    }


async def decide(flow: "Flow", asked: Json, client: "httpx.AsyncClient | None" = None) -> "httpx.Response":
    return await (client or flow.coordinator).post("/fhir/Consent/$decide", json=asked)


async def answered(flow: "Flow", asked: Json) -> dict[str, list[Any]]:
    """Every value of the answer, by name."""
    response = await decide(flow, asked)
    assert response.status_code == 200, response.text
    found: dict[str, list[Any]] = {}
    for each in response.json()["parameter"]:
        value = next(value for name, value in each.items() if name.startswith("value"))
        found.setdefault(each["name"], []).append(value)
    return found


async def by_json(flow: "Flow", person: "Person", **asked: Any) -> Json:
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["contact_details"],
        **asked,
    }
    response = await flow.coordinator.post("/api/consent/decision", json=question)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def replayed(flow: "Flow", number: str) -> Json:
    response = await flow.coordinator.post(f"/api/decisions/{number}/replay")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


# The answer


async def test_both_surfaces_give_the_same_answer(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    told, plain = await answered(flow, parameters(person)), await by_json(flow, person)
    assert told["permitted"] == [True] == [plain["permitted"]]
    assert told["reason"] == ["consent-covers"] == plain["reasons"]
    assert [each["reference"] for each in told["consent"]] == plain["consents"]
    assert told["decision"] != [plain["id"]]


async def test_every_reason_is_told(flow: "Flow") -> None:
    told = await answered(flow, parameters(await flow.patient()))
    assert (told["permitted"], told["reason"]) == ([False], ["no-coordination-consent", "no-consent"])
    assert "consent" not in told


async def test_a_stored_organisation_is_a_recipient_too(flow: "Flow") -> None:
    person = await flow.consenting("employer")
    told = await answered(flow, parameters(person, recipient={"reference": flow.forms.refs["employer"]}))
    assert told["permitted"] == [True]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"name": "purpose", "valueCode": "ELIGDTRM"}, "other-purpose"),
        ({"name": "direction", "valueCode": "collect"}, "other-direction"),
        ({"name": "category", "valueCode": "care_measures"}, "category-not-covered"),
    ],
)
async def test_each_parameter_counts(flow: "Flow", more: Json, reason: str) -> None:
    person = await flow.consenting("fk")
    assert (await answered(flow, parameters(person, more)))["reason"] == [reason]


@pytest.mark.parametrize(
    "more",
    [
        {"name": "unless", "valueBoolean": True},
        {"name": "purpose", "valueString": "COC"},
        {"name": "purpose", "valueCode": "MARKETING"},
        {"name": "kind", "valueCode": "employer"},
        {"name": "patient", "valueReference": {"reference": "Patient/another"}},
        {"name": "source", "part": [{"name": "unit", "valueString": "TSTNMT2321000156-E0002"}]},
    ],
)
async def test_what_is_not_understood_is_refused(flow: "Flow", more: Json) -> None:
    response = await decide(flow, parameters(await flow.patient(), more))
    assert response.status_code == 422, response.text
    assert response.json()["issue"][0]["expression"][0].startswith("Parameters.parameter")


async def test_another_media_type_is_refused(flow: "Flow") -> None:
    plain = {"Content-Type": "text/plain"}
    assert (await flow.coordinator.post("/fhir/Consent/$decide", content=b"{}", headers=plain)).status_code == 415


async def test_no_category_is_no_question(flow: "Flow") -> None:
    assert (await decide(flow, parameters(await flow.patient(), categories=()))).status_code == 422


async def test_another_units_patient_is_not_there(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    assert (await decide(flow, parameters(person), flow.neighbour)).status_code == 404
    assert (await decide(flow, parameters(person), flow.nobody)).status_code == 401


# Grounds beside consent


async def test_an_authoritys_own_request_is_answered(flow: "Flow") -> None:
    person = await flow.patient()
    asked = {"basis": "statutory-duty", "purpose": "ELIGDTRM", "request": "FK-2026-000001"}
    assert (await by_json(flow, person, **asked))["reasons"] == ["answers-request"]
    assert (await by_json(flow, person, **asked | {"request": ""}))["reasons"] == ["request-not-named"]
    notice = asked | {"categories": ["assumed_rehab_need"]}
    assert (await by_json(flow, person, **notice))["reasons"] == ["notice-needs-consent"]


async def test_a_private_provider_is_not_bound(flow: "Flow") -> None:
    person = await flow.patient(flow.stranger)
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["contact_details"],
        "basis": "statutory-duty",
        "purpose": "ELIGDTRM",
        "request": "FK-2026-000001",
    }
    response = await flow.stranger.post("/api/consent/decision", json=question)
    assert response.json()["reasons"] == ["private-provider"]


async def test_an_emergency_is_stated_and_is_told_to_care_alone(flow: "Flow") -> None:
    person = await flow.patient()
    hospital = {"kind": "other-care-provider", "hsaId": "TSTNMT5560000001-E0009"}
    asked = {"basis": "emergency", "why": "medvetslös patient på akutmottagningen"}
    assert (await by_json(flow, person, recipient=hospital, **asked))["reasons"] == ["emergency"]
    assert (await by_json(flow, person, recipient=hospital, basis="emergency"))["reasons"] == ["ground-not-stated"]
    assert (await by_json(flow, person, **asked))["reasons"] == ["basis-not-applicable"]


@pytest.mark.parametrize(
    ("unit", "reasons"),
    [
        ("TSTNMT2321000156-E0002", ["coordination-within-provider"]),
        ("TSTNMT5560000001-E0009", ["other-provider"]),
    ],
)
async def test_another_unit_of_the_care_provider_is_known_by_its_number(
    flow: "Flow", unit: str, reasons: list[str]
) -> None:
    """That it calls itself one is not enough: else anybody could be told without a consent to disclosure."""
    person = await flow.consenting()
    neighbour = {"kind": "same-care-provider", "hsaId": unit}
    assert (await by_json(flow, person, recipient=neighbour))["reasons"] == reasons


@pytest.mark.parametrize(
    ("unit", "state"), [("TSTNMT2321000156-E0002", "needs-other-channel"), ("TSTNMT5560000001-E0009", "withheld")]
)
async def test_a_message_to_a_unit_rests_on_the_same_ground(flow: "Flow", unit: str, state: str) -> None:
    """Another unit of the care provider is told without a consent to disclosure (rule 6); anybody else is not."""
    person = await flow.consenting()
    given = {
        "patient": {"id": person.id},
        "recipient": {"kind": "same-care-provider", "hsaId": unit},
        "topic": "contact",
        "parts": [{"category": "contact_details", "text": "Ring mig."}],
    }
    answer = await flow.coordinator.post("/api/notifications", json=given)
    assert answer.status_code == 201, answer.text
    (message,) = flow.promised(answer.json()["resource"], "same-care-provider")
    assert message.state == state


@pytest.fixture
def blocks(flow: "Flow") -> "Iterator[Callable[[list[BlockIn]], None]]":
    """Lets the block service know blocks; after the test it knows none."""
    room = flow.world.counterparts["block_service"]
    yield lambda given: register(room, [each.block() for each in given])
    register(room, [])


async def test_what_lies_under_block_goes_nowhere(flow: "Flow", blocks: "Callable[[list[BlockIn]], None]") -> None:
    person = await flow.consenting("fk")
    sources = [{"careUnit": flow.OTHER_UNIT, "careProvider": flow.PROVIDER}]
    assert (await by_json(flow, person, sources=sources))["reasons"] == ["consent-covers"]
    blocks([BlockIn(personal_number=person.number, provider=flow.PROVIDER, unit=flow.OTHER_UNIT)])
    assert (await by_json(flow, person, sources=sources))["reasons"] == ["under-block"]
    parts = [
        {"name": name, "valueReference": {"identifier": {"system": HSA_ID.fhir, "value": value}}}
        for name, value in (("unit", flow.OTHER_UNIT), ("provider", flow.PROVIDER))
    ]
    told = await answered(flow, parameters(person, {"name": "source", "part": parts}))
    assert told["reason"] == ["under-block"]
    assert (await by_json(flow, person))["permitted"]


async def test_a_block_does_not_stop_the_units_own_information(
    flow: "Flow", blocks: "Callable[[list[BlockIn]], None]"
) -> None:
    person = await flow.consenting("fk")
    blocks([BlockIn(personal_number=person.number, provider=flow.PROVIDER, unit=flow.UNIT)])
    asked = len(flow.ledger("block_service"))
    own = [{"careUnit": flow.UNIT, "careProvider": flow.PROVIDER}]
    assert (await by_json(flow, person, sources=own))["permitted"]
    assert len(flow.ledger("block_service")) == asked


@pytest.mark.parametrize("fault", ["http", "lose-answer", "nonsense", "soap-fault"])
async def test_a_block_service_that_does_not_answer_counts_as_no(flow: "Flow", fault: Any) -> None:
    person = await flow.consenting("fk")
    sources = [{"careUnit": flow.OTHER_UNIT, "careProvider": flow.PROVIDER}]
    flow.order("block_service", Fault(kind=fault, seconds=1.0))
    assert (await by_json(flow, person, sources=sources))["reasons"] == ["block-unknown"]


async def test_nobody_can_be_asked_about_somebody_without_a_number(flow: "Flow") -> None:
    nameless = await flow.post({"resourceType": "Patient", "name": [{"text": "Okänd"}]})
    answer = await flow.coordinator.post(
        "/api/consent/decision",
        json={
            "patient": {"id": nameless["id"]},
            "recipient": {"kind": "forsakringskassan"},
            "categories": ["contact_details"],
            "sources": [{"careUnit": flow.OTHER_UNIT, "careProvider": flow.PROVIDER}],
        },
    )
    assert "block-unknown" in answer.json()["reasons"]


async def test_an_answer_of_then_is_made_again_with_what_was_said_then(
    flow: "Flow", blocks: "Callable[[list[BlockIn]], None]"
) -> None:
    person = await flow.consenting("fk")
    sources = [{"careUnit": flow.OTHER_UNIT, "careProvider": flow.PROVIDER}]
    kept = await by_json(flow, person, sources=sources)
    blocks([BlockIn(personal_number=person.number, provider=flow.PROVIDER, unit=flow.OTHER_UNIT)])
    assert (await replayed(flow, kept["id"]))["same"]


# Kept, and given again


async def test_a_decision_is_given_again_after_everything_has_changed(flow: "Flow") -> None:
    person = await flow.patient()
    coordination = await flow.post(flow.forms.coordination(person))
    disclosure = await flow.post(flow.forms.disclosure(person))
    yes = await by_json(flow, person)
    for consent in (coordination, disclosure):
        assert (await flow.coordinator.post(f"/api/consents/{consent['id']}/withdrawal")).status_code == 200
    await flow.post(flow.forms.disclosure(person, effect="deny"))
    no = await by_json(flow, person)
    assert (yes["permitted"], no["permitted"]) == (True, False)
    for kept in (yes, no):
        again = await replayed(flow, kept["id"])
        assert again["same"]
        assert again["again"] == again["then"] == kept
        assert again["rules"] == again["rulesNow"]


async def test_what_a_consent_said_then_is_what_counts(flow: "Flow") -> None:
    """The organisation that the consent names has got another number since: the answer of then does not follow."""
    person = await flow.consenting()
    number = {"system": ORGANISATION_NUMBER.fhir, "value": "5560000019"}
    bolag = await flow.post({"resourceType": "Organization", "identifier": [number], "name": "Bolaget"})
    form = flow.forms.disclosure(person)
    form["provision"]["actor"][1]["reference"] = {"reference": f"Organization/{bolag['id']}"}
    consent = await flow.post(form)
    kept = await by_json(flow, person, recipient={"kind": "other", "organisationNumber": "5560000019"})
    assert kept["permitted"]
    await flow.put({**consent, "status": "inactive"})
    await flow.put({**bolag, "identifier": [{**number, "value": "5560000027"}]})
    assert (await replayed(flow, kept["id"]))["same"]


async def test_every_decision_of_a_message_can_be_made_again(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    about = await flow.request(person)
    await flow.until(about, "delivered")
    decisions = (await flow.coordinator.get(f"/api/trace/{about.partition('/')[2]}")).json()["decisions"]
    assert len(decisions) == 2
    assert all([(await replayed(flow, each["id"]))["same"] for each in decisions])


async def test_a_decision_is_its_units_own(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    number = (await by_json(flow, person))["id"]
    assert (await flow.neighbour.post(f"/api/decisions/{number}/replay")).status_code == 404
    assert (await flow.coordinator.post("/api/decisions/999999999/replay")).status_code == 404


async def test_asking_and_asking_again_stand_in_the_access_log(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    before = len(flow.accesses(person))
    number = (await answered(flow, parameters(person)))["decision"][0]
    await replayed(flow, number)
    assert [row[3] for row in flow.accesses(person)[before:]] == ["consent-decision", "decision-replay"]


# What is kept as read


async def permitted(flow: "Flow", person: "Person") -> bool:
    answer: bool = (await by_json(flow, person))["permitted"]
    return answer


async def test_a_consent_that_was_read_before_decides_as_it_stands_now(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    consent = await flow.post(flow.forms.disclosure(person))
    assert [await permitted(flow, person) for _ in range(3)] == [True] * 3
    withdrawn = await flow.put({**consent, "status": "inactive"})
    assert [await permitted(flow, person) for _ in range(3)] == [False] * 3
    flow.clock.advance(timedelta(minutes=1))
    again = await flow.put({**withdrawn, "status": "active", "dateTime": flow.forms.time()})
    assert await permitted(flow, person)
    assert (await flow.coordinator.post(f"/api/consents/{again['id']}/withdrawal")).status_code == 200
    assert not await permitted(flow, person)


async def test_a_version_that_was_undone_decides_nothing_when_its_number_is_given_again(flow: "Flow") -> None:
    """In a transaction that fails, the consent's second version is written, read and undone; then there is another."""
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    consent = await flow.post(flow.forms.disclosure(person))
    withdrawn = {**consent, "status": "inactive"}
    failing = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": withdrawn, "request": {"method": "PUT", "url": f"Consent/{consent['id']}"}},
            {"resource": flow.forms.activity(person), "request": {"method": "POST", "url": "Procedure"}},
            {"request": {"method": "GET", "url": "Procedure/nothing"}},
        ],
    }
    assert (await flow.coordinator.post("/fhir", json=failing)).status_code == 404
    assert await permitted(flow, person)
    renamed = await flow.put({**consent, "language": "sv"})
    assert renamed["meta"]["versionId"] == "2"
    assert await permitted(flow, person)


@pytest.mark.parametrize("effect", ["permit", "deny"])
@pytest.mark.parametrize("first", [[], [{"system": ORGANISATION_NUMBER.fhir, "value": "5560000019"}]])
async def test_an_organisation_does_not_become_another_under_a_consent(
    flow: "Flow", first: list[Json], effect: str
) -> None:
    """The patient has said yes or no to the one it was: one without a number must not get one either."""
    person = await flow.consenting()
    numbered = {"identifier": first} if first else {}
    verkstad = await flow.post({"resourceType": "Organization", "name": "Verkstaden", **numbered})
    form = flow.forms.disclosure(person, effect=effect, status="active" if first or effect == "deny" else "proposed")
    form["provision"]["actor"][1]["reference"] = {"reference": f"Organization/{verkstad['id']}"}
    consent = await flow.post(form)
    path = f"/fhir/Organization/{verkstad['id']}"
    other = {**verkstad, "identifier": [{"system": ORGANISATION_NUMBER.fhir, "value": "2021005521"}]}
    refused = await flow.coordinator.put(path, json=other)
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (409, ["Organization.identifier"])
    assert "make a new Organization" in refused.text
    assert not await permitted(flow, person)
    await flow.put({**verkstad, "name": "Verkstaden i Exempelstad"})
    await flow.put({**consent, "status": "inactive"})
    await flow.put(other)
    assert not await permitted(flow, person)


async def test_the_unit_that_a_consent_was_given_to_stays_itself(flow: "Flow") -> None:
    person = await flow.patient()
    hsa = {"system": HSA_ID.fhir, "value": "TSTNMT2321000156-E0017"}
    unit = await flow.post({"resourceType": "Organization", "identifier": [hsa], "name": "Mottagningen"})
    given_to = {"organization": [{"reference": f"Organization/{unit['id']}"}]}
    await flow.post(flow.forms.coordination(person, **given_to))
    other = {**unit, "identifier": [{**hsa, "value": flow.UNIT}]}
    assert (await flow.coordinator.put(f"/fhir/Organization/{unit['id']}", json=other)).status_code == 409


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"beside": "TSTNMT2321000156-E0018"}, 200),
        ({"beside": "TSTNMT2321000156-E0018", "number": "5560000019"}, 409),
        ({"kind": "other-care-provider"}, 409),
        ({"kind": "employer"}, 200),
    ],
)
async def test_a_second_number_makes_nobody_another_and_another_kind_does(
    flow: "Flow", changes: dict[str, str], status: int
) -> None:
    """Which rules apply follows from the kind: on an emergency an employer is never told."""
    hsa = [{"system": HSA_ID.fhir, "value": changes["beside"]}] if "beside" in changes else []
    number, kind = changes.get("number", "5560000027"), changes.get("kind", "employer")

    def organization(number: str, kind: str, *more: Json) -> Json:
        identifier = [{"system": ORGANISATION_NUMBER.fhir, "value": number}, *more]
        type_ = [primitives.concept(RECIPIENT_KIND, kind)]
        return {"resourceType": "Organization", "name": "Verkstaden", "identifier": identifier, "type": type_}

    employer = await flow.post(organization("5560000027", "employer"))
    form = flow.forms.disclosure(await flow.consenting())
    form["provision"]["actor"][1]["reference"] = {"reference": f"Organization/{employer['id']}"}
    await flow.post(form)
    changed = {**organization(number, kind, *hsa), "id": employer["id"]}
    assert (await flow.coordinator.put(f"/fhir/Organization/{employer['id']}", json=changed)).status_code == status


# Who somebody is


@pytest.mark.parametrize("kind", ["other-care-provider", "record-system", "regional-platform", "same-care-provider"])
async def test_an_employer_is_not_called_another_kind_of_party(flow: "Flow", kind: str) -> None:
    """Which rules apply is for the record to say, by its Organization or by the number of one."""
    person = await flow.patient()
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": kind, "organisationNumber": "5560000001"},
        "categories": ["diagnosis"],
        "basis": "emergency",
        "why": "medvetslös",
    }
    refused = await flow.coordinator.post("/api/consent/decision", json=question)
    assert (refused.status_code, "another kind of party" in refused.text) == (422, True)
    number = {"identifier": {"system": ORGANISATION_NUMBER.fhir, "value": "5560000001"}}
    stated = [{"name": "kind", "valueCode": kind}, {"name": "basis", "valueCode": "emergency"}]
    for recipient in ({"reference": flow.forms.refs["employer"]}, number):
        refused = await decide(flow, parameters(person, *stated, recipient=recipient))
        assert (refused.status_code, "another kind of party" in refused.text) == (422, True)


@pytest.mark.parametrize(
    ("kind", "basis", "reason"),
    [("record-system", "record-owner", "record-owner"), ("regional-platform", "own-follow-up", "own-follow-up")],
)
async def test_only_the_care_providers_own_systems_are_told_as_such(
    flow: "Flow", kind: str, basis: str, reason: str
) -> None:
    person = await flow.patient()
    somebody, ours = ({"kind": kind, "hsaId": f"TSTNMT{number}-S0077"} for number in ("5560000001", "2321000156"))
    assert (await by_json(flow, person, recipient=somebody, basis=basis))["reasons"] == ["other-provider"]
    assert (await by_json(flow, person, recipient=ours, basis=basis))["reasons"] == [reason]


async def test_the_platform_is_never_told_a_diagnosis(flow: "Flow") -> None:
    person = await flow.patient()
    platform = {"kind": "regional-platform", "hsaId": "TSTNMT2321000156-S0077"}
    told = await by_json(flow, person, recipient=platform, categories=["diagnosis"])
    assert (told["permitted"], told["reasons"]) == (False, ["never-sent"])
