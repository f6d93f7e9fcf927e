"""Answers of both contracts: lenient in what is read, and never half an answer (rehabstod.md §§ 1.4-1.8)."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters import soap
from adapters.intygstjanst import answers, wire
from adapters.intygstjanst.reader import AnswerReader
from contracts.errors import Unavailable
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod, SetAside

CONTRACTS = (wire.CARE_UNIT, wire.PERSON)
each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)

UNIT = HsaId("SE1111111111-E001")
PROVIDER = HsaId("SE1111111111-V001")
COMMON_PROVIDER = HsaId("SE1111111111-V009")


def number(birth: str, serial: str = "980") -> str:
    return f"{birth}{serial}{control_digit(birth[2:] + serial)}"


PATIENT = PersonId(number("19620219"))
WRONG_DIGIT = PATIENT.digits[:11] + str((int(PATIENT.digits[11]) + 1) % 10)
COORDINATION = number("19620279")

RECORD = f"""<c:intygsData>
<c:intygsId>intyg-1</c:intygsId>
<c:patient><c:personId><t:root>1.2.752.129.2.1.3.1</t:root><t:extension>{PATIENT.digits}</t:extension></c:personId>
<c:fullstandigtNamn>Alma Provsson</c:fullstandigtNamn></c:patient>
<c:skapadAv><c:personalId><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>SE1111111111-D001</t:extension></c:personalId>
<c:fullstandigtNamn>Beata Remissén</c:fullstandigtNamn>
<c:befattningar><c:befattning><t:code>203090</t:code><t:codeSystem>1.2.752.129.2.2.1.4</t:codeSystem></c:befattning>
</c:befattningar>
<c:enhet><c:enhetsId><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>{UNIT}</t:extension></c:enhetsId>
<c:enhetsnamn>Vårdcentralen</c:enhetsnamn>
<c:vardgivare><c:vardgivarId><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>{PROVIDER}</t:extension></c:vardgivarId>
<c:vardgivarnamn>Vårdgivaren</c:vardgivarnamn></c:vardgivare></c:enhet></c:skapadAv>
<c:diagnoskod>F43.9</c:diagnoskod>
<c:bidiagnoser>M54.5</c:bidiagnoser>
<c:arbetsformaga>
<c:formaga><c:startdatum>2026-01-01</c:startdatum><c:slutdatum>2026-01-14</c:slutdatum><c:nedsattning>100</c:nedsattning></c:formaga>
<c:formaga><c:startdatum>2026-01-15</c:startdatum><c:slutdatum>2026-01-31</c:slutdatum><c:nedsattning>50</c:nedsattning></c:formaga>
</c:arbetsformaga>
<c:enkeltIntyg>false</c:enkeltIntyg>
<c:signeringsTidpunkt>2026-01-01T10:00:00+01:00</c:signeringsTidpunkt>
<c:sysselsattning>NUVARANDE_ARBETE</c:sysselsattning>
</c:intygsData>"""

OK = {
    wire.CARE_UNIT: "<r:resultCode>OK</r:resultCode>",
    wire.PERSON: "<r:result><r:resultCode>OK</r:resultCode></r:result>",
}


def whole(contract: wire.Contract, records: str = RECORD) -> str:
    """An answer by the schema."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="{soap.ENVELOPE}"><soap:Body>
