"""The one table of identifier systems, code systems and extension addresses.

The same thing has different identifiers in RIV-TA, HL7 Sweden and Inera. Rule: accept every known one, emit one.
Sources: forsakringskassan.md § 2.2; fhir_sweden.md §§ 1.3, 2.1; ``docs/adr`` tells of the choices.
"""

from dataclasses import dataclass
from typing import Final

from contracts.identity import PersonId, PersonIdKind

BASE: Final = "https://rekobryggan.example/fhir"
"""Canonical base of our own artefacts."""


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """One identifier or code system: what we write in FHIR, what we write in RIV-TA, what else we read as the same. There
    is one of each, below."""

    fhir: str
    rivta: str = ""
    also: tuple[str, ...] = ()

    def __contains__(self, system: object) -> bool:
        """Whether a system as written by somebody means this one."""
        return system in (self.fhir, f"urn:oid:{self.rivta}", *self.also)


PERSONNUMMER: Final = System(
    "http://electronichealth.se/identifier/personnummer",
    "1.2.752.129.2.1.3.1",
    ("https://terminology.hl7.se/sid/se-personnummer",),
)
SAMORDNINGSNUMMER: Final = System(
    "http://electronichealth.se/identifier/samordningsnummer",
    "1.2.752.129.2.1.3.3",
    ("https://terminology.hl7.se/sid/se-samordningsnummer",),
)
HSA_ID: Final = System("urn:oid:1.2.752.29.4.19", "1.2.752.129.2.1.4.1")
ORGANISATION_NUMBER: Final = System("urn:oid:2.5.4.97", "1.2.752.29.4.3")
WORKPLACE_CODE: Final = System("urn:oid:1.2.752.29.4.71", "1.2.752.29.4.71")

KVA: Final = System("urn:oid:1.2.752.116.1.3.2.1.4", "1.2.752.116.1.3.2.1.4", ("urn:oid:1.2.752.116.1.1.1.1.1",))
ICD_10_SE: Final = System(
    "http://terminology.hl7.se/CodeSystem/icd-10-se",
    "1.2.752.116.1.1.1",
    (
        "https://www.icd10.se/",
        "http://hl7.org/fhir/sid/icd-10-se",
        "http://hl7.org/fhir/sid/icd-10",
        "urn:oid:1.2.752.116.1.1.1.1.3",
        "urn:oid:1.2.752.116.1.1.1.1.8",
    ),
)
SNOMED_CT: Final = System("http://snomed.info/sct", "2.16.840.1.113883.6.96")
UCUM: Final = "http://unitsofmeasure.org"

CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PARTICIPATION_MODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"

ACTIVITY_KIND: Final = f"{BASE}/CodeSystem/activity-kind"
NOT_DONE_REASON: Final = f"{BASE}/CodeSystem/not-done-reason"
CONTACT_MODE: Final = f"{BASE}/CodeSystem/contact-mode"
CONSENT_KIND: Final = f"{BASE}/CodeSystem/consent-kind"
INFORMATION_CATEGORY: Final = f"{BASE}/CodeSystem/information-category"
RECIPIENT_KIND: Final = f"{BASE}/CodeSystem/recipient-kind"
NOTIFICATION_TOPIC: Final = f"{BASE}/CodeSystem/notification-topic"
WANTED_NEXT_STEP: Final = f"{BASE}/CodeSystem/wanted-next-step"
DIALOGUE_STATE: Final = f"{BASE}/CodeSystem/dialogue-state"
DIALOGUE_OUTPUT: Final = f"{BASE}/CodeSystem/dialogue-output"
ANSWER_SAYS: Final = f"{BASE}/CodeSystem/answer-says"
MEETING_PARTICIPANT: Final = f"{BASE}/CodeSystem/meeting-participant"
MEETING_ANSWER: Final = f"{BASE}/CodeSystem/meeting-answer"
MEETING_OUTPUT: Final = f"{BASE}/CodeSystem/meeting-output"
NOTIFICATION_STATUS: Final = f"{BASE}/CodeSystem/notification-status"
PLAN_KIND: Final = f"{BASE}/CodeSystem/plan-kind"
PLAN_MEASURE: Final = f"{BASE}/CodeSystem/plan-measure"
PRINCIPAL: Final = f"{BASE}/CodeSystem/principal"
PLAN_EVENT: Final = f"{BASE}/CodeSystem/plan-event"
EPISODE_TYPE: Final = f"{BASE}/CodeSystem/episode-type"
WORK_ABILITY: Final = f"{BASE}/CodeSystem/work-ability"
SICK_LEAVE_DEGREE: Final = f"{BASE}/CodeSystem/KV_FKMU_0003"
OCCUPATION: Final = f"{BASE}/CodeSystem/KV_FKMU_0002"
WORK_MEASURE: Final = f"{BASE}/CodeSystem/KV_FKMU_0004"
PROGNOSIS: Final = f"{BASE}/CodeSystem/KV_FKMU_0006"
PROGNOSIS_DAYS: Final = f"{BASE}/CodeSystem/KV_FKMU_0007"
FK_7804: Final = f"{BASE}/Questionnaire/fk7804"
"""The form whose answers a QuestionnaireResponse has; its version follows a bar. The form itself is Försäkringskassan's."""
CERTIFICATE_TYPE: Final = f"{BASE}/CodeSystem/certificate-type"
RECORD_FLAG: Final = f"{BASE}/CodeSystem/record-flag"
ENGINE_MODE: Final = f"{BASE}/CodeSystem/sick-leave-engine-mode"
REKO_STATUS: Final = f"{BASE}/CodeSystem/reko-status"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SECURITY_LABEL: Final = "http://hl7.se/fhir/ig/base/CodeSystem/SecurityLabel"

