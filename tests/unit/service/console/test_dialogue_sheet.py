"""What a line of a dialogue says of lateness and of whom it is about, and who is told to have moved one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.consent import Recipient, RecipientKind
from contracts.dialogue import Dialogue, Standing, Topic
from contracts.identity import HsaId, PersonId
from contracts.outbox import DeliveryState
from contracts.people import RegisteredPatient
from contracts.record import Caller, Record, Right
from service.console import dialogue_sheet
from service.console.dialogue_sheet import Line, Sheet
from service.rules.channels import CERTIFICATE_DIALOGUE, MANUAL, SDK, Choice
from service.usecases.attend_dialogue import Preview
from service.usecases.see_dialogues import Everything, Listed

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
TODAY = date(2026, 11, 28)
UNIT = HsaId("TSTNMT2321000156-E0001")
SOMEBODY = RegisteredPatient("p", PersonId("198001019804"), "Prov Exempelsson")


def listed(standing: Standing, due: date | None = None, patient: RegisteredPatient | None = SOMEBODY) -> Listed:
    party = Recipient(RecipientKind.EMPLOYER, "5560000001")
    dialogue = Dialogue("p", UNIT, "c", Topic.CONTACT, party, "CommunicationRequest/r", standing, AT, due=due)
    return Listed(Record("Task", "t", 1, AT, UNIT.value, "p", b""), dialogue, patient, "Bolaget")


@pytest.mark.parametrize(
    ("standing", "days", "told"),
    [
        (Standing.OVERDUE, 1, "1 dag över tiden"),
        (Standing.OVERDUE, 12, "12 dagar över tiden"),
        (Standing.INFORMED, 2, "Svar dröjer: 2 dagar över tiden"),
        (Standing.INFORMED, 0, ""),
        (Standing.INFORMED, -3, ""),
        (Standing.TO_ANSWER, 3, "Enhetens svar dröjer: 3 dagar över tiden"),
        (Standing.ACCEPTED, 3, ""),
        (Standing.OVERDUE, None, ""),
    ],
)
def test_how_late_an_answer_is(standing: Standing, days: int | None, told: str) -> None:
    due = None if days is None else TODAY - timedelta(days=days)
    assert Line(listed(standing, due), TODAY).late == told


@pytest.mark.parametrize(
    ("patient", "name", "number"),
    [
        (SOMEBODY, "Prov Exempelsson", "19800101-9804"),
        (RegisteredPatient("p", None, "Prov Exempelsson"), "Prov Exempelsson", ""),
        (RegisteredPatient("p", SOMEBODY.person, "Prov Exempelsson", protected=True), "Skyddad personuppgift", ""),
        (RegisteredPatient("p", SOMEBODY.person), "Okänd patient", "19800101-9804"),
        (None, "Okänd patient", ""),
    ],
)
def test_whom_it_is_about(patient: RegisteredPatient | None, name: str, number: str) -> None:
    line = Line(listed(Standing.INFORMED, patient=patient), TODAY)
    assert (line.patient, line.number, line.party) == (name, number, "Bolaget (arbetsgivare)")


@pytest.mark.parametrize(
    ("writers", "who"),
    [
        ([], ""),
        ([("A", "uppdrag")], "A"),
        ([("A", "rekobryggan")], "tjänsten"),
        ([("A", "uppdrag"), ("B", "rekobryggan")], "A"),
        ([("A", "uppdrag"), ("B", "uppdrag")], ""),
    ],
)
def test_who_moved_it(writers: Sequence[tuple[str, str]], who: str) -> None:
    assert dialogue_sheet._who(writers) == who


_YES, _NO = "", "no-consent"
_ALL = (CERTIFICATE_DIALOGUE, MANUAL)


@pytest.mark.parametrize(
    ("state", "refused", "may"),
    [
        # state, refused: (send by hand, approve, print, other ways)
        (DeliveryState.NEEDS_APPROVAL, _YES, (True, True, True, (MANUAL,))),
        (DeliveryState.NEEDS_APPROVAL, _NO, (False, False, False, ())),
        (DeliveryState.WAITING, _YES, (True, False, False, (MANUAL,))),
        (DeliveryState.RETRYING, _YES, (True, False, False, (MANUAL,))),
        (DeliveryState.PARKED, _YES, (True, False, True, _ALL)),
        (DeliveryState.NEEDS_OTHER_CHANNEL, _YES, (True, False, True, (CERTIFICATE_DIALOGUE,))),
        (DeliveryState.WITHHELD, _YES, (True, False, True, _ALL)),
        (DeliveryState.WITHHELD, _NO, (False, False, False, ())),
    ],
)
def test_what_may_be_done_with_what_waits(
    state: DeliveryState, refused: str, may: tuple[bool, bool, bool, tuple[str, ...]]
) -> None:
    ways = (Choice(CERTIFICATE_DIALOGUE, True, ""), Choice(SDK, False, ""), Choice(MANUAL, True, ""))
    unsent = Preview("text", CERTIFICATE_DIALOGUE, state, ways, refused, None)  # type: ignore[arg-type]
    one = listed(Standing.QUEUED)
    everything = Everything(one, (), (), unsent, "m")
    for rights in (frozenset(Right), frozenset({Right.FHIR_READ})):
        caller = Caller(HsaId("TSTNMT2321000156-P0001"), "uppdrag", UNIT, UNIT, rights)
        sheet = Sheet(caller, everything, Line(one, TODAY), ())
        found = (sheet.may_send, sheet.may_approve, sheet.may_print, sheet.other_ways)
        assert found == (may if Right.FHIR_WRITE in rights else (False, False, may[2], ()))
