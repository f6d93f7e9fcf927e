// One example of each profile. Nobody in them exists.

RuleSet: Unit(element)
* {element}.type = "Organization"
* {element}.identifier.system = "urn:oid:1.2.752.29.4.19"
* {element}.identifier.value = "SE5599990008-E0001"
* {element}.display = "Vårdcentralen Eken"

RuleSet: Coordinator(element)
* {element}.type = "Practitioner"
* {element}.identifier.system = "urn:oid:1.2.752.29.4.19"
* {element}.identifier.value = "SE5599990008-REKO1"

RuleSet: Fk(element)
* {element}.type = "Organization"
* {element}.identifier.system = "urn:oid:2.5.4.97"
* {element}.identifier.value = "2021005521"
* {element}.display = "Försäkringskassan"

RuleSet: Law
* policy.uri = "https://www.riksdagen.se/sv/dokument-och-lagar/dokument/svensk-forfattningssamling/_sfs-2019-1297"

Instance: example-coordination-consent
InstanceOf: RekoConsent
Usage: #example
* status = #active
* scope = $consentScope#treatment
* category[coordination] = $consentKind#coordination
* patient = Reference(Patient/example)
* dateTime = "2026-03-02T09:20:00+01:00"
* performer = Reference(Patient/example)
* insert Unit(organization)
* insert Law
* verification.extension[mode].valueCode = #PHONE
* verification.verified = true
* verification.verifiedWith = Reference(Patient/example)
* verification.verificationDate = "2026-03-02"

Instance: example-disclosure-consent
InstanceOf: RekoConsent
Usage: #example
* status = #active
* scope = $consentScope#patient-privacy
* category[disclosure] = $consentKind#disclosure
* category[1] = $actCode#IDSCL
* patient = Reference(Patient/example)
* dateTime = "2026-03-02T09:20:00+01:00"
* performer = Reference(Patient/example)
* insert Unit(organization)
* insert Law
* verification.extension[mode].valueCode = #VERBAL
* verification.verified = true
* verification.verifiedWith = Reference(Patient/example)
* verification.verificationDate = "2026-03-02"
* provision.type = #permit
* provision.period.start = "2026-03-02"
* provision.period.end = "2026-10-25"
* provision.actor[custodian].role = $participationType#CST
* insert Unit(provision.actor[custodian].reference)
* provision.actor[recipient].role = $participationType#IRCP
* insert Fk(provision.actor[recipient].reference)
* provision.action = $consentAction#disclose
* provision.purpose = $actReason#COC
* provision.code[0] = $category#assumed_rehab_need
* provision.code[1] = $category#contact_details

Instance: example-plan
InstanceOf: RekoCarePlan
Usage: #example
* status = #active
* intent = #plan
* category = $planKind#sjukskrivnings-och-rehabiliteringsplan
* title = "Sjukskrivnings- och rehabiliteringsplan"
* subject = Reference(Patient/example)
* period.start = "2026-03-02"
* period.end = "2026-10-25"
* insert Unit(author)
* extension[contactPerson].valueContactDetail.name = "Kim Exempelsson"
* extension[contactPerson].valueContactDetail.telecom.system = #phone
* extension[contactPerson].valueContactDetail.telecom.value = "010-000 00 00"
* contributor = Reference(Patient/example)
* goal = Reference(Goal/example-goal)
* activity[0].detail.extension[plannedDegree].valueQuantity = 50 '%'
* activity[0].detail.extension[decidedBy].valueString = "Försäkringskassan"
* activity[0].detail.extension[patientFirstContact].valueBoolean = true
* activity[0].detail.code = $measure#arbetstraning "Arbetsträning"
* activity[0].detail.status = #not-started
* activity[0].detail.description = "Arbetsträning i ordinarie verksamhet"
* activity[0].detail.performer.display = "Ekens Verkstad AB"
* activity[1].detail.extension[category].valueCode = #sensitive_circumstances
* activity[1].detail.status = #in-progress
* activity[1].detail.description = "Samtalsstöd om läget hemma"
* activity[1].detail.performer.display = "Kuratorn"
* activity[2].detail.code = $activityKind#plan-followup "Uppföljning av plan"
* activity[2].detail.status = #scheduled
* activity[2].detail.scheduledPeriod.start = "2026-04-15"
* activity[2].detail.scheduledPeriod.end = "2026-04-15"
* activity[2].detail.description = "Vi talas vid i telefon om hur stegen går"
* activity[2].detail.performer.display = "Kim Exempelsson"

