"""``reko up``: the service, the mock world and the sample scenario in one process, over real HTTP on this machine."""

import asyncio
import contextlib
import secrets
import socket
import sys
import tempfile
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import httpx
import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from contracts.record import Right
from service import scenario
from service.clock import MovableClock
from service.main import create_app
from service.mock_world import ANSWERS, MockWorld
from service.scenario import Failed, Outcome, World
from service.security import token_hash
from service.server import HOST, serving
from service.settings import Settings
from service.telemetry import set_up_logging


async def demonstrate(*, once: bool, as_json: bool, port: int, mock_port: int, data: Path | None) -> int:
    """The exit code: 0, 1 when an outcome is missing, 2 when a port is taken."""
    set_up_logging("ERROR")
    console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=console.file, highlight=False, width=150)
    async with AsyncExitStack() as stack:
        home = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reko-")))
        try:
            ports = _free(port), _free(mock_port)
        except OSError as error:
            console.print(
                f"port {port} or {mock_port} is taken ({error.strerror}): choose others with --port and --mock-port"
            )
            return 2
        token, platform = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        settings = _settings(home, token, platform, *ports)
        await stack.enter_async_context(serving(MockWorld(MovableClock()).app(), ports[1]))
        await stack.enter_async_context(serving(create_app(settings), ports[0]))
        await _introduce_officer(ports, platform)
        outcomes, failure = await _played(console, ports, token)
        _close(console, outcomes, failure, as_json)
        ok = not failure and all(outcome.ok for outcome in outcomes)
        if not once:
            await _stay(console, ports, token)
    return 0 if ok or not once else 1


def _settings(home: Path, token: str, platform: str, port: int, mock_port: int) -> Settings:
    clients = home / "clients.toml"
    home.mkdir(parents=True, exist_ok=True)
    people = frozenset(Right) - {Right.DIALOGUE_RECEIVE}
    clients.write_text(
        _client(token, scenario.COORDINATOR, people) + _client(platform, PLATFORM, {Right.DIALOGUE_RECEIVE}),
        encoding="utf-8",
    )
    clients.chmod(0o600)
    mocks = f"http://{HOST}:{mock_port}"
    return Settings(
        data=home,
        database="",
        clients=clients,
        clock_url=f"{mocks}/_control/clock",
        host=HOST,
        port=port,
        adapters={
            "forsakringskassan": {"url": f"{mocks}/forsakringskassan", "timeout_seconds": 1.5},
            "regional_platform": {"url": f"{mocks}/regional_platform"},
            "ehr": {"url": f"{mocks}/ehr"},
            "intygstjanst": {"url": f"{mocks}/intygstjanst"},
            "block_service": {"url": f"{mocks}/block_service"},
        },
    )


PLATFORM: Final = "TSTNMT2021005521-F0001"
"""The function that brings Försäkringskassan's messages."""


def _client(token: str, employee: str, rights: Collection[Right]) -> str:
    named = ", ".join(f'"{right.value}"' for right in sorted(rights))
    return f"""[[client]]
token_sha256 = "{token_hash(token)}"
employee = "{employee}"
commission = "{scenario.COMMISSION}"
care_unit = "{scenario.UNIT}"
care_provider = "{scenario.PROVIDER}"
care_provider_is_public = true
rights = [{named}]
"""


async def _introduce_officer(ports: tuple[int, int], token: str) -> None:
    """Försäkringskassan's officer in the mock world answers to this service."""
    orders = {"deliverTo": f"http://{HOST}:{ports[0]}/soap{ANSWERS}", "token": token}
    async with _client_of(ports[1], {}) as mocks:
        (await mocks.put("/_control/officer", json=orders)).raise_for_status()


def _free(port: int) -> int:
    """The port, or a free one for 0. Raises ``OSError`` when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
        number: int = probe.getsockname()[1]
        return number


async def _played(console: Console, ports: tuple[int, int], token: str) -> tuple[Sequence[Outcome], str]:
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
    )
    async with (
        _client_of(ports[0], {"Authorization": f"Bearer {token}"}) as service,
        _client_of(ports[1], {}) as mocks,
    ):
        with progress:
            task = progress.add_task("playing the sample scenario")

            def tell(text: str) -> None:
                console.print(text, markup=False)
                progress.update(task, description=text.strip())

            try:
                return await scenario.play(World(service, mocks, tell)), ""
            except (Failed, httpx.HTTPError) as error:
                return [], str(error) or type(error).__name__


def _client_of(port: int, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://{HOST}:{port}", headers=headers, timeout=30, trust_env=False)


def _close(console: Console, outcomes: Sequence[Outcome], failure: str, as_json: bool) -> None:
    console.print(_table(outcomes))
    for outcome in outcomes:
        for text in outcome.missing:
            console.print(f"case {outcome.case.number}: {text}", markup=False)
    if failure:
        console.print(f"the scenario stopped: {failure}", markup=False)
    if as_json:
        ok = not failure and all(outcome.ok for outcome in outcomes)
        result = {"ok": ok, "patients": [outcome.as_json() for outcome in outcomes]}
        sys.stdout.write(orjson.dumps(result).decode() + "\n")
        sys.stdout.flush()


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table(
        title="What came in, what was coded, what was decided and why, what was delivered where", show_lines=True
    )
    for heading in ("Case", "Came in", "Coded", "Decided", "Delivered", ""):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        table.add_row(
            f"{outcome.case.number} {outcome.case.title}",
            "\n".join(outcome.case.came_in),
            "\n".join(outcome.codes) or "uncoded",
            "\n".join(_decided(each) for each in outcome.decisions) or "-",
            "\n".join(f"{each['destination']}: {each['state']} ({each['ledger']} there)" for each in outcome.deliveries)
            or "-",
            "✓" if outcome.ok else "✗",
        )
    return table


def _decided(decision: dict[str, object]) -> str:
    reasons = decision["reasons"]
    told = ", ".join(reasons) if isinstance(reasons, list) else ""
    return f"{decision['recipient']}: {'yes' if decision['permitted'] else 'no'} ({told})"


async def _stay(console: Console, ports: tuple[int, int], token: str) -> None:
    service, mocks = (f"http://{HOST}:{port}" for port in ports)
    console.print(f"\nFHIR        {service}/fhir          (try {service}/fhir/metadata)")
    console.print(f"JSON API    {service}/api/docs")
    console.print(f"Pages       {service}/              (sign in with the token)")
    console.print(f"Mock world  {mocks}/              (ledgers under {mocks}/_control/ledger)")
    console.print(f"Token       {token}")
    console.print("Ctrl-C stops.")
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
