"""Questions to the ledgers that a test asks: each has a check by name, and entries that it is about. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from adapters.mocking.ledger import Entry


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class About(_Model):
    """Which entries: all conditions that are given hold. ``contains`` is text in the request; ``summary`` are values in the
    entry's summary; ``after`` an instant, itself left out."""

    id: str | None = None
    contains: str | None = Field(default=None, repr=False)
    summary: dict[str, Any] = {}
    after: AwareDatetime | None = None
    accepted: bool | None = None
    direction: Literal["in", "out"] = "in"


class Check(_Model):
    """``exactly-once``: among what was accepted there is one message, after de-duplication by id. ``received``: ``count``
    entries or more, accepted or not. ``accepted``: ``count`` messages or more after de-duplication. ``never``: no entry at
    all. ``never-accepted``: none that was taken. ``in-order``: the messages ``ids`` were accepted for the first time in that
    order."""

    system: str
    check: Literal["exactly-once", "received", "accepted", "never", "never-accepted", "in-order"]
    about: About = About()
    count: int = Field(default=1, ge=1)
    ids: tuple[str, ...] = ()


class Verification(_Model):
    """Checks that must all hold. ``within``: seconds of the wall clock to wait until they do. What must never happen is
    asked again when the time is over, if ``patiently``: nothing of it came for so long."""

    checks: list[Check] = Field(min_length=1)
    within: float = Field(default=0, ge=0, le=60)
    patiently: bool = False


class Verdict(_Model):
    """What became of a check: the numbers of the entries it is about, and in words what was found."""

    system: str
    check: str
    ok: bool
    found: str
    entries: tuple[int, ...]


def judged(check: Check, entries: Iterable[Entry], dropped: int) -> Verdict:
    """The verdict. A ledger that has dropped entries cannot tell that something never came, and says so."""
    about = [entry for entry in entries if matches(check.about, entry)]
    ok, found = _CHECKS[check.check](check, about)
    if dropped and check.check in NEVER:
        ok, found = False, f"{found}; {dropped} older entries are kept no more"
    return Verdict(
        system=check.system, check=check.check, ok=ok, found=found, entries=tuple(entry.number for entry in about)
    )


def matches(about: About, entry: Entry) -> bool:
    """Whether an entry is one of those."""
    return (
        entry.direction == about.direction
        and about.id in (None, entry.id)
        and about.accepted in (None, entry.accepted)
        and (about.after is None or entry.at > about.after)
        and (about.contains is None or about.contains in entry.request)
        and all(entry.summary.get(name) == value for name, value in about.summary.items())
    )


def _accepted(about: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.id for entry in about if entry.accepted))


def _exactly_once(_: Check, about: Sequence[Entry]) -> tuple[bool, str]:
    ids = _accepted(about)
    return len(ids) == 1, f"{len(ids)} messages in {sum(entry.accepted for entry in about)} accepted entries"


def _received(check: Check, about: Sequence[Entry]) -> tuple[bool, str]:
    return len(about) >= check.count, f"{len(about)} entries"


def _some_accepted(check: Check, about: Sequence[Entry]) -> tuple[bool, str]:
    ids = _accepted(about)
    return len(ids) >= check.count, f"{len(ids)} messages"


def _never(_: Check, about: Sequence[Entry]) -> tuple[bool, str]:
    return not about, f"{len(about)} entries"


def _never_accepted(_: Check, about: Sequence[Entry]) -> tuple[bool, str]:
    ids = _accepted(about)
    return not ids, f"{len(ids)} messages"


def _in_order(check: Check, about: Sequence[Entry]) -> tuple[bool, str]:
    came = [id for id in _accepted(about) if id in check.ids]
    words = f"{len(came)} of {len(check.ids)}"
    return came == list(check.ids), words if set(came) != set(check.ids) else f"{words}, in the order of arrival"


_CHECKS: Final[Mapping[str, Callable[[Check, Sequence[Entry]], tuple[bool, str]]]] = {
    "exactly-once": _exactly_once,
    "received": _received,
    "accepted": _some_accepted,
    "never": _never,
    "never-accepted": _never_accepted,
    "in-order": _in_order,
}
NEVER: Final = frozenset({"never", "never-accepted"})
