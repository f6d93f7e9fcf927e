"""The ``reko`` command beside a real service on a real socket: what it prints, what it exits with."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from typer.testing import CliRunner, Result

from adapters.mocking import NAMESPACE_HEADER
from contracts.identity import control_digit
from contracts.record import Right
from service.cli import app
from service.security import token_hash

Json = dict[str, Any]

UNIT: Final = "TSTNMT2321000156-E0001"
PROVIDER: Final = "TSTNMT2321000156-S0001"
TOKEN: Final = "token-of-an-operator"
NUMBER: Final = f"19700101980{control_digit('700101980')}"
RUN: Final = "from service.cli import main; main()"


def reko(*arguments: str, **environment: str) -> Result:
    """The command in this process, with these settings alone."""
    inherited = dict.fromkeys(name for name in os.environ if name.startswith("REKO_"))
    return CliRunner().invoke(app, arguments, env=inherited | environment)


# Without a service


def test_it_says_its_version() -> None:
    """The script that is installed, as people call it."""
    script = Path(sys.executable).with_name("reko")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == "0.1.0\n"
    assert done.stderr == ""


def test_a_worker_beside_sqlite_is_wrong_use() -> None:
    done = reko("worker")
    assert done.exit_code == 2
    assert "PostgreSQL" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["outbox"], ["pull"], ["outbox", "replay", "1"], ["up", "--port", "x"]]
)
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    assert reko(*arguments).exit_code == 2


BAD_SETTINGS: Final = [
    ({"REKO_PORT": "abc"}, "port"),
    ({"REKO_PORT": "70000"}, "port"),
    ({"REKO_DATABASE": "mysql://host/db"}, "REKO_DATABASE"),
    ({"REKO_CLIENTS": "/nowhere/clients.toml"}, "/nowhere/clients.toml"),
    ({"REKO_REGION": "atlantis"}, "REKO_REGION"),
    ({"REKO_CLOCK_URL": "http://example.org/clock"}, "REKO_CLOCK_URL"),
    ({"REKO_OUTBOX_SLOTS": "0"}, "outbox_slots"),
    ({"REKO_KEEP_WITHHELD_DAYS": "90"}, "there is no setting REKO_KEEP_WITHHELD_DAYS"),
    ({"reko_withheld_day": "7"}, "there is no setting reko_withheld_day"),
    ({"REKO_ADAPTERS_EHR__URL": "http://127.0.0.1"}, "there is no setting REKO_ADAPTERS_EHR__URL"),
    ({"REKO_WITHHELD_DAYS": "365"}, "at least a day longer than REKO_WITHHELD_DAYS"),
    ({"REKO_KEEP_DELIVERED_DAYS": "30.9"}, "at least a day longer than REKO_WITHHELD_DAYS"),
    ({"REKO_KEEP_CANCELLED_DAYS": "7"}, "at least a day longer than REKO_WITHHELD_DAYS"),
    ({"REKO_ADAPTERS": "no json"}, "adapters"),
    ({"REKO_ADAPTERS__NOWHERE__URL": "http://127.0.0.1"}, "nowhere"),
    ({"REKO_ADAPTERS__EHR__COLOUR": "blue"}, "adapters.ehr.colour"),
    ({"REKO_ADAPTERS__EHR__TIMEOUT_SECONDS": "-1"}, "adapters.ehr.timeout_seconds"),
    ({"REKO_ADAPTERS__BLOCK_SERVICE__URL": "http://blocks.example"}, "REKO_ADAPTERS__BLOCK_SERVICE: an address cannot"),
    ({"REKO_ADAPTERS__INTYGSTJANST__REST_URL": "https://10.1.2.3"}, "PRIVATE_NETWORKS"),
    (
        {"REKO_ADAPTERS__REGIONAL_PLATFORM__SIGNING_SECRETS": "x"},
        "adapters.regional_platform.signing_secrets",
    ),
    ({"REKO_ADAPTERS__SDK__URL": "http://127.0.0.1"}, "name the file"),
    ({"REKO_ADAPTERS__SDK__ADDRESSES": "/nowhere/sdk.toml"}, "adapters.sdk.addresses"),
]


@pytest.mark.parametrize(("environment", "named"), BAD_SETTINGS, ids=[next(iter(bad)) for bad, _ in BAD_SETTINGS])
def test_a_service_with_bad_configuration_ends_with_one_clear_line(
    environment: dict[str, str], named: str, tmp_path: Path
) -> None:
    done = reko("serve", **{"REKO_DATA": f"{tmp_path}", "REKO_PORT": "0", **environment})
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("reko: ")
    assert named in line


def test_no_other_database_is_migrated_for_a_slip(tmp_path: Path) -> None:
    done = reko("db", "migrate", REKO_DATA=f"{tmp_path}", REKO_DATABAS="sqlite:////data/reko.db")
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "reko: there is no setting REKO_DATABAS: reko settings tells which there are\n" in done.stderr


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("rights = 1", "client 1 lacks 'employee'"),
        ('employee = "nobody"', "client 1: an HSA-id is letters"),
        ("[[client", "clients.toml"),
    ],
)
def test_a_file_of_clients_that_cannot_be_used(tmp_path: Path, entry: str, told: str) -> None:
    clients = tmp_path / "clients.toml"
    clients.write_text(f"[[client]]\n{entry}\n", encoding="utf-8")
    done = reko("serve", REKO_DATA=f"{tmp_path}", REKO_CLIENTS=f"{clients}")
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert told in line


@pytest.mark.parametrize("command", [["outbox", "list"], ["outbox", "show", "1"], ["pull", "--unit", UNIT]])
def test_without_a_service_the_work_fails_in_one_line(command: list[str]) -> None:
    done = reko(*command, "--url", f"http://127.0.0.1:{free_port()}")
    assert done.exit_code == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "does reko serve run?" in line


# With a service


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Served:
    """``reko serve`` and ``reko mock`` as processes of their own."""

    url: str
    mocks: str
    process: "subprocess.Popen[bytes]"
    log: Path
    environment: dict[str, str]

    def reko(self, *arguments: str) -> Result:
        """A command that talks to the service."""
        return reko(*arguments, "--url", self.url, "--token", TOKEN)

    def post(self, path: str, body: Json) -> Json:
        """A request to the JSON API."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        response = httpx.post(f"{self.url}/api/{path}", json=body, headers=headers, trust_env=False)
        assert response.is_success, response.text
        answer: Json = response.json()
        return answer


