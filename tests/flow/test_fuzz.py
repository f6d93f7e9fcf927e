"""Whatever is sent, the answer is never that the service failed."""

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from service.fhir_api.resources import ROWS
from service.fhir_api.search.parameters import PARAMETERS

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow

Json = dict[str, Any]

FHIR: Final = {"Content-Type": "application/fhir+json"}
TYPES: Final = st.sampled_from(sorted(ROWS))
ANY_JSON: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.dates().map(str)
    | st.sampled_from(["Patient/1", "completed", "active", "urn:a", "2026-02-29", "9999-12-31", "0001-01-01", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "system", "reference", "value", "start", "end", "type", "text", "url"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def assert_no_failure(response: "httpx.Response") -> None:
    assert response.status_code < 500, response.text
    if response.is_error:
        assert response.json().get("resourceType") == "OperationOutcome" or response.json()["detail"]


@given(body=st.binary(max_size=200) | ANY_JSON.map(lambda value: json.dumps(value).encode()), type=TYPES)
@settings(max_examples=20, deadline=None)
async def test_any_body(service: "Flow", body: bytes, type: str) -> None:
    assert_no_failure(await service.coordinator.post(f"/fhir/{type}", content=body, headers=FHIR))
    assert_no_failure(await service.coordinator.put(f"/fhir/{type}/1", content=body, headers=FHIR))


WRITABLE: Final = ("activity", "disclosure", "coordination", "request", "plan", "goal")


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[list[float], Any]]:
    """Places in a resource, as shares of the way, and what is put there."""
    place = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6)
    return draw(st.lists(st.tuples(place, ANY_JSON), min_size=1, max_size=3))


def mutated(form: Json, changes: list[tuple[list[float], Any]]) -> Json:
    """The form with values put in place of others, or added."""
    copy: Json = json.loads(json.dumps(form))
    for place, value in changes:
        _put(copy, place, value)
    return copy


def _put(node: Any, place: list[float], value: Any) -> None:
    for depth, share in enumerate(place):
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = keys[int(share * len(keys))] if keys else None
        below = None if key is None else node[key]
        if key is not None and (depth == len(place) - 1 or not isinstance(below, dict | list) or not below):
            node[key] = value
        if not isinstance(below, dict | list) or not below:
            return
        node = below


@given(kind=st.sampled_from(WRITABLE), changes=mutations())
@settings(max_examples=50, deadline=None)
async def test_a_form_with_anything_anywhere(
    service: "Flow", kind: str, changes: list[tuple[list[float], Any]]
) -> None:
    person = await service.patient()
    form = service.forms.plan(person, "Goal/1") if kind == "plan" else getattr(service.forms, kind)(person)
    body = mutated(form, changes)
    content = json.dumps(body)
    assert_no_failure(await service.coordinator.post(f"/fhir/{form['resourceType']}", content=content, headers=FHIR))


CODES: Final = st.sampled_from(sorted({name for listed in PARAMETERS.values() for name in listed}))
NAMES: Final = st.one_of(
    CODES,
    st.sampled_from(["_id", "_lastUpdated", "_count", "_sort", "_total", "_summary", "_page", "_format", "_has:a:b"]),
    st.builds("{}:{}".format, CODES, st.sampled_from(["not", "missing", "exact", "contains", "Patient", "x", ""])),
    st.builds(
        "{}:{}".format, CODES, st.sampled_from(["text", "identifier", "of-type", "above", "below", "Patient.name"])
    ),
    st.builds("{}.{}".format, CODES, CODES),
    st.builds("_has:{}:{}:{}".format, TYPES, CODES, CODES),
    st.sampled_from(["_include", "_revinclude", "_include:iterate", "_revinclude:iterate", "_elements"]),
    st.text(max_size=10),
)
VALUES: Final = st.one_of(
    CODES,
    st.sampled_from(
        ["*", "Procedure:*", "Procedure:patient", "5|a|b", "ap5.4||mg", "1e99", "1e-99", "a$5", "a|b$ge5", "$"]
    ),
    st.text(max_size=20),
    st.dates().map(str),
    st.builds("{}{}".format, st.sampled_from(["ge", "lt", "sa", "ap", ""]), st.datetimes().map(lambda at: f"{at}Z")),
    st.sampled_from(["|", "||", "a|", "|a", ",", "\\", "\\,", "$", "9999", "0001", "true", "-1", "Patient/1", "\x00"]),
)


