"""What the service says of itself: its guide is read, searched and asked about words, and nobody's log has a row of it."""

from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest

from contracts.consent import InformationCategory
from fhir_mappings import guide, r4
from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    BASE,
    INFORMATION_CATEGORY,
    KVA,
    OCCUPATION,
)
from fhir_mappings.xml import to_json
from service.fhir_api.search.parameters import PARAMETERS, SPECIAL
from service.rules.kva import CODES

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow

Json = dict[str, Any]
R4 = "http://hl7.org/fhir/StructureDefinition"
EARLIER, LATER = "Rehabiliteringskoordinering för sjukskrivna", CODES["GC001"].displays[-1].text


def values(answer: Json) -> dict[str, Any]:
    """Parameters by name; a parameter that repeats, or has parts, as a list of those."""
    found: dict[str, Any] = {}
    for each in answer["parameter"]:
        value = next((value for name, value in each.items() if name.startswith("value")), None)
        if value is None:
            found.setdefault(each["name"], []).append(values({"parameter": each["part"]}))
        else:
            found[each["name"]] = value
    return found


async def ask(client: "httpx.AsyncClient", address: str, **asked: str) -> dict[str, Any]:
    """An operation by GET and by POST, which answer alike."""
    got = await client.get(f"/fhir/{address}", params=asked)
    stated = [{"name": name, "valueString": value} for name, value in asked.items()]
    posted = await client.post(f"/fhir/{address}", json={"resourceType": "Parameters", "parameter": stated})
    assert (got.status_code, posted.status_code) == (200, 200), got.text + posted.text
    assert got.json() == posted.json()
    assert r4.check(got.json()) == ()
    return values(got.json())


# ---- The artefacts -----------------------------------------------------------------------------------------------


GUIDE: Final = [each for each in guide.bodies() if each.partition("/")[0] in guide.TYPES]


@pytest.mark.parametrize("reference", GUIDE)
async def test_every_artefact_is_read_as_committed(flow: "Flow", reference: str) -> None:
    answer = await flow.reader.get(f"/fhir/{reference}")

    assert answer.status_code == 200
    assert answer.content == guide.bodies()[reference]
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"


@pytest.mark.parametrize(
    "address",
    [
        *GUIDE,
        *guide.TYPES,
        f"ValueSet/$expand?url={BASE}/ValueSet/kva",
        f"ValueSet/$validate-code?url={BASE}/ValueSet/kva&system={KVA.fhir}&code=GC001",
        f"CodeSystem/$lookup?system={KVA.fhir}&code=GC001",
        f"ConceptMap/activity-kind-to-kva/$translate?system={ACTIVITY_KIND}&code=trepartsmote",
    ],
)
async def test_it_says_the_same_as_xml(flow: "Flow", address: str) -> None:
    told = await flow.reader.get(f"/fhir/{address}")
    xml = await flow.reader.get(f"/fhir/{address}", headers={"Accept": "application/fhir+xml"})

    assert (told.status_code, xml.status_code) == (200, 200)
    assert xml.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert _lasting(orjson.loads(to_json(xml.content))) == _lasting(told.json())


def _lasting(content: Json) -> Json:
    """Without what each expansion has of its own."""
    for name in ("identifier", "timestamp"):
        content.get("expansion", {}).pop(name, None)
    return content


async def test_the_guide_is_searched(flow: "Flow") -> None:
    async def ids(address: str, **asked: str) -> list[str]:
        got = await flow.reader.get(f"/fhir/{address}", params=asked)
        posted = await flow.reader.post(f"/fhir/{address}/_search", data=asked)
        assert got.json()["entry"] == posted.json()["entry"] if "entry" in got.json() else "entry" not in posted.json()
        return [each["resource"]["id"] for each in got.json().get("entry", ())]

    assert await ids("CodeSystem", url=KVA.fhir) == ["kva"]
    assert await ids("StructureDefinition", name="rekocons") == ["reko-consent"]
    assert await ids("ValueSet", _id="kva,plan-kind") == ["kva", "plan-kind"]
    assert await ids("SearchParameter", status="draft") == []
    assert await ids("OperationDefinition", version="0.1.0") == [
        "careplan-hand-over",
        "careplan-patient-document",
        "careplan-release",
        "consent-decide",
        "episode-everything",
        "sick-leave-overview",
    ]
    assert await ids("ConceptMap", title="slag av") == ["activity-kind-to-kva"]
    assert await ids("ConceptMap", **{"source-code": "plan"}) == ["activity-kind-to-kva"]
    assert await ids("CodeSystem", code="GC001") == ["kva"]
    assert await ids("CodeSystem", url=KVA.fhir, version="|0.1.0") == ["kva"]
    assert await ids("CodeSystem", url=KVA.fhir, version="urn:a|0.1.0") == []
    assert await ids("StructureDefinition", type="Consent") == ["reko-consent"]
    assert await ids("StructureDefinition", kind="resource", base=f"{R4}/Goal") == ["reko-goal"]
    assert await ids("StructureDefinition", **{"url:below": f"{BASE}/StructureDefinition", "type": "Goal"}) == [
        "reko-goal"
    ]
    assert await ids("StructureDefinition", **{"name:exact": "rekoconsent"}) == []
    assert await ids("StructureDefinition", **{"name:contains": "consent", "kind": "resource"}) == ["reko-consent"]
    assert await ids("SearchParameter", base="Task", **{"date:missing": "false"}) == ["answer-due"]
    assert await ids("SearchParameter", _sort="-name") == ["ongoing", "episode-of-care", "answer-due"]
    assert await ids("SearchParameter", date="lt2026", _lastUpdated="gt2026") == []
    assert await ids("ValueSet", _id="kva", _lastUpdated="ge2026-01-01", _totalMethod="count", _format="json") == [
        "kva"
    ]


