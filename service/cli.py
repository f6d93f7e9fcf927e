"""The ``reko`` command. Exit codes: 0 done, 1 the work failed, 2 wrong use or configuration.

Imports stand inside the commands: ``reko --version`` and wrong use answer at once.
"""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn

import typer

app: Final = typer.Typer(
    name="reko",
    help="Rekobryggan: the bridge between a coordinator's record system and those she works with.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
outbox: Final = typer.Typer(help="What was promised, and what became of it.", no_args_is_help=True)
database: Final = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(outbox, name="outbox")
app.add_typer(database, name="db")

Json = Annotated[bool, typer.Option("--json", help="For machines: one JSON value a line.")]
Url = Annotated[str, typer.Option(envvar="REKO_URL", help="The service.")]
Token = Annotated[str, typer.Option(envvar="REKO_TOKEN", help="A token that the service knows.")]
Why = Annotated[str, typer.Option("--why", help="Kept with the deed.")]
SERVICE: Final = "http://127.0.0.1:8080"


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
    as_json: Json = False,
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
        _fail("on SQLite one process owns the file, and reko serve does it all: workers need PostgreSQL", 2)
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
        _fail(str(error), 2)
    print(f"Sverige i en låda: http://{host}:{port}/   (styrs under /_control, se docs/mocks.md)", flush=True)
    _end(0 if server(served, host, port).run_to_end() else 1)


@app.command()
def pull(
    unit: Annotated[list[str], typer.Option("--unit", help="HSA-id of the unit; may be given several times.")],
    as_json: Json = False,
    url: Url = SERVICE,
    token: Token = "",
    max_days_since_end: Annotated[
        int,
        typer.Option(
            min=0, max=14, help="How long ago a sick leave may have ended: 14 is all that a view may ask for."
        ),
    ] = 14,
    accept_empty: Annotated[
        bool, typer.Option("--accept-empty", help="Also if the answer is empty and takes back all that the unit has.")
    ] = False,
) -> None:
    """Fetch sick leaves now."""
    failed = 0
    for each in unit:
        path = f"/api/units/{each}/pull?max_days_since_end={max_days_since_end}&accept_empty={accept_empty}"
        answer = _call("POST", url, token, path)
        failed += answer is None
        if answer is not None:
            _show(
                answer,
                as_json,
                f"{each}: {answer['certificates']} certificates, {answer['patients']} patients, "
                f"{answer['changed']} changed, {answer['vanished']} vanished, {len(answer['setAside'])} set aside",
            )
    _end(1 if failed else 0)


@app.command()
def pulls(as_json: Json = False, url: Url = SERVICE, token: Token = "") -> None:
    """Each unit's newest pull, and when the next one is due."""
    for unit in _need(_call("GET", url, token, "/api/pulls")):
        _show(unit, as_json, _pull_line(unit))


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


@outbox.command("list")
def outbox_list(
    as_json: Json = False,
    state: Annotated[str, typer.Option(help="Only this state.")] = "",
    destination: Annotated[str, typer.Option(help="Only this destination.")] = "",
    blocked: Annotated[bool, typer.Option("--blocked", help="Only what holds back others, and how many.")] = False,
    url: Url = SERVICE,
    token: Token = "",
) -> None:
    """The unit's messages, without content."""
    from urllib.parse import urlencode

    asked = {"state": state, "destination": destination, "blocked": str(blocked).lower()}
    for message in _need(_call("GET", url, token, f"/api/outbox?{urlencode(asked)}")):
        line = _line(message) | ({"holdsBack": message["holdsBack"]} if blocked else {})
        _show(line, as_json, "  ".join(str(value) for value in line.values()))


@outbox.command("show")
def outbox_show(id: str, as_json: Json = False, url: Url = SERVICE, token: Token = "") -> None:
    """One message with its tries."""
    message = _need(_call("GET", url, token, f"/api/outbox/{id}"))
    _show(message, as_json, "\n".join(f"{name}: {value}" for name, value in message.items()))


@outbox.command()
def replay(
    why: Why,
    id: Annotated[str, typer.Argument(help="One message; without it all that fit the options.")] = "",
    state: Annotated[str, typer.Option(help="All that are parked, withheld or retrying.")] = "",
    destination: Annotated[str, typer.Option(help="Only to this destination.")] = "",
    since: Annotated[str, typer.Option(help="Only what came into that state since then (2026-05-04T08:30:00Z).")] = "",
    do_it: Annotated[bool, typer.Option("--do-it", help="Without it the answer says what would be done.")] = False,
    as_json: Json = False,
    url: Url = SERVICE,
    token: Token = "",
) -> None:
    """Try a message again, or all that fit; consent is asked again."""
    if bool(id) == bool(state):
        _fail("say which: an id, or --state", 2)
    if id:
        message = _need(_call("POST", url, token, f"/api/outbox/{id}/replay", {"why": why}))
        _show(_line(message), as_json, f"{id}: {message['state']}")
        return
    asked = {"why": why, "state": state, "destination": destination, "since": since or None, "dryRun": not do_it}
    _replay_all(url, token, asked, as_json)


@outbox.command()
def cancel(id: str, why: Why, as_json: Json = False, url: Url = SERVICE, token: Token = "") -> None:
    """Take a message back for good."""
    message = _need(_call("POST", url, token, f"/api/outbox/{id}/cancel", {"why": why}))
    _show(_line(message), as_json, f"{id}: {message['state']}")


@outbox.command()
def pause(destination: str, why: Why, url: Url = SERVICE, token: Token = "") -> None:
    """Start no more tries to a destination."""
    _need(_call("POST", url, token, f"/api/destinations/{destination}/pause", {"why": why}))


@outbox.command()
def resume(destination: str, url: Url = SERVICE, token: Token = "") -> None:
    """Let tries to a destination start again."""
    _need(_call("POST", url, token, f"/api/destinations/{destination}/resume"))


@outbox.command("destinations")
def outbox_destinations(as_json: Json = False, url: Url = SERVICE, token: Token = "") -> None:
    """Which destinations are held, and which have been unwell lately."""
    for each in _need(_call("GET", url, token, "/api/destinations")):
        until = f" until {each['openUntil']}, {each['faults']} faults in a row" if each["openUntil"] else ""
        _show(each, as_json, "  ".join(filter(None, (each["name"], f"circuit {each['circuit']}{until}", each["held"]))))


@database.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from contracts.errors import Unavailable
    from service.settings import Settings
    from service.store.migrate import migrate as bring_up

    try:
        print(f"schema {bring_up(_configured(Settings).database_place)}")
    except (Unavailable, ValueError) as error:
        _fail(str(error), 2)


@app.command()
def settings() -> None:
    """Every setting, its default, and what it is for."""
    from service.settings_page import page

    print(page())


# Small things


def _replay_all(url: str, token: str, asked: dict[str, Any], as_json: bool) -> None:
    """Step by step, as the service gives them."""
    after: int | None = 0
    replayed = told = 0
    while after is not None:
        answer = _need(_call("POST", url, token, "/api/outbox/replay", {**asked, "after": after}))
        for message in answer["messages"]:
            _show(message, as_json, "  ".join(filter(None, message.values())))
        after = answer["next"]
        replayed += answer["replayed"]
        told += len(answer["messages"])
    would = "would be tried again: say --do-it" if asked["dryRun"] else "are tried again"
    print(f"{told} fit, {replayed} {would}", file=sys.stderr)


def _pull_line(unit: dict[str, Any]) -> str:
    newest = unit["newest"] or {"state": "never pulled", "began": "", "reason": "", "applied": 0, "patients": 0}
    parts = (
        newest["state"],
        newest["began"],
        f"{newest['applied']} of {newest['patients']} patients",
        newest["reason"],
    )
    return "  ".join([unit["unit"], *filter(None, parts), *([f"next {unit['next']}"] if unit["next"] else [])])


def _configured(make: Callable[[], Any], prefix: str = "") -> Any:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    try:
        return make()
    except ValidationError as error:
        found = error.errors(include_input=False)
        _fail("; ".join(f"{prefix}{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found), 2)
    except SettingsError as error:
        _fail(str(error), 2)


def _ready_to_run() -> Any:
    """The settings, checked."""
    from service.settings import Settings
    from service.telemetry import set_up_logging

    settings = _configured(Settings)
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
        _ = settings.database_place
        settings.regional_profile()
        if settings.clients:
            Clients.from_file(settings.clients)
        if settings.units:
            from_file(settings.units)
        if settings.clock_url:
            FollowedClock(settings.clock_url)
        unknown = set(settings.adapters) - set(ADAPTERS)
        if unknown:
            _fail(f"REKO_ADAPTERS: there is no adapter {', '.join(sorted(unknown))}", 2)
        for name in ADAPTERS:
            destination = _configured(partial(settings.adapter, name), f"adapters.{name}.")
            for url in destination.urls:
                if fault := destination.reach.fault(url):
                    _fail(f"REKO_ADAPTERS__{name.upper()}: an address cannot be used: {fault}", 2)
    except (BadClients, BadUnits, ValueError) as error:
        _fail(str(error), 2)


def _call(method: str, url: str, token: str, path: str, body: Any = None) -> Any:
    """The answer's JSON (``{}`` for none); ``None``, and a line on standard error, when the service refuses."""
    import httpx

    try:
        response = httpx.request(
            method,
            f"{url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=120,
            trust_env=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        print(f"reko: no answer from {url} ({type(error).__name__}); does reko serve run?", file=sys.stderr)
        return None
    if response.is_success:
        return response.json() if response.content else {}
    print(f"reko: {response.status_code} {_detail(response)}", file=sys.stderr)
    return None


def _detail(response: Any) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return ""


def _need(answer: Any) -> Any:
    if answer is None:
        raise typer.Exit(1)
    return answer


def _line(message: dict[str, Any]) -> dict[str, Any]:
    return {name: message[name] for name in ("id", "destination", "key", "state", "attempts", "nextTry", "reason")}


def _show(value: Any, as_json: bool, text: str) -> None:
    import orjson

    print(orjson.dumps(value).decode() if as_json else text)


def _fail(text: str, status: int) -> NoReturn:
    print(f"reko: {text}", file=sys.stderr)
    raise typer.Exit(status)


def _end(status: int) -> NoReturn:
    raise typer.Exit(status)
