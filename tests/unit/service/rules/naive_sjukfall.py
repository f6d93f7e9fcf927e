"""A second sick-leave engine, from the sentences of rehabstod.md § 3: literal, slow, and sharing nothing with the service.

It works on the parsed JSON of `reko sjukfall` itself, on ``date`` values, and lets each rule look at everything again
rather than remember. The mode ``corrected`` is not the same steps with other comparisons but what the mends *mean*: a
sick leave is everything that can be reached from the certificate it is about, by steps of at most ``gap`` free days.
"""

import re
import unicodedata
from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]
BLANKS = "".join(map(chr, range(0x21)))
"""What Java's ``trim`` takes away."""
LABELS = {
    "NUVARANDE_ARBETE": "Nuvarande arbete",
    "ARBETSSOKANDE": "Arbetssökande",
    "ARBETSLOSHET": "Arbetssökande",
    "FORALDRALEDIG": "Föräldraledighet",
    "FORALDRALEDIGHET": "Föräldraledighet",
    "STUDIER": "Studier",
}


class Failure(Exception):
    """The whole call fails."""


def result(question: Json, mode: str) -> list[Json]:
    """The ``result`` of the answer. Raises ``Failure`` where the engine fails."""
    gap, days_since_end = question["maxIntygsGlapp"], question.get("maxAntalDagarSedanSjukfallAvslut") or 0
    given = question.get("intyg") or []
    if any(blank(code) for each in given for code in [each.get("diagnosKod"), *(each.get("biDiagnoser") or [])]):
        raise Failure
    if not given or gap < 0:
        return []
    if question.get("aktivtDatum") is None or not all(each.get("formagor") for each in given):
        raise Failure
    day = date.fromisoformat(question["aktivtDatum"])
    if question["view"] == "enhet":
        return unit_view(given, day, gap, days_since_end, mode)
    return patient_view(given, day, gap, mode)


# § 3.2


def periods(intyg: Json) -> list[tuple[date, date, int]]:
    return [
        (date.fromisoformat(each["start"]), date.fromisoformat(each["slut"]), each["nedsattning"])
        for each in intyg["formagor"]
    ]


def start(intyg: Json) -> date:
    return min(first for first, _, _ in periods(intyg))


def end(intyg: Json) -> date:
    return max(last for _, last, _ in periods(intyg))


def degrees(intyg: Json) -> list[int]:
    return [degree for _, _, degree in sorted(periods(intyg), key=lambda period: period[0])]


def occupations(intyg: Json) -> list[str | None]:
    return [LABELS.get(code) for code in intyg.get("sysselsattning") or []]


def active(intyg: Json, day: date) -> bool:
    return any(first <= day <= last for first, last, _ in periods(intyg))


def recently_ended(intyg: Json, day: date, days_since_end: int) -> bool:
    return not active(intyg, day) and 1 <= (day - end(intyg)).days <= days_since_end


# § 3.3


def unit_view(given: list[Json], day: date, gap: int, days_since_end: int, mode: str) -> list[Json]:
    patients: list[str | None] = []
    for each in given:
        if each.get("patientId") not in patients:
            patients.append(each.get("patientId"))
    answers = []
    for patient in patients:  # 1
        own = [each for each in given if each.get("patientId") == patient]
        if any(active(each, day) or recently_ended(each, day, days_since_end) for each in own):  # 2
            answers.append(unit_sick_leave(own, day, gap, days_since_end, mode))
    return sorted(answers, key=lambda answer: answer["patientId"] or "")


