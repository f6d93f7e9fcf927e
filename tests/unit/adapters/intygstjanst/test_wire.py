"""The feed's bytes: strict in what is asked, lenient in what is read, and never half an answer (rehabstod.md §§ 1.3-1.8)."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters import soap
from adapters.intygstjanst import wire
from contracts.errors import Invalid, Unavailable
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod, SetAside

UNIT = HsaId("SE1111111111-E001")
PROVIDER = HsaId("SE1111111111-V001")


def number(birth: str, serial: str = "980") -> str:
    return f"{birth}{serial}{control_digit(birth[2:] + serial)}"


PATIENT = PersonId(number("19620219"))
WRONG_DIGIT = PATIENT.digits[:11] + str((int(PATIENT.digits[11]) + 1) % 10)
COORDINATION = number("19620279")

ANSWER = f"""<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="{soap.ENVELOPE}"><soap:Body>
<r:{wire.NAME}Response xmlns:r="{wire.RESPONDER}" xmlns:c="{wire.CORE}" xmlns:t="{wire.TYPES}">
<r:vardgivare><c:vardgivarId><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>{PROVIDER}</t:extension></c:vardgivarId>
<c:vardgivarnamn>Vårdgivaren</c:vardgivarnamn></r:vardgivare>
<r:intygsLista><c:intygsData>
<c:intygsId>intyg-1</c:intygsId>
<c:patient><c:personId><t:root>1.2.752.129.2.1.3.1</t:root><t:extension>{PATIENT.digits}</t:extension></c:personId>
<c:fullstandigtNamn>Alma Provsson</c:fullstandigtNamn></c:patient>
<c:skapadAv><c:personalId><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>SE1111111111-D001</t:extension></c:personalId>
<c:fullstandigtNamn>Beata Remissén</c:fullstandigtNamn>
<c:befattningar><c:befattning><t:code>203090</t:code><t:codeSystem>1.2.752.129.2.2.1.4</t:codeSystem></c:befattning>
</c:befattningar>
<c:enhet><c:enhetsId><t:root>1.2.752.129.2.1.4.1</t:root><t:extension>{UNIT}</t:extension></c:enhetsId>
<c:enhetsnamn>Vårdcentralen</c:enhetsnamn></c:enhet></c:skapadAv>
<c:diagnoskod>F43.9</c:diagnoskod>
<c:bidiagnoser>M54.5</c:bidiagnoser>
<c:arbetsformaga>
<c:formaga><c:startdatum>2026-01-01</c:startdatum><c:slutdatum>2026-01-14</c:slutdatum><c:nedsattning>100</c:nedsattning></c:formaga>
<c:formaga><c:startdatum>2026-01-15</c:startdatum><c:slutdatum>2026-01-31</c:slutdatum><c:nedsattning>50</c:nedsattning></c:formaga>
</c:arbetsformaga>
<c:enkeltIntyg>false</c:enkeltIntyg>
<c:signeringsTidpunkt>2026-01-01T10:00:00+01:00</c:signeringsTidpunkt>
<c:sysselsattning>NUVARANDE_ARBETE</c:sysselsattning>
</c:intygsData></r:intygsLista><r:resultCode>OK</r:resultCode></r:{wire.NAME}Response></soap:Body></soap:Envelope>"""

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
    answer: str | bytes, size: int = 4096, reader: wire.AnswerReader | None = None
) -> list[Certificate | SetAside]:
    body = answer if isinstance(answer, bytes) else answer.encode()
    reader = reader or wire.AnswerReader()
    found = [record for start in range(0, len(body), size) for record in reader.feed(body[start : start + size])]
    reader.close()
    return found


def changed(*changes: tuple[str, str]) -> str:
    """The answer with each pattern replaced; every pattern must be there."""
    answer = ANSWER
    for pattern, text in changes:
        answer, count = re.subn(pattern, text, answer, flags=re.DOTALL)
        assert count, pattern
    return answer


def without(*elements: str) -> str:
    return changed(*((rf"<{name}>.*?</{name}>", "") for name in elements))


# ---- Asking ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 5, 14])
def test_a_request_keeps_to_the_contract(days: int) -> None:
    body = wire.request(UNIT, days, "SE1111111111-L001")
    question = soap.unwrap(body)
    assert isinstance(question, etree._Element)
    assert soap.schema_errors(wire.SCHEMA, question) == ()
    assert soap.logical_address(body) == "SE1111111111-L001"
    assert question.findtext(f"{{{wire.RESPONDER}}}enhets-id/{{{wire.TYPES}}}extension") == UNIT.value
    assert question.findtext(f"{{{wire.RESPONDER}}}max-dagar-sedan-avslut") == str(days)


@pytest.mark.parametrize("days", [-1, 15])
def test_days_outside_the_contract_are_refused(days: int) -> None:
    with pytest.raises(Invalid):
        wire.request(UNIT, days, "")


def test_the_action_is_the_one_of_the_service_description() -> None:
    description = (soap._SCHEMAS / "list_active_sick_leaves_for_care_unit_1.wsdl").read_text()
    assert f'soapAction="{wire.ACTION}"' in description


# ---- Reading -----------------------------------------------------------------------------------------------------


def test_an_answer_by_the_schema_is_read() -> None:
    content = soap.unwrap(ANSWER.encode())
    assert isinstance(content, etree._Element)
    assert soap.schema_errors(wire.SCHEMA, content) == ()
    assert read(ANSWER) == [CERTIFICATE]


OWN_PROVIDER = "SE1111111111-V002"
DEVIATIONS = {
    "no common care provider": (without("r:vardgivare"), {"provider": None}),
    "HSA-ids and person-ids without root": (without("t:root"), {}),
    "HSA-ids with an empty root": (changed((r"<t:root>1.2.752.129.2.1.4.1</t:root>", "<t:root/>")), {}),
    "HSA-ids with the other root": (changed((r"<t:root>1.2.752.129.2.1.4.1<", "<t:root>1.2.752.29.4.19<")), {}),
    "personal number with hyphen": (changed((rf"({PATIENT.digits[:8]})(\d{{4}})", r"\1-\2")), {}),
    "samordningsnummer under the root of personnummer": (
        changed((PATIENT.digits, COORDINATION)),
        {"patient": PersonId(COORDINATION)},
    ),
    "no befattningar": (without("c:befattningar"), {}),
    "care provider of the unit without name": (
        changed(
            (
                r"<r:vardgivare>.*</r:vardgivare>",
                "",
            ),
            (
                r"</c:enhetsnamn>",
                f"</c:enhetsnamn><c:vardgivare><c:vardgivarId><t:extension>{OWN_PROVIDER}</t:extension></c:vardgivarId></c:vardgivare>",
            ),
        ),
        {"provider": HsaId(OWN_PROVIDER)},
    ),
    "no patient name": (changed((r"<c:fullstandigtNamn>Alma Provsson</c:fullstandigtNamn>", "")), {"patient_name": ""}),
    "no doctor name": (changed((r"<c:fullstandigtNamn>Beata Remissén</c:fullstandigtNamn>", "")), {"doctor_name": ""}),
    "no unit name": (without("c:enhetsnamn"), {"unit_name": ""}),
    "no doctor id": (without("c:personalId"), {"doctor": ""}),
    "no enkeltIntyg": (without("c:enkeltIntyg"), {}),
    "no diagnosis": (without("c:diagnoskod"), {"diagnosis": None}),
    "an empty diagnosis": (changed((r"F43\.9", " ")), {"diagnosis": None}),
    "a diagnosis with text": (changed((r"F43\.9", "M123   Palindrom")), {"diagnosis": "M123   Palindrom"}),
    "no secondary diagnosis": (without("c:bidiagnoser"), {"secondary_diagnoses": ()}),
    "an unknown occupation": (changed((r"NUVARANDE_ARBETE", "PRAKTIK")), {"occupations": ("PRAKTIK",)}),
    "the empty entries of a split list": (
        changed(
            (
                r"(<c:sysselsattning>).*(</c:sysselsattning>)",
                r"\1\2\1STUDIER\2<c:sysselsattning/>\1ARBETSSOKANDE\2\1 \2",
            )
        ),
        {"occupations": ("STUDIER", "ARBETSSOKANDE")},
    ),
    "a list that was not split": (
        changed((r"NUVARANDE_ARBETE", "STUDIER,,ARBETSSOKANDE,")),
        {"occupations": ("STUDIER", "ARBETSSOKANDE")},
    ),
    "signed without zone, in winter": (changed((r"10:00:00\+01:00", "10:00:00")), {}),
    "signed without zone, in summer": (
        changed((r"2026-01-01T10:00:00\+01:00", "2026-07-01T10:00:00")),
        {"signed": datetime(2026, 7, 1, 8, tzinfo=UTC)},
    ),
    "signed with a fraction": (
        changed((r"10:00:00\+01:00", "09:00:00.5Z")),
        {"signed": datetime(2026, 1, 1, 9, 0, 0, 500_000, tzinfo=UTC)},
    ),
    "days with a zone": (changed((r"2026-01-14<", "2026-01-14Z<"), (r"2026-01-15<", "2026-01-15+01:00<")), {}),
    "blanks around values": (changed((r"intyg-1", " intyg-1\n"), (r">100<", "> 100 <")), {}),
    "comments and instructions": (changed((r"intyg-1", "intyg<!-- -->-1<?x y?>")), {}),
    "elements of somebody else": (changed((r"</c:intygsData>", '<x xmlns="urn:x">y</x></c:intygsData>')), {}),
    "a degree that no form has": (
        changed((r">50<", ">40<")),
        {
            "periods": (
                CERTIFICATE.periods[0],
                CertificatePeriod(date(2026, 1, 15), date(2026, 1, 31), 40),
            )
        },
    ),
}


@pytest.mark.parametrize(("answer", "differs"), DEVIATIONS.values(), ids=DEVIATIONS)
def test_what_the_real_service_deviates_in_is_read(answer: str, differs: dict[str, object]) -> None:
    assert read(answer) == [replace(CERTIFICATE, **differs)]  # type: ignore[arg-type]


BAD_RECORDS = {
    "no id": (without("c:intygsId"), "id"),
    "an empty id": (changed((r"intyg-1", "  ")), "id"),
    "no patient": (without("c:patient"), "twelve digits"),
    "a personal number of ten digits": (changed((PATIENT.digits, PATIENT.digits[2:])), "twelve digits"),
    "a wrong control digit": (changed((PATIENT.digits, WRONG_DIGIT)), "control digit"),
    "a personal number on no day": (changed((PATIENT.digits, number("19620230"))), "no date"),
    "an identity of another kind": (changed((r"1\.2\.752\.129\.2\.1\.3\.1", "1.2.752.97.3.1.3")), "another kind"),
    "no unit": (without("c:enhet"), "unit's HSA-id"),
    "a malformed unit": (changed((UNIT.value, "vårdcentralen")), "unit's HSA-id"),
    "a malformed care provider": (changed((PROVIDER.value, "IFV 1")), "care provider's HSA-id"),
    "no work ability": (without("c:arbetsformaga"), "no periods"),
    "no periods": (changed((r"<c:formaga>.*</c:formaga>", "")), "no periods"),
    "a reversed period": (changed((r"2026-01-31", "2026-01-14")), "before it starts"),
    "a period without start": (without("c:startdatum"), "unreadable date"),
    "a period without end": (changed((r"<c:slutdatum>2026-01-31</c:slutdatum>", "")), "unreadable date"),
    "a day that is none": (changed((r"2026-01-31", "2026-02-30")), "unreadable date"),
    "a day with a time": (changed((r"2026-01-31<", "2026-01-31T00:00:00<")), "unreadable date"),
    "a day in week notation": (changed((r"2026-01-31", "2026-W05-6")), "unreadable date"),
    "degree 0": (changed((r">50<", ">0<")), "degree"),
    "degree 101": (changed((r">50<", ">101<")), "degree"),
    "a degree with decimals": (changed((r">50<", ">50.0<")), "degree"),
    "a negative degree": (changed((r">50<", ">-50<")), "degree"),
    "a degree in other digits": (changed((r">50<", ">٥٠<")), "degree"),
    "no degree": (without("c:nedsattning"), "degree"),
    "no signing time": (without("c:signeringsTidpunkt"), "signing time"),
    "a signing day without time": (changed((r"T10:00:00\+01:00", "")), "signing time"),
    "a signing time that is none": (changed((r"T10:00", "T25:00")), "signing time"),
    "a signing time outside the calendar": (
        changed((r"2026-01-01T10:00:00\+01:00", "9999-12-31T23:59:59Z")),
        "signing time",
    ),
}


@pytest.mark.parametrize(("answer", "reason"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_that_cannot_be_used_is_set_aside(answer: str, reason: str) -> None:
    (found,) = read(answer)
    assert isinstance(found, SetAside)
    assert reason in found.reason
    id = re.search(r"<c:intygsId>(.*?)<", answer)
    assert found.certificate == (id[1].strip() if id else "")
    assert not re.search(r"\d{6}", found.reason)


def test_a_bad_record_does_not_hide_its_neighbours() -> None:
    record = ANSWER[ANSWER.index("<c:intygsData>") : ANSWER.index("</r:intygsLista>")]
    bad = record.replace("intyg-1", "intyg-2").replace(">100<", ">0<")
    last = record.replace("intyg-1", "intyg-3")
    found = read(ANSWER.replace("</r:intygsLista>", f"{bad}{last}</r:intygsLista>"))
    assert [type(each) for each in found] == [Certificate, SetAside, Certificate]


def test_records_outside_the_list_are_none() -> None:
    hidden = ANSWER[ANSWER.index("<c:intygsData>") : ANSWER.index("</r:intygsLista>")]
    answer = without("c:intygsData").replace("<r:resultCode>", f'<x xmlns="urn:x">{hidden}</x><r:resultCode>')
    assert read(answer) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_encodings_that_the_document_names_are_read(encoding: str, size: int) -> None:
    head = "" if "utf" in encoding else f'<?xml version="1.0" encoding="{encoding}"?>'
    assert read(ANSWER.replace('<?xml version="1.0" encoding="UTF-8"?>\n', head).encode(encoding), size) == [
        CERTIFICATE
    ]


# ---- Whole answers that are failures -----------------------------------------------------------------------------

PRIVATE = f"Patienten {PATIENT.digits} saknas"


def enveloped(content: str) -> str:
    return f'<soap:Envelope xmlns:soap="{soap.ENVELOPE}"><soap:Body>{content}</soap:Body></soap:Envelope>'


def response(content: str) -> str:
    return enveloped(f'<{wire.NAME}Response xmlns="{wire.RESPONDER}">{content}</{wire.NAME}Response>')


LIST = "<intygsLista/>"
FAILURES = {
    "a missing unit id": (response(f"<resultCode>ERROR</resultCode><comment>{PRIVATE}</comment>"), "ERROR"),
    "INFO, with a list": (response(f"{LIST}<resultCode>INFO</resultCode><comment>{PRIVATE}</comment>"), "INFO"),
    "the result of the sibling contract": (
        response(f"<result><resultCode>ERROR</resultCode><resultMessage>{PRIVATE}</resultMessage></result>"),
        "ERROR",
    ),
    "two results that differ": (
        response(f"{LIST}<resultCode>OK</resultCode><result><resultCode>ERROR</resultCode></result>"),
        "ERROR",
    ),
    "a known result and an unknown one": (
        response(f"{LIST}<resultCode>OK</resultCode><resultCode>?</resultCode>"),
        "no known",
    ),
    "an unknown result": (response(f"{LIST}<resultCode>{PRIVATE}</resultCode>"), "no known result"),
    "OK in other letters": (response(f"{LIST}<resultCode>ok</resultCode>"), "no known result"),
    "no result": (response(LIST), "no known result"),
    "no list": (response("<resultCode>OK</resultCode>"), "no list"),
    "a SOAP fault": (soap.fault("Server", PRIVATE).decode(), "SOAP fault"),
    "a fault of the platform": (soap.fault("Server", f"VP009 [vp] {PRIVATE}").decode(), "SOAP fault VP009"),
    "another contract": (enveloped(f'<x xmlns="urn:x">{PRIVATE}</x>'), "another contract"),
    "an empty body": (enveloped(""), "one body element"),
    "two body elements": (ANSWER.replace("</soap:Body>", "<x/></soap:Body>"), "one body element"),
    "two bodies": (ANSWER.replace("</soap:Envelope>", "<soap:Body/></soap:Envelope>"), "one body element"),
    "something around the envelope": (f"<x>{response(LIST)}</x>", "no SOAP envelope"),
    "a page": ("<html><body>Välkommen</body></html>", "no whole SOAP envelope"),
    "words": ("this is not an answer", "XML"),
    "nothing": ("", "XML"),
    "something after the end": (f"{response(LIST)}<x/>", "XML"),
    "two answers": (ANSWER.partition("\n")[2] * 2, "XML"),
    "a document type": (f"<!DOCTYPE x>{response(LIST)}", "document type"),
    "a document type elsewhere": (f'<!DOCTYPE x SYSTEM "file:///etc/hostname">{response(LIST)}', "document type"),
    "an entity": (
        ANSWER.replace("<soap:Env", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><soap:Env', 1).replace(
            "intyg-1", "&e;"
        ),
        "document type",
    ),
    "an entity that nobody declared": (ANSWER.replace("intyg-1", "&e;"), "XML"),
}


@pytest.mark.parametrize(("answer", "reason"), FAILURES.values(), ids=FAILURES)
def test_an_answer_that_is_a_failure_says_so_and_copies_nothing(answer: str, reason: str) -> None:
    with pytest.raises(Unavailable) as caught:
        read(answer)
    assert reason in str(caught.value)
    assert PATIENT.digits not in repr(caught.value.__context__) + repr(caught.value)
    assert "Patienten" not in str(caught.value)


def test_an_answer_in_other_letters_than_it_says_is_a_failure() -> None:
    with pytest.raises(Unavailable, match="XML"):
        read(ANSWER.encode("iso-8859-1"))


def test_an_empty_list_is_an_answer() -> None:
    assert read(response(f"{LIST}<resultCode>OK</resultCode>")) == []


def test_an_answer_cut_off_anywhere_is_a_failure() -> None:
    body = ANSWER.encode()
    for end in range(len(body)):
        with pytest.raises(Unavailable):
            read(body[:end])


# ---- Size, depth and attacks -------------------------------------------------------------------------------------


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
    reader = wire.AnswerReader()
    with pytest.raises(Unavailable):
        read(answer, size, reader)
    with pytest.raises(Unavailable):
        reader.close()


def test_depth_is_counted_from_the_envelope() -> None:
    reader = wire.AnswerReader(max_depth=15)
    assert read(nested(10), reader=reader) == [CERTIFICATE]
    with pytest.raises(Unavailable, match="nested"):
        read(nested(11), reader=wire.AnswerReader(max_depth=15))


def test_depth_counts_beside_the_records_too() -> None:
    deep = f"<soap:Header>{'<x>' * 13}{'</x>' * 13}</soap:Header>"
    assert read(ANSWER.replace("<soap:Body>", f"{deep}<soap:Body>"), reader=wire.AnswerReader(max_depth=15))
    with pytest.raises(Unavailable, match="nested"):
        read(ANSWER.replace("<soap:Body>", f"{deep}<soap:Body>"), reader=wire.AnswerReader(max_depth=14))


def test_the_whole_answer_has_a_limit() -> None:
    body = ANSWER.encode()
    assert read(body, reader=wire.AnswerReader(max_bytes=len(body))) == [CERTIFICATE]
    with pytest.raises(Unavailable, match="larger than the limit"):
        read(body, reader=wire.AnswerReader(max_bytes=len(body) - 1))


def test_memory_does_not_grow_with_the_answer() -> None:
    record = ANSWER[ANSWER.index("<c:intygsData>") : ANSWER.index("</r:intygsLista>")]
    reader = wire.AnswerReader()
    assert len(read(ANSWER.replace(record, record * 2000), 65_536, reader)) == 2000
    assert reader._envelope is not None
    assert sum(1 for _ in reader._envelope.iter()) < 20


# ---- Properties --------------------------------------------------------------------------------------------------

MANY = ANSWER.replace(
    "</r:intygsLista>",
    "".join(
        ANSWER[ANSWER.index("<c:intygsData>") : ANSWER.index("</r:intygsLista>")].replace("intyg-1", f"intyg-{n}")
        for n in range(2, 6)
    )
    + "</r:intygsLista>",
).encode()


@given(st.lists(st.integers(0, len(MANY)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_how_an_answer_is_cut_into_pieces_plays_no_part(cuts: list[int]) -> None:
    reader = wire.AnswerReader()
    edges = [0, *sorted(cuts), len(MANY)]
    found = [record for start, end in pairwise(edges) for record in reader.feed(MANY[start:end])]
    reader.close()
    assert found == [replace(CERTIFICATE, id=f"intyg-{n}") for n in range(1, 6)]


@given(st.integers(0, len(MANY) - 1), st.binary(max_size=30), st.integers(0, 30), st.integers(1, 5000))
@settings(max_examples=300, deadline=None)
def test_a_damaged_answer_is_read_or_is_a_failure(at: int, damage: bytes, over: int, size: int) -> None:
    damaged = MANY[:at] + damage + MANY[at + over :]
    try:
        found = read(damaged, size)
    except Unavailable:
        return
    assert all(isinstance(each, Certificate | SetAside) for each in found)
