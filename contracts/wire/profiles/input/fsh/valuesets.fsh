// What may stand where.

ValueSet: ActivityKinds
Id: activity-kind
Title: "Slag av koordineringsinsats"
* insert Values
* include codes from system ActivityKind

ValueSet: ContactModes
Id: contact-mode
Title: "Kontaktsätt"
* insert Values
* include codes from system ContactMode

ValueSet: NotDoneReasons
Id: not-done-reason
Title: "Varför insatsen inte blev av"
* insert Values
* include codes from system NotDoneReason

ValueSet: ConsentKinds
Id: consent-kind
Title: "Slag av samtycke"
* insert Values
* include codes from system ConsentKind

ValueSet: InformationCategories
Id: information-category
Title: "Informationskategorier"
* insert Values
* include codes from system InformationCategory

ValueSet: RecipientKinds
Id: recipient-kind
Title: "Slag av mottagare"
* insert Values
* include codes from system RecipientKind

ValueSet: NotificationTopics
Id: notification-topic
Title: "Ärenden i dialogen"
* insert Values
* include codes from system NotificationTopic

ValueSet: WantedNextSteps
Id: wanted-next-step
Title: "Önskade nästa steg"
* insert Values
* include codes from system WantedNextStep

ValueSet: MeetingParticipants
Id: meeting-participant
Title: "Delar i ett möte"
* insert Values
* include codes from system MeetingParticipant

ValueSet: MeetingAnswers
Id: meeting-answer
Title: "Svar på kallelser"
* insert Values
* include codes from system MeetingAnswer

ValueSet: MeetingOutputs
Id: meeting-output
Title: "Vad möten ger"
* insert Values
* include codes from system MeetingOutput

ValueSet: MeetingStatuses
Id: meeting-status
Title: "Hur långt ett möte har kommit"
* insert Values
* $taskStatus#requested
* $taskStatus#accepted
* $taskStatus#completed
* $taskStatus#cancelled
* $taskStatus#entered-in-error

ValueSet: DialogueStates
Id: dialogue-state
Title: "Var en dialog kan stå"
* insert Values
* include codes from system DialogueState

ValueSet: AnswersSay
Id: answer-says
Title: "Vad svar säger"
* insert Values
* include codes from system AnswerSays

ValueSet: DialogueOutputs
Id: dialogue-output
Title: "Vad en dialog kan ge"
* insert Values
* include codes from system DialogueOutput

ValueSet: PlanKinds
Id: plan-kind
Title: "Slag av plan"
* insert Values
* include codes from system PlanKind

ValueSet: PlanMeasures
Id: plan-measure
Title: "Åtgärder med bestämd betydelse"
* insert Values
* include codes from system PlanMeasure

ValueSet: PlanActivities
Id: plan-activity
Title: "Vad en plan innehåller"
Description: "Åtgärder med bestämd betydelse, och planens uppföljningar. Andra åtgärder beskrivs i egna ord."
* insert Values
* include codes from system PlanMeasure
* $activityKind#plan-followup "Uppföljning av plan"
* $activityKind#sip-followup "Uppföljning av samordnad individuell plan"

ValueSet: Principals
Id: principal
Title: "Vem som svarar för en åtgärd"
* insert Values
* include codes from system Principal

ValueSet: PlanEvents
Id: plan-event
Title: "Vad som har hänt med en plan"
* insert Values
* include codes from system PlanEvent

ValueSet: EpisodeTypes
Id: episode-type
Title: "Slag av vårdepisod"
* insert Values
* include codes from system EpisodeType

ValueSet: WorkAbilities
Id: work-ability
Title: "Arbetsförmåga"
* insert Values
* include codes from system WorkAbility

ValueSet: EngineModes
Id: sick-leave-engine-mode
Title: "Räknesätt för sjukfall"
* insert Values
* include codes from system EngineMode

ValueSet: RecordFlags
Id: record-flag
Title: "Flaggor på en anteckning"
* insert Values
* include codes from system RecordFlag

ValueSet: SickLeaveDegrees
Id: kv-fkmu-0003
Title: "Sjukskrivningsnivåer"
* insert Values
* include codes from system SickLeaveDegree

ValueSet: Occupations
Id: kv-fkmu-0002
Title: "Sysselsättningar"
* insert Values
* include codes from system Occupation

ValueSet: WorkMeasures
Id: kv-fkmu-0004
Title: "Arbetslivsinriktade åtgärder"
* insert Values
* include codes from system WorkMeasure

ValueSet: Prognoses
Id: kv-fkmu-0006
Title: "Prognoser för arbetsförmågan"
* insert Values
* include codes from system Prognosis

ValueSet: DaysToReturn
Id: kv-fkmu-0007
Title: "Dagar till återgång"
* insert Values
* include codes from system PrognosisDays

ValueSet: CertificateTypes
Id: certificate-type
Title: "Intygstyper"
* insert Values
* include codes from system CertificateType

ValueSet: RekoStatuses
Id: reko-status
Title: "Rekostatus"
* insert Values
* include codes from system RekoStatus

ValueSet: KvaCodes
Id: kva
Title: "KVÅ-koder för koordinering"
* insert Values
* include codes from system KvaSubset

// What the consent rules decide on: other codes of the same systems are refused, never guessed.

ValueSet: ConsentDirections
Id: consent-direction
Title: "Samtyckets riktning"
Description: "Att lämna ut, eller att fråga och få veta. Det ena innebär aldrig det andra."
* insert Values
* $consentAction#disclose "Disclose"
* $consentAction#collect "Collect"

ValueSet: ConsentPurposes
Id: consent-purpose
Title: "Ändamål"
* insert Values
* $actReason#COC "coordination of care"
* $actReason#ELIGDTRM "eligibility determination"

