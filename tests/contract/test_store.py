"""One suite for the ports ``Store``, ``Snapshot`` and ``Transaction``, over every engine of ``engines``."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import count, product
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select

from contracts.activity import Identifier
from contracts.consent import (
    Consent,
    ConsentDecision,
    ConsentKind,
    ConsentPolicy,
    ConsentStatus,
    DecisionRecord,
    Effect,
    InformationCategory,
    Purpose,
    Reason,
    Recipient,
    RecipientKind,
    UnreadableConsent,
    UsedConsent,
)
from contracts.errors import Conflict, Invalid, Unavailable
from contracts.identity import HsaId, PersonId
from contracts.outbox import UNSENT, DeliveryState, Queued, RecordCopy
from contracts.ports import Snapshot, Store, Transaction
from contracts.pulling import PullState
from contracts.record import AccessAction, Document, Operation, Record
from contracts.sick_leave import (
    Certificate,
    CertificatePeriod,
    LastPull,
    RekoStatus,
    RekoStatusType,
    SetAside,
    StoredCertificate,
)
from contracts.time import Period
from service.store import tables
from service.store.codec import decode
from tests.contract.engines import Open, OpenStore
from tests.unit.service.store.samples import (
    CALLER,
    NOW,
    PROVIDER,
    UNIT,
    StillClock,
    access,
    disagreements,
    document,
    message,
    person,
    procedure,
)

pytestmark = pytest.mark.anyio


async def save(store: Store, content: Document, id: str, unit: str = UNIT.value) -> Record:
    return await store.run(lambda transaction: transaction.save(content, id, unit))


async def rows(store: OpenStore, table: Table) -> int:
    return int((await store.select(select(func.count()).select_from(table)))[0][0])


def ids(records: Sequence[Record]) -> list[str]:
    return [record.id for record in records]


# Records and their versions


async def test_what_was_saved_is_read(store: OpenStore) -> None:
    record = await save(store, procedure("p-7"), "a-1")
    assert (record.type, record.id, record.version, record.updated) == ("Procedure", "a-1", 1, NOW)
    assert (record.unit, record.patient, record.reference) == (UNIT.value, "p-7", "Procedure/a-1")
    assert store.read("Procedure", "a-1") == record
    assert await store.run(lambda transaction: transaction.read("Procedure", "a-1")) == record


@pytest.mark.parametrize(("type", "id"), [("Procedure", "a-2"), ("Goal", "a-1"), ("", ""), ("Procedure", "A-1")])
async def test_what_was_not_saved_is_none(store: OpenStore, type: str, id: str) -> None:
    await save(store, procedure(), "a-1")
    assert store.read(type, id) is None
    assert await store.run(lambda transaction: transaction.read(type, id)) is None
    assert (list(store.versions(type, id)), store.version(type, id, 1)) == ([], None)


async def test_each_save_is_a_version_and_the_earlier_ones_stay(store: OpenStore, clock: StillClock) -> None:
    made = []
    for status in ("preparation", "in-progress", "completed"):
        made.append(await save(store, procedure(status=status), "a-1"))
        clock.advance(hours=1)
    assert [record.version for record in made] == [1, 2, 3]
    assert [record.updated for record in made] == [NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=2)]
    assert [each.record for each in store.versions("Procedure", "a-1")] == made[::-1]
    found = [store.version("Procedure", "a-1", number) for number in (1, 2, 3, 4, 0)]
    assert [each and each.record for each in found] == [*made, None, None]
    assert [each.operation for each in found if each] == [Operation.CREATE, Operation.UPDATE, Operation.UPDATE]
    assert store.read("Procedure", "a-1") == made[-1]


async def test_ids_belong_to_their_type(store: OpenStore) -> None:
    await save(store, procedure(), "same")
    await save(store, person(), "same")
    read = store.read("Patient", "same")
    assert read is not None
    assert (read.version, read.patient) == (1, "same")


async def test_a_record_survives_the_service(open_it: Open, tmp_path: Path) -> None:
    store = open_it(tmp_path, StillClock())
    first = await save(store, procedure(), "a-1")
    store.close()
    store = open_it(tmp_path, StillClock())
    assert store.read("Procedure", "a-1") == first
    assert (await save(store, procedure(), "a-1")).version == 2
    assert (await save(store, procedure(), "a-2")).version == 1
    store.close()


# Bodies (decision D2)

BODY: Final = """{"status":"final", "resourceType" : "Observation",
 "valueQuantity": {"unit": "timmar", "value": 1.50, "code":"h"}, "note": [{"text": "\\u00c5sa p\u00e5 \U0001f600 \\/ \\"m\u00f6te\\""}],
 "component": [{"valueQuantity": {"value": 100.0}}, {"valueQuantity": {"value": 1E+2}}, {"valueInteger": 9007199254740993}],
 "meta": {"profile": ["urn:p"], "versionId": "99"}, "subject": {"reference": "Patient/p-1"}, "_status": {"id": "x"}}"""


async def test_a_body_keeps_its_bytes(store: OpenStore) -> None:
    record = await save(store, Document(orjson.loads(BODY), BODY.encode()), "o-1")
    kept = msgspec.json.decode(record.body, type=dict[str, msgspec.Raw])
    came = msgspec.json.decode(BODY.encode(), type=dict[str, msgspec.Raw])
    assert list(kept)[:3] == ["resourceType", "id", "meta"]
    assert [name for name in kept if name not in ("id", "meta")][1:] == [
        name for name in came if name not in ("resourceType", "meta")
    ]
    assert {name: bytes(raw) for name, raw in kept.items() if name not in ("id", "meta")} == {
        name: bytes(raw) for name, raw in came.items() if name != "meta"
    }


async def test_id_and_meta_are_the_stores_own(store: OpenStore) -> None:
    record = await save(store, Document(orjson.loads(BODY), BODY.encode()), "o-1")
    content = orjson.loads(record.body)
    assert content["id"] == "o-1"
    assert content["meta"] == {"profile": ["urn:p"], "versionId": "1", "lastUpdated": "2026-05-04T10:30:00+02:00"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aåb_", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(st.sampled_from(["note", "extension", "å", "text"]), _json), indent=st.booleans())
async def test_any_body_comes_back(store: OpenStore, content: dict[str, Any], indent: bool) -> None:
    content = {"resourceType": "Basic", **content}
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2 if indent else 0)
    record = await save(store, Document(content, body), "b-1")
    stored = store.read("Basic", "b-1")
    assert stored == record
    assert {name: value for name, value in orjson.loads(record.body).items() if name not in ("id", "meta")} == content


# Looked up by what they hold


async def test_records_are_found_by_a_token(store: OpenStore) -> None:
    for id, value, unit in (
        ("b", "1", UNIT.value),
        ("a", "1", UNIT.value),
        ("c", "2", UNIT.value),
        ("d", "1", "other"),
    ):
        await save(store, procedure(identifier=value), id, unit)

    async def found(system: str, value: str, type: str = "Procedure") -> list[str]:
        return ids(await by_identifier(store, type, system, value))

    assert await found("urn:ehr", "1") == ["b", "a"]
    assert await found("urn:ehr", "3") == await found("", "1") == await found("urn:other", "1") == []
    assert await found("urn:ehr", "1", "Patient") == []


async def by_identifier(store: Store, type: str, system: str, value: str) -> Sequence[Record]:
    return await store.run(lambda each: each.by_token(type, "identifier", system, value, UNIT.value))


async def test_a_system_is_known_in_every_spelling(store: OpenStore) -> None:
    oid, uri = "urn:oid:1.2.752.129.2.1.3.1", "http://electronichealth.se/identifier/personnummer"
    await save(store, person(identifier=[{"system": oid, "value": "19800101-9804"}]), "p-1")
    for system in (oid, uri):
        assert ids(await by_identifier(store, "Patient", system, "198001019804")) == ["p-1"]


async def test_records_are_found_by_a_reference(store: OpenStore) -> None:
    for id, patient in (("b", "p-1"), ("a", "p-1"), ("c", "p-2")):
        await save(store, procedure(patient), id)
    found = await store.run(lambda each: each.by_reference("Procedure", "patient", "Patient/p-1"))
    assert ids(found) == ["b", "a"]


async def test_a_units_records_of_a_type(store: OpenStore) -> None:
    for id, unit in (("b", UNIT.value), ("a", UNIT.value), ("c", "SE9999999999-E009"), ("d", UNIT.value)):
        await save(store, procedure("p-1"), id, unit)
    await save(store, procedure("p-1", identifier="1"), "b")
    await store.run(lambda each: each.remove("Procedure", "d"))
    found = await store.run(lambda each: each.of_unit("Procedure", UNIT.value))
    assert [(each.id, each.version) for each in found] == [("b", 2), ("a", 1)]
    assert await store.run(lambda each: list(each.of_unit("Patient", UNIT.value))) == []


async def test_only_the_current_version_is_found(store: OpenStore) -> None:
    await save(store, procedure("p-1", identifier="1"), "a")
    newest = await save(store, procedure("p-2", identifier="2"), "a")

    def look(transaction: Transaction) -> list[Sequence[Record]]:
        tokens = [transaction.by_token("Procedure", "identifier", "urn:ehr", value, UNIT.value) for value in "12"]
        return tokens + [transaction.by_reference("Procedure", "patient", f"Patient/p-{value}") for value in "12"]

    assert [list(found) for found in await store.run(look)] == [[], [newest], [], [newest]]


def _observation(**more: Any) -> Document:
    return document({"resourceType": "Observation", "status": "final", **more})


CODE: Final = {"code": {"coding": [{"system": "urn:code", "code": "a", "display": "Åtgärd"}]}}
VERSIONS: Final = (
    _observation(),
    _observation(**CODE, valueQuantity={"value": 0.1, "unit": "kilo", "system": "urn:unit", "code": "kg"}),
    _observation(**CODE, valueQuantity={"value": 0.10, "comparator": "<", "unit": "kilo"}),
    _observation(**CODE, valueString="Text", effectiveDateTime="2026-11-20"),
    _observation(**CODE, valueDateTime="2026-11-20T09:00:00+01:00", effectivePeriod={"start": "2026-11"}),
    _observation(
        status="amended", subject={"reference": "Patient/p-1"}, meta={"profile": ["urn:p"], "source": "urn:s"}
    ),
)
PLACES: Final = tuple(
    document({"resourceType": "Location", "position": {"latitude": north, "longitude": -0.0}}) for north in (59.3, 59.4)
)


@pytest.mark.parametrize("versions", [VERSIONS, PLACES], ids=["Observation", "Location"])
async def test_of_any_version_after_any_the_index_has_the_rows(store: OpenStore, versions: Sequence[Document]) -> None:
    """Each kind of row is taken away, stays or comes, and nobody else's is touched."""
    for turn, (one, other) in enumerate(product(versions, repeat=2)):
        await save(store, one, f"{turn}")
        await save(store, one, "beside")
        await save(store, other, f"{turn}")
    assert await disagreements(store) == []


