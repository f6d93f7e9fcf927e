Profile: RekoMeeting
Parent: Task
Id: reko-meeting
Title: "Möte"
Description: "Ett avstämningsmöte, trepartsmöte eller SIP-möte om en patient: planerat, hållet eller inställt. Dess versioner är dess historia. Det bär ingen diagnos."
* insert OurProfile
* obeys meeting-kind
* extension contains ContactModeExtension named contactMode 0..1 and WithSickLeave named withSickLeave 0..1
* status from MeetingStatuses (required)
* intent = #plan
* code 1..1
* insert Rule(code, meeting-kind)
* code.coding 1..*
* insert Rule(code.coding, meeting-kind)
* code.coding ^slicing.discriminator.type = #value
* code.coding ^slicing.discriminator.path = "system"
* code.coding ^slicing.rules = #open
* code.coding contains kind 1..*
* insert Rule(code.coding[kind], meeting-kind)
* code.coding[kind] from ActivityKinds (required)
* code.coding[kind].system 1..1
* code.coding[kind].system = $activityKind
* code.coding[kind].code 1..1
* insert Rule(code.coding[kind].code, meeting-kind)
* for 1..1
* for only Reference(Patient)
* owner 1..1
* owner only Reference(Organization)
* reasonReference 0..0
* input 1..*
* input.type from MeetingParticipants (required)
* input.extension contains
    PartyKind named partyKind 0..1 and
    ParticipantName named name 0..1 and
    MeetingAnswerExtension named answer 0..1 and
    Came named came 0..1 and
    Invitation named invitation 0..1
* output.type from MeetingOutputs (required)
* output.extension contains
    PartyKind named partyKind 0..1 and
    SharedWith named sharedWith 0..1 and
    SharedAt named sharedAt 0..1 and
    SharedBasis named sharedBasis 0..1

Invariant: meeting-kind
Description: "which meeting it is is required: one coding of the activity-kind code system that is a meeting; others say what else the occasion was"
Expression: "code.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/activity-kind' and (code = 'avstamningsmote' or code = 'trepartsmote' or code = 'sip' or code = 'sip-followup')).code.distinct().count() = 1"
Severity: #error
