"""A plan with all that the patient's own document of it is made of, as it is now (domain rules 29-31)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from contracts.consent import Consent, Effect, UnreadableConsent
from contracts.errors import Conflict
from contracts.plan import BY_PATIENT, Answer, HandedOver, PlanGoal, PlanKind, PlanSeen, RehabPlan, Release
from contracts.ports import Snapshot, Transaction
from contracts.record import Access, AccessAction, Caller, Record
from contracts.time import swedish_day
from fhir_mappings import goal as goal_mapping
from fhir_mappings import patient_document, people, primitives
from fhir_mappings import plan as plan_mapping
from fhir_mappings.document import decode
from fhir_mappings.identifiers import ACTIVITY_KIND, HSA_ID, PLAN_KIND
from fhir_mappings.primitives import Json
from service.rules.plan import may_be_told
from service.usecases.deciding import consents_of, seen_patient
from service.usecases.keeping import visible

_ANSWERED: Final = ("completed", "amended")


def see_plan(
    transaction: Transaction, caller: Caller, id: str, interaction: str, action: AccessAction = AccessAction.READ
) -> PlanSeen:
    """The plan as it is now; ``action`` is what becomes of it, and its row in the access log commits with the transaction.
    Raises ``NotFound``, ``Gone``, and ``Conflict`` for a plan that was entered in error."""
    seen = plan_seen(transaction, caller, visible(transaction, caller, "CarePlan", id))
    transaction.log_access(Access(caller, action, seen.plan.patient, seen.reference, interaction))
    return seen


def plan_seen(snapshot: Snapshot, caller: Caller, record: Record) -> PlanSeen:
    """The same of a plan that is at hand, unlogged."""
    content = decode(record.body).content
    if content["status"] == "entered-in-error":
        raise Conflict("this plan was entered in error: there is no document of it")
    plan = plan_mapping.care_plan(content, lambda reference: _name_of(snapshot, caller, reference))
    patient = seen_patient(snapshot, caller, plan.patient)
    consents = _consents(snapshot, caller, plan.patient)
    return PlanSeen(
        reference=record.reference,
        version=record.version,
        changed=record.updated,
        status=content["status"],
        plan=_with_parts(plan, record, tuple(_goals(snapshot, caller, content))),
        on=swedish_day(snapshot.at),
        patient_name=patient.name if patient else "",
        protected=patient is None or patient.protected,
        unit_name=_unit_name(snapshot, caller),
        answers=tuple(_answers(snapshot, caller, content)),
        releases=_releases(snapshot, caller, record),
        followed_up=tuple(sorted(_followed_up(snapshot, caller, record))),
        may_be_told=may_be_told(consents, caller.unit, snapshot.at),
        handed_over=tuple(handed_over(snapshot, caller, record)),
    )


def plans_of_unit(snapshot: Snapshot, caller: Caller) -> list[Record]:
    """The unit's plans that are drafts, in force or at rest, oldest first."""
    found = (
        record
        for kind in PlanKind
        for record in snapshot.by_token("CarePlan", "category", PLAN_KIND, kind, caller.unit.value)
    )
    open_ones = ("draft", "active", "on-hold")
    return [each for each in found if caller.may_see(each) and decode(each.body).content["status"] in open_ones]


def handed_over(snapshot: Snapshot, caller: Caller, plan: Record) -> Iterator[HandedOver]:
    """When the patient was given which version, oldest first."""
    for record in snapshot.by_reference("Communication", "based-on", plan.reference):
        told = patient_document.handed_over(decode(record.body).content, record.reference, plan.id)
        if told is not None and caller.may_see(record) and record.patient == plan.patient:
            yield told


# What belongs to the plan


def _with_parts(plan: RehabPlan, record: Record, goals: tuple[PlanGoal, ...]) -> RehabPlan:
    measures = (replace(each, part=_part(record, each.part)) for each in plan.measures)
    return replace(plan, measures=tuple(measures), goals=goals)


def _part(record: Record, where: str) -> str:
    """The name of a part in this version: another version's is another, and must be released anew."""
    return f"{record.reference}/_history/{record.version}#{where}"


def _goals(snapshot: Snapshot, caller: Caller, content: Json) -> Iterator[PlanGoal]:
    for record in _pointed_at(snapshot, caller, content.get("goal", ()), "Goal"):
        goal = decode(record.body).content
        if goal["lifecycleStatus"] not in ("rejected", "cancelled", "entered-in-error"):
            yield replace(goal_mapping.goal(goal), part=_part(record, "Goal"))


def _answers(snapshot: Snapshot, caller: Caller, content: Json) -> Iterator[Answer]:
    for record in _pointed_at(snapshot, caller, content.get("supportingInfo", ()), "QuestionnaireResponse"):
        mapping = decode(record.body).content
        if mapping["status"] in _ANSWERED:
            yield from (replace(each, part=_part(record, each.part)) for each in patient_document.answers(mapping))


def _pointed_at(snapshot: Snapshot, caller: Caller, references: list[Json], type: str) -> Iterator[Record]:
    targets = (primitives.literal(each) for each in references)
    found = (snapshot.read(*target) for target in targets if target and target[0] == type)
    return (record for record in found if record is not None and caller.may_see(record))


def _releases(snapshot: Snapshot, caller: Caller, plan: Record) -> tuple[Release, ...]:
    """Whatever was released on occasion of this plan."""
    found = snapshot.by_reference("Provenance", "target", plan.reference)
    return patient_document.releases(decode(each.body).content for each in found if caller.may_see(each))


def _followed_up(snapshot: Snapshot, caller: Caller, plan: Record) -> Iterator[date]:
    for record in snapshot.by_reference("Procedure", "based-on", plan.reference):
        content = decode(record.body).content
        kinds = {code for code, _ in primitives.coded(content.get("category"), "", ACTIVITY_KIND)}
        when = content.get("performedDateTime") or content.get("performedPeriod", {}).get("start")
        if caller.may_see(record) and content["status"] == "completed" and kinds & plan_mapping.FOLLOW_UPS and when:
            yield primitives.swedish_date(when)


# Who is meant


def _consents(snapshot: Snapshot, caller: Caller, patient: str) -> Iterator[Consent | UnreadableConsent]:
    """Whom a permission names is not told to those who may not see it; a refusal refuses all the same."""
    for consent in consents_of(snapshot, patient):
        record = snapshot.read("Consent", consent.id)
        is_permission = isinstance(consent, Consent) and consent.effect is Effect.PERMIT
        if not is_permission or (record is not None and caller.may_see(record)):
            yield consent


def _name_of(snapshot: Snapshot, caller: Caller, reference: Json) -> str:
    """A name that a patient can read, never a number or an address; empty when there is none."""
    target = primitives.literal(reference)
    if target is not None and target[0] == "Patient":
        return BY_PATIENT
    if reference.get("display"):
        return str(reference["display"])
    record = snapshot.read(*target) if target is not None else None
    if record is None or not caller.may_see(record):
        return ""
    content = decode(record.body).content
    if record.type == "PractitionerRole":
        return _name_of(snapshot, caller, content.get("practitioner", {}))
    name = content.get("name")
    return name if isinstance(name, str) else people.human_name(content)


def _unit_name(snapshot: Snapshot, caller: Caller) -> str:
    owner = caller.provider.value
    found = snapshot.by_token("Organization", "identifier", HSA_ID.fhir, caller.unit.value, owner)
    return next((str(decode(each.body).content.get("name", "")) for each in found), "")
