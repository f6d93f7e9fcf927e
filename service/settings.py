"""The environment, read once into one frozen value. ``docs/settings.md`` is made from this file and the adapters' own."""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.http import Destination
from adapters.registry import ADAPTERS
from contracts.activity import ContactMode
from contracts.outbox import DeliveryState
from service.rules.region import RegionalProfile

PREFIX: Final = "REKO_"
OF_COMMANDS: Final = frozenset({"REKO_URL", "REKO_TOKEN"})
"""What the commands that talk to a running service read."""

SHARED: Final = ("postgresql://", "postgres://")
_REGIONS: Final = Path(__file__).parent / "rules" / "regions"


class Settings(BaseSettings):
    """Every name has the prefix ``REKO_``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    data: Path = Path(".reko")
    """Where the embedded database lives."""
    database: str = Field(default="", repr=False)
    """``sqlite:///path``, or ``postgresql://user:password@host/name`` for several processes on one database
    (docs/operating.md); empty means ``reko.db`` in the data directory."""
    clients: Path | None = None
    """The TOML file of callers and their rights; without it nobody gets in."""
    care_provider: str = ""
    """HSA-id of the care provider whose platform and record system the adapters reach; empty: the only one in the clients
    file."""
    units: Path | None = None
    """The TOML file of care units that are pulled by themselves (docs/operating.md); without it only who asks pulls."""
    pull_slots: int = Field(default=4, ge=1, le=64)
    """Units that are pulled at a time."""
    clock_url: str = ""
    """A clock on this machine that is followed instead of the system's; for tests."""
    region: str = "vgr"
    """A regional profile that is shipped (``vgr``, ``halland``) or the path of one."""
    host: str = "127.0.0.1"
    """The address to listen on; the service speaks plain HTTP, so anything wider needs TLS in front of it."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The port to listen on."""
    public_url: str = ""
    """The address that links are made with; empty means ``http://host:port``."""
    cors_origins: str = ""
    """Origins, with commas between, whose pages may call the FHIR surface from a browser; empty: none."""
    outbox_slots: int = Field(default=8, ge=1, le=64)
    """Tries at a time to each destination."""
    withheld_days: int = Field(default=30, ge=1, le=3650)
    """Days until what a withheld or cancelled message says is erased from the outbox; its reason and its record stay."""
    outbox_old_hours: float = Field(default=24, gt=0)
    """A message that has waited so long is told of, once an hour (docs/operating.md)."""
    keep_delivered_days: float = Field(default=365, gt=0)
    """How long the outbox keeps a delivered message with its tries; of one to another party only what it says is erased
    then. Records, decisions and access log stay. At least a day longer than ``REKO_WITHHELD_DAYS``."""
    keep_cancelled_days: float = Field(default=365, gt=0)
    """The same of a cancelled one, with the same bound. Whatever is neither is kept."""
    adapters: dict[str, dict[str, Any]] = {}
    """``REKO_ADAPTERS__<NAME>__<SETTING>``; an adapter without a URL is switched off."""

    def adapter(self, name: str) -> Destination:
        """One adapter's own settings. Raises ``pydantic.ValidationError``."""
        return ADAPTERS[name].settings().model_validate(self.adapters.get(name, {}))

    @property
    def database_place(self) -> Path | str:
        """The file of the embedded database, or the URL of one that is shared. Raises ``ValueError`` for any other kind."""
        if not self.database:
            return self.data / "reko.db"
        if self.database.startswith(SHARED):
            return self.database
        scheme, _, path = self.database.partition(":///")
        if scheme != "sqlite" or not path:
            raise ValueError("REKO_DATABASE takes sqlite:///path or postgresql://user:password@host/name")
        return Path(path)

    @property
    def is_shared(self) -> bool:
        """Whether several processes may work on the database: then ``reko worker`` does what nobody asks for."""
        return self.database.startswith(SHARED)

    @property
    def kept(self) -> dict[DeliveryState, timedelta]:
        """How long the outbox keeps a message once it is over, by the state in which it ended. Raises ``ValueError`` when that
        of a newer version of a record may be forgotten while an older, withheld one may still be released."""
        if min(self.keep_delivered_days, self.keep_cancelled_days) < self.withheld_days + 1:
            raise ValueError(
                "REKO_KEEP_DELIVERED_DAYS and REKO_KEEP_CANCELLED_DAYS are at least a day longer than REKO_WITHHELD_DAYS: "
                "while a withheld message may be released, what was sent after it must be known"
            )
        return {
            DeliveryState.DELIVERED: timedelta(days=self.keep_delivered_days),
            DeliveryState.CANCELLED: timedelta(days=self.keep_cancelled_days),
        }

    @property
    def base(self) -> str:
        """The public address without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def regional_profile(self) -> RegionalProfile:
        """The region's profile. Raises ``ValueError`` when the file cannot be used."""
        shipped = _REGIONS / f"{self.region}.toml"
        file = shipped if shipped.is_file() else Path(self.region)
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
            modes = frozenset(ContactMode(mode) for mode in values.pop("contact_modes"))
            return RegionalProfile(contact_modes=modes, **values)
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"REKO_REGION: {file}: {error}") from None


def unknown(environment: Iterable[str]) -> Sequence[str]:
    """The names that begin as settings do, and are none. What stands behind ``REKO_ADAPTERS__`` is judged with its adapter."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | OF_COMMANDS
    ours = {name: name.upper() for name in environment if name.upper().startswith(PREFIX)}
    return sorted(name for name, said in ours.items() if said not in known and not said.startswith(_ADAPTERS))


_ADAPTERS: Final = f"{PREFIX}ADAPTERS__"