@given(type=TYPES, pairs=st.lists(st.tuples(NAMES, VALUES), max_size=4), lenient=st.booleans())
@settings(max_examples=50, deadline=None)
async def test_any_search(service: "Flow", type: str, pairs: list[tuple[str, str]], lenient: bool) -> None:
    query = "&".join(f"{quote(name, errors='replace')}={quote(value, errors='replace')}" for name, value in pairs)
    wish = {"Prefer": "handling=lenient"} if lenient else {}
    assert_no_failure(await service.coordinator.get(f"/fhir/{type}?{query}", headers=wish))
    form = {**wish, "Content-Type": "application/x-www-form-urlencoded"}
    assert_no_failure(await service.coordinator.post(f"/fhir/{type}/_search", content=query, headers=form))


@given(raw=st.binary(max_size=60), type=TYPES)
@settings(max_examples=20, deadline=None)
async def test_any_bytes_as_a_query(service: "Flow", raw: bytes, type: str) -> None:
    assert_no_failure(await service.coordinator.get(f"/fhir/{type}?{quote(raw)}"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert_no_failure(await service.coordinator.post(f"/fhir/{type}/_search", content=raw, headers=form))


@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "PUT", "DELETE", "HEAD"]))
@settings(max_examples=20, deadline=None)
async def test_any_address(service: "Flow", path: str, method: str) -> None:
    for surface in ("/fhir/", "/api/", "/"):
        response = await service.coordinator.request(method, surface + quote(path, errors="replace"))
        assert response.status_code < 500


API: Final[dict[str, Json]] = {
    "activities": {
        "patient": {"id": "1"},
        "kinds": ["plan"],
        "performedAt": "2026-11-02T10:00:00Z",
        "identifier": {"system": "a", "value": "b"},
    },
    "consents": {
        "patient": {"id": "1"},
        "kind": "disclosure",
        "givenAt": "2026-11-02T10:00:00Z",
        "how": "VERBAL",
        "recipient": {"kind": "employer", "organisationNumber": "5560000001"},
        "purposes": ["COC"],
        "categories": ["work_adjustments"],
        "firstDay": "2026-11-02",
        "lastDay": "2027-01-01",
    },
    "plans": {
        "patient": {"id": "1"},
        "kind": "sip",
        "title": "SIP",
        "goals": [{"description": "a", "tapering": [{"due": "2026-12-01", "degree": 50}]}],
        "measures": [{"description": "a", "owner": "b"}],
        "ledBy": "c",
    },
    "notifications": {
        "patient": {"id": "1"},
        "recipient": {"kind": "forsakringskassan"},
        "topic": "assumed-rehab-need",
        "parts": [{"category": "assumed_rehab_need", "text": "a"}],
    },
    "consent/decision": {
        "patient": {"id": "1"},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["assumed_rehab_need"],
    },
}


@given(path=st.sampled_from(sorted(API)), changes=mutations(), known=st.booleans())
@settings(max_examples=50, deadline=None)
async def test_anything_to_the_json_api(
    service: "Flow", path: str, changes: list[tuple[list[float], Any]], known: bool
) -> None:
    patient = {"id": (await service.patient()).id} if known else {"id": "1"}
    body = json.dumps(mutated({**API[path], "patient": patient}, changes))
    headers = {"Content-Type": "application/json"}
    assert_no_failure(await service.coordinator.post(f"/api/{path}", content=body, headers=headers))


@given(query=st.dictionaries(st.sampled_from(["state", "destination", "max_days_since_end"]), VALUES, max_size=3))
@settings(max_examples=15, deadline=None)
async def test_any_query_to_the_json_api(service: "Flow", query: dict[str, str]) -> None:
    assert_no_failure(await service.coordinator.get("/api/outbox", params=query))
    assert_no_failure(await service.coordinator.post("/api/units/nowhere/pull", params=query))