async def test_a_part_of_the_guide_says_that_it_is_one(flow: "Flow") -> None:
    found = await flow.reader.get("/fhir/CodeSystem?_id=kva&_elements=name&_elements=title")
    (entry,) = found.json()["entry"]
    read = await flow.reader.get("/fhir/CodeSystem/kva?_elements=name,title")
    assert read.json() == entry["resource"]
    assert read.json()["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert {"name", "title"} <= set(read.json())
    assert "concept" not in read.json()
    counted = (await flow.reader.get("/fhir/CodeSystem?_summary=count")).json()
    assert ("entry" in counted, counted["total"]) == (False, len(guide.of_type("CodeSystem")))


async def test_who_has_an_artefact_is_not_sent_it_again(flow: "Flow") -> None:
    tag = (await flow.reader.get("/fhir/CodeSystem/kva")).headers["etag"]
    assert tag != (await flow.reader.get("/fhir/ValueSet/kva")).headers["etag"]
    for stated, status in ((tag, 304), (f'W/"x", {tag}', 304), ("*", 304), ('W/"x"', 200)):
        answer = await flow.reader.get("/fhir/CodeSystem/kva", headers={"If-None-Match": stated})
        assert (answer.status_code, answer.headers["etag"]) == (status, tag)


async def test_what_a_lenient_client_asks_in_vain_is_told(flow: "Flow") -> None:
    lenient = {"Prefer": "handling=lenient"}
    bundle = (await flow.reader.get("/fhir/ValueSet?_id=kva&colour=blue", headers=lenient)).json()
    assert [each["search"]["mode"] for each in bundle["entry"]] == ["match", "outcome"]
    assert bundle["link"][0]["url"] == "http://reko/fhir/ValueSet?_id=kva"


async def test_pages_lead_through_all(flow: "Flow") -> None:
    address, seen, total = "/fhir/CodeSystem?_count=5", [], 0
    while address:
        bundle = (await flow.reader.get(address)).json()
        seen += [each["resource"]["id"] for each in bundle["entry"]]
        total = bundle["total"]
        links = {each["relation"]: each["url"] for each in bundle["link"]}
        address = links.get("next", "")

    assert len(seen) == total == len(guide.of_type("CodeSystem"))
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "StructureDefinition/none", 404),
        ("GET", "StructureDefinition?colour=x", 400),
        ("GET", "StructureDefinition?url:exact=x", 400),
        ("GET", "StructureDefinition?_include=StructureDefinition:base", 400),
        ("GET", "CodeSystem/kva?_summary=count", 400),
        ("GET", "CodeSystem/kva?_elements=colour", 400),
        ("GET", "CodeSystem?_count=many", 400),
        ("POST", "StructureDefinition", 405),
        ("PUT", "StructureDefinition/reko-goal", 405),
        ("DELETE", "CodeSystem/kva", 405),
        ("PUT", "StructureDefinition?url=x", 405),
        ("PATCH", "StructureDefinition?url=x", 405),
        ("DELETE", "StructureDefinition?url=x", 405),
        ("GET", "StructureDefinition/_history", 405),
        ("GET", "StructureDefinition/reko-goal/_history", 405),
        ("GET", "StructureDefinition/reko-goal/_history/1", 405),
    ],
)
async def test_what_is_not_done(flow: "Flow", method: str, address: str, status: int) -> None:
    answer = await flow.coordinator.request(method, f"/fhir/{address}", json={"resourceType": "StructureDefinition"})

    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_who_may_read_and_what_is_logged(flow: "Flow") -> None:
    rows = flow.rows("SELECT count(*) FROM access_log")
    for address in ("ValueSet/kva", "ValueSet", "ValueSet/kva/$expand"):
        assert (await flow.nobody.get(f"/fhir/{address}")).status_code == 401
        assert (await flow.stranger.get(f"/fhir/{address}")).status_code == 200

    assert flow.rows("SELECT count(*) FROM access_log") == rows