Instance: example-goal
InstanceOf: RekoGoal
Usage: #example
* lifecycleStatus = #active
* description.text = "Åter i ordinarie arbete på heltid"
* subject = Reference(Patient/example)
* target[0].measure = $sct#224459001
* target[0].detailQuantity = 50 '%'
* target[0].dueDate = "2026-05-01"
* target[1].measure = $sct#224459001
* target[1].detailQuantity = 0 '%'
* target[1].dueDate = "2026-07-01"

Instance: example-activity
InstanceOf: RekoProcedure
Usage: #example
* extension[contactMode].valueCode = #visit
* extension[accompanyingCode].valueCoding.extension[0].url = "https://rekobryggan.example/fhir/StructureDefinition/coding-rule"
* extension[accompanyingCode].valueCoding.extension[0].valueString = "kva-employer-contact"
* extension[accompanyingCode].valueCoding = $kva#ZV506 "Kontakt med arbetsgivare via besök eller telefonsamtal"
* status = #completed
* category.coding[kind] = $activityKind#employer-contact
* code.coding[kva] = $kva#GC001 "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet"
* code.text = "Möte med arbetsgivaren om anpassade arbetsuppgifter"
* subject = Reference(Patient/example)
* performedPeriod.start = "2026-03-02T09:00:00+01:00"
* performedPeriod.end = "2026-03-02T10:15:00+01:00"
* insert Coordinator(performer.actor)
* insert Unit(performer.onBehalfOf)

Instance: example-activity-not-done
InstanceOf: RekoProcedure
Usage: #example
* status = #not-done
* statusReason = $notDoneReason#no-answer
* category.coding[kind] = $activityKind#fk-contact
* code.text = "Sökte personlig handläggare per telefon"
* subject = Reference(Patient/example)

Instance: example-request
InstanceOf: RekoCommunicationRequest
Usage: #example
* extension[wanted].valueCode = #contact
* extension[inProgramme].valueBoolean = false
* status = #active
* category = $topic#assumed-rehab-need
* subject = Reference(Patient/example)
* about.type = "DocumentReference"
* about.identifier.system = "https://rekobryggan.example/fhir/identifier/certificate"
* about.identifier.value = "6b1f0c1e-0d3e-4a57-9f5c-7d1a3e0c0002"
* payload.extension[category].valueCode = #assumed_rehab_need
* payload.contentString = "Behov av arbetslivsinriktad rehabilitering enligt 30 kap. SFB kan antas."
* authoredOn = "2026-03-02T10:30:00+01:00"
* insert Coordinator(requester)
* insert Fk(recipient)
* insert Unit(sender)

Instance: example-answer
InstanceOf: RekoCommunicationRequest
Usage: #example
* extension[answers].valueReference = Reference(Communication/example-question)
* extension[duty].valueString = "Försäkringskassan behöver veta vem som håller i planeringen."
* status = #active
* category = $topic#contact
* subject = Reference(Patient/example)
* payload[0].extension[category].valueCode = #contact_details
* payload[0].contentString = "Nås vardagar 8-10."
* payload[1].extension[category].valueCode = #tapering_plan
* payload[1].contentAttachment.url = "Binary/example-plan"
* payload[1].contentAttachment.title = "Plan.pdf"
* insert Coordinator(requester)
* insert Fk(recipient)
* insert Unit(sender)

Instance: example-question
InstanceOf: RekoCommunication
Usage: #example
* identifier[0].system = "https://rekobryggan.example/fhir/identifier/message"
* identifier[0].value = "0192f0c4-1f2e-7c3a-9a51-6a1d1b1f0a03"
* identifier[1].system = "https://rekobryggan.example/fhir/identifier/conversation"
* identifier[1].value = "0192f0c4-1f2e-7c3a-9a51-6a1d1b1f0a03"
* status = #completed
* category = $topic#complement
* subject = Reference(Patient/example)
* sent = "2026-03-04T09:12:00+01:00"
* received = "2026-03-04T09:12:02+01:00"
* insert Unit(recipient)
* insert Fk(sender)
* payload[0].contentString = "Intyget behöver kompletteras."
* payload[1].extension[question].valueString = "35"
* payload[1].contentString = "Beskriv funktionsnedsättningen."

