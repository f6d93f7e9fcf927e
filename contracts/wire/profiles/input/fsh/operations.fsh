// Operations of our own. The JSON API has the same under other addresses.

Instance: sick-leave-overview
InstanceOf: OperationDefinition
Usage: #definition
* url = "https://rekobryggan.example/fhir/OperationDefinition/sick-leave-overview"
* version = "0.1.0"
* name = "SickLeaveOverview"
* title = "Enhetens sjukfall"
* status = #active
* kind = #operation
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Enhetens sjukfall, framräknade vid frågan ur de senast hämtade intygen."
* affectsState = false
* code = #sick-leave-overview
* resource = #Organization
* system = false
* type = false
* instance = true
* parameter[0].name = #return
* parameter[0].use = #out
* parameter[0].min = 1
* parameter[0].max = "1"
* parameter[0].documentation = "En samling av EpisodeOfCare och det de bygger på."
* parameter[0].type = #Bundle

Instance: decide
InstanceOf: OperationDefinition
Usage: #definition
* url = "https://rekobryggan.example/fhir/OperationDefinition/decide"
* version = "0.1.0"
* name = "Decide"
* title = "Får detta lämnas ut?"
* status = #active
* kind = #operation
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Får anroparens enhet nu lämna ut dessa kategorier om patienten till mottagaren? Svaret bär alla skäl och de samtycken det vilar på, och sparas."
* affectsState = true
* code = #decide
* resource = #Consent
* system = false
* type = true
* instance = false
* parameter[0].name = #patient
* parameter[0].use = #in
* parameter[0].min = 1
* parameter[0].max = "1"
* parameter[0].type = #Reference
* parameter[0].targetProfile = "http://hl7.org/fhir/StructureDefinition/Patient"
* parameter[1].name = #recipient
* parameter[1].use = #in
* parameter[1].min = 1
* parameter[1].max = "1"
* parameter[1].type = #Reference
* parameter[1].targetProfile = "http://hl7.org/fhir/StructureDefinition/Organization"
* parameter[2].name = #category
* parameter[2].use = #in
* parameter[2].min = 1
* parameter[2].max = "*"
* parameter[2].type = #code
* parameter[2].binding.strength = #required
* parameter[2].binding.valueSet = "https://rekobryggan.example/fhir/ValueSet/information-category"
* parameter[3].name = #purpose
* parameter[3].use = #in
* parameter[3].min = 0
* parameter[3].max = "1"
* parameter[3].type = #code
* parameter[3].binding.strength = #required
* parameter[3].binding.valueSet = "https://rekobryggan.example/fhir/ValueSet/consent-purpose"
* parameter[4].name = #direction
* parameter[4].use = #in
* parameter[4].min = 0
* parameter[4].max = "1"
* parameter[4].type = #code
* parameter[4].binding.strength = #required
* parameter[4].binding.valueSet = "https://rekobryggan.example/fhir/ValueSet/consent-direction"
* parameter[5].name = #permitted
* parameter[5].use = #out
* parameter[5].min = 1
* parameter[5].max = "1"
* parameter[5].type = #boolean
* parameter[6].name = #reason
* parameter[6].use = #out
* parameter[6].min = 1
* parameter[6].max = "*"
* parameter[6].type = #code
* parameter[7].name = #consent
* parameter[7].use = #out
* parameter[7].min = 0
* parameter[7].max = "*"
* parameter[7].type = #Reference
* parameter[7].targetProfile = "http://hl7.org/fhir/StructureDefinition/Consent"

Instance: reko-server
InstanceOf: CapabilityStatement
Usage: #definition
* url = "https://rekobryggan.example/fhir/CapabilityStatement/reko-server"
* version = "0.1.0"
* name = "RekoServer"
* title = "Vad en server för koordinering gör"
* status = #active
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Kraven på en server enligt denna guide. Vad en server som körs gör står i dess /metadata. Patient, Practitioner, PractitionerRole och Organization följer HL7 Sveriges basprofiler 1.1.0."
* kind = #requirements
* fhirVersion = #4.0.1
* format = #json
* implementationGuide = "http://hl7.se/fhir/ig/base/ImplementationGuide/hl7se.fhir.base|1.1.0"
* rest.mode = #server
* rest.resource[0].type = #Patient
* rest.resource[0].supportedProfile = "http://hl7.se/fhir/ig/base/StructureDefinition/SEBasePatient"
* rest.resource[1].type = #Practitioner
* rest.resource[1].supportedProfile = "http://hl7.se/fhir/ig/base/StructureDefinition/SEBasePractitioner"
* rest.resource[2].type = #PractitionerRole
* rest.resource[2].supportedProfile = "http://hl7.se/fhir/ig/base/StructureDefinition/SEBasePractitionerRole"
* rest.resource[3].type = #Organization
* rest.resource[3].supportedProfile = "http://hl7.se/fhir/ig/base/StructureDefinition/SEBaseOrganization"
* insert Served(4, Consent, reko-consent)
* insert Served(5, CarePlan, reko-care-plan)
* insert Served(6, Goal, reko-goal)
* insert Served(7, Procedure, reko-procedure)
* insert Served(8, CommunicationRequest, reko-communication-request)
* insert Served(9, Communication, reko-communication)
* insert Served(10, Task, reko-notification-task)
* insert Served(11, EpisodeOfCare, reko-episode-of-care)
* insert Served(12, Observation, reko-work-capacity)
* insert Served(13, DocumentReference, reko-certificate)

RuleSet: Served(index, type, profile)
* rest.resource[{index}].type = #{type}
* rest.resource[{index}].supportedProfile = "https://rekobryggan.example/fhir/StructureDefinition/{profile}"
* rest.resource[{index}].interaction[0].code = #read
* rest.resource[{index}].interaction[1].code = #search-type
