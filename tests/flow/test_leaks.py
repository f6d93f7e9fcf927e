"""A canary of each kind of personal data goes through every endpoint and every error: it comes out where it belongs alone.

Personal numbers, names and texts never reach a log, the metrics page, an address or an event's attributes; a diagnosis never
reaches a coordination record, an event or a message (decisions D10, D17; rule 25).
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import httpx
import orjson
import pytest

from adapters.mocking import Fault
from fhir_mappings.identifiers import CERTIFICATE_ID, ICD_10_SE, PERSONNUMMER
from service.telemetry import set_up_logging

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

NAME: Final = "Kanariefågel Hemlighetsson"
DIAGNOSIS: Final = "F438X"
NOTE: Final = "Kanarietext om maken"

NOISY: Final = ("httpx", "httpcore", "uvicorn.access")


@contextmanager
def everything_logged() -> Iterator[StringIO]:
    """What ``reko serve`` would write meanwhile, at the finest level."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *NOISY)}
    root.handlers[:] = []
    written = StringIO()
    with redirect_stderr(written):
        set_up_logging("DEBUG")
    try:
        yield written
    finally:
        root.handlers[:] = handlers
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


class Canary:
    """Somebody whose data must not get out, and the places that were looked at."""

    def __init__(self, flow: "Flow") -> None:
        self.flow = flow
        self.number = next(flow.people).number
        self.addresses: list[str] = []
        self.bodies: list[str] = []

    def spellings(self) -> list[str]:
        """The number as anybody may write it."""
        number = self.number
        return [number, number[2:], f"{number[:8]}-{number[8:]}", f"{number[2:8]}-{number[8:]}"]

    def secrets(self) -> list[str]:
        return [*self.spellings(), NAME, "Kanariefågel", NOTE, DIAGNOSIS]

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request whose answer's addresses are kept."""
        response = await self.flow.coordinator.request(method, path, **more)
        self.addresses += [response.headers.get(name, "") for name in ("Location", "X-Request-Id", "Content-Location")]
        if response.headers.get("content-type", "").startswith("application/fhir+json") and response.content:
            self.addresses += list(addresses_in(response.json()))
        if response.is_error:
            self.bodies.append(response.text)
        return response

    async def post(self, resource: Json) -> Json:
        response = await self.send("POST", f"/fhir/{resource['resourceType']}", json=resource)
        assert response.status_code in (200, 201), response.text
        stored: Json = response.json()
        return stored

    async def introduce(self) -> "Person":
        identifier = [{"system": PERSONNUMMER.fhir, "value": self.number}]
        form = {"resourceType": "Patient", "identifier": identifier, "name": [{"text": NAME}]}
        stored = await self.post(form)
        person = next(self.flow.people)
        return type(person)(self.number, NAME, stored["id"])


def addresses_in(node: Any) -> Iterator[str]:
    """Every address that an answer makes: links, full URLs, references."""
    if isinstance(node, dict):
        yield from (str(node[name]) for name in ("url", "fullUrl", "reference") if name in node)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from addresses_in(each)


def assert_silent(what: str, texts: list[str], secrets: list[str]) -> None:
    for secret in secrets:
        found = [text for text in texts if secret in text or secret in unquote(text)]
        assert not found, f"{what}: {len(found)} hits, the first one {found[0][:500]}"


@pytest.fixture
def canary(flow: "Flow") -> Canary:
    return Canary(flow)


