"""`make bench`: what the service costs. Prints figures and ratios with the machine they were taken on; asserts nothing.

ready       from `reko serve` to the first 200 of /health/ready, and resident memory then and after the load
fsync       flushes a second of the disk under the database, which bounds a single writer without group commit
judge       a 1.8 KB Procedure judged, mapped and coded, in µs, beside fhir.resources alone
write       POST /fhir/Procedure, durable, 16 and 64 clients: requests/s, p50 and p99
read        GET /fhir/Procedure/<id>, each answer's access-log row durable before it leaves
mix         of Observations, 16 clients: half reads, a fifth creates, a fifth updates, a tenth deletes
transaction POST /fhir with a Bundle of two to four Observations that point at each other, durable, 64 clients
validate    POST /fhir/CarePlan/$validate, one client after the other, ms

The service has one core and the load another, where there are two.
"""

import argparse
import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from machine import free_port, machine

from service.security import token_hash

HOST: Final = "127.0.0.1"
UNIT: Final = "TSTNMT2321000156-E0001"
BASE: Final = "https://rekobryggan.example/fhir"


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    wanted = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        figures["fsync"] = _fsync(Path(home))
        figures["judge"] = _judge()
        figures |= asyncio.run(_served(Path(home), wanted.seconds))
    for name, part in figures.items():
        print(f"{name:12} " + "  ".join(f"{key} {value}" for key, value in part.items()))
    if wanted.json:
        print(json.dumps(figures))


def _fsync(home: Path) -> dict[str, Any]:
    with (home / "probe").open("wb") as file:
        began = time.perf_counter()
        for _ in range(300):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return {"flushes/s": round(300 / (time.perf_counter() - began))}


# One Procedure


def procedure(patient: str, number: str) -> dict[str, Any]:
    """An employer meeting as an EHR sends it, about 1.8 KB."""
    note = "Möte på arbetsplatsen med arbetsgivaren om anpassade arbetsuppgifter och arbetstider under nedtrappningen. "
    return {
        "resourceType": "Procedure",
        "identifier": [{"system": "urn:example:ehr:activity", "value": number}],
        "extension": [{"url": f"{BASE}/StructureDefinition/contact-mode", "valueCode": "visit"}],
        "status": "completed",
        "category": {"coding": [{"system": f"{BASE}/CodeSystem/activity-kind", "code": "employer-contact"}]},
        "subject": {"reference": f"Patient/{patient}", "display": "Synthetic"},
        "performedPeriod": {"start": "2026-11-20T09:00:00+01:00", "end": "2026-11-20T10:00:00+01:00"},
        "performer": [
            {
                "function": {"coding": [{"system": "urn:oid:1.2.752.116.1.3.6", "code": "203090"}]},
                "actor": {"identifier": {"system": "urn:oid:1.2.752.29.4.19", "value": "TSTNMT2321000156-P0001"}},
                "onBehalfOf": {"identifier": {"system": "urn:oid:1.2.752.29.4.19", "value": UNIT}},
            }
        ],
        "note": [{"text": note * 8}],
    }


def _judge() -> dict[str, Any]:
    from contracts.record import Document
    from fhir_mappings import activity, r4
    from service.rules import kva
    from service.settings import Settings

    region = Settings().regional_profile()
    body = json.dumps(procedure("p1", "a1"), ensure_ascii=False).encode()
    model: Any = r4.model("Procedure")

    def ours() -> None:
        document = Document(r4.parse(body, expected="Procedure"), body)
        activity.with_codes(document, kva.code(activity.from_fhir(document.content), region))

    parse, whole = _micros(lambda: r4.parse(body)), _micros(ours)
    theirs = _micros(lambda: model.model_validate_json(body))
    return {
        "bytes": len(body),
        "judged µs": parse,
        "judged+mapped+coded µs": whole,
        "fhir.resources µs": theirs,
        "ratio": f"{theirs / whole:.1f}",
    }


def _micros(work: Callable[[], object]) -> float:
    rounds = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(200):
            work()
        rounds.append((time.perf_counter() - began) / 200 * 1e6)
    return round(statistics.median(rounds), 1)


# The service under load


