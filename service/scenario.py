"""The sample scenario: six patients, played over HTTP as a record system would, against the service and the mock world.

Each case says what is to come out of it; ``play`` finds out whether it did. All persons are synthetic (decision D28).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import httpx

from contracts.identity import control_digit
from contracts.time import STOCKHOLM
from fhir_mappings.identifiers import (
    ACT_CODE,
    ACT_REASON,
    ACTIVITY_KIND,
    CONSENT_ACTION,
    CONSENT_KIND,
    CONSENT_SCOPE,
    EXT_CONSENT_MODE,
    EXT_CONTACT_MODE,
    EXT_INFORMATION_CATEGORY,
    HSA_ID,
    INFORMATION_CATEGORY,
    LAW_2019_1297,
    MESSAGE_ID,
    NOT_DONE_REASON,
    NOTIFICATION_TOPIC,
    ORGANISATION_NUMBER,
    PARTICIPATION_TYPE,
    PERSONNUMMER,
    PLAN_KIND,
    RECIPIENT_KIND,
    UCUM,
    WORK_ABILITY,
)

Json = dict[str, Any]
Tell = Callable[[str], None]

PROVIDER: Final = "TSTNMT2321000156-S0001"
UNIT: Final = "TSTNMT2321000156-E0001"
COORDINATOR: Final = "TSTNMT2321000156-P0001"
COMMISSION: Final = "TSTNMT2321000156-M0001"
EMPLOYER: Final = "5560000001"
FK: Final = "2021005521"

PATIENCE: Final = 20.0
"""Seconds to wait for something to come about."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to come out of a case: the codes, and per destination the last state and how many the other side has."""

    codes: tuple[str, ...]
    deliveries: Mapping[str, tuple[str, int]]
    denied: frozenset[str] = frozenset()


@dataclass(slots=True)
class Case:
    """One patient's story."""

    number: int
    name: str
    born: str
    title: str
    expected: Expected
    patient: str = ""
    about: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    came_in: list[str] = field(default_factory=list)

    @property
    def personal_number(self) -> str:
        """A number of the test series."""
        nine = f"{self.born[2:]}980"
        return f"{self.born}980{control_digit(nine)}"


def _fk(state: str, ledger: int) -> dict[str, tuple[str, int]]:
    return {"forsakringskassan": (state, ledger)}


def cases() -> list[Case]:
    """The six."""
    return [
        Case(
            1,
            "Anna Exempel",
            "19850315",
            "full consent",
            Expected(
                ("GC001", "ZV506", "DV077"),
                {"regional_platform": ("delivered", 3), "ehr": ("delivered", 2)} | _fk("delivered", 1),
            ),
        ),
        Case(
            2,
            "Bertil Exempel",
            "19780704",
            "consents to the employer, not to Försäkringskassan",
            Expected(
                ("GC001", "ZV506"),
                {"regional_platform": ("delivered", 1), "ehr": ("delivered", 1)} | _fk("withheld", 0),
                frozenset({"forsakringskassan"}),
            ),
        ),
        Case(
            3,
            "Cecilia Exempel",
            "19920212",
            "withdraws while a message waits",
            Expected((), _fk("withheld", 0), frozenset({"forsakringskassan"})),
        ),
        Case(
            4,
            "David Exempel",
            "19691130",
            "Försäkringskassan fails twice, then loses an answer",
            Expected(("GC001",), {"regional_platform": ("delivered", 1)} | _fk("delivered", 1)),
        ),
        Case(
            5,
            "Eva Exempel",
            "19880620",
            "no certificate at Försäkringskassan",
            Expected((), _fk("needs-other-channel", 0)),
        ),
        Case(6, "Filip Exempel", "19740101", "the employer did not answer", Expected((), {})),
    ]


