"""respx in front of the connections that the adapters use."""

from typing import Any, ClassVar

import httpx
from respx.mocks import AbstractRequestMocker


class _Connections(AbstractRequestMocker):
    """``respx.mock(using="connections")``: nothing leaves, and what would have is seen as httpx's request."""

    name = "connections"
    targets: ClassVar[list[str]] = ["adapters.connections.Connections"]
    target_methods: ClassVar[list[str]] = ["handle_async_request"]

    @classmethod
    def to_httpx_request(cls, **asked: Any) -> httpx.Request:
        request: httpx.Request = asked["request"]
        return request

    @classmethod
    async def from_async_httpx_response(
        cls, httpx_response: httpx.Response, target: object, **_: Any
    ) -> httpx.Response:
        return httpx_response
