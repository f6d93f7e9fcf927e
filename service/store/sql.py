"""Statements of the hot path: written with SQLAlchemy Core, compiled once to text with named parameters.

Going through SQLAlchemy for every row costs three quarters of the write rate (docs/adr/0003-store.md).
"""

from functools import cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Insert,
    Select,
    String,
    Table,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy import table as named_table
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.expression import ClauseElement

from contracts.pulling import PullState
from contracts.record import AccessAction
from service.store import tables
from service.store.tables import (
    access_log,
    certificate,
    date_index,
    history,
    pull,
    reference_index,
    reko_status,
    resource,
    token_index,
)

_NAMED: Final = sqlite_dialect(paramstyle="named")
_TEMPLATE: Final = sqlite_dialect(paramstyle="pyformat")


class Statement(str):
    """A statement as SQLite takes it. The other engine writes its own from ``source`` and the ``tail`` that both take; the
    values of one that ``is_positional`` come in the order of its table's columns."""

    source: ClauseElement
    tail: str
    is_positional: bool

    def __new__(cls, text: str, source: ClauseElement, tail: str = "", *, is_positional: bool = False) -> "Statement":
        """Keep both."""
        made = super().__new__(cls, text + tail)
        made.source, made.tail, made.is_positional = source, tail, is_positional
        return made


@cache
def for_rows(statement: Statement, count: int) -> str:
    """A positional insert for so many rows at once, as SQLite takes it."""
    before, row, after = statement.partition(f"({', '.join('?' * statement.count('?'))})")
    return before + ", ".join([row] * count) + after


def compiled(statement: ClauseElement, tail: str = "") -> Statement:
    """The statement as text with ``:name`` parameters. Constants of the statement itself are written out, so that
    partial indexes apply.

    SQLAlchemy escapes whatever is not a parameter for the ``%`` operator, and writes each constant by its own rules: no
    text, whatever it holds, can be taken for a parameter.
    """
    result = _TEMPLATE.statement_compiler(_TEMPLATE, statement)
    text = str(result) % {name: _written(name, parameter) for name, parameter in result.binds.items()}
    return Statement(text, statement, tail)


def _written(name: str, parameter: BindParameter[object]) -> str:
    if parameter.required:
        return f":{name}"
    return str(parameter.compile(dialect=_NAMED, compile_kwargs={"literal_binds": True}))


def insert_into(table: Table, *without: str, tail: str = "") -> Statement:
    """An insert of every column but those that the database makes. The ``tail`` is SQL that both engines take."""
    return compiled(_insert(table, *without), tail)


def insert_many(table: Table, *without: str, tail: str = "") -> Statement:
    """The same for many rows, whose values come in the order of the table's columns."""
    statement = _insert(table, *without)
    return Statement(str(statement.compile(dialect=_POSITIONAL)), statement, tail, is_positional=True)


_POSITIONAL: Final = sqlite_dialect(paramstyle="qmark")


def _insert(table: Table, *without: str) -> Insert:
    columns: dict[str, Any] = {c.name: bindparam(c.name) for c in table.columns if c.name not in without}
    return insert(table).values(columns).inline()  # what the database makes is asked for by a tail alone


NUMBER: Final = " RETURNING number"
"""The tail that tells the number which the database gave the row."""


def or_replace(table: Table) -> str:
    """The tail that writes over the row with the same key."""
    others = ", ".join(f"{c.name} = excluded.{c.name}" for c in table.columns if not c.primary_key)
    return f" ON CONFLICT ({', '.join(c.name for c in table.primary_key)}) DO UPDATE SET {others}"


_BURIED: Final = "~"


def buried(type: str) -> str:
    """The name under which the resources of a type are filed once they are deleted. Every statement looks for a type by
    its name, so that none can forget to leave the deleted ones out."""
    return f"{_BURIED}{type}"


def alive(filed: str) -> str:
    """The type of a resource, whatever it is filed under."""
    return filed.removeprefix(_BURIED)


def restricted_of(unit: Any) -> Select[Any]:
    """The references of what is restricted on a unit, deleted or not. Whatever is about one of these (a message, a decision, an
    event) is there for those alone who may see it."""
    type_ = func.ltrim(resource.c.type, _BURIED, type_=String)
    return select(type_ + "/" + resource.c.id).where(resource.c.unit == unit, tables.RESTRICTED)


