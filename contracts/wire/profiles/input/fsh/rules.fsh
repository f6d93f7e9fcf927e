// How every artefact of this guide presents itself.
RuleSet: Artefact
* ^status = #active
* ^experimental = false
* ^language = #sv

RuleSet: Codes
* insert Artefact
* ^caseSensitive = true
* ^content = #complete

// A code with its Swedish display and its English one.
RuleSet: Code(code, swedish, english)
* {code} {swedish}
* {code} ^designation.language = #en
* {code} ^designation.value = {english}

RuleSet: Values
* insert Artefact

// The rule that an element obeys: its key in `condition`, its words in the invariant of that key.
RuleSet: Rule(path, rule)
* {path} ^condition = "{rule}"

RuleSet: OurProfile
* insert Artefact
* obeys modifier-not-understood
* implicitRules 0..0
* insert Rule(implicitRules, modifier-not-understood)
* modifierExtension 0..0
* insert Rule(modifierExtension, modifier-not-understood)

Invariant: modifier-not-understood
Description: "this changes the meaning in a way that is not understood here"
Expression: "modifierExtension.empty() and implicitRules.empty()"
Severity: #error

Invariant: patient-reference
Description: "a reference Patient/<id> is needed"
Expression: "(subject | patient).reference.matches('^(.*/)?Patient/[A-Za-z0-9.-]+(/_history/.*)?$')"
Severity: #error

Invariant: period-reversed
Description: "the period ends before it starts"
Expression: "(period | performed.ofType(Period) | provision.period).all(start.empty() or end.empty() or start <= end)"
Severity: #error
