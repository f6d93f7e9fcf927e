"""Clients that others wrote, unmodified, over real HTTP: fhirpy, fhirclient (SMART), and schemathesis on the JSON API."""

import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
import pytest
import schemathesis
import uvicorn
from fhirclient.client import FHIRClient
from fhirclient.models.consent import Consent
from fhirclient.models.patient import Patient
from fhirclient.models.procedure import Procedure
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from contracts.record import Right
from fhir_mappings.identifiers import ACTIVITY_KIND, CONSENT_KIND, CONSENT_SCOPE, HSA_ID, KVA, LAW_2019_1297
from service.main import create_app
from service.security import token_hash
from service.settings import Settings

Json = dict[str, Any]

TOKEN: Final = "token-of-an-outside-client"
UNIT: Final = "TSTNMT2321000156-E0001"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A service of this module's own on a free port."""
    with TemporaryDirectory() as home, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(_settings(Path(home), base))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        started = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        started.start()
        while not server.started:
            assert started.is_alive()
        yield base
        server.should_exit = True
        started.join()


def _settings(home: Path, base: str) -> Settings:
    clients = home / "clients.toml"
    rights = ", ".join(f'"{right}"' for right in Right)
    clients.write_text(
        f'[[client]]\ntoken_sha256 = "{token_hash(TOKEN)}"\nemployee = "TSTNMT2321000156-P0001"\n'
        f'commission = "TSTNMT2321000156-U0001"\ncare_unit = "{UNIT}"\ncare_provider = "TSTNMT2321000156-S0001"\n'
        f"rights = [{rights}]\n",
        encoding="utf-8",
    )
    return Settings(data=home, database="", clients=clients, clock_url="", public_url=base, adapters={})


def _patient(name: str) -> Json:
    return {"resourceType": "Patient", "name": [{"text": name}], "identifier": [{"system": "urn:ehr", "value": name}]}


def _activity(patient: str, number: str) -> Json:
    return {
        "resourceType": "Procedure",
        "identifier": [{"system": "urn:ehr", "value": number}],
        "status": "completed",
        "category": {"coding": [{"system": ACTIVITY_KIND, "code": "employer-contact"}]},
        "subject": {"reference": patient},
        "performedDateTime": "2026-03-02T09:00:00+01:00",
    }


# ---- fhirpy ------------------------------------------------------------------------------------------------------


@pytest.fixture
def fhirpy(address: str) -> SyncFHIRClient:
    return SyncFHIRClient(f"{address}/fhir", authorization=f"Bearer {TOKEN}")


def made(fhirpy: SyncFHIRClient, content: Json) -> Any:
    return fhirpy.resource(content["resourceType"], **content)


def test_fhirpy_creates_reads_searches_and_updates(fhirpy: SyncFHIRClient) -> None:
    patient = made(fhirpy, _patient("fhirpy-1"))
    patient.save()
    activity = made(fhirpy, _activity(f"Patient/{patient.id}", "fhirpy-activity"))
    activity.save()

    assert activity["code"]["coding"][0]["code"] == "GC001"
    found = fhirpy.resources("Procedure").search(patient=patient.id, code=f"{KVA.fhir}|GC001").fetch_all()
    assert [each.id for each in found] == [activity.id]
    activity["note"] = [{"text": "Arbetsgivaren återkommer."}]
    activity.save()
    read = fhirpy.reference("Procedure", activity.id).to_resource()
    assert (read["note"], read["meta"]["versionId"]) == ([{"text": "Arbetsgivaren återkommer."}], "2")


def test_fhirpy_turns_pages(fhirpy: SyncFHIRClient) -> None:
    patient = made(fhirpy, _patient("fhirpy-3"))
    patient.save()
    for number in range(7):
        made(fhirpy, _activity(f"Patient/{patient.id}", f"fhirpy-page-{number}")).save()

    pages = fhirpy.resources("Procedure").search(patient=patient.id).limit(3)

    assert len(pages.fetch_all()) == 7
    assert len(pages.fetch()) == 3


def test_fhirpy_is_told_what_is_wrong(fhirpy: SyncFHIRClient) -> None:
    with pytest.raises(OperationOutcome) as refusal:
        fhirpy.resource("Consent", status="active").save()
    with pytest.raises(ResourceNotFound):
        fhirpy.reference("Patient", "nobody").to_resource()

    assert refusal.value.resource["issue"]


# ---- fhirclient --------------------------------------------------------------------------------------------------


@pytest.fixture
def smart(address: str) -> FHIRClient:
    client = FHIRClient(settings={"app_id": "reko", "api_base": f"{address}/fhir"})
    client.server.session.headers["Authorization"] = f"Bearer {TOKEN}"
    return client


def test_fhirclient_reads_the_statement(smart: FHIRClient) -> None:
    assert smart.server.capabilityStatement.fhirVersion == "4.0.1"


def test_fhirclient_creates_searches_and_updates(smart: FHIRClient) -> None:
    patient = Patient(_patient("fhirclient-1"))
    made = patient.create(smart.server)
    activity = Procedure(_activity(f"Patient/{made['id']}", "fhirclient-activity"))
    stored = Procedure(activity.create(smart.server))
    stored.status = "entered-in-error"
    stored.update(smart.server)

    found = Procedure.where(struct={"patient": made["id"]}).perform_resources_iter(smart.server)

    assert [(each.id, each.status) for each in found] == [(stored.id, "entered-in-error")]
    assert Patient.read(made["id"], smart.server).name[0].text == "fhirclient-1"


def test_fhirclient_records_a_consent(smart: FHIRClient) -> None:
    made = Patient(_patient("fhirclient-2")).create(smart.server)
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "treatment"}]},
        "category": [{"coding": [{"system": CONSENT_KIND, "code": "coordination"}]}],
        "patient": {"reference": f"Patient/{made['id']}"},
        "dateTime": "2026-03-02T09:20:00+01:00",
        "organization": [{"identifier": {"system": HSA_ID.fhir, "value": UNIT}}],
        "policy": [{"uri": LAW_2019_1297}],
    }

    stored = Consent(Consent(consent).create(smart.server))

    assert "Samtycke till koordineringsinsatser" in stored.text.div


# ---- HAPI's client, by what it writes --------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", ["{base}/Patient?{query}", "Patient?{query}", "{query}"])
def test_a_condition_may_be_a_whole_address(address: str, condition: str) -> None:
    query = "identifier=urn%3Aehr%7Cwhole-address%3F"
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "If-None-Exist": condition.format(base=f"{address}/fhir", query=query),
    }
    form = _patient("whole-address?")

    made = [httpx.post(f"{address}/fhir/Patient", json=form, headers=headers) for _ in range(2)]

    assert made[1].status_code == 200
    assert made[0].json()["id"] == made[1].json()["id"]


# ---- schemathesis ------------------------------------------------------------------------------------------------


def test_the_json_api_fails_on_nothing(address: str) -> None:
    bearer: Mapping[str, str] = {"Authorization": f"Bearer {TOKEN}"}
    schema = schemathesis.openapi.from_url(f"{address}/api/openapi.json")
    operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    assert len(operations) > 10

    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def is_answered(case: Any) -> None:
            answer = case.call(headers=bearer)
            assert answer.status_code < 500, answer.text

        is_answered()
