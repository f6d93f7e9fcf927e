"""Addresses of pages."""

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlencode

PAGE: Final = "_page"
"""The parameter that carries the token of a page (``service.page_tokens``)."""


def page_address(address: str, parameters: Mapping[str, str], known: Collection[str]) -> str:
    """The address of a page, with the parameters that were obeyed."""
    obeyed = {name: value for name, value in parameters.items() if name in known}
    return f"{address}?{urlencode(obeyed)}" if obeyed else address