async def test_what_a_transaction_has_looked_up_it_knows_as_it_wrote_it(store: OpenStore) -> None:
    def work(transaction: Transaction) -> list[object]:
        seen: list[object] = [transaction.read("Procedure", "a")]
        transaction.save(procedure("p-1"), "a", UNIT.value)
        seen.append((first := transaction.read("Procedure", "a")) and first.version)
        transaction.save(procedure("p-2"), "a", UNIT.value)
        seen.append((second := transaction.read("Procedure", "a")) and (second.version, second.patient))
        gone = transaction.remove("Procedure", "a")
        seen += [transaction.read("Procedure", "a"), transaction.tombstone("Procedure", "a") == gone]
        return seen

    assert await store.run(work) == [None, 1, (2, "p-2"), None, True]
    assert store.read("Procedure", "a") is None


async def test_what_was_attempted_in_vain_is_not_known(store: OpenStore) -> None:
    def failing(transaction: Transaction) -> None:
        transaction.save(procedure("p-2"), "a", UNIT.value)
        transaction.save(procedure("p-2", identifier="2"), "b", UNIT.value)
        raise Conflict("no")

    def work(transaction: Transaction) -> list[object]:
        transaction.save(procedure("p-1"), "a", UNIT.value)
        transaction.attempt(lambda: failing(transaction))
        seen: list[object] = [(a := transaction.read("Procedure", "a")) and (a.version, a.patient)]
        seen.append(transaction.read("Procedure", "b"))
        transaction.save(procedure("p-3"), "a", UNIT.value)
        transaction.save(procedure("p-3", identifier="2"), "b", UNIT.value)
        return seen

    assert await store.run(work) == [(1, "p-1"), None]
    assert [each.record.version for each in store.versions("Procedure", "a")] == [2, 1]
    assert store.read("Procedure", "b") is not None
    assert await disagreements(store) == []


