"""What is drafted is what its class makes, guard and all."""

import pickle
from copy import copy
from dataclasses import FrozenInstanceError, dataclass
from datetime import date

import pytest

from adapters.intygstjanst.drafts import drafted
from contracts.sick_leave import Certificate, CertificatePeriod

write = drafted(CertificatePeriod)
PERIOD = CertificatePeriod(date(2026, 1, 1), date(2026, 1, 2), 50)


def test_the_two_are_alike() -> None:
    draft = write(PERIOD.start, PERIOD.end, PERIOD.degree)
    assert type(draft) is CertificatePeriod
    assert draft == PERIOD
    assert hash(draft) == hash(PERIOD)
    assert repr(draft) == repr(PERIOD)
    assert copy(draft) == pickle.loads(pickle.dumps(draft)) == PERIOD  # noqa: S301 - our own bytes
    assert write(start=PERIOD.start, end=PERIOD.end, degree=50) == PERIOD


def test_it_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        write(PERIOD.start, PERIOD.end, 50).degree = 100  # type: ignore[misc]


def test_defaults_are_those_of_the_class() -> None:
    arguments = ("id", "patient", "unit", (PERIOD,), "signed")
    assert drafted(Certificate)(*arguments) == Certificate(*arguments)  # type: ignore[arg-type]


def test_what_checks_itself_is_not_drafted() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        number: int

        def __post_init__(self) -> None:
            assert self.number

    for kind in (Checked, int):
        with pytest.raises(TypeError):
            drafted(kind)