@dataclass(frozen=True, slots=True)
class World:
    """The two sides and the means to talk to them."""

    service: httpx.AsyncClient
    mocks: httpx.AsyncClient
    tell: Tell


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a case, and whether that was expected."""

    case: Case
    codes: tuple[str, ...]
    decisions: tuple[Json, ...]
    deliveries: tuple[Json, ...]

    @property
    def ok(self) -> bool:
        """Whether everything is as expected."""
        return not self.missing

    @property
    def missing(self) -> list[str]:
        """What is not."""
        expected = self.case.expected
        found = {each["destination"]: (each["state"], each["ledger"]) for each in self.deliveries}
        denied = {each["recipient"] for each in self.decisions if not each["permitted"]}
        return [
            text
            for holds, text in (
                (set(self.codes) == set(expected.codes), f"codes {self.codes}, expected {expected.codes}"),
                (found == dict(expected.deliveries), f"deliveries {found}, expected {dict(expected.deliveries)}"),
                (expected.denied <= denied, f"denied {sorted(denied)}, expected {sorted(expected.denied)}"),
            )
            if not holds
        ]

    def as_json(self) -> Json:
        """One entry of ``patients``."""
        return {
            "case": self.case.number,
            "codes": list(self.codes),
            "decisions": list(self.decisions),
            "deliveries": list(self.deliveries),
        }


async def play(world: World) -> list[Outcome]:
    """Play all cases; what came out of each. Raises ``httpx.HTTPError`` or ``Failed`` when a step is refused."""
    people = cases()
    refs = await _introduce(world, people)
    await _sick_leaves(world, people)
    for case in people:
        world.tell(f"[{case.number}] {case.name}: {case.title}")
        await _STORIES[case.number](world, case, refs)
    return [await _outcome(world, case) for case in people]


class Failed(Exception):
    """A step was refused, or what was waited for did not come."""


# Setting the scene


async def _introduce(world: World, people: Sequence[Case]) -> dict[str, str]:
    """Organisations, the coordinator, the patients: what the records point at."""
    world.tell("the record system introduces the unit, the coordinator and six patients")
    provider = await _once(world, "Organization", HSA_ID.fhir, PROVIDER, {"name": "Exempelregionen"})
    unit = await _once(
        world,
        "Organization",
        HSA_ID.fhir,
        UNIT,
        {
            "name": "Vårdcentralen Exempel",
            "telecom": [{"system": "phone", "value": "010-000 00 00"}],
            "address": [{"line": ["Exempelgatan 1"], "postalCode": "400 00", "city": "Göteborg"}],
            "partOf": {"reference": provider},
        },
    )
    fk = await _once(world, "Organization", ORGANISATION_NUMBER.fhir, FK, {"name": "Försäkringskassan"})
    employer_type = [{"coding": [{"system": RECIPIENT_KIND, "code": "employer"}]}]
    employer = await _once(
        world, "Organization", ORGANISATION_NUMBER.fhir, EMPLOYER, {"name": "Exempelbolaget AB", "type": employer_type}
    )
    person = await _once(world, "Practitioner", HSA_ID.fhir, COORDINATOR, {"name": [{"text": "Karin Koordinator"}]})
    role = await _once(
        world,
        "PractitionerRole",
        HSA_ID.fhir,
        COMMISSION,
        {"practitioner": {"reference": person}, "organization": {"reference": unit}},
    )
    for case in people:
        reference = await _once(
            world, "Patient", PERSONNUMMER.fhir, case.personal_number, {"name": [{"text": case.name}]}
        )
        case.patient = reference.partition("/")[2]
    return {"unit": unit, "fk": fk, "employer": employer, "role": role}


async def _sick_leaves(world: World, people: Sequence[Case]) -> None:
    """Everybody but case 5 has a certificate that was sent to Försäkringskassan; the unit's sick leaves are pulled."""
    today = (await _now(world)).astimezone(STOCKHOLM).date()
    certificates = [
        {
            "id": f"intyg-{case.born}-{case.number}",
            "personalNumber": case.personal_number,
            "patientName": case.name,
            "unit": UNIT,
            "provider": PROVIDER,
            "doctor": "TSTNMT2321000156-D0001",
            "doctorName": "Dag Doktor",
            "signed": f"{today - timedelta(days=20)}T10:00:00+01:00",
            "diagnosis": "F438A",
            "occupations": ["NUVARANDE_ARBETE"],
            "periods": [
                {"start": f"{today - timedelta(days=20)}", "end": f"{today + timedelta(days=9)}", "degree": 100},
                {"start": f"{today + timedelta(days=10)}", "end": f"{today + timedelta(days=39)}", "degree": 75},
            ],
        }
        for case in people
        if case.number != 5
    ]
    _expect(await world.mocks.put("/_control/certificates", json=certificates), 200)
    pulled = _expect(await world.service.post(f"/api/units/{UNIT}/pull"), 200).json()
    world.tell(
        f"sick leaves pulled for the unit: {pulled['certificates']} certificates, {pulled['patients']} patients, "
        f"{pulled['sickLeaves']} sick leaves, {len(pulled['setAside'])} set aside"
    )
    episodes = _expect(
        await world.service.get("/fhir/EpisodeOfCare?status=active&type=sjukfall&_summary=count"), 200
    ).json()
    if episodes["total"] < len(certificates):
        raise Failed("an episode is missing after the pull")


