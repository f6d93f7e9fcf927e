"""Messages of the RIV-TA contracts as outlines: what stands in what, in which order and how often, and an example of each.

One line per element: ``name``, then ``?`` (may be left out), ``+`` (may stand again) or ``*`` (both), then
an attribute (``@id=26``) and its text.
A line that is indented stands in the one above. A prefix holds for what is below it too. ``...`` is where foreign elements
may stand. From one outline come the message, whole, and what its schema must say of each element.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

_MARKS = "?+*"


@dataclass(slots=True)
class Node:
    """One element. ``mark`` is ``""`` for exactly once."""

    name: str
    mark: str = ""
    text: str = ""
    below: list["Node"] = field(default_factory=list)

    @property
    def local(self) -> str:
        return self.name.partition(":")[2]

    @property
    def is_open(self) -> bool:
        return any(each.name == "..." for each in self.below)

    def paths(self, above: str = "") -> Iterator[tuple[str, "Node"]]:
        """Everything below with its path in local names, as ``path_of`` writes it."""
        for each in self.below:
            if each.name != "...":
                path = f"{above}/{each.local}".lstrip("/")
                yield path, each
                yield from each.paths(path)

    def marked(self, marks: str) -> set[str]:
        return {path for path, node in self.paths() if node.mark and node.mark in marks}

    def opened(self) -> set[str]:
        return {path for path, node in self.paths() if node.is_open} | ({""} if self.is_open else set())

    def built(self, el: Callable[..., etree._Element]) -> etree._Element:
        """The message. ``el(name, *content)`` makes an element."""
        children = [el("x:more") if each.name == "..." else each.built(el) for each in self.below]
        attribute, _, text = self.text.removeprefix("@").partition(" ") if self.text[:1] == "@" else ("", "", self.text)
        made = el(self.name, *([text] if text else []), *children)
        if attribute:
            made.set(*attribute.split("="))
        return made


def read(outline: str) -> Node:
    """The outline's root."""
    path: list[tuple[int, Node]] = []
    for line in filter(str.strip, outline.splitlines()):
        indent = len(line) - len(line.lstrip())
        path = [(depth, node) for depth, node in path if depth < indent]
        name, _, text = line.strip().partition(" ")
        mark = name[-1] if name[-1] in _MARKS else ""
        name = name.rstrip(_MARKS)
        if path and name != "..." and ":" not in name:
            name = f"{path[-1][1].name.partition(':')[0]}:{name}"
        node = Node(name, mark, text.strip())
        if path:
            path[-1][1].below.append(node)
        path.append((indent, node))
    return path[0][1]