async def everything_good(flow: "Flow", canary: Canary) -> "tuple[Person, str]":
    """The whole pipe, over both surfaces."""
    person = await canary.introduce()
    forms = flow.forms
    await canary.post(forms.coordination(person))
    disclosure = await canary.post(forms.disclosure(person))
    activity = await canary.post(
        forms.activity(
            person, identifier=[{"system": "urn:example:ehr", "value": f"k-{person.id}"}], note=[{"text": NOTE}]
        )
    )
    await canary.send("PUT", f"/fhir/Procedure/{activity['id']}", json={**activity, "language": "sv"})
    goal = await canary.post(forms.goal(person))
    await canary.post(forms.plan(person, f"Goal/{goal['id']}", description=NOTE))
    certificate = flow.certify(person, id=f"intyg-{person.id}", diagnosis=DIAGNOSIS, patient_name=NAME)
    await canary.send("POST", f"/api/units/{flow.UNIT}/pull")
    await canary.send("GET", f"/api/units/{flow.UNIT}/sick-leaves")
    asked = {"text": NAME, "sort": "number", "limit": 1}
    await canary.send("POST", f"/api/units/{flow.UNIT}/sick-leaves/_search", json=asked)
    await canary.send("PUT", f"/api/units/{flow.UNIT}/patients/{person.id}/reko-status", json={"status": "REKO_2"})
    for path in ("sick-leaves/summary", "sick-leaves/filters", f"patients/{person.id}/reko-status"):
        await canary.send("GET", f"/api/units/{flow.UNIT}/{path}")
    await canary.send("GET", f"/fhir/{forms.refs['unit']}/$sick-leave-overview")
    request = await canary.post(forms.request(person, certificate))
    about = f"CommunicationRequest/{request['id']}"
    await flow.until(about, "delivered")
    patient = {"personalNumber": canary.number, "name": NAME}
    done = {"kinds": ["personal-support"], "performedAt": "2026-11-02T10:00:00+01:00", "note": NOTE}
    await canary.send("POST", "/api/activities", json={"patient": patient, **done})
    asked = {"patient": patient, "recipient": {"kind": "forsakringskassan"}, "categories": ["assumed_rehab_need"]}
    await canary.send("POST", "/api/consent/decision", json=asked)
    for type in ("Patient", "Procedure", "Consent", "CarePlan", "Observation", "DocumentReference", "EpisodeOfCare"):
        await canary.send("GET", f"/fhir/{type}?_count=500")
    await every_interaction(canary, person)
    criteria = {"identifier": f"{PERSONNUMMER.fhir}|{canary.number}", "name": NAME, "_count": "1"}
    await canary.send("POST", "/fhir/Patient/_search", data=criteria)
    for path in (f"trace/{person.id}", f"trace/{request['id']}", "outbox"):
        await canary.send("GET", f"/api/{path}")
    await canary.send("POST", f"/api/consents/{disclosure['id']}/withdrawal")
    await flow.quiet()
    return person, about


async def every_interaction(canary: Canary, person: "Person") -> None:
    """Where data about somebody may be shown, and where it may be put in a condition."""
    national = f"identifier={PERSONNUMMER.fhir}|{canary.number}"
    change = {"name": [{"text": NAME}], "active": True}
    await canary.send("PATCH", f"/fhir/{person.reference}", json=change)
    for path in (
        f"{person.reference}/$everything?_count=1",
        f"{person.reference}/_history?_count=1",
        "_history?_count=3",
    ):
        await canary.send("GET", f"/fhir/{path}")
    subject = {"reference": f"Patient?{national}"}
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": NOTE}, "subject": subject}
    request = {"method": "POST", "url": "Goal", "ifNoneExist": f"patient={person.id}&category=none"}
    for type in ("transaction", "batch"):
        entry = [{"resource": goal, "request": request}, {"request": {"method": "GET", "url": person.reference}}]
        await canary.send("POST", "/fhir", json={"resourceType": "Bundle", "type": type, "entry": entry})
    await canary.send("POST", "/fhir/Goal/$validate", json={**goal, "subject": {"reference": person.reference}})


def bundled(method: str, url: str, resource: object = None, **request: object) -> Json:
    body = {"resource": resource} if resource is not None else {}
    return {**body, "request": {"method": method, "url": url, **request}}