<r:{contract.name}Response xmlns:r="{contract.responder}" xmlns:c="{wire.CORE}" xmlns:t="{wire.TYPES}">
<r:vardgivare><c:vardgivarId><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>{COMMON_PROVIDER}</t:extension></c:vardgivarId>
<c:vardgivarnamn>Vårdgivaren</c:vardgivarnamn></r:vardgivare>
<r:intygsLista>{records}</r:intygsLista>{OK[contract]}</r:{contract.name}Response></soap:Body></soap:Envelope>"""


CERTIFICATE = Certificate(
    id="intyg-1",
    patient=PATIENT,
    unit=UNIT,
    periods=(
        CertificatePeriod(date(2026, 1, 1), date(2026, 1, 14), 100),
        CertificatePeriod(date(2026, 1, 15), date(2026, 1, 31), 50),
    ),
    signed=datetime(2026, 1, 1, 9, tzinfo=UTC),
    patient_name="Alma Provsson",
    unit_name="Vårdcentralen",
    provider=PROVIDER,
    doctor="SE1111111111-D001",
    doctor_name="Beata Remissén",
    diagnosis="F43.9",
    secondary_diagnoses=("M54.5",),
    occupations=("NUVARANDE_ARBETE",),
)


def read(
    contract: wire.Contract, answer: str | bytes, size: int = 4096, reader: AnswerReader | None = None
) -> list[Certificate | SetAside]:
    body = answer if isinstance(answer, bytes) else answer.encode()
    reader = reader or AnswerReader(contract)
    found = [record for start in range(0, len(body), size) for record in reader.feed(body[start : start + size])]
    return found + reader.close()


Change = tuple[str, str]


def changed(text: str, *changes: Change) -> str:
    """The text with each pattern replaced; every pattern must be there."""
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.DOTALL)
        assert count, pattern
    return text


def put(*changes: Change) -> tuple[Change, ...]:
    return changes


def without(*elements: str) -> tuple[Change, ...]:
    return tuple((rf"<{name}>.*?</{name}>", "") for name in elements)


# ---- Reading -----------------------------------------------------------------------------------------------------


@each_contract
def test_an_answer_by_the_schema_is_read(contract: wire.Contract) -> None:
    content = soap.unwrap(whole(contract).encode())
    assert isinstance(content, etree._Element)
    assert soap.schema_errors(contract.schema, content) == ()
    assert read(contract, whole(contract)) == [CERTIFICATE]


DEVIATIONS = {
    "no common care provider": (without("r:vardgivare"), {}),
    "HSA-ids and person-ids without root": (without("t:root"), {}),
    "HSA-ids with an empty root": (put((r"<t:root>1.2.752.129.2.1.4.1</t:root>", "<t:root/>")), {}),
    "HSA-ids with the other root": (put((r"<t:root>1.2.752.129.2.1.4.1<", "<t:root>1.2.752.29.4.19<")), {}),
    "personal number with hyphen": (put((rf"({PATIENT.digits[:8]})(\d{{4}})", r"\1-\2")), {}),
    "samordningsnummer under the root of personnummer": (
        put((PATIENT.digits, COORDINATION)),
        {"patient": PersonId(COORDINATION)},
    ),
    "no befattningar": (without("c:befattningar"), {}),
    "care provider of the unit without name": (without("c:vardgivarnamn"), {}),
    "no patient name": (put((r"<c:fullstandigtNamn>Alma Provsson</c:fullstandigtNamn>", "")), {"patient_name": ""}),
    "no doctor name": (put((r"<c:fullstandigtNamn>Beata Remissén</c:fullstandigtNamn>", "")), {"doctor_name": ""}),
    "no unit name": (without("c:enhetsnamn"), {"unit_name": ""}),
    "no doctor id": (without("c:personalId"), {"doctor": ""}),
    "no enkeltIntyg": (without("c:enkeltIntyg"), {}),
    "no diagnosis": (without("c:diagnoskod"), {"diagnosis": None}),
    "an empty diagnosis": (put((r"F43\.9", " ")), {"diagnosis": None}),
    "a diagnosis with text": (put((r"F43\.9", "M123   Palindrom")), {"diagnosis": "M123   Palindrom"}),
    "no secondary diagnosis": (without("c:bidiagnoser"), {"secondary_diagnoses": ()}),
    "an unknown occupation": (put((r"NUVARANDE_ARBETE", "PRAKTIK")), {"occupations": ("PRAKTIK",)}),
    "the empty entries of a split list": (
        put(
            (
                r"(<c:sysselsattning>).*(</c:sysselsattning>)",
                r"\1\2\1STUDIER\2<c:sysselsattning/>\1ARBETSSOKANDE\2\1 \2",
            )
        ),
        {"occupations": ("STUDIER", "ARBETSSOKANDE")},
    ),
    "a list that was not split": (
        put((r"NUVARANDE_ARBETE", "STUDIER,,ARBETSSOKANDE,")),
        {"occupations": ("STUDIER", "ARBETSSOKANDE")},
    ),
    "signed without zone, in winter": (put((r"10:00:00\+01:00", "10:00:00")), {}),
    "signed without zone, in summer": (
        put((r"2026-01-01T10:00:00\+01:00", "2026-07-01T10:00:00")),
        {"signed": datetime(2026, 7, 1, 8, tzinfo=UTC)},
    ),
    "signed with a fraction": (
        put((r"10:00:00\+01:00", "09:00:00.5Z")),
        {"signed": datetime(2026, 1, 1, 9, 0, 0, 500_000, tzinfo=UTC)},
    ),
    "days with a zone": (put((r"2026-01-14<", "2026-01-14Z<"), (r"2026-01-15<", "2026-01-15+01:00<")), {}),
    "blanks around values": (put((r"intyg-1", " intyg-1\n"), (r">100<", "> 100 <")), {}),
    "comments and instructions": (put((r"intyg-1", "intyg<!-- -->-1<?x y?>")), {}),
    "comments around the result": (put((r"OK<", "<!-- -->O<!-- -->K<"), (r"<r:res", "<!-- --><r:res")), {}),
    "comments around the records": (
        put((r"<c:intygsData>", "<!-- --><c:intygsData>"), (r"(?<=</c:intygsData>)", "<!-- -->")),
        {},
    ),
    "CDATA": (put((r"intyg-1", "in<![CDATA[ty]]>g<![CDATA[-]]>1"), (r"Alma Pr", "<![CDATA[Alma ]]>Pr")), {}),
    "a comment in each text": (
        put((r"(?<=[^>\n])(?=</[ct]:)", "<!-- -->"), (r"(<[ct]:\w+>)(?=[^<\n])", r"\1<!-- -->")),
        {},
    ),
    "another element in a text": (
        put((r"Vårdcentralen", 'Vård<x xmlns="urn:x">?</x>centralen')),
        {"unit_name": "Vård"},
    ),
    "a second patient in the record": (
        put((r"(?=<c:skapadAv>)", "<c:patient><c:fullstandigtNamn>X</c:fullstandigtNamn></c:patient>")),
        {},
    ),
    "a degree in another spelling": (put((r">50<", ">+050<")), {}),
    "elements of somebody else": (put((r"</c:intygsData>", '<x xmlns="urn:x">y</x></c:intygsData>')), {}),
    "a degree that no form has": (
        put((r">50<", ">40<")),
        {
            "periods": (
                CERTIFICATE.periods[0],
                CertificatePeriod(date(2026, 1, 15), date(2026, 1, 31), 40),
            )
        },
    ),
}


@each_contract
@pytest.mark.parametrize(("changes", "differs"), DEVIATIONS.values(), ids=DEVIATIONS)
def test_what_the_real_service_deviates_in_is_read(
    contract: wire.Contract, changes: tuple[Change, ...], differs: dict[str, object]
) -> None:
    assert read(contract, changed(whole(contract), *changes)) == [replace(CERTIFICATE, **differs)]  # type: ignore[arg-type]


NO_PROVIDER = (r"<c:vardgivare>.*</c:vardgivare>(?=</c:enhet>)", "")


def test_the_common_care_provider_is_that_of_a_unit_and_not_of_a_person() -> None:
    """A person's certificates may be of several."""
    by_unit, by_person = (read(contract, changed(whole(contract), NO_PROVIDER)) for contract in CONTRACTS)
    assert by_unit == [replace(CERTIFICATE, provider=COMMON_PROVIDER)]
    assert by_person == [replace(CERTIFICATE, provider=None)]