CERTIFICATE_ID: Final = f"{BASE}/identifier/certificate"
EPISODE_ID: Final = f"{BASE}/identifier/sick-leave"
MESSAGE_ID: Final = f"{BASE}/identifier/message"
"""Of a message as its sender gave it."""
CONVERSATION_ID: Final = f"{BASE}/identifier/conversation"
"""What all messages of a dialogue share."""
MEETING_ID: Final = f"{BASE}/identifier/meeting"
"""On the Procedure that a meeting was: the id of the meeting's Task."""
REFERENCE_ID: Final = f"{BASE}/identifier/reference"
"""The other party's own reference, a case number for instance."""

EXT_ACCOMPANYING_CODE: Final = f"{BASE}/StructureDefinition/accompanying-code"
"""On Procedure, repeating, ``valueCoding``: a KVÅ code beside the main one (decision D8)."""
EXT_CODING_RULE: Final = f"{BASE}/StructureDefinition/coding-rule"
"""On a Coding that the service gave, ``valueString``: the rule that gave it."""
EXT_CONTACT_MODE: Final = f"{BASE}/StructureDefinition/contact-mode"
"""On Procedure, and on the Task of a meeting, ``valueCode``: visit, telephone, video, letter, message, none."""
EXT_WITH_SICK_LEAVE: Final = f"{BASE}/StructureDefinition/with-sick-leave"
"""On Procedure, and on the Task of a meeting, ``valueBoolean``: false for preventive coordination before any sick leave."""
EXT_INFORMATION_CATEGORY: Final = f"{BASE}/StructureDefinition/information-category"
"""On CommunicationRequest.payload, a measure, a Goal or an answer, ``valueCode``: the one category that the text belongs to."""
EXT_ANSWERS: Final = f"{BASE}/StructureDefinition/answers"
"""On CommunicationRequest, ``valueReference``: the Communication that it is the answer to."""
EXT_WANTED_NEXT_STEP: Final = f"{BASE}/StructureDefinition/wanted-next-step"
"""On CommunicationRequest, ``valueCode``: what the unit wishes that the other party does."""
EXT_IN_PROGRAMME: Final = f"{BASE}/StructureDefinition/in-programme"
"""On CommunicationRequest, ``valueBoolean``: true for a participant in Arbetsförmedlingen's programmes."""
EXT_STATUTORY_DUTY: Final = f"{BASE}/StructureDefinition/statutory-duty"
"""On CommunicationRequest, ``valueString``: why what is answered matters to the case; it rests on the duty to answer."""
EXT_COMPLEMENTED_QUESTION: Final = f"{BASE}/StructureDefinition/complemented-question"
"""On Communication.payload, ``valueString``: the number of the question of the certificate that is to be complemented."""
EXT_PARTY_KIND: Final = f"{BASE}/StructureDefinition/party-kind"
"""On Task.input and Task.output of a meeting, ``valueCode``: what the organisation is to the unit."""
EXT_PARTICIPANT_NAME: Final = f"{BASE}/StructureDefinition/participant-name"
"""On Task.input of a meeting, ``valueString``: who speaks for the organisation."""
EXT_MEETING_ANSWER: Final = f"{BASE}/StructureDefinition/meeting-answer"
"""On Task.input of a meeting, ``valueCode``: whether they have said that they come."""
EXT_CAME: Final = f"{BASE}/StructureDefinition/came"
"""On Task.input of a meeting that has been held, ``valueBoolean``: whether they came."""
EXT_INVITATION: Final = f"{BASE}/StructureDefinition/invitation"
"""On Task.input of a meeting, ``valueReference``: the CommunicationRequest by which they were asked."""
EXT_SHARED_WITH: Final = f"{BASE}/StructureDefinition/shared-with"
"""On Task.output of a meeting, ``valueReference``: who was given the document, an organisation or the patient."""
EXT_SHARED_AT: Final = f"{BASE}/StructureDefinition/shared-at"
"""On Task.output of a meeting, ``valueDateTime``: when the document was given."""
EXT_SHARED_BASIS: Final = f"{BASE}/StructureDefinition/shared-basis"
"""On Task.output of a meeting, ``valueString``: on what ground the document was given."""
EXT_CONSENT_MODE: Final = f"{BASE}/StructureDefinition/consent-mode"
"""On Consent.verification, ``valueCode`` of v3-ParticipationMode: oral, written, electronic."""
EXT_RECORDED_BY: Final = f"{BASE}/StructureDefinition/recorded-by"
"""On Consent.meta, ``valueReference``: who recorded it, where nobody is named who heard it."""
EXT_CONSENT_EVENT: Final = f"{BASE}/StructureDefinition/consent-ends-with"
"""On Consent.provision, ``valueString``: the event that stands for an end date."""
EXT_PLANNED_DEGREE: Final = f"{BASE}/StructureDefinition/planned-degree"
"""On CarePlan.activity.detail, ``valueQuantity`` in %."""
EXT_DECIDED_BY: Final = f"{BASE}/StructureDefinition/decided-by"
"""On CarePlan.activity.detail, ``valueString``: the actor whose decision the measure needs."""
EXT_PRINCIPAL: Final = f"{BASE}/StructureDefinition/principal"
"""On CarePlan.activity.detail, ``valueCode``: whether region, municipality or somebody else answers for it."""
EXT_PATIENT_FIRST_CONTACT: Final = f"{BASE}/StructureDefinition/patient-first-contact"
"""On CarePlan.activity.detail, ``valueBoolean``: the patient makes the first contact."""
EXT_CONTACT_PERSON: Final = f"{BASE}/StructureDefinition/contact-person"
"""On CarePlan, ``valueContactDetail``: whom the patient turns to."""
EXT_TARGET_PART: Final = f"{BASE}/StructureDefinition/target-part"
"""On Provenance.target, ``valueString``: the part of the resource that is meant."""
EXT_LED_BY: Final = f"{BASE}/StructureDefinition/led-by"
"""On CarePlan (SIP), ``valueString``: region or municipality."""
EXT_SICK_LEAVE_COUNTED: Final = f"{BASE}/StructureDefinition/sick-leave-counted"
"""On EpisodeOfCare that an overview has counted: with which settings, and the figures."""
EXT_EPISODE: Final = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"

