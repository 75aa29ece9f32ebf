"""Passwords: which will do, and that nobody's takes as long as somebody's."""

from time import thread_time

import pytest
from argon2 import PasswordHasher

from carbon_credits.core.errors import Invalid
from carbon_credits.staff import passwords


@pytest.mark.parametrize(
    "password",
    [
        "short-one",
        "x" * 129,
        "aaaaaaaaaaaa",
        "abababababab",
        "234567890123",
        "qwertyuiopas",
        "Password1234",
        "ＰａｓｓＷｏｒｄ1234",
        "administrator!!",
        "20261129081000",
        "陈晓的密码从不告诉别人",
        "Chancheng2026!",
    ],
)
def test_what_is_guessed_first_will_not_do(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.judge(password, "陈晓")
    assert [fault.pointer for fault in refused.value.faults] == ["/password"]


@pytest.mark.parametrize(
    "password", ["此情可待成追忆只是当时已惘然", "correct horse battery", "k7$wPz!m2Qd9"]
)
def test_length_is_enough_and_no_mixture_is_forced(password: str) -> None:
    passwords.judge(password, "陈晓")


def test_a_password_is_right_however_the_keyboard_writes_it() -> None:
    kept = passwords.hash_of("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passwords.is_right(kept, "ｃｏｒｒｅｃｔ horse battery")
    assert not passwords.is_right(kept, "correct horse batterx")
    assert not passwords.is_right(None, "nobody's")
    assert not passwords.is_right("$argon2id$broken", "correct horse battery")


def test_nobodys_password_takes_as_long_as_somebodys() -> None:
    kept = passwords.hash_of("correct horse battery")
    passwords.is_right(None, "warm")

    def taken(hashed: str | None) -> float:
        """Seconds of this thread: what others do on the machine is not counted."""
        began = thread_time()
        passwords.is_right(hashed, "wrong horse battery")
        return thread_time() - began

    pairs = [(taken(None), taken(kept)) for _ in range(4)]
    assert 0.5 < min(nobodys for nobodys, _ in pairs) / min(somebodys for _, somebodys in pairs) < 2


def test_a_hash_of_other_parameters_is_stale() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("correct horse battery")
    assert passwords.is_stale(old)
    assert passwords.is_right(old, "correct horse battery")
    assert not passwords.is_stale(passwords.hash_of("correct horse battery"))
