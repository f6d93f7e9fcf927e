"""A PostgreSQL of the tests' own: a cluster in a folder that is gone afterwards, reached by a socket in it.

Nothing that stands in it is worth a flush of the disk, unless ``durable`` says so: then it is what the disk says it is. Its
language is Swedish, so that whatever is put in order by it, and not by its bytes, comes out otherwise than on SQLite.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import psycopg
import pytest

TEMPLATE: Final = "an empty store"
"""The place of the database that others are copied from."""

MISSING: Final = "no PostgreSQL here: install Debian's package postgresql"

_OWNER: Final = "postgres"
"""Whom the server runs as where the tests run as root, which it refuses."""
_QUICK: Final = (
    "-c",
    "fsync=off",
    "-c",
    "full_page_writes=off",
    "-c",
    "synchronous_commit=off",
    "-c",
    "autovacuum=off",
)
_DIES_WITH_PARENT: Final = 1


def binaries() -> Path | None:
    """The folder of the newest server that is installed; ``None`` without one."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[4]))
    return found[-1].parent if found else None


class Cluster:
    """A server with any number of databases; may be killed and started again."""

    def __init__(self, home: Path, found: Path, *, durable: bool = False) -> None:
        self.home = home
        self._bin = found
        self._more = () if durable else _QUICK
        self._running: subprocess.Popen[bytes] | None = None
        self._user = _OWNER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(home, self._user)
        home.chmod(0o700)
        command: list[str | Path] = [
            found / "initdb",
            "-D",
            home / "data",
            "-U",
            "reko",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        swedish = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=sv"]
        subprocess.run([*command, *swedish], user=self._user, check=True, capture_output=True, cwd="/")
        self.start()

    def url(self, name: str = "postgres") -> str:
        """Where a database is reached."""
        return f"postgresql://reko@/{name}?host={self.home}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ("-c", "listen_addresses=", "-c", f"unix_socket_directories={self.home}", "-c", "max_connections=200")
        with (self.home / "log").open("ab") as log:
            self._running = subprocess.Popen(
                [self._bin / "postgres", "-D", self.home / "data", *options, *self._more],
                user=self._user,
                stdout=log,
                stderr=log,
                cwd="/",
                preexec_fn=_die_with_parent,
            )
        for _ in range(600):
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError((self.home / "log").read_text(encoding="utf-8"))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it well at once, SIGQUIT as a power cut would."""
        if self._running is not None:
            self._running.send_signal(how)
            self._running.wait(timeout=60)
            self._running = None

    def ask(self, statement: str) -> None:
        """Run a statement about the cluster."""
        with closing(psycopg.connect(self.url(), autocommit=True)) as connection:
            connection.execute(statement.encode())

    def database(self, place: Path | str, template: str = "") -> str:
        """The URL of a database for the place; made at the first call, as a copy of the template's."""
        like = f" TEMPLATE {_name(template)}" if template else ""
        with suppress(psycopg.errors.DuplicateDatabase):
            self.ask(f"CREATE DATABASE {_name(place)}{like}")
        return self.url(_name(place))

    def drop(self, place: Path | str) -> None:
        """Forget the place's database, whoever is still connected."""
        self.ask(f"DROP DATABASE IF EXISTS {_name(place)} WITH (FORCE)")


def on_either(request: pytest.FixtureRequest, home: Path, template: str = "") -> Iterator[Path | str]:
    """For a fixture of the parameters ``sqlite`` and ``postgres``: where a database of that engine is, gone afterwards."""
    if request.param == "sqlite":
        yield home / "reko.db"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    yield cluster.database(home, template)
    cluster.drop(home)


def _name(place: Path | str) -> str:
    return f"t_{blake2b(str(place).encode(), digest_size=8).hexdigest()}"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGQUIT)


@contextmanager
def cluster(found: Path, *, durable: bool = False) -> Iterator[Cluster]:
    """A cluster for the time being."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() and not durable else None  # noqa: S108 - a new, private folder
    home = Path(mkdtemp(prefix="reko-pg-", dir=memory))
    made = None
    try:
        made = Cluster(home, found, durable=durable)
        yield made
    finally:
        if made is not None:
            made.stop(signal.SIGQUIT)
        shutil.rmtree(home, ignore_errors=True)
