"""What no committed file may hold: hosts of package indexes, lock files that name them, persons who could be real."""

import re
from collections.abc import Mapping
from typing import Final

from contracts.identity import BadIdentity, PersonId

# Put together here, so that this file passes itself.
_INDEX_HOSTS: Final = (
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js.",
    "crates" + ".io",
    "proxy." + "golang",
    "/" + "simple/",
)
_INDEX_OPTIONS: Final = ("--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "--trusted" + "-host")
_LOCKS: Final = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock"}

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PERSON: Final = re.compile(
    r"(?<![0-9A-Za-z.])((?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01]))[-+]?(\d{4})(?![0-9A-Za-z])"
)


def test_no_file_names_a_package_index(committed: Mapping[str, str]) -> None:
    found = [
        f"{name}: {mark}"
        for name, text in committed.items()
        for mark in (*_INDEX_HOSTS, *_INDEX_OPTIONS)
        if mark in text
    ]
    assert not found


def test_no_lock_file_that_records_addresses(committed: Mapping[str, str]) -> None:
    assert not [name for name in committed if name.rpartition("/")[2] in _LOCKS]


def test_the_pinned_requirements_hold_no_address(committed: Mapping[str, str]) -> None:
    locks = {name: text for name, text in committed.items() if name.endswith(".lock")}
    assert set(locks) == {"requirements.lock", "docker/requirements.lock", "docker/build.lock"}
    assert not [name for name, text in locks.items() if "://" in text or "@" in text]
    assert all(
        line.startswith("    --hash=sha256:") or "==" in line for text in locks.values() for line in text.splitlines()
    )


def test_the_image_gets_what_the_tests_were_run_with(committed: Mapping[str, str]) -> None:
    everything = _pins(committed["requirements.lock"])
    for lock in ("docker/requirements.lock", "docker/build.lock"):
        assert _pins(committed[lock]).items() <= everything.items(), lock


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9_.\-]+)==([^ ;\\]+)", lock, re.MULTILINE))


def test_every_personal_number_is_of_the_test_series(committed: Mapping[str, str]) -> None:
    """With the right control digit; only a test may write a wrong one, to see it refused, and of the series even then."""
    assert not [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
        for name, text in ((name, _UUID.sub("", text)) for name, text in committed.items())
        for match in _PERSON.finditer(text)
        if not _may_stand(match[1] + match[2], name)
    ]


def _may_stand(digits: str, file: str) -> bool:
    try:
        return PersonId(digits).is_synthetic
    except BadIdentity:
        return file.startswith("tests/") and digits[8:11] in ("980", "981", "238", "239")


def test_nothing_is_left_for_later_in_the_code(code: Mapping[str, str]) -> None:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|pragma: no cover")
    assert not [f"{name}: {match[0]}" for name, text in code.items() for match in marks.finditer(text)]
