"""transaction: https://hl7.org/fhir/R4/http.html#trules; all entries in one transaction of the store, or none

Deletions come first, then creates, updates and patches, then reads. Among the changes, what is pointed at comes before what
points at it; otherwise patients come first, whom others may name by identifier, and creates before updates, each in the order
of the Bundle.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Conflict, Invalid, Issue, IssueType, Malformed, NotSupported
from contracts.record import Record, Right
from fhir_mappings import patching
from fhir_mappings.primitives import to_instant
from fhir_mappings.references import is_conditional, links, relinked
from service.fhir_api import answers, changing
from service.fhir_api.bundle import bundle
from service.fhir_api.changing import Target
from service.fhir_api.conditions import expected_version, is_unmodified, only_match
from service.fhir_api.entries import Entry, read_bundle, told_at
from service.fhir_api.interactions.batch import batch, patch_in
from service.fhir_api.preferences import outcome_of, preferences, read_fhir, version_address
from service.fhir_api.reading import rows_of
from service.fhir_api.search.query import LET_THROUGH
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import Surroundings, row_named
from service.security import require
from service.store.transaction import SqlTransaction
from service.usecases.context import Recorded
from service.usecases.keeping import refuse_dangling, visible


async def transaction(around: Surroundings, request: Request) -> Response:
    """200 with what became of each entry, in their order; the first error is everybody's. A batch is answered as one."""
    caller = around.clients.caller(request.headers.get("authorization", ""), request.state.request_id)
    type_, entries = read_bundle(await read_fhir(request), around.base)
    if type_ == "batch":
        return await batch(around, request, entries)
    for entry in entries:
        require(caller, Right.FHIR_READ if entry.method in _READS else Right.FHIR_WRITE)
    wishes = preferences(request)
    steps = [_step(around, entry) for entry in entries]
    changes = in_order([step for step in steps if step.entry.method in _ORDER])

    def work(transaction: SqlTransaction) -> list[Done]:
        return _Run(Stage(transaction, around, caller), steps, changes).all()

    done = await around.store.run(work)
    told = [_told(around.base, each, wishes) for each in done]
    return answers.resource(bundle("transaction-response", told, {}, None))


