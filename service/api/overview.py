"""The unit's overview on the JSON API: rows, filters, summary and RekoStatus."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response

from contracts.errors import Malformed
from contracts.record import Caller
from contracts.sick_leave import LastPull, RekoStatus
from service.api import overview_models as models
from service.page_tokens import OverviewPages
from service.rules.sick_leave import FILTERS, Choices, Filter, Question, Row, Summary, choices, summary
from service.rules.sick_leave.diagnosis import Diagnosis
from service.rules.sick_leave.order import COLUMNS
from service.rules.sick_leave.question import PARAMETERS, SETTINGS, read
from service.rules.sick_leave.reko_status import NAMES
from service.rules.sick_leave.statistics import Share, national
from service.store.store import SqlStore
from service.usecases.see_overview import Ask, Counted, Seen, see_overview, survey
from service.usecases.set_reko_status import StatusSet, reko_status_history, set_reko_status

_UNFILTERED: Final = ("mode", "gap", "maxDaysSinceEnd", "unit")
"""What a summary and a list of choices take: they are of the whole unit, or of one mottagning."""


def overview_routes(app: FastAPI, store: SqlStore, pages: OverviewPages, reader: Any, author: Any) -> None:
    """Add the routes. ``reader`` and ``author`` are the dependencies that give a caller with the right."""
    rows = models.address_parameters()
    whole = models.address_parameters(*_UNFILTERED)

    async def shown(caller: Caller, unit: str, pairs: Sequence[tuple[str, str]]) -> Response:
        ask = _asked(pairs, pages, caller)
        return await see_overview(store, caller, unit, ask, "sick-leaves", lambda seen: _page(seen, caller, pages))

    @app.get("/units/{unit}/sick-leaves", response_model=models.SickLeavesOut, openapi_extra=rows)
    async def get_sick_leaves(request: Request, unit: str, caller: Caller = reader) -> Response:
        """The unit's sick leaves as last pulled, and how they were counted. Free text goes to ``_search``."""
        return await shown(caller, unit, _address(request))

    @app.post("/units/{unit}/sick-leaves/_search", response_model=models.SickLeavesOut)
    async def search_sick_leaves(given: models.OverviewIn, unit: str, caller: Caller = reader) -> Response:
        """The same with every filter: what tells who somebody is never stands in an address."""
        return await shown(caller, unit, given.pairs())

    @app.get("/units/{unit}/sick-leaves/filters", openapi_extra=whole)
    async def get_filters(request: Request, unit: str, caller: Caller = reader) -> models.FiltersOut:
        """What can be asked of the unit now. It names no patient and leaves no row in the access log."""
        ask = whole_unit(request)
        return await survey(store, caller, unit, lambda on: [ask(on)], _filters)

    @app.get("/units/{unit}/sick-leaves/summary", openapi_extra=whole)
    async def get_summary(request: Request, unit: str, caller: Caller = reader) -> models.SummaryOut:
        """The unit in figures, with the settings asked for and as the national summary counts."""
        ask = whole_unit(request)
        return await survey(store, caller, unit, lambda on: [ask(on), national(ask(on))], _summaries)

    @app.put("/units/{unit}/patients/{patient}/reko-status")
    async def put_reko_status(
        given: models.RekoStatusIn, unit: str, patient: str, caller: Caller = author
    ) -> models.RekoStatusSetOut:
        """Say where the coordination of the patient's sick leave stands. Each is a new version; none is lost."""
        ask = _of_the_whole(given.pairs())
        return await store.run(
            lambda transaction: _set(set_reko_status(transaction, caller, unit, patient, given.status, ask))
        )

    @app.get("/units/{unit}/patients/{patient}/reko-status")
    async def get_reko_status(unit: str, patient: str, caller: Caller = reader) -> models.RekoStatusHistoryOut:
        """Every status of the patient on the unit, newest first."""
        found = await reko_status_history(store, caller, unit, patient)
        return models.RekoStatusHistoryOut(patient=patient, statuses=tuple(map(_status, found)))


# What is asked


def _address(request: Request) -> list[tuple[str, str]]:
    pairs = request.query_params.multi_items()
    if any(each.concealed and each.name == name for each in PARAMETERS for name, _ in pairs):
        raise Malformed("free text never stands in an address: POST it to .../sick-leaves/_search")
    return pairs


def _asked(pairs: Sequence[tuple[str, str]], pages: OverviewPages, caller: Caller) -> Ask:
    token = next((value for name, value in pairs if name == models.PAGE), None)
    if token is None:
        return lambda on: read(pairs, on)
    if len(pairs) > 1:
        raise Malformed("a page link holds all that it asks: send it alone")
    question = pages.opened(token, caller.unit)
    return lambda _: question


def whole_unit(request: Request, names: Sequence[str] = _UNFILTERED) -> Callable[[date], Question]:
    """A question that takes no filter: the settings in the address."""
    return _of_the_whole(_address(request), names)


def _of_the_whole(pairs: Iterable[tuple[str, str]], names: Sequence[str] = _UNFILTERED) -> Callable[[date], Question]:
    return lambda on: read(pairs, on, names)


# What is answered


def _page(seen: Seen, caller: Caller, pages: OverviewPages) -> Response:
    """Made where it was counted: a thousand rows are not written on the event loop."""
    found = seen.overview
    out = models.SickLeavesOut(
        **counted_out(caller.unit.value, found.question, seen.pulled),
        total=found.total,
        held_back=found.held_back,
        sick_leaves=tuple(_row(row, seen) for row in found.rows),
        next=pages.next(caller.unit, found),
    )
    return Response(out.model_dump_json(by_alias=True), media_type="application/json")


