"""Every protocol that the core needs, on one page."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, TypeVar

from contracts.certificate import MedicalCertificate
from contracts.consent import BlockAnswer, BlockQuestion, DecisionRecord, Recipient
from contracts.dialogue import Arrival, Receipt, ReceivedMessage, Unreadable
from contracts.identity import HsaId, PersonId
from contracts.outbox import Claim, DeliveryOutcome, DeliveryState, OutboxMessage, Queued
from contracts.pulling import Known, Pull
from contracts.record import Access, Caller, Document, Record, Version
from contracts.sick_leave import (
    Certificate,
    Judged,
    LastPull,
    RekoStatus,
    ReportedSickLeave,
    SetAside,
    StoredCertificate,
)

T = TypeVar("T")


class Clock(Protocol):
    """Time comes from here alone, so that tests and the mock world can move it (decision D12)."""

    def now(self) -> datetime:
        """The instant, in UTC."""
        ...


class IdSource(Protocol):
    """Ids come from here alone."""

    def new(self) -> str:
        """A fresh UUID as text; later ones sort after earlier ones."""
        ...


class Snapshot(Protocol):
    """One state of the service's own memory: everything committed before it, nothing after."""

    @property
    def at(self) -> datetime:
        """The instant at which it was taken."""
        ...

    def read(self, type: str, id: str) -> Record | None:
        """The current version; ``None`` if there is none, or if it has been deleted."""
        ...

    def tombstone(self, type: str, id: str) -> Record | None:
        """What a deletion left: the number, time and owner of the last version. ``None`` unless it is deleted now."""
        ...

    def versions(self, type: str, id: str) -> Sequence[Version]:
        """Every version, newest first; also of a resource that has been deleted."""
        ...

    def by_token(self, type: str, parameter: str, system: str, value: str, unit: str) -> Sequence[Record]:
        """Current versions whose token search parameter equals ``system|value`` (in any known spelling of the system),
        oldest first, owned by ``unit``."""
        ...

    def by_reference(self, type: str, parameter: str, target: str) -> Sequence[Record]:
        """Current versions whose reference search parameter points at ``target`` (``Type/id``), oldest first."""
        ...

    def without_patient(self, type: str, unit: str) -> Sequence[Record]:
        """Current versions of a type, owned by ``unit``, that are about no patient; oldest first, a thousand at most."""
        ...

    def of_unit(self, type: str, unit: str) -> Sequence[Record]:
        """Current versions of the type that the unit owns, oldest first."""
        ...

    def certificates(self, unit: str, patient: str) -> Sequence[StoredCertificate]:
        """The patient's certificates on the care unit and its mottagningar, as last pulled."""
        ...

    def certificates_of_unit(self, unit: str, since: date) -> Sequence[tuple[str, StoredCertificate]]:
        """Every certificate, on the care unit and its mottagningar, of the patients who have one there that lasts until
        ``since`` or longer: as last pulled, each with the logical id of its patient."""
        ...

    def units_of_certificate(self, id: str) -> Sequence[tuple[str, str, Certificate]]:
        """Care units that have pulled the certificate with that id, each with the logical id of its patient and what was
        pulled."""
        ...

    def answers_due(self, standing: str, before: date, limit: int) -> Sequence[Record]:
        """Tasks of dialogues at that standing (a code of ``dialogue-state``) whose last day for an answer is before the
        day, and that are not urgent yet."""
        ...

    def last_pull(self, unit: str) -> LastPull | None:
        """The unit's last pull that went well; ``None`` before the first."""
        ...

    def reko_statuses(self, unit: str, patient: str) -> Sequence[RekoStatus]:
        """Every status ever set for the patient on the care unit, oldest first."""
        ...

    def reko_statuses_of_unit(self, unit: str) -> Sequence[RekoStatus]:
        """Every status ever set on the care unit, oldest first."""
        ...


