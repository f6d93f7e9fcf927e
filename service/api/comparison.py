"""The unit's sick leaves held against the national engine's, on the JSON API."""

from typing import Any, Final

from fastapi import FastAPI, Request

from contracts.errors import NotSupported
from contracts.ports import CertificateSource
from contracts.record import Caller
from service.api.models import Model
from service.api.overview import counted_out, whole_unit
from service.api.overview_models import CountedOut, address_parameters
from service.rules.sick_leave.comparison import Difference, Value
from service.store.store import SqlStore
from service.usecases.compare_with_national import Comparison, compare_with_national


class PartOut(Model):
    """A part on which the two differ."""

    part: str
    ours: Value
    theirs: Value


class DifferenceOut(Model):
    """A patient on whom the two differ: by logical id, ``None`` for somebody who is not known here. A sick leave that only one
    of them has is told by its certificates; otherwise the parts that differ are."""

    patient: str | None
    only: str | None
    certificates: tuple[str, ...]
    parts: tuple[PartOut, ...]


class ComparisonOut(CountedOut):
    """How many sick leaves each has, how many of theirs could not be read, and the patients on whom they differ."""

    ours: int
    theirs: int
    unreadable: int
    differences: tuple[DifferenceOut, ...]


_SETTINGS: Final = ("mode", "gap", "maxDaysSinceEnd")


def comparison_route(app: FastAPI, store: SqlStore, source: CertificateSource | None, reader: Any) -> None:
    """Add the route. ``reader`` is the dependency that gives a caller with the right."""
    settings = address_parameters(*_SETTINGS)

    @app.get("/units/{unit}/sick-leaves/comparison", openapi_extra=settings)
    async def compare(request: Request, unit: str, caller: Caller = reader) -> ComparisonOut:
        """The unit's sick leaves as we count them, held against those that the national engine computes now."""
        if source is None:
            raise NotSupported("no source of sick leaves is configured: set REKO_ADAPTERS__INTYGSTJANST__URL")
        return await compare_with_national(store, source, caller, unit, whole_unit(request, _SETTINGS), _out)


def _out(compared: Comparison) -> ComparisonOut:
    return ComparisonOut(
        **counted_out(compared.unit, compared.question, compared.pulled),
        ours=compared.ours,
        theirs=compared.theirs,
        unreadable=len(compared.unreadable),
        differences=tuple(_difference(each, compared) for each in compared.differences),
    )


def _difference(each: Difference, compared: Comparison) -> DifferenceOut:
    person = each.row.person if each.row else each.reported and each.reported.patient
    shown = each.row or each.reported
    return DifferenceOut(
        patient=compared.patients.get(person) if person else None,
        only="theirs" if each.row is None else "ours" if each.reported is None else None,
        certificates=shown.certificates if shown else (),
        parts=tuple(PartOut(part=one.part, ours=one.ours, theirs=one.theirs) for one in each.parts),
    )
