"""What a party writes to care: an answer, or something of its own in the same conversation, as the message service has it. Pure."""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from adapters.sdk.mock_parties import File
from fhir_mappings.identifiers import NATIONAL_PERSON_SYSTEMS

PERSON_ROOTS: Final = frozenset(system.rivta for system in NATIONAL_PERSON_SYSTEMS)


def written(
    to: Mapping[str, Any],
    id: str,
    text: str,
    *,
    label: str = "",
    reference: str = "",
    answers: bool = True,
    files: Iterable[File] = (),
    at: datetime | None = None,
) -> dict[str, Any]:
    """From the function that got the message ``to`` (its attributes) to the function that sent it, about the same person, with
    the sender's references given back."""
    attention = to["recipientAttention"]
    person = [each for each in attention.get("referenceId", []) if each.get("root") in PERSON_ROOTS]
    theirs = [{"root": to["recipient"], "extension": reference}] if reference else []
    document = {"documentId": "1", "index": 1, "contentTextBody": [text]}
    attached = [_file(each) for each in files]
    return {
        "messageId": id,
        "conversationId": to["conversationId"],
        **({"refToMessageId": to["messageId"]} if answers else {}),
        **({"creationDateTime": _instant(at)} if at else {}),
        "confidentiality": True,
        "label": label or to["label"],
        "sender": to["recipient"],
        "recipient": to["sender"],
        "senderAttention": {"subOrganization": attention["subOrganization"], "referenceId": [*person, *theirs]},
        "recipientAttention": to["senderAttention"],
        "digitalDocument": [document | ({"contentFiles": attached} if attached else {})],
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _file(file: File) -> dict[str, str]:
    content = page(file.text) if file.content_type == "application/pdf" else file.text.encode()
    return {
        "fileName": file.name,
        "contentType": file.content_type,
        "content": base64.b64encode(content).decode("ascii"),
    }


_TOP: Final = "BT /F1 12 Tf 18 TL 56 780 Td"
_OBJECTS: Final = (
    "<< /Type /Catalog /Pages 2 0 R /Lang (sv-SE) >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
)


def page(text: str) -> bytes:
    """A PDF of one page with the text's lines on it; the same bytes for the same text."""
    shown = "\n".join(f"({_escaped(line)}) Tj T*" for line in text.splitlines())
    stream = f"{_TOP}\n{shown}\nET".encode("cp1252", "replace")
    content = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream)
    objects = [*(each.encode("ascii") for each in _OBJECTS), content]
    made, places = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size, start = len(objects) + 1, len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(made)


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