async def every_bad_interaction(canary: Canary, person: "Person") -> None:
    """The same data in every kind of mistake that a change, a bundle or an operation can hold."""
    number, path = canary.number, f"/fhir/{person.reference}"
    patches: list[object] = [
        [{"op": "replace", "path": f"/{number}", "value": NAME}],
        [{"op": "test", "path": "/birthDate", "value": number}],
        [{"op": "test", "path": "/name", "value": NAME}],
        [{"op": "add", "path": "/birthDate", "value": number}],
        [{"op": NAME, "path": number}],
        {number: NAME},
        {"birthDate": NAME},
        {"id": number},
    ]
    for patch in patches:
        assert (await canary.send("PATCH", path, json=patch)).is_error
    entries = [
        bundled("PUT", f"Patient/{number}", {"resourceType": "Patient", "id": number}),
        bundled("DELETE", f"Patient?identifier={number}&{NAME}=1"),
        bundled("POST", "Patient", {"resourceType": "Patient", "birthDate": number}),
        bundled("POST", "Patient", {"resourceType": "Patient"}, ifNoneExist=f"{number}={NAME}"),
        bundled("POST", "Goal", {"resourceType": "Goal", "subject": {"reference": f"Patient?identifier=a|{number}"}}),
        bundled("GET", f"Patient/{number}"),
        bundled(NAME, number),
        bundled("PUT", f"{number}/{NAME}", {"resourceType": NAME}),
    ]
    for type in ("transaction", "batch"):
        for entry in entries:
            answer = await canary.send("POST", "/fhir", json={"resourceType": "Bundle", "type": type, "entry": [entry]})
            canary.bodies.append(answer.text)
    for body in ({"resourceType": "Patient", number: NAME}, {"resourceType": NAME}, [number]):
        canary.bodies.append((await canary.send("POST", "/fhir/Patient/$validate", json=body)).text)
    for query in (f"_since={NAME}", f"_at={NOTE}", f"{NAME}=1", f"_type={NAME}", f"start={NAME}"):
        await canary.send("GET", f"{path}/_history?{query}")
        await canary.send("GET", f"{path}/$everything?{query}")
    for name in ("If-Match", "If-None-Match", "Content-Type"):
        await canary.send("PUT", path, json={"resourceType": "Patient", "id": person.id}, headers={name: number})


