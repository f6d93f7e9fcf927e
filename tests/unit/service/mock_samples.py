"""What somebody else's client sends to the mock world: plain text, none of our code."""

import json
from typing import Any

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


FUNCTION = "urn:riv:infrastructure:messaging:functionalAddress"
PARTIES = {
    "arbetsformedlingen": ("0203:arbetsformedlingen.example", "sdk:inkorg:0203:arbetsformedlingen.example"),
    "municipality": ("0203:exempelstad.example", "sdk:inkorg:0203:exempelstad.example:socialtjansten"),
    "employer": ("0203:arbetsgivaren.example", "sdk:inkorg:0203:arbetsgivaren.example:personal"),
}
"""Organisation and the function for persons' matters of each party behind the message service."""
SDK_ID = "5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40"


def sdk_message(party: str, person: TestPerson = PERSON, **changes: Any) -> bytes:
    """A message to a party as SDK's message service hands it over. What is changed to ``...`` is left out."""
    organisation, address = PARTIES[party]
    about = {"root": "1.2.752.129.2.1.3.1", "extension": person.number}
    ours = {"root": "0203:region.example", "extension": "REKO-1"}
    attributes = {
        "messageId": SDK_ID,
        "conversationId": SDK_ID,
        "creationDateTime": "2026-05-04T08:30:00.000Z",
        "confidentiality": True,
        "label": "Kontakt",
        "sender": "0203:region.example",
        "recipient": organisation,
        "senderAttention": {
            "subOrganization": {"root": FUNCTION, "extension": "sdk:inkorg:0203:region.example:eken"},
            "referenceId": [ours],
        },
        "recipientAttention": {
            "subOrganization": {"root": FUNCTION, "extension": address},
            "referenceId": [about],
        },
        "digitalDocument": [{"documentId": "1", "index": 1, "contentTextBody": ["Behov kan antas."]}],
        **changes,
    }
    given = {name: value for name, value in attributes.items() if value is not ...}
    return json.dumps({"data": {"type": "messages", "attributes": given}}).encode()