def unit_sick_leave(own: list[Json], day: date, gap: int, days_since_end: int, mode: str) -> Json:
    own = sorted(own, key=end)  # 3
    candidates = [each for each in own if active(each, day)]  # 4
    if candidates:
        picked = latest_signed(candidates)
    else:
        ended = [each for each in own if recently_ended(each, day, days_since_end)]
        picked = ended[0]  # 5
        if mode == "corrected":  # Q4
            picked = latest_signed([each for each in ended if end(each) == end(ended[-1])])
    if mode == "rehabstod":
        members = chain(own, picked, gap)
    else:
        present = own if candidates else [each for each in own if start(each) <= day or each is picked]  # Q5
        members = reachable(present, picked, gap)  # Q1, Q2, Q3b
    return {
        "patientId": trimmed(picked.get("patientId")),
        "patientNamn": picked.get("patientNamn"),
        "vardgivareId": picked.get("vardgivareId"),
        "vardenhetId": picked.get("vardenhetId"),
        "lakareId": picked.get("lakareId"),
        "diagnos": diagnosis(picked.get("diagnosKod")),
        "biDiagnoser": secondary(picked),
        "start": min(map(start, members)).isoformat(),
        "slut": max(map(end, members)).isoformat(),
        "dagar": length(members, gap),
        "intyg": len(members),
        "intygLista": [each.get("id") for each in sorted(members, key=start)],
        "aktivGrad": next((degree for first, last, degree in periods(picked) if first <= day <= last), 0),
        "grader": degrees(picked),
        "aktivIntygsId": picked.get("id"),
        "sysselsattning": occupations(picked),
    }


def latest_signed(candidates: list[Json]) -> Json:
    if len(candidates) == 1:
        return candidates[0]
    if any(each.get("signeringsTidpunkt") is None for each in candidates):
        raise Failure
    return max(candidates, key=lambda each: signed(each["signeringsTidpunkt"]))  # the first of equal ones


def chain(own: list[Json], picked: Json, gap: int) -> list[Json]:
    index = [(start(each), end(each)) for each in own].index((start(picked), end(picked)))  # 6
    lefts, rights = own[:index], own[index + 1 :]
    taken_right = right(sorted(rights, key=start), end(picked), gap)  # 7
    compare = min([start(picked)] + [start(each) for each in taken_right])  # 8
    return [*left(lefts, compare, gap), picked, *taken_right]  # 9


def right(by_start: list[Json], compare: date, gap: int) -> list[Json]:
    taken = []
    for each in by_start:
        if (start(each) - compare).days > gap + 1:
            break
        taken.append(each)
        compare = end(each)
    return taken


def left(by_end: list[Json], compare: date, gap: int) -> list[Json]:
    taken: list[Json] = []
    for each in reversed(by_end):
        if (compare - end(each)).days > gap + 1:
            break
        taken.insert(0, each)
        compare = start(each)
    return taken


def reachable(present: list[Json], picked: Json, gap: int) -> list[Json]:
    members = [picked]
    while True:
        more = [
            each
            for each in present
            if not any(each is member for member in members) and any(near(each, member, gap) for member in members)
        ]
        if not more:
            return [each for each in present if any(each is member for member in members)]
        members += more


def near(one: Json, other: Json, gap: int) -> bool:
    return (start(one) - end(other)).days <= gap + 1 and (start(other) - end(one)).days <= gap + 1


# § 3.4


def patient_view(given: list[Json], day: date, gap: int, mode: str) -> list[Json]:
    by_start = sorted(given, key=start)  # 1
    groups = by_reach(by_start, day, gap) if mode == "corrected" else by_neighbour(by_start, gap)  # 2
    answers = [patient_sick_leave(group, day, gap) for group in groups]  # 3
    begun = [answer for answer in answers if date.fromisoformat(answer["start"]) <= day]  # 4
    for answer in begun:  # 5
        answer["intyg"] = sorted(answer["intyg"], key=lambda intyg: intyg["start"], reverse=True)
    return sorted(begun, key=lambda answer: answer["start"], reverse=True)


def by_neighbour(by_start: list[Json], gap: int) -> list[list[Json]]:
    groups: list[list[Json]] = []
    for number, each in enumerate(by_start):
        if number == 0 or end(by_start[number - 1]) < start(each) - timedelta(days=gap + 1):
            groups.append([])
        groups[-1].append(each)
    return groups