async def test_a_resource_that_becomes_anothers_is_found_there_alone(store: OpenStore) -> None:
    await save(store, procedure("p-1"), "a")
    moved = await save(store, procedure("p-1"), "a", PROVIDER.value)
    found = [list(await store.run(lambda each: each.of_unit("Procedure", UNIT.value)))]
    found += [list(await store.run(lambda each: each.of_unit("Procedure", PROVIDER.value)))]
    assert found == [[], [moved]]


async def test_an_id_that_is_fresh_must_be(store: OpenStore) -> None:
    await save(store, procedure("p-1"), "a")
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.run(lambda each: each.save(procedure("p-2"), "a", UNIT.value, fresh=True))
    kept = store.read("Procedure", "a")
    assert kept is not None
    assert (kept.version, kept.patient) == (1, "p-1")


async def test_a_transaction_finds_its_own_writes(store: OpenStore) -> None:
    def work(transaction: Transaction) -> tuple[list[str], Record | None]:
        transaction.save(procedure(), "a", UNIT.value)
        found = transaction.by_token("Procedure", "identifier", "urn:ehr", "ehr-1", UNIT.value)
        return ids(found), transaction.read("Procedure", "a")

    found, read = await store.run(work)
    assert (found, read and read.version) == (["a"], 1)


# Deletion