# The stories


async def _full_consent(world: World, case: Case, refs: Mapping[str, str]) -> None:
    await _coordination(world, case)
    await _disclosure(world, case, refs, "employer", ("work_adjustments", "meeting_participation"))
    await _disclosure(world, case, refs, "fk", ("assumed_rehab_need", "contact_details"))
    await _meeting(world, case, refs)
    await _plan(world, case, refs)
    request = await _notice(world, case, refs)
    message = await _until(world, request, "forsakringskassan", "delivered")
    await _settled(world, case)
    await _answered(world, case, message["id"])


async def _answered(world: World, case: Case, message_id: str) -> None:
    """Försäkringskassan's officer says yes, and the coordinator writes down who and what is next."""
    if not _expect(await world.mocks.get("/_control/officer"), 200).json()["deliverTo"]:
        return
    opened = _expect(await world.mocks.get("/_control/officer/cases"), 200).json()
    number = next(each["number"] for each in opened if each["message"] == message_id)
    yes = {"text": "Tack. Vi utreder behovet; Frida Handläggare hör av sig.", "answers": True}
    _expect(await world.mocks.post(f"/_control/officer/cases/{number}/messages", json=yes), 200)
    dialogues = _expect(await world.service.get(f"/api/dialogues?patient={case.patient}&state=answered"), 200).json()
    if not dialogues:
        raise Failed("Försäkringskassan's answer did not come in")
    world.tell(f"    Försäkringskassan answers: the dialogue is {dialogues[0]['state']}, and waits to be read")
    read = {"says": "accepted", "officer": "Frida Handläggare", "nextStep": "Samtal om planeringen"}
    told = _expect(await world.service.post(f"/api/dialogues/{dialogues[0]['id']}/answer", json=read), 200).json()
    world.tell(f"    the coordinator has read it: {told['state']}")


async def _employer_only(world: World, case: Case, refs: Mapping[str, str]) -> None:
    await _coordination(world, case)
    await _disclosure(world, case, refs, "employer", ("work_adjustments", "meeting_participation"))
    await _meeting(world, case, refs)
    await _notice(world, case, refs)
    await _settled(world, case)


async def _withdrawal(world: World, case: Case, refs: Mapping[str, str]) -> None:
    await _coordination(world, case)
    consent = await _disclosure(world, case, refs, "fk", ("assumed_rehab_need", "contact_details"))
    why = {"why": "the scenario lets a message wait"}
    _expect(await world.service.post("/api/destinations/forsakringskassan/pause", json=why), 204)
    request = await _notice(world, case, refs)
    await _until(world, request, "forsakringskassan", "waiting")
    answer = _expect(await world.service.post(f"/api/consents/{consent.partition('/')[2]}/withdrawal"), 200).json()
    world.tell(f"    withdrawn: {'; '.join(note['text'] for note in answer['notes'])}")
    _expect(await world.service.post("/api/destinations/forsakringskassan/resume"), 204)
    await asyncio.sleep(0.7)
    await _until(world, request, "forsakringskassan", "withheld")


async def _lost_answer(world: World, case: Case, refs: Mapping[str, str]) -> None:
    await _coordination(world, case)
    await _disclosure(world, case, refs, "fk", ("assumed_rehab_need", "contact_details"))
    faults = [
        {"kind": "result", "errorId": "TECHNICAL_ERROR", "times": 2},
        {"kind": "lose-answer", "seconds": 4, "times": 1},
    ]
    _expect(await world.mocks.put("/_control/faults/forsakringskassan", json=faults), 200)
    request = await _notice(world, case, refs)
    for attempt in (1, 2, 3):
        message = await _until(world, request, "forsakringskassan", "retrying", attempt)
        at = message["nextTry"][11:19]
        world.tell(f"    try {attempt}: {message['reason']}; next try {at}; the clock is moved there")
        _expect(await world.mocks.put("/_control/clock", json={"advance": "PT40M"}), 200)
    message = await _until(world, request, "forsakringskassan", "delivered")
    world.tell(f"    try {message['attempts']}: delivered ({message['reason']})")
    await _settled(world, case)


