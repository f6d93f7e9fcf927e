"""Where a destination may be: on the public network and spoken to with TLS, unless its settings say otherwise.

A connection's address is judged when the connection is made, not when a name is read: what a name leads to may change, and may
be changed by others (delivery_consent_security.md § 1.3, promise 18).
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import httpx

Network = IPv4Network | IPv6Network
THIS_MACHINE: Final = "127.0.0.0/8, ::1/128"


class NotAdmitted(httpx.ConnectError):
    """The other side is where it may not be: nothing has left. The text says why."""


@dataclass(frozen=True, slots=True)
class Reach:
    """``private``: networks that are not public in which it may be. ``plain``: whether HTTP without TLS is spoken beyond this
    machine."""

    private: tuple[Network, ...]
    plain: bool

    def objection(self, address: str, *, tls: bool) -> str:
        """Why nothing is sent to that IP address; empty if it may be."""
        ip = _unmapped(ip_address(address))
        if not tls and not self.plain and not ip.is_loopback:
            return _WITHOUT_TLS
        if (not ip.is_global or ip.is_multicast) and not any(ip in network for network in self.private):
            return "it is in a network that is not public: list the network in PRIVATE_NETWORKS"
        return ""

    def fault(self, url: str) -> str:
        """What can be said against an address before any name in it is looked up; empty for none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return "it is no address that begins with https://"
        try:
            return self.objection(parts.hostname, tls=parts.scheme == "https")
        except ValueError:  # a name
            is_safe = parts.scheme == "https" or self.plain or parts.hostname == "localhost"
        return "" if is_safe else _WITHOUT_TLS


_WITHOUT_TLS: Final = "beyond this machine it would be spoken to without TLS: begin it with https://, or set PLAIN_HTTP"


def networks(text: str) -> tuple[Network, ...]:
    """The networks that stand in it with commas between. Raises ``ValueError``."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def _unmapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that is written as IPv6 is what it is."""
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
