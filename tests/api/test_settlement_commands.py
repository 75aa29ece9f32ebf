"""What operators type to have merchants paid: statements, two people, a file for the bank, its answer, the report."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs import surroundings
from carbon_credits.jobs.settlement import about_bank, between_bank
from carbon_credits.rewards import settlement
from carbon_credits.rewards.payment_contract import Ways
from carbon_credits.staff.service import Role, add
from integrations.bank_file import BankFile, BankTable
from tests.api.test_case_commands import typed
from tests.factories.redemptions import an_offer
from tests.factories.rewards import a_merchant
from tests.rewards.test_bank_file import an_answer
from tests.rewards.till_ground import Shop, take


@pytest.fixture
def paying(app: Flask) -> Iterator[Flask]:
    """The application with a file for the bank."""
    before = app.config[surroundings.WAYS]
    app.config[surroundings.WAYS] = Ways({"bank": BankFile(about_bank, between_bank)}, BankTable())
    yield app
    app.config[surroundings.WAYS] = before


def test_a_day_is_settled_and_paid_by_commands(paying: Flask, vault: Vault, tmp_path: Path) -> None:
    day = settlement.last_day(clock.now())
    with paying.app_context(), transaction() as session:
        for name in ("账", "审"):
            add(session, name, [Role.FINANCE], by="tests")
        for _ in range(2):
            merchant = a_merchant(session, vault)
            take(session, Shop(merchant, an_offer(session, merchant), 100, 0, None), day, 2)
    assert "made 2 settlements" in typed(paying, "settlements", "make")
    assert typed(paying, "settlements", "list", "--state", "frozen").count(str(day)) == 2
    typed(paying, "settlements", "propose", "--day", day, "--reason", "the day", "--as", "账")
    with paying.app_context(), transaction() as session:
        number = session.execute(text("select max(approval_id) from approval")).scalar_one()
        first = session.execute(text("select min(settlement_id) from settlement")).scalar_one()
    assert "wrong_person" in typed(paying, "approvals", "approve", number, "--as", "账", fails=True)
    typed(paying, "approvals", "approve", number, "--as", "审")
    typed(paying, "settlements", "pay")
    target, answer = tmp_path / "pay.csv", tmp_path / "answer.csv"
    said = typed(paying, "settlements", "bank-file", target, "--as", "账")
    number = said.partition("/ file ")[2].partition(":")[0]
    rows = list(csv.reader(io.StringIO(target.read_bytes().decode("gb18030"), newline="")))
    # the number that was sealed stands in the file, whole and as text
    assert all(
        row[1].startswith("佛山市禅城区三友饭店") and row[2].startswith("\t4400") for row in rows[1:-1]
    )
    assert oct(target.stat().st_mode & 0o777) == "0o600"
    again = tmp_path / "again.csv"
    typed(paying, "settlements", "bank-file", again, "--again", number, "--as", "审")
    assert again.read_bytes() == target.read_bytes()
    answer.write_bytes(an_answer(*((f"S{n}", "成功", row[6], row[4]) for n, row in enumerate(rows[1:-1]))))
    assert "2 new lines" in typed(paying, "settlements", "bank-answer", answer, "--as", "账")
    assert "0 new lines" in typed(paying, "settlements", "bank-answer", answer, "--as", "账")
    shown = typed(paying, "settlements", "show", first)
    assert "bank reconciled" in shown
    assert "is what was frozen" in shown
    today = clock.today()
    told = typed(
        paying, "settlements", "report", "--rail", "bank", "--from", day, "--to", today + timedelta(days=1)
    )
    assert "unexplained                 0" in told
    assert "not_failed" in typed(paying, "settlements", "retry", first, "--as", "账", fails=True)