def test_the_common_care_provider_may_hold_a_comment() -> None:
    commented = (COMMON_PROVIDER.value, COMMON_PROVIDER.value.replace("-", "<!-- -->-"))
    answer = changed(whole(wire.CARE_UNIT), NO_PROVIDER, commented)
    assert read(wire.CARE_UNIT, answer) == [replace(CERTIFICATE, provider=COMMON_PROVIDER)]


BAD_RECORDS = {
    "no id": (without("c:intygsId"), "id"),
    "an empty id": (put((r"intyg-1", "  ")), "id"),
    "no patient": (without("c:patient"), "twelve digits"),
    "a personal number of ten digits": (put((PATIENT.digits, PATIENT.digits[2:])), "twelve digits"),
    "a wrong control digit": (put((PATIENT.digits, WRONG_DIGIT)), "control digit"),
    "a personal number on no day": (put((PATIENT.digits, number("19620230"))), "no date"),
    "an identity of another kind": (put((r"1\.2\.752\.129\.2\.1\.3\.1", "1.2.752.97.3.1.3")), "another kind"),
    "no unit": (without("c:enhet"), "unit's HSA-id"),
    "a malformed unit": (put((UNIT.value, "vårdcentralen")), "unit's HSA-id"),
    "a malformed care provider": (put((PROVIDER.value, "IFV 1")), "care provider's HSA-id"),
    "no work ability": (without("c:arbetsformaga"), "no periods"),
    "no periods": (put((r"<c:formaga>.*</c:formaga>", "")), "no periods"),
    "a reversed period": (put((r"2026-01-31", "2026-01-14")), "before it starts"),
    "a period without start": (without("c:startdatum"), "unreadable date"),
    "a period without end": (put((r"<c:slutdatum>2026-01-31</c:slutdatum>", "")), "unreadable date"),
    "a day that is none": (put((r"2026-01-31", "2026-02-30")), "unreadable date"),
    "a day with a time": (put((r"2026-01-31<", "2026-01-31T00:00:00<")), "unreadable date"),
    "a day in week notation": (put((r"2026-01-31", "2026-W05-6")), "unreadable date"),
    "degree 0": (put((r">50<", ">0<")), "degree"),
    "degree 101": (put((r">50<", ">101<")), "degree"),
    "a degree with decimals": (put((r">50<", ">50.0<")), "degree"),
    "a negative degree": (put((r">50<", ">-50<")), "degree"),
    "a degree in other digits": (put((r">50<", ">٥٠<")), "degree"),
    "no degree": (without("c:nedsattning"), "degree"),
    "no signing time": (without("c:signeringsTidpunkt"), "signing time"),
    "a signing day without time": (put((r"T10:00:00\+01:00", "")), "signing time"),
    "a signing time that is none": (put((r"T10:00", "T25:00")), "signing time"),
    "a signing time outside the calendar": (
        put((r"2026-01-01T10:00:00\+01:00", "9999-12-31T23:59:59Z")),
        "signing time",
    ),
}


