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
* description = "Enhetens sjukfall, framräknade vid frågan ur de senast hämtade intygen. Fri text frågas bara med POST."
* affectsState = false
* code = #sick-leave-overview
* resource = #Organization
* system = false
* type = false
* instance = true
* insert Part(0, mode, in, 0, 1, code)
* insert Part(1, gap, in, 0, 1, integer)
* insert Part(2, maxDaysSinceEnd, in, 0, 1, integer)
* insert Part(3, unit, in, 0, 1, string)
* insert Part(4, doctor, in, 0, *, string)
* insert Part(5, length, in, 0, *, string)
* insert Part(6, endFrom, in, 0, 1, date)
* insert Part(7, endTo, in, 0, 1, date)
* insert Part(8, endsWithin, in, 0, 1, integer)
* insert Part(9, ageFrom, in, 0, 1, integer)
* insert Part(10, ageTo, in, 0, 1, integer)
* insert Part(11, chapter, in, 0, *, string)
* insert Part(12, status, in, 0, *, string)
* insert Part(13, occupation, in, 0, *, string)
* insert Part(14, text, in, 0, 1, string)
* insert Part(15, sort, in, 0, 1, string)
* insert Part(16, _count, in, 0, 1, integer)
* insert Part(17, return, out, 1, 1, Bundle)
* parameter[17].documentation = "En samling av EpisodeOfCare som räknats fram för frågan och inte sparas. En OperationOutcome säger hur gamla uppgifterna är."

Instance: episode-everything
InstanceOf: OperationDefinition
Usage: #definition
* url = "https://rekobryggan.example/fhir/OperationDefinition/episode-everything"
* version = "0.1.0"
* name = "EpisodeEverything"
* title = "Allt om ett sjukfall eller koordineringsärende"
* status = #active
* kind = #operation
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Patienten, vårdepisoden och allt som pekar på den, med personal och enheter som det i sin tur pekar på."
* affectsState = false
* code = #everything
* resource = #EpisodeOfCare
* system = false
* type = false
* instance = true
* insert Part(0, start, in, 0, 1, date)
* insert Part(1, end, in, 0, 1, date)
* insert Part(2, _since, in, 0, 1, instant)
* insert Part(3, _type, in, 0, 1, string)
* insert Part(4, _count, in, 0, 1, integer)
* insert Part(5, return, out, 1, 1, Bundle)
* parameter[3].documentation = "Resurstyper med komma emellan."

Instance: consent-decide
InstanceOf: OperationDefinition
Usage: #definition
* url = "https://rekobryggan.example/fhir/OperationDefinition/consent-decide"
* version = "0.1.0"
* name = "ConsentDecide"
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
* insert Part(0, patient, in, 1, 1, Reference)
* insert Part(1, recipient, in, 1, 1, Reference)
* insert Part(2, kind, in, 0, 1, code)
* insert Part(3, category, in, 1, *, code)
* insert Part(4, purpose, in, 0, 1, code)
* insert Part(5, direction, in, 0, 1, code)
* insert Part(6, basis, in, 0, 1, code)
* insert Part(7, why, in, 0, 1, string)
* insert Part(8, request, in, 0, 1, string)
* parameter[0].targetProfile = "http://hl7.org/fhir/StructureDefinition/Patient"
* parameter[1].targetProfile = "http://hl7.org/fhir/StructureDefinition/Organization"
* insert Bound(2, recipient-kind)
* insert Bound(3, information-category)
* insert Bound(4, consent-purpose)
* insert Bound(5, consent-direction)
* parameter[9].name = #source
* parameter[9].use = #in
* parameter[9].min = 0
* parameter[9].max = "50"
* parameter[9].documentation = "Varifrån uppgifterna kommer, om inte från den egna enheten: för spärrar."
* parameter[9].part[0].name = #unit
* parameter[9].part[0].use = #in
* parameter[9].part[0].min = 1
* parameter[9].part[0].max = "1"
* parameter[9].part[0].type = #Reference
* parameter[9].part[1].name = #provider
* parameter[9].part[1].use = #in
* parameter[9].part[1].min = 1
* parameter[9].part[1].max = "1"
* parameter[9].part[1].type = #Reference
* insert Part(10, permitted, out, 1, 1, boolean)
* insert Part(11, basis, out, 1, 1, code)
* insert Part(12, reason, out, 1, *, code)
* insert Part(13, consent, out, 0, *, Reference)
* insert Part(14, at, out, 1, 1, instant)
* insert Part(15, decision, out, 1, 1, string)
* parameter[15].documentation = "Numret som beslutet är sparat under."

