"""One patient's certificates on a care unit, as the feed tells of them, become DocumentReferences, Observations and episodes.

Diagnoses stay with the certificate (domain rule 25). An episode keeps its id while it shares a certificate with its former
self, and what has vanished is told apart from what has aged out (decisions D21, D22).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from contracts.identity import HsaId
from contracts.ports import Transaction
from contracts.record import Document
from contracts.sick_leave import Certificate, SickLeave, StoredCertificate
from fhir_mappings import sick_leave
from fhir_mappings.document import decode, from_content, same_content
from fhir_mappings.identifiers import CERTIFICATE_ID
from service.rules.sick_leave import GAP, group
from service.usecases.context import Context


@dataclass(frozen=True, slots=True)
class Kept:
    """How many certificates were new or other than before, how many had vanished, and the sick leaves that there are."""

    changed: int
    vanished: int
    sick_leaves: int


@dataclass(frozen=True, slots=True)
class KeepCertificates:
    """The work on one patient, in the caller's transaction. ``day`` is the one that the answer speaks of."""

    transaction: Transaction
    context: Context
    unit: HsaId
    patient: str
    day: date

    def __call__(self, answered: Collection[Certificate], gone: Collection[str]) -> Kept:
        """Keep what the answer says of the patient. Stored certificates with an id in ``gone`` have vanished; the others
        stay, whether the answer names them or not."""
        known = {each.certificate.id: each for each in self.transaction.certificates(self.unit.value, self.patient)}
        for id in gone:
            self._supersede(known[id])
        stays = {id: each.certificate for id, each in known.items() if id not in gone}
        now = {**stays, **{each.id: each for each in answered}}
        leaves = group(list(now.values()), GAP)
        changed = self._keep(leaves, known)
        return Kept(changed, len(gone), len(leaves))

    def _keep(self, leaves: Sequence[SickLeave], known: Mapping[str, StoredCertificate]) -> int:
        names, changed = self._episodes(leaves, known), 0
        for leave, episode in zip(leaves, names, strict=True):
            self._keep_episode(leave, episode)
            for certificate in leave.certificates:
                if known.get(certificate.id) != StoredCertificate(certificate, episode):
                    self._keep_certificate(certificate, episode)
                    self.transaction.keep_certificate(self.unit.value, certificate, self.patient, episode)
                    changed += 1
        self._end_dissolved({each.episode for each in known.values()} - set(names))
        return changed

    def _episodes(self, leaves: Sequence[SickLeave], known: Mapping[str, StoredCertificate]) -> list[str]:
        """Of merged ones the oldest survives, of split ones the part with the earliest certificate keeps the id. Ids sort by
        age; the leaves come by first day."""
        names: list[str] = []
        for leave in leaves:
            former = {known[each.id].episode for each in leave.certificates if each.id in known} - set(names)
            names.append(min(former, default="") or self.context.ids.new())
        return names

    def _keep_episode(self, leave: SickLeave, episode: str) -> None:
        body = sick_leave.episode_of_care(leave, f"Patient/{self.patient}", episode, self.day, self.unit)
        self._put(decode(body), episode)

    def _end_dissolved(self, episodes: Collection[str]) -> None:
        """An episode whose certificates all went to others was one by mistake."""
        for episode in sorted(episodes):
            self._put_status("EpisodeOfCare", episode, "entered-in-error")

    def _keep_certificate(self, certificate: Certificate, episode: str) -> None:
        found = self._documents(certificate.id)
        document = found[0] if found else self.context.ids.new()
        patient, at = f"Patient/{self.patient}", f"EpisodeOfCare/{episode}"
        self._put(decode(sick_leave.document_reference(certificate, patient, document, at)), document)
        former = self._observations(document)
        names = (former + [self.context.ids.new() for _ in certificate.periods])[: len(certificate.periods)]
        bodies = sick_leave.observations(certificate, patient, f"DocumentReference/{document}", at, names)
        for name, body in zip(names, bodies, strict=True):
            self._put(decode(body), name)
        for name in former[len(names) :]:
            self._put_status("Observation", name, "entered-in-error")

    def _supersede(self, stored: StoredCertificate) -> None:
        """Revoked, replaced or complemented: the feed does not say which."""
        self.transaction.drop_certificate(self.unit.value, stored.certificate.id)
        for document in self._documents(stored.certificate.id):
            self._put_status("DocumentReference", document, "superseded")
            for observation in self._observations(document):
                self._put_status("Observation", observation, "entered-in-error")

    def _documents(self, certificate: str) -> list[str]:
        found = self.transaction.by_token(
            "DocumentReference", "identifier", CERTIFICATE_ID, certificate, self.unit.value
        )
        return [each.id for each in found]

    def _observations(self, document: str) -> list[str]:
        found = self.transaction.by_reference("Observation", "derived-from", f"DocumentReference/{document}")
        return [each.id for each in found]

    def _put_status(self, type: str, id: str, status: str) -> None:
        record = self.transaction.read(type, id)
        if record is not None:
            self._put(from_content({**decode(record.body).content, "status": status}), id)

    def _put(self, document: Document, id: str) -> None:
        """Write a version if it says something new."""
        record = self.transaction.read(document.type, id)
        if record is None or not same_content(decode(record.body), document):
            self.transaction.save(document, id, self.unit.value)
