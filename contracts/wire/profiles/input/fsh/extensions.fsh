// Extensions of our own. Each has one value and no extensions inside, but the counted sick leave.

Extension: AccompanyingCode
Id: accompanying-code
Title: "KVÅ-kod vid sidan av huvudkoden"
Description: "Flera kodningar i Procedure.code betyder samma sak; en kod till står därför här."
Context: Procedure
* insert Artefact
* value[x] only Coding
* value[x] 1..1
* insert Rule(value[x], kva-accompanying)
* valueCoding.system 1..1
* insert Rule(valueCoding.system, kva-accompanying)
* valueCoding.system = $kva
* valueCoding.code 1..1
* insert Rule(valueCoding.code, kva-accompanying)
* . obeys kva-accompanying

Invariant: kva-accompanying
Description: "an accompanying code is a Coding with a KVÅ code"
Expression: "value.ofType(Coding).where(system.exists() and code.exists()).exists()"
Severity: #error

Extension: CodingRule
Id: coding-rule
Title: "Regeln som gav koden"
Description: "Namnet på regeln, på en kodning som tjänsten själv har satt."
Context: Coding
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: ContactModeExtension
Id: contact-mode
Title: "Kontaktsätt"
Description: "Hur den andra parten möttes."
Context: Procedure, Task
* insert Artefact
* value[x] only code
* value[x] 1..1
* valueCode from ContactModes (required)

Extension: WithSickLeave
Id: with-sick-leave
Title: "Med sjukskrivning"
Description: "Falskt för förebyggande koordinering, före all sjukskrivning."
Context: Procedure, Task
* insert Artefact
* value[x] only boolean
* value[x] 1..1

Extension: InformationCategoryExtension
Id: information-category
Title: "Informationskategori"
Description: "Den enda kategori som texten hör till. Känsliga omständigheter i en plan, ett mål eller ett svar visas för patienten först när någon har släppt dem; ett svar utan kategori räknas som känsligt."
Context: CommunicationRequest.payload, CarePlan.activity.detail, Goal, QuestionnaireResponse.item
* insert Artefact
* value[x] only code
* value[x] 1..1
* valueCode from InformationCategories (required)

Extension: Answers
Id: answers
Title: "Besvarar"
Description: "Den andra partens fråga, som begäran är svaret på."
Context: CommunicationRequest
* insert Artefact
* value[x] only Reference(Communication)
* value[x] 1..1

Extension: WantedNextStepExtension
Id: wanted-next-step
Title: "Önskat nästa steg"
Description: "Vad enheten önskar att den andra parten gör."
Context: CommunicationRequest
* insert Artefact
* value[x] only code
* value[x] 1..1
* valueCode from WantedNextSteps (required)

Extension: InProgramme
Id: in-programme
Title: "Deltar i program hos Arbetsförmedlingen"
Description: "Sant för en patient som deltar i Arbetsförmedlingens program: hen har inget intyg hos Försäkringskassan."
Context: CommunicationRequest
* insert Artefact
* value[x] only boolean
* value[x] 1..1

Extension: StatutoryDuty
Id: statutory-duty
Title: "Uppgiftsskyldighet"
Description: "Varför det som svaret säger har betydelse för ärendet: svaret vilar på uppgiftsskyldigheten och inte på ett samtycke."
Context: CommunicationRequest
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: ComplementedQuestion
Id: complemented-question
Title: "Fråga i intyget"
Description: "Numret på den fråga i läkarintyget som ska kompletteras."
Context: Communication.payload
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: PartyKind
Id: party-kind
Title: "Vad parten är"
Description: "Vad organisationen är för enheten."
Context: Task.input, Task.output
* insert Artefact
* value[x] only code
* value[x] 1..1
* valueCode from RecipientKinds (required)

Extension: ParticipantName
Id: participant-name
Title: "Vem som kommer"
Description: "Namnet på den som företräder parten."
Context: Task.input
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: MeetingAnswerExtension
Id: meeting-answer
Title: "Svar på kallelsen"
Description: "Om deltagaren har sagt ja, nej eller inget än."
Context: Task.input
* insert Artefact
* value[x] only code
* value[x] 1..1
* valueCode from MeetingAnswers (required)

Extension: Came
Id: came
Title: "Kom till mötet"
Description: "Om deltagaren var med, på ett möte som har hållits."
Context: Task.input
* insert Artefact
* value[x] only boolean
* value[x] 1..1

Extension: Invitation
Id: invitation
Title: "Inbjudan"
Description: "Begäran att meddela deltagaren, när tjänsten har bjudit in. För Försäkringskassan: begäran om avstämningsmöte."
Context: Task.input
* insert Artefact
* value[x] only Reference(CommunicationRequest)
* value[x] 1..1

Extension: SharedWith
Id: shared-with
Title: "Delad med"
Description: "Vem som har fått dokumentationen: en organisation, eller patienten."
Context: Task.output
* insert Artefact
* value[x] only Reference(Organization or Patient)
* value[x] 1..1

