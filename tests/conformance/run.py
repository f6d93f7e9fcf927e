"""``make conformance``: what others make of our FHIR. Needs npm, Maven and Java 17; ``make test`` needs none of them.

Judges: HL7's validator and ``@medplum/core``, over the guide, its examples, the golden cases and what the service answers when
``reko up`` has played its scenario. Zero errors, but for those in ``known.json``, each with its reason. The other way round, what
breaks an invariant of ours is an error to both. Clients, unmodified: fhir-kit-client and HAPI's generic client.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from fhir_mappings import guide, profiles
from generate.guide import CORE, GUIDE, ROOT, TOOLS, compile_guide, core_package, install, run
from tests.unit.fhir_mappings.test_profiles import BROKEN, EXAMPLES

HERE: Final = Path(__file__).parent
WORK: Final = TOOLS / "judged"
NODE: Final = "node@22.23.3"
PACKAGES: Final = ("@medplum/core@5.2.13", "fhir-kit-client@2.0.3", NODE)
NOT_PACKAGED: Final = "hl7.fhir.xver-extensions#0.1.0"
"""HL7's validator looks for it before anything else, and would fetch it; an empty one says that there is nothing in it."""

Json = dict[str, Any]


class Case(NamedTuple):
    """A resource to judge, by our profile where it owes one. ``breaks`` is the invariant that must be missed in it."""

    name: str
    content: Json
    breaks: str = ""


class Finding(NamedTuple):
    """What a validator has to say of a case."""

    case: str
    level: str
    place: str
    id: str
    words: str


# ---- What is judged ----------------------------------------------------------------------------------------------


def cases(served: Sequence[Json]) -> list[Case]:
    """Everything that must be free of errors, and everything that must not be."""
    whole = [Case(f"example-{name}", content) for name, content in EXAMPLES.items()]
    whole += [Case(f"guide-{each['resourceType']}-{each['id']}", dict(each)) for each in guide.artefacts().values()]
    whole += list(_golden())
    whole += [Case(f"served-{each['resourceType']}-{number}", each) for number, each in enumerate(served)]
    return whole + list(_broken())


def _golden() -> Iterator[Case]:
    folder = ROOT / "tests/golden/cases"
    for file in sorted(folder.glob("*/*/resource.json")):
        yield Case(f"golden-{file.parent.parent.name}-{file.parent.name}", json.loads(file.read_text("utf-8")))
    for file in sorted(folder.glob("sick_leave/*/resources.json")):
        for number, content in enumerate(json.loads(file.read_text("utf-8"))):
            yield Case(f"golden-{file.parent.name}-{number}", _claiming(content))


def _claiming(content: Json) -> Json:
    """What the service makes of a certificate keeps to the profile, though it does not say so itself."""
    ours = {"Observation": "reko-work-capacity", "DocumentReference": "reko-certificate"}
    name = ours.get(content["resourceType"])
    return content if name is None else content | {"meta": {"profile": [profiles.address(name)]}}


def _broken() -> Iterator[Case]:
    for (name, rule), change in BROKEN.items():
        content = deepcopy(EXAMPLES[name])
        change(content)
        yield Case(f"broken-{name}-{rule}", content, rule)


def _profile(content: Json) -> str:
    """The most particular one that it owes: what it claims, what follows from its code, that of its type."""
    return next(reversed(profiles.owed(content)), "")


def write(judged: Sequence[Case]) -> Path:
    """The cases as files, and the list of them that the judges read."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    lines = []
    for case in judged:
        file = WORK / f"{case.name}.json"
        file.write_text(json.dumps(case.content, ensure_ascii=False), "utf-8")
        lines.append(f"{file}\t{_profile(case.content)}")
    (WORK / "list.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return WORK / "list.txt"


# ---- Judges ------------------------------------------------------------------------------------------------------


def hl7(home: Path, listed: Path, count: int) -> list[Finding]:
    """HL7's validator, without a terminology server."""
    empty = home / f".fhir/packages/{NOT_PACKAGED}/package"
    empty.mkdir(parents=True, exist_ok=True)
    name, version = NOT_PACKAGED.split("#")
    manifest = {"name": name, "version": version, "fhirVersions": ["4.0.1"], "type": "IG", "canonical": "urn:none"}
    (empty / "package.json").write_text(json.dumps(manifest | {"url": "urn:none", "dependencies": {}}))
    judge = str(HERE / "java/Judge.java")
    said = _java("judge", f"-Duser.home={home}", "-Xmx3g", judge, str(GUIDE / "compiled"), str(listed))
    return _findings(said, count)


def medplum(home: Path, listed: Path, snapshots: Path, count: int) -> list[Finding]:
    """``@medplum/core``. It sees a bad invariant, but not a bad code."""
    script = TOOLS / "medplum.mjs"
    shutil.copy(HERE / "medplum.mjs", script)
    core = home / f".fhir/packages/{CORE}/package"
    return _findings(_told([_node(), str(script), str(core), str(snapshots), str(listed)]), count)


def _findings(said: str, count: int) -> list[Finding]:
    rows = [line.split("\t") for line in said.splitlines()]
    assert ["JUDGED", str(count)] in rows, f"not everything was judged:\n{said[-2000:]}"
    return [Finding(Path(row[1]).stem, *row[2:6]) for row in rows if row[0] == "FOUND"]


