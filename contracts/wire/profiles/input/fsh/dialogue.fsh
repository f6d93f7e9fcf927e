Profile: RekoCommunicationRequest
Parent: CommunicationRequest
Id: reko-communication-request
Title: "Begäran att meddela en part"
Description: "Vad enheten vill få sagt till en annan part. Den bär ingen diagnos."
* insert OurProfile
* obeys notification-topic and one-recipient and payload-text and payload-category and no-diagnosis and do-not-perform and patient-reference
* category 1..*
* insert Rule(category, notification-topic)
* subject 1..1
* subject only Reference(Patient)
* insert Rule(subject, patient-reference)
* recipient 1..1
* recipient only Reference(Organization)
* insert Rule(recipient, one-recipient)
* requester only Reference(PractitionerRole or Practitioner)
* extension contains Answers named answers 0..1 and WantedNextStepExtension named wanted 0..1 and InProgramme named inProgramme 0..1 and StatutoryDuty named duty 0..1
* payload 1..*
* insert Rule(payload, payload-text)
* payload.modifierExtension 0..0
* insert Rule(payload.modifierExtension, modifier-not-understood)
* payload.extension contains InformationCategoryExtension named category 0..1
* payload.content[x] only string or Attachment
* insert Rule(payload.content[x], payload-text)
* doNotPerform = false
* insert Rule(doNotPerform, do-not-perform)
* reasonCode 0..0
* insert Rule(reasonCode, no-diagnosis)
* reasonReference only Reference(Observation or DiagnosticReport or DocumentReference)
* insert Rule(reasonReference, no-diagnosis)

Invariant: notification-topic
Description: "what it is about is required: a coding of the notification-topic code system, one of them"
Expression: "category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/notification-topic').code.distinct().count() = 1"
Severity: #error

Invariant: one-recipient
Description: "one recipient, an Organization: whoever else is to be told has a request of its own"
Expression: "recipient.count() = 1"
Severity: #error

Invariant: payload-text
Description: "what is to be told is required: texts (contentString), and files by the address of their Binary (contentAttachment)"
Expression: "payload.exists() and payload.all(content is string or (content.url.startsWith('Binary/') and content.data.empty()))"
Severity: #error

Invariant: payload-category
Description: "which information category the text belongs to is required: the information-category extension"
Expression: "payload.all(extension.where(url = 'https://rekobryggan.example/fhir/StructureDefinition/information-category').exists()) or (payload.count() = 1 and category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/notification-topic' and code = 'assumed-rehab-need').exists())"
Severity: #error

Invariant: no-diagnosis
Description: "a request to tell somebody carries no diagnosis and points at none"
Expression: "reasonCode.empty() and (reasonReference | about).all(reference.matches('(^|.*/)Condition/.*').not() or reference.empty())"
Severity: #error

Profile: RekoCommunication
Parent: Communication
Id: reko-communication
Title: "Vad som har meddelats"
Description: "Vad som har sagts till en part, eller vad den har sagt, och när. Den bär ingen diagnos. Bara det som har kommit in utan att säga vem det gäller saknar patient."
* insert OurProfile
* subject only Reference(Patient)
* category from NotificationTopics (required)
* payload.extension contains ComplementedQuestion named question 0..1
* reasonCode 0..0
* reasonReference only Reference(Observation or DiagnosticReport or DocumentReference)

Profile: RekoNotificationTask
Parent: Task
Id: reko-notification-task
Title: "Uppgift: meddela en part"
Description: "En arbetsuppgift om en patient. Är dess code ett ärende i dialogen säger den vad som ska meddelas, vem som ber om det och vem som gör det."
* insert OurProfile
* obeys notification-task
* code from NotificationTopics (preferred)
* businessStatus from DialogueStates (preferred)
* for 1..1
* for only Reference(Patient)
* output.type from DialogueOutputs (preferred)
* reasonCode 0..0

Invariant: notification-task
Description: "a task to tell somebody says what (focus: CommunicationRequest or Communication), who asks (requester) and who does it (owner)"
Expression: "code.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/notification-topic').empty() or (focus.exists() and requester.exists() and owner.exists())"
Severity: #error