async def test_it_is_announced(flow: "Flow") -> None:
    statement = (await flow.nobody.get("/fhir/metadata")).json()
    stated = {each["type"]: each for each in statement["rest"][0]["resource"]}

    assert set(guide.TYPES) <= set(stated)
    assert [each["name"] for each in stated["ValueSet"]["operation"]] == ["validate-code", "expand"]
    for type in guide.TYPES:
        assert {each["name"] for each in stated[type]["searchParam"]} == {*SPECIAL, *PARAMETERS[type]}


# ---- Words -------------------------------------------------------------------------------------------------------


async def test_lookup_says_what_the_word_was(flow: "Flow") -> None:
    def asked(**more: str) -> Any:
        return ask(flow.reader, "CodeSystem/$lookup", system=KVA.fhir, code="GC001", **more)

    now, before, english = await asked(), await asked(date="2024-06-19"), await asked(displayLanguage="en")
    on_the_day = await asked(date="2024-06-20")

    assert (now["display"], on_the_day["display"], before["display"]) == (LATER, LATER, EARLIER)
    assert english["display"].startswith("Rehabilitation coordination")
    assert [each["value"] for each in now["designation"] if each["language"] == "sv"] == [EARLIER, LATER]
    assert {"code": "source", "value": CODES["GC001"].displays[-1].source} in now["property"]


async def test_lookup_by_coding_and_by_another_spelling(flow: "Flow") -> None:
    coding = {"system": KVA.also[0], "code": "AW020"}
    body = {"resourceType": "Parameters", "parameter": [{"name": "coding", "valueCoding": coding}]}
    posted = await flow.reader.post("/fhir/CodeSystem/$lookup", json=body)
    got = await flow.reader.get("/fhir/CodeSystem/$lookup", params={"coding": f"{KVA.fhir}|AW020"})

    assert posted.json() == got.json()
    assert {"code": "validFrom", "value": "2021-01-01"} in values(got.json())["property"]


async def test_codes_are_validated(flow: "Flow") -> None:
    system = {"url": OCCUPATION, "code": "STUDIER"}

    assert (await ask(flow.reader, "CodeSystem/$validate-code", **system))["result"] is True
    assert (await ask(flow.reader, "CodeSystem/$validate-code", **system, display="Studies"))["result"] is True
    wrong = await ask(flow.reader, "CodeSystem/$validate-code", **system, display="Arbete")
    assert (wrong["result"], wrong["display"]) == (False, "Studier")
    assert (await ask(flow.reader, "CodeSystem/kva/$validate-code", code="GC001", display=EARLIER))["result"] is True
    assert (await ask(flow.reader, "CodeSystem/kva/$validate-code", code="XX999"))["result"] is False
    other = await ask(flow.reader, "CodeSystem/kva/$validate-code", system=OCCUPATION, code="STUDIER")
    assert other["result"] is False


async def test_members_of_value_sets_are_validated(flow: "Flow") -> None:
    address = "ValueSet/information-category/$validate-code"

    assert (await ask(flow.reader, address, code="diagnosis"))["result"] is True
    assert (await ask(flow.reader, address, code="diagnosis", system=INFORMATION_CATEGORY))["result"] is True
    assert (await ask(flow.reader, address, code="diagnosis", system=ACTIVITY_KIND))["result"] is False
    purpose = {
        "url": f"{BASE}/ValueSet/consent-purpose",
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    }
    assert (await ask(flow.reader, "ValueSet/$validate-code", **purpose, code="COC"))["result"] is True
    assert (await ask(flow.reader, "ValueSet/$validate-code", **purpose, code="HMARKT"))["result"] is False


async def test_one_right_coding_of_a_concept_is_enough(flow: "Flow") -> None:
    codings = [{"system": "http://example.org", "code": "x"}, {"system": KVA.fhir, "code": "DV077"}]
    stated = [{"name": "codeableConcept", "valueCodeableConcept": {"coding": codings}}]
    body = {"resourceType": "Parameters", "parameter": stated}

    answer = await flow.reader.post("/fhir/ValueSet/kva/$validate-code", json=body)

    assert values(answer.json())["result"] is True