def surprises(judge: str, found: Sequence[Finding], judged: Sequence[Case]) -> Iterator[str]:
    """Errors that nobody has reviewed, and defects that were not seen."""
    known = [each for each in json.loads((HERE / "known.json").read_text("utf-8")) if each["judge"] == judge]
    errors = [each for each in found if each.level in ("ERROR", "FATAL")]
    broken = {case.name: case.breaks for case in judged if case.breaks}
    for each in errors:
        if each.case not in broken and not any(_is_known(each, entry) for entry in known):
            yield f"{judge}: {each.case}: {each.place}: {each.words} ({each.id})"
    for entry in known:
        if not any(_is_known(each, entry) for each in errors):
            yield f"{judge}: nothing is like this any more, take it out of known.json: {entry}"
    seen = {each.case for each in errors if broken.get(each.case, "-") in f"{each.words} {each.id}"}
    yield from (f"{judge}: does not miss {rule} in {name}" for name, rule in broken.items() if name not in seen)


def _is_known(found: Finding, entry: Json) -> bool:
    return bool(re.search(entry["words"], found.words)) and bool(re.search(entry["case"], found.case))


# ---- The service and its clients ---------------------------------------------------------------------------------


@contextmanager
def service() -> Iterator[tuple[str, str]]:
    """``reko up`` on free ports, its scenario played: the FHIR address and a token."""
    shutil.rmtree(TOOLS / "service", ignore_errors=True)
    ports = [str(_free()) for _ in range(2)]
    command = [str(ROOT / ".venv/bin/reko"), "up", "--port", ports[0], "--mock-port", ports[1]]
    log = TOOLS / "up.log"
    with log.open("w") as out:
        started = subprocess.Popen([*command, "--data", str(TOOLS / "service")], stdout=out, stderr=out)
        try:
            yield f"http://127.0.0.1:{ports[0]}/fhir", _token(started, log)
        finally:
            started.terminate()
            started.wait(20)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _token(started: "subprocess.Popen[bytes]", log: Path) -> str:
    while started.poll() is None:
        if found := re.search(r"^Token\s+(\S+)", log.read_text("utf-8", "replace"), re.MULTILINE):
            return found[1]
    raise RuntimeError(f"reko up has stopped: {log}")


def served(base: str, token: str) -> list[Json]:
    """Everything that the scenario left behind, as searches answer it, the answers themselves too."""
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        statement = client.get(f"{base}/metadata").json()
        found = [statement]
        for resource in statement["rest"][0]["resource"]:
            if resource["type"] not in guide.TYPES:
                bundle = client.get(f"{base}/{resource['type']}", params={"_count": "50"}).json()
                found += [each["resource"] for each in bundle.get("entry", ())]
        for address in _ANSWERS:
            found.append(client.get(f"{base}/{address}").json())
    return found


_ANSWERS: Final = (
    "CodeSystem/$lookup?system=urn:oid:1.2.752.116.1.3.2.1.4&code=GC001",
    "ValueSet/kva/$expand",
    "ConceptMap/activity-kind-to-kva/$translate?system=https://rekobryggan.example/fhir/CodeSystem/activity-kind&code=plan",
    "Patient/nobody",
)


def clients(base: str, token: str) -> Iterator[str]:
    """Each client's own word that all went as it expected, else what it said instead."""
    shutil.copy(HERE / "kit.mjs", TOOLS)
    for name, command in (
        ("fhir-kit-client", [_node(), str(TOOLS / "kit.mjs"), base, token]),
        ("HAPI generic client", ["java", "-cp", _jars("client"), str(HERE / "java/Client.java"), base, token]),
    ):
        said = _told(command)
        if f"{name}: as expected" not in said:
            yield f"{name}: {said[-2000:]}"


# ---- Tools -------------------------------------------------------------------------------------------------------


def _java(jars: str, *arguments: str) -> str:
    return _told(["java", "-cp", _jars(jars), *arguments])


def _jars(profile: str) -> str:
    folder = TOOLS / "jars" / profile
    if not folder.is_dir():
        pom = str(HERE / "java/pom.xml")
        run("mvn", "-q", "-B", "-f", pom, "-P", profile, "dependency:copy-dependencies", f"-DoutputDirectory={folder}")
    return f"{folder}{os.sep}*"


def _node() -> str:
    return str(install(*PACKAGES) / "node/bin/node")


def _told(command: Sequence[str]) -> str:
    done = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, check=False)
    return done.stdout + (done.stderr if done.returncode else "")


def _stale(snapshots: Path) -> Iterator[str]:
    """The compiled guide is what its sources say."""
    for file in sorted(snapshots.glob("*.json")):
        folder = "examples" if "-example-" in file.name else "compiled"
        made, committed = json.loads(file.read_text("utf-8")), GUIDE / folder / file.name
        known = json.loads(committed.read_text("utf-8")) if committed.is_file() else {"id": ""}
        if known != {name: made[name] for name in known if name in made}:
            yield f"{committed.relative_to(ROOT)} is not what the sources say: run make guide"


def main() -> int:
    """0 when nobody was surprised."""
    home = core_package()
    snapshots = compile_guide("--snapshot")
    told = list(_stale(snapshots))
    with service() as (base, token):
        told += clients(base, token)
        judged = cases(served(base, token))
    listed = write(judged)
    told += surprises("hl7", hl7(home, listed, len(judged)), judged)
    told += surprises("medplum", medplum(home, listed, snapshots, len(judged)), judged)
    for each in told:
        print(each)
    print(f"{len(judged)} resources judged by HL7's validator and @medplum/core, two clients: {len(told)} surprises")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
