"""What the control surface can do in any world: the deeds, and the table of them."""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, field_validator

from adapters.mocking import faults
from adapters.mocking.control import Asked, Failed, NotThere, Row
from adapters.mocking.people import PEOPLE
from adapters.mocking.proxy import HOST, ConnectionFault, FaultProxy
from adapters.mocking.recording import Recording, shown
from adapters.mocking.spy import Consented, Spy
from adapters.mocking.validation import Validation
from adapters.mocking.verify import Verification
from contracts.identity import PersonId


class ClockIn(BaseModel):
    """Where to move the clock: to an instant, or ahead by an ISO 8601 duration."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime | None = None
    advance: timedelta | None = None


class PersonIn(BaseModel):
    """A test person of one's own: whenever a request names the number, the fault is played."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    number: str
    fault: str

    @field_validator("number")
    @classmethod
    def _of_the_test_series(cls, number: str) -> str:
        person = PersonId(number)
        if not person.is_synthetic:
            raise ValueError("only numbers of the test series are accepted here")
        return person.digits


def _ledgers(asked: Asked) -> Any:
    return {name: _summary(asked, name) for name in asked.world.counterparts}


def _summary(asked: Asked, system: str) -> dict[str, Any]:
    ledger = asked.world.counterpart(system).room(asked.namespace).ledger
    return {"received": ledger.received, "dropped": ledger.dropped, "accepted": ledger.accepted_ids()}


def _ledger(asked: Asked) -> Any:
    """All that is kept, or with ``?newest=`` the last so many, with ``?refused=1`` of those that were not accepted."""
    query = asked.request.query_params
    entries = asked.world.counterpart(asked.system).room(asked.namespace).ledger.entries
    wanted = [entry for entry in entries if not (query.get("refused") and entry.accepted)]
    newest = query.get("newest", "")
    return [shown(entry) for entry in (wanted[-int(newest) :] if newest.isdecimal() and int(newest) else wanted)]


def _entry(asked: Asked) -> Any:
    found = asked.world.counterpart(asked.system).room(asked.namespace).ledger.entry(asked.number("number"))
    if found is None:
        raise NotThere
    return shown(found)


def _clear(asked: Asked) -> Any:
    world = asked.world
    wanted = [world.counterpart(asked.system)] if asked.system else list(world.counterparts.values())
    for counterpart in wanted:
        counterpart.reset(asked.namespace)
    return {"cleared": [counterpart.system for counterpart in wanted]}


async def _forget(asked: Asked) -> Any:
    asked.world.forget(asked.namespace)
    await asked.world.close(asked.namespace)
    return {"forgotten": asked.namespace}


def _namespaces(asked: Asked) -> Any:
    found = {name for counterpart in asked.world.counterparts.values() for name in counterpart.namespaces}
    return {"namespaces": sorted(found | {"", asked.namespace}), "systems": asked.world.titles}


def _catalogue(_: Asked) -> Any:
    return {
        name: {"words": row.words, "by": "proxy" if row.fault is None else "mock"}
        for name, row in faults.CATALOGUE.items()
    }


def _waiting(asked: Asked) -> Any:
    room = asked.world.counterpart(asked.system).room(asked.namespace)
    return [fault.model_dump(mode="json", by_alias=True) for fault in room.waiting]


def _order(asked: Asked) -> Any:
    wanted = faults.ordered(asked.body)
    asked.world.order(asked.system, wanted, asked.namespace)
    return {"ordered": len(wanted)}


def _calm(asked: Asked) -> Any:
    asked.world.order(asked.system, [], asked.namespace)
    return {"ordered": 0}


def _people(_: Asked) -> Any:
    return [
        {"number": person.number, "fault": person.fault, "script": person.script, "certificate": person.certificate}
        for person in PEOPLE.values()
    ]


def _introduce(asked: Asked) -> Any:
    given = _PERSONS.validate_json(asked.body)
    faults_of = {each.number: faults.NamedFault(name=each.fault, times=None).fault() for each in given}
    asked.world.around.people.update(faults_of)
    return {"known": len(asked.world.around.people)}


def _validation(asked: Asked) -> Any:
    counterpart = asked.world.counterpart(asked.system)
    return counterpart.validation(counterpart.room(asked.namespace)).model_dump(mode="json")


def _judge_so(asked: Asked) -> Any:
    wanted = _VALIDATION.validate_json(asked.body)
    asked.world.counterpart(asked.system).room(asked.namespace).validation = wanted
    return wanted.model_dump(mode="json")


def _time(asked: Asked) -> Any:
    return {"now": asked.world.times.at(asked.namespace).isoformat()}


async def _move(asked: Asked) -> Any:
    wish = ClockIn.model_validate_json(asked.body)
    if (wish.now is None) == (wish.advance is None):
        raise ValueError("give either now or advance")
    done = await asked.world.move(now=wish.now, advance=wish.advance, namespace=asked.namespace)
    return {"now": asked.world.times.at(asked.namespace).isoformat(), "done": done}


def _agenda(asked: Asked) -> Any:
    agenda = asked.world.agenda
    planned = [{"at": each.at.isoformat(), "what": each.words} for each in agenda.waiting(asked.namespace)]
    return {"planned": planned, "dropped": agenda.dropped}


async def _verify(asked: Asked) -> Any:
    verdicts = await asked.world.verify(_VERIFICATION.validate_json(asked.body), asked.namespace)
    findings = _findings(asked.world.around.spies.get(asked.namespace))
    ok = not findings and all(verdict.ok for verdict in verdicts)
    answer = {"ok": ok, "checks": [verdict.model_dump() for verdict in verdicts], "notConsented": findings}
    return answer if ok else Failed(answer)


