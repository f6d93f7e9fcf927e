"""Organization/[id]/$sick-leave-overview: a care unit's sick leaves, counted for the question (docs/overview.md).

The parameters are those of the JSON API, with ``_count`` for the size of a page; by POST they stand in a Parameters resource,
and ``text`` there alone. The answer is a searchset of EpisodeOfCare that is stored nowhere as it is.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final, cast
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, NotFound, Severity, note
from contracts.record import Caller, Record, Right
from contracts.sick_leave import LastPull
from contracts.time import day_start
from fhir_mappings import people
from fhir_mappings.counted_sick_leave import Counting, counted_episode
from fhir_mappings.document import decode
from fhir_mappings.primitives import to_instant
from fhir_mappings.sick_leave import EngineMode
from service.fhir_api import answers
from service.fhir_api.bundle import search_bundle
from service.fhir_api.operations.parameters import Pairs, stated
from service.fhir_api.reading import visible
from service.fhir_api.surroundings import Surroundings
from service.page_tokens import OverviewPages
from service.rules.sick_leave import Overview, Question, Row
from service.rules.sick_leave.question import PARAMETERS, read, written
from service.usecases.see_overview import Ask, Seen, see_overview

COUNT: Final = "_count"
PAGE: Final = "_page"
"""As in a search."""
NAMES: Final = frozenset({each.name for each in PARAMETERS} - {"offset"})
_CONCEALED: Final = frozenset(each.name for each in PARAMETERS if each.concealed)
_LET_THROUGH: Final = frozenset({"_format", "_pretty"})


async def sick_leave_overview(around: Surroundings, request: Request) -> Response:
    """A page of the overview, each patient's row in the access log durable before it leaves."""
    caller = around.caller(request, Right.FHIR_READ)
    organization = _own_unit(around, caller, request.path_params["id"])
    pages = OverviewPages(around.page_key)
    ask = _asked(await _pairs(request), pages, caller)
    address = f"{around.base}/{organization}/$sick-leave-overview"

    def show(seen: Seen) -> Response:
        links = _links(address, seen.overview, pages.next(caller.unit, seen.overview))
        records = _records(seen, caller, organization)
        told = _told(seen.pulled, seen.overview)
        return answers.resource(search_bundle(around.base, records, links, seen.overview.total, told))

    return await see_overview(around.store, caller, caller.unit.value, ask, "$sick-leave-overview", show)


def _own_unit(around: Surroundings, caller: Caller, id: str) -> str:
    """The reference of the Organization, if it is the caller's care unit. Raises ``NotFound``."""
    record = visible(around.store.read("Organization", id), caller, "Organization")
    if people.organization(decode(record.body).content, id).hsa_id != caller.unit:
        raise NotFound("there is no such Organization")
    return record.reference


# What is asked


async def _pairs(request: Request) -> Pairs:
    if any(name in _CONCEALED for name in request.query_params):
        raise Malformed("free text never stands in an address: POST it in a Parameters resource")
    return [pair for pair in await stated(request) if pair[0] not in _LET_THROUGH]


def _asked(pairs: Pairs, pages: OverviewPages, caller: Caller) -> Ask:
    token = dict(pairs).get(PAGE)
    if token is not None and len(pairs) > 1:
        raise Malformed("a page link holds all that it asks: send it alone")
    if token is not None:
        question = pages.opened(token, caller.unit)
        return lambda _: question
    return lambda on: _read(pairs, on)


def _read(pairs: Pairs, on: date) -> Question:
    return read([("limit" if name == COUNT else name, value) for name, value in pairs], on, NAMES)


# What is answered


def _links(address: str, overview: Overview, following: str | None) -> dict[str, str]:
    """What was asked with the settings that were used; what may tell who somebody is, by name alone."""
    pairs = [
        (COUNT if name == "limit" else name, "" if name in _CONCEALED else value)
        for name, value in written(overview.question)
    ]
    links = {"self": f"{address}?{urlencode(pairs)}"}
    return links | ({"next": f"{address}?{urlencode({PAGE: following})}"} if following else {})


def _records(seen: Seen, caller: Caller, organization: str) -> list[Record]:
    question = seen.overview.question
    counting = Counting(
        question.on,
        caller.unit,
        organization,
        cast(EngineMode, question.mode),  # checked when the question was made
        question.gap,
        question.max_days_since_end,
    )
    return [_record(row, seen.episodes[row.active], counting) for row in seen.overview.rows]


def _record(row: Row, episode: str, counting: Counting) -> Record:
    """A row as an entry; it is no stored version and leaves none."""
    body = counted_episode(row, episode, counting)
    return Record("EpisodeOfCare", episode, 0, day_start(counting.on), counting.unit.value, row.patient, body)


def _told(pulled: LastPull | None, overview: Overview) -> list[Issue]:
    """How old and how wide the data are, and whether somebody is held back: nobody takes the rows for more than they are."""
    told = [note(f"{overview.held_back} sick leaves of protected patients are held back", "protected")]
    return (told if overview.held_back else []) + list(_of_data(pulled, overview.question))


def _of_data(pulled: LastPull | None, question: Question) -> Iterator[Issue]:
    if pulled is None:
        yield _warning("the sick leaves of this unit have not been pulled yet")
        return
    yield note(
        f"as pulled {to_instant(pulled.at)} with at most {pulled.max_days_since_end} days since the end", "last-pull"
    )
    if not pulled.covers(question.max_days_since_end):
        yield _warning("more days since the end are asked for than were pulled: what ended before is missing")
    if pulled.failed is not None:
        yield _warning(f"the pull of {to_instant(pulled.failed)} failed")
    if pulled.applying:
        yield note("a newer answer is on its way in: some patients stand as it says already", "last-pull")


def _warning(text: str) -> Issue:
    return Issue(IssueType.BUSINESS_RULE, text, severity=Severity.WARNING, rule="last-pull")
