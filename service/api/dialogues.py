"""Dialogues with other parties for systems without FHIR: which there are, what was said, and what people do with them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query

from contracts.dialogue import Standing
from contracts.ports import Snapshot, Store, Transaction
from contracts.record import Access, AccessAction, Caller, Record
from fhir_mappings import dialogue_task
from fhir_mappings.document import decode
from fhir_mappings.identifiers import CONVERSATION_ID, DIALOGUE_STATE
from fhir_mappings.primitives import Json, instant
from service.api import dialogue_models as models
from service.api.dialogue_models import PatientId
from service.rules import dialogue as rules
from service.usecases import attend_dialogue, follow_dialogue, sort_message
from service.usecases.attend_dialogue import Heard, Reading
from service.usecases.context import Context
from service.usecases.keeping import visible

LIST: Final = 500
"""Dialogues of one answer."""


def dialogue_routes(app: FastAPI, store: Store, context: Context, reader: Any, author: Any) -> None:
    """Every route below ``/dialogues``. ``reader`` and ``author`` are FastAPI's dependencies on the caller's rights."""

    @app.get("/dialogues")
    async def get_dialogues(
        asked: Annotated[models.DialogueQuery, Query()], caller: Caller = reader
    ) -> list[models.DialogueOut]:
        """The unit's open dialogues, what is urgent first, then the longest standing. None of what was said."""
        return await store.run(lambda transaction: _listed(transaction, caller, asked))

    @app.get("/unsorted-messages")
    async def get_unsorted(caller: Caller = reader) -> list[models.UnsortedOut]:
        """What has come to the unit without saying whom it is about."""
        return await store.run(
            lambda transaction: [_unsorted(each) for each in sort_message.unsorted(transaction, caller)]
        )

    @app.post("/unsorted-messages/{id}/patient")
    async def post_patient(id: str, given: PatientId, caller: Caller = author) -> models.DialogueOut:
        """Say whom it is about: its dialogue begins."""
        return await store.run(
            _shown(lambda transaction: sort_message.sort(transaction, context, caller, id, given.id))
        )

    @app.get("/dialogues/{id}")
    async def get_dialogue(id: str, caller: Caller = reader) -> models.OneDialogueOut:
        """One dialogue, with everything that has been said in it, and what has not been sent."""
        return await store.run(lambda transaction: _one(transaction, context, caller, id))

    @app.post("/dialogues/{id}/steps")
    async def post_step(id: str, given: models.StepIn, caller: Caller = author) -> models.DialogueOut:
        """Say where the dialogue stands now: the patient was asked, has refused; the dialogue is over."""
        return await store.run(
            _shown(lambda transaction: attend_dialogue.step(transaction, context, caller, id, given.to, given.why))
        )

    @app.post("/dialogues/{id}/answer")
    async def post_answer(id: str, given: models.AnswerIn, caller: Caller = author) -> models.DialogueOut:
        """Say what the other party's answer means; with ``heard``, register one that came by telephone or letter."""
        return await store.run(
            _shown(lambda transaction: attend_dialogue.read_answer(transaction, context, caller, id, _reading(given)))
        )

    @app.post("/dialogues/{id}/approve")
    async def post_approve(id: str, caller: Caller = author) -> models.DialogueOut:
        """Let a message be sent that somebody was to read first."""
        return await store.run(_shown(lambda transaction: attend_dialogue.approve(transaction, context, caller, id)))

    @app.post("/dialogues/{id}/channel")
    async def post_channel(id: str, given: models.ChannelIn, caller: Caller = author) -> models.DialogueOut:
        """Send what could not be sent by another way."""
        return await store.run(
            _shown(lambda transaction: attend_dialogue.choose(transaction, context, caller, id, given.channel))
        )

    @app.post("/dialogues/{id}/told")
    async def post_told(id: str, given: models.ToldIn, caller: Caller = author) -> models.DialogueOut:
        """A person has told the other party, by telephone for instance; with what it answered at once."""

        def story(transaction: Transaction) -> Record:
            told = attend_dialogue.tell(transaction, context, caller, id, given.mode)
            if given.answer is None:
                return told
            return attend_dialogue.read_answer(transaction, context, caller, id, _reading(given.answer))

        return await store.run(_shown(story))


def _shown(story: Callable[[Transaction], Record]) -> Callable[[Transaction], models.DialogueOut]:
    return lambda transaction: _out(story(transaction))