async def _served(home: Path, seconds: float) -> dict[str, Any]:
    token, port = secrets.token_urlsafe(24), free_port()
    began = time.perf_counter()
    service = subprocess.Popen(
        [Path(sys.executable).parent / "reko", "serve"], env=_environment(home, token, port), stderr=subprocess.DEVNULL
    )
    _apart(service.pid)
    try:
        await _until_ready(port, service)
        ready = time.perf_counter() - began
        figures: dict[str, Any] = {"ready": {"seconds": f"{ready:.2f}", "resident MB": _resident(service.pid)}}
        patients = [await _patient(port, token) for _ in range(50)]
        made: list[str] = []
        for clients in (16, 64):
            numbers = (f"{clients}-{index}" for index in range(10**9))
            requests = (_post(token, patients[index % 50], number) for index, number in enumerate(numbers))
            figures[f"write x{clients}"] = await _load(service.pid, port, requests, clients, seconds, made)
        reads = (_get(token, f"/fhir/Procedure/{made[index % len(made)]}") for index in range(10**9))
        figures["read x16"] = await _load(service.pid, port, reads, 16, seconds, [])
        mix = _Mix(token, patients[0])
        await _load(service.pid, port, (mix.create() for _ in range(10**9)), 16, seconds / 4, mix.made)
        figures["mix x16"] = await _load(service.pid, port, iter(mix.next, None), 16, seconds, mix.made)
        bundles = (_post_bundle(token, patients[index % 50], index) for index in range(10**9))
        figures["transaction x64"] = await _load(service.pid, port, bundles, 64, seconds, [])
        figures["validate x1"] = await _load(
            service.pid, port, iter(lambda: _post_plan(token, patients[0]), None), 1, seconds / 4, []
        )
        figures["after"] = {"resident MB": _resident(service.pid), "Procedures": len(made)}
        return figures
    finally:
        service.terminate()
        service.wait(10)


def _apart(service: int) -> None:
    """The service on one core, the load on the others."""
    first, *others = sorted(os.sched_getaffinity(0))
    if others:
        os.sched_setaffinity(service, {first})
        os.sched_setaffinity(0, set(others))


def _environment(home: Path, token: str, port: int) -> dict[str, str]:
    clients = home / "clients.toml"
    clients.write_text(
        f'[[client]]\ntoken_sha256 = "{token_hash(token)}"\nemployee = "TSTNMT2321000156-P0001"\n'
        f'commission = "TSTNMT2321000156-M0001"\ncare_unit = "{UNIT}"\ncare_provider = "TSTNMT2321000156-S0001"\n'
        'rights = ["fhir.read", "fhir.write"]\n'
    )
    return {
        **os.environ,
        "REKO_DATA": str(home / "data"),
        "REKO_CLIENTS": str(clients),
        "REKO_PORT": str(port),
        # A platform that nobody answers for: events are promised, as in real use, and wait.
        "REKO_ADAPTERS__REGIONAL_PLATFORM__URL": "http://127.0.0.1:9",
    }


async def _load(
    pid: int, port: int, requests: Iterator[bytes], clients: int, seconds: float, made: list[str]
) -> dict[str, Any]:
    """A closed loop: each client sends its next request when it has the answer. ``cpu µs`` is what the service used of a
    processor for each, whoever else the machine works for."""
    times: list[float] = []
    used = _processor(pid)
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        while (began := time.perf_counter()) < end:
            writer.write(next(requests))
            status, headers, _ = await _answer(reader)
            times.append(time.perf_counter() - began)
            if status not in (200, 201, 204):
                raise SystemExit(f"the service answered {status}")
            if "location" in headers:
                made.append(headers["location"].split("/")[-3])
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    times.sort()
    return {
        "cpu µs": round((_processor(pid) - used) / len(times) * 1e6),
        "requests/s": round(len(times) / seconds),
        "p50 ms": f"{times[len(times) // 2] * 1e3:.1f}",
        "p99 ms": f"{times[len(times) * 99 // 100] * 1e3:.1f}",
    }


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(head[0].split()[1]), headers, body


