"""What the unit's overview takes and gives as JSON. What may be asked is read by ``rules.sick_leave.question``, for every
surface alike: the models here say what there is, and the ranges are told by the rule."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import Field, Strict

from contracts.sick_leave import RekoStatusType
from service.api.models import Model
from service.rules.sick_leave import FILTERS
from service.rules.sick_leave.question import MEMBERS, PARAMETERS, RANGES, Parameter

Whole = Annotated[int, Strict()]
"""A JSON number: ``true`` is not 1, and no text is a number."""

PAGE: Final = "page"
"""The name of the token that carries a list on; it stands alone."""


class OverviewIn(Model):
    """A question to the overview; its members are those of the address, and ``text`` besides. Alternatives stand in
    lists. ``page`` is an answer's ``next``, and then nothing else is asked."""

    mode: str | None = None
    gap: Whole | None = None
    max_days_since_end: Whole | None = None
    unit: str | None = None
    doctor: tuple[str, ...] = ()
    length: tuple[str, ...] = ()
    end_from: str | None = None
    end_to: str | None = None
    ends_within: Whole | None = None
    age_from: Whole | None = None
    age_to: Whole | None = None
    chapter: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    occupation: tuple[str, ...] = ()
    text: str | None = None
    sort: str | None = None
    offset: Whole | None = None
    limit: Whole | None = None
    communication: Annotated[Any, Field(description="Not available: asking for it is refused")] = None
    risk: Annotated[Any, Field(description="Not available: asking for it is refused")] = None
    page: str | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """As in an address."""
        sent = self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        return [(name, str(one)) for name, value in sent.items() for one in _each(value)]


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class DiagnosisOut(Model):
    """A diagnosis as the certificate has it, its clean code, and the name behind it if there is one."""

    original: str
    code: str
    name: str | None


class NamedOut(Model):
    """An id and what it is called."""

    id: str
    name: str


class PeriodOut(Model):
    """A certified period: both days are in it."""

    start: date
    end: date
    degree: int


class RekoStatusOut(Model):
    """A status and its registration. It belongs to the sick leave that covers ``day``."""

    status: str
    name: str
    day: date
    registered_at: datetime
    staff: str
    version: int


class SickLeaveOut(Model):
    """One patient's sick leave. ``patient`` is the logical id; ``episode`` the stored EpisodeOfCare's. ``degree`` is 0 when
    it has ended. ``certificates`` come by first day; in the mode rehabstod one may stand twice (Q1). ``contact_wished``: in one
    of those that have been read as a whole, the doctor wished for contact with Försäkringskassan."""

    patient: str
    episode: str
    personal_number: str
    name: str
    protected: bool
    age: int
    gender: str
    status: RekoStatusOut | None
    diagnosis: DiagnosisOut | None
    secondary_diagnoses: tuple[DiagnosisOut, ...]
    chapter: NamedOut
    occupations: tuple[str, ...]
    start: date
    end: date
    days: int
    days_left: int
    recently_ended: bool
    certificate_count: int
    certificates: tuple[str, ...]
    active_certificate: str
    contact_wished: bool
    degree: int
    degrees: tuple[int, ...]
    doctor: NamedOut
    unit: NamedOut
    periods: tuple[PeriodOut, ...]


class LastPullOut(Model):
    """How old and wide the data are. ``covers_asked`` is false when the pull asked for fewer days since the end than the
    question: sick leaves that ended before are missing then. ``applying``: a newer answer is on its way in."""

    at: datetime
    max_days_since_end: int
    failed_since: datetime | None
    covers_asked: bool
    applying: bool


class SettingsOut(Model):
    """With what figures were counted."""

    mode: str
    gap: int
    max_days_since_end: int


class CountedOut(SettingsOut):
    """The settings, the day, and the data; ``pulled`` is null before the unit's first pull."""

    unit: str
    on: date
    pulled: LastPullOut | None