async def _no_certificate(world: World, case: Case, refs: Mapping[str, str]) -> None:
    await _coordination(world, case)
    await _disclosure(world, case, refs, "fk", ("assumed_rehab_need", "contact_details"))
    request = await _notice(world, case, refs)
    await _until(world, request, "forsakringskassan", "needs-other-channel")


async def _no_answer(world: World, case: Case, refs: Mapping[str, str]) -> None:
    await _coordination(world, case)
    await _activity(
        world,
        case,
        refs,
        "employer-contact",
        status="not-done",
        statusReason=_concept(NOT_DONE_REASON, "no-answer"),
        code={"text": "Telefonsamtal till arbetsgivaren, inget svar"},
    )
    await _settled(world, case)


_STORIES: Final[Mapping[int, Callable[[World, Case, Mapping[str, str]], Awaitable[None]]]] = {
    1: _full_consent,
    2: _employer_only,
    3: _withdrawal,
    4: _lost_answer,
    5: _no_certificate,
    6: _no_answer,
}


# What the record system sends


async def _coordination(world: World, case: Case) -> None:
    at = await _now(world)
    await _post(
        world,
        case,
        {
            "resourceType": "Consent",
            "status": "active",
            "scope": _concept(CONSENT_SCOPE, "treatment"),
            "category": [_concept(CONSENT_KIND, "coordination")],
            "patient": {"reference": f"Patient/{case.patient}"},
            "dateTime": _time(at),
            "policy": [{"uri": LAW_2019_1297}],
            "verification": [_oral(case, at)],
        },
        "consent to coordination (oral)",
    )


async def _disclosure(
    world: World, case: Case, refs: Mapping[str, str], recipient: str, categories: Sequence[str]
) -> str:
    at = await _now(world)
    return await _post(
        world,
        case,
        {
            "resourceType": "Consent",
            "status": "active",
            "scope": _concept(CONSENT_SCOPE, "patient-privacy"),
            "category": [_concept(CONSENT_KIND, "disclosure"), _concept(ACT_CODE, "IDSCL")],
            "patient": {"reference": f"Patient/{case.patient}"},
            "dateTime": _time(at),
            "performer": [{"reference": f"Patient/{case.patient}"}],
            "organization": [{"reference": refs["unit"]}],
            "policy": [{"uri": LAW_2019_1297}],
            "verification": [_oral(case, at)],
            "provision": {
                "type": "permit",
                "period": {
                    "start": f"{at.astimezone(STOCKHOLM).date()}",
                    "end": f"{at.astimezone(STOCKHOLM).date() + timedelta(days=180)}",
                },
                "actor": [
                    {"role": _concept(PARTICIPATION_TYPE, "CST"), "reference": {"reference": refs["unit"]}},
                    {"role": _concept(PARTICIPATION_TYPE, "IRCP"), "reference": {"reference": refs[recipient]}},
                ],
                "action": [_concept(CONSENT_ACTION, "disclose")],
                "purpose": [{"system": ACT_REASON, "code": "COC"}],
                "code": [_concept(INFORMATION_CATEGORY, category) for category in categories],
            },
        },
        f"consent to tell {'the employer' if recipient == 'employer' else 'Försäkringskassan'} (oral)",
    )


async def _meeting(world: World, case: Case, refs: Mapping[str, str]) -> None:
    await _activity(
        world,
        case,
        refs,
        "employer-contact",
        status="completed",
        performedDateTime=_time(await _now(world) - timedelta(hours=1)),
        mode="visit",
        note=[{"text": "Möte på arbetsplatsen om anpassade arbetsuppgifter."}],
    )