class Transaction(Snapshot, Protocol):
    """One all-or-nothing step over the service's own memory (decision D4). Nothing runs beside it, and it sees what it
    has written. Raising inside it undoes everything."""

    def save(
        self,
        document: Document,
        id: str,
        unit: str,
        *,
        about: str | None = None,
        named: bool = False,
        fresh: bool = False,
    ) -> Record:
        """Write the next version of the resource, with its index rows. ``about`` is the logical id of the patient, where
        the resource itself does not say it; ``named`` tells that a client chose the id of a new one, ``fresh`` that the id
        was made for it: nothing is looked for under it."""
        ...

    def remove(self, type: str, id: str) -> Record:
        """Write the version that says that the resource is deleted, and take its index rows away. Every earlier version
        stays: what is written in health care is not erased (patientdatalagen 3 kap. 17 §)."""
        ...

    def pointed_at(self, target: str) -> bool:
        """Whether the current version of any resource points at ``target`` (``Type/id``) by a reference that searches
        know, or is about that patient."""
        ...

    def note_decision(self, decision: DecisionRecord, about: str) -> None:
        """Keep a decision with its inputs; ``about`` is the resource or message it was made for."""
        ...

    def keep_decision(self, decision: DecisionRecord, about: str) -> int:
        """The same; the number under which it is found is told."""
        ...

    def log_access(self, *accesses: Access) -> None:
        """Write a row of the access log for each; one per request and patient, and a write counts before a read."""
        ...

    def promise(self, message: OutboxMessage, state: DeliveryState, reason: str = "") -> None:
        """Put a message in the outbox."""
        ...

    def rests_on(self, consent: str, patient: str) -> bool:
        """Whether anything about the patient was ever permitted on the ground of the consent with that id."""
        ...

    def rehearse(self, work: Callable[[], T]) -> T:
        """Do the work, undo all that it wrote, and give its answer. Whatever it raises comes out."""
        ...

    def was_promised(self, about: str) -> bool:
        """Whether a message about the resource was ever put in the outbox and not cancelled."""
        ...

    def fix(self, message: OutboxMessage, state: DeliveryState, reason: str) -> None:
        """Fix anew what an unsent message says and by which way it goes, and set its state."""
        ...

    def keep_certificate(self, unit: str, certificate: Certificate, patient: str, episode: str) -> None:
        """Write a certificate as pulled for the care unit, on which or on a mottagning of which it was issued; ``episode``
        is the id of the EpisodeOfCare that it belongs to."""
        ...

    def drop_certificate(self, unit: str, id: str) -> None:
        """Forget a certificate that has vanished from the feed; its resources keep their history."""
        ...

    def set_reko_status(self, status: RekoStatus) -> None:
        """Add a status; none is ever changed or taken away."""
        ...

    def known_certificates(self, unit: str, patient: str) -> Mapping[str, Known]:
        """The patient's certificates on the care unit by id, unread."""
        ...

    def patients_of_unit(self, unit: str, after: str, limit: int) -> Sequence[str]:
        """Logical ids of the patients who have certificates on the care unit, in their own order from the one behind
        ``after``."""
        ...

    def attempt(self, work: Callable[[], None]) -> Exception | None:
        """Do the work wholly or not at all, and go on either way; the error is the answer. A database that cannot do it is
        none: that is raised."""
        ...

    @property
    def pulls(self) -> "Pulls":
        """Answers of the feed on their way in."""
        ...

    def message(self, id: str) -> Queued | None:
        """One message with its state; ``None`` when there is none, or it cannot be read."""
        ...

    def note_deed(self, message_id: str, deed: str, reason: str) -> None:
        """Keep what a person did to a message, and why."""
        ...

    def moved_messages(self) -> Mapping[str, bool]:
        """Messages to parties that this transaction has promised (true) or moved so far, in that order."""
        ...

    def queued(self, patient: str) -> Sequence[Queued]:
        """The patient's messages that have no final outcome, oldest first."""
        ...

    def move(self, message_id: str, state: DeliveryState, reason: str = "", next_try: datetime | None = None) -> None:
        """Set a message's state."""
        ...


class Pulls(Protocol):
    """Answers of the feed on their way in: read into a staging table, then applied from there (decision D23). What is
    staged counts for nothing until its pull has begun to be applied."""

    def begin(self, caller: Caller, days: int) -> Pull:
        """A new pull of the caller's care unit. Raises ``Conflict`` while another one of that unit is under way; one that has
        been reading for more than an hour has lost its reader, and fails."""
        ...

    def stage(self, number: int, records: Judged) -> None:
        """Keep a piece of the answer. Raises ``Conflict`` when the pull has been given up."""
        ...

    def seal(self, number: int) -> Pull:
        """The answer was whole: count it, set aside every certificate whose id has come before, begin to apply. Raises as
        ``stage``."""
        ...

    def put_aside(self, number: int, records: Sequence[SetAside]) -> None:
        """Keep what turned out to be unusable while it was applied."""
        ...

    def fail(self, number: int, reason: str) -> None:
        """The answer counts for nothing: all of it is discarded."""
        ...

    def save(self, pull: Pull) -> None:
        """Keep how far the pull has come."""
        ...

    def read(self, number: int) -> Pull:
        """The pull as last kept."""
        ...

    def under_way(self) -> Sequence[Pull]:
        """Every pull that has neither been done nor failed."""
        ...

    def last_day(self, unit: str) -> date | None:
        """The day that the care unit's newest finished pull spoke of."""
        ...

    def persons(self, number: int, after: str, limit: int) -> Sequence[str]:
        """National numbers of the persons in the answer, in their own order from the one behind ``after``."""
        ...

    def of_person(self, number: int, person: str) -> Sequence[Certificate]:
        """What the answer says of one person."""
        ...

    def contents(self, number: int, person: str) -> Mapping[str, bytes]:
        """The same by id, unread: as ``Known.content``."""
        ...

    def unusable(self, number: int, ids: Collection[str]) -> Collection[str]:
        """Which of the certificates came in the answer and were set aside."""
        ...

    def set_aside(self, number: int) -> Sequence[SetAside]:
        """What could not be used, in the order in which it came."""
        ...

    def clear(self, number: int, limit: int) -> bool:
        """Forget so much of what was staged; whether there is more."""
        ...