async def everything_bad(flow: "Flow", canary: Canary, person: "Person") -> None:
    """The same data in every kind of mistake."""
    forms = flow.forms
    wrong = f"{canary.number[:-1]}{(int(canary.number[-1]) + 1) % 10}"
    condition = {"coding": [{"system": ICD_10_SE.fhir, "code": DIAGNOSIS, "display": NAME}]}
    bad: list[Json] = [
        {"resourceType": "Patient", "identifier": [{"system": PERSONNUMMER.fhir, "value": canary.number}], NAME: NOTE},
        {"resourceType": "Patient", "identifier": [{"system": PERSONNUMMER.fhir, "value": wrong}], "name": NAME},
        {
            "resourceType": "Patient",
            "identifier": [{"system": PERSONNUMMER.fhir, "value": canary.number}],
            "active": True,
        },
        {"resourceType": "Patient", canary.number: NAME, "birthDate": canary.number},
        {"resourceType": NAME},
        forms.activity(person, status=canary.number, note=[{"text": NOTE, canary.number: 1}]),
        forms.activity(person, reasonCode=[condition]),
        forms.activity(person, category=condition),
        forms.activity(person, subject={"reference": f"Patient/{canary.number}"}),
        forms.activity(person, extension=[{"url": canary.number}]),
        forms.activity(person, performedDateTime=NAME),
        forms.disclosure(person, categories=[NAME, DIAGNOSIS]),
        forms.request(person, payload=[{"contentString": NOTE}, {"contentString": NAME}]),
        forms.request(person, about=[{"identifier": {"system": CERTIFICATE_ID, "value": canary.number}}], status=NAME),
    ]
    for form in bad:
        type = form["resourceType"] if form["resourceType"] != NAME else "Patient"
        assert (await canary.send("POST", f"/fhir/{type}", json=form)).is_error
    await every_bad_interaction(canary, person)
    headers = {"Content-Type": "application/fhir+json"}
    half = orjson.dumps(bad[0])[:-20]
    await canary.send("POST", "/fhir/Patient", content=half, headers=headers)
    await canary.send("POST", "/fhir/Patient", content=NAME.encode("latin-1"), headers=headers)
    await canary.send("POST", "/fhir/Patient", json=bad[0], headers={"If-None-Exist": f"identifier={canary.number}"})
    await canary.send("PUT", f"/fhir/{person.reference}", json=bad[0], headers={"If-Match": canary.number})
    await canary.send("GET", "/fhir/Patient", headers={"X-Request-Id": canary.number, "Accept": canary.number})
    for written in canary.spellings():
        for path in ("/fhir/Patient/", "/fhir/Patient?name=", "/api/trace/", "/api/outbox?state=", "/", "/fhir/"):
            await canary.send("GET", path + written)
        search = {"patient": written, "date": written, written: written, "_sort": written}
        await canary.send("POST", "/fhir/Procedure/_search", data=search)
        await canary.send("POST", "/fhir/Procedure/_search", data={"patient": written, "code": written})
        overview = f"/api/units/{flow.UNIT}/sick-leaves"
        await canary.send("GET", f"{overview}?doctor={written}")
        await canary.send("POST", f"{overview}/_search", json={"gap": written, "status": [written], written: NAME})
        asked = [{"name": "mode", "valueString": written}, {"name": written, "valueString": NAME}]
        parameters = {"resourceType": "Parameters", "parameter": asked}
        await canary.send("POST", f"/fhir/{forms.refs['unit']}/$sick-leave-overview", json=parameters)
        lenient = {"Prefer": "handling=lenient"}
        await canary.send("POST", "/fhir/Patient/_search", data={written: written, NAME: NAME}, headers=lenient)
    patient = {"personalNumber": canary.number, "name": NAME}
    for given in (
        {"patient": {"personalNumber": wrong, "name": NAME}, "kinds": [NAME], canary.number: NOTE},
        {"patient": {**patient, canary.number: 1}, "kinds": ["plan"], "performedAt": canary.number},
        {"patient": {**patient, "id": canary.number}, "kinds": ["plan"], "performedAt": "2026-11-02T10:00:00Z"},
        {"patient": {"id": canary.number}, "kinds": ["plan"], "performedAt": "2026-11-02T10:00:00Z"},
    ):
        assert (await canary.send("POST", "/api/activities", json=given)).is_error
    await canary.send("POST", "/api/activities", content=half, headers={"Content-Type": "application/json"})


OTHER_SIDE: Final[list[Callable[[str], Fault]]] = [
    lambda secret: Fault(kind="result", error_id="VALIDATION_ERROR", text=f"patient {secret} saknas, '{NAME}'"),
    lambda secret: Fault(kind="result", text=f'fel för "{NAME}" {secret[:8]}-{secret[8:]}'),
    lambda secret: Fault(kind="result", result_code="INFO", text=f"mottaget för {secret}"),
    lambda secret: Fault(kind="soap-fault", text=f"Unmarshalling Error: {secret} {NAME}"),
    lambda secret: Fault(kind="soap-fault", text=f"VP009 {secret} {NAME}"),
    lambda secret: Fault(kind="nonsense", body=f"<html>{secret} {NAME}</html>"),
    lambda secret: Fault(kind="http", status=500),
]


async def the_other_side_repeats_it(flow: "Flow", canary: Canary, person: "Person") -> list[str]:
    """Answers that quote what was sent: what the outbox and the trace say of them."""
    await canary.post(flow.forms.disclosure(person))
    told = []
    for make in OTHER_SIDE:
        flow.order("forsakringskassan", make(canary.number))
        flow.order("intygstjanst", make(canary.number))
        request = await canary.post(flow.forms.request(person, f"intyg-{person.id}"))
        await flow.quiet()
        (message,) = flow.promised(f"CommunicationRequest/{request['id']}")
        await canary.send("POST", f"/api/units/{flow.UNIT}/pull")
        told += [(await canary.send("GET", path)).text for path in (f"/api/trace/{message.id}", "/api/outbox")]
        await canary.send("POST", f"/api/outbox/{message.id}/cancel", json={"why": "the next one"})
    return told