async def _plan(world: World, case: Case, refs: Mapping[str, str]) -> None:
    today = (await _now(world)).astimezone(STOCKHOLM).date()
    ladder = [(10, 75), (40, 50), (70, 25), (100, 0)]
    goal = await _post(
        world,
        case,
        {
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "description": {"text": "Åter i ordinarie arbete"},
            "subject": {"reference": f"Patient/{case.patient}"},
            "target": [
                {
                    "measure": _concept(WORK_ABILITY, "assessed-reduction"),
                    "detailQuantity": {"value": degree, "unit": "%", "system": UCUM, "code": "%"},
                    "dueDate": f"{today + timedelta(days=days)}",
                }
                for days, degree in ladder
            ],
        },
        "goal with tapering 100 → 75 → 50 → 25",
    )
    plan = await _post(
        world,
        case,
        {
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "category": [_concept(PLAN_KIND, "sjukskrivnings-och-rehabiliteringsplan")],
            "title": "Sjukskrivnings- och rehabiliteringsplan",
            "subject": {"reference": f"Patient/{case.patient}"},
            "period": {"start": f"{today}", "end": f"{today + timedelta(days=100)}"},
            "author": {"reference": refs["unit"]},
            "goal": [{"reference": goal}],
        },
        "plan",
    )
    await _activity(
        world,
        case,
        refs,
        "plan",
        status="completed",
        performedDateTime=_time(await _now(world) - timedelta(minutes=30)),
        basedOn=[{"reference": plan}],
    )


async def _activity(
    world: World, case: Case, refs: Mapping[str, str], kind: str, mode: str = "", **elements: Any
) -> None:
    extension = {"extension": [{"url": EXT_CONTACT_MODE, "valueCode": mode}]} if mode else {}
    identifier = str(uuid4())
    case.identifiers.append(identifier)
    reference = await _post(
        world,
        case,
        {
            "resourceType": "Procedure",
            **extension,
            "identifier": [{"system": "urn:example:ehr:activity", "value": identifier}],
            "category": _concept(ACTIVITY_KIND, kind),
            "subject": {"reference": f"Patient/{case.patient}"},
            "performer": [{"actor": {"reference": refs["role"]}, "onBehalfOf": {"reference": refs["unit"]}}],
            **elements,
        },
        f"activity: {kind}",
    )
    case.about.append(reference)


async def _notice(world: World, case: Case, refs: Mapping[str, str]) -> str:
    parts = (
        ("assumed_rehab_need", "Patienten kan antas ha behov av arbetslivsinriktad rehabilitering; kontakt önskas."),
        ("contact_details", "Rehabkoordinatorn nås vardagar 8-10."),
    )
    reference = await _post(
        world,
        case,
        {
            "resourceType": "CommunicationRequest",
            "status": "active",
            "category": [_concept(NOTIFICATION_TOPIC, "assumed-rehab-need")],
            "subject": {"reference": f"Patient/{case.patient}"},
            "payload": [
                {"extension": [{"url": EXT_INFORMATION_CATEGORY, "valueCode": category}], "contentString": text}
                for category, text in parts
            ],
            "authoredOn": _time(await _now(world)),
            "requester": {"reference": refs["role"]},
            "recipient": [{"reference": refs["fk"]}],
        },
        "request to inform Försäkringskassan of an assessed need (4 §)",
    )
    case.about.append(reference)
    return reference


async def _post(world: World, case: Case, resource: Json, what: str) -> str:
    response = await world.service.post(
        f"/fhir/{resource['resourceType']}", json=resource, headers={"Content-Type": "application/fhir+json"}
    )
    stored = _expect(response, 201, 200).json()
    codes = [coding["code"] for coding in _codings(stored)]
    world.tell(f"    in: {what}{' → ' + ' + '.join(codes) if codes else ''}")
    case.came_in.append(what)
    return f"{stored['resourceType']}/{stored['id']}"


async def _once(world: World, type_: str, system: str, value: str, elements: Json) -> str:
    """Made unless it is there already: a second run against the same database meets the same people."""
    resource = {"resourceType": type_, "identifier": [{"system": system, "value": value}], **elements}
    headers = {"Content-Type": "application/fhir+json", "If-None-Exist": f"identifier={system}|{value}"}
    stored = _expect(await world.service.post(f"/fhir/{type_}", json=resource, headers=headers), 201, 200).json()
    return f"{type_}/{stored['id']}"


# What came out


