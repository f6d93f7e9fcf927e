"""What `reko mock` costs: from start to the first answer, exchanges a second with full validation, memory. Prints figures with
the machine they were taken on; asserts nothing: `.venv/bin/python bench/mocks.py`.

An exchange is a SendMessageToRecipient of its own id to Försäkringskassan: read, judged by schema and rules, its answer judged
by the schema, written to the ledger. The load comes from this process over kept connections, with nothing but sockets; ``CPU``
is the mock's own, so that exchanges per CPU second is what one core gives when nobody else wants it.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
from machine import free_port

HOST: Final = "127.0.0.1"
REKO: Final = Path(sys.executable).with_name("reko")
PATH: Final = "/forsakringskassan/clinicalprocess/healthcond/certificate/SendMessageToRecipient/2/rivtabp21"
LEDGER: Final = 2_000


def main() -> None:
    """Start it, load it, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of load")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    wanted = parser.parse_args()
    port = free_port()
    began = time.perf_counter()
    command = [str(REKO), "mock", "--port", str(port), "--ledger-size", str(LEDGER)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _await(port)
            ready = time.perf_counter() - began
            figures = asyncio.run(_load(process.pid, port, wanted.clients, wanted.seconds))
        finally:
            process.terminate()
    figures = {"mocks": {"ready s": round(ready, 2), **figures, "load before": f"{os.getloadavg()[0]:.1f}"}}
    print("mocks        " + "  ".join(f"{key} {value}" for key, value in figures["mocks"].items()))
    if wanted.json:
        print(json.dumps(figures))


def _await(port: int) -> None:
    while True:
        try:
            httpx.get(f"http://{HOST}:{port}/_control/clock", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.01)
        else:
            return


async def _load(pid: int, port: int, clients: int, seconds: float) -> dict[str, Any]:
    numbers = count()
    before, cpu = _memory(pid), _cpu(pid)
    began = time.perf_counter()
    done = sum(await asyncio.gather(*(_client(port, numbers, began + seconds) for _ in range(clients))))
    spent = time.perf_counter() - began
    return {
        "exchanges": done,
        "exchanges/s": round(done / spent),
        "exchanges/CPU s": round(done / (_cpu(pid) - cpu)),
        "MB before": before,
        "MB after": _memory(pid),
        "kept": LEDGER,
        "reset ms": await asyncio.to_thread(_reset, port),
    }


def _reset(port: int) -> float:
    """Forgetting everything that is kept, over HTTP."""
    with httpx.Client(base_url=f"http://{HOST}:{port}", trust_env=False) as client:
        client.get("/_control/clock")
        began = time.perf_counter()
        client.delete("/_control/ledger").raise_for_status()
        return round((time.perf_counter() - began) * 1000, 1)


async def _client(port: int, numbers: Iterator[int], until: float) -> int:
    reader, writer = await asyncio.open_connection(HOST, port)
    done = 0
    while time.perf_counter() < until:
        writer.write(_request(next(numbers)))
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(re.search(rb"content-length: (\d+)", head.lower())[1]))  # type: ignore[index]
        if b">OK<" not in body:
            raise SystemExit(f"an exchange was refused: {body.decode()}")
        done += 1
    writer.close()
    return done


def _request(number: int) -> bytes:
    body = _MESSAGE.replace("NUMBER", f"bench-{number}").encode()
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def _memory(pid: int) -> int:
    """Resident, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) // 1024


def _cpu(pid: int) -> float:
    """Seconds that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _document() -> str:
    """The message of the worked example, which a test holds to be right."""
    text = (Path(__file__).parents[1] / "docs" / "mocks.md").read_text(encoding="utf-8")
    found = re.findall(r'return f"""(<soap:Envelope.*?</soap:Envelope>)"""', text, re.DOTALL)[0]
    responder = re.findall(r'^RESPONDER = "(.+)"$', text, re.MULTILINE)[0]
    return (
        str(found).replace("{RESPONDER}", responder).replace("{id}", "NUMBER").replace("intyg-accept", "intyg-silence")
    )


def _silent_person(message: str) -> str:
    text = (Path(__file__).parents[1] / "docs" / "mocks.md").read_text(encoding="utf-8")
    people = dict(re.findall(r"^\| `(accept|silence)` \| (\d{12}) \|$", text, re.MULTILINE))
    return message.replace(people["accept"], people["silence"])


_MESSAGE: Final = _silent_person(_document())

if __name__ == "__main__":
    main()
