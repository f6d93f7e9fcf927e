"""May this unit tell X Y for Z today? The answer of the consent rules, kept with all that it was made from."""

from collections.abc import Iterator, Sequence

from contracts.asking import Asked
from contracts.consent import (
    BlockAnswer,
    BlockQuestion,
    DecisionRecord,
    InformationSource,
    Question,
    StatedGround,
)
from contracts.errors import Invalid, Issue, IssueType
from contracts.people import Party
from contracts.ports import BlockSource, Store, Transaction
from contracts.record import Access, AccessAction, Caller
from fhir_mappings.identifiers import HSA_ID, ORGANISATION_NUMBER
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
    _refuse_other_kind(transaction, caller, asked.recipient)
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


def _refuse_other_kind(transaction: Transaction, caller: Caller, party: Party) -> None:
    """Which rules apply is for the record to say, where it knows the party. Raises ``Invalid``."""
    known = {each.stated_kind for each in _stored(transaction, caller, party)} - {None}
    if party.stated_kind is not None and known and party.stated_kind not in known:
        text = "the organisation stored here is another kind of party: ask about it as that"
        raise Invalid(Issue(IssueType.BUSINESS_RULE, text, rule="party-kind"))


def _stored(transaction: Transaction, caller: Caller, party: Party) -> Iterator[Party]:
    """What the care provider's record holds under the party's reference and its numbers. Record systems write the hyphen of
    an organisation number or not."""
    find = party_finder(transaction)
    digits = "" if party.organisation is None else party.organisation.value
    numbers = [(ORGANISATION_NUMBER, digits), (ORGANISATION_NUMBER, f"{digits[:6]}-{digits[6:]}")] if digits else []
    known = [*numbers, *([] if party.hsa_id is None else [(HSA_ID, party.hsa_id.value)])]
    found = (
        record.reference
        for system, number in known
        for record in transaction.by_token("Organization", "identifier", system.fhir, number, caller.provider.value)
    )
    for reference in {*found, party.reference} - {""}:
        stored = find(reference)
        if stored is not None:
            yield stored


def parties_seen(transaction: Transaction, caller: Caller) -> PartyOf:
    """Finds the organisations that the caller may see; another provider's are told like none."""
    find = party_finder(transaction)

    def seen(reference: str) -> Party | None:
        record = transaction.read("Organization", reference.partition("/")[2])
        return find(reference) if record is not None and caller.may_see(record) else None

    return seen