async def test_what_is_deleted_is_found_by_nobody_and_its_versions_stay(store: OpenStore, clock: StillClock) -> None:
    first = await save(store, procedure("p-1", identifier="1"), "a")
    clock.advance(hours=1)
    gone = await store.run(lambda each: each.remove("Procedure", "a"))
    assert (gone.version, gone.body, gone.patient, gone.unit) == (2, b"", "p-1", UNIT.value)

    def look(transaction: Transaction) -> list[object]:
        return [
            transaction.read("Procedure", "a"),
            list(transaction.by_token("Procedure", "identifier", "urn:ehr", "1", UNIT.value)),
            list(transaction.by_reference("Procedure", "patient", "Patient/p-1")),
            transaction.pointed_at("Patient/p-1"),
            transaction.tombstone("Procedure", "a"),
        ]

    assert await store.run(look) == [None, [], [], False, gone]
    assert (store.read("Procedure", "a"), store.standing("Procedure", "a")) == (None, gone)
    versions = [(each.record, each.operation) for each in store.versions("Procedure", "a")]
    assert versions == [(gone, Operation.DELETE), (first, Operation.CREATE)]


async def test_what_is_deleted_can_be_written_anew(store: OpenStore) -> None:
    await save(store, procedure(), "a")
    await store.run(lambda each: each.remove("Procedure", "a"))
    anew = await store.run(lambda each: each.save(procedure(), "a", UNIT.value, named=True))
    assert (anew.version, store.read("Procedure", "a"), store.standing("Procedure", "a")) == (3, anew, anew)
    assert await store.run(lambda each: each.tombstone("Procedure", "a")) is None
    operations = [each.operation for each in store.versions("Procedure", "a")]
    assert operations == [Operation.UPDATE_AS_CREATE, Operation.DELETE, Operation.CREATE]


async def test_who_points_at_it_is_known(store: OpenStore) -> None:
    await save(store, procedure("p-1"), "a")
    assert await store.run(lambda each: each.pointed_at("Patient/p-1"))
    assert not await store.run(lambda each: each.pointed_at("Patient/p-2"))


async def test_what_is_about_a_patient_without_pointing_at_her_is_in_the_way_too(store: OpenStore) -> None:
    binary = Document({"resourceType": "Binary"}, b'{"resourceType":"Binary"}')
    await store.run(lambda each: each.save(binary, "a", UNIT.value, about="p-1"))
    await store.run(lambda each: each.save(binary, "b", UNIT.value, about="p-2"))
    await store.run(lambda each: each.remove("Binary", "b"))
    assert await store.run(lambda each: each.pointed_at("Patient/p-1"))
    assert not await store.run(lambda each: each.pointed_at("Patient/p-2"))
    assert not await store.run(lambda each: each.pointed_at("Binary/p-1"))


async def test_the_patient_may_be_told_from_elsewhere(store: OpenStore) -> None:
    binary = Document({"resourceType": "Binary"}, b'{"resourceType":"Binary"}')
    record = await store.run(lambda each: each.save(binary, "b", UNIT.value, about="p-1"))
    assert (record.patient, store.read("Binary", "b")) == ("p-1", record)


async def test_what_is_rehearsed_was_never_done(store: OpenStore) -> None:
    await save(store, procedure(), "a")
    before = await counts(store)

    def work(transaction: Transaction) -> list[int]:
        versions = [transaction.rehearse(lambda: _everything_of(transaction)) for _ in range(2)]
        return [*versions, transaction.save(procedure(), "a", UNIT.value).version]

    assert await store.run(work) == [2, 2, 2]
    after = await counts(store)
    assert {table for table in after if after[table] != before[table]} == {"history"}
    with pytest.raises(Invalid):
        await store.run(lambda each: each.rehearse(_refuse))
    assert await counts(store) == after


def _everything_of(transaction: Transaction) -> int:
    write_everything(transaction, "new")
    return transaction.save(procedure(), "a", UNIT.value).version


def _refuse() -> None:
    raise Invalid("no")


async def test_what_rests_on_a_consent_is_known(store: OpenStore) -> None:
    permitted = replace(DECISION.decision, consents=(UsedConsent("c-1", 1),))
    await store.run(lambda each: each.note_decision(DecisionRecord(permitted), "Procedure/a"))
    await store.run(lambda each: each.note_decision(DecisionRecord(replace(permitted, permitted=False)), "Procedure/a"))
    patient = DECISION.decision.question.patient
    asked = [("c-1", patient), ("c-2", patient), ("c-1", "another")]
    assert [await store.run(partial(_rests_on, *one)) for one in asked] == [True, False, False]


def _rests_on(consent: str, patient: str, transaction: Transaction) -> bool:
    return transaction.rests_on(consent, patient)


# All or nothing (decision D4)

