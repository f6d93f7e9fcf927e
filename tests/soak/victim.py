"""The service, to be killed: ``python -m tests.soak.victim serve|worker [LEASE HEARTBEAT]``, settings from the environment.

For each line on standard input a fork of this process does as ``reko serve`` or ``reko worker`` does until it is killed. This process tells
``pid N``, and ``dead`` once it is gone. Everything slow is imported once. With arguments, leases and heartbeats take so many
seconds.
"""

import os
import sys
from datetime import timedelta

from fhir_mappings import r4
from service.main import create_app, create_worker
from service.outbox import relay
from service.server import server
from service.settings import Settings


def main(does: str, *times: str) -> None:
    r4.check({})
    if times:
        relay.LEASE, relay.HEARTBEAT = timedelta(seconds=float(times[0])), float(times[1])  # type: ignore[misc]
    settings = Settings()
    for _ in sys.stdin:
        victim = os.fork()
        if not victim:
            server(
                (create_worker if does == "worker" else create_app)(settings), settings.host, settings.port
            ).run_to_end()
            os._exit(0)
        os.write(1, f"pid {victim}\n".encode())
        os.waitpid(victim, 0)
        os.write(1, b"dead\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
