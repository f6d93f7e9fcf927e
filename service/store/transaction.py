"""What a use case may do to the memory, as statements on the writer's own connection (port ``Transaction``)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from contracts.consent import DecisionRecord
from contracts.pulling import Known
from contracts.record import Access, AccessAction, Document, Operation, Record
from contracts.sick_leave import Certificate, RekoStatus
from fhir_mappings.document import patient_of, with_elements
from fhir_mappings.identifiers import canonical_token
from fhir_mappings.labels import is_restricted
from fhir_mappings.primitives import to_instant
from service.store import sql
from service.store.codec import decode, encode, to_micros
from service.store.database import Row
from service.store.gathering import Mark
from service.store.indexing import IndexRows
from service.store.outbox import SqlOutbox
from service.store.pulls import SqlPulls
from service.store.snapshot import to_record

T = TypeVar("T")


@dataclass(slots=True)
class RowIds:
    """The next row ids. One writer hands them out, so that a resource and its history row can be written at once."""

    resource: int
    history: int

    def copy(self) -> "RowIds":
        """The same ones. Written out: every piece of work passes here, and ``replace`` takes four times as long."""
        return RowIds(self.resource, self.history)


@dataclass(slots=True)
class SqlTransaction(SqlOutbox):
    """One use case's view and its writes, on the writer's own connection."""

    ids: RowIds
    accesses: dict[tuple[str, str], Access] = field(default_factory=dict)
    """Rows for the access log by request and patient."""
    places: dict[tuple[str, str], "_Place | None"] = field(default_factory=dict)
    """Where the resources stand that were asked for or written, by type and id."""

    # records

    def read(self, type: str, id: str) -> Record | None:
        """See ``contracts.ports.Snapshot``."""
        place = self._place(type, id)
        return None if place is None or place.is_deleted else place.record

    def tombstone(self, type: str, id: str) -> Record | None:
        """See ``contracts.ports.Snapshot``."""
        place = self._place(type, id)
        return place.record if place is not None and place.is_deleted else None

    def save(
        self,
        document: Document,
        id: str,
        unit: str,
        *,
        about: str | None = None,
        named: bool = False,
        fresh: bool = False,
    ) -> Record:
        """See ``contracts.ports.Transaction``."""
        self.be_alone()
        place = None if fresh else self._place(document.type, id)
        version = 1 if place is None else place.record.version + 1
        stored = _with_meta(document, id, version, self.at)
        patient = patient_of(document.type, id, document.content) if about is None else about
        restricted = is_restricted(document.content)
        record = Record(document.type, id, version, self.at, unit, patient, stored.body, restricted)
        rid = self._write_first(record) if place is None else self._write_next(place, record)
        is_new = place is None or place.is_deleted
        made = Operation.UPDATE_AS_CREATE if named else Operation.CREATE
        self._write_history(rid, record, made if is_new else Operation.UPDATE)
        rows = self.index.rows_of(self.index.numbers, stored.content)
        self.gathered.index(rid, rows if is_new else self._renewed(rid, rows))
        self.places[record.type, id] = _Place(rid, record, is_deleted=False)
        return record

    def _renewed(self, rid: int, rows: IndexRows) -> IndexRows:
        """Those of the rows that the resource has not yet; what it has beside them is taken away."""
        if rid in self.gathered.resources:
            self.gathered.write(self.connection)
        return self.index.renew(self.connection, rid, rows)

    def remove(self, type: str, id: str) -> Record:
        """See ``contracts.ports.Transaction``."""
        self.be_alone()
        place = self._place(type, id)
        assert place is not None and not place.is_deleted  # noqa: S101, PT018 - the caller has read it in this transaction
        record = replace(place.record, version=place.record.version + 1, updated=self.at, body=b"")
        self._write_next(place, record, is_deleted=True)
        self._write_history(place.rid, record, Operation.DELETE)
        if place.rid in self.gathered.resources:
            self.gathered.write(self.connection)
        self.index.clear(self.connection, place.rid)
        self.places[type, id] = _Place(place.rid, record, is_deleted=True)
        return record

    def _place(self, type: str, id: str) -> "_Place | None":
        """Looked up once: nobody else writes resources meanwhile."""
        if (type, id) in self.places:
            return self.places[type, id]
        found = self._filed(type, id, is_deleted=False) or self._filed(sql.buried(type), id, is_deleted=True)
        self.places[type, id] = found
        return found

    def _filed(self, filed: str, id: str, *, is_deleted: bool) -> "_Place | None":
        row = self.connection.execute(sql.PLACE_OF_RECORD, {"filed": filed, "id": id}).fetchone()
        return None if row is None else _Place(row[0], to_record(row[1:]), is_deleted=is_deleted)

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
                "restricted": int(record.restricted),
            },
        )
        return rid

    def _write_next(self, place: "_Place", record: Record, *, is_deleted: bool = False) -> int:
        """The three indexes are left alone where nothing of theirs is another."""
        last, now = place.record, to_micros(record.updated)
        had, has = ((each.unit, each.patient, each.restricted) for each in (last, record))
        moved = had != has or is_deleted != place.is_deleted
        values: dict[str, object] = {
            "row": place.rid,
            "new_version": record.version,
            "now": now,
            "new_hid": self.ids.history,
        }
        if moved:
            filed = sql.buried(record.type) if is_deleted else record.type
            values |= {"filed": filed, "owner": record.unit, "about": record.patient}
            values["now_restricted"] = int(record.restricted)
        self.connection.execute(sql.MOVE_RESOURCE if moved else sql.RENEW_RESOURCE, values)
        return place.rid

    def _write_history(self, rid: int, record: Record, operation: Operation) -> None:
        hid, self.ids.history = self.ids.history, self.ids.history + 1
        self.connection.execute(
            sql.INSERT_HISTORY,
            {
                "hid": hid,
                "rid": rid,
                "version": record.version,
                "updated": to_micros(record.updated),
                "operation": operation.value,
                "body": record.body,
                "restricted": int(record.restricted),
            },
        )

    # questions to the search index

    def ask(self, statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """See ``SqlSnapshot``."""
        self.gathered.write(self.connection)
        return SqlOutbox.ask(self, statement, values)

    def by_token(self, type: str, parameter: str, system: str, value: str, unit: str) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        known, code = canonical_token(system, value)
        if self.gathered.holds("token", (self.index.numbers[type, parameter], code, known)):
            self.gathered.write(self.connection)
        return SqlOutbox.by_token(self, type, parameter, system, value, unit)

    def by_reference(self, type: str, parameter: str, target: str) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        if self.gathered.holds("reference", (self.index.numbers[type, parameter], target)):
            self.gathered.write(self.connection)
        return SqlOutbox.by_reference(self, type, parameter, target)

    def answers_due(self, standing: str, before: date, limit: int) -> Sequence[Record]:
        """See ``contracts.ports.Snapshot``."""
        self.gathered.write(self.connection)
        return SqlOutbox.answers_due(self, standing, before, limit)

    def pointed_at(self, target: str) -> bool:
        """See ``contracts.ports.Transaction``."""
        self.gathered.write(self.connection)
        asked: list[tuple[str, dict[str, object]]] = [(sql.POINTED_AT, {"target": target})]
        type_, _, id_ = target.partition("/")
        if type_ == "Patient":
            asked.append((sql.ABOUT_PATIENT, {"of_patient": id_}))
        return any(self.connection.execute(*each).fetchone() is not None for each in asked)

    # decisions and the access log

    def note_decision(self, decision: DecisionRecord, about: str) -> None:
        """See ``contracts.ports.Transaction``."""
        self.gathered.add(sql.INSERT_DECISION, [self._decision(decision, about)])

    def keep_decision(self, decision: DecisionRecord, about: str) -> int:
        """See ``contracts.ports.Transaction``."""
        self.gathered.write(self.connection)
        row = self.connection.execute(sql.NUMBERED_DECISION, self._decision(decision, about)).fetchone()
        return int(row[0])

    def _decision(self, decision: DecisionRecord, about: str) -> Row:
        """In the order of the table's columns."""
        question = decision.decision.question
        permitted = int(decision.permitted)
        return to_micros(self.at), about, question.patient, question.unit.value, permitted, encode(decision)

    def log_access(self, *accesses: Access) -> None:
        """See ``contracts.ports.Transaction``."""
        for access in accesses:
            key = access.caller.request_id, access.patient
            earlier = self.accesses.get(key)
            if earlier is None or earlier.action is AccessAction.READ:
                self.accesses[key] = access

    def rests_on(self, consent: str, patient: str) -> bool:
        """See ``contracts.ports.Transaction``."""
        self.gathered.write(self.connection)
        granted = self.connection.execute(sql.GRANTED, {"of_patient": patient})
        return any(used.id == consent for (body,) in granted for used in decode(body, DecisionRecord).decision.consents)

    def rehearse(self, work: Callable[[], T]) -> T:
        """See ``contracts.ports.Transaction``."""
        before = self._stand("rehearsal")
        try:
            return work()
        finally:
            self._back_to(before)

    def finish(self) -> None:
        """Give what is known at the end. The writer calls it when the work has ended well."""
        self.gathered.add(sql.INSERT_ACCESS, access_rows(self.at, self.accesses.values()))

    def attempt(self, work: Callable[[], None]) -> Exception | None:
        """Do the work wholly or not at all, and go on either way; the error is the answer. A database that cannot do it is
        none: that is raised."""
        before = self._stand("attempt")
        try:
            work()
        except self.connection.Error:
            raise
        except Exception as error:
            self._back_to(before)
            return error
        self.connection.execute("RELEASE attempt")
        return None

    def _stand(self, name: str) -> "_Stand":
        """Where the transaction stands now, under a savepoint of the name."""
        self.connection.execute(f"SAVEPOINT {name}")
        return _Stand(
            name,
            dict(self.accesses),
            set(self.woken),
            dict(self.moved),
            dict(self.places),
            self.ids.copy(),
            self.gathered.mark(),
        )

    def _back_to(self, before: "_Stand") -> None:
        """Undo what was done since: nothing of it is known any more, either."""
        self.accesses, self.woken = before.accesses, before.woken
        self.moved, self.places = before.moved, before.places
        self.ids.resource, self.ids.history = before.ids.resource, before.ids.history
        self.gathered.back_to(before.gathered)
        self.connection.execute(f"ROLLBACK TO {before.savepoint}")
        self.connection.execute(f"RELEASE {before.savepoint}")

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


def access_rows(at: datetime, accesses: Iterable[Access]) -> list[Row]:
    """Rows of the access log, in the order of the table's columns."""
    micros = to_micros(at)
    return [
        (
            micros,
            access.caller.employee.value,
            access.caller.commission,
            access.caller.unit.value,
            access.caller.provider.value,
            access.patient,
            access.action.value,
            access.resource,
            access.interaction,
            access.caller.request_id,
        )
        for access in accesses
    ]


class _Stand(NamedTuple):
    """What a transaction knew at a moment, and the savepoint that was set then."""

    savepoint: str
    accesses: dict[tuple[str, str], Access]
    woken: set[str]
    moved: dict[str, bool]
    places: "dict[tuple[str, str], _Place | None]"
    ids: RowIds
    gathered: Mark


class _Place(NamedTuple):
    """Where a resource stands: its row, and the last version, which may be its deletion."""

    rid: int
    record: Record
    is_deleted: bool


def _with_meta(document: Document, id: str, version: int, at: datetime) -> Document:
    claimed = document.content.get("meta", {})
    meta = {**claimed, "versionId": str(version), "lastUpdated": to_instant(at)}
    return with_elements(document, {"id": id, "meta": meta})
