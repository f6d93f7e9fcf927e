Profile: RekoConsent
Parent: Consent
Id: reko-consent
Title: "Samtycke eller vägran"
Description: "Till koordineringsinsatser, eller till att uppgifter lämnas ut till en namngiven mottagare. En vägran är ett aktivt Consent med provision.type deny. Om ett samtycke är tillräckligt bestämt avgör reglerna för samtycke."
* insert OurProfile
* obeys consent-kind and consent-effect and consent-how and consent-given and consent-not-obeyed and consent-direction and consent-one-party and consent-purpose and consent-code and coordination-has-no-recipient and patient-reference and period-reversed
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains coordination 0..1 and disclosure 0..1
* category[coordination] = $consentKind#coordination
* category[disclosure] = $consentKind#disclosure
* patient 1..1
* insert Rule(patient, patient-reference)
* policy 1..*
* policy.uri 1..1
* verification.extension contains ConsentMode named mode 0..1
* provision.modifierExtension 0..0
* insert Rule(provision.modifierExtension, modifier-not-understood)
* provision.extension contains ConsentEndsWith named endsWith 0..1
* provision.actor ^slicing.discriminator.type = #pattern
* provision.actor ^slicing.discriminator.path = "role"
* provision.actor ^slicing.rules = #closed
* insert Rule(provision.actor, consent-not-obeyed)
* provision.actor contains recipient 0..1 and custodian 0..1
* insert Rule(provision.actor[recipient], consent-one-party)
* insert Rule(provision.actor[custodian], consent-one-party)
* provision.actor[recipient].role = $participationType#IRCP
* provision.actor[custodian].role = $participationType#CST
* provision.action 0..1
* insert Rule(provision.action, consent-direction)
* provision.action from ConsentDirections (required)
* provision.purpose from ConsentPurposes (required)
* insert Rule(provision.purpose, consent-purpose)
* provision.code from InformationCategories (required)
* insert Rule(provision.code, consent-code)
* provision.class 0..0
* insert Rule(provision.class, consent-not-obeyed)
* provision.securityLabel 0..0
* insert Rule(provision.securityLabel, consent-not-obeyed)
* provision.dataPeriod 0..0
* insert Rule(provision.dataPeriod, consent-not-obeyed)
* provision.data 0..0
* insert Rule(provision.data, consent-not-obeyed)
* provision.provision 0..0
* insert Rule(provision.provision, consent-not-obeyed)

Invariant: consent-kind
Description: "to coordination or to disclosure: a category of the consent-kind code system says which, one of them"
Expression: "category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/consent-kind').code.distinct().count() = 1 or (category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/consent-kind').empty() and (scope.coding.where(system = 'http://terminology.hl7.org/CodeSystem/consentscope' and code = 'treatment').exists() xor (scope.coding.where(system = 'http://terminology.hl7.org/CodeSystem/consentscope' and code = 'patient-privacy').exists() or category.coding.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ActCode' and code = 'IDSCL').exists())))"
Severity: #error

Invariant: consent-effect
Description: "whether the patient permits or denies is required"
Expression: "category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/consent-kind' and code = 'disclosure').empty() or provision.type.exists()"
Severity: #error

Invariant: consent-how
Description: "how the patient said it is required in a permission to disclose: a verification that was made, with the extension consent-mode"
Expression: "status != 'active' or provision.type != 'permit' or category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/consent-kind' and code = 'disclosure').empty() or verification.where(verified = true).extension.where(url = 'https://rekobryggan.example/fhir/StructureDefinition/consent-mode').exists()"
Severity: #error

Invariant: consent-given
Description: "when the patient said it is required in a permission: dateTime, or the date of a verification that was made"
Expression: "status != 'active' or provision.type = 'deny' or dateTime.exists() or verification.where(verified = true and extension.where(url = 'https://rekobryggan.example/fhir/StructureDefinition/consent-mode').exists()).verificationDate.exists()"
Severity: #error

Invariant: consent-not-obeyed
Description: "this limit is not supported: a rule that is stored but not obeyed would mislead (roles: IRCP and CST)"
Expression: "provision.provision.empty() and provision.data.empty() and provision.class.empty() and provision.securityLabel.empty() and provision.dataPeriod.empty() and provision.actor.role.all(coding.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType' and (code = 'IRCP' or code = 'CST')).exists())"
Severity: #error

Invariant: consent-direction
Description: "to tell and to ask are two consents: one never implies the other"
Expression: "provision.action.count() <= 1 and provision.action.coding.where(system = 'http://terminology.hl7.org/CodeSystem/consentaction').code.distinct().count() <= 1"
Severity: #error

Invariant: consent-purpose
Description: "a purpose is one of those that the consent rules decide on: COC or ELIGDTRM of v3-ActReason"
Expression: "provision.purpose.all(system = 'http://terminology.hl7.org/CodeSystem/v3-ActReason' and (code = 'COC' or code = 'ELIGDTRM'))"
Severity: #error

Invariant: consent-code
Description: "what may be told is an information category of ours: other codes are not understood"
Expression: "provision.code.all(coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/information-category').exists())"
Severity: #error

Invariant: consent-one-party
Description: "one party in each role: each has a consent of its own"
Expression: "provision.actor.role.coding.where(system = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType').code.isDistinct()"
Severity: #error

Invariant: coordination-has-no-recipient
Description: "a consent to coordination has no recipient: to tell somebody is a consent of its own"
Expression: "category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/consent-kind' and code = 'coordination').empty() or provision.actor.role.coding.where(code = 'IRCP').empty()"
Severity: #error