class SickLeavesOut(CountedOut):
    """A page of the overview. ``total`` is how many match; ``held_back`` how many sick leaves of protected patients the
    unit has that are not shown, whatever the filters; ``next`` the token of the next page."""

    total: int
    held_back: int
    sick_leaves: tuple[SickLeaveOut, ...]
    next: str | None


class OptionOut(Model):
    """A value of a filter. ``occurs`` is false for one that nobody on the unit has now."""

    id: str
    label: str
    occurs: bool = True


class FilterOut(Model):
    """A filter: its parameters and their values; ``unavailable`` says why it cannot be used."""

    id: str
    label: str
    parameters: tuple[str, ...]
    options: tuple[OptionOut, ...]
    unavailable: str


class FiltersOut(CountedOut):
    """What can be asked of the unit now, and in which columns the answer can be sorted."""

    sick_leaves: int
    has_ongoing_sick_leaves: bool
    filters: tuple[FilterOut, ...]
    columns: tuple[OptionOut, ...]


class ShareOut(Model):
    """A part of a list: how many, and how many in a hundred."""

    id: str
    name: str
    count: int
    percentage: float


class StatisticsOut(SettingsOut):
    """Sick leaves counted with these settings, for everybody and for men and women apart."""

    total: int
    genders: tuple[ShareOut, ...]
    groups: tuple[ShareOut, ...]
    male_diagnosis_groups: tuple[ShareOut, ...]
    female_diagnosis_groups: tuple[ShareOut, ...]
    sick_leave_degrees: tuple[ShareOut, ...]
    male_sick_leave_degrees: tuple[ShareOut, ...]
    female_sick_leave_degrees: tuple[ShareOut, ...]
    count_sick_leave_degrees: tuple[ShareOut, ...]
    count_male_sick_leave_degrees: tuple[ShareOut, ...]
    count_female_sick_leave_degrees: tuple[ShareOut, ...]
    sick_leave_lengths: tuple[ShareOut, ...]
    male_sick_leave_lengths: tuple[ShareOut, ...]
    female_sick_leave_lengths: tuple[ShareOut, ...]


class SummaryOut(Model):
    """The summary twice: with the settings that were asked for, and as the national one always counts."""

    unit: str
    on: date
    pulled: LastPullOut | None
    asked: StatisticsOut
    national: StatisticsOut


class RekoStatusIn(Model):
    """The status of the sick leave that the overview shows with these settings; absent ones are the defaults."""

    status: RekoStatusType
    mode: str | None = None
    gap: Whole | None = None
    max_days_since_end: Whole | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """The settings as in an address."""
        sent = self.model_dump(by_alias=True, exclude={"status"}, exclude_none=True)
        return [(name, str(value)) for name, value in sent.items()]


class RekoStatusSetOut(RekoStatusOut):
    """``changed`` is false when the newest status said the same for the same day already."""

    changed: bool


class RekoStatusHistoryOut(Model):
    """Every status of the patient on the unit, newest first."""

    patient: str
    statuses: tuple[RekoStatusOut, ...]


# The address, for the OpenAPI


def address_parameters(*names: str) -> dict[str, Any]:
    """The parameters of an address, from the table that also reads them: all but the concealed ones, or those named."""
    chosen = [each for each in PARAMETERS if each.name in names or (not names and not each.concealed)]
    page = [{"name": PAGE, "in": "query", "required": False, "schema": {"type": "string"}}]
    return {"parameters": [_parameter(each) for each in chosen] + ([] if names else page)}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = _schema(parameter.field)
    label = next((each.label for each in FILTERS if parameter.name in each.parameters), "")
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        **({"description": label} if label else {}),
        "schema": {"type": "array", "items": schema} if parameter.many else schema,
    }


def _schema(field: str) -> dict[str, Any]:
    if field in RANGES:
        least, most = RANGES[field]
        return {"type": "integer", "minimum": least, "maximum": most}
    if field == "sort":
        return {"type": "string", "enum": [sign + name for name in MEMBERS[field] for sign in ("", "-")]}
    return {"type": "string", **({"enum": list(MEMBERS[field])} if field in MEMBERS else {})}
