"""The image: its rules, its compose file, the wheel that goes into it, and its entry point run outside a container.

No Docker engine is at hand where these tests run, so no image is built here.
"""

import importlib
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
BIN: Final = Path(sys.executable).parent
DOCKERFILE: Final = ROOT / "docker" / "Dockerfile"
COMPOSE: Final = ROOT / "docker" / "compose.yaml"
ENTRYPOINT: Final = ROOT / "docker" / "entrypoint.sh"
PACKAGES: Final = ("contracts/", "fhir_mappings/", "adapters/", "service/")


# The Dockerfile


@pytest.mark.skipif(not (BIN / "hadolint").exists(), reason="hadolint is shipped for Linux on x86-64 only")
def test_hadolint_finds_nothing() -> None:
    told = subprocess.run([BIN / "hadolint", "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, "")


def _instructions() -> list[tuple[str, str]]:
    """(word, rest) of each, comments dropped and continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for line in text.splitlines() if line for word, _, rest in [line.partition(" ")]]


def test_the_base_is_pinned() -> None:
    base = dict(_instructions())["ARG"].partition("=")[2]
    name, _, tag = base.partition(":")
    assert name == "python"
    assert re.fullmatch(r"3\.\d+-slim-[a-z]+", tag)
    assert {rest.split()[0] for word, rest in _instructions() if word == "FROM"} == {"${PYTHON_IMAGE}"}


def test_it_runs_as_somebody_without_rights() -> None:
    users = [rest for word, rest in _instructions() if word == "USER"]
    assert users == ["10001:10001"]


def test_it_tells_whether_it_is_ready() -> None:
    assert dict(_instructions())["HEALTHCHECK"].endswith('CMD ["reko-entrypoint", "ready"]')


def test_it_adds_nothing_from_elsewhere_and_knows_no_secret() -> None:
    words = {word for word, _ in _instructions()}
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert "ADD" not in words
    assert "://" not in text
    assert not re.search(r"latest|TOKEN|PASSWORD|SECRET|curl |wget ", text)


def test_everything_is_installed_with_hashes_and_no_development_tool_stays() -> None:
    installs = re.findall(r"pip install [^&]*", " ".join(rest for word, rest in _instructions() if word == "RUN"))
    assert len(installs) == 3
    assert all("--require-hashes" in each or "--no-deps /opt/wheel/" in each for each in installs)
    last = [word for word, _ in _instructions()][::-1].index("FROM")
    assert not [rest for word, rest in _instructions()[-last:] if word == "RUN" and "pip" in rest]
    assert "COPY --from=build /opt/reko /opt/reko" in DOCKERFILE.read_text(encoding="utf-8")


def test_only_what_it_is_made_of_is_sent_to_the_builder(committed: Mapping[str, str]) -> None:
    lines = [line for line in committed[".dockerignore"].splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        part.rstrip("/")
        for word, rest in _instructions()
        if word == "COPY" and not rest.startswith("--from")
        for part in rest.split()[:-1]
    }
    assert sent == copied


# The compose file


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The compose file, read."""
    yaml = importlib.import_module("yaml")  # ships no types
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded


def test_the_compose_file_has_the_parts_that_compose_knows(composed: dict[str, Any]) -> None:
    extensions = {name for name in composed if name.startswith("x-")}
    assert set(composed) - extensions == {"name", "services", "volumes", "secrets"}
    assert set(composed["services"]) == {"reko", "worker", "database", "mocks"}
    known = {
        "build", "cap_drop", "command", "depends_on", "deploy", "environment", "healthcheck", "image", "ports",
        "read_only", "restart", "secrets", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes",
    }  # fmt: skip
    for service in composed["services"].values():
        assert set(service) <= known
        assert (COMPOSE.parent / service.get("build", {}).get("context", ".")).is_dir()


def test_what_a_service_uses_is_declared(composed: dict[str, Any]) -> None:
    services = composed["services"]
    volumes = {volume.partition(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    secrets = {secret for service in services.values() for secret in service.get("secrets", ())}
    assert (volumes, secrets) == (set(composed["volumes"]), set(composed["secrets"]))
    assert {needed for service in services.values() for needed in service.get("depends_on", ())} <= set(services)
    build = services["reko"]["build"]
    assert (COMPOSE.parent / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE
    images = {service["image"] for name, service in services.items() if name != "database"}
    assert images == {services["reko"]["image"]}, "one image for all commands, and one that builds it"


def test_there_are_two_services_and_two_workers_on_one_postgresql(composed: dict[str, Any]) -> None:
    reko, worker = composed["services"]["reko"], composed["services"]["worker"]
    assert (reko["command"], worker["command"]) == (["serve"], ["worker"])
    assert reko["deploy"] == worker["deploy"] == {"replicas": 2}
    assert reko["environment"] == worker["environment"]
    first, last = re.findall(r"\d+", reko["ports"][0].removeprefix("127.0.0.1:").partition(":")[0])
    assert int(last) - int(first) + 1 == reko["deploy"]["replicas"], "each has a port of its own"
    assert reko["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert all("healthcheck" in composed["services"][name] for name in ("database", "mocks"))
    asked = "${DATABASE_PASSWORD:?"
    assert composed["services"]["database"]["environment"]["POSTGRES_PASSWORD"].startswith(asked)
    assert reko["environment"]["REKO_DATABASE"].startswith(f"postgresql://reko:{asked}")


def test_what_the_compose_file_sets_is_known(composed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from service.settings import Settings

    for name, value in composed["services"]["reko"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{.*?\}", "sesame", value))
    settings = Settings()
    assert settings.is_shared
    assert all(settings.adapter(name).enabled for name in settings.adapters)
    assert "sesame" not in repr(settings)


def test_every_container_is_closed_in(composed: dict[str, Any]) -> None:
    for service in composed["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert re.search(r":\d", service["image"]), "no image is whatever is newest"
    assert composed["services"]["database"]["user"] == "postgres"


def test_a_container_is_given_the_time_that_a_send_may_take(composed: dict[str, Any]) -> None:
    from adapters.http import Destination

    most = 2 * (Destination().connect_seconds + Destination().timeout_seconds)
    assert int(composed["services"]["reko"]["stop_grace_period"].rstrip("s")) >= most


def test_the_example_of_callers_can_be_used(tmp_path: Path) -> None:
    from contracts.record import Right
    from service.security import Clients, token_hash

    example = (ROOT / "docker/clients.example.toml").read_text(encoding="utf-8")
    file = tmp_path / "clients.toml"
    for token in ("coordinator", "platform"):
        example = example.replace('token_sha256 = ""', f'token_sha256 = "{token_hash(token)}"', 1)
    file.write_text(example, encoding="utf-8")
    clients = Clients.from_file(file)
    assert clients.caller("Bearer platform", "").rights == {Right.DIALOGUE_RECEIVE}
    assert clients.caller("Bearer coordinator", "").rights == set(Right) - {
        Right.DIALOGUE_RECEIVE,
        Right.FHIR_RESTRICTED,
    }


# What goes into it


def test_the_wheel_holds_everything_of_the_service(tmp_path: Path, committed: Mapping[str, str]) -> None:
    subprocess.run(
        [BIN / "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    assert {name for name in committed if name.startswith(PACKAGES)} <= set(zipfile.ZipFile(wheel).namelist())


# The entry point


def _environment(**more: str) -> dict[str, str]:
    return {"PATH": f"{BIN}:{os.environ['PATH']}", **more}


def _run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ENTRYPOINT, *arguments], env=_environment(**more), capture_output=True, text=True, timeout=30, check=False
    )


@contextmanager
def _served(home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = _environment(REKO_DATA=str(home), REKO_PORT=str(port))
    with (home.parent / "log").open("wb") as log:
        process = subprocess.Popen([ENTRYPOINT], env=environment, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_the_entry_point_serves_tells_that_it_is_ready_and_stops(tmp_path: Path) -> None:
    home, port = tmp_path / "data", _free_port()
    with _served(home, port) as process:
        deadline = time.monotonic() + 20
        while _run("ready", REKO_PORT=str(port)).returncode != 0:
            assert process.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline
        assert home.stat().st_mode & 0o077 == 0, "others may read patients' data"
    assert process.returncode in (0, -15)
    assert not list(home.glob("*-wal")), "the database was not closed"


def test_what_is_not_there_is_not_ready() -> None:
    told = _run("ready", REKO_PORT=str(_free_port()))
    assert told.returncode == 1
    assert told.stderr.startswith("not ready: ")
    assert "Traceback" not in told.stderr


def test_other_commands_pass_through() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", _run("--version").stdout)


def test_a_callers_file_that_cannot_be_read_is_told_before_anything_starts(tmp_path: Path) -> None:
    told = _run(REKO_DATA=str(tmp_path), REKO_CLIENTS=str(tmp_path / "missing.toml"))
    assert told.returncode == 2
    assert "missing.toml (REKO_CLIENTS) cannot be read" in told.stderr


def test_a_data_folder_that_cannot_be_made_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    told = _run(REKO_DATA=str(tmp_path / "file" / "data"))
    assert told.returncode == 2
    assert "cannot be written by user" in told.stderr