DECISION: Final = DecisionRecord(ConsentDecision(message("m").question, True, (Reason.CONSENT_COVERS,)))
CERTIFICATE: Final = Certificate(
    "c-1", PersonId("198001019804"), UNIT, (CertificatePeriod(date(2026, 5, 1), date(2026, 5, 31), 50),), NOW
)
ALL_TABLES: Final = [
    table for table in tables.metadata.sorted_tables if table.name not in ("search_parameter", "secret")
]


def write_everything(transaction: Transaction, id: str) -> str:
    transaction.save(procedure(f"p-{id}"), id, UNIT.value)
    transaction.save(person(), f"p-{id}", UNIT.value)
    transaction.note_decision(DECISION, f"Procedure/{id}")
    transaction.log_access(access(f"Procedure/{id}"))
    transaction.promise(message(f"m-{id}", f"p-{id}"), DeliveryState.WAITING)
    transaction.keep_certificate(UNIT.value, replace(CERTIFICATE, id=id), f"p-{id}", "e-1")
    pull = transaction.pulls.begin(access().caller, 0)
    transaction.pulls.stage(pull.number, [replace(CERTIFICATE, id=id), SetAside(f"s-{id}", "it has no periods")])
    transaction.pulls.save(replace(pull, state=PullState.DONE))
    return id


async def counts(store: OpenStore) -> dict[str, int]:
    return {table.name: await rows(store, table) for table in ALL_TABLES}


@contextmanager
def busy(store: Store) -> Iterator[None]:
    """The store works on something else meanwhile: what is asked for is done together."""
    gate = threading.Event()
    first = asyncio.ensure_future(store.run(lambda _: gate.wait(10)))
    try:
        yield
    finally:
        gate.set()
        first.add_done_callback(lambda done: done.exception())


@pytest.mark.parametrize("error", [Conflict("refused"), KeyError("unforeseen")])
async def test_work_that_raises_has_written_nothing_and_undoes_nobody_else(store: OpenStore, error: Exception) -> None:
    def fail(transaction: Transaction) -> NoReturn:
        write_everything(transaction, "failing")
        raise error

    await store.run(lambda transaction: write_everything(transaction, "a"))
    one = await counts(store)
    with busy(store):
        works: list[Callable[[Transaction], str]] = [
            partial(write_everything, id="b"),
            fail,
            partial(write_everything, id="c"),
        ]
        asked = [asyncio.ensure_future(store.run(work)) for work in works]
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked, return_exceptions=True) == ["b", error, "c"]
    assert await counts(store) == {name: 3 * number for name, number in one.items()}
    assert await store.run(lambda each: each.queued("p-failing")) == []
    assert store.read("Procedure", "failing") is None


async def test_two_hundred_at_once_are_all_there(open_it: Open, tmp_path: Path) -> None:
    store = open_it(tmp_path, StillClock())
    names = [f"a-{number}" for number in range(200)]
    done = await asyncio.gather(*(store.run(partial(write_everything, id=name)) for name in names))
    before = await counts(store)
    store.close()
    store = open_it(tmp_path, StillClock())
    assert done == names
    assert (before["history"], before["outbox"], before["certificate"]) == (400, 200, 200)
    assert await counts(store) == before
    assert all(store.read("Procedure", name) for name in names)
    store.close()


async def test_an_answer_comes_after_the_commit(store: OpenStore) -> None:
    """Whoever reads beside the transactions sees what was answered."""

    async def write(name: str) -> bool:
        await save(store, procedure(), name)
        found = await store.select(select(tables.resource.c.id).where(tables.resource.c.id == name))
        return bool(found) and store.read("Procedure", name) is not None

    assert all(await asyncio.gather(*(write(f"a-{number}") for number in range(40))))


async def test_nothing_runs_beside_a_transaction(store: OpenStore) -> None:
    """Two that read, then write: neither loses what the other wrote."""
    await save(store, person(), "p-1")

    def add(transaction: Transaction) -> None:
        record = transaction.read("Patient", "p-1")
        assert record is not None
        telecom = orjson.loads(record.body).get("telecom", [])
        transaction.save(person(telecom=[*telecom, {"value": str(len(telecom))}]), "p-1", UNIT.value)

    await asyncio.gather(*(store.run(add) for _ in range(50)))
    record = store.read("Patient", "p-1")
    assert record is not None
    assert record.version == 51
    assert [each["value"] for each in orjson.loads(record.body)["telecom"]] == [str(number) for number in range(50)]


async def test_a_transaction_has_one_instant(store: OpenStore, clock: StillClock) -> None:
    clock.advance(days=1)
    assert await store.run(lambda transaction: transaction.at) == NOW + timedelta(days=1)


async def test_after_the_end_nothing_is_promised(open_it: Open, tmp_path: Path) -> None:
    store = open_it(tmp_path, StillClock())
    store.close()
    with pytest.raises(Unavailable):
        await save(store, procedure(), "a")


