"""The ``reko`` command. Exit codes: 0 done, 1 the work failed, 2 wrong use or configuration.

Imports stand inside the commands: ``reko --version`` and wrong use answer at once.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn

import typer

from service import operating

app: Final = typer.Typer(
    name="reko",
    help="Rekobryggan: the bridge between a coordinator's record system and those she works with.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
database: Final = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(operating.outbox, name="outbox")
app.add_typer(database, name="db")


def main() -> None:
    """The entry point."""
    app()


@app.callback(invoke_without_command=True)
def _root(show_version: Annotated[bool, typer.Option("--version", help="Say the version and stop.")] = False) -> None:
    if show_version:
        print(version("rekobryggan"))
        raise typer.Exit


@app.command()
def up(
    once: Annotated[
        bool, typer.Option("--once", help="Play the scenario and stop; 1 if an outcome is missing.")
    ] = False,
    as_json: operating.Json = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The service's port.")] = 8080,
    mock_port: Annotated[int, typer.Option(min=0, max=65535, help="The mock world's port.")] = 8090,
    data: Annotated[Path | None, typer.Option(help="Keep the database here; a new one each time otherwise.")] = None,
) -> None:
    """Service, relay, mock national services and the sample scenario, all on this machine."""
    from service.demonstration import demonstrate

    _end(asyncio.run(demonstrate(once=once, as_json=as_json, port=port, mock_port=mock_port, data=data)))


@app.command()
def serve() -> None:
    """The service. On SQLite it also relays, pulls and tends; on PostgreSQL reko worker does."""
    settings = _ready_to_run()
    from service.main import create_app
    from service.server import server

    _end(0 if server(create_app(settings), settings.host, settings.port).run_to_end() else 1)


@app.command()
def worker() -> None:
    """Relays, pulls and tends beside reko serve, as many as are wanted; needs PostgreSQL."""
    settings = _ready_to_run()
    if not settings.is_shared:
        operating.fail("on SQLite one process owns the file, and reko serve does it all: workers need PostgreSQL", 2)
    from service.main import create_worker
    from service.server import server

    _end(0 if server(create_worker(settings), settings.host, settings.port).run_to_end() else 1)


@app.command()
def mock(
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8090,
    seed: Annotated[int, typer.Option(help="The same seed makes the same people.")] = 1,
    units: Annotated[int, typer.Option(min=0, max=9999, help="Generated units; 0 is the sample unit alone.")] = 0,
    patients: Annotated[int, typer.Option(min=0, help="Generated patients on each unit.")] = 0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    scenario_file: Annotated[
        Path | None, typer.Option("--scenario", help="TOML: how it begins; docs/mocks.md.")
    ] = None,
    ledger_size: Annotated[int, typer.Option(min=1, help="Exchanges kept per system and namespace.")] = 10_000,
) -> None:
    """The mock national services alone."""
    from adapters.mocking.scenario import play, read
    from contracts.errors import Invalid
    from contracts.identity import HsaId
    from service import scenario
    from service.clock import MovableClock
    from service.mock_world import MockWorld
    from service.server import server
    from service.telemetry import set_up_logging

    set_up_logging()
    world = MockWorld(MovableClock(), ledger_size)
    served = world.app()
    try:
        if units:
            world.populate_region(seed, units, patients)
        elif patients:
            world.populate(seed, HsaId(scenario.UNIT), HsaId(scenario.PROVIDER), patients)
        if scenario_file is not None:
            asyncio.run(play(served, read(scenario_file)))
    except (Invalid, ValueError) as error:
        operating.fail(str(error), 2)
    print(f"Sverige i en låda: http://{host}:{port}/   (styrs under /_control, se docs/mocks.md)", flush=True)
    _end(0 if server(served, host, port).run_to_end() else 1)


app.command()(operating.pull)
app.command()(operating.pulls)


@app.command()
def sjukfall(
    mode: Annotated[
        Literal["rehabstod", "corrected"],
        typer.Option(help="As the national engine counts, or with five of its quirks mended."),
    ] = "rehabstod",
) -> None:
    """Sick leaves from questions on standard input: JSON lines in, JSON lines out."""
    from service.rules.sick_leave import MODES
    from service.sjukfall import run

    with open(sys.stdin.fileno(), "rb", closefd=False) as questions:
        run(questions, sys.stdout.buffer, MODES[mode])


@database.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from contracts.errors import Unavailable
    from service.store.migrate import migrate as bring_up

    try:
        print(f"schema {bring_up(_settings().database_place)}")
    except (Unavailable, ValueError) as error:
        operating.fail(str(error), 2)


@app.command()
def settings() -> None:
    """Every setting, its default, and what it is for."""
    from service.settings_page import page

    print(page())


# Small things


def _configured(make: Callable[[], Any], prefix: str = "") -> Any:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    try:
        return make()
    except ValidationError as error:
        found = error.errors(include_input=False)
        operating.fail("; ".join(f"{prefix}{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found), 2)
    except SettingsError as error:
        operating.fail(str(error), 2)


def _settings() -> Any:
    """A name that is none of ours would be passed over, and somebody believes that it is set."""
    from service.settings import Settings, unknown

    if strangers := unknown(os.environ):
        operating.fail(f"there is no setting {', '.join(strangers)}: reko settings tells which there are", 2)
    return _configured(Settings)


def _ready_to_run() -> Any:
    """The settings, checked."""
    from service.telemetry import set_up_logging

    settings = _settings()
    _check(settings)
    set_up_logging()
    return settings


def _check(settings: Any) -> None:
    """Everything that can be wrong with the configuration is told before anything starts."""
    from adapters.registry import ADAPTERS
    from service.clock import FollowedClock
    from service.pulling.units import BadUnits, from_file
    from service.security import BadClients, Clients

    try:
        _ = settings.database_place, settings.kept
        settings.regional_profile()
        if settings.clients:
            Clients.from_file(settings.clients)
        if settings.units:
            from_file(settings.units)
        if settings.clock_url:
            FollowedClock(settings.clock_url)
        unknown = set(settings.adapters) - set(ADAPTERS)
        if unknown:
            operating.fail(f"REKO_ADAPTERS: there is no adapter {', '.join(sorted(unknown))}", 2)
        for name in ADAPTERS:
            destination = _configured(partial(settings.adapter, name), f"adapters.{name}.")
            for url in destination.urls:
                if fault := destination.reach.fault(url):
                    operating.fail(f"REKO_ADAPTERS__{name.upper()}: an address cannot be used: {fault}", 2)
    except (BadClients, BadUnits, ValueError) as error:
        operating.fail(str(error), 2)


def _end(status: int) -> NoReturn:
    raise typer.Exit(status)
