"""The commands that ask a running service: what operators do from a shell."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any, Final, NoReturn

import typer

Json = Annotated[bool, typer.Option("--json", help="For machines: one JSON value a line.")]
Url = Annotated[str, typer.Option(envvar="REKO_URL", help="The service.")]
Token = Annotated[str, typer.Option(envvar="REKO_TOKEN", help="A token that the service knows.")]
Why = Annotated[str, typer.Option("--why", help="Kept with the deed.")]
SERVICE: Final = "http://127.0.0.1:8080"

outbox: Final = typer.Typer(help="What was promised, and what became of it.", no_args_is_help=True)


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
    if failed:
        raise typer.Exit(1)


def pulls(as_json: Json = False, url: Url = SERVICE, token: Token = "") -> None:
    """Each unit's newest pull, and when the next one is due."""
    for unit in _need(_call("GET", url, token, "/api/pulls")):
        _show(unit, as_json, _pull_line(unit))


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
    for message in _pages(url, token, "/api/outbox", f"?{urlencode(asked)}"):
        line = _line(message) | ({"holdsBack": message["holdsBack"]} if blocked else {})
        _show(line, as_json, "  ".join(str(value) for value in line.values()))


@outbox.command("deeds")
def outbox_deeds(as_json: Json = False, url: Url = SERVICE, token: Token = "") -> None:
    """What operators did to messages and destinations: when, who, what, to what and why."""
    for done in _pages(url, token, "/api/outbox/deeds", "?"):
        line = (done[name] for name in ("at", "employee", "deed", "about", "why"))
        _show(done, as_json, "  ".join(filter(None, line)))


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
        fail("say which: an id, or --state", 2)
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
def resume(
    destination: str,
    why: Annotated[str, typer.Option("--why", help="Kept with the deed, if there is something to say.")] = "",
    url: Url = SERVICE,
    token: Token = "",
) -> None:
    """Let tries to a destination start again."""
    _need(_call("POST", url, token, f"/api/destinations/{destination}/resume", {"why": why} if why else None))


@outbox.command("destinations")
def outbox_destinations(as_json: Json = False, url: Url = SERVICE, token: Token = "") -> None:
    """Which destinations are held, which have been unwell lately, and which are waited for though nothing reaches them."""
    for each in _need(_call("GET", url, token, "/api/destinations")):
        until = f" until {each['openUntil']}, {each['faults']} faults in a row" if each["openUntil"] else ""
        unreached = "" if each["configured"] else "not configured: nothing is sent there"
        parts = each["name"], f"circuit {each['circuit']}{until}", each["held"], unreached
        _show(each, as_json, "  ".join(filter(None, parts)))


# Asking, and showing what is answered


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


def _pages(url: str, token: str, path: str, query: str) -> Iterator[Any]:
    """What a list holds, page by page."""
    while query:
        response = _need(_ask("GET", url, token, path + query))
        yield from response.json()
        query = response.links.get("next", {}).get("url", "")


def _call(method: str, url: str, token: str, path: str, body: Any = None) -> Any:
    """The answer's JSON (``{}`` for none); ``None``, and a line on standard error, when the service refuses."""
    response = _ask(method, url, token, path, body)
    if response is None:
        return None
    return response.json() if response.content else {}


def _ask(method: str, url: str, token: str, path: str, body: Any = None) -> Any:
    """The answer; ``None``, and a line on standard error, when the service refuses."""
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
        return response
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


def fail(text: str, status: int) -> NoReturn:
    """Say why, and end with this exit code."""
    print(f"reko: {text}", file=sys.stderr)
    raise typer.Exit(status)
