"""What somebody else's client sends to the mock world: plain text, none of our code."""

from adapters.mocking.people import PEOPLE, TestPerson

FK = "2021005521"
SEND = "/clinicalprocess/healthcond/certificate/SendMessageToRecipient/2/rivtabp21"
RESPONDER = "urn:riv:clinicalprocess:healthcond:certificate:SendMessageToRecipientResponder:2"
PERSON = next(person for person in PEOPLE.values() if person.script == "silence")


def message(id: str = "m-1", address: str = FK, person: TestPerson = PERSON, certificate: str = "") -> bytes:
    """SendMessageToRecipient in plain text, as somebody else's client would write it."""
    core, types = (
        "urn:riv:clinicalprocess:healthcond:certificate:3",
        "urn:riv:clinicalprocess:healthcond:certificate:types:3",
    )
    return f"""<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:s="{RESPONDER}" xmlns:c="{core}" xmlns:t="{types}">
<e:Header><a:LogicalAddress xmlns:a="urn:riv:itintegration:registry:1">{address}</a:LogicalAddress></e:Header><e:Body>
<s:SendMessageToRecipient><s:meddelande-id>{id}</s:meddelande-id><s:skickatTidpunkt>2026-05-04T10:30:00</s:skickatTidpunkt>
<s:intygs-id><t:root>TSTNMT2321000156-E0001</t:root><t:extension>{certificate or person.certificate}</t:extension></s:intygs-id>
<s:patientPerson-id><t:root>1.2.752.129.2.1.3.1</t:root><t:extension>{person.number}</t:extension></s:patientPerson-id>
<s:logiskAdressMottagare>{FK}</s:logiskAdressMottagare>
<s:amne><t:code>OVRIGT</t:code><t:codeSystem>ffa59d8f-8d7e-46ae-ac9e-31804e8e8499</t:codeSystem></s:amne>
<s:meddelande>Behov kan antas.</s:meddelande><s:skickatAv><c:personal-id><t:root>1.2.752.129.2.1.4.1</t:root>
<t:extension>TSTNMT2321000156-P0001</t:extension></c:personal-id><c:fullstandigtNamn>Karin Koordinator</c:fullstandigtNamn>
<c:enhet><c:enhets-id><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>TSTNMT2321000156-E0001</t:extension></c:enhets-id>
<c:arbetsplatskod><t:root>1.2.752.29.4.71</t:root><t:extension>0000000</t:extension></c:arbetsplatskod><c:enhetsnamn>Eken</c:enhetsnamn>
<c:postadress/><c:postnummer/><c:postort/><c:telefonnummer/><c:vardgivare><c:vardgivare-id><t:root>1.2.752.129.2.1.4.1</t:root>
<t:extension>TSTNMT2321000156-S0001</t:extension></c:vardgivare-id><c:vardgivarnamn>Regionen</c:vardgivarnamn></c:vardgivare></c:enhet>
</s:skickatAv></s:SendMessageToRecipient></e:Body></e:Envelope>""".encode()
