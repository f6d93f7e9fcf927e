"""How strictly a counterpart judges: by the schema, by its own rules, and its own answers."""

from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class Level(StrEnum):
    """``off``: not judged. ``warn``: judged, told in the report, and let through. ``strict``: refused."""

    OFF = "off"
    WARN = "warn"
    STRICT = "strict"


class Validation(BaseModel):
    """One level for each layer of forsakringskassan.md §§ 1.6 and 1.7.

    ``schema`` and ``rules`` are about requests; what cannot be read at all is refused at any level. ``answers``: an answer
    that breaks the contract is told in the report (``warn``), or not sent but replaced by HTTP 500 (``strict``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)

    schema_: Level = Field(default=Level.STRICT, alias="schema")
    rules: Level = Level.STRICT
    answers: Level = Level.WARN


def wrong(model: Any, body: bytes) -> tuple[str, ...]:
    """Where JSON breaks a model: places, and never what stands there."""
    try:
        _adapter(model).validate_json(body)
    except ValidationError as error:
        return issues(error)
    return ()


def issues(error: ValidationError) -> tuple[str, ...]:
    """The same of an error that was raised."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return tuple(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in found)


_adapter = cache(TypeAdapter[Any])