async def test_value_sets_are_expanded(flow: "Flow") -> None:
    async def expansion(address: str, **asked: str) -> Json:
        answer = await flow.reader.get(f"/fhir/ValueSet/{address}", params=asked)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["expansion"])

    whole = await expansion("information-category/$expand")
    page = await expansion("information-category/$expand", count="2", offset="3")
    english = await expansion("$expand", url=f"{BASE}/ValueSet/kva", filter="contact", displayLanguage="en-GB")
    swedish = await expansion("$expand", url=f"{BASE}/ValueSet/kva", filter="SAMORDNAD")
    earlier = await expansion("kva/$expand", date="2022-01-01", includeDesignations="true")

    assert [each["code"] for each in whole["contains"]] == list(InformationCategory)
    assert whole["total"] == page["total"] == len(InformationCategory)
    assert page["contains"] == whole["contains"][3:5]
    assert [each["code"] for each in english["contains"]] == ["ZV506", "ZV502"]
    assert english["contains"][0]["display"] == "Contact with the employer by visit or telephone"
    assert [each["code"] for each in swedish["contains"]] == ["AU124", "UX301"]
    assert earlier["contains"][0]["display"] == EARLIER
    assert earlier["contains"][0]["designation"]
    assert (await expansion("kva/$expand", count="0"))["total"] == len(CODES)
    active = await expansion("kva/$expand", activeOnly="true", valueSetVersion="0.1.0")
    assert (active["total"], active["parameter"][-1]) == (len(CODES), {"name": "activeOnly", "valueBoolean": True})


@pytest.mark.parametrize("system", guide.of_type("CodeSystem"), ids=lambda each: str(each["id"]))
async def test_every_code_system_has_a_value_set_of_its_codes(flow: "Flow", system: Json) -> None:
    id = system["id"]
    codes = [each["code"] for each in system["concept"]]
    answer = await flow.reader.get("/fhir/ValueSet/$expand", params={"url": f"{BASE}/ValueSet/{id}"})

    assert answer.status_code == 200, answer.text
    assert [each["code"] for each in answer.json()["expansion"]["contains"]] == codes
    for code, result in ((codes[-1], True), ("none-of-it", False)):
        asked = {"system": system["url"], "code": code}
        assert (await ask(flow.reader, f"ValueSet/{id}/$validate-code", **asked))["result"] is result


async def test_kinds_are_translated_to_kva(flow: "Flow") -> None:
    def asked(code: str, **more: str) -> Any:
        return ask(flow.reader, "ConceptMap/$translate", system=ACTIVITY_KIND, code=code, **more)

    contact, unknown = await asked("employer-contact"), await asked("unheard-of")
    codes = {each["concept"]["code"]: each["concept"] for each in contact["match"]}

    assert (contact["result"], set(codes)) == (True, {"GC001", "ZV506"})
    assert codes["GC001"]["display"] == LATER
    assert codes["ZV506"]["extension"][0]["valueString"].startswith("kva-employer-contact")
    assert (unknown["result"], "match" in unknown) == (False, False)
    assert (await asked("employer-contact", targetsystem="http://snomed.info/sct"))["result"] is False
    named = await asked("plan", url=f"{BASE}/ConceptMap/activity-kind-to-kva")
    assert [each["concept"]["code"] for each in named["match"]] == ["GC001", "DV077", "AW020"]


async def test_translations_are_turned_round(flow: "Flow") -> None:
    turned = await ask(flow.reader, "ConceptMap/$translate", system=KVA.also[0], code="GC001", reverse="true")

    assert {each["equivalence"] for each in turned["match"]} == {"narrower"}
    assert len(turned["match"]) == 15


