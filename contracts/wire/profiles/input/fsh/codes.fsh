// Code systems of our own. Codes and Swedish displays are what the code of the service knows; a test compares them.

CodeSystem: ActivityKind
Id: activity-kind
Title: "Slag av koordineringsinsats"
Description: "Vad en koordineringsinsats var. Ett tillfälle kan vara flera slag."
* insert Codes
* insert Code(#personal-support, "Personligt stöd", "Personal support")
* insert Code(#internal-coordination, "Intern samordning", "Internal coordination")
* insert Code(#kartlaggning, "Kartläggning", "Needs mapping")
* insert Code(#plan, "Planering", "Planning")
* insert Code(#plan-followup, "Uppföljning av plan", "Follow-up of a plan")
* insert Code(#employer-contact, "Kontakt med arbetsgivare", "Contact with the employer")
* insert Code(#employment-service-contact, "Kontakt med Arbetsförmedlingen", "Contact with the employment service")
* insert Code(#fk-contact, "Kontakt med Försäkringskassan", "Contact with the social insurance agency")
* insert Code(#information-to-fk, "Information till Försäkringskassan", "Information to the social insurance agency")
* insert Code(#social-services-contact, "Kontakt med socialtjänsten", "Contact with social services")
* insert Code(#occupational-health-contact, "Kontakt med företagshälsovården", "Contact with occupational health")
* insert Code(#trepartsmote, "Trepartsmöte", "Meeting of patient and employer with care")
* insert Code(#avstamningsmote, "Avstämningsmöte", "Reconciliation meeting called by the social insurance agency")
* insert Code(#sip, "Samordnad individuell plan", "Coordinated individual plan")
* insert Code(#sip-followup, "Uppföljning av samordnad individuell plan", "Follow-up of a coordinated individual plan")

CodeSystem: ContactMode
Id: contact-mode
Title: "Kontaktsätt"
Description: "Hur den andra parten möttes."
* insert Codes
* insert Code(#visit, "Besök", "Visit")
* insert Code(#telephone, "Telefon", "Telephone")
* insert Code(#video, "Video", "Video")
* insert Code(#letter, "Brev", "Letter")
* insert Code(#message, "Meddelande", "Message")
* insert Code(#none, "Utan kontakt", "Without contact")

CodeSystem: NotDoneReason
Id: not-done-reason
Title: "Varför insatsen inte blev av"
Description: "Skäl till att en koordineringsinsats inte blev av."
* insert Codes
* insert Code(#no-answer, "Ingen svarade", "No answer")
* insert Code(#declined, "Patienten avböjde", "The patient declined")
* insert Code(#no-activity, "Ingen åtgärd", "No activity")

CodeSystem: ConsentKind
Id: consent-kind
Title: "Slag av samtycke"
Description: "Till att koordineras (lag 2019:1297 3 §) eller till att uppgifter lämnas ut till en namngiven mottagare."
* insert Codes
* insert Code(#coordination, "Samtycke till koordineringsinsatser", "Consent to coordination")
* insert Code(#disclosure, "Samtycke till utlämnande", "Consent to disclosure")

CodeSystem: InformationCategory
Id: information-category
Title: "Informationskategori"
Description: "Vad som får lämnas ut. Diagnos kryssas alltid för sig."
* insert Codes
* insert Code(#assumed_rehab_need, "Antaget rehabiliteringsbehov", "Assumed need of rehabilitation")
* insert Code(#meeting_participation, "Deltagande i möte", "Participation in a meeting")
* insert Code(#contact_details, "Kontaktuppgifter", "Contact details")
* insert Code(#sick_leave_period_and_degree, "Sjukskrivningens period och grad", "Period and degree of sick leave")
* insert Code(#tapering_plan, "Nedtrappningsplan", "Tapering plan")
* insert Code(#work_adjustments, "Anpassningar i arbetet", "Adjustments at work")
* insert Code(#activity_limitation, "Aktivitetsbegränsning", "Activity limitation")
* insert Code(#care_measures, "Vårdens åtgärder", "Measures of care")
* insert Code(#certificate_document, "Läkarintyget", "The certificate itself")
* insert Code(#diagnosis, "Diagnos", "Diagnosis")
* insert Code(#sensitive_circumstances, "Känsliga omständigheter", "Sensitive circumstances")

CodeSystem: RecipientKind
Id: recipient-kind
Title: "Slag av mottagare"
Description: "Vad en organisation är för enheten."
* insert Codes
* insert Code(#forsakringskassan, "Försäkringskassan", "Social insurance agency")
* insert Code(#arbetsformedlingen, "Arbetsförmedlingen", "Employment service")
* insert Code(#municipality, "Kommun", "Municipality")
* insert Code(#employer, "Arbetsgivare", "Employer")
* insert Code(#occupational-health, "Företagshälsovård", "Occupational health")
* insert Code(#union, "Fackförbund", "Trade union")
* insert Code(#other-care-provider, "Annan vårdgivare", "Another care provider")
* insert Code(#same-care-provider, "Samma vårdgivare", "The same care provider")
* insert Code(#regional-platform, "Regional dataplattform", "Regional data platform")
* insert Code(#record-system, "Journalsystem", "Record system")
* insert Code(#other, "Annan", "Other")

CodeSystem: NotificationTopic
Id: notification-topic
Title: "Ärende i dialogen"
Description: "Vad ett meddelande till en annan part gäller."
* insert Codes
* insert Code(#assumed-rehab-need, "Information enligt 4 §", "Information under section 4")
* insert Code(#avstamningsmote, "Avstämningsmöte", "Reconciliation meeting")
* insert Code(#contact, "Kontakt", "Contact")
* insert Code(#sip, "Samordnad individuell plan (SIP\)", "Coordinated individual plan")
* insert Code(#other, "Övrigt", "Other")
* insert Code(#complement, "Komplettering", "Complement of a certificate")
* insert Code(#reminder, "Påminnelse", "Reminder")

CodeSystem: WantedNextStep
Id: wanted-next-step
Title: "Önskat nästa steg"
Description: "Vad enheten önskar att den andra parten gör."
* insert Codes
* insert Code(#contact, "Kontakt", "Contact")
* insert Code(#meeting, "Möte", "Meeting")
* insert Code(#investigation, "Utredning", "Investigation")

CodeSystem: DialogueState
Id: dialogue-state
Title: "Var dialogen står"
Description: "Var en dialog med en annan part står, från bedömt behov till avslutat ärende."
* insert Codes
* insert Code(#consent-to-ask, "Samtycke ska frågas", "The patient is to be asked")
* insert Code(#consent-asked, "Samtycke efterfrågat", "The patient has been asked")
* insert Code(#consent-refused, "Patienten har sagt nej", "The patient has refused")
* insert Code(#to-approve, "Ska godkännas", "To be approved before sending")
* insert Code(#withheld, "Hålls inne", "Withheld")
* insert Code(#queued, "På väg", "On its way")
* insert Code(#needs-other-channel, "Behöver annan väg", "Needs another channel")
* insert Code(#parked, "Kom inte fram", "Did not arrive")
* insert Code(#informed, "Meddelad; svar väntas", "Told; an answer is awaited")
* insert Code(#answer-overdue, "Svar dröjer", "The answer is overdue")
* insert Code(#answered, "Svar har kommit", "An answer has come")
* insert Code(#accepted, "Ja", "Accepted")
* insert Code(#declined, "Nej med skäl", "Declined with a reason")
* insert Code(#more-information-asked, "Mer information begärd", "More information asked for")
* insert Code(#meeting-planned, "Möte planerat", "A meeting is planned")
* insert Code(#to-answer, "Fråga att besvara", "A question to answer")
* insert Code(#with-the-doctor, "Hos läkaren", "With the doctor")
* insert Code(#answer-sent, "Besvarad", "Answered by the unit")
* insert Code(#closed, "Avslutad", "Closed")
* insert Code(#taken-back, "Återtagen", "Taken back")

CodeSystem: AnswerSays
Id: answer-says
Title: "Vad ett svar säger"
Description: "Hur en person på enheten har läst den andra partens svar."
* insert Codes
* insert Code(#accepted, "Ja", "Yes")
* insert Code(#declined, "Nej", "No")
* insert Code(#more-information, "Mer information behövs", "More information is needed")
* insert Code(#meeting, "Möte", "A meeting")

CodeSystem: DialogueOutput
Id: dialogue-output
Title: "Vad dialogen har gett"
Description: "Vad som står i en dialogs uppgift om det som den andra parten har sagt."
* insert Codes
* insert Code(#answer, "Svar", "Answer")
* insert Code(#says, "Svaret säger", "The answer says")
* insert Code(#reason, "Skäl", "Reason")
* insert Code(#officer, "Handläggare", "Officer")
* insert Code(#next-step, "Nästa steg", "Next step")
* insert Code(#meeting, "Möte", "Meeting")
* insert Code(#follow-up, "Uppföljning", "Follow-up")
* insert Code(#plan, "Plan", "Plan")
* insert Code(#reminded, "Påmind", "Reminded")

CodeSystem: MeetingParticipant
Id: meeting-participant
Title: "Del i ett möte"
Description: "Vem som deltar i ett möte, och vem som gör vad där."
* insert Codes
* insert Code(#patient, "Patienten", "The patient")
* insert Code(#party, "Företräder en part", "Speaks for a party")
* insert Code(#person, "Enhetens personal eller någon som patienten tar med", "Of the unit\, or somebody whom the patient brings")
* insert Code(#chair, "Ordförande", "Chair")
* insert Code(#secretary, "Dokumenterar", "Documents the meeting")

CodeSystem: MeetingAnswer
Id: meeting-answer
Title: "Svar på kallelse"
Description: "Vad någon har sagt om att komma till ett möte."
* insert Codes
* insert Code(#not-yet, "Har inte svarat", "Has not answered")
* insert Code(#coming, "Kommer", "Is coming")
* insert Code(#not-coming, "Kommer inte", "Is not coming")

CodeSystem: MeetingOutput
Id: meeting-output
Title: "Vad mötet har gett"
Description: "Vad som står i ett mötes uppgift om det som kom ut av mötet."
* insert Codes
* insert Code(#activity, "Koordineringsinsats", "Coordination activity")
* insert Code(#outcome, "Vad mötet kom fram till", "What came of it")
* insert Code(#follow-up, "Hur det följs upp", "How it is followed up")
* insert Code(#follow-up-date, "När det följs upp", "When it is followed up")
* insert Code(#plan, "Plan", "Plan")
* insert Code(#no-plan, "Varför ingen plan", "Why there is no plan")
* insert Code(#documentation, "Dokumentation", "Documentation")
* insert Code(#shared, "Delad dokumentation", "Documentation that was shared")

CodeSystem: PlanKind
Id: plan-kind
Title: "Slag av plan"
Description: "Vems plan det är och vad den är till för."
* insert Codes
* insert Code(#sjukskrivnings-och-rehabiliteringsplan, "Sjukskrivnings- och rehabiliteringsplan", "Sick-leave and rehabilitation plan")
* insert Code(#rehabiliteringsplan, "Rehabiliteringsplan", "Rehabilitation plan")
* insert Code(#sip, "Samordnad individuell plan", "Coordinated individual plan")

// The words that all parties use, restated from what Region Uppsala teaches about work-life rehabilitation in cooperation.
CodeSystem: PlanMeasure
Id: plan-measure
Title: "Åtgärder med bestämd betydelse"
Description: "Ord i arbetslivsinriktad rehabilitering som betyder detsamma för alla parter. En åtgärd som inget av dem passar beskrivs i egna ord."
* insert Codes
* insert Code(#aktivering, "Aktivering", "Activation")
* #aktivering ^definition = "Medicinsk rehabilitering som ska få personen mer aktiv. Inga krav på vad som ska hinnas eller klaras i ett arbete."
* insert Code(#sysselsattning, "Sysselsättning", "Occupation")
* #sysselsattning ^definition = "En anpassad aktivitet på bestämda tider, ordnad av någon part. Personen väntas komma, men inga krav ställs som i ett arbete. I daglig verksamhet bara efter beslut enligt LSS."
* insert Code(#arbetstraning, "Arbetsträning", "Work training")
* #arbetstraning ^definition = "Träning på en arbetsplats i att klara vissa uppgifter. Försäkringskassan eller Arbetsförmedlingen beslutar om den."
* insert Code(#arbetsprovning, "Arbetsprövning", "Work assessment")
* #arbetsprovning ^definition = "En utredning av vad personen klarar, kroppsligt, psykiskt och socialt, jämfört med vad arbeten kräver, när sjukdom har satt ned arbetsförmågan."
* insert Code(#anstallning-med-stod, "Anställning med stöd", "Supported employment")
* #anstallning-med-stod ^definition = "En anställning för den som har en funktionsnedsättning, med stöd."
* insert Code(#praktik, "Praktik", "Work placement")
* #praktik ^definition = "Tid på en arbetsplats för att pröva ett arbete, få erfarenhet eller hålla kunskaper vid liv, när det är klart vad personen klarar."

CodeSystem: Principal
Id: principal
Title: "Vem som svarar för en åtgärd"
Description: "Huvudmännen för en samordnad individuell plan, och alla andra."
* insert Codes
* insert Code(#region, "Regionen", "The region")
* insert Code(#municipality, "Kommunen", "The municipality")
* insert Code(#other, "Någon annan", "Somebody else")

CodeSystem: PlanEvent
Id: plan-event
Title: "Vad som har hänt med en plan"
Description: "Det som antecknas om patientens eget dokument."
* insert Codes
* insert Code(#handed-over, "Planen lämnad till patienten", "Plan handed over to the patient")
* insert Code(#released-to-patient, "Känslig uppgift släppt till patienten", "Sensitive information released to the patient")

CodeSystem: EpisodeType
Id: episode-type
Title: "Slag av vårdepisod"
Description: "Vad en EpisodeOfCare är."
* insert Codes
* insert Code(#sjukfall, "Sjukfall", "Sick leave")
* insert Code(#coordination-case, "Koordineringsärende", "Coordination case")

CodeSystem: WorkAbility
Id: work-ability
Title: "Arbetsförmåga"
Description: "Vad en bedömning av arbetsförmågan och dess delar är."
* insert Codes
* insert Code(#work-ability, "Arbetsförmåga", "Work ability")
* insert Code(#assessed-reduction, "Bedömd nedsättning av arbetsförmågan", "Assessed reduction of work ability")
* insert Code(#reduction-level, "Sjukskrivningsnivå", "Level of sick leave")
* insert Code(#occupation, "Sysselsättning", "Occupation")

CodeSystem: CertificateType
Id: certificate-type
Title: "Intygstyp"
Description: "Slag av intyg som kan ligga till grund för ett sjukfall."
* insert Codes
* insert Code(#LISJP, "Läkarintyg för sjukpenning", "Medical certificate for sickness benefit")

CodeSystem: SickLeaveDegree
Id: kv-fkmu-0003
Title: "Sjukskrivningsnivå"
Description: "Nivåerna i läkarintyget. Kodverkets namn hos avsändaren är KV_FKMU_0003."
* insert Codes
* ^url = "https://rekobryggan.example/fhir/CodeSystem/KV_FKMU_0003"
* ^identifier.value = "KV_FKMU_0003"
* insert Code(#HELT_NEDSATT, "Helt nedsatt", "Fully reduced")
* insert Code(#TRE_FJARDEDEL, "Nedsatt med tre fjärdedelar", "Reduced by three quarters")
* insert Code(#HALFTEN, "Nedsatt med hälften", "Reduced by half")
* insert Code(#EN_FJARDEDEL, "Nedsatt med en fjärdedel", "Reduced by a quarter")

CodeSystem: Occupation
Id: kv-fkmu-0002
Title: "Sysselsättning"
Description: "Sysselsättning i läkarintyget. Kodverkets namn hos avsändaren är KV_FKMU_0002."
* insert Codes
* ^url = "https://rekobryggan.example/fhir/CodeSystem/KV_FKMU_0002"
* ^identifier.value = "KV_FKMU_0002"
* insert Code(#NUVARANDE_ARBETE, "Nuvarande arbete", "Present work")
* insert Code(#ARBETSSOKANDE, "Arbetssökande", "Seeking work")
* insert Code(#FORALDRALEDIG, "Föräldraledighet", "Parental leave")
* insert Code(#STUDIER, "Studier", "Studies")

CodeSystem: WorkMeasure
Id: kv-fkmu-0004
Title: "Arbetslivsinriktade åtgärder"
Description: "Åtgärder i läkarintyget, fråga 40 i version 1. Kodverkets namn hos avsändaren är KV_FKMU_0004."
* insert Codes
* ^url = "https://rekobryggan.example/fhir/CodeSystem/KV_FKMU_0004"
* ^identifier.value = "KV_FKMU_0004"
* insert Code(#EJ_AKTUELLT, "Ej aktuellt", "Not relevant")
* insert Code(#ARBETSTRANING, "Arbetsträning", "Work training")
* insert Code(#ARBETSANPASSNING, "Arbetsanpassning", "Adaptation of work")
* insert Code(#SOKA_NYTT_ARBETE, "Söka nytt arbete", "Seeking new work")
* insert Code(#BESOK_ARBETSPLATS, "Besök på arbetsplatsen", "Visit to the workplace")
* insert Code(#ERGONOMISK, "Ergonomisk bedömning", "Ergonomic assessment")
* insert Code(#HJALPMEDEL, "Hjälpmedel", "Aids")
* insert Code(#KONFLIKTHANTERING, "Konflikthantering", "Conflict resolution")
* insert Code(#KONTAKT_FHV, "Kontakt med företagshälsovård", "Contact with occupational health services")
* insert Code(#OMFORDELNING, "Omfördelning av arbetsuppgifter", "Redistribution of tasks")
* insert Code(#OVRIGA_ATGARDER, "Övriga åtgärder", "Other measures")

CodeSystem: Prognosis
Id: kv-fkmu-0006
Title: "Prognos för arbetsförmågan"
Description: "Prognosen i läkarintyget, fråga 39 i båda versionerna. Kodverkets namn hos avsändaren är KV_FKMU_0006."
* insert Codes
* ^url = "https://rekobryggan.example/fhir/CodeSystem/KV_FKMU_0006"
* ^identifier.value = "KV_FKMU_0006"
* insert Code(#STOR_SANNOLIKHET, "Åter med stor sannolikhet efter perioden", "Back after the period with great probability")
* insert Code(#SANNOLIKT_INTE, "Sannolikt inte åter", "Probably not back")
* insert Code(#PROGNOS_OKLAR, "Prognosen är oklar", "The prognosis is unclear")
* insert Code(#ATER_X_ANTAL_DGR, "Åter efter ett antal dagar", "Back after a number of days")
* insert Code(#ATER_X_ANTAL_MANADER, "Åter efter ett antal månader", "Back after a number of months")

CodeSystem: PrognosisDays
Id: kv-fkmu-0007
Title: "Dagar till återgång"
Description: "Antal dagar i läkarintyget, fråga 39 i version 1. Kodverkets namn hos avsändaren är KV_FKMU_0007."
* insert Codes
* ^url = "https://rekobryggan.example/fhir/CodeSystem/KV_FKMU_0007"
* ^identifier.value = "KV_FKMU_0007"
* insert Code(#TRETTIO_DGR, "30 dagar", "30 days")
* insert Code(#SEXTIO_DGR, "60 dagar", "60 days")
* insert Code(#NITTIO_DGR, "90 dagar", "90 days")
* insert Code(#HUNDRAATTIO_DAGAR, "180 dagar", "180 days")
* insert Code(#TREHUNDRASEXTIOFEM_DAGAR, "365 dagar", "365 days")

CodeSystem: RekoStatus
Id: reko-status
Title: "Rekostatus"
Description: "Statusarna i Rehabstöd, under dess egna id:n. Utan status betyder REKO_1."
* insert Codes
* insert Code(#REKO_1, "Utan status", "No status")
* insert Code(#REKO_2, "Kontaktad", "Contacted")
* insert Code(#REKO_3, "Aktiv", "Active")
* insert Code(#REKO_4, "Uppföljning", "Follow-up")
* insert Code(#REKO_5, "Avslutad", "Ended")
* insert Code(#REKO_6, "Avböjt", "Declined")
* insert Code(#REKO_7, "Lämnas utan åtgärd", "Left without action")
* insert Code(#REKO_8, "Medicinsk rehab", "Medical rehabilitation")

CodeSystem: RecordFlag
Id: record-flag
Title: "Flagga på en anteckning"
Description: "Sätts av tjänsten i meta.tag."
* insert Codes
* insert Code(#no-coordination-consent, "Samtycke till koordineringsinsatser saknas", "No consent to coordination on record")

CodeSystem: EngineMode
Id: sick-leave-engine-mode
Title: "Räknesätt för sjukfall"
Description: "Hur ett sjukfall har räknats fram."
* insert Codes
* insert Code(#corrected, "Rättat räknesätt", "Corrected")
* insert Code(#rehabstod, "Som Rehabstöd", "As Rehabstöd counts")

// KVÅ is Socialstyrelsen's. Only the codes that this service sets are here, in the words of the sources that are named.
CodeSystem: KvaSubset
Id: kva
Title: "KVÅ: koder för koordinering"
Description: "De KVÅ-koder som tjänsten sätter. Benämningarna är hämtade ur Västra Götalandsregionens sidor; Socialstyrelsens fil går före. En benämning som har ändrats bär datumet då den började gälla."
* insert Artefact
* ^url = $kva
* ^caseSensitive = true
* ^content = #fragment
* ^publisher = "Socialstyrelsen"
* ^copyright = "KVÅ ges ut av Socialstyrelsen."
* ^property[0].code = #validFrom
* ^property[0].type = #dateTime
* ^property[0].description = "Första dagen som koden får sättas. Saknas den är ingen källa känd."
* ^property[1].code = #source
* ^property[1].type = #string
* ^property[1].description = "Var benämningen står."
* #GC001 "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet"
* #GC001 ^designation[0].language = #sv
* #GC001 ^designation[0].value = "Rehabiliteringskoordinering för sjukskrivna"
* #GC001 ^designation[1].language = #sv
* #GC001 ^designation[1].value = "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet"
* #GC001 ^designation[1].extension[0].url = "https://rekobryggan.example/fhir/StructureDefinition/display-since"
* #GC001 ^designation[1].extension[0].valueDate = "2024-06-20"
* #GC001 ^designation[2].language = #en
* #GC001 ^designation[2].value = "Rehabilitation coordination measures to promote return to or entry into work"
* #GC001 ^property[0].code = #source
* #GC001 ^property[0].valueString = "VGR, regional medicinsk riktlinje 2024-06-20"
* #DV077 "Planering och framtagande av plan för rehabiliterande insatser under sjukskrivningsperioden med fokus på återgång i arbetslivet"
* #DV077 ^designation[0].language = #en
* #DV077 ^designation[0].value = "Planning and drawing up the plan for rehabilitation during sick leave"
* #DV077 ^property[0].code = #source
* #DV077 ^property[0].valueString = "VGR, webbsida Rehabiliteringskoordinering"
* #AW020 "Upprättande av rehabiliteringsplan"
* #AW020 ^designation[0].language = #en
* #AW020 ^designation[0].value = "Drawing up of a rehabilitation plan"
* #AW020 ^property[0].code = #validFrom
* #AW020 ^property[0].valueDateTime = "2021-01-01"
* #AW020 ^property[1].code = #source
* #AW020 ^property[1].valueString = "Socialstyrelsen, ny 2021"
* #AW026 "Uppföljning av sjukskrivnings- och rehabiliteringsplan"
* #AW026 ^designation[0].language = #en
* #AW026 ^designation[0].value = "Follow-up of the sick-leave and rehabilitation plan"
* #AW026 ^property[0].code = #source
* #AW026 ^property[0].valueString = "VGR, senare sida"
* #ZV506 "Kontakt med arbetsgivare via besök eller telefonsamtal"
* #ZV506 ^designation[0].language = #en
* #ZV506 ^designation[0].value = "Contact with the employer by visit or telephone"
* #ZV506 ^property[0].code = #source
* #ZV506 ^property[0].valueString = "VGR, webbsida Rehabiliteringskoordinering"
* #ZV502 "Kontakt med Arbetsförmedlingen via besök eller telefonsamtal"
* #ZV502 ^designation[0].language = #en
* #ZV502 ^designation[0].value = "Contact with the employment service by visit or telephone"
* #ZV502 ^property[0].code = #source
* #ZV502 ^property[0].valueString = "VGR, webbsida Rehabiliteringskoordinering"
* #AU124 "Upprättande av samordnad individuell plan"
* #AU124 ^designation[0].language = #en
* #AU124 ^designation[0].value = "Drawing up of a coordinated individual plan"
* #AU124 ^property[0].code = #source
* #AU124 ^property[0].valueString = "VGR, webbsida Rehabiliteringskoordinering"
* #UX301 "Uppföljning av samordnad individuell plan"
* #UX301 ^designation[0].language = #en
* #UX301 ^designation[0].value = "Follow-up of a coordinated individual plan"
* #UX301 ^property[0].code = #source
* #UX301 ^property[0].valueString = "VGR, webbsida Rehabiliteringskoordinering"
