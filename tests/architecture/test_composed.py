"""What docker/compose.yaml starts, started by the image's entry point outside of containers: two services and two workers on
one PostgreSQL, and the mock world. They are restarted one after the other while records come in."""

import asyncio
import importlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fhir_mappings.identifiers import PERSONNUMMER
from service.security import token_hash
from tests.postgres import Cluster

pytestmark = pytest.mark.anyio

DOCKER: Final = Path(__file__).parents[2] / "docker"
PATIENCE: Final = 120.0
"""Seconds to wait for anything."""
HEADERS: Final = {"Authorization": "Bearer t"}
DOCKERS: Final = "172.16.0.0/12, 192.168.0.0/16"
"""Where the composed find each other; here all are on this machine."""


class Container:
    """A process that stands for a container."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int) -> None:
        self.port = port
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """As a container starts."""
        self._process = subprocess.Popen([DOCKER / "entrypoint.sh", *self._command], env=self._environment)

    def until_ready(self) -> None:
        """Its health check says so."""
        assert self._process is not None
        address = f"http://127.0.0.1:{self.port}/health/ready" if self._command[0] != "mock" else self.address
        deadline = time.monotonic() + PATIENCE
        while subprocess.run(
            [DOCKER / "entrypoint.sh", "ready", address], env=self._environment, capture_output=True, check=False
        ).returncode:
            assert self._process.poll() is None, "it has ended"
            assert time.monotonic() < deadline
            time.sleep(0.3)

    def restart(self) -> None:
        """Stop, start, and be ready."""
        self.stop()
        self.start()
        self.until_ready()

    def stop(self) -> None:
        """As ``docker stop`` does."""
        if self._process is not None:
            self._process.terminate()
            assert self._process.wait(timeout=PATIENCE) in (0, -15)
            self._process = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _composed(home: Path, database: str) -> Iterator[dict[str, list[Container]]]:
    """Everything but the database, by its name in the compose file."""
    composed = importlib.import_module("yaml").safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    mock_port, clients = _free_port(), home / "clients.toml"
    example = (DOCKER / "clients.example.toml").read_text(encoding="utf-8")
    for token in ("t", "another"):
        example = example.replace('token_sha256 = ""', f'token_sha256 = "{token_hash(token)}"', 1)
    clients.write_text(example, encoding="utf-8")
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with ExitStack() as stack:
        made: dict[str, list[Container]] = {}
        for name in ("mocks", "reko", "worker"):
            service = composed["services"][name]
            made[name] = []
            for _ in range(service.get("deploy", {}).get("replicas", 1)):
                port = mock_port if name == "mocks" else _free_port()
                settings = {
                    key: value.replace("http://mocks:8090", f"http://127.0.0.1:{mock_port}").replace(
                        DOCKERS, "127.0.0.0/8"
                    )
                    for key, value in service.get("environment", {}).items()
                }
                settings |= {"REKO_DATABASE": database, "REKO_CLIENTS": f"{clients}"} if settings else {}
                more = ["--port", f"{port}"] if name == "mocks" else []
                command = [re.sub(r"^0\.0\.0\.0$", "127.0.0.1", each) for each in service["command"]] + more
                container = Container(command, path | settings | {"REKO_PORT": f"{port}"}, port)
                stack.callback(container.stop)
                made[name].append(container)
        containers = [each for several in made.values() for each in several]
        for container in containers:
            container.start()
        for container in containers:
            container.until_ready()
        yield made


async def test_restarting_one_after_the_other_under_load_loses_nothing(postgres: Cluster, tmp_path: Path) -> None:
    acknowledged: list[str] = []
    refused: list[int] = []
    with _composed(tmp_path, postgres.database(tmp_path)) as made:
        async with httpx.AsyncClient(headers=HEADERS, timeout=30, trust_env=False) as client:
            identifier = [{"system": PERSONNUMMER.fhir, "value": "198001019804"}]
            patient: dict[str, Any] = {"resourceType": "Patient", "identifier": identifier}
            answer = await client.post(f"{made['reko'][0].address}fhir/Patient", json=patient)
            assert answer.status_code == 201, answer.text
            loads = [
                asyncio.create_task(_records(client, made["reko"], answer.json()["id"], acknowledged, refused))
                for _ in range(3)
            ]
            for container in (*made["reko"], *made["worker"]):
                await asyncio.to_thread(container.restart)
            for load in loads:
                load.cancel()
            ended = await asyncio.gather(*loads, return_exceptions=True)
            assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
            assert len(acknowledged) > 10
            assert not [status for status in refused if status != 503]
            told = await _until_told(client, made["mocks"][0].address, acknowledged)
    assert sorted(told) == sorted(set(told)), "one was taken twice"
    assert set(acknowledged) <= set(told)
    postgres.drop(tmp_path)


async def _records(
    client: httpx.AsyncClient, services: list[Container], patient: str, acknowledged: list[str], refused: list[int]
) -> None:
    """One record after the other; whoever does not answer is left for the other, as a balancer does."""
    turn = 0
    while True:
        turn += 1
        given = {"patient": {"id": patient}, "kinds": ["employer-contact"], "mode": "visit", "performedAt": _NOW}
        with suppress(httpx.HTTPError):
            answer = await client.post(f"{services[turn % 2].address}api/activities", json=given)
            if answer.status_code == 201:
                acknowledged.append(answer.json()["resource"])
            else:
                refused.append(answer.status_code)
        await asyncio.sleep(0.05)


_NOW: Final = "2026-05-04T08:30:00Z"


async def _until_told(client: httpx.AsyncClient, mocks: str, acknowledged: list[str]) -> list[str]:
    """What the platform has taken, once nothing is missing."""
    deadline = time.monotonic() + PATIENCE
    while True:
        entries = (await client.get(f"{mocks}_control/ledger/regional_platform")).json()
        told = [each["summary"]["subject"] for each in entries if each["accepted"]]
        if set(acknowledged) <= set(told) or time.monotonic() > deadline:
            return told
        await asyncio.sleep(0.2)
