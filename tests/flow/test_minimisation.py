"""Only what is permitted is in the bytes: they are searched for what must not be there (delivery_consent_security.md § 5.2,
rule 9)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from contracts.consent import InformationCategory, Purpose, Question, Recipient, RecipientKind
from contracts.dialogue import CareUnit, MessagePart, PartyMessage, Sender, Topic
from contracts.identity import HsaId
from contracts.outbox import OutboxMessage
from fhir_mappings.identifiers import EXT_INFORMATION_CATEGORY
from service.usecases.promising import promise

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

NOW = datetime(2026, 5, 4, tzinfo=UTC)
FK = Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521")
NOBODY: Any = None

NEED = "assumed_rehab_need"
TELLABLE = [each.value for each in InformationCategory if each.value not in ("diagnosis", "sensitive_circumstances")]


def canary(category: str, person: "Person") -> str:
    """A word that stands nowhere else."""
    return f"kanarie-{category.replace('_', '-')}-{person.id[-6:]}"


def asking(flow: "Flow", person: "Person", certificate: str, categories: list[str]) -> Json:
    """A request to tell those categories, each with its own word."""
    payload = [
        {
            "extension": [{"url": EXT_INFORMATION_CATEGORY, "valueCode": each}],
            "contentString": canary(each, person),
        }
        for each in categories
    ]
    return flow.forms.request(person, certificate, payload=payload)


def everything_sent(flow: "Flow") -> str:
    """Every byte that any counterpart has got."""
    return "".join(entry.request for system in flow.world.counterparts for entry in flow.ledger(system))


def chosen(chance: Random) -> tuple[list[str], list[str]]:
    """What is permitted and what is asked; the need itself is always asked (Act 4 §)."""
    permitted = chance.sample(TELLABLE, chance.randrange(1, len(TELLABLE) - 1))
    if NEED not in permitted and chance.random() < 0.8:
        permitted[0] = NEED
    among = chance.choice([permitted, permitted, TELLABLE])
    return permitted, sorted({NEED, *chance.sample(among, chance.randrange(len(permitted)))})


@pytest.mark.parametrize("seed", range(24))
async def test_what_is_sent_is_what_is_permitted_word_for_word(flow: "Flow", seed: int) -> None:
    person = await flow.consenting()
    permitted, asked = chosen(Random(seed))  # noqa: S311 - a fixed choice
    await flow.post(flow.forms.disclosure(person, "fk", permitted))
    certificate = flow.certify(person, diagnosis="F438X")
    stored = await flow.post(asking(flow, person, certificate, asked))
    may = {*asked} <= {*permitted}
    await flow.until(f"CommunicationRequest/{stored['id']}", "delivered" if may else "withheld")
    sent = everything_sent(flow)
    for category in TELLABLE:
        assert (canary(category, person) in sent) == (may and category in asked), category
    assert "F438X" not in sent


async def test_the_choices_hold_both_outcomes(flow: "Flow") -> None:
    """A search that never finds what may be sent would find nothing else either."""
    outcomes = [{*asked} <= {*permitted} for permitted, asked in map(chosen, map(Random, range(24)))]
    assert 5 <= sum(outcomes) <= 19


async def test_a_notice_holds_nothing_that_stands_elsewhere_in_the_record(flow: "Flow") -> None:
    """Neither the patient's name, nor notes, nor what the certificate says, nor anything about the employer."""
    person = await flow.consenting("fk", "employer")
    note = canary("note", person)
    await flow.post(flow.forms.activity(person, note=[{"text": note}], code={"text": canary("text", person)}))
    goal = await flow.post(flow.forms.goal(person))
    await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}", description=canary("plan", person)))
    about = await flow.request(person)
    message = await flow.until(about, "delivered")
    (sent,) = [entry.request for entry in flow.ledger() if entry.id == message.id]
    assert "Behov kan antas." in sent
    for secret in (
        person.name,
        note,
        canary("text", person),
        canary("plan", person),
        "Exempelbolaget",
        "F438A",
        "GC001",
    ):
        assert secret not in sent, secret


async def test_an_event_holds_codes_and_no_person(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    words = {name: canary(name, person) for name in ("note", "report", "outcome", "location")}
    activity = flow.forms.activity(
        person,
        note=[{"text": words["note"]}],
        report=[{"display": words["report"]}],
        outcome={"text": words["outcome"]},
        location={"display": words["location"]},
        identifier=[{"system": "urn:example:ehr", "value": f"m-{person.id}"}],
    )
    stored = await flow.post(activity)
    about = f"Procedure/{stored['id']}"
    await flow.until(about, "delivered", "regional_platform")
    await flow.until(about, "delivered", "ehr")
    (event,) = flow.events(about)
    assert "GC001" in str(event)
    for secret in (person.name, person.number, *words.values()):
        assert secret not in str(event), secret
    copies = "".join(entry.request for entry in flow.ledger("ehr"))
    assert words["note"] in copies  # its own record, whole
    assert person.number not in copies


async def test_a_narrower_consent_withholds_the_whole_message(flow: "Flow") -> None:
    """What was fixed at the promise is never trimmed to what is still permitted (decision D18)."""
    person = await flow.consenting()
    wide = await flow.post(flow.forms.disclosure(person, "fk", [NEED, "contact_details", "care_measures"]))
    certificate = flow.certify(person)
    async with flow.paused():
        stored = await flow.post(asking(flow, person, certificate, [NEED, "care_measures"]))
        await flow.post(flow.forms.disclosure(person, "fk", [NEED, "contact_details"]))
        await flow.coordinator.post(f"/api/consents/{wide['id']}/withdrawal")
    message = await flow.until(f"CommunicationRequest/{stored['id']}", "withheld")
    flow.clock.advance(timedelta(hours=1))
    await flow.quiet()
    assert flow.accepted(message.id) == 0
    assert canary(NEED, person) not in everything_sent(flow)


def test_a_message_that_says_more_than_is_asked_is_never_promised() -> None:
    """Whoever forgets a category in the question finds out at once, and before anything is stored."""
    unit = HsaId("SE1111111111-E001")
    told = (MessagePart(InformationCategory.CARE_MEASURES, "a"), MessagePart(InformationCategory.CONTACT_DETAILS, "b"))
    payload = PartyMessage("m", Topic.OTHER, FK, None, Sender(unit, CareUnit(unit, unit)), NOW, told, "", unit)
    narrow = Question("p", unit, FK, frozenset({InformationCategory.CARE_MEASURES}), Purpose.COORDINATION, NOW)
    whole = replace(narrow, categories=payload.categories)
    message = OutboxMessage("m", "forsakringskassan", "CommunicationRequest/1", narrow, payload)
    assert not replace(message, question=whole).says_more_than_asked
    with pytest.raises(ValueError, match="more than is asked about"):
        promise(NOBODY, NOBODY, message)