def counted_out(unit: str, question: Question, pulled: LastPull | None) -> dict[str, Any]:
    """What every answer says of how it was counted, and of how old its data are."""
    return {"unit": unit, "on": question.on, "pulled": _pull(pulled, question), **_settings(question)}


def _settings(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in SETTINGS}


def _pull(pulled: LastPull | None, question: Question) -> models.LastPullOut | None:
    if pulled is None:
        return None
    return models.LastPullOut(
        at=pulled.at,
        max_days_since_end=pulled.max_days_since_end,
        failed_since=pulled.failed,
        applying=pulled.applying,
        covers_asked=pulled.covers(question.max_days_since_end),
    )


def _row(row: Row, seen: Seen) -> models.SickLeaveOut:
    return models.SickLeaveOut(
        patient=row.patient,
        episode=seen.episodes[row.active],
        personal_number=row.number,
        name=row.name,
        protected=row.protected,
        age=row.age,
        gender=row.gender,
        status=row.status and _status(row.status),
        diagnosis=row.diagnosis and _diagnosis(row.diagnosis),
        secondary_diagnoses=tuple(map(_diagnosis, row.secondary)),
        chapter=models.NamedOut(id=row.chapter.id, name=row.chapter.name),
        occupations=row.occupations,
        start=row.start,
        end=row.end,
        days=row.days,
        days_left=row.days_left,
        recently_ended=row.recently_ended,
        certificate_count=row.count,
        certificates=row.certificates,
        active_certificate=row.active,
        contact_wished=not seen.wishes.isdisjoint(row.certificates),
        degree=row.degree,
        degrees=row.degrees,
        doctor=models.NamedOut(id=row.doctor, name=row.doctor_name),
        unit=models.NamedOut(id=row.unit.value, name=row.unit_name),
        periods=tuple(models.PeriodOut(start=each.start, end=each.end, degree=each.degree) for each in row.periods),
    )


def _diagnosis(found: Diagnosis) -> models.DiagnosisOut:
    return models.DiagnosisOut(original=found.original, code=found.code, name=found.name)


def _status(found: RekoStatus) -> models.RekoStatusOut:
    return models.RekoStatusOut(**_of_status(found))


def _set(became: StatusSet) -> models.RekoStatusSetOut:
    return models.RekoStatusSetOut(**_of_status(became.status), changed=became.changed)


def _of_status(found: RekoStatus) -> dict[str, Any]:
    return {
        "status": found.type.value,
        "name": NAMES[found.type],
        "day": found.day,
        "registered_at": found.registered,
        "staff": found.staff.value,
        "version": found.version,
    }


def _filters(unit: str, answers: Sequence[Counted], pulled: LastPull | None) -> models.FiltersOut:
    (counted,) = answers
    offered = choices(counted.held.rows)
    return models.FiltersOut(
        **counted_out(unit, counted.question, pulled),
        sick_leaves=offered.sick_leaves,
        has_ongoing_sick_leaves=offered.ongoing > 0,
        filters=tuple(_filter(each, offered) for each in FILTERS),
        columns=tuple(models.OptionOut(id=each.id, label=each.label) for each in COLUMNS.values()),
    )


def _filter(each: Filter, offered: Choices) -> models.FilterOut:
    return models.FilterOut(
        id=each.id,
        label=each.label,
        parameters=each.parameters,
        options=tuple(
            models.OptionOut(id=option.id, label=option.label, occurs=offered.occurs(each.id, option))
            for option in each.options or offered.options(each.id)
        ),
        unavailable=each.unavailable,
    )


def _summaries(unit: str, answers: Sequence[Counted], pulled: LastPull | None) -> models.SummaryOut:
    asked, as_national = answers
    return models.SummaryOut(
        unit=unit,
        on=asked.question.on,
        pulled=_pull(pulled, asked.question),
        asked=_statistics(asked),
        national=_statistics(as_national),
    )


def _statistics(counted: Counted) -> models.StatisticsOut:
    found = summary(counted.held.rows)
    return models.StatisticsOut(
        **_settings(counted.question), total=found.total, genders=_shares(found.genders), **_breakdowns(found)
    )


_BREAKDOWNS: Final = {
    "groups": ("groups", "male_diagnosis_groups", "female_diagnosis_groups"),
    "degrees": ("sick_leave_degrees", "male_sick_leave_degrees", "female_sick_leave_degrees"),
    "degree_counts": (
        "count_sick_leave_degrees",
        "count_male_sick_leave_degrees",
        "count_female_sick_leave_degrees",
    ),
    "lengths": ("sick_leave_lengths", "male_sick_leave_lengths", "female_sick_leave_lengths"),
}
"""By the part of a breakdown: its name for everybody, men and women (rehabstod.md § 4.6)."""


def _breakdowns(found: Summary) -> dict[str, tuple[models.ShareOut, ...]]:
    return {
        name: _shares(getattr(breakdown, part))
        for part, names in _BREAKDOWNS.items()
        for name, breakdown in zip(names, (found.everybody, found.men, found.women), strict=True)
    }


def _shares(shares: Iterable[Share]) -> tuple[models.ShareOut, ...]:
    return tuple(
        models.ShareOut(id=each.id, name=each.name, count=each.count, percentage=each.percentage) for each in shares
    )
