"""What a use case may do to the memory, as statements on the writer's own connection (port ``Transaction``)."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from contracts.consent import DecisionRecord, Question
from contracts.outbox import DUE, Claim, DeliveryState, OutboxMessage, Queued
from contracts.pulling import Known
from contracts.record import Access, AccessAction, Document, Record
from contracts.sick_leave import Certificate, RekoStatus
from fhir_mappings.document import patient_of, with_elements
from fhir_mappings.primitives import to_instant
from service.store import sql
from service.store.codec import decode, decode_payload, encode, from_micros, payload_kind, to_micros
from service.store.pulls import SqlPulls
from service.store.snapshot import Row, SqlSnapshot

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RowIds:
    """The next row ids. One writer hands them out, so that a resource and its history row can be written at once."""

    resource: int
    history: int


@dataclass(slots=True)
class SqlTransaction(SqlSnapshot):
    """One use case's view and its writes, on the writer's own connection."""

    ids: RowIds
    woken: set[str] = field(default_factory=set)
    """Destinations that got something to send."""
    accesses: dict[tuple[str, str], Access] = field(default_factory=dict)
    """Rows for the access log by request and patient."""

    # records

    def save(self, document: Document, id: str, unit: str) -> Record:
        """See ``contracts.ports.Transaction``."""
        row = self.connection.execute(sql.ROW_OF, {"type": document.type, "id": id}).fetchone()
        version = 1 if row is None else row[1] + 1
        stored = _with_meta(document, id, version, self.at)
        patient = patient_of(document.type, id, document.content)
        record = Record(document.type, id, version, self.at, unit, patient, stored.body)
        rid = self._write_first(record) if row is None else self._write_next(row[0], record)
        self._write_history(rid, record)
        self.index.write(self.connection, rid, stored.content)
        return record

    def _write_first(self, record: Record) -> int:
        rid, self.ids.resource = self.ids.resource, self.ids.resource + 1
        self.connection.execute(
            sql.INSERT_RESOURCE,
            {
                "rid": rid,
                "type": record.type,
                "id": record.id,
                "version": record.version,
                "updated": to_micros(record.updated),
                "unit": record.unit,
                "patient": record.patient,
                "hid": self.ids.history,
            },
        )
        return rid

    def _write_next(self, rid: int, record: Record) -> int:
        self.connection.execute(
            sql.UPDATE_RESOURCE,
            {
                "row": rid,
                "new_version": record.version,
                "now": to_micros(record.updated),
                "owner": record.unit,
                "about": record.patient,
                "new_hid": self.ids.history,
            },
        )
        self.index.clear(self.connection, rid)
        return rid

    def _write_history(self, rid: int, record: Record) -> None:
        hid, self.ids.history = self.ids.history, self.ids.history + 1
        self.connection.execute(
            sql.INSERT_HISTORY,
            {
                "hid": hid,
                "rid": rid,
                "version": record.version,
                "updated": to_micros(record.updated),
                "operation": "create" if record.version == 1 else "update",
                "body": record.body,
            },
        )

    # decisions and the access log

    def note_decision(self, decision: DecisionRecord, about: str) -> int:
        """See ``contracts.ports.Transaction``."""
        question = decision.decision.question
        cursor = self.connection.execute(
            sql.INSERT_DECISION,
            {
                "at": to_micros(self.at),
                "about": about,
                "patient": question.patient,
                "unit": question.unit.value,
                "permitted": int(decision.permitted),
                "body": encode(decision),
            },
        )
        return cursor.lastrowid or 0

    def log_access(self, *accesses: Access) -> None:
        """See ``contracts.ports.Transaction``."""
        for access in accesses:
            key = access.caller.request_id, access.patient
            earlier = self.accesses.get(key)
            if earlier is None or earlier.action is AccessAction.READ:
                self.accesses[key] = access

    def finish(self) -> None:
        """Write what was gathered. The writer calls it when the work has ended well."""
        if self.accesses:
            self.connection.executemany(sql.INSERT_ACCESS, [self._access_row(each) for each in self.accesses.values()])

    def attempt(self, work: Callable[[], None]) -> Exception | None:
        """Do the work wholly or not at all, and go on either way; the error is the answer. A database that cannot do it is
        none: that is raised."""
        accesses = dict(self.accesses)
        self.connection.execute("SAVEPOINT attempt")
        try:
            work()
        except sqlite3.Error:
            raise
        except Exception as error:
            self.accesses = accesses
            self.connection.execute("ROLLBACK TO attempt")
            self.connection.execute("RELEASE attempt")
            return error
        self.connection.execute("RELEASE attempt")
        return None

    def _access_row(self, access: Access) -> dict[str, Any]:
        return {
            "at": to_micros(self.at),
            "employee": access.caller.employee.value,
            "commission": access.caller.commission,
            "unit": access.caller.unit.value,
            "provider": access.caller.provider.value,
            "patient": access.patient,
            "action": access.action.value,
            "resource": access.resource,
            "interaction": access.interaction,
            "request_id": access.caller.request_id,
        }

    # the outbox

    def promise(self, message: OutboxMessage, state: DeliveryState, reason: str = "") -> None:
        """See ``contracts.ports.Transaction``."""
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
            },
        )
        self.woken.add(message.destination)

    def was_promised(self, about: str) -> bool:
        """See ``contracts.ports.Transaction``."""
        return self.connection.execute(sql.PROMISED, {"resource": about}).fetchone() is not None

    def fix(self, message: OutboxMessage, state: DeliveryState, reason: str) -> None:
        """See ``contracts.ports.Transaction``."""
        self.connection.execute(
            sql.FIX_MESSAGE,
            {
                "message": message.id,
                "of_kind": payload_kind(message.payload),
                "asked": encode(message.question),
                "news": encode(message.payload),
            },
        )
        self.move(message.id, state, reason)

    def queued(self, patient: str) -> Sequence[Queued]:
        """See ``contracts.ports.Transaction``."""
        return self._readable(self.connection.execute(sql.MESSAGES_OF_PATIENT, {"of_patient": patient}).fetchall())

    def message(self, id: str) -> Queued | None:
        """One message with its state."""
        row = self.connection.execute(sql.MESSAGE, {"message": id}).fetchone()
        return None if row is None else to_queued(row)

    def standing(self, id: str) -> tuple[str, DeliveryState] | None:
        """Whose a message is (the unit) and its state: told also of one that cannot be read."""
        row = self.connection.execute(sql.STANDING, {"message": id}).fetchone()
        return None if row is None else (row[0], DeliveryState(row[1]))

    def move(self, message_id: str, state: DeliveryState, reason: str = "", next_try: datetime | None = None) -> None:
        """See ``contracts.ports.Transaction``."""
        due = next_try or (self.at if state in DUE else None)
        self.connection.execute(
            sql.MOVE_MESSAGE,
            {
                "message": message_id,
                "to": state.value,
                "because": reason,
                "due": None if due is None else to_micros(due),
                "now": to_micros(self.at),
            },
        )
        self.woken.add("")

    def erase_withheld(self, before: datetime) -> int:
        """Erase what messages say that have been withheld since before that instant, and tell how many they were. State,
        reason, question and tries stay."""
        return self.connection.execute(sql.ERASE_WITHHELD, {"before": to_micros(before)}).rowcount

    def is_erased(self, id: str) -> bool:
        """Whether what a message said has been erased: then it cannot be sent any more."""
        return self.connection.execute(sql.ERASED, {"message": id}).fetchone() is not None

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
        try:
            return to_queued(row)
        except (ValueError, KeyError, TypeError):
            id_, state = row[0], row[3]
            _log.error("a stored message cannot be read", extra={"event": "outbox.unreadable", "message_id": id_})
            if state in DUE:
                self.move(id_, DeliveryState.PARKED, "the stored message cannot be read")
            return None

    def claim(self, message: OutboxMessage, lease_until: datetime) -> Claim:
        """Take the right to try. ``lease_until`` is real time, whatever the movable clock says (decision D27)."""
        self.connection.execute(
            sql.CLAIM_MESSAGE,
            {"message": message.id, "until": to_micros(lease_until), "now": to_micros(self.at)},
        )
        attempts, fence, _ = self.connection.execute(sql.CLAIM_OF, {"message": message.id}).fetchone()
        return Claim(message, attempts, fence)

    def holds(self, claim: Claim) -> bool:
        """Whether nobody has taken the message over since."""
        row = self.connection.execute(sql.CLAIM_OF, {"message": claim.message.id}).fetchone()
        return row is not None and row[1] == claim.fence and row[2] == DeliveryState.CLAIMED.value

    def note_attempt(self, claim: Claim, outcome: str, reason: str) -> None:
        """Keep what became of a try."""
        self._note(claim.message.id, claim.attempt, outcome, reason)

    def note_deed(self, message_id: str, deed: str, reason: str) -> None:
        """Keep what a person did to a message, and why."""
        self._note(message_id, 0, deed, reason)

    def _note(self, message_id: str, attempt: int, outcome: str, reason: str) -> None:
        self.connection.execute(
            sql.INSERT_ATTEMPT,
            {
                "message": message_id,
                "attempt": attempt,
                "at": to_micros(self.at),
                "outcome": outcome,
                "reason": reason,
            },
        )

    def orphans(self, real_now: datetime) -> Sequence[str]:
        """Ids of claimed messages whose holder's lease has run out."""
        rows = self.connection.execute(sql.ORPHANS, {"real_now": to_micros(real_now)})
        return [row[0] for row in rows]

    def held(self, destination: str) -> str:
        """Why the route to the destination is held; empty when it is not."""
        row = self.connection.execute(sql.HELD_ROUTE, {"name": destination}).fetchone()
        return "" if row is None else str(row[0])

    def hold(self, destination: str, reason: str) -> None:
        """Stop every try to the destination until it is released."""
        self.connection.execute(
            sql.HOLD_ROUTE, {"destination": destination, "held": reason, "since": to_micros(self.at)}
        )

    def release(self, destination: str) -> None:
        """Let tries to the destination start again."""
        self.connection.execute(sql.RELEASE_ROUTE, {"name": destination})
        self.woken.add(destination)

    # certificates from the feed

    def drop_certificate(self, unit: str, id: str) -> None:
        """See ``contracts.ports.Transaction``."""
        self.connection.execute(sql.DROP_CERTIFICATE, {"of_unit": unit, "with_id": id})

    def keep_certificate(self, unit: str, certificate: Certificate, patient: str, episode: str) -> None:
        """See ``contracts.ports.Transaction``."""
        self.connection.execute(
            sql.PUT_CERTIFICATE,
            {
                "unit": unit,
                "id": certificate.id,
                "patient": patient,
                "episode": episode,
                "body": encode(certificate),
                "person": certificate.patient.digits,
                "first": certificate.start.toordinal(),
                "last": certificate.end.toordinal(),
            },
        )

    def set_reko_status(self, status: RekoStatus) -> None:
        """See ``contracts.ports.Transaction``."""
        self.connection.execute(
            sql.INSERT_REKO_STATUS,
            {
                "unit": status.unit.value,
                "patient": status.patient,
                "version": status.version,
                "status": status.type.value,
                "day": status.day.isoformat(),
                "registered": to_micros(status.registered),
                "staff": status.staff.value,
            },
        )

    def known_certificates(self, unit: str, patient: str) -> Mapping[str, Known]:
        """See ``contracts.ports.Transaction``."""
        rows = self.connection.execute(sql.KNOWN_CERTIFICATES, {"of_unit": unit, "of_patient": patient})
        return {
            id: Known(person, content, date.fromordinal(first), date.fromordinal(last))
            for id, person, content, first, last in rows
        }

    def patients_of_unit(self, unit: str, after: str, limit: int) -> Sequence[str]:
        """See ``contracts.ports.Transaction``."""
        wanted = {"of_unit": unit, "after": after, "most": limit}
        return [patient for (patient,) in self.connection.execute(sql.PATIENTS_OF_UNIT, wanted)]

    @property
    def pulls(self) -> SqlPulls:
        """See ``contracts.ports.Transaction``."""
        return SqlPulls(self.connection, self.at)


def to_queued(row: Row) -> Queued:
    """A row of the outbox as a promised message with its state."""
    id_, destination, about, state, attempts, next_try, reason, kind, question, payload = row
    message = OutboxMessage(id_, destination, about, decode(question, Question), decode_payload(kind, payload))
    return Queued(message, DeliveryState(state), attempts, None if next_try is None else from_micros(next_try), reason)


def _with_meta(document: Document, id: str, version: int, at: datetime) -> Document:
    claimed = document.content.get("meta", {})
    meta = {**claimed, "versionId": str(version), "lastUpdated": to_instant(at)}
    return with_elements(document, {"id": id, "meta": meta})
