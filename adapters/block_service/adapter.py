"""Asking the block service. It never says yes for another reason than a whole, clear answer."""

import httpx

from adapters import soap
from adapters.block_service import wire
from adapters.block_service.settings import Settings
from adapters.http import Sender
from contracts.consent import BlockAnswer, BlockQuestion
from contracts.errors import Unavailable
from contracts.ports import Clock


class BlockService:
    """Implements ``contracts.ports.BlockSource`` with CheckBlocks."""

    def __init__(self, settings: Settings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender

    async def ask(self, question: BlockQuestion) -> BlockAnswer:
        """See ``contracts.ports.BlockSource``."""
        body = wire.request(question, self._settings.logical_address)
        try:
            response = await self._sender.request(
                "POST", self._settings.path, content=body, headers=soap.headers(wire.ACTION)
            )
        except Unavailable:
            return BlockAnswer.NO_ANSWER
        if response.status_code != httpx.codes.OK:
            return BlockAnswer.NO_ANSWER
        return wire.answer(response.content, len(question.sources))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()


def build(settings: Settings, _: Clock, transport: httpx.AsyncBaseTransport | None = None) -> BlockService:
    """The source; tests and the mock world give it a transport of their own."""
    return BlockService(settings, Sender(settings, transport))