def observation(patient: str, value: int, **more: Any) -> dict[str, Any]:
    """A score as an EHR sends it, about 0.6 KB."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": "urn:example:ehr:category", "code": "survey"}]}],
        "code": {"coding": [{"system": "urn:example:ehr:score", "code": "ability-to-work"}], "text": "Arbetsförmåga"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-11-20T09:00:00+01:00",
        "valueQuantity": {"value": value, "unit": "p", "system": "http://unitsofmeasure.org", "code": "1"},
        "note": [{"text": "Skattad vid samtal på mottagningen, tillsammans med patienten."}],
        **more,
    }


class _Mix:
    """Reads, updates and deletes hit what was made and not yet deleted. What one client deletes another may be asking for:
    so each resource is deleted only when it has left the list."""

    def __init__(self, token: str, patient: str) -> None:
        self.token, self.patient = token, patient
        self.made: list[str] = []
        self.turn = 0

    def create(self) -> bytes:
        """A new one."""
        self.turn += 1
        body = json.dumps(observation(self.patient, self.turn), ensure_ascii=False)
        return _request("POST", "/fhir/Observation", self.token, body.encode())

    def next(self) -> bytes:
        """The next request of the mix."""
        kind = "RCRURDRCRU"[self.turn % 10]
        if kind == "C":
            return self.create()
        self.turn += 1
        if kind == "D":
            return _request("DELETE", f"/fhir/Observation/{self.made.pop(0)}", self.token, b"")
        id_ = self.made[-1 - self.turn % min(500, len(self.made) // 2)]
        if kind == "R":
            return _get(self.token, f"/fhir/Observation/{id_}")
        body = json.dumps(observation(self.patient, self.turn, id=id_), ensure_ascii=False)
        return _request("PUT", f"/fhir/Observation/{id_}", self.token, body.encode())


def _post_bundle(token: str, patient: str, number: int) -> bytes:
    names = [f"urn:uuid:00000000-0000-4000-8000-{index:012d}" for index in range(2 + number % 3)]
    resources = [observation(patient, number)] + [
        observation(patient, number, derivedFrom=[{"reference": names[0]}]) for _ in names[1:]
    ]
    entry = [
        {"fullUrl": name, "resource": resource, "request": {"method": "POST", "url": "Observation"}}
        for name, resource in zip(names, resources, strict=True)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    return _request("POST", "/fhir", token, json.dumps(bundle, ensure_ascii=False).encode())


def _post_plan(token: str, patient: str) -> bytes:
    step = {"status": "scheduled", "description": "Återgång på deltid enligt trappan, med stöd av arbetsgivaren."}
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": [{"coding": [{"system": f"{BASE}/CodeSystem/plan-kind", "code": "rehabiliteringsplan"}]}],
        "title": "Rehabiliteringsplan",
        "subject": {"reference": f"Patient/{patient}"},
        "period": {"start": "2026-11-20", "end": "2027-02-20"},
        "author": {"identifier": {"system": "urn:oid:1.2.752.29.4.19", "value": UNIT}},
        "activity": [{"detail": step} for _ in range(12)],
    }
    return _request("POST", "/fhir/CarePlan/$validate", token, json.dumps(plan, ensure_ascii=False).encode())


def _post(token: str, patient: str, number: str) -> bytes:
    return _request(
        "POST", "/fhir/Procedure", token, json.dumps(procedure(patient, number), ensure_ascii=False).encode()
    )


def _get(token: str, path: str) -> bytes:
    return _request("GET", path, token, b"")


def _request(method: str, path: str, token: str, body: bytes) -> bytes:
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _patient(port: int, token: str) -> str:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(_request("POST", "/fhir/Patient", token, b'{"resourceType":"Patient","name":[{"text":"Synthetic"}]}'))
    _, _, body = await _answer(reader)
    writer.close()
    return str(json.loads(body)["id"])


async def _until_ready(port: int, service: subprocess.Popen[bytes]) -> None:
    while service.poll() is None:
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(f"GET /health/ready HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            status, _, _ = await _answer(reader)
            writer.close()
            if status == 200:
                return
        except OSError:
            await asyncio.sleep(0.005)
    raise SystemExit("the service did not start")


def _processor(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") // 1024 // 1024


if __name__ == "__main__":
    main()
