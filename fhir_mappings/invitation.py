"""What those who are invited to a meeting read, in Swedish. Pure.

Only that, when and where the patient takes part: what the meeting is about, and who else comes, is not told (information category
``meeting_participation``; nothing beyond what is needed).
"""

from collections.abc import Mapping
from typing import Final

from contracts.activity import ActivityKind, ContactMode
from contracts.meeting import Meeting
from contracts.time import STOCKHOLM

_NAMES: Final[Mapping[ActivityKind, str]] = {
    ActivityKind.AVSTAMNINGSMOTE: "avstämningsmöte",
    ActivityKind.TREPARTSMOTE: "trepartsmöte",
    ActivityKind.SIP: "möte om samordnad individuell plan (SIP)",
    ActivityKind.SIP_FOLLOWUP: "möte om uppföljning av samordnad individuell plan (SIP)",
}
_BY: Final[Mapping[ContactMode | None, str]] = {
    ContactMode.VIDEO: "Mötet hålls via video.",
    ContactMode.TELEPHONE: "Mötet hålls per telefon.",
}


def invited(meeting: Meeting) -> str:
    """To somebody whom the unit invites."""
    return f"Vi inbjuder till {_NAMES[meeting.kind]}, där patienten deltar. {_when_and_where(meeting)}"


def asked(meeting: Meeting) -> str:
    """To Försäkringskassan, whose meeting it is: the unit asks it to call one."""
    times = f" Tid som passar vårdenheten: {_when(meeting)}." if meeting.start else ""
    return f"Vi önskar att Försäkringskassan kallar till avstämningsmöte med patienten.{times}"


def changed(meeting: Meeting) -> str:
    """To somebody who has been told of another time or place."""
    return f"Ändring: {_NAMES[meeting.kind]}, där patienten deltar. {_when_and_where(meeting)}"


def called_off(meeting: Meeting) -> str:
    """To somebody who has been told of it. Why is not told."""
    when = f" {_when(meeting)}" if meeting.start else ""
    return f"Inställt: {_NAMES[meeting.kind]}, där patienten skulle delta{when}."


def _when_and_where(meeting: Meeting) -> str:
    when = f"Tid: {_when(meeting)}." if meeting.start else "Tid bestäms senare."
    place = f"Plats: {meeting.place}." if meeting.place else ""
    return " ".join(filter(None, (when, place, _BY.get(meeting.mode, ""))))


def _when(meeting: Meeting) -> str:
    """The day and the hours in Sweden."""
    assert meeting.start is not None  # noqa: S101 - asked only of meetings with a time
    start = meeting.start.astimezone(STOCKHOLM)
    until = f"–{meeting.end.astimezone(STOCKHOLM):%H.%M}" if meeting.end else ""
    return f"{start:%Y-%m-%d} kl. {start:%H.%M}{until}"
