"""What the interactions stand on: the store, the use cases' context, who may call, and the key of page tokens."""

from dataclasses import dataclass

from cryptography.fernet import Fernet
from starlette.requests import Request

from contracts.errors import NotFound, NotSupported
from contracts.ports import BlockSource, Clock
from contracts.record import Caller, Right
from service.fhir_api.resources import ROWS, Row
from service.security import Clients, require
from service.store.store import SqlStore
from service.usecases.context import Context, Farewell, UseCase


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Built once by the wiring. ``base`` is the public address of the FHIR surface, without a slash at its end."""

    store: SqlStore
    context: Context
    clients: Clients
    page_key: Fernet
    base: str
    blocks: BlockSource
    clock: Clock

    def caller(self, request: Request, right: Right) -> Caller:
        """Who asks, with the right to. Raises ``Unauthenticated`` and ``Forbidden``."""
        caller = self.clients.caller(request.headers.get("authorization", ""), request.state.request_id)
        require(caller, right)
        return caller


def row_of(request: Request) -> Row:
    """The row of the type in the address. Raises ``NotFound``."""
    return row_named(request.path_params["type"])


def row_named(type_: str) -> Row:
    """The row of a type. Raises ``NotFound``."""
    if type_ not in ROWS:
        raise NotFound("this resource type is not served: see /metadata for those that are")
    return ROWS[type_]


def changeable(row: Row) -> UseCase:
    """The story of a change. Raises ``NotSupported`` for what is written once."""
    if row.written_once:
        raise NotSupported(f"{row.type} is written once: it says what was so then")
    return row.write


def deletable(row: Row) -> Farewell:
    """The story of a deletion. Raises ``NotSupported`` for types that are never deleted."""
    if row.delete is None:
        raise NotSupported(f"{row.type} is never deleted")
    return row.delete
