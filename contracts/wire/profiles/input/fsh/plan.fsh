Profile: RekoCarePlan
Parent: CarePlan
Id: reko-care-plan
Title: "Plan"
Description: "Enhetens egen plan: sjukskrivnings- och rehabiliteringsplan, rehabiliteringsplan eller SIP. Den bär ingen diagnos."
* insert OurProfile
* obeys plan-kind and plan-title and plan-measure and follow-up-day and plan-no-diagnosis and do-not-perform and patient-reference and period-reversed
* extension contains LedBy named ledBy 0..1 and ContactPerson named contactPerson 0..1 and $episode named episode 0..*
* category 1..*
* insert Rule(category, plan-kind)
* title 1..1
* insert Rule(title, plan-title)
* subject only Reference(Patient)
* insert Rule(subject, patient-reference)
* addresses 0..0
* insert Rule(addresses, plan-no-diagnosis)
* activity.detail.extension contains
    PlannedDegree named plannedDegree 0..1 and
    DecidedBy named decidedBy 0..1 and
    PrincipalExtension named principal 0..1 and
    PatientFirstContact named patientFirstContact 0..1 and
    InformationCategoryExtension named category 0..1
* activity.detail.code from PlanActivities (preferred)
* activity.detail.reasonCode 0..0
* insert Rule(activity.detail.reasonCode, plan-no-diagnosis)
* activity.detail.reasonReference only Reference(Observation or DiagnosticReport or DocumentReference)
* insert Rule(activity.detail.reasonReference, plan-no-diagnosis)
* activity.detail.doNotPerform = false
* insert Rule(activity.detail.doNotPerform, do-not-perform)

Invariant: plan-kind
Description: "whose plan it is and what for is required: a coding of the plan-kind code system, one of them"
Expression: "category.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/plan-kind').code.distinct().count() = 1"
Severity: #error

Invariant: plan-title
Description: "title is required here"
Expression: "title.exists()"
Severity: #error

Invariant: plan-measure
Description: "a measure is described in words"
Expression: "activity.detail.all(description.exists() or code.text.exists() or code.coding.display.exists() or code.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/activity-kind' and (code = 'plan-followup' or code = 'sip-followup')).exists())"
Severity: #error

Invariant: follow-up-day
Description: "a planned follow-up says its day: scheduledPeriod.start"
Expression: "activity.detail.where(code.coding.where(system = 'https://rekobryggan.example/fhir/CodeSystem/activity-kind' and (code = 'plan-followup' or code = 'sip-followup')).exists()).all(scheduled.ofType(Period).start.exists())"
Severity: #error

Invariant: plan-no-diagnosis
Description: "a plan carries no diagnosis and points at none"
Expression: "addresses.empty() and activity.detail.reasonCode.empty() and (activity.detail.reasonReference | supportingInfo).all(reference.matches('(^|.*/)Condition/.*').not() or reference.empty()) and contained.where($this is Condition).empty()"
Severity: #error

Invariant: do-not-perform
Description: "a measure that must not be taken, or a request not to tell, is not supported"
Expression: "(activity.detail.doNotPerform | doNotPerform).where($this = true).empty()"
Severity: #error

Invariant: tapering-degree-planned
Description: "a degree is a whole percentage, 0 to 100, in %, system http://unitsofmeasure.org, without a comparator"
Expression: "value.ofType(Quantity).all(value >= 0 and value <= 100 and value <= value.truncate() and system = 'http://unitsofmeasure.org' and code = '%' and comparator.empty())"
Severity: #error

Profile: RekoGoal
Parent: Goal
Id: reko-goal
Title: "Mål med nedtrappning"
Description: "Vad patienten och enheten arbetar mot. Nedtrappningen står i target: planerad sjukskrivningsgrad från en dag."
* insert OurProfile
* obeys tapering-degree and tapering-step and goal-no-diagnosis and patient-reference
* extension contains InformationCategoryExtension named category 0..1
* subject only Reference(Patient)
* insert Rule(subject, patient-reference)
* addresses 0..0
* insert Rule(addresses, goal-no-diagnosis)

Invariant: goal-no-diagnosis
Description: "a goal carries no diagnosis and points at none"
Expression: "addresses.empty() and contained.where($this is Condition).empty()"
Severity: #error

Invariant: tapering-degree
Description: "a degree is a whole percentage, 0 to 100"
Expression: "target.where(detail.ofType(Quantity).where(system = 'http://unitsofmeasure.org' and code = '%').exists() and (measure.empty() or measure.coding.where((system = 'http://snomed.info/sct' and code = '224459001') or system = 'https://rekobryggan.example/fhir/CodeSystem/work-ability').exists())).all(detail.ofType(Quantity).value >= 0 and detail.ofType(Quantity).value <= 100 and detail.ofType(Quantity).value <= detail.ofType(Quantity).value.truncate() and detail.ofType(Quantity).comparator.empty())"
Severity: #error

Invariant: tapering-step
Description: "a step has a day, and one degree for each day"
Expression: "target.where(detail.ofType(Quantity).where(system = 'http://unitsofmeasure.org' and code = '%').exists() and (measure.empty() or measure.coding.where((system = 'http://snomed.info/sct' and code = '224459001') or system = 'https://rekobryggan.example/fhir/CodeSystem/work-ability').exists())).all(due.ofType(date).exists()) and target.where(detail.ofType(Quantity).where(system = 'http://unitsofmeasure.org' and code = '%').exists() and (measure.empty() or measure.coding.where((system = 'http://snomed.info/sct' and code = '224459001') or system = 'https://rekobryggan.example/fhir/CodeSystem/work-ability').exists())).due.isDistinct()"
Severity: #error
