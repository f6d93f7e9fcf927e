"""respx in front of the connections that the adapters use."""

from typing import Any

import httpx
from respx.mocks import AbstractRequestMocker


class _Connections(AbstractRequestMocker):
    """``respx.mock(using="connections")``: nothing leaves, and what would have is seen as httpx's request."""

    name = "connections"
    targets = ("adapters.connections.Connections",)
    target_methods = ("handle_async_request",)

    @classmethod
    def to_httpx_request(cls, **asked: Any) -> httpx.Request:
        request: httpx.Request = asked["request"]
        return request

    @classmethod
    async def from_async_httpx_response(
        cls, httpx_response: httpx.Response, target: object, **_: Any
    ) -> httpx.Response:
        return httpx_response
