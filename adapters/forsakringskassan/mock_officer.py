"""Försäkringskassan's officer: a case worker (``adapters.mocking.casework``) who writes SendMessageToCare.

Scripts are data: ``officer_scripts.toml``. What the officer sends stands in the counterpart's ledger as ``out``. A message
that does not arrive is sent again an hour later, three times, with the same id; one that care refuses for good is not.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, TypeAdapter

from adapters import soap
from adapters.forsakringskassan import inbound, mock_letter
from adapters.forsakringskassan.mock_letter import Letter
from adapters.forsakringskassan.mock_rules import Incoming
from adapters.mocking import NAMESPACE_HEADER, Counterpart, Entry, Room, casework
from adapters.mocking.casework import Carried, Case, CaseWorker, Model, Script, Sent
from adapters.mocking.courier import Reply
from adapters.mocking.ledger import KEPT_OF_ANSWER, masked
from contracts.time import swedish_day


class Complement(Model):
    """A question of the certificate, by its number, and what is missing there."""

    question: str = Field(pattern=r"^\d+$")
    text: str


class Step(casework.Step):
    """One message of a script, with the ``subject`` of a question of the officer's own."""

    subject: Literal["", "AVSTMN", "KONTKT", "OVRIGT", "KOMPLT", "PAMINN"] = ""
    complements: tuple[Complement, ...] = ()


SCRIPTS: Final[Mapping[str, Script[Step]]] = TypeAdapter(dict[str, Script[Step]]).validate_python(
    tomllib.loads((Path(__file__).parent / "officer_scripts.toml").read_text(encoding="utf-8"))
)


class Orders(casework.Orders):
    """How the officer works in a namespace. ``deliverTo``: the full address that takes SendMessageToCare; empty, and
    nothing arrives anywhere. ``token`` goes with it as a bearer token, where the receiver wants one: it is for nobody to
    read. ``script``: what is done with a question; ``bySubject`` instead of it, by the question's subject. Test persons have
    scripts of their own."""

    deliver_to: str = Field(default="", pattern=r"^(https?://.+)?$")
    token: str = Field(default="", repr=False, exclude=True)


class Officer(CaseWorker[Incoming, Step, Letter, Orders]):
    """The officer of a counterpart."""

    again_after = timedelta(hours=1)

    def __init__(self, counterpart: Counterpart) -> None:
        super().__init__(counterpart, "Försäkringskassan", SCRIPTS, Orders())

    def instruct(self, orders: Orders, namespace: str = "") -> None:
        """See ``CaseWorker.instruct``. A token that is left out stays as it was."""
        if "token" not in orders.model_fields_set:
            token = self.orders(self._counterpart.room(namespace)).token
            orders = orders.model_copy(update={"token": token})
        super().instruct(orders, namespace)

    def about(self, question: Incoming) -> dict[str, Any]:
        """See ``CaseWorker.about``."""
        return {"certificate": question.certificate, "unit": question.sender_unit}

    def _written(
        self, case: Case[Incoming, Letter], id: str, step: Step, reminded: Sent[Letter] | None, at: datetime
    ) -> Letter:
        asked = case.question
        last_day = None if step.answer_within is None else swedish_day(at) + timedelta(days=step.answer_within)
        return Letter(
            id=id,
            sent=at,
            certificate=(asked.certificate_unit, asked.certificate),
            patient=(asked.patient_root, asked.patient),
            unit=asked.sender_unit,
            subject=asked.subject if step.answers else "PAMINN" if reminded else step.subject or asked.subject,
            text=step.text,
            reference=f"FK-{case.number}",
            reminder_of=reminded.letter.id if reminded else "",
            answer_to=asked.id if step.answers else "",
            answer_reference=asked.reference if step.answers else "",
            complements=tuple((each.question, each.text) for each in step.complements),
            answer_before=last_day,
        )

    async def _carried(self, room: Room, letter: Letter, at: datetime) -> Carried:
        body = mock_letter.written(letter)
        headers = soap.headers(inbound.ACTION) | {NAMESPACE_HEADER: room.namespace}
        room.remembered("messages")[letter.id] = letter.subject
        orders = self.orders(room)
        if orders.token:
            headers["Authorization"] = f"Bearer {orders.token}"
        reply = (
            await self._counterpart.around.courier.post(orders.deliver_to, body, headers)
            if orders.deliver_to
            else Reply(0, trouble="no address is set")
        )
        became, told = mock_letter.became(reply.status, reply.body) if reply.status else ("failed", reply.trouble)
        entry = _entry(letter, at, body, headers, reply)
        if became != "delivered":
            entry = replace(entry, accepted=False, report=(*entry.report, told))
        return Carried(entry, told, again=bool(orders.deliver_to) and became == "failed")


def _entry(letter: Letter, at: datetime, body: bytes, headers: dict[str, str], reply: Reply) -> Entry:
    wrong = soap.errors_in(inbound.SCHEMA, reply.body) if reply.status else ()
    return Entry(
        at=at,
        id=letter.id,
        accepted=True,
        raw=body,
        report=(*soap.errors_in(inbound.SCHEMA, body), *(f"answer: {line}" for line in wrong)),
        summary={"subject": letter.subject, "certificate": letter.certificate[1]},
        direction="out",
        method="POST",
        path=inbound.PATH,
        headers=masked(headers.items()),
        size=len(body),
        status=reply.status,
        answer_headers=masked({"content-length": "", **reply.headers}.items()),
        answer=bytearray(reply.body[:KEPT_OF_ANSWER]),
    )
