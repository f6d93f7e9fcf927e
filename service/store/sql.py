"""Statements of the hot path: written with SQLAlchemy Core, compiled once to text with named parameters.

Going through SQLAlchemy for every row costs three quarters of the write rate (docs/adr/0003-store.md).
"""

from typing import Final

from sqlalchemy import Table, bindparam, delete, exists, insert, literal, or_, select, update
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.expression import ClauseElement

from contracts.pulling import PullState
from service.store import tables
from service.store.tables import (
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
POSITIONAL: Final = sqlite_dialect(paramstyle="qmark")


def compiled(statement: ClauseElement) -> str:
    """The statement as text with ``:name`` parameters. Constants of the statement itself are written out, so that
    partial indexes apply.

    SQLAlchemy escapes whatever is not a parameter for the ``%`` operator, and writes each constant by its own rules: no
    text, whatever it holds, can be taken for a parameter.
    """
    result = SQLCompiler(_TEMPLATE, statement)
    return str(result) % {name: _written(name, parameter) for name, parameter in result.binds.items()}


def _written(name: str, parameter: BindParameter[object]) -> str:
    if parameter.required:
        return f":{name}"
    return str(parameter.compile(dialect=_NAMED, compile_kwargs={"literal_binds": True}))


def insert_into(table: Table, *without: str, replace: bool = False) -> str:
    """An insert of every column but those that the database makes."""
    statement = insert(table).values({c.name: bindparam(c.name) for c in table.columns if c.name not in without})
    return compiled(statement.prefix_with("OR REPLACE") if replace else statement)


_BURIED: Final = "~"


def buried(type: str) -> str:
    """The name under which the resources of a type are filed once they are deleted. Every statement looks for a type by
    its name, so that none can forget to leave the deleted ones out."""
    return f"{_BURIED}{type}"


def alive(filed: str) -> str:
    """The type of a resource, whatever it is filed under."""
    return filed.removeprefix(_BURIED)


CURRENT_COLUMNS: Final = (
    resource.c.type,
    resource.c.id,
    resource.c.version,
    resource.c.updated,
    resource.c.unit,
    resource.c.patient,
    history.c.body,
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
ROW_OF: Final = compiled(
    select(resource.c.rid, resource.c.version, resource.c.type).where(
        or_(resource.c.type == bindparam("type"), resource.c.type == bindparam("buried")),
        resource.c.id == bindparam("id"),
    )
)
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

INSERT_RESOURCE: Final = insert_into(resource)
UPDATE_RESOURCE: Final = compiled(
    update(resource)
    .where(resource.c.rid == bindparam("row"))
    .values(
        type=bindparam("filed"),
        version=bindparam("new_version"),
        updated=bindparam("now"),
        unit=bindparam("owner"),
        patient=bindparam("about"),
        hid=bindparam("new_hid"),
    )
)
INSERT_HISTORY: Final = insert_into(history)
INSERT_INDEX: Final = {
    kind: str(insert(table).prefix_with("OR REPLACE").compile(dialect=POSITIONAL))
    for kind, table in tables.INDEX_TABLES.items()
}
"""By the kind of parameter; the values in the order of the table's columns."""
CLEAR_INDEX: Final = tuple(
    compiled(delete(table).where(table.c.rid == bindparam("row"))) for table in tables.INDEX_TABLES.values()
)

POINTED_AT: Final = compiled(
    select(reference_index.c.rid)
    .where(
        reference_index.c.target == bindparam("target"),
        reference_index.c.parameter.in_(select(tables.search_parameter.c.number)),  # the index begins with it
    )
    .limit(1)
)
GRANTED: Final = compiled(
    select(tables.decision.c.body).where(
        tables.decision.c.patient == bindparam("of_patient"), tables.decision.c.permitted == 1
    )
)

INSERT_DECISION: Final = insert_into(tables.decision, "number")
INSERT_ACCESS: Final = insert_into(tables.access_log, "number")
PUT_CERTIFICATE: Final = insert_into(certificate, replace=True)
PUT_SECRET: Final = insert_into(tables.secret, replace=True)
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