async def test_nothing_personal_comes_out_where_it_does_not_belong(flow: "Flow", canary: Canary) -> None:
    with everything_logged() as written:
        person, about = await everything_good(flow, canary)
        await everything_bad(flow, canary, person)
        told = await the_other_side_repeats_it(flow, canary, person)
        metrics = (await flow.coordinator.get("/metrics")).text
    secrets = canary.secrets()
    lines = written.getvalue().splitlines()
    assert len(lines) > 10
    assert_silent("logs", lines, secrets)
    assert_silent("metrics", [metrics], secrets)
    assert_silent("addresses", canary.addresses, secrets)
    assert len(canary.bodies) > 50
    assert_silent("errors", canary.bodies, secrets)
    assert_silent("reasons", told, secrets)

    events = [orjson.loads(entry.request) for entry in flow.ledger("regional_platform") if entry.accepted]
    assert len(events) >= 3
    assert_silent("events", [str(event) for event in events], secrets)

    # The message to Försäkringskassan names the patient, and no diagnosis.
    sent = [entry.request for entry in flow.ledger() if entry.accepted]
    assert any(canary.number in request for request in sent)
    assert_silent("messages", sent, [DIAGNOSIS, NOTE])
    (message,) = flow.promised(about)
    assert message.id in sent[0]


async def test_a_diagnosis_stays_with_its_certificate(flow: "Flow", canary: Canary) -> None:
    person, _ = await everything_good(flow, canary)
    bodies = flow.rows("SELECT type, body FROM history JOIN resource USING (rid) WHERE patient = ?", person.id)
    assert {type for type, _ in bodies} >= {"Procedure", "Communication", "DocumentReference", "Observation"}
    assert_silent("records", [body.decode() for _, body in bodies], [DIAGNOSIS])
    outbox = flow.rows("SELECT payload, reason FROM outbox WHERE patient = ?", person.id)
    assert_silent("promises", [f"{payload} {reason}" for payload, reason in outbox], [DIAGNOSIS])
    for system in ("regional_platform", "ehr", "forsakringskassan"):
        assert_silent(system, [entry.request for entry in flow.ledger(system)], [DIAGNOSIS])


async def test_a_failure_of_ours_tells_its_number_alone(flow: "Flow", canary: Canary) -> None:
    """An unforeseen error in the middle of a request: the caller gets a number, the log gets kind and place."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot handle {canary.number} {NAME}")

    person = await canary.introduce()
    with pytest.MonkeyPatch.context() as patch, everything_logged() as written:
        patch.setattr("service.usecases.record_activity.kva.code", fail)
        answer = await canary.send("POST", "/fhir/Procedure", json=flow.forms.activity(person))
        over_http = httpx.ASGITransport(app=flow.app, raise_app_exceptions=False)
        token = {"Authorization": "Bearer token-of-coordinator"}
        async with httpx.AsyncClient(transport=over_http, base_url="http://reko", headers=token) as client:
            done = {"kinds": ["plan"], "performedAt": "2026-11-02T10:00:00+01:00"}
            plain = await client.post("/api/activities", json={"patient": {"id": person.id}, **done})
    for response in (answer, plain):
        assert response.status_code == 500
        assert response.headers["X-Request-Id"] in response.text
        assert "Traceback" not in response.text
        assert_silent("answer", [response.text], canary.secrets())
    lines = written.getvalue().splitlines()
    assert any("RuntimeError" in line and "record_activity.py" in line for line in lines)
    assert_silent("logs", lines, canary.secrets())


async def test_what_a_library_says_of_an_exception_is_not_repeated() -> None:
    """A task of ours that nobody waits for: asyncio tells of it in its own words, with the exception's."""
    with everything_logged() as written:
        error = RuntimeError(f"cannot handle {NAME}")
        context = {"message": "Task exception was never retrieved", "exception": error, "future": error}
        asyncio.get_running_loop().default_exception_handler(context)
        logging.getLogger("uvicorn.error").error("Traceback (most recent call last):\n  RuntimeError: %s", NAME)
    lines = written.getvalue().splitlines()
    assert "Task exception was never retrieved" in lines[0]
    assert len(lines) == 2
    assert_silent("logs", lines, [NAME])
