"""Withdrawals against a relay that is sending: whenever one comes, its answer is true (decision D19; figure G6).

Each race is a patient with both consents and a message on its way, and one deed that ends the permission: a withdrawal of
either consent, or a refusal; after a random moment, or just as the sending begins, or just after it has ended. The deed's answer says that the message is withheld, that it left before, or
says nothing of it. The judge then looks at what was sent, and when:

- withheld: nothing of it was sent, or a try that failed had begun before the answer, and none came after it;
- left before: it was sent once, under a claim from before, and if that try failed it was withheld and not tried again;
- nothing said: it had been delivered, and its sending had begun before the answer.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import func, select

from contracts.consent import (
    Consent,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    HowGiven,
    InformationCategory,
    Purpose,
    Recipient,
    RecipientKind,
)
from contracts.dialogue import MessagePart, Notification, Topic
from contracts.identity import FORSAKRINGSKASSAN, HsaId, PersonId, control_digit
from contracts.outbox import Claim, Delivered, DeliveryOutcome, DeliveryState, Transient
from contracts.record import Caller
from contracts.sick_leave import Certificate, CertificatePeriod
from contracts.time import Period, swedish_day
from fhir_mappings import consent as consents
from fhir_mappings import dialogue, people
from fhir_mappings.document import decode, from_content
from service.clock import MovableClock, Uuid7
from service.fhir_api.search import index, parameters
from service.outbox import relay as relaying
from service.outbox.relay import Relay
from service.rules.region import RegionalProfile
from service.store.store import SqlStore
from service.store.tables import outbox
from service.store.transaction import SqlTransaction
from service.usecases.context import Context, Write
from service.usecases.notify import notify
from service.usecases.record_consent import ended, record_consent

UNIT, PROVIDER = HsaId("TSTNMT2321000156-E0001"), HsaId("TSTNMT2321000156-S0001")
CALLER: Final = Caller(HsaId("TSTNMT2321000156-P0001"), "c-1", UNIT, PROVIDER, frozenset())
FK: Final = Recipient(RecipientKind.FORSAKRINGSKASSAN, FORSAKRINGSKASSAN.value)
CONTEXT: Final = Context(RegionalProfile("races", frozenset()), Uuid7(), frozenset({"forsakringskassan"}))

AT_A_TIME: Final = 40
"""Races that run side by side."""
LONGEST_WAIT: Final = 0.02
"""Seconds from the promise to the deed, at most, where it is random: around what a claim takes when that many run."""
WHEN: Final = ("at random", "at random", "as it begins", "after it has ended")
DEEDS: Final = ("withdraw disclosure", "withdraw coordination", "refuse")
_RESTLESS: Final = (DeliveryState.WAITING, DeliveryState.CLAIMED, DeliveryState.RETRYING)


@dataclass(slots=True)
class Race:
    """One race, as its judge sees it. Moments are numbers of one sequence; 0 is never."""

    patient: str
    deed: str
    message: str = ""
    said: str = ""
    answered: int = 0
    sent: list[int] = field(default_factory=list)
    fails: bool = False
    state: str = ""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


def fault(race: Race) -> str:
    """What is wrong with a race; empty when its answer was true."""
    before = [moment < race.answered for moment in race.sent]
    if race.said == "withheld":
        right = all(before) and len(before) <= race.fails and race.state == DeliveryState.WITHHELD
    elif race.said == "left":
        end = DeliveryState.WITHHELD if race.fails else DeliveryState.DELIVERED
        right = len(race.sent) == 1 and race.state == end
    else:
        right = all(before) and len(before) == 1 + race.fails and race.state == DeliveryState.DELIVERED
    return "" if right else f"{race.deed}: said {race.said or 'nothing'}, {len(race.sent)} sent, now {race.state}"


@dataclass(slots=True)
class Tally:
    """What a number of races came to."""

    races: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Line:
    """The channel: it takes a moment, writes down when each send began, and fails some for a while."""

    def __init__(self, moments: Iterator[int], chance: Random) -> None:
        self._moments = moments
        self._chance = chance
        self.races: dict[str, Race] = {}

    async def send(self, claim: Claim) -> DeliveryOutcome:
        """See ``contracts.ports.Channel``."""
        race = self.races[claim.message.patient]
        race.sent.append(next(self._moments))
        race.begun.set()
        await asyncio.sleep(self._chance.random() * LONGEST_WAIT / 4)
        race.over.set()
        return Transient("not now") if race.fails and len(race.sent) == 1 else Delivered()


async def races(home: Path, number: int, seed: int) -> Tally:
    """Run that many on a database of their own."""
    chance, moments = Random(seed), count(1)  # noqa: S311 - spreads the races, guards nothing
    async with _relaying(home, Line(moments, chance)) as (store, line, clock):
        gate = asyncio.Semaphore(AT_A_TIME)

        async def run(person: PersonId) -> Race:
            async with gate:
                return await _run(store, line, person, chance, moments)

        run_all = [run(person) for _, person in zip(range(number), _people(), strict=False)]
        done = await asyncio.gather(*run_all)
        await _come_to_rest(store, clock)
        states = {id: state for id, state in await store.select(select(outbox.c.id, outbox.c.state))}  # noqa: C416
    tally = Tally(len(done))
    for race in done:
        race.state = states[race.message]
        tally.outcomes[race.said or "delivered"] += 1
        tally.outcomes["first byte after the answer"] += any(moment > race.answered for moment in race.sent)
        if wrong := fault(race):
            tally.faults.append(wrong)
    return tally


@asynccontextmanager
async def _relaying(home: Path, line: Line) -> AsyncIterator[tuple[SqlStore, Line, MovableClock]]:
    clock = MovableClock()
    store = SqlStore(home / "races.db", clock, parameters.definitions(), index.rows_of)
    relay = Relay(store, CONTEXT, {"forsakringskassan": line}, clock)
    working = asyncio.create_task(relay.run())
    try:
        yield store, line, clock
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        store.close()


async def _run(store: SqlStore, line: Line, person: PersonId, chance: Random, moments: Iterator[int]) -> Race:
    wait, when = chance.random() * LONGEST_WAIT, chance.choice(WHEN)
    deed, fails = chance.choice(DEEDS), chance.random() < 0.3
    patient, given = await store.run(lambda transaction: _introduce(transaction, person))
    race = line.races[patient] = Race(patient, deed, fails=fails)
    race.message = await store.run(lambda transaction: _ask(transaction, patient))
    if when != "at random":
        await (race.begun if when == "as it begins" else race.over).wait()
    if when != "as it begins":
        await asyncio.sleep(wait)
    notes = await store.run(lambda transaction: _end(transaction, deed, patient, given))
    race.answered = next(moments)
    race.said = next((said for said in ("withheld", "left") for note in notes if _says(note, race.message, said)), "")
    return race


def _says(note: str, message: str, said: str) -> bool:
    return message in note and ("is withheld" if said == "withheld" else "left before") in note


def _introduce(transaction: SqlTransaction, person: PersonId) -> tuple[str, dict[str, str]]:
    """Somebody with both consents and a certificate: the patient's id, and the consents' by kind."""
    patient = CONTEXT.ids.new()
    transaction.save(from_content(people.patient_resource(person, "")), patient, UNIT.value)
    given = {}
    for kind in ConsentKind:
        said = from_content(consents.to_fhir(_consent(transaction, patient, kind), recorder=CALLER.employee))
        given[kind.value] = record_consent(transaction, CONTEXT, Write(CALLER, said)).record.id
    today = swedish_day(transaction.at)
    period = CertificatePeriod(today, today + timedelta(days=30), 50)
    certificate = Certificate(f"c-{patient}", person, UNIT, (period,), transaction.at)
    transaction.keep_certificate(UNIT.value, certificate, patient, "")
    return patient, given


def _consent(transaction: SqlTransaction, patient: str, kind: ConsentKind, effect: Effect = Effect.PERMIT) -> Consent:
    disclosing = kind is ConsentKind.DISCLOSURE
    today = swedish_day(transaction.at)
    return Consent(
        id="",
        version=0,
        kind=kind,
        status=ConsentStatus.ACTIVE,
        effect=effect,
        patient=patient,
        unit=UNIT,
        given=transaction.at,
        how=HowGiven.ORAL,
        recipient=FK if disclosing else None,
        direction=Direction.DISCLOSE if disclosing else None,
        purposes=frozenset({Purpose.COORDINATION}) if disclosing else frozenset(),
        categories=frozenset({InformationCategory.ASSUMED_REHAB_NEED}) if disclosing else frozenset(),
        period=Period.of_days(today, today + timedelta(days=90)) if disclosing else Period(),
    )


def _ask(transaction: SqlTransaction, patient: str) -> str:
    """The request to tell Försäkringskassan, as a person writes it; the id of its message."""
    part = MessagePart(InformationCategory.ASSUMED_REHAB_NEED, "Behov kan antas.")
    said = Notification(patient, "", Topic.ASSUMED_REHAB_NEED, (part,))
    content = dialogue.to_fhir(said, FK, employee=CALLER.employee, unit=UNIT)
    notify(transaction, CONTEXT, Write(CALLER, from_content(content)))
    return transaction.queued(patient)[0].message.id


def _end(transaction: SqlTransaction, deed: str, patient: str, given: dict[str, str]) -> list[str]:
    """Do it, and give back what the answer says."""
    if deed == "refuse":
        said = _consent(transaction, patient, ConsentKind.DISCLOSURE, Effect.DENY)
        write = Write(CALLER, from_content(consents.to_fhir(said, recorder=CALLER.employee)))
    else:
        id_ = given[deed.removeprefix("withdraw ")]
        record = transaction.read("Consent", id_)
        assert record is not None
        write = Write(CALLER, ended(decode(record.body), transaction.at), id_)
    return [note.text for note in record_consent(transaction, CONTEXT, write).notes]


async def _come_to_rest(store: SqlStore, clock: MovableClock) -> None:
    """What failed is due again in its own time, which is moved to."""
    wanted: Any = select(func.count()).where(outbox.c.state.in_([state.value for state in _RESTLESS]))
    while (await store.select(wanted))[0][0]:
        clock.advance(timedelta(seconds=30))
        await asyncio.sleep(relaying.IDLE)


def _people() -> Iterator[PersonId]:
    """People of the test series (decision D28)."""
    for days in count():
        born = date(1950, 1, 1) + timedelta(days=days)
        yield PersonId(f"{born:%Y%m%d}980{control_digit(f'{born:%y%m%d}980')}")
