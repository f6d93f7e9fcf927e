"""Dialogues with other parties for systems without FHIR: which there are, what was said, and what people do with them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query

from contracts.dialogue import Dialogue
from contracts.ports import Store, Transaction
from contracts.record import Access, AccessAction, Caller, Record
from service.api import dialogue_models as models
from service.api.dialogue_models import PatientId
from service.rules import dialogue as rules
from service.usecases import attend_dialogue, follow_dialogue, see_dialogues, sort_message
from service.usecases.attend_dialogue import Heard, Preview, Reading
from service.usecases.context import Context
from service.usecases.keeping import visible
from service.usecases.see_dialogues import LIST, Letter, Stray, see_dialogue


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
        strays = await store.look(lambda snapshot: see_dialogues.see_unsorted(snapshot, caller))
        return [_stray(each) for each in strays]

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


def _listed(transaction: Transaction, caller: Caller, asked: models.DialogueQuery) -> list[models.DialogueOut]:
    if asked.patient is not None:
        visible(transaction, caller, "Patient", asked.patient)
    found = [
        task
        for task in see_dialogues.open_on(transaction, caller)
        if asked.patient in (None, task.patient) and _is_wanted(follow_dialogue.read(task), asked)
    ]
    tasks = sorted(found, key=lambda task: (not follow_dialogue.read(task).urgent, task.updated))[:LIST]
    for task in tasks:
        transaction.log_access(Access(caller, AccessAction.READ, task.patient, task.reference, "dialogue-list"))
    return [_out(task) for task in tasks]


def _is_wanted(dialogue: Dialogue, asked: models.DialogueQuery) -> bool:
    return asked.state in (None, dialogue.standing) and (not asked.attention or rules.needs_somebody(dialogue))


def _one(transaction: Transaction, context: Context, caller: Caller, id: str) -> models.OneDialogueOut:
    found = see_dialogue(transaction, context, caller, id)
    return models.OneDialogueOut(
        **_out(found.listed.task).model_dump(),
        messages=tuple(_letter(each) for each in found.letters),
        said=tuple(models.SaidOut(what=each.output, value=str(each.value)) for each in found.said),
        unsent=found.unsent and _unsent(found.unsent),
    )


def _unsent(preview: Preview) -> models.UnsentOut:
    return models.UnsentOut(
        text=preview.text,
        channel=preview.channel,
        state=preview.state.value,
        refused=preview.refused,
        ways=tuple(models.WayOut(channel=w.channel, usable=w.usable, reason=w.reason) for w in preview.ways),
    )


def _letter(letter: Letter) -> models.LetterOut:
    return models.LetterOut(
        resource=letter.resource,
        direction="received" if letter.is_received else "sent",
        at=letter.at,
        texts=letter.texts,
        attachments=tuple(f"Binary/{id}" for id, _ in letter.files),
    )


def _stray(stray: Stray) -> models.UnsortedOut:
    return models.UnsortedOut(**_letter(stray.letter).model_dump(), sender=stray.sender)


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
        attention=rules.needs_somebody(dialogue),
        urgent=dialogue.urgent,
        due=dialogue.due,
        begun=dialogue.begun,
        begun_by_them=dialogue.begun_by_them,
        about=dialogue.focus,
    )