# Decisions and the access log


async def test_a_decision_is_kept_with_its_inputs(store: OpenStore) -> None:
    refused = replace(DECISION.decision, permitted=False, reasons=(Reason.REFUSED, Reason.EXPIRED))
    refusal = Consent(
        "r-1",
        3,
        ConsentKind.DISCLOSURE,
        ConsentStatus.ACTIVE,
        Effect.DENY,
        "p-1",
        UNIT,
        NOW,
        recipient=Recipient(RecipientKind.EMPLOYER, "5560000001", "Exempelbolaget"),
        purposes=frozenset(Purpose),
        categories=frozenset({InformationCategory.DIAGNOSIS, InformationCategory.CONTACT_DETAILS}),
        period=Period.of_days(date(2026, 5, 1), None),
    )
    unreadable = UnreadableConsent("u-1", 1)
    denied = DecisionRecord(refused, (refusal,), (unreadable,), ConsentPolicy(366, platform_needs_consent=True), "2")
    first = await store.run(lambda transaction: transaction.keep_decision(denied, "Procedure/a"))
    second = await store.run(lambda transaction: transaction.keep_decision(DECISION, "Procedure/a"))
    table = tables.decision.c
    columns = (table.number, table.about, table.patient, table.unit, table.permitted, table.body)
    row, other = await store.select(select(*columns).order_by(table.number))
    assert row[:5] == (first, "Procedure/a", "p-1", UNIT.value, 0)
    assert (decode(row[5], DecisionRecord), other[0]) == (denied, second)


async def test_a_request_leaves_one_row_for_each_patient_and_writing_outweighs_reading(store: OpenStore) -> None:
    def work(transaction: Transaction) -> None:
        transaction.log_access(access("Patient/p-1", AccessAction.READ), access("Procedure/b", patient="p-2"))
        transaction.log_access(access("Procedure/a", AccessAction.WRITE))
        transaction.log_access(access("Consent/c", AccessAction.READ), access("Procedure/d", AccessAction.WRITE))

    await store.run(work)
    table = tables.access_log.c
    found = await store.select(select(table.patient, table.action, table.resource).order_by(table.patient))
    assert found == [("p-1", "Skriva", "Procedure/a"), ("p-2", "Skriva", "Procedure/b")]


async def test_rows_of_the_log_that_come_alone_are_there_when_it_is_told(store: OpenStore) -> None:
    read = access("Patient/p-1", AccessAction.READ)
    await asyncio.gather(store.log(read, access("Procedure/b", patient="p-2")), store.log(read))
    table = tables.access_log.c
    found = await store.select(select(table.patient, table.action, table.resource).order_by(table.patient))
    assert found == [*[("p-1", "Läsa", "Patient/p-1")] * 2, ("p-2", "Skriva", "Procedure/b")]


# Promises


async def test_a_promise_is_queued_until_it_has_an_end(store: OpenStore) -> None:
    await store.run(lambda each: each.promise(message("a"), DeliveryState.WITHHELD, "no consent"))
    await store.run(lambda each: each.promise(message("b"), DeliveryState.WAITING))
    await store.run(lambda each: each.promise(message("c", "p-2"), DeliveryState.WAITING))
    expected = [
        Queued(message("a"), DeliveryState.WITHHELD, 0, None, "no consent"),
        Queued(message("b"), DeliveryState.WAITING, 0, NOW, ""),
    ]
    assert list(await store.run(lambda each: each.queued("p-1"))) == expected
    await store.run(lambda each: each.move("a", DeliveryState.CANCELLED))
    await store.run(lambda each: each.move("b", DeliveryState.DELIVERED))
    assert list(await store.run(lambda each: each.queued("p-1"))) == []


@pytest.mark.parametrize("state", UNSENT)
async def test_a_message_is_moved_with_a_reason_and_a_time(store: OpenStore, state: DeliveryState) -> None:
    await store.run(lambda each: each.promise(message("a"), DeliveryState.WAITING))
    later = NOW + timedelta(hours=3)
    await store.run(lambda each: each.move("a", state, "because", later))
    (queued,) = await store.run(lambda each: each.queued("p-1"))
    assert (queued.state, queued.reason, queued.next_try) == (state, "because", later)


async def test_a_message_is_fixed_anew(store: OpenStore) -> None:
    await store.run(lambda each: each.promise(message("a"), DeliveryState.NEEDS_OTHER_CHANNEL))
    news = replace(message("a"), payload=RecordCopy("Procedure", Identifier("urn:ehr", "1"), "{}"))
    await store.run(lambda each: each.fix(news, DeliveryState.WAITING, "it is known now"))
    (queued,) = await store.run(lambda each: each.queued("p-1"))
    assert (queued.message, queued.state, queued.reason) == (news, DeliveryState.WAITING, "it is known now")