Instance: careplan-patient-document
InstanceOf: OperationDefinition
Usage: #definition
* url = "https://rekobryggan.example/fhir/OperationDefinition/careplan-patient-document"
* version = "0.1.0"
* name = "CarePlanPatientDocument"
* title = "Patientens eget dokument"
* status = #active
* kind = #operation
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Planen i klarspråk för patienten, som den nu är. Det som är känsligt är med först när det har släppts. Accept: text/html eller application/pdf ger dokumentet självt, FHIR:s format en Binary om det."
* affectsState = false
* code = #patient-document
* resource = #CarePlan
* system = false
* type = false
* instance = true
* insert Part(0, form, in, 0, 1, code)
* insert Part(1, return, out, 1, 1, Binary)
* parameter[0].documentation = "Vad Binary ska hålla: html, som den gör annars, eller pdf."

Instance: careplan-release
InstanceOf: OperationDefinition
Usage: #definition
* url = "https://rekobryggan.example/fhir/OperationDefinition/careplan-release"
* version = "0.1.0"
* name = "CarePlanRelease"
* title = "Släpp känsliga uppgifter till patienten"
* status = #active
* kind = #operation
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "En person släpper känsliga uppgifter i planen, så att de står i patientens dokument. Vem, när och varför sparas i en Provenance. Bara det som släpps, i den version som gäller nu: ändras det måste det släppas på nytt."
* affectsState = true
* code = #release
* resource = #CarePlan
* system = false
* type = false
* instance = true
* insert Part(0, part, in, 1, *, string)
* insert Part(1, why, in, 1, 1, string)
* insert Part(2, return, out, 1, 1, Provenance)
* parameter[0].documentation = "Vad som släpps: som GET /api/plans/[id] nämner det."

Instance: careplan-hand-over
InstanceOf: OperationDefinition
Usage: #definition
* url = "https://rekobryggan.example/fhir/OperationDefinition/careplan-hand-over"
* version = "0.1.0"
* name = "CarePlanHandOver"
* title = "Anteckna att planen har lämnats till patienten"
* status = #active
* kind = #operation
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Patienten har fått sitt dokument. Dokumentet sparas som det lämnades, och en Communication säger vilken version, när, hur och av vem."
* affectsState = true
* code = #hand-over
* resource = #CarePlan
* system = false
* type = false
* instance = true
* insert Part(0, how, in, 1, 1, code)
* insert Part(1, version, in, 1, 1, integer)
* insert Part(2, at, in, 0, 1, dateTime)
* insert Part(3, why, in, 0, 1, string)
* insert Part(4, return, out, 1, 1, Communication)
* parameter[0].documentation = "paper, read-together eller digital."
* parameter[1].documentation = "Versionen som lämnades; den som gäller nu."
* parameter[3].documentation = "Krävs när patientens identitet är skyddad och planen inte läses tillsammans."

RuleSet: Part(index, name, use, min, max, type)
* parameter[{index}].name = #{name}
* parameter[{index}].use = #{use}
* parameter[{index}].min = {min}
* parameter[{index}].max = "{max}"
* parameter[{index}].type = #{type}

RuleSet: Bound(index, valueset)
* parameter[{index}].binding.strength = #required
* parameter[{index}].binding.valueSet = "https://rekobryggan.example/fhir/ValueSet/{valueset}"

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