Extension: SharedAt
Id: shared-at
Title: "När den delades"
Description: "När dokumentationen lämnades."
Context: Task.output
* insert Artefact
* value[x] only dateTime
* value[x] 1..1

Extension: SharedBasis
Id: shared-basis
Title: "På vilken grund den delades"
Description: "Grunden enligt samtyckesreglerna. Saknas för patienten själv."
Context: Task.output
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: ConsentMode
Id: consent-mode
Title: "Hur patienten sade det"
Description: "Muntligt, skriftligt eller elektroniskt."
Context: Consent.verification
* insert Artefact
* value[x] only code
* value[x] 1..1
* valueCode from ConsentModes (required)

Extension: ConsentEndsWith
Id: consent-ends-with
Title: "Händelsen som samtycket gäller till"
Description: "En händelse i stället för en slutdag."
Context: Consent.provision
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: PlannedDegree
Id: planned-degree
Title: "Planerad sjukskrivningsgrad"
Description: "Hela procent, 0 till 100."
Context: CarePlan.activity.detail
* insert Artefact
* value[x] only Quantity
* value[x] 1..1
* obeys tapering-degree-planned
* valueQuantity.value 1..1
* insert Rule(valueQuantity.value, tapering-degree-planned)
* valueQuantity.system 1..1
* insert Rule(valueQuantity.system, tapering-degree-planned)
* valueQuantity.system = $ucum
* valueQuantity.code 1..1
* insert Rule(valueQuantity.code, tapering-degree-planned)
* valueQuantity.code = #%
* valueQuantity.comparator 0..0
* insert Rule(valueQuantity.comparator, tapering-degree-planned)

Extension: DecidedBy
Id: decided-by
Title: "Vem som beslutar"
Description: "Den aktör vars beslut åtgärden kräver."
Context: CarePlan.activity.detail
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: PrincipalExtension
Id: principal
Title: "Vems åtgärden är"
Description: "Om regionen, kommunen eller någon annan svarar för åtgärden. Krävs i en samordnad individuell plan."
Context: CarePlan.activity.detail
* insert Artefact
* value[x] only code
* value[x] 1..1
* valueCode from Principals (required)

Extension: PatientFirstContact
Id: patient-first-contact
Title: "Patienten tar den första kontakten"
Description: "Sant om patienten själv tar den första kontakten om åtgärden, falskt om enheten gör det."
Context: CarePlan.activity.detail
* insert Artefact
* value[x] only boolean
* value[x] 1..1

Extension: ContactPerson
Id: contact-person
Title: "Patientens kontaktperson"
Description: "Vem patienten vänder sig till om planen, och hur."
Context: CarePlan
* insert Artefact
* value[x] only ContactDetail
* value[x] 1..1

Extension: TargetPart
Id: target-part
Title: "Vilken del som avses"
Description: "Den del av resursen som en Provenance gäller: känsliga uppgifter släpps en och en."
Context: Provenance.target
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: LedBy
Id: led-by
Title: "Vem som leder planen"
Description: "Regionen eller kommunen, för en samordnad individuell plan."
Context: CarePlan
* insert Artefact
* value[x] only string
* value[x] 1..1

Extension: DisplaySince
Id: display-since
Title: "Benämningen gäller från"
Description: "Första dagen som en benämning gäller, på en designation."
Context: CodeSystem.concept.designation, ValueSet.expansion.contains.designation, Parameters.parameter
* insert Artefact
* value[x] only date
* value[x] 1..1

Extension: RecordedBy
Id: recorded-by
Title: "Vem som antecknade"
Description: "Den som antecknade ett samtycke, där ingen är namngiven som hörde det."
Context: Consent.meta
* insert Artefact
* value[x] only Reference(Practitioner or PractitionerRole)
* value[x] 1..1

Extension: SickLeaveCounted
Id: sick-leave-counted
Title: "Hur sjukfallet räknades"
Description: "På ett EpisodeOfCare som en översikt har räknat fram: inställningarna och siffrorna."
Context: EpisodeOfCare
* insert Artefact
* extension contains
    on 1..1 and
    gap 1..1 and
    maxDaysSinceEnd 1..1 and
    lastDay 1..1 and
    days 1..1 and
    degree 1..1 and
    certifiedDegree 0..* and
    activeCertificate 1..1 and
    certificate 1..* and
    rekoStatus 0..1
* extension[on].value[x] only date
* extension[gap].value[x] only integer
* extension[maxDaysSinceEnd].value[x] only integer
* extension[lastDay].value[x] only date
* extension[days].value[x] only integer
* extension[degree].value[x] only Quantity
* extension[certifiedDegree].value[x] only Quantity
* extension[activeCertificate].value[x] only Identifier
* extension[certificate].value[x] only Identifier
* extension[rekoStatus].value[x] only Coding
