"""What the interface takes and gives, as its mock judges it: strict, where the client side is forgiving (sdk.md)."""

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from adapters.sdk.mock_party_rules import Detail, Reason

INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
Organisation = Annotated[str, Field(pattern=r"^0203:[A-Za-z0-9.-]+$")]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Identified(_Model):
    """A root, an extension, and what people call it."""

    root: str
    extension: str = Field(max_length=256)
    label: str | None = None


class Attention(_Model):
    """The function that it is for or from; never a person alone."""

    sub_organization: Identified
    attention_person: list[Identified] = []
    reference_id: list[Identified] = []


class ContentFile(_Model):
    """A file, in base64."""

    file_name: str
    content_type: str
    content: str


class Document(_Model):
    """One document, in text or files."""

    document_id: str
    document_name: str | None = None
    index: int | None = Field(default=None, ge=1)
    content_text_body: list[str] = []
    content_files: list[ContentFile] = []


class Message(_Model):
    """What a client may say of a message that it sends."""

    confidentiality: bool
    label: str = Field(max_length=256)
    sender: Organisation
    recipient: Organisation
    recipient_attention: Attention | None = None
    sender_attention: Attention | None = None
    message_id: UUID | None = None
    conversation_id: UUID | None = None
    ref_to_message_id: UUID | None = None
    creation_date_time: Annotated[str, Field(pattern=INSTANT)] | None = None
    generating_system: Identified | None = None
    digital_document: list[Document] = []


class _Data(_Model):
    type: Literal["messages"]
    id: str | None = None
    attributes: Message


class Body(_Model):
    """The envelope."""

    data: _Data


class Handed(Message):
    """A message as it is handed over to the recipient: the service has set what the client left out."""

    message_id: UUID
    conversation_id: UUID
    creation_date_time: Annotated[str, Field(pattern=INSTANT)]


class _HandedData(_Model):
    type: Literal["messages"]
    id: UUID | None = None
    attributes: Handed


class HandedOver(_Model):
    """The envelope of it."""

    data: _HandedData


class _Side(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    sub_organization: dict[str, Any]
    reference_id: list[dict[str, Any]] = []


class Answerable(BaseModel):
    """What an answer needs of the message that it answers; the rest may be as wrong as the levels let through."""

    model_config = ConfigDict(alias_generator=to_camel)

    message_id: str
    conversation_id: str
    label: str
    sender: str
    recipient: str
    sender_attention: _Side
    recipient_attention: _Side


class Issue(_Model):
    """What a receipt says of one breach: the detail as a code, the rule by its name, the rule in words."""

    type_code: Detail
    title: str
    detail: str


class Receipt(_Model):
    """What the recipient says of a message (forsakringskassan.md § 7.1), in JSON of ours: SDK has it as XML between the
    message services, and the client learns of it by status and events."""

    receipt: Literal["ACCEPTED", "REJECTED"]
    message_id: str
    reason: Reason | None = None
    issues: list[Issue] = []


Status = Literal[
    "NEW",
    "SCHEDULED",
    "SUBMITTED",
    "SCHEDULED_FOR_RESEND",
    "ACKNOWLEDGE",
    "WAITING_FOR_RECEIPT",
    "ACCEPTED",
    "REJECTED",
    "RETRIEVED",
    "RECEIPT_SENT",
    "MESSAGE_EXCHANGE_ERROR",
    "ERROR",
]


class Shown(Message):
    """The same with what the service adds."""

    message_id: UUID
    conversation_id: UUID
    creation_date_time: str
    message_status: Status
    events: list[dict[str, Any]]


class _ShownData(_Model):
    type: Literal["messages"]
    id: UUID
    attributes: Shown


class _Meta(_Model):
    version: str


class _Answer(_Model):
    meta: _Meta


class One(_Answer):
    """One message."""

    data: _ShownData
    links: dict[str, str]


class Many(_Answer):
    """A list."""

    data: list[_ShownData]


def attributes(body: bytes) -> dict[str, Any] | None:
    """What a body says of a message, whatever the interface says of that; ``None`` where that is nothing."""
    try:
        found = orjson.loads(body)["data"]["attributes"]
    except (ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, dict) else None