def _reading(given: models.AnswerIn) -> Reading:
    heard = None if given.heard is None else Heard(given.heard.mode, given.heard.at, given.heard.text)
    return Reading(given.says, given.reason, given.officer, given.next_step, given.follow_up, given.plan, heard=heard)


# ---- What is shown -----------------------------------------------------------------------------------------------


def of_unit(snapshot: Snapshot, caller: Caller, standings: Sequence[Standing], patient: str = "") -> list[Record]:
    """The caller's unit's dialogues at those standings, of one patient or of all: what is urgent first, then by when they
    last moved."""
    found = [
        task
        for standing in standings
        for task in snapshot.by_token("Task", "business-status", DIALOGUE_STATE, standing.value, caller.unit.value)
        if patient in ("", task.patient) and dialogue_task.is_dialogue(decode(task.body).content)
    ]
    return sorted(found, key=lambda task: (not follow_dialogue.read(task).urgent, task.updated))[:LIST]


def _listed(transaction: Transaction, caller: Caller, asked: models.DialogueQuery) -> list[models.DialogueOut]:
    wanted = rules.ATTENTION if asked.attention else frozenset(Standing) - rules.OVER
    standings = [each for each in Standing if each in wanted and asked.state in (None, each)]
    if asked.patient is not None:
        visible(transaction, caller, "Patient", asked.patient)
    tasks = of_unit(transaction, caller, standings, asked.patient or "")
    for task in tasks:
        transaction.log_access(_seen(caller, task, "dialogue-list"))
    return [_out(task) for task in tasks]


def _one(transaction: Transaction, context: Context, caller: Caller, id: str) -> models.OneDialogueOut:
    found = attend_dialogue.opened(transaction, caller, id)
    transaction.log_access(_seen(caller, found.task, "dialogue-read"))
    conversation = found.dialogue.conversation
    said = transaction.by_token("Communication", "identifier", CONVERSATION_ID, conversation, caller.unit.value)
    shown = None
    if found.unsent is not None:
        preview = attend_dialogue.preview(transaction, context, caller, id)
        shown = models.UnsentOut(
            text=preview.text,
            channel=preview.channel,
            state=preview.state.value,
            refused=preview.refused,
            ways=tuple(models.WayOut(channel=w.channel, usable=w.usable, reason=w.reason) for w in preview.ways),
        )
    return models.OneDialogueOut(
        **_out(found.task).model_dump(),
        messages=tuple(_letter(each) for each in said),
        said=tuple(
            models.SaidOut(what=each.output, value=str(each.value))
            for each in dialogue_task.said(decode(found.task.body).content)
        ),
        unsent=shown,
    )


def _letter(record: Record) -> models.LetterOut:
    content = decode(record.body).content
    at = content.get("received") or content.get("sent")
    return models.LetterOut(
        resource=record.reference,
        direction="received" if "received" in content else "sent",
        at=None if at is None else instant(at),
        texts=tuple(each["contentString"] for each in content.get("payload", ()) if "contentString" in each),
        attachments=tuple(_attachment(each) for each in content.get("payload", ()) if "contentAttachment" in each),
    )


def _unsorted(record: Record) -> models.UnsortedOut:
    content = decode(record.body).content
    sender: Json = content.get("sender", {})
    name = sender.get("display") or sender.get("identifier", {}).get("value", "")
    return models.UnsortedOut(**_letter(record).model_dump(), sender=str(name))


def _attachment(payload: Json) -> str:
    return str(payload["contentAttachment"].get("url", ""))


def _out(task: Record) -> models.DialogueOut:
    dialogue = follow_dialogue.read(task)
    return models.DialogueOut(
        id=task.id,
        version=task.version,
        patient=dialogue.patient,
        conversation=dialogue.conversation,
        topic=dialogue.topic,
        party=models.OtherParty(kind=dialogue.party.kind, number=dialogue.party.party),
        state=dialogue.standing,
        reason=dialogue.reason,
        attention=dialogue.urgent or dialogue.standing in rules.ATTENTION,
        urgent=dialogue.urgent,
        due=dialogue.due,
        begun=dialogue.begun,
        begun_by_them=dialogue.begun_by_them,
        about=dialogue.focus,
    )


def _seen(caller: Caller, task: Record, interaction: str) -> Access:
    return Access(caller, AccessAction.READ, task.patient, task.reference, interaction)