CONSENT_CHECK = """
cc:CheckConsent
  accessingActor
    co:employeeId SE2321000131-P1
    co:careProviderId SE2321000131-E1
    co:careUnitId SE2321000131-E2
    ...
  patientId
    co:root 1.2.752.129.2.1.3.1
    co:extension? {number}
    ...
  ...
"""
CONSENT_CHECKED = """
cc:CheckConsentResponse
  checkResult
    co:result
      resultCode OK
      resultText? Giltigt
      ...
    co:hasConsent true
    co:assertionType? Consent
    ...
  ...
"""
CONSENT_REGISTRATION = """
cr:RegisterExtendedConsent
  assertionId 0190a5e2-0000-7000-8000-000000000001
  assertionType Consent
  scope NationalLevel
  patientId
    co:root 1.2.752.129.2.1.3.1
    co:extension? {number}
    ...
  careProviderId SE2321000131-E1
  careUnitId SE2321000131-E2
  employeeId? SE2321000131-P1
  startDate? 2026-03-02T09:30:00
  endDate? 2026-03-09T09:30:00
  representedBy?
    co:root 1.2.752.129.2.1.3.1
    co:extension? {number}
    ...
  registrationAction
    co:requestDate 2026-03-02T09:30:00
    co:requestedBy
      employeeId SE2321000131-P1
      assignmentId? SE2321000131-M1
      assignmentName? Rehabkoordinering
      ...
    co:registrationDate 2026-03-02T09:30:00
    co:registeredBy
      employeeId SE2321000131-P1
      assignmentId? SE2321000131-M1
      assignmentName? Rehabkoordinering
      ...
    co:reasonText? Samordning
    ...
  ...
"""
CONSENT_REGISTERED = """
cr:RegisterExtendedConsentResponse
  result
    co:resultCode ALREADYEXISTS
    co:resultText? Finns
    ...
  ...
"""
LOG_ROW = """
ls:StoreLog
  log+
    lo:logId 0190a5e2-0000-7000-8000-000000000001
    lo:system
      systemId SE2321000131-S1
      systemName? reko
      ...
    lo:activity
      activityType Läsa
      activityLevel? Sjukfall
      activityArgs? a
      startDate 2026-03-02T09:30:00+01:00
      purpose Vård och behandling
      ...
    lo:user
      userId SE2321000131-P1
      name? Kim Koordinator
      personId?
        root 1.2.752.129.2.1.3.1
        extension? {number}
        ...
      assignment? Rehabkoordinering
      title? Rehabiliteringskoordinator
      careProvider
        careProviderId SE2321000131-E1
        careProviderName? Regionen
        ...
      careUnit
        careUnitId SE2321000131-E2
        careUnitName? Vårdcentralen
        ...
      ...
    lo:resources
      resource+
        resourceType Sjukfall
        patient?
          patientId
            root 1.2.752.129.2.1.3.1
            extension? {number}
            ...
          patientName? Anna Test
          ...
        careProvider
          careProviderId SE2321000131-E1
          careProviderName? Regionen
          ...
        careUnit?
          careUnitId SE2321000131-E2
          careUnitName? Vårdcentralen
          ...
        ...
      ...
    ...
  ...
"""
LOG_STORED = """
ls:StoreLogResponse
  result
    lo:resultCode OK
    lo:resultText? Sparat
    ...
  ...
"""
BLOCK_CHECK = """
bc:CheckBlocks
  accessingActor
    bl:employeeId SE2321000131-P1
    bl:careProviderId SE2321000131-E1
    bl:careUnitId SE2321000131-E2
    ...
  patientId
    bl:root 1.2.752.129.2.1.3.1
    bl:extension? {number}
    ...
  informationEntities+
    bl:informationStartDate 2026-03-02T09:30:00
    bl:informationEndDate 2026-03-02T09:30:00
    bl:informationCareUnitId SE2321000131-E3
    bl:informationCareProviderId SE2321000131-E1
    bl:informationType? lak
    bl:rowNumber 0
    ...
  ...
"""
BLOCK_CHECKED = """
bc:CheckBlocksResponse
  checkBlocksResult
    bl:result
      resultCode OK
      resultText? Kontrollerat
      ...
    bl:checkResults*
      status BLOCKED
      rowNumber 0
      ...
    ...
  ...
"""
CERTIFICATE_ASKED = """
g:GetCertificate
  intygs-id
    t:root SE2321000131-E2
    t:extension i1
  part
    t:code FKASSA
    t:codeSystem 769bb12b-bd9f-4203-a5cd-fd14f2eb3b80
    t:displayName? Försäkringskassan
  ...
"""
CERTIFICATE = """
g:GetCertificateResponse
  intyg
    c:intygs-id
      t:root SE2321000131-E2
      t:extension i1
    c:mottagare*
      t:code FKASSA
      t:codeSystem 769bb12b-bd9f-4203-a5cd-fd14f2eb3b80
      t:displayName? Försäkringskassan
    c:typ
      t:code LISJP
      t:codeSystem b64ea353-e8f6-4832-b563-fc7d46f29548
      t:displayName? Läkarintyg för sjukpenning
    c:version 2.0
    c:signeringstidpunkt? 2026-03-02T09:30:00
    c:skickatTidpunkt? 2026-03-02T09:31:00
    c:patient
      person-id
        t:root 1.2.752.129.2.1.3.1
        t:extension {number}
      fornamn Anna
      efternamn Test
      mellannamn? Maria
      postadress Gatan 1
      postnummer 12345
      postort Staden
      e:kallaAdressuppgifter?
        t:code PU
        t:codeSystem 4ade8de2-effe-41d0-b177-fedc820e69fa
        t:displayName? Personuppgiftstjänsten
    c:skapadAv
      personal-id
        t:root 1.2.752.129.2.1.4.1
        t:extension SE2321000131-P4
      fullstandigtNamn Lo Läkare
      forskrivarkod? 0000000
      befattning*
        t:code 201010
        t:codeSystem 1.2.752.129.2.2.1.4
        t:displayName? Överläkare
      enhet
        enhets-id
          t:root 1.2.752.129.2.1.4.1
          t:extension SE2321000131-E2
        arbetsplatskod
          t:root 1.2.752.29.4.71
          t:extension 0000000
        enhetsnamn Vårdcentralen
        postadress Gatan 2
        postnummer 12345
        postort Staden
        telefonnummer 0101234567
        epost? vc@example.org
        vardgivare
          vardgivare-id
            t:root 1.2.752.129.2.1.4.1
            t:extension SE2321000131-E1
          vardgivarnamn Regionen
          ...
        ...
      specialistkompetens*
        t:code 7199
        t:displayName? Allmänmedicin
      e:legitimeratYrke*
        t:code LK
        t:codeSystem 1.2.752.29.23.1.6
        t:displayName? Läkare
    c:relation*
      typ
        t:code FRLANG
        t:codeSystem c2362fcd-eda0-4f9a-bd13-b3bbaf7f2146
        t:displayName? Förlängning
      intygs-id
        t:root SE2321000131-E2
        t:extension i0
      ...
    c:status*
      part
        t:code FKASSA
        t:codeSystem 769bb12b-bd9f-4203-a5cd-fd14f2eb3b80
        t:displayName? Försäkringskassan
      status
        t:code SENTTO
        t:codeSystem 9871cd17-8755-4ed9-b894-ff3729e775a4
        t:displayName? Skickat
      tidpunkt 2026-03-02T09:31:00
      ...
    c:svar* @id=26
      instans? 1
      delsvar+ @id=26.1 true
        ...
      ...
    e:underskrift?
      ...
  ...
"""
CREDENTIALS_ASKED = """
ac:GetCredentialsForPersonIncludingProtectedPerson
  personHsaId SE2321000131-P1
  searchBase? c=SE
  includeFeignedObject? false
  ac1:profile? extended1
"""
CREDENTIALS = """
ac:GetCredentialsForPersonIncludingProtectedPersonResponse
  credentialInformation*
    am:givenName? Kim
    am:middleAndSurName Koordinator
    am:personHsaId SE2321000131-P1
    am:healthCareProfessionalLicence* Läkare
    am:personalPrescriptionCode? 0000000
    am:groupPrescriptionCode* 0000000
    am:nursePrescriptionRight*
      healthCareProfessionalLicence SJ
      prescriptionRight true
      ...
    am:hsaSystemRole*
      systemId INTYG
      role Rehab-SE2321000131-E2
      ...
    am:paTitleCode* 201010
    am:protectedPerson? true
    am:commission*
      commissionName Rehabkoordinering
      commissionHsaId SE2321000131-M1
      commissionPurpose Vård och behandling
      commissionRight*
        activity Läsa
        informationClass alla
        scope VE
        ...
      healthCareUnitHsaId? SE2321000131-E2
      healthCareUnitName? Vårdcentralen
      healthCareUnitStartDate? 2020-01-01T00:00:00
      healthCareUnitEndDate? 2030-01-01T00:00:00
      healthCareProviderHsaId SE2321000131-E1
      healthCareProviderName Regionen
      healthCareProviderOrgNo 2321000131
      healthCareProviderStartDate? 2020-01-01T00:00:00
      healthCareProviderEndDate? 2030-01-01T00:00:00
      feignedHealthCareProvider? true
      feignedHealthCareUnit? true
      feignedCommission? true
      archivedHealthCareProvider? true
      archivedHealthCareUnit? true
      am2:pharmacyIdentifier? 1
    am:feignedPerson? true
    am1:healthCareProfessionalLicenceCode* LK
    am1:healthCareProfessionalLicenceSpeciality*
      healthCareProfessionalLicenceCode LK
      specialityCode 199
      specialityName? Allmänmedicin
      ...
    am1:occupationalCode* 1
    am1:personalIdentity?
      root 1.2.752.129.2.1.3.1
      extension {number}
      ...
    am1:healthcareProfessionalLicenseIdentityNumber? 1
  ...
"""
EMPLOYEE_ASKED = """
ae:GetEmployeeIncludingProtectedPerson
  personHsaId SE2321000131-P1
  searchBase? c=SE
  includeFeignedObject? false
  profile? FULL
  ...
"""
EMPLOYEE = """
ae:GetEmployeeIncludingProtectedPersonResponse
  personInformation*
    em:personHsaId SE2321000131-P1
    em:givenName? Kim
    em:middleAndSurName Koordinator
    em:nickName? K
    em:mail? kim@example.org
    em:telephoneNumber* +46101234567
    em:switchboardNumber? 0101234567
    em:nonPublicTelephoneNumber* 0101234567
    em:mobileNumber* 0701234567
    em:facsimileTelephoneNumber* 0101234567
    em:telephoneHour*
      fromDay 1
      fromTime 08:00:00
      toDay 5
      toTime 16:00:00
      comment? helgfri
      fromDate? 2026-01-01
      toDate? 2026-12-31
      ...
    em:postalAddress?
      addressLine+ Gatan 1
      ...
    em:description? d
    em:title? Rehabkoordinator
    em:healthCareProfessionalLicence* Läkare
    em:paTitle*
      paTitleName? Överläkare
      paTitleCode? 201010
      ...
    em:specialityName* Allmänmedicin
    em:specialityCode* 199
    em:dn cn=Kim Koordinator,ou=Enheten,o=Regionen,c=SE
    em:protectedPerson? true
    em:personStartDate? 2020-01-01T00:00:00
    em:personEndDate? 2030-01-01T00:00:00
    em:feignedPerson? true
    em:healthCareProfessionalLicenceSpeciality*
      healthCareProfessionalLicence LK
      specialityCode 199
      specialityName Allmänmedicin
      ...
    em:age? 40
    em:gender 2
    ...
  ...
"""
UNIT_ASKED = """
ou:GetHealthCareUnit
  healthCareUnitMemberHsaId SE2321000131-E3
  searchBase? c=SE
  includeFeignedObject? false
  ...
"""
UNIT = """
ou:GetHealthCareUnitResponse
  healthCareUnit?
    unitIsHealthCareUnit? true
    healthCareUnitMemberHsaId? SE2321000131-E3
    healthCareUnitMemberName? Mottagningen
    healthCareUnitMemberPublicName? Mottagningen
    healthCareUnitMemberStartDate? 2020-01-01T00:00:00
    healthCareUnitMemberEndDate? 2030-01-01T00:00:00
    healthCareUnitHsaId SE2321000131-E2
    healthCareUnitName Vårdcentralen
    healthCareUnitPublicName Vårdcentralen
    healthCareUnitStartDate? 2020-01-01T00:00:00
    healthCareUnitEndDate? 2030-01-01T00:00:00
    healthCareProviderHsaId SE2321000131-E1
    healthCareProviderName Regionen
    healthCareProviderPublicName Regionen
    healthCareProviderOrgNo 2321000131
    healthCareProviderStartDate? 2020-01-01T00:00:00
    healthCareProviderEndDate? 2030-01-01T00:00:00
    feignedHealthCareUnitMember? true
    feignedHealthCareUnit? true
    feignedHealthCareProvider? true
    archivedHealthCareUnitMember? true
    archivedHealthCareUnit? true
    archivedHealthCareProvider? true
    ...
  ...
"""
MEMBERS_ASKED = """
ov:GetHealthCareUnitMembers
  healthCareUnitHsaId SE2321000131-E2
  searchBase? c=SE
  includeFeignedObject? false
  ...
"""
_ADDRESS = """
{0}addressee+ {1}
{0}street? Gatan
{0}premisesNumber? 1
{0}premisesLetter? A
{0}postCode 12345
{0}town Staden"""
MEMBERS = f"""
ov:GetHealthCareUnitMembersResponse
  healthCareUnitMembers?
    healthCareUnitName Vårdcentralen
    healthCareUnitPublicName Vårdcentralen
    healthCareUnitHsaId SE2321000131-E2
    healthCareUnitStartDate? 2020-01-01T00:00:00
    healthCareUnitEndDate? 2030-01-01T00:00:00
    healthCareUnitPrescriptionCode* 0000000
    telephoneNumber* 0101234567
    postalAddress?
      or:addressLine+ Gatan 1
      ...
    postalCode? 12345
    feignedHealthCareUnit? true
    archivedHealthCareUnit? true
    healthCareProvider
      healthCareProviderName Regionen
      healthCareProviderPublicName Regionen
      healthCareProviderHsaId SE2321000131-E1
      healthCareProviderOrgNo 2321000131
      healthCareProviderStartDate? 2020-01-01T00:00:00
      healthCareProviderEndDate? 2030-01-01T00:00:00
      healthCareProviderPrescriptionCode* 0000000
      telephoneNumber* 0101234567
      postalAddress?
        or:addressLine+ Gatan 1
        ...
      postalCode? 12345
      feignedHealthCareProvider? true
      archivedHealthCareProvider? true
      ov1:structuredPostalAddress?{_ADDRESS.format("        or2:", "Regionen")}
        ...
    healthCareUnitMember*
      healthCareUnitMemberName Mottagningen
      healthCareUnitMemberPublicName Mottagningen
      healthCareUnitMemberHsaId SE2321000131-E3
      healthCareUnitMemberStartDate? 2020-01-01T00:00:00
      healthCareUnitMemberEndDate? 2030-01-01T00:00:00
      healthCareUnitMemberPrescriptionCode* 0000000
      healthCareUnitMemberTelephoneNumber* 0101234567
      healthCareUnitMemberpostalAddress?
        or:addressLine+ Gatan 1
        ...
      healthCareUnitMemberpostalCode? 12345
      feignedHealthCareUnitMember? true
      archivedHealthCareUnitMember? true
      ov1:healthCareUnitMemberstructuredPostalAddress?{_ADDRESS.format("        or2:", "Mottagningen")}
        ...
    ov1:structuredPostalAddress?{_ADDRESS.format("      or2:", "Vårdcentralen")}
      ...
  ...
"""
