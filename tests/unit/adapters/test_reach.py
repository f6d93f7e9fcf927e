"""Where a destination may be, and how it is spoken to there."""

import pytest
from pydantic import ValidationError

from adapters.http import Destination, NotReached, Sender
from adapters.oauth import OAuthDestination
from adapters.reach import THIS_MACHINE, Reach, networks

DEFAULT = Reach(networks(THIS_MACHINE), plain=False)
LISTED = Reach(networks("10.20.0.0/16, fd00:1::/64"), plain=False)
PLAIN = Reach(networks("10.20.0.0/16"), plain=True)
NOT_PUBLIC = "it is in a network that is not public: list the network in PRIVATE_NETWORKS"
NO_TLS = "beyond this machine it would be spoken to without TLS: begin it with https://, or set PLAIN_HTTP"


@pytest.mark.parametrize(
    ("reach", "address", "tls", "objection"),
    [
        (DEFAULT, "193.10.1.2", True, ""),
        (DEFAULT, "2001:6b0::1", True, ""),
        (DEFAULT, "193.10.1.2", False, NO_TLS),
        (DEFAULT, "127.0.0.1", False, ""),
        (DEFAULT, "127.8.9.1", True, ""),
        (DEFAULT, "::1", False, ""),
        (DEFAULT, "::ffff:127.0.0.1", False, ""),
        (DEFAULT, "10.20.0.1", True, NOT_PUBLIC),
        (DEFAULT, "::ffff:10.20.0.1", True, NOT_PUBLIC),
        (DEFAULT, "172.16.0.9", True, NOT_PUBLIC),
        (DEFAULT, "192.168.1.1", True, NOT_PUBLIC),
        (DEFAULT, "169.254.169.254", True, NOT_PUBLIC),
        (DEFAULT, "100.64.0.1", True, NOT_PUBLIC),
        (DEFAULT, "0.0.0.0", True, NOT_PUBLIC),  # noqa: S104 - an address that leads to this machine
        (DEFAULT, "224.0.1.1", True, NOT_PUBLIC),
        (DEFAULT, "ff0e::1", True, NOT_PUBLIC),
        (DEFAULT, "fd00:1::5", True, NOT_PUBLIC),
        (DEFAULT, "fe80::1", True, NOT_PUBLIC),
        (LISTED, "10.20.255.1", True, ""),
        (LISTED, "::ffff:10.20.0.1", True, ""),
        (LISTED, "10.21.0.1", True, NOT_PUBLIC),
        (LISTED, "fd00:1::5", True, ""),
        (LISTED, "10.20.0.1", False, NO_TLS),
        (LISTED, "127.0.0.1", True, NOT_PUBLIC),
        (PLAIN, "10.20.0.1", False, ""),
        (PLAIN, "193.10.1.2", False, ""),
        (PLAIN, "10.21.0.1", False, NOT_PUBLIC),
    ],
)
def test_addresses(reach: Reach, address: str, tls: bool, objection: str) -> None:
    assert reach.objection(address, tls=tls) == objection


@pytest.mark.parametrize(
    ("reach", "url", "is_good"),
    [
        (DEFAULT, "https://fk.example/soap", True),
        (DEFAULT, "HTTPS://fk.example", True),
        (DEFAULT, "http://127.0.0.1:8090/ehr", True),
        (DEFAULT, "http://localhost:8090", True),
        (DEFAULT, "http://[::1]:8090", True),
        (DEFAULT, "http://fk.example", False),
        (DEFAULT, "http://localhost.example", False),
        (DEFAULT, "http://10.20.0.1", False),
        (DEFAULT, "https://10.20.0.1", False),
        (DEFAULT, "ftp://fk.example", False),
        (DEFAULT, "fk.example", False),
        (DEFAULT, "https://", False),
        (LISTED, "https://10.20.0.1", True),
        (PLAIN, "http://mocks:8090/ehr", True),
    ],
)
def test_what_can_be_said_before_a_name_is_looked_up(reach: Reach, url: str, is_good: bool) -> None:
    assert (reach.fault(url) == "") is is_good


@pytest.mark.parametrize("text", ["10.0.0.1/8", "everywhere", "10.0.0.0/8;127.0.0.0/8"])
def test_networks_that_are_none(text: str) -> None:
    with pytest.raises(ValidationError):
        Destination(private_networks=text)


def test_a_token_service_is_a_destination_too() -> None:
    both = OAuthDestination(url="https://a.example", token_url="https://b.example", client_id="c", client_secret="s")
    assert both.urls == ("https://a.example", "https://b.example")
    assert OAuthDestination().urls == ()


@pytest.mark.anyio
async def test_why_is_told_and_nothing_has_left() -> None:
    sender = Sender(Destination(url="https://127.0.0.1:9", private_networks=""))
    with pytest.raises(NotReached, match=f"no connection: {NOT_PUBLIC}"):
        await sender.request("POST", "/events", content=b"{}")
    await sender.aclose()
