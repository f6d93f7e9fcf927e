Profile: RekoEpisodeOfCare
Parent: EpisodeOfCare
Id: reko-episode-of-care
Title: "Sjukfall eller ärende"
Description: "Ett sjukfall på en enhet, skrivet av tjänsten, utan slut medan det pågår; eller ett annat ärende. Det bär ingen diagnos."
* insert OurProfile
* obeys sick-leave-complete
* type ^slicing.discriminator.type = #pattern
* type ^slicing.discriminator.path = "$this"
* type ^slicing.rules = #open
* type contains sickLeave 0..1
* type[sickLeave] = $episodeType#sjukfall
* diagnosis 0..0

Invariant: sick-leave-complete
Description: "a sick leave (sjukfall) has an identifier, the unit that it is counted on, and a first day"
Expression: "type.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/episode-type' and code = 'sjukfall').empty() or (identifier.exists() and managingOrganization.exists() and period.start.exists())"
Severity: #error

Profile: RekoWorkCapacity
Parent: Observation
Id: reko-work-capacity
Title: "Bedömd arbetsförmåga"
Description: "En period och en grad i ett läkarintyg. Skrivs av tjänsten; bär ingen diagnos."
* insert OurProfile
* extension contains $episode named episode 0..1
* category 1..*
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains workAbility 1..1
* category[workAbility] = $workAbility#work-ability
* code = $sct#224459001
* subject 1..1
* subject only Reference(Patient)
* focus 0..0
* effective[x] 1..1
* effective[x] only Period
* effectivePeriod.start 1..1
* effectivePeriod.end 1..1
* issued 1..1
* performer 1..*
* value[x] 1..1
* value[x] only Quantity
* valueQuantity.value 1..1
* valueQuantity.system 1..1
* valueQuantity.system = $ucum
* valueQuantity.code 1..1
* valueQuantity.code = #%
* note 0..0
* hasMember 0..0
* derivedFrom 1..1
* derivedFrom only Reference(DocumentReference)
* component ^slicing.discriminator.type = #pattern
* component ^slicing.discriminator.path = "code"
* component ^slicing.rules = #open
* component contains level 0..1 and occupation 0..*
* component[level].code = $workAbility#reduction-level
* component[level].value[x] only CodeableConcept
* component[level].value[x] 1..1
* component[level].valueCodeableConcept from SickLeaveDegrees (required)
* component[occupation].code = $workAbility#occupation
* component[occupation].value[x] only CodeableConcept
* component[occupation].value[x] 1..1
* component[occupation].valueCodeableConcept from Occupations (extensible)

Profile: RekoCertificate
Parent: DocumentReference
Id: reko-certificate
Title: "Läkarintyg"
Description: "Intyget som perioderna kommer ur. Skrivs av tjänsten. Märkningen säger att pappret bakom innehåller en diagnos; denna resurs gör det inte."
* insert OurProfile
* masterIdentifier 1..1
* masterIdentifier.system 1..1
* masterIdentifier.system = "https://rekobryggan.example/fhir/identifier/certificate"
* masterIdentifier.value 1..1
* type 1..1
* type = $certificateType#LISJP
* subject 1..1
* subject only Reference(Patient)
* custodian 1..1
* securityLabel 1..*
* securityLabel ^slicing.discriminator.type = #pattern
* securityLabel ^slicing.discriminator.path = "$this"
* securityLabel ^slicing.rules = #open
* securityLabel contains diagnosis 1..1
* securityLabel[diagnosis] = $actCode#DIA
* content.attachment.data 0..0
* context 1..1
* context.period 1..1
* context.related 0..0
