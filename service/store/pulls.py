"""Answers of the feed on their way in (port ``Pulls``): staged in a table, then applied from there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from contracts.errors import Conflict
from contracts.pulling import Pull, PullCounts, PullState
from contracts.record import Caller
from contracts.sick_leave import Certificate, Judged, SetAside
from contracts.time import swedish_day
from service.store import sql_pulls
from service.store.codec import decode, encode, from_micros, to_micros
from service.store.database import Connection, Row

KEPT: Final = 100
"""Finished pulls of a care unit that are kept; older ones are forgotten as new ones begin."""

STALE: Final = timedelta(hours=1)
"""Longer than any answer may take: a pull that still reads then has lost its reader."""

_SECOND: Final = "a second certificate with the same id"


@dataclass(frozen=True, slots=True)
class SqlPulls:
    """One transaction's view of the pulls."""

    connection: Connection
    at: datetime

    def begin(self, caller: Caller, days: int) -> Pull:
        """See ``contracts.ports.Pulls``."""
        for running in self.under_way():
            if running.unit == caller.unit.value:
                self._give_up(running)
        self.connection.execute(sql_pulls.PRUNE_ASIDE, {"of_unit": caller.unit.value, "kept": KEPT})
        self.connection.execute(sql_pulls.PRUNE, {"of_unit": caller.unit.value, "kept": KEPT})
        row = {
            "unit": caller.unit.value,
            "at": to_micros(self.at),
            "state": PullState.READING.value,
            "body": encode(PullCounts()),
            "provider": caller.provider.value,
            "caller": encode(caller),
            "days": days,
            "cursor": "",
            "ended": None,
            "reason": "",
        }
        (number,) = self.connection.execute(sql_pulls.INSERT_PULL, row).fetchone()
        return Pull(number, caller, days, self.at, PullState.READING)

    def _give_up(self, running: Pull) -> None:
        """One whose reader has gone without a word."""
        if running.state is not PullState.READING or self.at - running.began < STALE:
            raise Conflict("a pull of this unit is under way")
        self.fail(running.number, "nobody has read its answer to the end")

    def stage(self, number: int, records: Judged) -> None:
        """See ``contracts.ports.Pulls``."""
        self._reading(number)
        kept = [_row(number, each) for each in records if isinstance(each, Certificate)]
        self.connection.executemany(sql_pulls.STAGE, kept)
        self._set_aside(number, [each for each in records if isinstance(each, SetAside)])

    def seal(self, number: int) -> Pull:
        """See ``contracts.ports.Pulls``."""
        reading = self._reading(number)
        if self._one(sql_pulls.STAGED_TWICE, of_pull=number):
            self._set_aside_repeated(number)
        certificates, patients = self._one(sql_pulls.COUNT_STAGED, of_pull=number)
        (aside,) = self._one(sql_pulls.COUNT_ASIDE, of_pull=number)
        counts = PullCounts(certificates=certificates, patients=patients, set_aside=aside)
        sealed = replace(reading, state=PullState.APPLYING, counts=counts)
        self.save(sealed)
        return sealed

    def _reading(self, number: int) -> Pull:
        pull = self.read(number)
        if pull.state is not PullState.READING:
            raise Conflict("this pull has been given up")
        return pull

    def _set_aside_repeated(self, number: int) -> None:
        again = self.connection.execute(sql_pulls.STAGED_AGAIN, {"of_pull": number}).fetchall()
        self.connection.executemany(sql_pulls.UNSTAGE, [{"row": row} for row, _ in again])
        self._set_aside(number, [SetAside(id, _SECOND) for _, id in again])

    def fail(self, number: int, reason: str) -> None:
        """See ``contracts.ports.Pulls``."""
        self.save(replace(self.read(number), state=PullState.FAILED, reason=reason, ended=self.at))

    def save(self, pull: Pull) -> None:
        """See ``contracts.ports.Pulls``."""
        self.connection.execute(
            sql_pulls.SAVE,
            {
                "of_pull": pull.number,
                "to": pull.state.value,
                "counts": encode(pull.counts),
                "stands": pull.cursor,
                "over": None if pull.ended is None else to_micros(pull.ended),
                "because": pull.reason,
            },
        )

    def read(self, number: int) -> Pull:
        """See ``contracts.ports.Pulls``."""
        return _pull(self._one(sql_pulls.READ, of_pull=number))

    def under_way(self) -> Sequence[Pull]:
        """See ``contracts.ports.Pulls``."""
        return sorted(map(_pull, self.connection.execute(sql_pulls.RUNNING)), key=lambda pull: pull.number)

    def last_day(self, unit: str) -> date | None:
        """See ``contracts.ports.Pulls``."""
        (newest,) = self._one(sql_pulls.LAST_DONE, of_unit=unit)
        return None if newest is None else swedish_day(from_micros(newest))

    def persons(self, number: int, after: str, limit: int) -> Sequence[str]:
        """See ``contracts.ports.Pulls``."""
        wanted = {"of_pull": number, "after": after, "most": limit}
        return [person for (person,) in self.connection.execute(sql_pulls.STAGED_PERSONS, wanted)]

    def of_person(self, number: int, person: str) -> Sequence[Certificate]:
        """See ``contracts.ports.Pulls``."""
        return [decode(body, Certificate) for body in self.contents(number, person).values()]

    def contents(self, number: int, person: str) -> Mapping[str, bytes]:
        """See ``contracts.ports.Pulls``."""
        rows = self.connection.execute(sql_pulls.STAGED_OF_PERSON, {"of_pull": number, "person": person})
        return dict(rows.fetchall())

    def unusable(self, number: int, ids: Collection[str]) -> Collection[str]:
        """See ``contracts.ports.Pulls``."""
        return {id for id in ids if self._one(sql_pulls.UNUSABLE, of_pull=number, with_id=id)}

    def set_aside(self, number: int) -> Sequence[SetAside]:
        """See ``contracts.ports.Pulls``."""
        return [SetAside(*row) for row in self.connection.execute(sql_pulls.ASIDE_OF_PULL, {"of_pull": number})]

    def clear(self, number: int, limit: int) -> bool:
        """See ``contracts.ports.Pulls``."""
        return self.connection.execute(sql_pulls.CLEAR_STAGED, {"of_pull": number, "most": limit}).rowcount == limit

    def _one(self, statement: str, **wanted: Any) -> Any:
        return self.connection.execute(statement, wanted).fetchone()

    def put_aside(self, number: int, records: Sequence[SetAside]) -> None:
        """See ``contracts.ports.Pulls``."""
        self._set_aside(number, records)

    def _set_aside(self, number: int, records: Sequence[SetAside]) -> None:
        rows = [{"pull": number, "certificate": each.certificate, "reason": each.reason} for each in records]
        self.connection.executemany(sql_pulls.INSERT_ASIDE, rows)


def _row(number: int, certificate: Certificate) -> tuple[object, ...]:
    """In the order of the table's columns behind its row id."""
    return number, certificate.patient.digits, certificate.id, encode(certificate)


def _pull(row: Row) -> Pull:
    number, at, state, body, caller, days, cursor, ended, reason = row
    return Pull(
        number,
        decode(caller, Caller),
        days,
        from_micros(at),
        PullState(state),
        decode(body, PullCounts),
        cursor,
        None if ended is None else from_micros(ended),
        reason,
    )