def _spied(asked: Asked) -> Any:
    findings = _findings(asked.world.around.spies.get(asked.namespace))
    return Failed({"ok": False, "notConsented": findings}) if findings else {"ok": True, "notConsented": []}


def _findings(spy: Spy | None) -> list[dict[str, Any]]:
    return [finding.model_dump(mode="json") for finding in spy.findings] if spy else []


def _watch(asked: Asked) -> Any:
    consented = _CONSENTED.validate_json(asked.body)
    asked.world.around.spy(asked.namespace).watch(consented)
    return {"watching": len(consented)}


def _look_away(asked: Asked) -> Any:
    asked.world.around.spies.pop(asked.namespace, None)
    return {"watching": 0}


def _record(asked: Asked) -> Any:
    return asked.world.record(asked.namespace).model_dump(mode="json", by_alias=True)


def _replay(asked: Asked) -> Any:
    recording = _RECORDING.validate_json(asked.body)
    asked.world.replay(recording, asked.namespace)
    return {"exchanges": len(recording.exchanges)}


def _stop_replaying(asked: Asked) -> Any:
    asked.world.stop_replaying(asked.namespace)
    return {"exchanges": 0}


async def _break(asked: Asked) -> Any:
    wanted = _CONNECTION.validate_json(asked.body)
    host, port = asked.request.scope["server"] or ("", 0)
    if not port:
        raise ValueError("there are no connections in-process: run reko mock")
    listed = wanted if isinstance(wanted, list) else [wanted]
    proxy = await asked.world.break_connections(asked.system, listed, host, port, asked.namespace)
    return _before(asked, proxy)


async def _mend(asked: Asked) -> Any:
    proxy = asked.world.proxy(asked.system, asked.namespace)
    if proxy is None:
        raise NotThere
    await proxy.order([])
    return _before(asked, proxy)


def _before(asked: Asked, proxy: FaultProxy) -> Any:
    """Where to call instead, in the namespace that asks."""
    room = f"/_ns/{quote(asked.namespace, safe='')}" if asked.namespace else ""
    return {"url": f"http://{HOST}:{proxy.port}{room}/{asked.system}", "passed": proxy.passed}


_FAULTS: Final[TypeAdapter[Any]] = TypeAdapter(
    list[faults.NamedFault | faults.Fault] | faults.NamedFault | faults.Fault
)
_PERSONS: Final = TypeAdapter(list[PersonIn])
_VALIDATION: Final = TypeAdapter(Validation)
_VERIFICATION: Final = TypeAdapter(Verification)
_CONSENTED: Final = TypeAdapter(list[Consented])
_RECORDING: Final = TypeAdapter(Recording)
_CONNECTION: Final[TypeAdapter[list[ConnectionFault] | ConnectionFault]] = TypeAdapter(
    list[ConnectionFault] | ConnectionFault
)

ROWS: Final = (
    Row("GET", "/_control/ledger", _ledgers, "What each system has received: how much, and the ids that it accepted"),
    Row("DELETE", "/_control/ledger", _clear, "Forget the traffic and the faults of all systems"),
    Row("GET", "/_control/ledger/{system}", _ledger, "Every exchange, also the refused ones; ?newest=20, ?refused=1"),
    Row("GET", "/_control/ledger/{system}/{number}", _entry, "One exchange"),
    Row("DELETE", "/_control/ledger/{system}", _clear, "Forget the traffic and the faults of one system"),
    Row("GET", "/_control/namespaces", _namespaces, "The namespaces there are, and the systems by name"),
    Row("DELETE", "/_control/namespace", _forget, "Forget everything of the namespace, also what it was given"),
    Row("GET", "/_control/faults", _catalogue, "All faults by name"),
    Row("GET", "/_control/faults/{system}", _waiting, "The faults that wait, with the calls that are left"),
    Row("PUT", "/_control/faults/{system}", _order, "Let the next calls go wrong; then all is well again", _FAULTS),
    Row("DELETE", "/_control/faults/{system}", _calm, "Take the faults away"),
    Row("GET", "/_control/people", _people, "Test persons who bring about a fault or a script by themselves"),
    Row("PUT", "/_control/people", _introduce, "Test persons of one's own, in all namespaces", _PERSONS),
    Row("GET", "/_control/validation/{system}", _validation, "How strictly the system judges"),
    Row("PUT", "/_control/validation/{system}", _judge_so, "Judge so: off, warn or strict", _VALIDATION),
    Row("GET", "/_control/clock", _time, "The time"),
    Row(
        "PUT",
        "/_control/clock",
        _move,
        "Move the namespace's clock, or everybody's; what comes due is done",
        TypeAdapter(ClockIn),
    ),
    Row("GET", "/_control/agenda", _agenda, "What the counterparts will do, and when"),
    Row("POST", "/_control/verify", _verify, "Ask the ledgers; 409 if a check does not hold", _VERIFICATION),
    Row("GET", "/_control/spy", _spied, "409 if a body held what was not consented"),
    Row("PUT", "/_control/spy", _watch, "Tell the spy what is consented", _CONSENTED),
    Row("DELETE", "/_control/spy", _look_away, "Let the spy look away"),
    Row("GET", "/_control/recording", _record, "Everything that came, as a masked file"),
    Row("PUT", "/_control/recording", _replay, "Answer as recorded", _RECORDING),
    Row("DELETE", "/_control/recording", _stop_replaying, "Answer as a mock again"),
    Row("PUT", "/_control/proxy/{system}", _break, "An address at which connections break on order", _CONNECTION),
    Row("DELETE", "/_control/proxy/{system}", _mend, "Let its connections hold again"),
)
