"""The guide says exactly what the code does: its codes are the code's, with words in Swedish and English."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, get_args

import orjson
import pytest

from contracts import activity, certificate, consent, dialogue, meeting, plan
from fhir_mappings import certificate as form
from fhir_mappings import coordination_case, identifiers, patient_document, sick_leave
from service.rules import kva

COMPILED: Final = Path(__file__).parents[3] / "contracts/wire/profiles/compiled"

WORDS_OF_CODE: Final[dict[str, Iterable[str]]] = {
    identifiers.ACTIVITY_KIND: activity.ActivityKind,
    identifiers.CONTACT_MODE: activity.ContactMode,
    identifiers.NOT_DONE_REASON: activity.NotDoneReason,
    identifiers.CONSENT_KIND: consent.ConsentKind,
    identifiers.INFORMATION_CATEGORY: consent.InformationCategory,
    identifiers.RECIPIENT_KIND: consent.RecipientKind,
    identifiers.NOTIFICATION_TOPIC: dialogue.Topic,
    identifiers.WANTED_NEXT_STEP: dialogue.NextStep,
    identifiers.DIALOGUE_STATE: dialogue.Standing,
    identifiers.DIALOGUE_OUTPUT: dialogue.Output,
    identifiers.ANSWER_SAYS: dialogue.Says,
    identifiers.MEETING_PARTICIPANT: meeting.Part,
    identifiers.MEETING_ANSWER: meeting.MeetingAnswer,
    identifiers.MEETING_OUTPUT: meeting.MeetingOutput,
    identifiers.PLAN_KIND: plan.PlanKind,
    identifiers.PLAN_MEASURE: plan.MeasureWord,
    identifiers.PRINCIPAL: plan.Principal,
    identifiers.PLAN_EVENT: [patient_document.HANDED_OVER, patient_document.RELEASED],
    identifiers.EPISODE_TYPE: [sick_leave.EPISODE, coordination_case.CASE],
    identifiers.WORK_ABILITY: [
        sick_leave.CATEGORY,
        sick_leave.CODE,
        sick_leave.LEVEL,
        sick_leave.OCCUPATION_PART,
    ],
    identifiers.SICK_LEAVE_DEGREE: sick_leave.LEVELS.values(),
    identifiers.OCCUPATION: {code for code, _ in sick_leave.OCCUPATIONS.values()},
    identifiers.WORK_MEASURE: certificate.WorkMeasure,
    identifiers.PROGNOSIS: form.PROGNOSES.values(),
    identifiers.PROGNOSIS_DAYS: form.DAYS.values(),
    identifiers.CERTIFICATE_TYPE: [sick_leave.TYPE_CODE],
    identifiers.RECORD_FLAG: ["no-coordination-consent"],
    identifiers.ENGINE_MODE: get_args(sick_leave.EngineMode),
    identifiers.KVA.fhir: kva.CODES,
    f"{identifiers.BASE}/CodeSystem/reko-status": [f"REKO_{number}" for number in range(1, 9)],
}
"""Rehabstöd's statuses have no other table in the code (rehabstod.md § 4.1)."""

LIMITED: Final[dict[str, tuple[str, Iterable[str]]]] = {
    "consent-direction": (identifiers.CONSENT_ACTION, consent.Direction),
    "consent-purpose": (identifiers.ACT_REASON, consent.Purpose),
    "consent-mode": (identifiers.PARTICIPATION_MODE, consent.HowGiven),
}


def resources(kind: str) -> dict[str, dict[str, Any]]:
    found = [orjson.loads(file.read_bytes()) for file in sorted(COMPILED.glob(f"{kind}-*.json"))]
    return {each["url"]: each for each in found}


CODE_SYSTEMS: Final = resources("CodeSystem")


def test_every_code_system_is_held_to_the_code() -> None:
    assert set(CODE_SYSTEMS) == set(WORDS_OF_CODE)


@pytest.mark.parametrize("url", WORDS_OF_CODE)
def test_the_codes_are_those_of_the_code(url: str) -> None:
    assert {each["code"] for each in CODE_SYSTEMS[url]["concept"]} == {str(code) for code in WORDS_OF_CODE[url]}


@pytest.mark.parametrize("url", WORDS_OF_CODE)
def test_every_code_has_words_in_swedish_and_english(url: str) -> None:
    system = CODE_SYSTEMS[url]

    assert system["language"] == "sv"
    for concept in system["concept"]:
        assert concept["display"].strip()
        assert [each["value"] for each in concept["designation"] if each["language"] == "en"], concept["code"]


@pytest.mark.parametrize("name", LIMITED)
def test_what_the_consent_rules_understand(name: str) -> None:
    system, codes = LIMITED[name]
    [include] = resources("ValueSet")[f"{identifiers.BASE}/ValueSet/{name}"]["compose"]["include"]

    assert include["system"] == system
    assert {each["code"] for each in include["concept"]} == {str(code) for code in codes}


@pytest.mark.parametrize("known", kva.CODES.values(), ids=lambda known: known.code)
def test_kva_words_with_their_dates(known: activity.KvaCode) -> None:
    [concept] = [each for each in CODE_SYSTEMS[identifiers.KVA.fhir]["concept"] if each["code"] == known.code]
    swedish = [each for each in concept["designation"] if each["language"] == "sv"]
    dated = [(each["value"], each.get("extension", [{}])[0].get("valueDate")) for each in swedish]
    since = [(display.text, display.since and display.since.isoformat()) for display in known.displays]
    stated = {each["code"]: each for each in concept["property"]}

    assert concept["display"] == known.displays[-1].text
    assert dated == (since if len(since) > 1 else [])
    assert stated["source"]["valueString"] == known.displays[-1].source
    valid_from = stated.get("validFrom", {}).get("valueDateTime")
    assert valid_from == (known.valid_from and known.valid_from.isoformat())


def test_the_map_says_what_the_rules_say() -> None:
    [concept_map] = resources("ConceptMap").values()
    [group] = concept_map["group"]
    mapped = {
        each["code"]: [(target["code"], target["comment"].partition(":")[0]) for target in each["target"]]
        for each in group["element"]
    }

    assert (group["source"], group["target"]) == (identifiers.ACTIVITY_KIND, identifiers.KVA.fhir)
    assert mapped == {
        kind: [("GC001", kva.MAIN_RULE), *((rule.code, rule.name) for rule in kva.ACCOMPANYING if rule.kind is kind)]
        for kind in activity.ActivityKind
    }


def test_every_extension_of_the_code_is_defined() -> None:
    ours = {
        value
        for name, value in vars(identifiers).items()
        if name.startswith("EXT_") and value.startswith(identifiers.BASE)
    }
    defined = {url for url, each in resources("StructureDefinition").items() if each["type"] == "Extension"}

    assert defined - ours == {f"{identifiers.BASE}/StructureDefinition/display-since"}
    assert ours <= defined


def test_words_that_are_written_are_those_of_the_code_systems() -> None:
    words = {
        (url, concept["code"]): concept["display"] for url, each in CODE_SYSTEMS.items() for concept in each["concept"]
    }

    assert words[identifiers.CERTIFICATE_TYPE, sick_leave.TYPE_CODE] == sick_leave.TITLE
    for code, label in sick_leave.OCCUPATIONS.values():
        assert words[identifiers.OCCUPATION, code] == label