@each_contract
@pytest.mark.parametrize(("changes", "reason"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_that_cannot_be_used_is_set_aside(
    contract: wire.Contract, changes: tuple[Change, ...], reason: str
) -> None:
    answer = changed(whole(contract), *changes)
    (found,) = read(contract, answer)
    assert isinstance(found, SetAside)
    assert reason in found.reason
    id = re.search(r"<c:intygsId>(.*?)<", answer)
    assert found.certificate == (id[1].strip() if id else "")
    assert not re.search(r"\d{6}", found.reason)


@each_contract
def test_a_bad_record_does_not_hide_its_neighbours(contract: wire.Contract) -> None:
    bad = RECORD.replace("intyg-1", "intyg-2").replace(">100<", ">0<")
    last = RECORD.replace("intyg-1", "intyg-3")
    found = read(contract, whole(contract, f"{RECORD}{bad}{last}"))
    assert [type(each) for each in found] == [Certificate, SetAside, Certificate]


def test_what_stands_between_the_records_is_passed_over() -> None:
    foreign = '<x xmlns="urn:x"><y/></x>'
    answer = whole(
        wire.CARE_UNIT, f"{foreign}{RECORD}\n <!-- -->{foreign}{RECORD.replace('intyg-1', 'intyg-2')} {foreign}"
    )
    for size in (1, 100, 4096):
        reader = AnswerReader(wire.CARE_UNIT, together=1)
        assert read(wire.CARE_UNIT, answer, size, reader) == [CERTIFICATE, replace(CERTIFICATE, id="intyg-2")]


@each_contract
def test_records_outside_the_list_are_none(contract: wire.Contract) -> None:
    answer = whole(contract, "").replace("</r:intygsLista>", f'</r:intygsLista><x xmlns="urn:x">{RECORD}</x>')
    assert read(contract, answer) == []


def test_a_record_that_is_last_in_the_answer_is_read() -> None:
    """The list stands behind the result."""
    answer = changed(
        whole(wire.CARE_UNIT), (r"(<r:intygsLista>.*</r:intygsLista>)(<r:resultCode>.*?</r:resultCode>)", r"\2\1")
    )
    for size in (1, 4096):
        assert read(wire.CARE_UNIT, answer, size) == [CERTIFICATE]


@each_contract
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_encodings_that_the_document_names_are_read(contract: wire.Contract, encoding: str, size: int) -> None:
    head = "" if "utf" in encoding else f'<?xml version="1.0" encoding="{encoding}"?>'
    body = whole(contract).replace('<?xml version="1.0" encoding="UTF-8"?>\n', head).encode(encoding)
    assert read(contract, body, size) == [CERTIFICATE]


# ---- Whole answers that are failures -----------------------------------------------------------------------------

PRIVATE = f"Patienten {PATIENT.digits} saknas"


def enveloped(content: str) -> str:
    return f'<soap:Envelope xmlns:soap="{soap.ENVELOPE}"><soap:Body>{content}</soap:Body></soap:Envelope>'


def response(contract: wire.Contract, content: str) -> str:
    return enveloped(f'<{contract.name}Response xmlns="{contract.responder}">{content}</{contract.name}Response>')


def result(contract: wire.Contract, code: str, text: str = "") -> str:
    """Where the contract has it: flat in the one, nested in the other."""
    if contract is wire.PERSON:
        return f"<result><resultCode>{code}</resultCode><resultMessage>{text}</resultMessage></result>"
    return f"<resultCode>{code}</resultCode><comment>{text}</comment>"


SIBLING = {wire.CARE_UNIT: wire.PERSON, wire.PERSON: wire.CARE_UNIT}
LIST = "<intygsLista/>"
RESULTS: dict[str, tuple[Callable[[wire.Contract], str], str]] = {
    "an error": (lambda contract: result(contract, "ERROR", PRIVATE), "result is ERROR"),
    "an error, with a list": (lambda contract: LIST + result(contract, "ERROR", PRIVATE), "result is ERROR"),
    "INFO, with a list": (lambda contract: LIST + result(contract, "INFO", PRIVATE), "result is INFO"),
    "a fault that was turned into an answer": (lambda _: result(wire.CARE_UNIT, "ERROR", PRIVATE), "result is ERROR"),
    "the same without namespace": (lambda _: f'<resultCode xmlns="">ERROR</resultCode>{LIST}', "result is ERROR"),
    "the error of the sibling contract": (
        lambda contract: result(SIBLING[contract], "ERROR", PRIVATE),
        "result is ERROR",
    ),
    "OK where the sibling has it": (lambda contract: LIST + result(SIBLING[contract], "OK"), "no known result"),
    "OK, and a turned fault": (
        lambda contract: LIST + result(contract, "OK") + "<resultCode>ERROR</resultCode>",
        "result is ERROR",
    ),
    "OK, and the sibling's error": (
        lambda contract: LIST + result(contract, "OK") + result(SIBLING[contract], "ERROR"),
        "result is ERROR",
    ),
    "a known result and an unknown one": (
        lambda contract: LIST + result(contract, "OK") + result(contract, "?"),
        "no known result",
    ),
    "an unknown result": (lambda contract: LIST + result(contract, PRIVATE), "no known result"),
    "OK in other letters": (lambda contract: LIST + result(contract, "ok"), "no known result"),
    "no result": (lambda _: LIST, "no known result"),
    "no list": (lambda contract: result(contract, "OK"), "no list"),
    "two lists": (lambda contract: LIST * 2 + result(contract, "OK"), "several"),
}


@each_contract
@pytest.mark.parametrize(("content", "reason"), RESULTS.values(), ids=RESULTS)
def test_a_result_that_is_not_plainly_ok_is_a_failure(
    contract: wire.Contract, content: Callable[[wire.Contract], str], reason: str
) -> None:
    assert reason in failure(contract, response(contract, content(contract)))


def failure(contract: wire.Contract, answer: str | bytes) -> str:
    """What is said of it, with no text of the answer in it."""
    with pytest.raises(Unavailable) as caught:
        read(contract, answer)
    assert PATIENT.digits not in repr(caught.value.__context__) + repr(caught.value)
    assert "Patienten" not in str(caught.value)
    return str(caught.value)


ANSWERS = {contract: whole(contract) for contract in CONTRACTS}
UNREADABLE: dict[str, tuple[Callable[[str], str], str]] = {
    "a SOAP fault": (lambda _: soap.fault("Server", PRIVATE).decode(), "SOAP fault"),
    "a fault of the platform": (lambda _: soap.fault("Server", f"VP009 [vp] {PRIVATE}").decode(), "SOAP fault VP009"),
    "something else": (lambda _: enveloped(f'<x xmlns="urn:x">{PRIVATE}</x>'), "another contract"),
    "an empty body": (lambda _: enveloped(""), "one body element"),
    "two body elements": (lambda answer: answer.replace("</soap:Body>", "<x/></soap:Body>"), "one body element"),
    "two bodies": (
        lambda answer: answer.replace("</soap:Envelope>", "<soap:Body/></soap:Envelope>"),
        "one body element",
    ),
    "two answers in the body": (
        lambda answer: re.sub(r"<soap:Body>(.*)</soap:Body>", r"<soap:Body>\1\1</soap:Body>", answer, flags=re.DOTALL),
        "one body element",
    ),
    "something around the envelope": (lambda answer: f"<x>{answer.partition('?>')[2]}</x>", "no SOAP envelope"),
    "a page": (lambda _: "<html><body>Välkommen</body></html>", "no SOAP envelope"),
    "words": (lambda _: "this is not an answer", "XML"),
    "few words": (lambda _: "no", "XML"),
    "nothing": (lambda _: "", "XML"),
    "a declaration that does not end": (lambda answer: "<?xml " + "x" * 200_000 + answer, "no SOAP envelope"),
    "a second declaration": (lambda answer: f'<?xml version="1.0"?>{answer}', "XML"),
    "something after the end": (lambda answer: f"{answer}<x/>", "XML"),
    "two answers": (lambda answer: answer + answer.partition("\n")[2], "XML"),
    "a document type": (lambda answer: answer.replace("<soap:Env", "<!DOCTYPE x><soap:Env", 1), "document type"),
    "a document type elsewhere": (
        lambda answer: answer.replace("<soap:Env", '<!DOCTYPE x SYSTEM "file:///etc/hostname"><soap:Env', 1),
        "document type",
    ),
    "an entity": (
        lambda answer: answer.replace(
            "<soap:Env", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><soap:Env', 1
        ).replace("intyg-1", "&e;"),
        "document type",
    ),
    "an entity that nobody declared": (lambda answer: answer.replace("intyg-1", "&e;"), "XML"),
}


@each_contract
@pytest.mark.parametrize(("damage", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_answer_of_the_contract_is_a_failure(
    contract: wire.Contract, damage: Callable[[str], str], reason: str
) -> None:
    assert reason in failure(contract, damage(ANSWERS[contract]))


@each_contract
def test_the_answer_of_the_sibling_is_a_failure(contract: wire.Contract) -> None:
    assert failure(contract, ANSWERS[SIBLING[contract]]) == "the answer is one of another contract"


def test_an_answer_in_other_letters_than_it_says_is_a_failure() -> None:
    assert "XML" in failure(wire.CARE_UNIT, whole(wire.CARE_UNIT).encode("iso-8859-1"))


@each_contract
def test_an_empty_list_is_an_answer(contract: wire.Contract) -> None:
    assert read(contract, response(contract, LIST + result(contract, "OK"))) == []


@each_contract
def test_an_answer_cut_off_anywhere_is_a_failure(contract: wire.Contract) -> None:
    body = whole(contract).encode()
    for end in range(len(body)):
        with pytest.raises(Unavailable):
            read(contract, body[:end])


# ---- Size, depth and attacks -------------------------------------------------------------------------------------

ANSWER = whole(wire.CARE_UNIT)


def laughs() -> str:
    entities = ['<!ENTITY e0 "aaaaaaaaaa">'] + [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)]
    return f"<!DOCTYPE x [{''.join(entities)}]>{ANSWER.partition(chr(10))[2].replace('intyg-1', '&e9;')}"


def nested(depth: int) -> str:
    return ANSWER.replace("</c:intygsData>", f"{'<x>' * depth}{'</x>' * depth}</c:intygsData>")


ATTACKS = {
    "billion laughs": laughs(),
    "deeper than the limit": nested(30),
    "deeper than the parser goes": nested(100_000),
    "open elements without end": "<x>" * 1_000_000,
    "a huge text": ANSWER.replace("Alma", "A" * 2_000_000),
    "foreign parts without end": ANSWER.replace("<r:intygsLista>", "<r:intygsLista>" + "<x/>" * 500_000),
    "a huge page": "<html>" + "<p>x</p>" * 100_000,
    "blanks before the answer": " " * 200_000 + ANSWER.partition("\n")[2],
}


@pytest.mark.parametrize("answer", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("size", [1000, 10_000_000])
def test_attacks_are_refused_and_the_reader_stays_closed(answer: str, size: int) -> None:
    reader = AnswerReader(wire.CARE_UNIT)
    with pytest.raises(Unavailable):
        read(wire.CARE_UNIT, answer, size, reader)
    with pytest.raises(Unavailable):
        reader.close()


def read_limited(answer: str, **limits: int) -> list[Certificate | SetAside]:
    return read(wire.CARE_UNIT, answer, reader=AnswerReader(wire.CARE_UNIT, **limits))


def test_depth_is_counted_from_the_envelope() -> None:
    assert read_limited(nested(10), max_depth=15) == [CERTIFICATE]
    with pytest.raises(Unavailable, match="nested"):
        read_limited(nested(11), max_depth=15)


def test_depth_counts_beside_the_records_too() -> None:
    deep = f"<soap:Header>{'<x>' * 13}{'</x>' * 13}</soap:Header>"
    assert read_limited(ANSWER.replace("<soap:Body>", f"{deep}<soap:Body>"), max_depth=15)
    with pytest.raises(Unavailable, match="nested"):
        read_limited(ANSWER.replace("<soap:Body>", f"{deep}<soap:Body>"), max_depth=14)


def test_the_whole_answer_has_a_limit() -> None:
    size = len(ANSWER.encode())
    assert read_limited(ANSWER, max_bytes=size) == [CERTIFICATE]
    with pytest.raises(Unavailable, match="larger than the limit"):
        read_limited(ANSWER, max_bytes=size - 1)


def test_memory_does_not_grow_with_the_answer() -> None:
    reader = AnswerReader(wire.CARE_UNIT)
    begun = whole(wire.CARE_UNIT, (RECORD + "\n<!-- -->") * 2000).encode()[:-500]
    assert (
        len([record for start in range(0, len(begun), 65_536) for record in reader.feed(begun[start:][:65_536])]) > 1900
    )
    assert reader._answer.root is not None
    assert sum(1 for _ in reader._answer.root.iter()) < 5000


# ---- Properties --------------------------------------------------------------------------------------------------

MANY = {
    contract: whole(contract, "".join(RECORD.replace("intyg-1", f"intyg-{n}") for n in range(1, 6))).encode()
    for contract in CONTRACTS
}
contracts = st.sampled_from(CONTRACTS)


@given(contracts, st.lists(st.integers(0, 9000), max_size=40))
@settings(max_examples=60, deadline=None)
def test_how_an_answer_is_cut_into_pieces_plays_no_part(contract: wire.Contract, cuts: list[int]) -> None:
    reader, body = AnswerReader(contract, together=1), MANY[contract]
    edges = [0, *sorted(cuts), len(body)]
    found = [record for start, end in pairwise(edges) for record in reader.feed(body[start:end])]
    assert found + reader.close() == [replace(CERTIFICATE, id=f"intyg-{n}") for n in range(1, 6)]


@given(contracts, st.integers(0, 8000), st.binary(max_size=30), st.integers(0, 30), st.integers(1, 5000))
@settings(max_examples=300, deadline=None)
def test_a_damaged_answer_is_read_or_is_a_failure(
    contract: wire.Contract, at: int, damage: bytes, over: int, size: int
) -> None:
    damaged = MANY[contract][:at] + damage + MANY[contract][at + over :]
    try:
        found = read(contract, damaged, size, AnswerReader(contract, together=1))
    except Unavailable:
        return
    assert all(isinstance(each, Certificate | SetAside) for each in found)


# Any character that XML allows in a text.
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\x81\x85<&>\"'"))
oddities = st.fixed_dictionaries(
    {},
    optional={
        "patient_name": texts,
        "doctor_name": texts,
        "unit_name": texts,
        "doctor": st.sampled_from(["", "SE1111111111-D002"]),
        "provider": st.sampled_from([None, COMMON_PROVIDER]),
        "diagnosis": texts,
        "secondary_diagnoses": st.lists(texts, max_size=2),
        "occupations": st.lists(st.sampled_from(["", "STUDIER", "A,B", " "]), max_size=4),
        "periods": st.lists(st.just(CERTIFICATE.periods[0]), max_size=3),
    },
)


def expected(odd: dict[str, Any], id: str) -> Certificate | SetAside:
    """What is read of a certificate that was written with these oddities."""
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in odd.items()}
    lists: dict[str, Any] = {
        "secondary_diagnoses": [text.strip() for text in odd.get("secondary_diagnoses", ("M54.5",))],
        "occupations": [
            part for text in odd.get("occupations", ("NUVARANDE_ARBETE",)) for part in text.strip().split(",")
        ],
    }
    read: dict[str, Any] = {**stripped, **{name: tuple(filter(None, values)) for name, values in lists.items()}}
    read["diagnosis"] = read.get("diagnosis", "F43.9") or None
    read["periods"] = tuple(odd.get("periods", CERTIFICATE.periods))
    return replace(CERTIFICATE, id=id, **read) if read["periods"] else SetAside(id, "the certificate has no periods")


@given(contracts, st.lists(oddities, max_size=8), st.booleans(), st.integers(1, 5000), st.integers(1, 9000))
@settings(max_examples=300, deadline=None)
def test_no_text_ends_up_with_another_certificate(
    contract: wire.Contract, oddities: list[dict[str, Any]], commented: bool, size: int, together: int
) -> None:
    """Whatever is missing or there several times, and wherever the list is cut while it grows."""
    written = [replace(CERTIFICATE, id=str(number), **odd) for number, odd in enumerate(oddities)]
    body = b"".join(answers.certificates(contract, written, "real"))
    found = read(
        contract,
        body.replace(b"</c:", b"<!-- --></c:") if commented else body,
        size,
        AnswerReader(contract, together=together),
    )
    assert found == [expected(odd, str(number)) for number, odd in enumerate(oddities)]