Instance: example-communication
InstanceOf: RekoCommunication
Usage: #example
* identifier.system = "https://rekobryggan.example/fhir/identifier/message"
* identifier.value = "0192f0c4-1f2e-7c3a-9a51-6a1d1b1f0a01"
* basedOn = Reference(CommunicationRequest/example-request)
* status = #completed
* category = $topic#assumed-rehab-need
* subject = Reference(Patient/example)
* sent = "2026-03-02T10:31:00+01:00"
* insert Fk(recipient)
* insert Unit(sender)
* payload.contentString = "Behov av arbetslivsinriktad rehabilitering enligt 30 kap. SFB kan antas."

Instance: example-task
InstanceOf: RekoNotificationTask
Usage: #example
* groupIdentifier.system = "https://rekobryggan.example/fhir/identifier/conversation"
* groupIdentifier.value = "0192f0c4-1f2e-7c3a-9a51-6a1d1b1f0a01"
* status = #in-progress
* businessStatus = $dialogueState#informed
* intent = #order
* code = $topic#assumed-rehab-need
* focus = Reference(CommunicationRequest/example-request)
* for = Reference(Patient/example)
* insert Unit(requester)
* insert Unit(owner)
* restriction.period.end = "2026-03-09"

Instance: example-meeting
InstanceOf: RekoMeeting
Usage: #example
* extension[contactMode].valueCode = #visit
* extension[withSickLeave].valueBoolean = false
* status = #completed
* intent = #plan
* code.coding[kind] = $activityKind#trepartsmote
* description = "Hur arbetet kan läggas upp"
* for = Reference(Patient/example)
* executionPeriod.start = "2026-03-10T13:00:00+01:00"
* executionPeriod.end = "2026-03-10T14:00:00+01:00"
* authoredOn = "2026-03-02T09:30:00+01:00"
* insert Unit(requester)
* insert Unit(owner)
* location.display = "Vårdcentralen Exempel, rum 4"
* input[0].id = "p1"
* input[0].type = $participant#patient
* input[0].valueReference = Reference(Patient/example)
* input[0].extension[answer].valueCode = #coming
* input[0].extension[came].valueBoolean = true
* input[1].id = "p2"
* input[1].type = $participant#party
* input[1].type.text = "Närmaste chef"
* input[1].valueReference.type = "Organization"
* input[1].valueReference.identifier.system = "urn:oid:2.5.4.97"
* input[1].valueReference.identifier.value = "5560000001"
* input[1].valueReference.display = "Exempelbolaget AB"
* input[1].extension[partyKind].valueCode = #employer
* input[1].extension[name].valueString = "Cecilia Chef"
* input[1].extension[answer].valueCode = #coming
* input[1].extension[came].valueBoolean = true
* input[1].extension[invitation].valueReference = Reference(CommunicationRequest/example-request)
* output[0].type = $meetingOutput#outcome
* output[0].valueString = "Halvtid med ändrade uppgifter från april."
* output[1].type = $meetingOutput#documentation
* output[1].valueReference = Reference(DocumentReference/example-minutes)
* output[2].type = $meetingOutput#shared
* output[2].valueReference = Reference(DocumentReference/example-minutes)
* output[2].extension[sharedWith].valueReference.type = "Organization"
* output[2].extension[sharedWith].valueReference.identifier.system = "urn:oid:2.5.4.97"
* output[2].extension[sharedWith].valueReference.identifier.value = "5560000001"
* output[2].extension[partyKind].valueCode = #employer
* output[2].extension[sharedAt].valueDateTime = "2026-03-11T08:00:00+01:00"
* output[2].extension[sharedBasis].valueString = "consent"

Instance: example-episode
InstanceOf: RekoEpisodeOfCare
Usage: #example
* identifier.system = "https://rekobryggan.example/fhir/identifier/sick-leave"
* identifier.value = "0192f0c4-1f2e-7c3a-9a51-6a1d1b1f0a02"
* status = #active
* type[sickLeave] = $episodeType#sjukfall "Sjukfall"
* patient = Reference(Patient/example)
* insert Unit(managingOrganization)
* period.start = "2026-02-01"

Instance: example-work-capacity
InstanceOf: RekoWorkCapacity
Usage: #example
* extension[episode].valueReference = Reference(EpisodeOfCare/example-episode)
* status = #final
* category[workAbility] = $workAbility#work-ability
* code.coding[0] = $sct#224459001 "On sick leave from work"
* code.coding[1] = $workAbility#assessed-reduction
* subject = Reference(Patient/example)
* effectivePeriod.start = "2026-02-01"
* effectivePeriod.end = "2026-03-31"
* issued = "2026-01-30T14:40:00+01:00"
* insert Unit(performer)
* valueQuantity = 50 '%'
* derivedFrom = Reference(DocumentReference/example-certificate)
* component[level].code = $workAbility#reduction-level
* component[level].valueCodeableConcept = $degree#HALFTEN
* component[occupation].code = $workAbility#occupation
* component[occupation].valueCodeableConcept = $occupation#STUDIER "Studier"

