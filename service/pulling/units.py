"""The care units that are pulled by themselves, from the file that ``REKO_UNITS`` names.

actor = "SE2321000131-F000000000001"       # the function that answers for these pulls in the access log
every_minutes = 60                         # for every unit that does not say otherwise
max_days_since_end = 14

[[unit]]
care_unit = "SE2321000131-E000000000001"   # mottagningar come with their care unit
care_provider = "SE2321000131-S000000000001"
every_minutes = 15
approve_before_sending = true              # somebody reads what is for other parties first; left out: nobody has to
informs_fk = "SE2321000131-P000000000001"  # who on the unit informs Försäkringskassan; left out: whoever judges the need
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from contracts.identity import BadIdentity, HsaId
from contracts.pulling import MOST_DAYS
from contracts.record import Caller, Right

COMMISSION: Final = "automatic pull"
"""Stands in the access log where a person has a commission."""

_DEFAULTS: Final = {"every_minutes": 60, "max_days_since_end": MOST_DAYS}
"""As many days as a view may ask for: so every view has all it needs."""
_RANGES: Final = {"every_minutes": range(1, 7 * 24 * 60 + 1), "max_days_since_end": range(MOST_DAYS + 1)}
_APPROVE: Final = "approve_before_sending"
_INFORMS: Final = "informs_fk"
_PARTS: Final = ("care_unit", "care_provider")


class BadUnits(ValueError):
    """The file of units cannot be used. The message says which entry and which part."""


@dataclass(frozen=True, slots=True)
class ScheduledUnit:
    """A care unit with its timetable. ``caller`` is who pulls it. ``approves``: somebody on it reads what is for another party
    before that is sent. ``informs`` is who on it informs Försäkringskassan, where that is settled."""

    caller: Caller
    every: timedelta
    days: int
    approves: bool = False
    informs: HsaId | None = None

    @property
    def id(self) -> str:
        """Its HSA-id."""
        return self.caller.unit.value


def from_file(file: Path) -> tuple[ScheduledUnit, ...]:
    """Read the file. Raises ``BadUnits``."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadUnits(f"{file}: {error}") from None
    entries = told.pop("unit", [])
    actor = _hsa_id(told, "actor", str(file))
    common = {**_DEFAULTS, **_known(told, {"actor", *_DEFAULTS}, str(file))}
    units = tuple(_unit(f"unit {number}", entry, common, actor) for number, entry in enumerate(entries, start=1))
    if len({unit.id for unit in units}) < len(units):
        raise BadUnits(f"{file}: a care unit stands there twice")
    return units


def _unit(which: str, entry: Mapping[str, Any], common: Mapping[str, Any], actor: HsaId) -> ScheduledUnit:
    settings = {**common, **_known(entry, {*_PARTS, *_DEFAULTS, _APPROVE, _INFORMS}, which)}
    unit, provider = (_hsa_id(entry, part, which) for part in _PARTS)
    every, days = (_number(settings, name, which) for name in _DEFAULTS)
    caller = Caller(actor, COMMISSION, unit, provider, frozenset({Right.SICK_LEAVE_PULL}))
    approves = settings.get(_APPROVE, False)
    if not isinstance(approves, bool):
        raise BadUnits(f"{which}: {_APPROVE} is true or false")
    informs = _hsa_id(entry, _INFORMS, which) if _INFORMS in entry else None
    return ScheduledUnit(caller, timedelta(minutes=every), days, approves, informs)


def _known(entry: Mapping[str, Any], names: set[str], which: str) -> Mapping[str, Any]:
    unknown = sorted(entry.keys() - names)
    if unknown:
        raise BadUnits(f"{which}: {', '.join(unknown)} is not known here")
    return entry


def _hsa_id(entry: Mapping[str, Any], part: str, which: str) -> HsaId:
    try:
        return HsaId(entry[part])
    except KeyError:
        raise BadUnits(f"{which} lacks {part}") from None
    except (BadIdentity, TypeError) as error:
        raise BadUnits(f"{which}: {part}: {error}") from None


def _number(settings: Mapping[str, Any], name: str, which: str) -> int:
    value, allowed = settings[name], _RANGES[name]
    if type(value) is not int or value not in allowed:
        raise BadUnits(f"{which}: {name} is a whole number from {allowed.start} to {allowed.stop - 1}")
    return value
