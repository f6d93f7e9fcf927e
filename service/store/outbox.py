"""The outbox as statements on the writer's own connection: promises, heads of keys, claims and their ends, routes."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts.consent import Question
from contracts.dialogue import PartyMessage
from contracts.outbox import (
    BLOCKING,
    DUE,
    WORKER_LOST,
    Breaker,
    Claim,
    Deed,
    DeliveryState,
    Erased,
    Lost,
    OutboxMessage,
    Queued,
)
from contracts.record import Caller
from service.store import sql_outbox as sql
from service.store.codec import PARTY_MESSAGE, decode, decode_payload, encode, from_micros, payload_kind, to_micros
from service.store.database import Row
from service.store.gathering import Gathered
from service.store.snapshot import SqlSnapshot, hidden_of

_log = logging.getLogger(__name__)


class MustBeAlone(BaseException):
    """The work that began beside others does what nobody may do meanwhile: it is done again, alone."""


@dataclass(slots=True)
class SqlOutbox(SqlSnapshot):
    """What is promised, and by whom it is being kept. Nobody else writes meanwhile; beside a transaction that claims others
    may claim, each what is due and nobody has locked."""

    beside: bool = field(default=False, kw_only=True)
    """Whether others may claim meanwhile."""
    gathered: Gathered = field(default_factory=Gathered, kw_only=True)
    """The rows that its group writes together."""
    woken: set[str] = field(default_factory=set, kw_only=True)
    """Destinations that got something to send."""
    moved: dict[str, bool] = field(default_factory=dict, kw_only=True)
    """Messages to parties that were promised or moved."""

    def be_alone(self) -> None:
        """Before anything is written that whoever claims beside may have read, or may write."""
        if self.beside:
            raise MustBeAlone

    # promises

    def promise(self, message: OutboxMessage, state: DeliveryState, reason: str = "") -> None:
        """See ``contracts.ports.Transaction``."""
        self.be_alone()
        now = to_micros(self.at)
        self.connection.execute(
            sql.INSERT_MESSAGE,
            {
                "id": message.id,
                "destination": message.destination,
                "key": message.key,
                "patient": message.patient,
                "unit": message.question.unit.value,
                "about": message.about,
                "state": state.value,
                "attempts": 0,
                "created": now,
                "changed": now,
                "next_try": now if state in DUE else None,
                "reason": reason,
                "fence": 0,
                "lease_until": None,
                "kind": payload_kind(message.payload),
                "question": encode(message.question),
                "payload": encode(message.payload),
                "head": int(state in BLOCKING and self._first_of(message.key) is None),
            },
        )
        self.woken.add(message.destination)
        if isinstance(message.payload, PartyMessage):
            self.moved[message.id] = True

    def was_promised(self, about: str) -> bool:
        """See ``contracts.ports.Transaction``."""
        return self.connection.execute(sql.PROMISED, {"resource": about}).fetchone() is not None

    def fix(self, message: OutboxMessage, state: DeliveryState, reason: str) -> None:
        """See ``contracts.ports.Transaction``."""
        place = self.connection.execute(sql.PLACE_OF, {"message": message.id}).fetchone()
        self.connection.execute(
            sql.FIX_MESSAGE,
            {
                "message": message.id,
                "to_where": message.destination,
                "in_key": message.key,
                "of_kind": payload_kind(message.payload),
                "asked": encode(message.question),
                "news": encode(message.payload),
            },
        )
        self.move(message.id, state, reason)
        if place is not None and place[0] != message.key:
            self._seat(place[0])
            self._seat(message.key)

    def queued(self, patient: str) -> Sequence[Queued]:
        """See ``contracts.ports.Transaction``."""
        return self._readable(self.connection.execute(sql.MESSAGES_OF_PATIENT, {"of_patient": patient}).fetchall())

    def moved_messages(self) -> Mapping[str, bool]:
        """See ``contracts.ports.Transaction``."""
        return dict(self.moved)

    def message(self, id: str) -> Queued | None:
        """See ``contracts.ports.Transaction``."""
        row = self.connection.execute(sql.MESSAGE, {"message": id}).fetchone()
        return None if row is None else self._read_back(row)

    def standing(self, id: str, hidden_of: str = "") -> tuple[str, DeliveryState] | None:
        """Whose a message is (the unit) and its state: told also of one that cannot be read, and of none that is about
        something restricted of the unit ``hidden_of``."""
        row = self.connection.execute(sql.STANDING, {"message": id, "hidden_of": hidden_of}).fetchone()
        return None if row is None else (row[0], DeliveryState(row[1]))

    def move(self, message_id: str, state: DeliveryState, reason: str = "", next_try: datetime | None = None) -> None:
        """See ``contracts.ports.Transaction``."""
        self._move(sql.MOVE_MESSAGE, message_id, state, reason, next_try)

    def _move(self, how: str, id: str, state: DeliveryState, reason: str, next_try: datetime | None) -> None:
        self.be_alone()
        due = next_try or (self.at if state in DUE else None)
        place = self.connection.execute(sql.PLACE_OF, {"message": id}).fetchone()
        if place is None:
            return
        self.connection.execute(
            how,
            {
                "message": id,
                "to": state.value,
                "because": reason,
                "due": None if due is None else to_micros(due),
                "now": to_micros(self.at),
            },
        )
        key, before, kind = place
        if kind == PARTY_MESSAGE:
            self.moved[id] = self.moved.pop(id, False)  # what moved last stands last
        if (before in BLOCKING) != (state in BLOCKING):
            self._seat(key)
        self.woken.add("")

    def _seat(self, key: str) -> None:
        """Whoever is first now is the key's head."""
        first = self._first_of(key)
        self.connection.execute(sql.UNSEAT, {"of_key": key, "first": first or 0})
        if first is not None:
            self.connection.execute(sql.SEAT, {"first": first})

    def _first_of(self, key: str) -> int | None:
        row = self.connection.execute(sql.FIRST_OF_KEY, {"of_key": key}).fetchone()
        return None if row is None else int(row[0])

    def fitting(
        self, caller: Caller, state: str, destination: str, since: datetime | None, after: int, limit: int
    ) -> Sequence[tuple[int, str]]:
        """Numbers and ids of the messages of the caller's unit in a state, as far as the caller may see what they are about,
        oldest promise first from the one behind ``after``: to one destination if it is named, and in that state since then or
        later."""
        wanted = {
            "of_unit": caller.unit.value,
            "hidden_of": hidden_of(caller),
            "standing": state,
            "name": destination,
            "since": 0 if since is None else to_micros(since),
            "after": after,
            "most": limit,
        }
        return self.connection.execute(sql.FITTING, wanted).fetchall()

    def patient_of(self, id: str) -> str:
        """The logical id of the patient whom a message concerns: told also of one that cannot be read."""
        return str(self.connection.execute(sql.PATIENT_OF, {"message": id}).fetchone()[0])

    # tries

    def due(self, destination: str, limit: int) -> Sequence[Queued]:
        """Messages whose try may start now: the head of each key, earliest due first; none while the route is held."""
        if self.held(destination):
            return []
        wanted = {"name": destination, "now": to_micros(self.at), "slots": limit}
        return self._readable(self.connection.execute(sql.DUE_MESSAGES, wanted).fetchall())

    def _readable(self, rows: Iterable[Row]) -> Sequence[Queued]:
        """The messages that can be read back. The others are parked if they wait: they must not stop anything."""
        return [queued for row in rows if (queued := self._read_back(row)) is not None]

    def _read_back(self, row: Row) -> Queued | None:
        id_, state = row[0], row[3]
        try:
            return to_queued(row)
        except (ValueError, KeyError, TypeError):
            _log.error("a stored message cannot be read", extra={"event": "outbox.unreadable", "message_id": id_})
            if state in DUE:
                self.move(id_, DeliveryState.PARKED, "the stored message cannot be read")
            return None

    def claim(self, messages: Sequence[OutboxMessage], lease_until: datetime) -> Sequence[Claim]:
        """Take the right to try them. ``lease_until`` is real time, whatever the movable clock says (decision D27)."""
        if not messages:
            return []
        ids = {f"message_{number}": message.id for number, message in enumerate(messages)}
        wanted = {**ids, "until": to_micros(lease_until), "now": to_micros(self.at)}
        rows = self.connection.execute(sql.claim_messages(len(messages)), wanted).fetchall()
        taken = {id: counts for id, *counts in rows}
        return [Claim(message, *taken[message.id]) for message in messages]

    def holds(self, claim: Claim) -> bool:
        """Whether nobody has taken the message over since."""
        row = self.connection.execute(sql.CLAIM_OF, {"message": claim.message.id}).fetchone()
        return row is not None and tuple(row) == (claim.fence, DeliveryState.CLAIMED.value)

    def renew(self, claims: Iterable[Claim], lease_until: datetime) -> None:
        """Their holder lives: those that are still its own are its own until then (real time)."""
        until = to_micros(lease_until)
        held = [{"message": claim.message.id, "held": claim.fence, "until": until} for claim in claims]
        self.connection.executemany(sql.RENEW, held)

    def orphans(self, real_now: datetime) -> Sequence[Lost]:
        """Claimed messages whose holder's lease has run out."""
        rows = self.connection.execute(sql.ORPHANS, {"real_now": to_micros(real_now)}).fetchall()
        return [Lost(*row) for row in rows]

    def lose(self, lost: Lost, state: DeliveryState, reason: str, next_try: datetime | None = None) -> None:
        """A worker was lost while it sent the message: it moves on, and the claim counts as no try."""
        self._move(sql.LOSE_MESSAGE, lost.id, state, reason, next_try)
        self._note(lost.id, lost.attempt, WORKER_LOST, reason)

    def is_claimed_for(self, destination: str) -> bool:
        """Whether a try to the destination is running. None begins elsewhere before this transaction ends."""
        self.connection.execute(sql.LOCK_ROUTE, {"name": destination}).fetchone()
        return self.connection.execute(sql.CLAIMED_FOR, {"name": destination}).fetchone() is not None

    def uncount(self, message_id: str) -> None:
        """The timetable does not count the newest try."""
        self.connection.execute(sql.UNCOUNT, {"message": message_id})

    def restart(self, message_id: str) -> None:
        """The timetable begins anew."""
        self.connection.execute(sql.RESTART, {"message": message_id})

    def note_attempt(self, claim: Claim, outcome: str, reason: str) -> None:
        """Keep what became of a try."""
        self._note(claim.message.id, claim.attempt, outcome, reason)

    def note_deed(self, message_id: str, deed: str, reason: str) -> None:
        """Keep what a person did to a message, and why."""
        self._note(message_id, 0, deed, reason)

    def keep_deed(self, caller: Caller, deed: Deed, about: str, why: str, patient: str = "") -> None:
        """Keep what an operator does, to what (a message about the patient, a destination, all that fit a filter), and why."""
        who = caller.employee.value, caller.unit.value, caller.provider.value
        self.gathered.add(sql.INSERT_DEED, [(to_micros(self.at), *who, deed.value, about, patient, why)])

    def _note(self, message_id: str, attempt: int, outcome: str, reason: str) -> None:
        self.gathered.add(sql.INSERT_ATTEMPT, [(message_id, attempt, to_micros(self.at), outcome, reason)])

    def erase_untold(self, before: datetime, limit: int) -> int:
        """Erase what so many messages say that have been withheld, or cancelled, since before that instant, and tell how many
        they were. State, reason, question and tries stay."""
        wanted = {"before": to_micros(before), "most": limit}
        withheld = self.connection.execute(sql.ERASE_WITHHELD, wanted).rowcount
        cancelled = self.connection.execute(sql.ERASE_CANCELLED, wanted | {"most": limit - withheld}).rowcount
        return withheld + cancelled

    def is_overtaken(self, id: str) -> bool:
        """Whether a later message about the same resource has been tried at the same destination."""
        return self.connection.execute(sql.OVERTAKEN, {"message": id}).fetchone() is not None

    def prune(self, state: DeliveryState, since: datetime, before: datetime, limit: int) -> datetime | None:
        """Forget so many messages, with their tries, that came to this end from ``since`` on and before then; until when that
        has been looked at, or ``None`` when all are done. Of one to another party only what it said is forgotten: the
        AuditEvents of disclosures are made of the rest. None that has not come to an end ever is."""
        self.gathered.write(self.connection)  # tries of this group are forgotten with their messages
        wanted = {"over": state.value, "since": to_micros(since), "before": to_micros(before), "most": limit}
        found = self.connection.execute(sql.ENDED_MESSAGES, wanted).fetchall()
        told = [{"message": id} for id, _, kind in found if kind == PARTY_MESSAGE]
        others = [{"message": id} for id, _, kind in found if kind != PARTY_MESSAGE]
        self.connection.executemany(sql.ERASE, told)
        self.connection.executemany(sql.FORGET_ATTEMPTS, others)
        self.connection.executemany(sql.FORGET_MESSAGE, others)
        return from_micros(found[-1][1]) if len(found) == limit else None

    # routes

    def held(self, destination: str) -> str:
        """Why the route to the destination is held; empty when it is not."""
        return str(self._route(destination)[0])

    def hold(self, destination: str, reason: str) -> None:
        """Stop every try to the destination until it is released."""
        self._make_route(destination)
        self.connection.execute(sql.HOLD_ROUTE, {"name": destination, "because": reason, "now": to_micros(self.at)})

    def release(self, destination: str) -> None:
        """Let tries to the destination start again; its faults are forgotten."""
        self.connection.execute(sql.RELEASE_ROUTE, {"name": destination})
        self.woken.add(destination)

    def breaker(self, destination: str) -> Breaker:
        """How the destination has been lately."""
        _, faults, until = self._route(destination)
        return Breaker(faults, None if until is None else from_micros(until))

    def set_breaker(self, destination: str, breaker: Breaker) -> None:
        """Keep how it is now."""
        self._make_route(destination)
        until = None if breaker.open_until is None else to_micros(breaker.open_until)
        self.connection.execute(sql.BREAK_ROUTE, {"name": destination, "counted": breaker.faults, "until": until})

    def _route(self, destination: str) -> Row:
        return self.connection.execute(sql.ROUTE, {"name": destination}).fetchone() or _UNTROUBLED

    def _make_route(self, destination: str) -> None:
        if self.connection.execute(sql.ROUTE, {"name": destination}).fetchone() is None:
            self.connection.execute(
                sql.INSERT_ROUTE,
                {"destination": destination, "held": "", "since": to_micros(self.at), "faults": 0, "open_until": None},
            )


_UNTROUBLED: Final = ("", 0, None)


def to_queued(row: Row) -> Queued:
    """A row of the outbox as a promised message with its state. Of what is to be sent nothing can have been erased."""
    id_, destination, about, state, attempts, next_try, reason, kind, question, payload = row
    said = Erased() if payload is None and state not in DUE else decode_payload(kind, payload)
    message = OutboxMessage(id_, destination, about, decode(question, Question), said)
    return Queued(message, DeliveryState(state), attempts, None if next_try is None else from_micros(next_try), reason)