_READS: Final = ("GET", "HEAD")
_ORDER: Final = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class Step:
    """An entry that can be done. ``fresh`` is the id of a new one, ``links`` what it points at, as written and as meant:
    what is relative is so to the ``base`` of the entry's own fullUrl (https://hl7.org/fhir/R4/bundle.html#references)."""

    entry: Entry
    target: Target
    fresh: str = ""
    version: int = 0
    base: str = ""
    links: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """``Type/id`` that it will have, as far as that can be said before it is done."""
        return f"{self.target.row.type}/{self.target.id or self.fresh}"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a step."""

    step: Step
    status: str
    recorded: Recorded | None = None


def _step(around: Surroundings, entry: Entry) -> Step:
    """Raises what the entry would be refused for alone."""
    with told_at(entry):
        type_, *rest = entry.path.split("/")
        row = row_named(type_)
        id_ = rest[0] if rest else ""
        if (rest or entry.method == "POST") and _asks(entry.query):
            raise Malformed("only a condition stands behind a question mark: [type]?[parameters], and not of a create")
        if len(rest) == _VERSIONED and rest[1] == "_history" and entry.method in _READS and rest[2].isdecimal():
            return Step(entry, Target(row, id_), version=int(rest[2][:9]))
        if len(rest) > 1 or id_.startswith(("_", "$")) or (entry.method in _READS and not id_):
            raise NotSupported(
                "a transaction creates, changes, deletes and reads single resources: the rest goes in a batch"
            )
        if entry.method == "POST" and id_:
            raise Malformed("a create is addressed to [type]")
        if entry.method not in ("POST", *_READS) and not id_ and not entry.query:
            raise NotSupported("the address says neither an id nor a condition: [type]/[id], or [type]?[parameters]")
        if entry.method in ("POST", "PUT") and (entry.document is None or entry.document.type != type_):
            raise Malformed(
                Issue(IssueType.REQUIRED, f"a resource of the type {type_} is required", f"{type_}.resource")
            )
        written = [] if entry.document is None else links(entry.document.content)
        base = _base(entry.full_url)
        meant = [f"{base}{link}" for link in written] if base else []
        target = Target(row, id_, "" if id_ else entry.query)
        return Step(entry, target, around.context.ids.new(), base=base, links=(*written, *meant))


_VERSIONED: Final = 3


def _asks(query: str) -> bool:
    """Whether it asks for anything that would change what is done."""
    return not LET_THROUGH.issuperset(name for name, _ in parse_qsl(query, keep_blank_values=True))


def _base(full_url: str) -> str:
    """Where the record system that made the Bundle keeps its resources; empty unless the address says it."""
    match = _RESTFUL.fullmatch(full_url)
    return match[1] if match else ""


_RESTFUL: Final = re.compile(r"(https?://\S+/)[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}", re.ASCII)


@dataclass(slots=True)
class _Run:
    """One transaction under way. ``changes`` are the creates, updates and patches in the order in which they are made."""

    stage: Stage
    steps: Sequence[Step]
    changes: Sequence[Step]
    addresses: dict[str, str] = field(init=False)
    """From an entry's fullUrl to ``Type/id``."""
    coming: frozenset[str] = field(init=False)
    changed: set[str] = field(default_factory=set)
    pointed_at: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.addresses = {step.entry.full_url: step.named for step in self.changes if step.entry.full_url}
        self.coming = frozenset(step.named for step in self.changes)

    def all(self) -> list[Done]:
        """Everything, in the order of the entries."""
        deleted = [self._told(step, self._delete) for step in self.steps if step.entry.method == "DELETE"]
        written = [self._told(step, self._change) for step in self.changes]
        self._refuse_what_did_not_come()
        refuse_dangling(self.stage.transaction, *_really_deleted(deleted))
        read = [self._told(step, self._read) for step in self.steps if step.entry.method in _READS]
        return sorted([*deleted, *written, *read], key=lambda done: done.step.entry.index)

    def _told(self, step: Step, do: Callable[[Step], Done]) -> Done:
        with told_at(step.entry):
            return do(step)

    # The three kinds of steps

    def _delete(self, step: Step) -> Done:
        removed = changing.delete(self.stage, step.target, expected_version(step.entry.request.get("ifMatch")))
        if removed is not None:
            self._once(removed.record)
        return Done(step, "204", removed)

    def _change(self, step: Step) -> Done:
        recorded = self._recorded(step)
        if recorded.changed or step.entry.method != "POST":
            self._once(recorded.record)
        if step.entry.full_url:
            self.addresses[step.entry.full_url] = recorded.record.reference
        return Done(step, "201" if recorded.created else "200", recorded)

    def _recorded(self, step: Step) -> Recorded:
        entry, request = step.entry, step.entry.request
        expected = expected_version(request.get("ifMatch"), request.get("ifNoneMatch"))
        if entry.method == "PATCH":
            return changing.patch(self.stage, step.target, patching.read(*patch_in(entry)), expected)
        assert entry.document is not None  # noqa: S101 - _step has seen to it
        document = entry.document
        if self._is_linked(step):
            document = relinked(document, lambda link, is_reference: self._renamed(step, link, is_reference))
        if entry.method == "POST":
            unless = request.get("ifNoneExist")
            return changing.create(self.stage, step.target.row, document, unless, fresh=step.fresh, coming=self.coming)
        return changing.update(self.stage, step.target, document, expected, fresh=step.fresh, coming=self.coming)

    def _read(self, step: Step) -> Done:
        caller, target = self.stage.caller, step.target
        record = visible(self.stage.transaction, caller, target.row.type, target.id)
        if step.version and step.version != record.version:
            raise NotSupported("a transaction reads current versions: the others go in a batch")
        self.stage.transaction.log_access(*rows_of(caller, [record], "read"))
        is_known = is_unmodified(record, step.entry.request.get("ifNoneMatch"), step.entry.since)
        return Done(step, "304" if is_known else "200", Recorded(record, changed=False))

    # What holds between the entries

    def _renamed(self, step: Step, link: str, is_reference: bool) -> str:
        """Raises ``Invalid`` for a reference that means nothing that is there."""
        found = self.addresses.get(link) or (self.addresses.get(step.base + link) if step.base else None)
        if found is not None:
            self.pointed_at.add(found)
            return found
        if is_reference and is_conditional(link):
            return self._found(link)
        if is_reference and link.startswith("urn:uuid:"):
            raise Invalid(Issue(IssueType.NOT_FOUND, "a reference points at no entry of this Bundle"))
        return link

    def _is_linked(self, step: Step) -> bool:
        return any(
            link in self.addresses or link.startswith("urn:uuid:") or is_conditional(link) for link in step.links
        )

    def _found(self, link: str) -> str:
        type_, _, condition = link.partition("?")
        record = only_match(self.stage, row_named(type_).type, condition)
        if record is None:
            raise Invalid(Issue(IssueType.NOT_FOUND, "nothing matches the condition in a reference"))
        return record.reference

    def _once(self, record: Record) -> None:
        if record.reference in self.changed:
            raise Malformed("two entries change the same resource")
        self.changed.add(record.reference)

    def _refuse_what_did_not_come(self) -> None:
        """Of two that point at each other, one was written before it was known under which id the other is kept."""
        for reference in sorted(self.pointed_at & self.coming):
            if self.stage.transaction.read(*reference.split("/")) is None:
                raise Conflict("entries point at each other, and one of them is there already under another id")