async def _outcome(world: World, case: Case) -> Outcome:
    traces = [await _trace(world, reference) for reference in case.about]
    told = [reference for trace in traces for reference in await _told(world, trace["messages"])]
    traces += [await _trace(world, reference) for reference in told]
    codes = dict.fromkeys(code["code"] for trace in traces for code in trace["codes"])
    decisions = dict.fromkeys(
        (each["recipient"], each["permitted"], tuple(each["reasons"]))
        for trace in traces
        for each in trace["decisions"]
    )
    messages = [message for trace in traces for message in trace["messages"]]
    return Outcome(
        case,
        tuple(codes),
        tuple(
            {"recipient": recipient, "permitted": permitted, "reasons": list(reasons)}
            for recipient, permitted, reasons in decisions
        ),
        tuple([await _delivery(world, case, destination, messages) for destination in _destinations(messages)]),
    )


async def _told(world: World, messages: Sequence[Json]) -> list[str]:
    """The activities that the service recorded itself because these messages were delivered (domain rule 14)."""
    found = []
    for message in messages:
        query = {"identifier": f"{MESSAGE_ID}|{message['id']}"}
        bundle = _expect(await world.service.post("/fhir/Procedure/_search", data=query), 200).json()
        found += [f"Procedure/{entry['resource']['id']}" for entry in bundle.get("entry", [])]
    return found


def _destinations(messages: Sequence[Json]) -> list[str]:
    return list(dict.fromkeys(message["destination"] for message in messages))


async def _delivery(world: World, case: Case, destination: str, messages: Sequence[Json]) -> Json:
    mine = [message for message in messages if message["destination"] == destination]
    entries = _expect(await world.mocks.get(f"/_control/ledger/{destination}"), 200).json()
    theirs = {entry["id"] for entry in entries if entry["accepted"] and _is_about(entry, case, mine)}
    states = dict.fromkeys(message["state"] for message in mine)
    return {"destination": destination, "state": "+".join(states), "ledger": len(theirs)}


def _is_about(entry: Json, case: Case, messages: Sequence[Json]) -> bool:
    """Whether an exchange in a ledger came of the messages: each side knows them by another name."""
    return (
        entry["id"] in {message["id"] for message in messages}
        or entry["summary"].get("subject") in {message["about"] for message in messages}
        or entry["id"].rpartition("/")[0] in case.identifiers
    )


async def _until(world: World, reference: str, destination: str, state: str, attempts: int | None = None) -> Json:
    """Wait for a message about the resource to be in a state."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    found: Json = {}
    while asyncio.get_running_loop().time() < deadline:
        messages: list[Json] = (await _trace(world, reference))["messages"]
        for message in messages:
            found = message
            if (
                message["destination"] == destination
                and message["state"] == state
                and attempts in (None, message["attempts"])
            ):
                return message
        await asyncio.sleep(0.05)
    raise Failed(
        f"{reference} to {destination}: waited for {state}, found {found.get('state')} ({found.get('reason')})"
    )


async def _settled(world: World, case: Case) -> None:
    """Wait until nothing of the case is on its way."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < deadline:
        trace = await _trace(world, f"Patient/{case.patient}")
        if not any(message["state"] in ("waiting", "claimed", "retrying") for message in trace["messages"]):
            return
        await asyncio.sleep(0.05)
    raise Failed(f"case {case.number}: something is still on its way")


async def _trace(world: World, reference: str) -> Json:
    found: Json = _expect(await world.service.get(f"/api/trace/{reference.partition('/')[2]}"), 200).json()
    return found


async def _now(world: World) -> datetime:
    return datetime.fromisoformat(_expect(await world.mocks.get("/_control/clock"), 200).json()["now"])


def _expect(response: httpx.Response, *statuses: int) -> httpx.Response:
    if response.status_code not in statuses:
        raise Failed(
            f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text[:500]}"
        )
    return response


def _codings(resource: Json) -> list[Json]:
    main = resource.get("code", {}).get("coding", []) if resource["resourceType"] == "Procedure" else []
    beside = [each["valueCoding"] for each in resource.get("extension", []) if "valueCoding" in each]
    return [*main, *beside]


def _oral(case: Case, at: datetime) -> Json:
    return {
        "extension": [{"url": EXT_CONSENT_MODE, "valueCode": "VERBAL"}],
        "verified": True,
        "verifiedWith": {"reference": f"Patient/{case.patient}"},
        "verificationDate": _time(at),
    }


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _time(at: datetime) -> str:
    return at.astimezone(STOCKHOLM).isoformat(timespec="seconds")