def by_reach(by_start: list[Json], day: date, gap: int) -> list[list[Json]]:
    if not any(active(each, day) for each in by_start):  # Q5
        by_start = [each for each in by_start if start(each) <= day]
    groups = []
    while by_start:
        group = reachable(by_start, by_start[0], gap)  # Q3
        by_start = [each for each in by_start if not any(each is member for member in group)]
        groups.append(group)
    return groups


def patient_sick_leave(group: list[Json], day: date, gap: int) -> Json:
    diagnosed = latest_signed([each for each in group if active(each, day)] or group)
    return {
        "patientId": trimmed(group[0].get("patientId")),
        "patientNamn": group[0].get("patientNamn"),
        "diagnos": diagnosis(diagnosed.get("diagnosKod")),
        "start": min(map(start, group)).isoformat(),
        "slut": max(map(end, group)).isoformat(),
        "dagar": length(group, gap),
        "intyg": [
            {
                "id": each.get("id"),
                "patientId": each.get("patientId"),
                "start": start(each).isoformat(),
                "slut": end(each).isoformat(),
                "dagar": sum((last - first).days + 1 for first, last in merged([(a, b) for a, b, _ in periods(each)])),
                "grader": degrees(each),
                "aktivt": active(each, day),
                "nyligenAvslutat": False,
                "sysselsattning": occupations(each),
                "diagnos": diagnosis(each.get("diagnosKod")),
                "signeringsTidpunkt": shown(each.get("signeringsTidpunkt")),
            }
            for each in group
        ],
    }


# § 3.5


def length(members: list[Json], gap: int) -> int:
    """Only the last chain counts, as the national length calculation filters once more."""
    by_start = sorted(members, key=start)
    chosen: list[Json] = []
    for number, each in enumerate(by_start):
        if number and (start(each) - max(map(end, by_start[:number]))).days > gap + 1:
            chosen = []
        chosen.append(each)
    if all(first <= last for each in chosen for first, last, _ in periods(each)):
        return len({day for each in chosen for first, last, _ in periods(each) for day in days(first, last)})
    blocks = [block for each in chosen for block in reversed(merged([(a, b) for a, b, _ in periods(each)]))]
    return sum((last - first).days + 1 for first, last in merged(blocks))


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def merged(blocks: list[tuple[date, date]]) -> list[tuple[date, date]]:
    done: list[tuple[date, date]] = []
    for first, last in sorted(blocks, key=lambda block: block[0]):
        if done and first <= done[-1][1]:
            done[-1] = (done[-1][0], max(done[-1][1], last))
        else:
            done.append((first, last))
    return done


# § 3.8 and the signing time


def secondary(intyg: Json) -> list[Json | None] | None:
    codes = intyg.get("biDiagnoser")
    return None if codes is None else [diagnosis(code) for code in codes]


def blank(code: str | None) -> bool:
    """By what Java calls whitespace: no no-break spaces."""
    return code is not None and all(
        c in "\t\n\v\f\r\x1c\x1d\x1e\x1f"
        or (unicodedata.category(c) in ("Zs", "Zl", "Zp") and c not in "\xa0\u2007\u202f")
        for c in code
    )


def trimmed(text: str | None) -> str | None:
    return None if text is None else text.strip(BLANKS)


def diagnosis(code: str | None) -> Json | None:
    if code is None:
        return None
    head, tail = (code[:7], code[7:].strip(BLANKS)) if len(code) >= 7 else (code, None)
    kept = re.sub("[^A-Z0-9-]", "", head.strip(BLANKS).upper())
    return {"originalCode": code, "cleanedCode": kept, "name": tail}


def signed(text: str) -> tuple[str, str, str]:
    """Minute, second, fraction to nine places: what compares as the time itself does."""
    minute, second, fraction = text[:16], text[17:19], text[20:]
    return minute, second or "00", fraction.ljust(9, "0")


def shown(text: str | None) -> str | None:
    """As Java writes a local time: seconds and fraction only where they are not zero, fractions in threes."""
    if text is None:
        return None
    minute, second, fraction = signed(text)
    if fraction == "0" * 9:
        return minute if second == "00" else f"{minute}:{second}"
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    return f"{minute}:{second}.{fraction}"
