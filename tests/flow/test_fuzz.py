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

PATHS: Final = st.sampled_from(
    ["/name", "/alias", "/alias/-", "/alias/0", "/alias/9", "/id", "", "/", "a", "/x/y", "/~2"]
)
PATCHES: Final = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "jump"]) | ANY_JSON},
    optional={"path": PATHS | ANY_JSON, "from": PATHS | ANY_JSON, "value": ANY_JSON},
)
TAGS: Final = st.sampled_from(
    ["active", "name", "given", "extension", "contained", "Patient", "text", "div", "id", "entry", "resource", "x"]
)
ELEMENTS: Final = st.recursive(
    st.builds("<{0} value='{1}'/>".format, TAGS, st.sampled_from(["", "true", "1", "01", "&lt;", "urn:a"])) | TAGS,
    lambda inner: st.builds("<{0} url='a'>{1}{2}</{0}>".format, TAGS, inner, inner),
    max_leaves=6,
)


@given(inner=ELEMENTS | st.text(max_size=20), type=st.sampled_from(["Patient", "Bundle", "Parameters", "x"]))
@settings(max_examples=60, deadline=None)
async def test_any_xml(service: "Flow", inner: str, type: str) -> None:
    body = f"<{type} xmlns='http://hl7.org/fhir'>{inner}</{type}>".encode()
    headers = {"Content-Type": "application/fhir+xml", "Accept": "application/fhir+xml"}
    for path in ("", "/Patient", "/Patient/$validate"):
        answer = await service.coordinator.post(f"/fhir{path}", content=body, headers=headers)
        assert answer.status_code < 500, answer.text
        assert answer.headers["content-type"].startswith("application/fhir+xml")


METHODS: Final = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
URLS: Final = st.one_of(
    st.builds("{}/{}".format, TYPES, st.sampled_from(["1", "2", "a b", "_history", "$validate", "1/_history/1"])),
    st.builds("{}?{}".format, TYPES, st.sampled_from(["identifier=urn:a|1", "_id=1", "x=1", "name:x=1", "&&", "%"])),
    TYPES,
    st.text(max_size=12),
)
PARTS: Final = st.fixed_dictionaries(
    {"method": METHODS | ANY_JSON, "url": URLS | ANY_JSON},
    optional={
        name: st.sampled_from(['W/"1"', "*", "x", "identifier=urn:a|1", "é"]) | ANY_JSON
        for name in ("ifMatch", "ifNoneMatch", "ifNoneExist", "ifModifiedSince")
    },
)
RESOURCES: Final = st.one_of(
    ANY_JSON,
    TYPES.map(lambda type: {"resourceType": type}),
    TYPES.map(lambda type: {"resourceType": type, "id": "1", "language": "sv"}),
    st.just({"resourceType": "Organization", "id": "1", "name": "a", "partOf": {"reference": "urn:uuid:1"}}),
    st.just({"resourceType": "Organization", "name": "a", "partOf": {"reference": "Organization?name=a"}}),
)
ENTRIES: Final = st.fixed_dictionaries(
    {}, optional={"fullUrl": st.just("urn:uuid:1") | ANY_JSON, "resource": RESOURCES, "request": PARTS | ANY_JSON}
)


@given(type=st.sampled_from(["batch", "transaction", "history"]), entries=st.lists(ENTRIES | ANY_JSON, max_size=4))
@settings(max_examples=60, deadline=None)
async def test_any_bundle(service: "Flow", type: str, entries: list[Json]) -> None:
    bundle = {"resourceType": "Bundle", "type": type, "entry": entries}
    answer = await service.coordinator.post("/fhir", content=json.dumps(bundle), headers=FHIR)
    assert_no_failure(answer)
    for entry in answer.json().get("entry", []):
        assert int(entry["response"]["status"]) < 500, answer.text


@given(content=st.binary(max_size=60) | (ANY_JSON | st.lists(PATCHES)).map(lambda value: json.dumps(value).encode()))
@settings(max_examples=60, deadline=None)
async def test_any_patch(service: "Flow", content: bytes) -> None:
    form = {"resourceType": "Organization", "id": "patched", "name": "a", "alias": ["b", "c"]}
    await service.coordinator.put("/fhir/Organization/patched", json=form)
    for media in ("application/json-patch+json", "application/merge-patch+json", "application/json"):
        headers = {"Content-Type": media}
        assert_no_failure(
            await service.coordinator.patch("/fhir/Organization/patched", content=content, headers=headers)
        )


@given(
    query=st.dictionaries(st.sampled_from(["_since", "_at", "_count", "_type", "start", "end", "_page", "x"]), VALUES)
)
@settings(max_examples=40, deadline=None)
async def test_any_history_and_everything(service: "Flow", query: dict[str, str]) -> None:
    person = await service.patient()
    for path in ("_history", "Patient/_history", f"{person.reference}/_history", f"{person.reference}/$everything"):
        assert_no_failure(await service.coordinator.get(f"/fhir/{path}", params=query))


@given(
    body=RESOURCES | ENTRIES,
    query=st.dictionaries(st.sampled_from(["mode", "profile", "x"]), st.text(max_size=8)),
    type=TYPES,
)
@settings(max_examples=40, deadline=None)
async def test_anything_is_validated(service: "Flow", body: object, query: dict[str, str], type: str) -> None:
    for path in (f"{type}/$validate", f"{type}/1/$validate"):
        answer = await service.coordinator.post(f"/fhir/{path}", params=query, content=json.dumps(body), headers=FHIR)
        assert_no_failure(answer)


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