async def test_what_was_promised_is_remembered_unless_it_was_cancelled(store: OpenStore) -> None:
    async def was_promised() -> bool:
        return await store.run(lambda each: each.was_promised("Procedure/a"))

    assert not await was_promised()
    await store.run(lambda each: each.promise(message("a"), DeliveryState.WITHHELD))
    assert await was_promised()
    await store.run(lambda each: each.move("a", DeliveryState.DELIVERED))
    assert await was_promised()
    await store.run(lambda each: each.move("a", DeliveryState.CANCELLED))
    assert not await was_promised()


async def test_a_message_is_promised_once(store: OpenStore) -> None:
    await store.run(lambda each: each.promise(message("a"), DeliveryState.WAITING))
    with pytest.raises(Exception, match="id") as raised:
        await store.run(lambda each: each.promise(message("a"), DeliveryState.WAITING))
    assert not isinstance(raised.value, Unavailable), "it is our own fault, and later goes no better"


# Certificates


def keep(certificate: Certificate, patient: str, episode: str, unit: str, transaction: Transaction) -> None:
    transaction.keep_certificate(unit, certificate, patient, episode)


def status(type: str, patient: str, version: int, unit: HsaId = UNIT) -> RekoStatus:
    day = date(2026, 5, 1) + timedelta(days=version)
    return RekoStatus(RekoStatusType(type), patient, unit, day, NOW, PROVIDER, version)


async def test_statuses_are_added_and_all_of_them_stay(store: OpenStore) -> None:
    ours = [status("REKO_2", "p-1", 1), status("REKO_1", "p-2", 1), status("REKO_8", "p-1", 2)]
    for each in [*ours, status("REKO_3", "p-1", 1, PROVIDER)]:
        await store.run(partial(_set, each))
    assert await store.look(lambda each: each.reko_statuses(UNIT.value, "p-1")) == [ours[0], ours[2]]
    assert await store.run(lambda each: each.reko_statuses_of_unit(UNIT.value)) == ours
    assert await store.look(lambda each: each.reko_statuses(UNIT.value, "p-9")) == []


async def test_a_version_of_a_status_is_set_once(store: OpenStore) -> None:
    await store.run(partial(_set, status("REKO_2", "p-1", 1)))
    with pytest.raises(Exception, match=r"(?i)unique"):  # each driver has its own
        await store.run(partial(_set, status("REKO_3", "p-1", 1)))


def _set(each: RekoStatus, transaction: Transaction) -> None:
    transaction.set_reko_status(each)


async def test_the_last_pull_that_went_well_and_what_came_since(store: OpenStore, clock: StillClock) -> None:
    async def last() -> LastPull | None:
        return await store.look(lambda snapshot: snapshot.last_pull(UNIT.value))

    async def pulled(to: PullState, days: int, unit: HsaId = UNIT) -> LastPull | None:
        clock.advance(hours=1)
        began = await store.run(lambda each: each.pulls.begin(replace(CALLER, unit=unit), days))
        await store.run(lambda each: each.pulls.save(replace(began, state=to)))
        return await last()

    assert await pulled(PullState.FAILED, 0) is None
    first = await pulled(PullState.DONE, 14)
    assert first == LastPull(NOW + timedelta(hours=2), 14)
    assert await pulled(PullState.DONE, 0, PROVIDER) == first
    failed = await pulled(PullState.FAILED, 0)
    assert failed == replace(first, failed=NOW + timedelta(hours=4))
    assert await pulled(PullState.READING, 0) == failed
    clock.advance(hours=2)  # that one's reader is lost
    assert await pulled(PullState.APPLYING, 0) == LastPull(NOW + timedelta(hours=2), 14, NOW + timedelta(hours=5), True)


async def test_a_pull_that_is_done_is_the_last(store: OpenStore, clock: StillClock) -> None:
    for days in (14, 0):
        clock.advance(hours=1)
        began = await store.run(lambda each: each.pulls.begin(CALLER, days))  # noqa: B023 - run at once
        await store.run(lambda each: each.pulls.save(replace(began, state=PullState.DONE)))  # noqa: B023 - run at once
    assert await store.look(lambda each: each.last_pull(UNIT.value)) == LastPull(NOW + timedelta(hours=2), 0)


