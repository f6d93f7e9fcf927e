"""Sick leaves (sjukfall) from certificates: the patient grouping in the mode ``corrected`` (decisions D9, D21).

Certificates of one patient on one care unit and its mottagningar, by first day; the next one joins while it starts at
most ``gap`` free days after the latest last day so far. This is rehabstod.md § 3.4 step 2 with quirk Q3 mended: there the
preceding certificate counts, however short, here the one that lasts longest.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from contracts.identity import PersonId
from contracts.sick_leave import Certificate, SickLeave

GAP: Final = 5
"""Free days between two certificates that still make one sick leave: Rehabstöd's default (§ 4.4)."""


def group(certificates: Sequence[Certificate], gap: int = GAP) -> tuple[SickLeave, ...]:
    """The sick leaves of a care unit's certificates, by patient and first day; their certificates by first day. The order
    of the certificates that come in plays no part. All of them count, also those that lie ahead.

    Raises ``ValueError`` for a negative gap.
    """
    if gap < 0:
        raise ValueError("a gap is no negative number of days")
    leaves = (leave for own in _by_patient(certificates) for leave in _joined(sorted(own, key=_order), gap))
    return tuple(sorted(leaves, key=lambda leave: (leave.certificates[0].patient.digits, leave.start)))


def _by_patient(certificates: Iterable[Certificate]) -> Iterable[list[Certificate]]:
    owners: defaultdict[PersonId, list[Certificate]] = defaultdict(list)
    for certificate in certificates:
        owners[certificate.patient].append(certificate)
    return owners.values()


def _joined(certificates: list[Certificate], gap: int) -> Iterable[SickLeave]:
    chain: list[Certificate] = []
    last = date.min
    for certificate in certificates:
        # Subtraction, not addition: a typed end date may be the last that a calendar knows.
        if chain and (certificate.start - last).days > gap + 1:
            yield _sick_leave(chain)
            chain = []
        last = max(last, certificate.end)
        chain.append(certificate)
    if chain:
        yield _sick_leave(chain)


def _sick_leave(chain: list[Certificate]) -> SickLeave:
    return SickLeave(tuple(chain), chain[0].start, max(certificate.end for certificate in chain))


def _order(certificate: Certificate) -> tuple[object, ...]:
    return certificate.start, certificate.end, certificate.signed, certificate.id
