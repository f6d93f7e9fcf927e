"""``docs/settings.md``, made from the settings themselves: ``reko settings`` prints it, ``make generate`` writes it."""

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from adapters.registry import ADAPTERS
from service.settings import PREFIX, Settings

_HEAD: Final = "| Setting | Type | Default | Meaning |\n|---|---|---|---|"

_INTRODUCTION: Final = """# Settings

Everything is set through the environment and read once, at the start. A value that does not fit, and a name that begins
with `REKO_` and is not listed here (a slip, a setting that is gone, an outside system that is not known), are told before
anything starts: `reko serve` and `reko worker` then exit 2. `reko db migrate` does for whatever is not an outside system's.
Kubernetes writes such names for services of its own (`enableServiceLinks: false` in the pod keeps them out).

`make generate` makes this page from the code; `reko settings` prints the same."""

_ADAPTERS: Final = """## Outside systems

An outside system without a `URL` is switched off: nothing is promised to it, and nothing is asked of it."""

_COMMANDS: Final = """## For the commands that talk to a running service

| Setting | Type | Default | Meaning |
|---|---|---|---|
| `REKO_URL` | text | `http://127.0.0.1:8080` | Where `reko pull` and `reko outbox` find the service. |
| `REKO_TOKEN` | secret | – | The token that they send. |"""


def page() -> str:
    """Every setting with its type, default and meaning, as Markdown."""
    own = {name: field for name, field in Settings.model_fields.items() if name != "adapters"}
    parts = [_INTRODUCTION, f"## The service\n\n{_table(PREFIX, own)}", _ADAPTERS]
    for name, adapter in ADAPTERS.items():
        prefix = f"{PREFIX}ADAPTERS__{name.upper()}__"
        parts.append(f"### {adapter.title}\n\n{_table(prefix, adapter.settings().model_fields)}")
    return "\n\n".join([*parts, _COMMANDS])


def _table(prefix: str, fields: Mapping[str, FieldInfo]) -> str:
    return "\n".join([_HEAD, *(_row(f"{prefix}{name.upper()}", field) for name, field in fields.items())])


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`{name}`", _type(field), _default(field.default), _meaning(field))
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _type(field: FieldInfo) -> str:
    kind = _bare(field.annotation)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{member.value}`" for member in kind)
    return f"{_NAMES.get(kind, getattr(kind, '__name__', str(kind)))}{''.join(_bounds(field))}"


def _bare(annotation: Any) -> Any:
    """The type itself, without what is optional or noted on it."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if isinstance(annotation, types.UnionType):
        return _bare(next(each for each in get_args(annotation) if each is not types.NoneType))
    return annotation


_NAMES: Final = {str: "text", int: "number", float: "number", bool: "yes or no", Path: "path", SecretStr: "secret"}


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        match bound:
            case Ge():
                yield f", from {bound.ge}"
            case Gt():
                yield f", above {bound.gt}"
            case Le():
                yield f", to {bound.le}"
            case Lt():
                yield f", below {bound.lt}"


def _default(value: Any) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    shown = plain.value if isinstance(plain, Enum) else plain
    return "–" if shown in (None, "") else f"`{shown}`"


def _meaning(field: FieldInfo) -> str:
    """The words below the attribute; of a choice without any, the words of its type."""
    kind = _bare(field.annotation)
    words = field.description or (inspect.getdoc(kind) if isinstance(kind, type) and issubclass(kind, Enum) else "")
    told = _CITATION.sub("", " ".join((words or "").split()))
    return told.replace("``", "`") or "–"


_CITATION: Final = re.compile(r" \([a-z_]+\.md [^)]*\)")
"""Code cites the facts that it was written from; operators do not have them."""
