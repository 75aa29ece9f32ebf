"""What operators type about staff: the first administrator, links, roles by two, the end of an account."""

import re
from datetime import timedelta

import pyotp
import pytest
from flask import Flask

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.staff import invitations, sessions
from tests.api.test_case_commands import typed
from tests.factories.staff import PASSWORD


def accept(app: Flask, vault: Vault, said: str) -> int:
    found = re.search(r"/admin/welcome/(\S+)", said)
    assert found is not None
    now = clock.now()
    with app.app_context(), transaction() as session:
        opened = invitations.opened(session, vault, found[1], now)
        shown = pyotp.TOTP(opened.secret).at(now)
        return invitations.accept(session, vault, found[1], PASSWORD, shown, now)[0]


def test_the_first_administrator_invites_by_command_and_roles_take_two(app: Flask, vault: Vault) -> None:
    number = accept(app, vault, typed(app, "staff", "first", "陈晓"))
    assert "administrator_exists" in typed(app, "staff", "first", "李明", fails=True)
    typed(app, "staff", "add", "李明", "--role", "programme")
    accept(app, vault, typed(app, "staff", "invite", "李明"))
    typed(app, "staff", "add", "何街", "--role", "street", "--street", "zumiao")
    wanted = ("staff", "roles", "何街", "--role", "street", "--role", "support", "--street", "shiwan")
    proposed = typed(app, *wanted, "--reason", "moved", "--as", "陈晓")
    approval = re.search(r"#(\d+)", proposed)
    assert approval is not None
    assert "wrong_person" in typed(app, "approvals", "approve", approval[1], "--as", "陈晓", fails=True)
    typed(app, "approvals", "approve", approval[1], "--as", "李明")
    assert "street, support  shiwan" in typed(app, "staff", "list")
    with app.app_context(), transaction() as session:
        sessions.begin(session, vault, number, clock.now(), address="198.51.100.7", agent="Firefox")
    assert "198.51.100.7" in typed(app, "staff", "sessions", "陈晓")
    assert "signed in nowhere" in typed(app, "staff", "sessions", "陈晓", "--end-all")
    typed(app, "staff", "close", "何街", "--reason", "left")
    assert "staff_unknown" in typed(app, "staff", "invite", "何街", fails=True)


@pytest.mark.parametrize("words", [("何街", "--role", "street"), ("何街", "--role", "king")])
def test_a_role_that_cannot_be_is_refused(app: Flask, words: tuple[str, ...]) -> None:
    typed(app, "staff", "add", *words, fails=True)


def test_a_password_is_to_be_changed_and_the_sessions_end(app: Flask, vault: Vault) -> None:
    number = accept(app, vault, typed(app, "staff", "first", "陈晓"))
    with app.app_context(), transaction() as session:
        token = sessions.begin(session, vault, number, clock.now(), address="?", agent="")
    typed(app, "staff", "require-change", "陈晓", "--reason", "seen on a note")
    with app.app_context(), transaction() as session:
        assert sessions.current(session, vault, token, clock.now() + timedelta(seconds=1)) is None