async def test_certificates_are_kept_as_last_pulled(store: OpenStore) -> None:
    newer = replace(CERTIFICATE, diagnosis="F43.8A", occupations=("NUVARANDE_ARBETE",))
    kept = (
        (CERTIFICATE, "p-1", "e-1", UNIT.value),
        (newer, "p-1", "e-2", UNIT.value),
        (replace(CERTIFICATE, id="c-2", unit=PROVIDER), "p-2", "e-3", UNIT.value),
        (CERTIFICATE, "p-1", "e-4", PROVIDER.value),
    )
    for each in kept:
        await store.run(partial(keep, *each))
    assert list(await store.run(lambda each: each.certificates(UNIT.value, "p-1"))) == [StoredCertificate(newer, "e-2")]
    of_unit = await store.run(lambda each: each.certificates_of_unit(UNIT.value, date.min))
    assert sorted((patient, stored.episode) for patient, stored in of_unit) == [("p-1", "e-2"), ("p-2", "e-3")]
    await store.run(lambda each: each.drop_certificate(UNIT.value, "c-1"))
    assert list(await store.run(lambda each: each.certificates(UNIT.value, "p-1"))) == []
    assert len(await store.run(lambda each: each.certificates(PROVIDER.value, "p-1"))) == 1


async def test_a_units_certificates_are_those_of_the_patients_of_whom_one_lasts(store: OpenStore) -> None:
    """The others are not read; of these, all are."""
    april = (CertificatePeriod(date(2026, 4, 1), date(2026, 4, 30), 100),)
    for certificate, patient, unit in (
        (CERTIFICATE, "p-1", UNIT),
        (replace(CERTIFICATE, id="c-2", periods=april), "p-1", UNIT),
        (replace(CERTIFICATE, id="c-3", periods=april), "p-2", UNIT),
        (replace(CERTIFICATE, id="c-4"), "p-2", PROVIDER),
    ):
        await store.run(partial(keep, certificate, patient, "e-1", unit.value))

    async def found(since: date) -> list[str]:
        of_unit = await store.look(lambda each: each.certificates_of_unit(UNIT.value, since))
        return [stored.certificate.id for _, stored in of_unit]

    assert await found(date(2026, 4, 30)) == ["c-2", "c-1", "c-3"]
    assert await found(date(2026, 5, 1)) == await found(date(2026, 5, 31)) == ["c-2", "c-1"]
    assert await found(date(2026, 6, 1)) == []


# Looking


async def test_a_look_sees_one_state_while_others_write(store: OpenStore) -> None:
    await store.run(partial(keep, CERTIFICATE, "p-1", "e-1", UNIT.value))
    begun, go_on = threading.Event(), threading.Event()

    def work(snapshot: Snapshot) -> list[str]:
        seen = [snapshot.certificates(UNIT.value, "p-1")[0].episode]
        begun.set()
        assert go_on.wait(10)
        return [*seen, snapshot.certificates(UNIT.value, "p-1")[0].episode]

    looking = asyncio.create_task(store.look(work))
    assert await asyncio.to_thread(begun.wait, 10)
    await store.run(partial(keep, CERTIFICATE, "p-1", "e-2", UNIT.value))
    go_on.set()
    assert await looking == ["e-1", "e-1"]
    assert await store.look(lambda each: each.certificates(UNIT.value, "p-1")[0].episode) == "e-2"


async def test_a_look_that_fails_ends_and_the_next_sees_anew(store: OpenStore) -> None:
    def fail(snapshot: Snapshot) -> NoReturn:
        assert snapshot.certificates_of_unit(UNIT.value, date.min) == []
        raise Conflict("no")

    with pytest.raises(Conflict):
        await store.look(fail)
    await store.run(partial(keep, CERTIFICATE, "p-1", "e-1", UNIT.value))
    for _ in range(5):
        assert len(await store.look(lambda each: each.certificates_of_unit(UNIT.value, date.min))) == 1


# Secrets


async def test_a_secret_is_made_once(open_it: Open, tmp_path: Path) -> None:
    store = open_it(tmp_path, StillClock())
    made = await asyncio.gather(*(store.secret("pages") for _ in range(5)))
    other = await store.secret("other")
    store.close()
    store = open_it(tmp_path, StillClock())
    assert {*made, await store.secret("pages")} == {made[0]}
    assert (len(made[0]), other == made[0]) == (32, False)
    store.close()


# Load


async def test_readers_never_wait_for_writers(store: OpenStore) -> None:
    await save(store, procedure(), "a")
    with busy(store):
        assert store.read("Procedure", "a") is not None
        assert await rows(store, tables.resource) == 1


async def test_every_version_is_whole_whoever_reads(store: OpenStore) -> None:
    """Reads between the versions of a busy record: each has the body of its own version."""
    await save(store, procedure(), "a")
    writing = asyncio.ensure_future(_write_versions(store, 60))
    for number in count():
        record = store.read("Procedure", "a")
        assert record is not None
        assert orjson.loads(record.body)["meta"]["versionId"] == str(record.version)
        await asyncio.sleep(0)
        if writing.done() and number > 60:
            break
    await writing
    assert [each.record.version for each in store.versions("Procedure", "a")] == list(range(61, 0, -1))


async def _write_versions(store: Store, number: int) -> None:
    for each in range(number):
        await save(store, procedure(note=[{"text": "x" * each}]), "a")
