// Search parameters beside those of R4.

Instance: ongoing
InstanceOf: SearchParameter
Usage: #definition
* url = "https://rekobryggan.example/fhir/SearchParameter/ongoing"
* version = "0.1.0"
* name = "ongoing"
* status = #active
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Sjukfall, bedömda perioder och intyg som pågår en dag: perioden överlappar dagen. En period utan slut pågår."
* code = #ongoing
* base[0] = #EpisodeOfCare
* base[1] = #Observation
* base[2] = #DocumentReference
* type = #date
* expression = "EpisodeOfCare.period | Observation.effective | DocumentReference.context.period"
* xpathUsage = #normal
* xpath = "f:EpisodeOfCare/f:period | f:Observation/f:effectiveDateTime | f:Observation/f:effectivePeriod | f:Observation/f:effectiveTiming | f:Observation/f:effectiveInstant | f:DocumentReference/f:context/f:period"
* multipleOr = true
* multipleAnd = true

Instance: episode-of-care
InstanceOf: SearchParameter
Usage: #definition
* url = "https://rekobryggan.example/fhir/SearchParameter/episode-of-care"
* version = "0.1.0"
* name = "episode-of-care"
* status = #active
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Det sjukfall som något hör till: tillägget workflow-episodeOfCare."
* code = #episode-of-care
* base[0] = #Observation
* base[1] = #Procedure
* base[2] = #CarePlan
* base[3] = #Communication
* base[4] = #CommunicationRequest
* base[5] = #CareTeam
* base[6] = #QuestionnaireResponse
* type = #reference
* expression = "(Observation | Procedure | CarePlan | Communication | CommunicationRequest | CareTeam | QuestionnaireResponse).extension.where(url = 'http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare').value"
* xpathUsage = #normal
* target = #EpisodeOfCare
* multipleOr = true
* multipleAnd = true

Instance: answer-due
InstanceOf: SearchParameter
Usage: #definition
* url = "https://rekobryggan.example/fhir/SearchParameter/answer-due"
* version = "0.1.0"
* name = "answer-due"
* status = #active
* experimental = false
* date = "2026-11-28"
* publisher = "Rekobryggan"
* description = "Den sista dagen för ett svar i en dialog: restriction.period."
* code = #answer-due
* base[0] = #Task
* type = #date
* expression = "Task.restriction.period"
* xpathUsage = #normal
* xpath = "f:Task/f:restriction/f:period"
* multipleOr = true
* multipleAnd = true