CURRENT_COLUMNS: Final = (
    resource.c.type,
    resource.c.id,
    resource.c.version,
    resource.c.updated,
    resource.c.unit,
    resource.c.patient,
    history.c.body,
    resource.c.restricted,
)
_current: Final = select(*CURRENT_COLUMNS).join(history, history.c.hid == resource.c.hid)

READ: Final = compiled(_current.where(resource.c.type == bindparam("type"), resource.c.id == bindparam("id")))
STANDING_RECORD: Final = compiled(
    _current.where(
        or_(resource.c.type == bindparam("type"), resource.c.type == bindparam("buried")),
        resource.c.id == bindparam("id"),
    )
)
"""Whether it is deleted or not, in one look: between two it may be deleted, or made anew."""
PLACE_OF_RECORD: Final = compiled(
    select(resource.c.rid, *CURRENT_COLUMNS)
    .join(history, history.c.hid == resource.c.hid)
    .where(resource.c.type == bindparam("filed"), resource.c.id == bindparam("id"))
)
"""As ``READ``, with the row that it stands in."""
BY_TOKEN: Final = compiled(
    _current.join(token_index, token_index.c.rid == resource.c.rid)
    .where(
        token_index.c.parameter == bindparam("parameter"),
        token_index.c.code == bindparam("code"),
        token_index.c.system == bindparam("system"),
        resource.c.unit == bindparam("unit"),
    )
    .order_by(resource.c.rid)
)
OF_UNIT: Final = compiled(
    _current.where(resource.c.unit == bindparam("unit"), resource.c.type == bindparam("type")).order_by(resource.c.rid)
)
BY_REFERENCE: Final = compiled(
    _current.join(reference_index, reference_index.c.rid == resource.c.rid)
    .where(reference_index.c.parameter == bindparam("parameter"), reference_index.c.target == bindparam("target"))
    .order_by(resource.c.rid)
)
WITHOUT_PATIENT: Final = compiled(
    _current.where(
        resource.c.patient == literal(""), resource.c.type == bindparam("type"), resource.c.unit == bindparam("unit")
    )
    .order_by(resource.c.rid)
    .limit(literal(1000))
)
_priority = token_index.alias("priority")
DIALOGUES_DUE: Final = compiled(
    _current.join(token_index, token_index.c.rid == resource.c.rid)
    .join(date_index, date_index.c.rid == resource.c.rid)
    .where(
        token_index.c.parameter == bindparam("standing"),
        token_index.c.code == bindparam("code"),
        token_index.c.system == bindparam("system"),
        date_index.c.parameter == bindparam("due"),
        date_index.c.high <= bindparam("before"),
        ~exists().where(
            _priority.c.parameter == bindparam("priority"),
            _priority.c.code == literal("urgent"),
            _priority.c.rid == resource.c.rid,
        ),
    )
    .order_by(resource.c.rid)
    .limit(bindparam("most"))
)
VERSION_COLUMNS: Final = (
    resource.c.type,
    resource.c.id,
    history.c.version,
    history.c.updated,
    resource.c.unit,
    resource.c.patient,
    history.c.body,
    resource.c.restricted + history.c.restricted,
    history.c.operation,
    history.c.hid,
)
_versions: Final = (
    select(*VERSION_COLUMNS)
    .join(history, history.c.rid == resource.c.rid)
    .where(
        or_(resource.c.type == bindparam("type"), resource.c.type == bindparam("buried")),
        resource.c.id == bindparam("id"),
    )
)
VERSION: Final = compiled(_versions.where(history.c.version == bindparam("version")))
VERSIONS: Final = compiled(_versions.order_by(history.c.version.desc()))
WRITERS: Final = compiled(
    select(history.c.version, access_log.c.employee, access_log.c.commission)
    .distinct()
    .join(resource, resource.c.rid == history.c.rid)
    .join(access_log, and_(access_log.c.patient == resource.c.patient, access_log.c.at == history.c.updated))
    .where(
        resource.c.type == bindparam("type"),
        resource.c.id == bindparam("id"),
        access_log.c.unit == resource.c.unit,
        access_log.c.action == AccessAction.WRITE.value,
    )
)
"""Who wrote each version of a unit's resource: a transaction's versions and its rows of the access log have the same instant."""

