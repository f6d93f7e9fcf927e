"""Intygstjänst's own sick leaves, as its internal API computes them: to hold our engine against, not to build on.

The answer is read whole, up to ``adapters.http.MAX_ANSWER``.
"""

from typing import Final

from adapters.http import Sender
from adapters.intygstjanst import wire_rest
from adapters.intygstjanst.settings import REST_PATH
from adapters.intygstjanst.wire_rest import Wanted
from contracts.errors import Unavailable
from contracts.identity import HsaId
from contracts.sick_leave import ReportedSickLeave, SetAside

_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json"}


class NationalEngine:
    """The REST form (rehabstod.md § 2)."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def active_sick_leaves(self, unit: HsaId, wanted: Wanted = Wanted()) -> list[ReportedSickLeave | SetAside]:  # noqa: B008 - frozen
        """The sick leaves that its engine finds on the unit today. Raises ``Unavailable`` when it does not answer in full,
        and ``Invalid`` for what may not be asked."""
        question = wire_rest.request(unit, wanted)
        response = await self._sender.request("POST", REST_PATH, content=question, headers=_HEADERS)
        if response.status_code != 200:
            raise Unavailable(f"HTTP {response.status_code}")
        return wire_rest.sick_leaves(response.content)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()