def in_order(steps: Sequence[Step]) -> list[Step]:
    """What is pointed at first, then patients, and creates before updates, each in the order of the Bundle. Of a circle
    somebody comes first all the same."""
    by_link = {link: step for step in steps for link in (step.entry.full_url, step.named) if link}
    waiting = sorted(steps, key=_rank, reverse=True)
    done: dict[int, Step] = {}
    looked_at: set[int] = set()
    while waiting:
        step = waiting.pop()
        missing = [] if step.entry.index in looked_at else [*_missing(step, by_link, looked_at)]
        looked_at.add(step.entry.index)
        if missing:
            waiting += [step, *missing]
        else:
            done.setdefault(step.entry.index, step)
    return list(done.values())


def _rank(step: Step) -> tuple[bool, int, int]:
    return step.target.row.type != "Patient", _ORDER.index(step.entry.method), step.entry.index


def _missing(step: Step, by_link: Mapping[str, Step], looked_at: Collection[int]) -> Iterator[Step]:
    """What the step points at that nobody has looked at. What was looked at and is not done waits for this very step."""
    found = (by_link[link] for link in step.links if link in by_link)
    return (each for each in found if each is not step and each.entry.index not in looked_at)


def _really_deleted(deleted: Sequence[Done]) -> list[Record]:
    return [done.recorded.record for done in deleted if done.recorded is not None and done.recorded.changed]


def _told(base: str, done: Done, wishes: frozenset[str]) -> bytes:
    if done.recorded is None:
        return b'{"response":{"status":"204"}}'
    record = done.recorded.record
    stated = {
        "status": done.status,
        **({"location": version_address(base, record)} if done.status == "201" else {}),
        "etag": f'W/"{record.version}"',
        "lastModified": to_instant(record.updated),
    }
    head = orjson.dumps(stated)
    if "return=OperationOutcome" in wishes and done.step.entry.method not in _READS:
        head = head[:-1] + b',"outcome":' + outcome_of(done.recorded) + b"}"
    wanted = "return=representation" in wishes or done.step.entry.method == "GET"
    shown = record.body and wanted and done.status != "304"
    return (b'{"resource":' + record.body + b"," if shown else b"{") + b'"response":' + head + b"}"