ValueSet: ConsentModes
Id: consent-mode
Title: "Hur patienten sade det"
* insert Values
* $participationMode#VERBAL "verbal"
* $participationMode#FACE "face-to-face"
* $participationMode#PHONE "telephone"
* $participationMode#VIDEOCONF "videoconferencing"
* $participationMode#WRITTEN "written"
* $participationMode#HANDWRIT "handwritten"
* $participationMode#ONLINEWRIT "online written"

Instance: activity-kind-to-kva
InstanceOf: ConceptMap
Usage: #definition
* url = "https://rekobryggan.example/fhir/ConceptMap/activity-kind-to-kva"
* version = "0.1.0"
* name = "ActivityKindToKva"
* title = "Slag av koordineringsinsats till KVÅ"
* status = #active
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Vilken KVÅ-kod som följer med GC001. GC001 sätts för varje utförd insats. Villkoren (sjukskrivning, kontaktsätt) är tjänstens regler och står i comment."
* sourceUri = "https://rekobryggan.example/fhir/ValueSet/activity-kind"
* targetUri = "https://rekobryggan.example/fhir/ValueSet/kva"
* group.source = $activityKind
* group.target = $kva
* group.element[0].code = #personal-support
* group.element[0].target[0].code = #GC001
* group.element[0].target[0].equivalence = #wider
* group.element[0].target[0].comment = "kva-coordination"
* group.element[1].code = #internal-coordination
* group.element[1].target[0].code = #GC001
* group.element[1].target[0].equivalence = #wider
* group.element[1].target[0].comment = "kva-coordination"
* group.element[2].code = #kartlaggning
* group.element[2].target[0].code = #GC001
* group.element[2].target[0].equivalence = #wider
* group.element[2].target[0].comment = "kva-coordination"
* group.element[3].code = #plan
* group.element[3].target[0].code = #GC001
* group.element[3].target[0].equivalence = #wider
* group.element[3].target[0].comment = "kva-coordination"
* group.element[3].target[1].code = #DV077
* group.element[3].target[1].equivalence = #relatedto
* group.element[3].target[1].comment = "kva-plan: a plan was drawn up in which sick leave is a part"
* group.element[3].target[2].code = #AW020
* group.element[3].target[2].equivalence = #relatedto
* group.element[3].target[2].comment = "kva-plan-without-sick-leave: a plan was drawn up before any sick leave: a rehabiliteringsplan"
* group.element[4].code = #plan-followup
* group.element[4].target[0].code = #GC001
* group.element[4].target[0].equivalence = #wider
* group.element[4].target[0].comment = "kva-coordination"
* group.element[4].target[1].code = #AW026
* group.element[4].target[1].equivalence = #relatedto
* group.element[4].target[1].comment = "kva-plan-followup: the sjukskrivnings- och rehabiliteringsplan was followed up"
* group.element[5].code = #employer-contact
* group.element[5].target[0].code = #GC001
* group.element[5].target[0].equivalence = #wider
* group.element[5].target[0].comment = "kva-coordination"
* group.element[5].target[1].code = #ZV506
* group.element[5].target[1].equivalence = #relatedto
* group.element[5].target[1].comment = "kva-employer-contact: the employer was met or telephoned"
* group.element[6].code = #employment-service-contact
* group.element[6].target[0].code = #GC001
* group.element[6].target[0].equivalence = #wider
* group.element[6].target[0].comment = "kva-coordination"
* group.element[6].target[1].code = #ZV502
* group.element[6].target[1].equivalence = #relatedto
* group.element[6].target[1].comment = "kva-employment-service-contact: Arbetsförmedlingen was met or telephoned"
* group.element[7].code = #fk-contact
* group.element[7].target[0].code = #GC001
* group.element[7].target[0].equivalence = #wider
* group.element[7].target[0].comment = "kva-coordination"
* group.element[8].code = #information-to-fk
* group.element[8].target[0].code = #GC001
* group.element[8].target[0].equivalence = #wider
* group.element[8].target[0].comment = "kva-coordination"
* group.element[9].code = #social-services-contact
* group.element[9].target[0].code = #GC001
* group.element[9].target[0].equivalence = #wider
* group.element[9].target[0].comment = "kva-coordination"
* group.element[10].code = #occupational-health-contact
* group.element[10].target[0].code = #GC001
* group.element[10].target[0].equivalence = #wider
* group.element[10].target[0].comment = "kva-coordination"
* group.element[11].code = #trepartsmote
* group.element[11].target[0].code = #GC001
* group.element[11].target[0].equivalence = #wider
* group.element[11].target[0].comment = "kva-coordination"
* group.element[11].target[1].code = #ZV506
* group.element[11].target[1].equivalence = #relatedto
* group.element[11].target[1].comment = "kva-trepartsmote: the employer took part in a meeting"
* group.element[12].code = #avstamningsmote
* group.element[12].target[0].code = #GC001
* group.element[12].target[0].equivalence = #wider
* group.element[12].target[0].comment = "kva-coordination"
* group.element[13].code = #sip
* group.element[13].target[0].code = #GC001
* group.element[13].target[0].equivalence = #wider
* group.element[13].target[0].comment = "kva-coordination"
* group.element[13].target[1].code = #AU124
* group.element[13].target[1].equivalence = #relatedto
* group.element[13].target[1].comment = "kva-sip: a SIP was drawn up"
* group.element[14].code = #sip-followup
* group.element[14].target[0].code = #GC001
* group.element[14].target[0].equivalence = #wider
* group.element[14].target[0].comment = "kva-coordination"
* group.element[14].target[1].code = #UX301
* group.element[14].target[1].equivalence = #relatedto
* group.element[14].target[1].comment = "kva-sip-followup: a SIP was followed up"
