"""What a party goes by when a message is handed over to it, a row each. Pure.

The codes are those of SDK's receipt (forsakringskassan.md § 7.1): why (SV syntax, BV business, SIG signature) and, in more
detail, what. Which code a real party gives for which breach is not published: the pairs are ours.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from adapters.sdk.mock_letter import PERSON_ROOTS
from adapters.sdk.mock_parties import Party
from adapters.sdk.wire import FUNCTION
from contracts.identity import BadIdentity, PersonId

Reason = Literal["SV", "BV", "SIG"]
Detail = Literal[
    "structure",
    "invariant",
    "too long",
    "not supported",
    "not found",
    "multiple matches",
    "security",
    "forbidden",
]


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as it came. ``size`` is that of its content, ``None`` where that is no base64."""

    content_type: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as read; empty where it holds nothing. ``persons`` are the distinct ones, as twelve digits where their
    numbers are right. ``envelope`` is all of it but the documents."""

    id: str = ""
    conversation: str = ""
    subject: str = ""
    recipient: str = ""
    function_root: str = ""
    function: str = ""
    persons: tuple[str, ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)
    files: tuple[ReceivedFile, ...] = ()
    answer_to: str = ""
    envelope: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def patient(self) -> str:
        """Whom it is about, where that is one person."""
        return self.persons[0] if len(self.persons) == 1 else ""

    @property
    def opens_case(self) -> bool:
        """Whether it is no answer."""
        return not self.answer_to


def read(attributes: Mapping[str, Any]) -> Incoming:
    """A message's attributes, as far as they can be read."""
    there = _at(attributes, "recipientAttention", "subOrganization")
    references = [
        each
        for side in ("recipientAttention", "senderAttention")
        for each in _list(_at(attributes, side, "referenceId"))
        if _text(each, "root") in PERSON_ROOTS
    ]
    documents = _list(_at(attributes, "digitalDocument"))
    return Incoming(
        id=_text(attributes, "messageId").lower(),
        conversation=_text(attributes, "conversationId").lower(),
        subject=_text(attributes, "label"),
        recipient=_text(attributes, "recipient"),
        function_root=_text(there, "root"),
        function=_text(there, "extension"),
        persons=tuple(dict.fromkeys(_digits(_text(each, "extension")) for each in references)),
        text="\n\n".join(
            words for each in documents for words in _list(_at(each, "contentTextBody")) if isinstance(words, str)
        ),
        files=tuple(_file(file) for each in documents for file in _list(_at(each, "contentFiles"))),
        answer_to=_text(attributes, "refToMessageId").lower(),
        envelope={name: value for name, value in attributes.items() if name != "digitalDocument"},
    )


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, name: str) -> str:
    found = _at(value, name)
    return found.strip() if isinstance(found, str) else ""


def _digits(number: str) -> str:
    try:
        return PersonId(number).digits
    except BadIdentity:
        return number


def _file(file: Any) -> ReceivedFile:
    media = _text(file, "contentType").partition(";")[0].strip().casefold()
    try:
        return ReceivedFile(media, len(base64.b64decode(_text(file, "content"), validate=True)))
    except ValueError:
        return ReceivedFile(media, None)


@dataclass(frozen=True, slots=True)
class Known:
    """What a party goes by. ``sent``: sender and conversation of each message that the message service has had, by id."""

    party: Party
    sent: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Breach:
    """What is wrong: the rule's name, the codes of the receipt, and words."""

    rule: str
    reason: Reason
    detail: Detail
    words: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.words}"


@dataclass(frozen=True, slots=True)
class Rule(Breach):
    """A rule, and what it says when it is broken."""

    broken: Callable[[Incoming, Known], bool]


def _is_known_function(incoming: Incoming, known: Known) -> bool:
    return known.party.function(incoming.function) is not None


def _is_about_persons(incoming: Incoming, known: Known) -> bool:
    function = known.party.function(incoming.function)
    return function is not None and function.persons


def _is_wrong(number: str) -> bool:
    try:
        PersonId(number)
    except BadIdentity:
        return True
    return False


def _is_nobodys(incoming: Incoming, known: Known) -> bool:
    """Whether it answers what the party has not sent in this conversation."""
    sender, conversation = known.sent.get(incoming.answer_to, ("", ""))
    return (sender.casefold(), conversation) != (known.party.organisation.casefold(), incoming.conversation)


RULES: Final = (
    Rule(
        "RECIPIENT_NOT_HERE",
        "BV",
        "not found",
        "it is addressed to another organisation",
        lambda it, known: it.recipient.casefold() != known.party.organisation.casefold(),
    ),
    Rule(
        "FUNCTION_MISSING",
        "SV",
        "structure",
        "no function is addressed: only functions can be reached, never a person alone",
        lambda it, _: not it.function or it.function_root != FUNCTION,
    ),
    Rule(
        "FUNCTION_NOT_FOUND",
        "BV",
        "not found",
        "there is no such function here",
        lambda it, known: bool(it.function) and not _is_known_function(it, known),
    ),
    Rule(
        "PERSON_MISSING",
        "BV",
        "invariant",
        "the function handles persons' matters, and no person is named in the references",
        lambda it, known: _is_about_persons(it, known) and not it.persons,
    ),
    Rule(
        "PERSON_AMBIGUOUS",
        "BV",
        "multiple matches",
        "the references name more than one person",
        lambda it, known: _is_about_persons(it, known) and len(it.persons) > 1,
    ),
    Rule(
        "PERSON_NUMBER_WRONG",
        "SV",
        "structure",
        "a personal number is no right one",
        lambda it, _: any(map(_is_wrong, it.persons)),
    ),
    Rule(
        "CONTENT_MISSING",
        "BV",
        "invariant",
        "there is neither text nor file",
        lambda it, _: not it.text.strip() and not it.files,
    ),
    Rule(
        "FILE_UNREADABLE",
        "SV",
        "structure",
        "a file is empty or no base64",
        lambda it, _: any(not file.size for file in it.files),
    ),
    Rule(
        "FILE_TYPE_NOT_TAKEN",
        "BV",
        "not supported",
        "files of that type are not taken here",
        lambda it, known: any(file.content_type not in known.party.takes for file in it.files),
    ),
    Rule(
        "ANSWERED_MESSAGE_NOT_FOUND",
        "BV",
        "not found",
        "refToMessageId names no message from here in this conversation",
        lambda it, known: bool(it.answer_to) and _is_nobodys(it, known),
    ),
)
"""In the order in which they are asked; the first that is broken decides."""


def broken(incoming: Incoming, known: Known) -> tuple[Breach, ...]:
    """All rules that are broken."""
    return tuple(rule for rule in RULES if rule.broken(incoming, known))
