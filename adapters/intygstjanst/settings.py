"""The settings of the Intygstjänst adapter."""

from typing import Final

from pydantic import Field

from adapters.http import Destination

CARE_UNIT_PATH: Final = "/list-active-sick-leaves-for-care-unit/v1.0"
PERSON_PATH: Final = "/list-sick-leaves-for-person/v1.0"
"""Both under the context ``/inera-certificate`` of Intygstjänst itself (rehabstod.md § 1.3)."""
CERTIFICATE_PATH: Final = "/get-certificate-se/v2.0"
"""Under the same (Intygstjänsten's own tests)."""
REST_PATH: Final = "/sickleave/active"
"""Under the context ``/inera-certificate/internalapi``, which has a port of its own (§ 2)."""


class Settings(Destination):
    """Where certificates are asked for, and how much of an answer is read."""

    path: str = CARE_UNIT_PATH
    """Where the certificates of a unit are asked for."""
    person_path: str = PERSON_PATH
    """Where the certificates of a person are asked for."""
    certificate_path: str = CERTIFICATE_PATH
    """Where one whole certificate is asked for."""
    rest_url: str = ""
    """Base address of Intygstjänst's internal API (``.../internalapi``), whose own sick leaves can be held against ours. Empty: they are not asked for."""
    logical_address: str = "5565594230"
    """Who answers: Inera's organisation number. Intygstjänst itself ignores it, the national platform routes by it."""
    original_consumer: str = ""
    """HSA-id of this service for the platform's header (RIV-TA BP 2.1 rule 23); empty: the header is left out."""
    timeout_seconds: float = Field(default=60.0, gt=0)
    """As Rehabstöd waits for the same service (rehabstod.md § 1.3)."""
    max_seconds: float = Field(default=900.0, gt=0)
    """For a whole answer, so that one that only drips comes to an end."""
    max_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)
    """Of a whole answer, unpacked. One certificate takes about 1,600."""
    max_depth: int = Field(default=32, ge=12, le=200)
    """Of nested elements; the contract itself needs nine."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The internal API's too."""
        return tuple(filter(None, (self.url, self.rest_url)))

    @property
    def rest(self) -> Destination:
        """The internal API. It knows no callers, so no token goes there."""
        shared = {name: getattr(self, name) for name in Destination.model_fields if name not in ("url", "token")}
        return Destination(url=self.rest_url, **shared)