_schema: Final = named_table("alembic_version", column("version_num"))
LAST_WRITTEN: Final = compiled(
    select(
        select(func.max(resource.c.rid)).scalar_subquery(),
        select(func.max(history.c.hid)).scalar_subquery(),
        select(func.max(tables.search_parameter.c.number)).scalar_subquery(),
        select(_schema.c.version_num).scalar_subquery(),
    )
)
"""The last row ids, the newest search parameter and the schema's version: what a writer must know that others may have
changed."""

INSERT_RESOURCE: Final = insert_into(resource)
_next_version: Final = (
    update(resource)
    .where(resource.c.rid == bindparam("row"))
    .values(version=bindparam("new_version"), updated=bindparam("now"), hid=bindparam("new_hid"))
)
RENEW_RESOURCE: Final = compiled(_next_version)
MOVE_RESOURCE: Final = compiled(
    _next_version.values(
        type=bindparam("filed"),
        unit=bindparam("owner"),
        patient=bindparam("about"),
        restricted=bindparam("now_restricted"),
    )
)
"""The same where it is deleted or made anew, or who may see it is another."""
INSERT_HISTORY: Final = insert_into(history)
INSERT_INDEX: Final = {
    kind: insert_many(index, tail=" ON CONFLICT DO NOTHING") for kind, index in tables.INDEX_TABLES.items()
}
"""By the kind of parameter; the values in the order of the table's columns."""
CLEAR_INDEX: Final = tuple(
    compiled(delete(index).where(index.c.rid == bindparam("row"))) for index in tables.INDEX_TABLES.values()
)


def _delete_row(table: Table) -> Statement:
    statement = delete(table).where(*(each == bindparam(each.name) for each in table.columns))
    return Statement(str(statement.compile(dialect=_POSITIONAL)), statement, is_positional=True)


_ROOM: Final = {String: "", Double: 0.0, BigInteger: 0}
_WIDEST: Final = (String,) * 4 + (Double,) * 2 + (BigInteger,) * 2
"""What the values of any index row have room in, and what stands where they have none."""


def _room(index: Table) -> dict[int, Column[Any]]:
    """The columns between the parameter and the row id by their place in the widest row, in the table's order."""
    taken: dict[int, Column[Any]] = {}
    for each in index.columns:
        if each.name not in ("parameter", "rid"):
            free = (at for at, kind in enumerate(_WIDEST) if at not in taken and isinstance(each.type, kind))
            taken[next(free)] = each
    return taken


def _widened(kind: str, index: Table) -> Select[Any]:
    taken = _room(index)
    values = [taken[at] if at in taken else literal(_ROOM[type_]) for at, type_ in enumerate(_WIDEST)]
    return select(literal(kind), index.c.parameter, *values).where(index.c.rid == bindparam("row"))


INDEX_ROWS: Final = compiled(union_all(*(_widened(kind, index) for kind, index in tables.INDEX_TABLES.items())))
"""Every index row of a resource, in one look: the kind of parameter, and the widest row."""
INDEX_ROW: Final = {
    kind: itemgetter(1, *(2 + place for place in _room(index))) for kind, index in tables.INDEX_TABLES.items()
}
"""From such a row to the values of the table's columns but the row id."""
REMOVE_INDEX: Final = {kind: _delete_row(index) for kind, index in tables.INDEX_TABLES.items()}
"""The values in the order of the table's columns."""

_parameter: Final = tables.search_parameter
PARAMETERS: Final = compiled(select(_parameter.c.number, _parameter.c.type, _parameter.c.code, _parameter.c.definition))
NAME_PARAMETER: Final = insert_into(_parameter, "number")
FORGET_PARAMETER: Final = compiled(delete(_parameter).where(_parameter.c.number == bindparam("gone")))
FORGET_ROWS: Final = tuple(
    compiled(delete(index).where(index.c.parameter == bindparam("gone"))) for index in tables.INDEX_TABLES.values()
)
BODIES_OF_TYPE: Final = compiled(
    select(resource.c.rid, history.c.body)
    .join(history, history.c.hid == resource.c.hid)
    .where(resource.c.type == bindparam("of_type"), resource.c.rid > bindparam("after"))
    .order_by(resource.c.rid)
    .limit(bindparam("most"))
)

