"""May this unit tell X Y for Z today? The answer of the consent rules, kept with all that it was made from."""

from collections.abc import Sequence

from contracts.asking import Asked
from contracts.consent import (
    BlockAnswer,
    BlockQuestion,
    DecisionRecord,
    InformationSource,
    Question,
    StatedGround,
)
from contracts.people import Party
from contracts.ports import BlockSource, Store, Transaction
from contracts.record import Access, AccessAction, Caller
from fhir_mappings.people import PartyOf
from service.usecases.context import Context
from service.usecases.deciding import belongs_to, decide, ground_for, party_finder, registered_patient


async def blocks_on(
    store: Store, source: BlockSource, caller: Caller, patient: str, sources: Sequence[InformationSource]
) -> BlockAnswer:
    """What the block service says of what others know of the patient. Without a national number nobody can be asked about:
    that is no answer."""
    others = tuple(each for each in sources if each.unit != caller.unit)
    if not others:
        return BlockAnswer.NOT_ASKED
    known, at = await store.run(lambda transaction: (registered_patient(transaction, patient), transaction.at))
    if known is None or known.person is None:
        return BlockAnswer.NO_ANSWER
    return await source.ask(BlockQuestion(caller.employee, caller.unit, caller.provider, known.person, others, at))


def answer(
    transaction: Transaction, context: Context, caller: Caller, patient: str, asked: Asked, blocks: BlockAnswer
) -> tuple[int, DecisionRecord]:
    """The answer and its number. ``patient`` is empty for somebody whom nobody has named here: then nothing is on record,
    and nothing is written; the number is 0."""
    kept = decide(transaction, _question(transaction, caller, patient, asked, blocks), context.region)
    if not patient:
        return 0, kept
    number = transaction.keep_decision(kept, f"Patient/{patient}")
    transaction.log_access(Access(caller, AccessAction.READ, patient, f"Patient/{patient}", "consent-decision"))
    return number, kept


def _question(transaction: Transaction, caller: Caller, patient: str, asked: Asked, blocks: BlockAnswer) -> Question:
    recipient = asked.recipient.as_recipient()
    known = registered_patient(transaction, patient) if patient else None
    stated = StatedGround(caller.employee, transaction.at, asked.why, asked.request)
    return Question(
        patient=patient,
        unit=caller.unit,
        recipient=recipient,
        categories=asked.categories,
        purpose=asked.purpose,
        at=transaction.at,
        direction=asked.direction,
        basis=asked.basis or ground_for(recipient),
        protected_identity=known is not None and known.protected,
        same_provider=belongs_to(caller.provider, recipient),
        public_provider=caller.provider_is_public,
        sources=asked.sources,
        blocks=blocks,
        ground=stated if asked.why or asked.request else None,
        asked_by=caller.employee,
    )


def parties_seen(transaction: Transaction, caller: Caller) -> PartyOf:
    """Finds the organisations that the caller may see; another provider's are told like none."""
    find = party_finder(transaction)

    def seen(reference: str) -> Party | None:
        record = transaction.read("Organization", reference.partition("/")[2])
        return find(reference) if record is not None and caller.may_see(record.unit) else None

    return seen
