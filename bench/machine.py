"""The machine that figures are taken on."""

import os
import socket
import sys
from typing import Any


def machine() -> dict[str, Any]:
    """Cores, Python and how busy it is already, for every benchmark's first line."""
    load = os.getloadavg()[0]
    return {"cores": os.cpu_count(), "python": sys.version.split()[0], "load before": f"{load:.1f}"}


def free_port(host: str = "127.0.0.1") -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        number: int = probe.getsockname()[1]
        return number
