"""Texts for people: what they say, that nothing in them is markup, and that nobody else's is touched."""

from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from fhir_mappings import r4
from fhir_mappings.document import from_content
from fhir_mappings.narrative import with_narrative
from tests.unit.fhir_mappings import guide_examples

XHTML = "{http://www.w3.org/1999/xhtml}"
HOSTILE = '<script>alert("x")</script> & <b>fet</b> \'"'


def told(content: dict[str, Any]) -> dict[str, str]:
    """Label and words of every line, read as a browser would."""
    text = with_narrative(from_content(content)).content["text"]
    root = etree.fromstring(text["div"])
    assert text["status"] == "generated"
    assert {each.tag for each in root.iter()} <= {f"{XHTML}div", f"{XHTML}p", f"{XHTML}b"}
    return {str(line[0].text): str(line[0].tail).removeprefix(": ") for line in root}


def example(name: str) -> dict[str, Any]:
    return guide_examples.examples()[name]


def test_a_consent_in_words() -> None:
    assert told(example("Consent-example-disclosure-consent")) == {
        "Samtycke till utlämnande": "Patienten säger ja",
        "Läge": "gäller",
        "Sagt": "2026-03-02",
        "Mottagare": "Försäkringskassan",
        "Enhet": "Vårdcentralen Eken",
        "Riktning": "lämna ut",
        "Ändamål": "koordinering",
        "Uppgifter": "Antaget rehabiliteringsbehov, Kontaktuppgifter",
        "Gäller": "från 2026-03-02 till 2026-10-25",
    }


def test_a_refusal_and_an_event_in_words() -> None:
    content = example("Consent-example-consent-to-ask")
    asking = told(content)
    content["provision"]["type"] = "deny"

    assert asking["Gäller till och med"] == "avstämningsmötet"
    assert asking["Riktning"] == "fråga och få veta"
    assert told(content)["Samtycke till utlämnande"] == "Patienten säger nej"
    content["provision"] = {"type": "deny"}
    everything = told(content)
    assert [everything[label] for label in ("Mottagare", "Ändamål", "Uppgifter")] == ["alla"] * 3


def test_a_plan_in_words() -> None:
    assert told(example("CarePlan-example-plan")) == {
        "Sjukskrivnings- och rehabiliteringsplan": "Sjukskrivnings- och rehabiliteringsplan",
        "Läge": "gäller",
        "Gäller": "från 2026-03-02 till 2026-10-25",
        "Åtgärd": "Arbetsträning i ordinarie verksamhet; Ekens Verkstad AB; beslut: Försäkringskassan",
        "Uppföljning": "Vi talas vid i telefon om hur stegen går; 2026-04-15; Kim Exempelsson",
    }
    assert "Samtalsstöd" not in str(told(example("CarePlan-example-plan"))), "it is held back from the patient"
    assert told(example("CarePlan-example-sip"))["Leds av"] == "Exempelstads kommun"


def test_an_activity_in_words() -> None:
    coded = told(example("Procedure-example-activity"))

    assert coded["Koordineringsinsats"] == "Kontakt med arbetsgivare"
    assert coded["När"] == "2026-03-02"
    assert coded["Kontaktsätt"] == "Besök"
    assert coded["KVÅ"].startswith("GC001 Koordineringsinsatser")
    assert coded["KVÅ"].endswith("; ZV506 Kontakt med arbetsgivare via besök eller telefonsamtal")
    assert told(example("Procedure-example-activity-not-done"))["Skäl"] == "Ingen svarade"


def _hostile(element: Any) -> Any:
    """Every text that a sender chooses, in place of it something that wants to be markup."""
    if isinstance(element, dict):
        return {
            name: HOSTILE
            if name in ("display", "title", "description", "valueString") or _is_words(name, each)
            else _hostile(each)
            for name, each in element.items()
        }
    return [_hostile(each) for each in element] if isinstance(element, list) else element


def _is_words(name: str, value: Any) -> bool:
    return name == "text" and isinstance(value, str)


@pytest.mark.parametrize(
    "name", [each for each in guide_examples.examples() if each.startswith(("Cons", "CareP", "Proc"))]
)
def test_nothing_is_markup(name: str) -> None:
    content = _hostile(example(name))
    document = with_narrative(from_content(content))

    assert any(HOSTILE in said for said in told(content).values()) or "display" not in str(example(name))
    assert "<script" not in document.content["text"]["div"]
    assert r4.check(document.content) == ()


def test_somebodys_own_text_stays() -> None:
    theirs = {"status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml">deras</div>'}
    document = from_content({**example("Procedure-example-activity"), "text": theirs})

    assert with_narrative(document) is document


def test_ours_is_written_anew() -> None:
    first = with_narrative(from_content(example("Procedure-example-activity")))
    changed = deepcopy(dict(first.content))
    changed["status"] = "entered-in-error"
    second = with_narrative(from_content(changed))

    assert with_narrative(first) is first
    assert "utförd" in first.content["text"]["div"]
    assert "felaktigt införd" in second.content["text"]["div"]


def test_other_types_get_none() -> None:
    document = from_content(example("Goal-example-goal"))

    assert with_narrative(document) is document
