"""Sessions: whose they are, and until when."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from contracts.errors import Unauthenticated
from contracts.identity import HsaId
from contracts.record import Caller
from service.clock import MovableClock, Uuid7
from service.console.sessions import LIFETIME, Sessions
from service.security import Clients, token_hash

WHO = Caller(
    HsaId("TSTNMT2321000156-P0001"), "m", HsaId("TSTNMT2321000156-E0001"), HsaId("TSTNMT2321000156-S0001"), frozenset()
)


@dataclass
class House:
    clock: MovableClock = field(default_factory=MovableClock)
    key: Fernet = field(default_factory=lambda: Fernet(Fernet.generate_key()))

    def sessions(self, *tokens: str) -> Sessions:
        return Sessions(Clients(dict.fromkeys(map(token_hash, tokens), WHO)), self.key, self.clock, Uuid7())


def test_a_session_is_its_callers_with_the_id_of_the_request() -> None:
    sessions = House().sessions("t")
    caller = sessions.caller(sessions.begin(" t "), "r-1")
    assert (caller.employee, caller.request_id) == (WHO.employee, "r-1")


def test_it_lives_for_a_working_day() -> None:
    house = House()
    sessions = house.sessions("t")
    cookie = sessions.begin("t")
    house.clock.advance(LIFETIME - timedelta(seconds=1))
    assert sessions.caller(cookie, "")
    house.clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        sessions.caller(cookie, "")


def test_a_client_who_is_taken_away_is_out_at_once() -> None:
    house = House()
    cookie = house.sessions("t", "u").begin("t")
    assert house.sessions("t").caller(cookie, "")
    with pytest.raises(Unauthenticated):
        house.sessions("u").caller(cookie, "")


def test_an_ended_session_is_over_and_no_other() -> None:
    sessions = House().sessions("t")
    one, other = sessions.begin("t"), sessions.begin("t")
    sessions.end(one)
    with pytest.raises(Unauthenticated):
        sessions.caller(one, "")
    assert sessions.caller(other, "")


def test_ended_ones_are_forgotten_when_they_would_be_over_anyway() -> None:
    house = House()
    sessions = house.sessions("t")
    sessions.end(sessions.begin("t"))
    house.clock.advance(LIFETIME)
    sessions.end(sessions.begin("t"))
    assert len(sessions.ended) == 1


def test_another_installations_cookie_is_nobodys() -> None:
    cookie = House().sessions("t").begin("t")
    with pytest.raises(Unauthenticated):
        House().sessions("t").caller(cookie, "")


def test_an_unknown_token_begins_nothing() -> None:
    with pytest.raises(Unauthenticated):
        House().sessions("t").begin("u")
