"""Meetings as Tasks: what is written reads back as the same, and what a client wrote beside it stays."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.activity import ActivityKind, ContactMode
from contracts.consent import LegalBasis, Recipient, RecipientKind
from contracts.meeting import MEETINGS, FollowUp, Meeting, MeetingAnswer, MeetingStatus, Part, Participant, Shared
from contracts.record import Document
from fhir_mappings import invitation, meeting_task
from fhir_mappings import meeting as mapping
from fhir_mappings.document import decode, from_content
from fhir_mappings.registry import judge

CASES: Final = Path(__file__).parents[2] / "golden/cases/meeting"
UNIT: Final = {"type": "Organization", "identifier": {"system": "urn:oid:1.2.752.29.4.19", "value": "SE5599990008-E1"}}
AT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)

FK: Final = Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521", "Försäkringskassan")
EMPLOYER: Final = Recipient(RecipientKind.EMPLOYER, "5560000001", "Exempelbolaget AB")
NEIGHBOUR: Final = Recipient(RecipientKind.SAME_CARE_PROVIDER, "TSTNMT2321000156-E0002")

words = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20)
no_words = st.just("") | words
instants = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - the zone is put on below
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
parties = st.sampled_from((FK, EMPLOYER, NEIGHBOUR))


def participants(number: int) -> st.SearchStrategy[Participant]:
    said = {
        "answer": st.sampled_from(MeetingAnswer),
        "came": st.sampled_from((None, True, False)),
        "role": no_words,
    }
    return st.builds(
        Participant,
        id=st.just(f"p{number}"),
        part=st.just(Part.PARTY),
        party=parties,
        name=no_words,
        invitation=st.sampled_from(("", "CommunicationRequest/1")),
        **said,
    ) | st.builds(Participant, id=st.just(f"p{number}"), part=st.just(Part.PERSON), name=words, **said)


meetings = st.builds(
    Meeting,
    patient=st.just("1"),
    kind=st.sampled_from(MEETINGS),
    status=st.sampled_from(MeetingStatus),
    participants=st.tuples(st.just(Participant("p1", Part.PATIENT)), participants(2), participants(3)),
    also=st.lists(st.sampled_from(sorted(set(ActivityKind) - set(MEETINGS))), unique=True, max_size=2).map(tuple),
    start=st.none() | instants,
    end=st.none() | instants,
    mode=st.none() | st.sampled_from(ContactMode),
    place=no_words,
    purpose=no_words,
    with_sick_leave=st.booleans(),
    dialogue=st.sampled_from(("", "Task/1")),
    outcome=no_words,
    follow_up=st.none() | st.builds(FollowUp, words, st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))),
    plan=st.sampled_from(("", "CarePlan/1")),
    why_no_plan=no_words,
    documents=st.sampled_from(((), ("Binary/1",), ("Binary/1", "DocumentReference/2"))),
    shared=st.lists(
        st.builds(Shared, st.just("Binary/1"), parties, st.just(LegalBasis.CONSENT), instants)
        | st.builds(Shared, st.just("Binary/1"), st.none(), st.none(), instants),
        max_size=2,
    ).map(tuple),
    activity=st.sampled_from(("", "Procedure/1")),
    reason=no_words,
)


@given(meetings)
def test_a_meeting_reads_back_as_the_same(meeting: Meeting) -> None:
    document = meeting_task.to_fhir(meeting, unit=UNIT, authored=AT)

    assert judge(document.content) == ()
    assert mapping.from_fhir(document.content) == meeting
    assert meeting_task.changed(document, meeting, AT) is document, "nothing new, nothing written"


@given(meetings, meetings)
def test_a_meeting_that_changes_reads_back_as_changed(one: Meeting, other: Meeting) -> None:
    """Who somebody is does not change, nor who calls the meeting."""
    kept = tuple(
        replace(was, answer=now.answer, came=now.came)
        for was, now in zip(one.participants, other.participants, strict=True)
    )
    wanted = replace(other, participants=kept)
    document = meeting_task.changed(meeting_task.to_fhir(one, unit=UNIT, authored=AT), wanted, AT)

    assert judge(document.content) == ()
    assert mapping.from_fhir(document.content) == wanted


def stored(case: str) -> Document:
    return decode((CASES / case / "resource.json").read_bytes())


@pytest.mark.parametrize("case", [each.name for each in CASES.iterdir() if each.name != "invalid"])
def test_what_a_client_wrote_beside_it_stays(case: str) -> None:
    content: dict[str, Any] = orjson.loads(stored(case).body)
    extension = {"url": "http://example.org/room", "valueString": "4"}
    content["note"] = [{"text": "Ring innan"}]
    content["extension"] = [*content.get("extension", []), extension]
    content["code"]["coding"].append({"system": "http://example.org/kinds", "code": "m"})
    content["input"][0]["extension"] = [*content["input"][0].get("extension", []), extension]
    content["output"] = [*content.get("output", []), {"type": {"text": "annat"}, "valueString": "x"}]
    before = mapping.from_fhir(content | {"output": content["output"][:-1]})

    changed = meeting_task.changed(from_content(content), replace(before, outcome="Nytt", place="Rum 9"), AT).content

    assert mapping.from_fhir({**changed, "output": changed["output"][1:]}) == replace(
        before, outcome="Nytt", place="Rum 9"
    )
    assert changed["note"] == content["note"]
    assert extension in changed["extension"]
    assert extension in changed["input"][0]["extension"]
    assert content["code"]["coding"][-1] in changed["code"]["coding"]
    assert changed["output"][0] == content["output"][-1]
    assert [each["valueReference"] for each in changed["input"] if "valueReference" in each][:2] == [
        each["valueReference"] for each in content["input"] if "valueReference" in each
    ][:2]


def test_whoever_calls_chairs_and_documents_unless_another_is_named() -> None:
    content: dict[str, Any] = orjson.loads(stored("avstamningsmote-held").body)
    content["input"] = content["input"][:-2]
    read = mapping.from_fhir(content)
    assert (read.called_by, read.chair, read.secretary) == (FK.party, FK.party, FK.party)


def test_a_to_do_is_no_meeting() -> None:
    kind = {"coding": [{"system": "https://rekobryggan.example/fhir/CodeSystem/activity-kind", "code": "plan"}]}
    assert not mapping.is_meeting({"code": kind})
    assert not mapping.is_meeting({"code": {"text": "sip"}})
    assert mapping.is_meeting(stored("cancelled-with-a-reason").content)


# ---- Invitations -------------------------------------------------------------------------------------------------

PLANNED: Final = Meeting(
    patient="1",
    kind=ActivityKind.TREPARTSMOTE,
    status=MeetingStatus.REQUESTED,
    participants=(),
    start=datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    end=datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    place="Rum 4",
    mode=ContactMode.VIDEO,
    purpose="HEMLIGT",
    reason="HEMLIGT",
    outcome="HEMLIGT",
)
"""Over the hour that spring leaves out."""

TEXTS: Final = {
    invitation.invited: (
        "Vi inbjuder till trepartsmöte, där patienten deltar. "
        "Tid: 2026-03-29 kl. 01.30–03.30. Plats: Rum 4. Mötet hålls via video."
    ),
    invitation.changed: (
        "Ändring: trepartsmöte, där patienten deltar. "
        "Tid: 2026-03-29 kl. 01.30–03.30. Plats: Rum 4. Mötet hålls via video."
    ),
    invitation.called_off: "Inställt: trepartsmöte, där patienten skulle delta 2026-03-29 kl. 01.30–03.30.",
    invitation.asked: (
        "Vi önskar att Försäkringskassan kallar till avstämningsmöte med patienten. "
        "Tid som passar vårdenheten: 2026-03-29 kl. 01.30–03.30."
    ),
}


@pytest.mark.parametrize(("words", "text"), TEXTS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_what_others_read(words: Any, text: str) -> None:
    assert words(PLANNED) == text
    bare = replace(PLANNED, start=None, end=None, place="", mode=None)
    assert "None" not in words(bare)
    assert "kl." not in words(bare)


@pytest.mark.parametrize("kind", MEETINGS)
def test_no_text_tells_what_it_is_about_or_who_else_comes(kind: ActivityKind) -> None:
    told = replace(PLANNED, kind=kind, participants=(Participant("p2", Part.PARTY, EMPLOYER, name="HEMLIG"),))
    for words in TEXTS:
        assert "HEMLIG" not in words(told)
        assert "Exempelbolaget" not in words(told)


def test_a_meeting_lasts_over_the_day() -> None:
    later = replace(PLANNED, end=PLANNED.end and PLANNED.end + timedelta(hours=1))
    assert "01.30–04.30" in invitation.invited(later)