POINTED_AT: Final = compiled(
    select(reference_index.c.rid)
    .where(
        reference_index.c.target == bindparam("target"),
        reference_index.c.parameter.in_(select(tables.search_parameter.c.number)),  # the index begins with it
    )
    .limit(1)
)
ABOUT_PATIENT: Final = compiled(
    select(resource.c.rid)
    .where(
        resource.c.patient == bindparam("of_patient"),
        resource.c.type != "Patient",
        not_(resource.c.type.startswith(_BURIED)),
    )
    .limit(1)
)
"""What is about her, whether it points at her or names her by an identifier."""
GRANTED: Final = compiled(
    select(tables.decision.c.body).where(
        tables.decision.c.patient == bindparam("of_patient"), tables.decision.c.permitted == 1
    )
)

INSERT_DECISION: Final = insert_many(tables.decision, "number")
NUMBERED_DECISION: Final = insert_many(tables.decision, "number", tail=NUMBER)
INSERT_ACCESS: Final = insert_many(tables.access_log, "number")
PUT_CERTIFICATE: Final = insert_into(certificate, tail=or_replace(certificate))
PUT_SECRET: Final = insert_into(tables.secret, tail=or_replace(tables.secret))
SECRET: Final = compiled(select(tables.secret.c.value).where(tables.secret.c.name == bindparam("name")))
CERTIFICATES_OF: Final = compiled(
    select(certificate.c.episode, certificate.c.body).where(
        certificate.c.unit == bindparam("of_unit"), certificate.c.patient == bindparam("of_patient")
    )
)
UNITS_OF_CERTIFICATE: Final = compiled(
    select(certificate.c.unit, certificate.c.patient, certificate.c.body)
    .where(certificate.c.id == bindparam("with_id"))
    .order_by(certificate.c.unit)
)
_present = certificate.alias("present")
CERTIFICATES_OF_UNIT: Final = compiled(
    select(certificate.c.patient, certificate.c.episode, certificate.c.body)
    .where(
        certificate.c.unit == bindparam("of_unit"),
        certificate.c.patient.in_(
            select(_present.c.patient).where(
                _present.c.unit == bindparam("of_unit"), _present.c.last >= bindparam("since")
            )
        ),
    )
    .order_by(certificate.c.patient, certificate.c.first, certificate.c.id)
)
KNOWN_CERTIFICATES: Final = compiled(
    select(certificate.c.id, certificate.c.person, certificate.c.body, certificate.c.first, certificate.c.last).where(
        certificate.c.unit == bindparam("of_unit"), certificate.c.patient == bindparam("of_patient")
    )
)
PATIENTS_OF_UNIT: Final = compiled(
    select(certificate.c.patient)
    .where(certificate.c.unit == bindparam("of_unit"), certificate.c.patient > bindparam("after"))
    .distinct()
    .order_by(certificate.c.patient)
    .limit(bindparam("most"))
)
INSERT_REKO_STATUS: Final = insert_into(reko_status, "number")
_statuses: Final = (
    select(
        reko_status.c.status,
        reko_status.c.patient,
        reko_status.c.unit,
        reko_status.c.day,
        reko_status.c.registered,
        reko_status.c.staff,
        reko_status.c.version,
    )
    .where(reko_status.c.unit == bindparam("of_unit"))
    .order_by(reko_status.c.number)
)
REKO_STATUSES_OF_UNIT: Final = compiled(_statuses)
REKO_STATUSES: Final = compiled(_statuses.where(reko_status.c.patient == bindparam("of_patient")))
_pulls: Final = select(pull.c.number, pull.c.state, pull.c.at, pull.c.days).where(pull.c.unit == bindparam("of_unit"))
LAST_PULL: Final = compiled(_pulls.where(pull.c.state == PullState.DONE.value).order_by(pull.c.number.desc()).limit(1))
PULLS_SINCE: Final = compiled(_pulls.where(pull.c.number > bindparam("done")).order_by(pull.c.number.desc()))
DROP_CERTIFICATE: Final = compiled(
    delete(certificate).where(certificate.c.unit == bindparam("of_unit"), certificate.c.id == bindparam("with_id"))
)