@pytest.mark.parametrize(
    ("address", "asked", "status"),
    [
        ("CodeSystem/$lookup", {"system": KVA.fhir, "code": "XX999"}, 404),
        ("CodeSystem/$lookup", {"system": "http://example.org", "code": "x"}, 404),
        ("CodeSystem/$lookup", {}, 400),
        ("CodeSystem/$lookup", {"system": KVA.fhir, "code": "GC001", "date": "2024"}, 400),
        ("CodeSystem/$lookup", {"system": KVA.fhir, "code": "GC001", "displayLanguage": "de"}, 400),
        ("CodeSystem/$lookup", {"system": KVA.fhir, "code": "GC001", "useSupplement": "x"}, 400),
        ("CodeSystem/$lookup", {"system": KVA.fhir, "code": "GC001", "version": "9.9"}, 404),
        ("CodeSystem/$lookup", {"system": KVA.fhir, "code": "GC001", "display": "x"}, 400),
        ("CodeSystem/$validate-code", {"url": "http://example.org", "code": "x"}, 404),
        ("CodeSystem/$validate-code", {"url": KVA.fhir, "code": "GC001", "version": "9.9"}, 404),
        ("CodeSystem/kva/$validate-code", {"code": "GC001", "version": "9.9"}, 404),
        ("ValueSet/kva/$validate-code", {"code": "GC001", "valueSetVersion": "9.9"}, 404),
        ("ValueSet/kva/$validate-code", {"code": "GC001", "version": "0.1.0"}, 400),
        ("ValueSet/kva/$expand", {"valueSetVersion": "9.9"}, 404),
        ("ValueSet/kva/$expand", {"activeOnly": "perhaps"}, 400),
        ("ValueSet/kva/$expand", {"excludeNested": "true"}, 400),
        ("ConceptMap/$translate", {"system": ACTIVITY_KIND, "code": "plan", "conceptMapVersion": "9.9"}, 404),
        ("ValueSet/none/$expand", {}, 404),
        ("ValueSet/$expand", {"url": f"{BASE}/ValueSet/kva|9.9"}, 404),
        ("ValueSet/kva/$expand", {"count": "-1"}, 400),
        ("ValueSet/kva/$expand", {"includeDesignations": "perhaps"}, 400),
        ("ConceptMap/$translate", {"url": "http://example.org", "code": "x"}, 404),
        ("ConceptMap/$translate", {"source": "http://example.org", "code": "x"}, 404),
    ],
)
async def test_what_cannot_be_answered(flow: "Flow", address: str, asked: dict[str, str], status: int) -> None:
    answer = await flow.reader.get(f"/fhir/{address}", params=asked)

    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_version_is_obeyed(flow: "Flow") -> None:
    lookup, validate = "CodeSystem/$lookup", "ValueSet/kva/$validate-code"
    code = {"system": KVA.fhir, "code": "GC001"}

    assert (await ask(flow.reader, lookup, **code, version="0.1.0"))["version"] == "0.1.0"
    assert (await ask(flow.reader, validate, **code, systemVersion="0.1.0", valueSetVersion="0.1.0"))["result"] is True
    assert (await ask(flow.reader, validate, **code, systemVersion="9.9"))["result"] is False
    translated = await ask(
        flow.reader, "ConceptMap/$translate", system=ACTIVITY_KIND, code="plan", conceptMapVersion="0.1.0"
    )
    assert translated["result"] is True
    for coding, result in ({**code, "version": "0.1.0"}, True), ({**code, "version": "9.9"}, False):
        body = {"resourceType": "Parameters", "parameter": [{"name": "coding", "valueCoding": coding}]}
        answer = await flow.reader.post(f"/fhir/{validate}", json=body)
        assert values(answer.json())["result"] is result


async def test_lookup_answers_the_properties_that_are_asked_for(flow: "Flow") -> None:
    async def asked(code: str, *wanted: str) -> tuple[set[str], set[str]]:
        query = {"system": KVA.fhir, "code": code, "property": wanted}
        found = values((await flow.reader.get("/fhir/CodeSystem/$lookup", params=query)).json())
        languages = {each["language"] for each in found.get("designation", ())}
        return languages, {each["code"] for each in found.get("property", ())}

    assert await asked("AW020", "source") == (set(), {"source"})
    assert await asked("AW020", "source", "validFrom") == (set(), {"source", "validFrom"})
    assert await asked("GC001", "designation", "validFrom") == ({"sv", "en"}, set())
    assert await asked("GC001", "lang.en") == ({"en"}, set())
    twice = {"system": KVA.fhir, "code": ["GC001", "AW020"]}
    assert (await flow.reader.get("/fhir/CodeSystem/$lookup", params=twice)).status_code == 400


async def test_parameters_that_are_none(flow: "Flow") -> None:
    for body in (b"{", orjson.dumps({"resourceType": "Patient"}), orjson.dumps({"resourceType": "Parameters", "x": 1})):
        headers = {"content-type": "application/fhir+json"}
        answer = await flow.reader.post("/fhir/CodeSystem/$lookup", content=body, headers=headers)
        assert answer.status_code == 400


async def test_a_coding_of_another_kind_is_refused(flow: "Flow") -> None:
    for value in ({"valueBoolean": True}, {"valueQuantity": {"value": 1}}, {"valueInteger": 3}):
        body = {"resourceType": "Parameters", "parameter": [{"name": "coding", **value}]}
        assert (await flow.reader.post("/fhir/CodeSystem/$lookup", json=body)).status_code in (400, 404)
