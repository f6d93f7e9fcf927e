Profile: RekoProcedure
Parent: Procedure
Id: reko-procedure
Title: "Koordineringsinsats"
Description: "En utförd, planerad eller utebliven koordineringsinsats. KVÅ-koderna sätts av tjänsten. Om uppgifter om diagnos får stå avgörs av regionens profil (regeln kva-no-diagnosis), inte här."
* insert OurProfile
* obeys activity-kind and performed-when and not-done-uncoded and kva-one-main-code and patient-reference and period-reversed
* extension contains
    AccompanyingCode named accompanyingCode 0..* and
    ContactModeExtension named contactMode 0..1 and
    WithSickLeave named withSickLeave 0..1 and
    $episode named episode 0..*
* category 1..1 MS
* insert Rule(category, activity-kind)
* category.coding 1..*
* insert Rule(category.coding, activity-kind)
* category.coding ^slicing.discriminator.type = #value
* category.coding ^slicing.discriminator.path = "system"
* category.coding ^slicing.rules = #open
* category.coding contains kind 1..*
* insert Rule(category.coding[kind], activity-kind)
* category.coding[kind] from ActivityKinds (required)
* category.coding[kind].system 1..1
* category.coding[kind].system = $activityKind
* category.coding[kind].code 1..1
* insert Rule(category.coding[kind].code, activity-kind)
* code.coding ^slicing.discriminator.type = #value
* code.coding ^slicing.discriminator.path = "system"
* code.coding ^slicing.rules = #open
* code.coding contains kva 0..1
* insert Rule(code.coding[kva], kva-one-main-code)
* code.coding[kva].system 1..1
* code.coding[kva].system = $kva
* code.coding[kva].code 1..1
* insert Rule(code.coding[kva].code, kva-one-main-code)
* statusReason from NotDoneReasons (preferred)
* subject only Reference(Patient)
* insert Rule(subject, patient-reference)
* performed[x] only dateTime or Period
* insert Rule(performed[x], performed-when)

Invariant: activity-kind
Description: "what the activity was is required: a coding of the activity-kind code system"
Expression: "category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/activity-kind').exists()"
Severity: #error

Invariant: performed-when
Description: "when it was performed is a time or a period, not text, an age or a range; a completed activity says it"
Expression: "(performed.empty() or performed.is(dateTime) or performed.is(Period)) and (status != 'completed' or performed.is(dateTime) or performed.start.exists())"
Severity: #error

Invariant: not-done-uncoded
Description: "what did not come about says why by a code and what was tried in words, and carries no KVÅ code"
Expression: "status != 'not-done' or (statusReason.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/not-done-reason').exists() and code.text.exists() and code.coding.where(system = 'urn:oid:1.2.752.116.1.3.2.1.4').empty() and extension.where(url = 'https://rekobryggan.example/fhir/StructureDefinition/accompanying-code').empty())"
Severity: #error

Invariant: kva-one-main-code
Description: "codings in one code mean the same thing: one KVÅ code here, others as accompanying codes"
Expression: "code.coding.where(system = 'urn:oid:1.2.752.116.1.3.2.1.4').count() <= 1 and code.coding.where(system = 'urn:oid:1.2.752.116.1.3.2.1.4').all(code.exists())"
Severity: #error