LAW_2019_1297: Final = (
    "https://www.riksdagen.se/sv/dokument-och-lagar/dokument/svensk-forfattningssamling/_sfs-2019-1297"
)
"""``Consent.policy.uri``: lag (2019:1297) om koordineringsinsatser för sjukskrivna patienter."""

NATIONAL_PERSON_SYSTEMS: Final = (PERSONNUMMER, SAMORDNINGSNUMMER)
_NATIONAL_SPELLINGS: Final = frozenset(
    spelling for each in NATIONAL_PERSON_SYSTEMS for spelling in (each.fhir, f"urn:oid:{each.rivta}", *each.also)
)


_CANONICAL: Final = {
    spelling: system.fhir
    for system in (
        PERSONNUMMER,
        SAMORDNINGSNUMMER,
        HSA_ID,
        ORGANISATION_NUMBER,
        WORKPLACE_CODE,
        KVA,
        ICD_10_SE,
        SNOMED_CT,
    )
    for spelling in (system.fhir, f"urn:oid:{system.rivta}", *system.also)
}


def canonical_token(system: str, value: str) -> tuple[str, str]:
    """System and value as searches compare them: one spelling of the system, no hyphen in a national number. An unknown
    system stays as it is."""
    known = _CANONICAL.get(system, system)
    return known, value.replace("-", "") if is_national_person_system(known) else value


def spellings_of(system: str) -> tuple[str, ...]:
    """Every way in which a system may be written that is written so here; itself alone when it is not known."""
    return tuple(spelling for spelling, canonical in _CANONICAL.items() if canonical == system) or (system,)


def person_system(person: PersonId) -> System:
    """The system that a national number belongs to."""
    return PERSONNUMMER if person.kind is PersonIdKind.PERSONNUMMER else SAMORDNINGSNUMMER


def is_national_person_system(system: object) -> bool:
    """Whether identifiers of the system are national person numbers (which never stand in a URL, decision D10)."""
    return system in _NATIONAL_SPELLINGS
