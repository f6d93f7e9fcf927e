"""A person confirms that a certificate, in which the doctor wished for contact, is the information under 4 § (domain rule 17).

Until then nothing counts. The certificate is read anew, for it may have been revoked since; the consents on record are asked
as for any telling; then that Försäkringskassan has been told by the certificate is kept as a request, a Communication and an
activity, coded once (rule 14), in one transaction. Nothing is sent: the doctor has sent it.
"""

from dataclasses import dataclass, replace
from typing import Final

from contracts.activity import ContactMode
from contracts.certificate import MedicalCertificate
from contracts.consent import DecisionRecord, InformationCategory, Question
from contracts.dialogue import CareUnit, MessagePart, Notification, PartyMessage, Sender, Topic
from contracts.errors import Conflict, Invalid, Issue, IssueType
from contracts.identity import FORSAKRINGSKASSAN
from contracts.people import Party
from contracts.ports import Certificates, Store, Transaction
from contracts.record import Caller, Document, Record
from fhir_mappings import dialogue
from fhir_mappings.document import decode, from_content
from fhir_mappings.identifiers import MESSAGE_ID
from service.rules import certificate_notice as rules
from service.usecases import follow_dialogue
from service.usecases.context import Context, Write
from service.usecases.deciding import decide, ground_for, is_protected
from service.usecases.delivered import Told, told
from service.usecases.keeping import keep
from service.usecases.promising import reasons
from service.usecases.read_certificate import ReadCertificate, fetched, keep_read, notice_of

_FK: Final = Party(organisation=FORSAKRINGSKASSAN, name="Försäkringskassan").as_recipient()
_TEXT: Final = "Upplyst genom läkarintyget, där läkaren har önskat kontakt (fråga 26): behov av åtgärder enligt 30 kap. SFB kan antas."
"""What is kept as told. The doctor's own words stay in the certificate."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the person says of the certificate."""

    states_need: bool
    patient_consents: bool


@dataclass(frozen=True, slots=True)
class Confirmed:
    """``request``, ``notice`` and ``activity`` are what is kept. ``changed`` is false when somebody confirmed it before: then
    nothing was written."""

    read: ReadCertificate
    request: str
    notice: Record
    activity: Record | None
    changed: bool


async def confirm_certificate_as_notice(
    store: Store, source: Certificates, context: Context, caller: Caller, id: str, said: Confirmation
) -> Confirmed:
    """Raises ``Invalid`` with every rule that forbids it, also where the consents on record do not permit it: that decision is
    kept. ``Conflict`` for one that was confirmed by what is not the caller's to see. Otherwise as ``read_certificate``."""

    def work(transaction: Transaction, found: MedicalCertificate) -> Confirmed | DecisionRecord:
        return _Confirming(transaction, context, caller, found, said)()

    became = await fetched(store, source, caller, id, work)
    if isinstance(became, DecisionRecord):
        text = f"the consents on record do not permit it: {reasons(became)}"
        raise Invalid(Issue(IssueType.BUSINESS_RULE, text, rule="notice-needs-consent"))
    return became


@dataclass(frozen=True, slots=True)
class _Confirming:
    transaction: Transaction
    context: Context
    caller: Caller
    found: MedicalCertificate
    said: Confirmation

    def __call__(self) -> Confirmed | DecisionRecord:
        """What is kept, or the decision that forbids it: then that decision is kept, and what was read."""
        read = keep_read(self.transaction, self.context, self.caller, self.found)
        notice = notice_of(self.transaction, self.caller, self.found.id)
        if notice is not None:
            return self._before(read, notice)
        issues = rules.faults(
            self.found, states_need=self.said.states_need, patient_consents=self.said.patient_consents
        )
        if issues:
            raise Invalid(*issues)
        decision = self._decided(read.patient)
        if not decision.permitted:
            self.transaction.note_decision(decision, read.document)
            return decision
        return self._counted(read, decision)

    def _decided(self, patient: str) -> DecisionRecord:
        question = Question(
            patient=patient,
            unit=self.caller.unit,
            recipient=_FK,
            categories=rules.CATEGORIES,
            purpose=rules.PURPOSE,
            at=self.transaction.at,
            basis=ground_for(_FK),
            protected_identity=is_protected(self.transaction, patient),
            asked_by=self.caller.employee,
        )
        return decide(self.transaction, question, self.context.region)

    def _counted(self, read: ReadCertificate, decision: DecisionRecord) -> Confirmed:
        """From here on Försäkringskassan counts as informed."""
        request = keep(self.transaction, self.context, Write(self.caller, self._request(read.patient))).record
        self.transaction.note_decision(decision, request.reference)
        assert self.found.sent_to_fk is not None  # noqa: S101 - the rules have asked for it
        mode, at = ContactMode.MESSAGE, self.found.sent_to_fk
        became = Told(self.caller, request.reference, read.patient, at, mode)
        message = self._message(request)
        notice, activity = told(self.transaction, self.context, message, became)
        follow_dialogue.told_by_certificate(self.transaction, self.context, self.caller, request, message)
        confirmed = replace(read, notice=notice.reference)
        return Confirmed(confirmed, request.reference, notice, activity, changed=True)

    def _request(self, patient: str) -> Document:
        asked = Notification(
            patient=patient,
            recipient=_FK.party,
            topic=Topic.ASSUMED_REHAB_NEED,
            parts=_PARTS,
            certificate=self.found.id,
        )
        content = dialogue.to_fhir(
            asked,
            _FK,
            employee=self.caller.employee,
            unit=self.caller.unit,
            authored=self.transaction.at,
        )
        return dialogue.with_status(from_content(content), "completed", None)

    def _message(self, request: Record) -> PartyMessage:
        """The certificate was the message: its id is the message's."""
        unit = CareUnit(self.caller.unit, self.caller.provider)
        return PartyMessage(
            id=self.found.id,
            topic=Topic.ASSUMED_REHAB_NEED,
            recipient=_FK,
            patient=self.found.patient,
            sender=Sender(self.caller.employee, unit),
            created=self.transaction.at,
            parts=_PARTS,
            certificate=self.found.id,
            certificate_unit=self.found.unit,
            reference=request.id,
        )

    def _before(self, read: ReadCertificate, notice: Record) -> Confirmed:
        """As it was confirmed once: by now the certificate or the consents may say otherwise, and that changes nothing."""
        request: str = decode(notice.body).content["basedOn"][0]["reference"]
        unit = self.caller.unit.value
        acts = self.transaction.by_token("Procedure", "identifier", MESSAGE_ID, self.found.id, unit)
        activity = acts[0] if acts else None
        kept = (notice, activity, self.transaction.read(*request.split("/")))
        if not all(each is None or self.caller.may_see(each) for each in kept):
            raise Conflict("somebody has confirmed it before, and what was kept of that may not be shown to you")
        return Confirmed(read, request, notice, activity, changed=False)


_PARTS: Final = (MessagePart(InformationCategory.ASSUMED_REHAB_NEED, _TEXT),)