def start(*arguments: str, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REKO_")}
    with log.open("wb") as written:
        return subprocess.Popen([sys.executable, "-c", RUN, *arguments], stderr=written, env=clean | environment)


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, trust_env=False, timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError(f"{address} does not answer")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    rights = ", ".join(f'"{right.value}"' for right in Right)
    clients = home / "clients.toml"
    clients.write_text(
        f"""[[client]]
token_sha256 = "{token_hash(TOKEN)}"
employee = "TSTNMT2321000156-P0001"
commission = "uppdrag"
care_unit = "{UNIT}"
care_provider = "{PROVIDER}"
rights = [{rights}]
""",
        encoding="utf-8",
    )
    port, mock_port = free_port(), free_port()
    url, mocks = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{mock_port}"
    environment = {"REKO_DATA": f"{home}", "REKO_CLIENTS": f"{clients}", "REKO_PORT": f"{port}"}
    for name in ("forsakringskassan", "regional_platform", "ehr", "intygstjanst"):
        environment[f"REKO_ADAPTERS__{name.upper()}__URL"] = f"{mocks}/{name}"
    mocking = start("mock", "--port", f"{mock_port}", "--patients", "20", log=home / "mock.log")
    process = start("serve", log=home / "serve.log", **environment)
    try:
        wait_for(f"{url}/health/ready")
        wait_for(f"{mocks}/")
        yield Served(url, mocks, process, home / "serve.log", environment)
    finally:
        for running in (process, mocking):
            running.terminate()
            running.wait(30)


def test_the_mock_world_begins_as_its_scenario_says(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[[faults.forsakringskassan]]\nname = "VP007"\n', encoding="utf-8")
    port = free_port()
    running = start("mock", "--port", f"{port}", "--scenario", str(scenario), log=tmp_path / "log")
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        waiting = httpx.get(f"http://127.0.0.1:{port}/_control/faults/forsakringskassan", trust_env=False).json()
        assert [fault["name"] for fault in waiting] == ["VP007"]
    finally:
        running.terminate()
        running.wait(30)


@pytest.mark.parametrize(
    ("text", "told"), [("[nonsense]", "there is no part of that name"), ("= x", "is no TOML"), (None, "cannot be read")]
)
def test_a_wrong_scenario_is_told_before_anything_starts(tmp_path: Path, text: str | None, told: str) -> None:
    scenario = tmp_path / "scenario.toml"
    if text is not None:
        scenario.write_text(text, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", RUN, "mock", "--scenario", scenario],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert told in ended.stderr


def test_pull_says_what_came(served: Served) -> None:
    done = served.reko("pull", "--unit", UNIT, "--json")
    assert done.exit_code == 0, done.stderr
    pulled = json.loads(done.stdout)
    assert (pulled["unit"], pulled["state"], pulled["setAside"]) == (UNIT, "done", [])
    assert pulled["applied"] == pulled["patients"]
    assert pulled["certificates"] >= pulled["patients"] > 5
    again = served.reko("pull", "--unit", UNIT)
    assert again.exit_code == 0
    assert f"{pulled['certificates']} certificates" in again.stdout
    assert " 0 changed" in again.stdout


def test_pulls_tells_how_each_unit_stands(served: Served) -> None:
    assert served.reko("pull", "--unit", UNIT).exit_code == 0
    (unit,) = [json.loads(line) for line in served.reko("pulls", "--json").stdout.splitlines()]
    assert (unit["unit"], unit["newest"]["state"], unit["next"]) == (UNIT, "done", None)
    (line,) = served.reko("pulls").stdout.splitlines()
    patients = unit["newest"]["patients"]
    assert line.startswith(f"{UNIT}  done  ")
    assert f"{patients} of {patients} patients" in line


def test_pull_of_several_units_goes_on_after_one_that_fails(served: Served) -> None:
    done = served.reko("pull", "--unit", "TSTNMT2321000156-E0002", "--unit", UNIT, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["unit"] == UNIT
    assert done.stderr == "reko: 404 there is no such unit\n"


def request_without_consent(served: Served) -> str:
    """A message that is withheld; its id."""
    given = {
        "patient": {"personalNumber": NUMBER, "name": "Prov Exempel"},
        "recipient": {"kind": "forsakringskassan"},
        "topic": "assumed-rehab-need",
        "parts": [{"category": "assumed_rehab_need", "text": "Behov kan antas."}],
        "certificate": "intyg-1",
    }
    about: str = served.post("notifications", given)["resource"]
    (message,) = [each for each in listed(served) if each["state"] == "withheld" and each["id"] in shown(served, about)]
    id: str = message["id"]
    return id


def listed(served: Served, *arguments: str) -> list[Json]:
    done = served.reko("outbox", "list", "--json", *arguments)
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def shown(served: Served, about: str) -> str:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.get(f"{served.url}/api/trace/{about.split('/')[1]}", headers=headers, trust_env=False).text


def test_the_outbox_is_listed_line_by_line(served: Served) -> None:
    id = request_without_consent(served)
    lines = listed(served, "--state", "withheld", "--destination", "forsakringskassan")
    (line,) = [line for line in lines if line["id"] == id]
    assert list(line) == ["id", "destination", "key", "state", "attempts", "nextTry", "reason"]
    assert (line["destination"], line["state"], line["attempts"], line["nextTry"]) == (
        "forsakringskassan",
        "withheld",
        0,
        None,
    )
    assert line["key"].startswith("forsakringskassan|")
    assert "no-consent" in line["reason"]
    assert listed(served, "--state", "delivered", "--destination", "forsakringskassan") == []
    text = served.reko("outbox", "list")
    assert any(id in line and "withheld" in line for line in text.stdout.splitlines())


def test_a_message_is_shown_replayed_and_cancelled(served: Served) -> None:
    id = request_without_consent(served)
    done = served.reko("outbox", "show", id, "--json")
    assert json.loads(done.stdout)["id"] == id
    assert "Behov" not in done.stdout
    assert served.reko("outbox", "replay", id, "--why", "a test").exit_code == 0
    wait_until_state(served, id, "withheld")
    cancelled = served.reko("outbox", "cancel", id, "--why", "a test", "--json")
    assert json.loads(cancelled.stdout)["state"] == "cancelled"
    again = served.reko("outbox", "cancel", id, "--why", "a test")
    assert again.exit_code == 1
    assert again.stderr.startswith("reko: 409 ")
    assert served.reko("outbox", "show", "nothing").exit_code == 1


def wait_until_state(served: Served, id: str, state: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if json.loads(served.reko("outbox", "show", id, "--json").stdout)["state"] == state:
            return
        time.sleep(0.05)
    raise AssertionError(f"{id} is not {state}")


def test_a_route_is_paused_and_resumed(served: Served) -> None:
    assert served.reko("outbox", "pause", "ehr", "--why", "maintenance").exit_code == 0
    assert served.reko("outbox", "resume", "ehr").exit_code == 0
    assert served.reko("outbox", "resume", "ehr", "--why", "done").exit_code == 0
    lines = served.reko("outbox", "destinations", "--json").stdout.splitlines()
    (told,) = [each for line in lines if (each := json.loads(line))["name"] == "ehr"]
    assert (told["held"], told["circuit"], told["faults"]) == ("", "closed", 0)
    assert "ehr  circuit closed" in served.reko("outbox", "destinations").stdout
    deeds = served.reko("outbox", "deeds")
    assert deeds.exit_code == 0, deeds.stderr
    newest = [line.split("  ")[2:] for line in deeds.stdout.splitlines()[:3]]
    assert newest == [
        ["resumed", "destinations/ehr", "done"],
        ["resumed", "destinations/ehr"],
        ["paused", "destinations/ehr", "maintenance"],
    ]
    nowhere = served.reko("outbox", "resume", "nowhere")
    assert (nowhere.exit_code, nowhere.stderr) == (1, "reko: 404 there is no such destination\n")


def test_many_messages_are_told_first_and_then_replayed(served: Served) -> None:
    id = request_without_consent(served)
    told = served.reko("outbox", "replay", "--state", "withheld", "--why", "a test", "--json")
    assert told.exit_code == 0, told.stderr
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    (line,) = [each for each in lines if each["id"] == id]
    assert line["obstacle"].startswith("withheld: ")
    assert re.fullmatch(r"\d+ fit, 0 would be tried again: say --do-it\n", told.stderr)
    done = served.reko("outbox", "replay", "--state", "withheld", "--why", "a test", "--do-it")
    assert f"{id}\n" in done.stdout
    assert re.fullmatch(r"(\d+) fit, \1 are tried again\n", done.stderr)
    both = served.reko("outbox", "replay", id, "--state", "withheld", "--why", "a test")
    assert both.exit_code == 2


def test_blocked_keys_are_listed(served: Served) -> None:
    done = served.reko("outbox", "list", "--blocked", "--json")
    assert (done.exit_code, done.stdout) == (0, "")


def test_a_wrong_token_is_told(served: Served) -> None:
    done = reko("outbox", "list", "--url", served.url, "--token", "wrong")
    assert done.exit_code == 1
    assert done.stderr == "reko: 401 the token is not known here\n"


@pytest.mark.usefixtures("own_logging")
def test_the_database_belongs_to_one_process(served: Served) -> None:
    done = reko("serve", **served.environment)
    assert done.exit_code == 1
    assert "one process owns it" in done.stderr


# What needs a socket


def test_a_hundred_megabytes_end_early_on_a_socket(served: Served) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1024 * 1024

    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/fhir+json"}
    before = resident(served.process.pid)
    try:
        response = httpx.post(f"{served.url}/fhir/Procedure", content=endless(), headers=headers, trust_env=False)
        assert response.status_code == 413
        assert response.json()["resourceType"] == "OperationOutcome"
    except httpx.WriteError:
        pass  # answered, and closed before everything was sent
    assert resident(served.process.pid) < before + 50_000
    wait_for(f"{served.url}/health/ready")


def resident(process: int) -> int:
    """KiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0])


def test_a_request_that_is_no_http_does_no_harm(served: Served) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    for bad in (
        f"GET /fhir/Patient/{NUMBER} HTTP/9.9\r\n\r\n",
        "\x00\xff" * 100,
        f"{NUMBER}\r\n\r\n",
        "POST / HTTP/1.1\r\n",
    ):
        with socket.create_connection((host, int(port)), 5) as connection:
            connection.sendall(bad.encode("latin-1"))
    for path in (f"/fhir/Patient/{NUMBER}", f"/fhir/Patient?identifier={NUMBER}", f"/api/trace/{NUMBER}"):
        assert httpx.get(f"{served.url}{path}", trust_env=False).status_code == 400
    wait_for(f"{served.url}/health/ready")


def test_mock_worlds_do_not_meet(served: Served) -> None:
    """A namespace of its own is empty."""
    headers = {NAMESPACE_HEADER: "somebody-else"}
    ledgers = httpx.get(f"{served.mocks}/_control/ledger", headers=headers, trust_env=False).json()
    assert {name: each["received"] for name, each in ledgers.items()} == dict.fromkeys(ledgers, 0)


def test_it_stops_when_told_and_has_written_nothing_personal(served: Served) -> None:
    """The last test of the module: the service ends."""
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) in (
        0,
        -signal.SIGTERM,
    )  # uvicorn passes the signal on when everything has ended well
    lines = served.log.read_text(encoding="utf-8").splitlines()
    assert "Finished server process" in lines[-1]
    assert all({"time", "level", "event", "text"} <= set(json.loads(line)) for line in lines)
    for secret in (NUMBER, NUMBER[2:], "Prov Exempel", "Behov kan antas"):
        assert not [line for line in lines if secret in line]
