"""What every write passes before its story: the type may be written, and its mapper can read it."""

from fhir_mappings.registry import MAPPERS

from contracts.errors import NotSupported
from contracts.record import Document
from service.fhir_api.resources import Row
from service.usecases.context import UseCase


def writable(row: Row) -> UseCase:
    """The story of a write. Raises ``NotSupported`` for types that the service alone writes."""
    if row.write is None:
        raise NotSupported(f"{row.type} is written by the service itself and can only be read")
    return row.write


def judge(document: Document) -> None:
    """Raises ``Invalid`` with everything that breaks our profile of the type."""
    MAPPERS[document.type](document.content)
