"""No answer in time: that becomes visible to the coordinator. Care may not remind Försäkringskassan (PAMINN is not care's to
write): it is a person on the unit who is reminded (forsakringskassan.md §§ 1.5, 6.5)."""

from dataclasses import replace
from typing import Final

from contracts.dialogue import Standing
from contracts.ports import Transaction
from contracts.time import swedish_day
from service.rules import dialogue as rules
from service.rules.dialogue import Happened
from service.usecases import follow_dialogue
from service.usecases.context import Context

BATCH: Final = 100
"""Dialogues of one transaction."""


def remind(transaction: Transaction, context: Context) -> int:
    """Move every dialogue whose last day for an answer has passed; how many, at most ``BATCH``. Theirs become overdue, and a
    question that the unit has not answered in time becomes urgent."""
    today = swedish_day(transaction.at)
    due = [task for standing in _WAITING for task in transaction.answers_due(standing, today, BATCH)][:BATCH]
    for task in due:
        dialogue = follow_dialogue.read(task)
        standing = rules.after(dialogue.standing, Happened.ANSWER_DUE)
        news = replace(dialogue, standing=standing, urgent=True)
        follow_dialogue.move(transaction, context, follow_dialogue.service_of(context, dialogue.unit), task, news)
    return len(due)


_WAITING: Final = (Standing.INFORMED, Standing.TO_ANSWER)
