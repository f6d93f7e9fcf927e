"""Every protocol that the core needs, on one page."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from contracts.consent import BlockAnswer, BlockQuestion, DecisionRecord
from contracts.identity import HsaId, PersonId
from contracts.outbox import Claim, DeliveryOutcome, DeliveryState, OutboxMessage, Queued
from contracts.record import Access, Document, Record
from contracts.sick_leave import Certificate, SetAside, StoredCertificate

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


class Transaction(Protocol):
    """One all-or-nothing step over the service's own memory (decision D4). It sees everything committed before it,
    and nothing runs beside it. Raising inside it undoes everything."""

    @property
    def at(self) -> datetime:
        """The instant of the transaction."""
        ...

    def read(self, type: str, id: str) -> Record | None:
        """The current version, or ``None`` if there is none."""
        ...

    def by_token(self, type: str, parameter: str, system: str, value: str, unit: str) -> Sequence[Record]:
        """Current versions whose token search parameter equals ``system|value`` (in any known spelling of the system),
        oldest first, owned by ``unit``."""
        ...

    def by_reference(self, type: str, parameter: str, target: str) -> Sequence[Record]:
        """Current versions whose reference search parameter points at ``target`` (``Type/id``), oldest first."""
        ...

    def save(self, document: Document, id: str, unit: str) -> Record:
        """Write the next version of the resource, with its index rows."""
        ...

    def note_decision(self, decision: DecisionRecord, about: str) -> int:
        """Keep a decision with its inputs; ``about`` is the resource or message it was made for. Its number is told."""
        ...

    def log_access(self, *accesses: Access) -> None:
        """Write a row of the access log for each; one per request and patient, and a write counts before a read."""
        ...

    def promise(self, message: OutboxMessage, state: DeliveryState, reason: str = "") -> None:
        """Put a message in the outbox."""
        ...

    def was_promised(self, about: str) -> bool:
        """Whether a message about the resource was ever put in the outbox and not cancelled."""
        ...

    def fix(self, message: OutboxMessage, state: DeliveryState, reason: str) -> None:
        """Fix anew what an unsent message says, and set its state."""
        ...

    def certificates(self, unit: str, patient: str) -> Sequence[StoredCertificate]:
        """The patient's certificates on the unit, as last pulled."""
        ...

    def keep_certificate(self, certificate: Certificate, patient: str, digest: str, episode: str) -> None:
        """Write a certificate as pulled; ``episode`` is the id of the EpisodeOfCare that it belongs to."""
        ...

    def certificates_of_unit(self, unit: str) -> Sequence[tuple[str, StoredCertificate]]:
        """Every certificate on the unit, as last pulled, each with the logical id of its patient."""
        ...

    def drop_certificate(self, unit: str, id: str) -> None:
        """Forget a certificate that has vanished from the feed; its resources keep their history."""
        ...

    def note_pull(self, unit: str, result: str, body: object) -> None:
        """Keep how a pull went."""
        ...

    def queued(self, patient: str) -> Sequence[Queued]:
        """The patient's messages that have no final outcome, oldest first."""
        ...

    def move(self, message_id: str, state: DeliveryState, reason: str = "", next_try: datetime | None = None) -> None:
        """Set a message's state."""
        ...


class Store(Protocol):
    """The service's own memory."""

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in a transaction and return its result once it is durable. Whatever it raises comes out here,
        and then nothing was written. Raises ``Unavailable`` when the database cannot be written."""
        ...


class Channel(Protocol):
    """A way to one destination."""

    async def send(self, claim: Claim) -> DeliveryOutcome:
        """Try once. Never raises for anything that the other side does; what became of it is the answer."""
        ...


class CertificateSource(Protocol):
    """Where sick leaves come from."""

    def active_for_unit(self, unit: HsaId, max_days_since_end: int = 0) -> AsyncIterator[Certificate | SetAside]:
        """Every certificate of the patients who have one active on the unit, or ended at most that many days ago
        (0-14). What cannot be used comes as ``SetAside``. Raises ``Unavailable`` when the answer is a failure or is
        cut off, possibly after some records: nothing may be applied before the iteration has ended."""
        ...

    def for_person(self, person: PersonId) -> AsyncIterator[Certificate | SetAside]:
        """Every certificate of the person, on all units and of all care providers, however old. A certificate of somebody
        else comes as ``SetAside``. The rest is as in ``active_for_unit``."""
        ...


class BlockSource(Protocol):
    """Who knows the patients' blocks (spärr)."""

    async def ask(self, question: BlockQuestion) -> BlockAnswer:
        """What lies on the information. Never raises: whatever keeps the service from answering in full is
        ``NO_ANSWER``, which counts as a block."""
        ...
