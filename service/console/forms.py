"""How a form is read, and that it came from one of our own pages."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from contracts.errors import Forbidden, Malformed, WrongMedia
from service.http_edge import read_body

Pairs = Sequence[tuple[str, str]]
"""Names and values as sent, in their order."""

_MOST_FIELDS: Final = 1000


async def form(request: Request, base: str) -> Pairs:
    """What a form of ours sent. ``base`` is the public address.

    Raises ``Forbidden`` for a form of anybody else's, ``WrongMedia`` and ``Malformed`` for what no browser sends.
    """
    if not _is_ours(request.headers.get("origin", ""), request.headers.get("host", ""), base):
        raise Forbidden("the form was sent from another site")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA:
        raise WrongMedia(f"send {_MEDIA}")
    try:
        text = (await read_body(request)).decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # its words may repeat what was sent
        raise Malformed("the form cannot be read") from None


_MEDIA: Final = "application/x-www-form-urlencoded"


def _is_ours(origin: str, host: str, base: str) -> bool:
    """Browsers say with every POST from which page it comes. The address that the browser itself asked counts as ours, and
    so does the public one, which a proxy may have put another in place of."""
    scheme, ours, *_ = urlsplit(base)
    return origin == f"{scheme}://{ours}" or (host != "" and urlsplit(origin).netloc == host)
