"""What may be read of the memory, as statements on one connection (port ``Snapshot``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_

from contracts.identity import HsaId
from contracts.pulling import PullState
from contracts.record import Caller, Operation, Record, Version
from contracts.sick_leave import Certificate, LastPull, RekoStatus, RekoStatusType, StoredCertificate
from contracts.time import day_start
from fhir_mappings.identifiers import DIALOGUE_STATE, canonical_token
from service.store import sql
from service.store.codec import decode, from_micros, to_micros
from service.store.database import Connection, Row
from service.store.indexing import SearchIndex
from service.store.tables import resource


@dataclass(slots=True)
class SqlSnapshot:
    """One state of the database, whatever is written meanwhile."""

    connection: Connection
    index: SearchIndex
    at: datetime

    def read(self, type: str, id: str) -> Record | None:
        """See ``contracts.ports.Snapshot``."""
        row = self.connection.execute(sql.READ, {"type": type, "id": id}).fetchone()
        return None if row is None else to_record(row)

    def tombstone(self, type: str, id: str) -> Record | None:
        """See ``contracts.ports.Snapshot``."""
        row = self.connection.execute(sql.READ, {"type": sql.buried(type), "id": id}).fetchone()
        return None if row is None else to_record(row)

    def versions(self, type: str, id: str) -> Sequence[Version]:
        """See ``contracts.ports.Snapshot``."""
        rows = self.connection.execute(sql.VERSIONS, {"type": type, "buried": sql.buried(type), "id": id})
        return [to_version(row) for row in rows.fetchall()]

    def ask(self, statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Rows of a statement over ``service.store.tables`` with named parameters."""
        return self.connection.execute(statement, values).fetchall()

    def by_token(self, type: str, parameter: str, system: str, value: str, unit: str) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        known, code = canonical_token(system, value)
        wanted = {"parameter": self.index.numbers[type, parameter], "code": code, "system": known, "unit": unit}
        return [to_record(row) for row in self.connection.execute(sql.BY_TOKEN, wanted)]

    def by_reference(self, type: str, parameter: str, target: str) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        wanted = {"parameter": self.index.numbers[type, parameter], "target": target}
        return [to_record(row) for row in self.connection.execute(sql.BY_REFERENCE, wanted)]

    def without_patient(self, type: str, unit: str) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        return [to_record(row) for row in self.connection.execute(sql.WITHOUT_PATIENT, {"type": type, "unit": unit})]

    def of_unit(self, type: str, unit: str) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        return [to_record(row) for row in self.connection.execute(sql.OF_UNIT, {"type": type, "unit": unit})]

    def certificates(self, unit: str, patient: str) -> Sequence[StoredCertificate]:
        """See ``contracts.ports.Snapshot``."""
        rows = self.connection.execute(sql.CERTIFICATES_OF, {"of_unit": unit, "of_patient": patient})
        return [StoredCertificate(decode(body, Certificate), episode) for episode, body in rows]

    def certificates_of_unit(self, unit: str, since: date) -> Sequence[tuple[str, StoredCertificate]]:
        """See ``contracts.ports.Snapshot``."""
        wanted = {"of_unit": unit, "since": since.toordinal()}
        rows = self.connection.execute(sql.CERTIFICATES_OF_UNIT, wanted).fetchall()
        return [(patient, StoredCertificate(decode(body, Certificate), episode)) for patient, episode, body in rows]

    def units_of_certificate(self, id: str) -> Sequence[tuple[str, str, Certificate]]:
        """See ``contracts.ports.Snapshot``."""
        rows = self.connection.execute(sql.UNITS_OF_CERTIFICATE, {"with_id": id}).fetchall()
        return [(unit, patient, decode(body, Certificate)) for unit, patient, body in rows]

    def answers_due(self, standing: str, before: date, limit: int) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        wanted = {
            "standing": self.index.numbers["Task", "business-status"],
            "code": standing,
            "system": DIALOGUE_STATE,
            "due": self.index.numbers["Task", "answer-due"],
            "priority": self.index.numbers["Task", "priority"],
            "before": to_micros(day_start(before)),
            "most": limit,
        }
        return [to_record(row) for row in self.connection.execute(sql.DIALOGUES_DUE, wanted).fetchall()]

    def last_pull(self, unit: str) -> LastPull | None:
        """See ``contracts.ports.Snapshot``."""
        done = self.connection.execute(sql.LAST_PULL, {"of_unit": unit}).fetchone()
        if done is None:
            return None
        number, _, at, days = done
        since = self.connection.execute(sql.PULLS_SINCE, {"of_unit": unit, "done": number}).fetchall()
        failed = [from_micros(when) for _, state, when, _ in since if state == PullState.FAILED.value]
        applying = any(state in _BEING_APPLIED for _, state, _, _ in since)
        return LastPull(from_micros(at), days, failed[0] if failed else None, applying)

    def reko_statuses(self, unit: str, patient: str) -> Sequence[RekoStatus]:
        """See ``contracts.ports.Snapshot``."""
        rows = self.connection.execute(sql.REKO_STATUSES, {"of_unit": unit, "of_patient": patient})
        return [_to_status(row) for row in rows]

    def reko_statuses_of_unit(self, unit: str) -> Sequence[RekoStatus]:
        """See ``contracts.ports.Snapshot``."""
        return [_to_status(row) for row in self.connection.execute(sql.REKO_STATUSES_OF_UNIT, {"of_unit": unit})]


_BEING_APPLIED: Final = (PullState.APPLYING.value, PullState.CLOSING.value)


def _to_status(row: Row) -> RekoStatus:
    type_, patient, unit, day, registered, staff, version = row
    return RekoStatus(
        RekoStatusType(type_),
        patient,
        HsaId(unit),
        date.fromisoformat(day),
        from_micros(registered),
        HsaId(staff),
        version,
    )


def may_be_seen(caller: Caller) -> ColumnElement[bool]:
    """Of the resource table, what the caller may see, for statements that are written once for each question."""
    restricted = () if caller.sees_restricted else (resource.c.restricted == 0,)
    return and_(resource.c.unit.in_(sorted(caller.owners)), *restricted)


def hidden_of(caller: Caller) -> str:
    """The unit of which the caller may not see what is restricted; empty for those who may."""
    return "" if caller.sees_restricted else caller.unit.value


def about_what_may_be_seen(about: ColumnElement[str], caller: Caller) -> ColumnElement[bool]:
    """Of a column that names what a row of the caller's unit is about, by its reference."""
    return about.not_in(sql.restricted_of(hidden_of(caller)))


def to_record(row: Row) -> Record:
    """A row of the columns that ``sql.READ`` selects."""
    type_, id_, version, updated, unit, patient, body, restricted = row
    return Record(sql.alive(type_), id_, version, from_micros(updated), unit, patient, body, restricted > 0)


def to_version(row: Row) -> Version:
    """A row of ``sql.VERSION_COLUMNS``."""
    *record, operation, number = row
    return Version(to_record(tuple(record)), Operation(operation), number)