class Store(Protocol):
    """The service's own memory."""

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in a transaction and return its result once it is durable. Whatever it raises comes out here,
        and then nothing was written. Raises ``Unavailable`` when the database cannot be written."""
        ...

    async def log(self, *accesses: Access) -> None:
        """Write rows of the access log, and nothing else: once it returns they are durable, and what they tell of may be
        shown. Raises ``Unavailable`` when they cannot be written: then nothing may."""
        ...

    async def look(self, work: Callable[[Snapshot], T]) -> T:
        """Run ``work`` on one snapshot, beside the writer and off the event loop, and return its result. It writes
        nothing. Raises ``Unavailable`` when the database cannot be read."""
        ...


class Channel(Protocol):
    """A way to one destination."""

    async def send(self, claim: Claim) -> DeliveryOutcome:
        """Try once. Never raises for anything that the other side does; what became of it is the answer."""
        ...


class AddressBook(Protocol):
    """What a channel to many parties knows of them beforehand. A channel that is no such book reaches the one party that it is
    for."""

    def reaches(self, recipient: Recipient, unit: HsaId) -> bool:
        """Whether there is an address for the recipient, and one that the unit writes from. Pure."""
        ...


class Entrance(Protocol):
    """Where another party posts messages to us: how they are read, and how they are answered. Pure. An answer is an HTTP
    status and a body."""

    @property
    def path(self) -> str:
        """Below ``/soap``."""
        ...

    @property
    def wsdl(self) -> str:
        """The contract's file in ``contracts/wire/rivta``."""
        ...

    def read(self, body: bytes, action: str) -> ReceivedMessage | tuple[int, bytes]:
        """The message, with ``action`` from the header SOAPAction; or at once the answer to one that cannot be read as what
        it claims to be, or breaks the contract's schema or code lists."""
        ...

    def answer(self, receipt: Receipt) -> tuple[int, bytes]:
        """What the sender is told."""
        ...

    def failure(self, why: str) -> tuple[int, bytes]:
        """What the sender is told when it is to try again later."""
        ...


class Mailbox(Protocol):
    """Where messages for us lie until they are fetched, and where it is told what became of ours."""

    def waiting(self) -> AsyncIterator[ReceivedMessage | Unreadable]:
        """Every message that lies there and has not been ``put_away``, oldest first. One that cannot be read comes as such,
        and stays. Raises ``Unavailable`` when the service does not answer in full, possibly after some messages."""
        ...

    async def put_away(self, id: str) -> None:
        """The message has been kept here: it need not come again. Raises ``Unavailable``; then it comes again."""
        ...

    async def arrival(self, id: str) -> Arrival:
        """What became of the message of ours with that id. Raises ``Unavailable``, and ``NotFound`` when that cannot be known any
        more."""
        ...


class CertificateSource(Protocol):
    """Where sick leaves come from."""

    def active_for_unit(self, unit: HsaId, max_days_since_end: int = 0) -> AsyncIterator[Judged]:
        """Every certificate on the care unit and its mottagningar of the patients who have one active there, or ended at
        most that many days ago (0-14), in the pieces in which the answer comes. What cannot be used comes as ``SetAside``.
        Raises ``Unavailable`` when the answer is a failure or is cut off, possibly after some pieces: nothing may be applied
        before the iteration has ended."""
        ...

    def for_person(self, person: PersonId) -> AsyncIterator[Judged]:
        """Every certificate of the person, on all units and of all care providers, however old. A certificate of somebody
        else comes as ``SetAside``. The rest is as in ``active_for_unit``."""
        ...

    async def computed(self, unit: HsaId, gap: int, max_days_since_end: int) -> Sequence[ReportedSickLeave | SetAside]:
        """The sick leaves that the source's own engine finds on the care unit today: to hold ours against, not to build on.
        Raises ``NotSupported`` when it is not asked for any, and ``Unavailable`` when it does not answer in full."""
        ...


class Certificates(Protocol):
    """Where a certificate can be read as a whole."""

    async def certificate(self, id: str, unit: HsaId) -> MedicalCertificate | None:
        """The certificate with that id which the unit issued; ``None`` when the answer holds none. Raises ``Invalid`` for one
        that is none of FK 7804, or does not say whose it is, and ``Unavailable`` when the source does not answer."""
        ...


class BlockSource(Protocol):
    """Who knows the patients' blocks (spärr)."""

    async def ask(self, question: BlockQuestion) -> BlockAnswer:
        """What lies on the information. Never raises: whatever keeps the service from answering in full is
        ``NO_ANSWER``, which counts as a block."""
        ...