Instance: example-certificate
InstanceOf: RekoCertificate
Usage: #example
* masterIdentifier.system = "https://rekobryggan.example/fhir/identifier/certificate"
* masterIdentifier.value = "6b1f0c1e-0d3e-4a57-9f5c-7d1a3e0c0002"
* status = #current
* type = $certificateType#LISJP "Läkarintyg för sjukpenning"
* subject = Reference(Patient/example)
* date = "2026-01-30T14:40:00+01:00"
* insert Unit(custodian)
* securityLabel[diagnosis] = $actCode#DIA
* content.attachment.title = "Läkarintyg för sjukpenning"
* context.period.start = "2026-02-01"
* context.period.end = "2026-03-31"

Instance: example-consent-to-ask
InstanceOf: RekoConsent
Usage: #example
* status = #active
* scope = $consentScope#patient-privacy
* category[disclosure] = $consentKind#disclosure
* patient = Reference(Patient/example)
* dateTime = "2026-03-02T09:20:00+01:00"
* sourceAttachment.title = "Samtycke, undertecknat 2026-03-02"
* sourceAttachment.contentType = #application/pdf
* sourceAttachment.url = "https://journal.example/dokument/1"
* insert Law
* verification.extension[mode].valueCode = #WRITTEN
* verification.verified = true
* verification.verifiedWith = Reference(Patient/example)
* verification.verificationDate = "2026-03-02"
* provision.extension[endsWith].valueString = "avstämningsmötet"
* provision.type = #permit
* provision.period.start = "2026-03-02"
* provision.actor[custodian].role = $participationType#CST
* insert Unit(provision.actor[custodian].reference)
* provision.actor[recipient].role = $participationType#IRCP
* insert Fk(provision.actor[recipient].reference)
* provision.action = $consentAction#collect
* provision.purpose = $actReason#ELIGDTRM
* provision.code = $category#assumed_rehab_need

Instance: example-sip
InstanceOf: RekoCarePlan
Usage: #example
* extension[ledBy].valueString = "Exempelstads kommun"
* status = #active
* intent = #plan
* category = $planKind#sip
* title = "Samordnad individuell plan"
* subject = Reference(Patient/example)
* period.start = "2026-03-29"
* activity[0].detail.extension[principal].valueCode = #municipality
* activity[0].detail.status = #not-started
* activity[0].detail.description = "Ekonomiskt bistånd under arbetsträningen"
* activity[0].detail.performer.display = "Socialtjänsten i Exempelstad"
* activity[1].detail.extension[principal].valueCode = #other
* activity[1].detail.extension[decidedBy].valueString = "Arbetsförmedlingen"
* activity[1].detail.code = $measure#arbetstraning "Arbetsträning"
* activity[1].detail.status = #not-started
* activity[1].detail.performer.display = "Ekens Verkstad AB"

Instance: example-preventive-activity
InstanceOf: RekoProcedure
Usage: #example
* extension[withSickLeave].valueBoolean = false
* status = #completed
* category.coding[kind] = $activityKind#personal-support
* code.coding[kva] = $kva#GC001
* subject = Reference(Patient/example)
* performedDateTime = "2026-03-02T09:00:00+01:00"
* insert Coordinator(performer.actor)

// A plan was handed to the patient; it stands in the record as it was printed.
Instance: example-handed-over
InstanceOf: RekoCommunication
Usage: #example
* status = #completed
* medium = $participationMode#FACE
* subject = Reference(Patient/example)
* topic = $planEvent#handed-over "Planen lämnad till patienten"
* about = Reference(CarePlan/example-plan/_history/1)
* sent = "2026-03-02T10:00:00+01:00"
* recipient = Reference(Patient/example)
* payload.contentAttachment.contentType = #text/html
* payload.contentAttachment.language = #sv
* payload.contentAttachment.title = "Din plan, version 1"

// A goal that stands in the patient's document only when somebody has released it.
Instance: example-goal-held-back
InstanceOf: RekoGoal
Usage: #example
* extension[category].valueCode = #sensitive_circumstances
* lifecycleStatus = #active
* description.text = "Ett tryggt läge hemma"
* subject = Reference(Patient/example)
