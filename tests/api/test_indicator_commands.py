"""What staff type about the plan's figures, a year's evaluation, and what money is used for."""

import json
from pathlib import Path

from flask import Flask

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.reporting import indicators_readings
from carbon_credits.staff.service import Role, add
from tests.api.test_case_commands import typed
from tests.reporting.test_indicators import SETTLED, a_year

BOND = ("--tag", "green_bond", "--instrument", "绿色债 01", "--issuer", "某公司", "--document", "募集说明书")


def approve(app: Flask, said: str) -> None:
    typed(app, "approvals", "approve", said.partition("#")[2].split()[0], "--as", "批")


def staff(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        for name in ("提", "批"):
            add(session, name, [Role.PROGRAMME, Role.FINANCE], by="tests")


def test_a_year_from_its_official_values_to_its_papers(app: Flask, vault: Vault, tmp_path: Path) -> None:
    staff(app)
    with app.app_context(), transaction() as session:
        a_year(session, vault)
        while indicators_readings.read_due(session, SETTLED):
            pass
    newer = set(indicators_readings.due(clock.today())) - set(indicators_readings.due(SETTLED))
    source = (
        "--as-of",
        "2025-12-31",
        "--source",
        "统计年鉴",
        "--page",
        "87",
        "--reason",
        "公布",
        "--as",
        "提",
    )
    assert "/indicator" in typed(
        app, "indicators", "propose", "steel.output", "--value", 1, *source, fails=True
    )
    approve(
        app, typed(app, "indicators", "propose", "recycling.nine_materials", "--value", 912 * 10**9, *source)
    )
    assert f"read: {len(newer)}" in typed(app, "indicators", "read")
    assert "read: 0" in typed(app, "indicators", "read")
    listed = typed(app, "indicators", "list", "--year", 2025)
    assert "912,000 t" in listed
    shown = typed(app, "indicators", "show", "recycling.nine_materials", "--year", 2025)
    for words in ("统计年鉴", "提 → 批", "97,500 / 912,000,000,000 = 0 %", "不是 it is not"):
        assert words in shown
    assert "group by which, street, strand" in typed(app, "indicators", "query")
    again = ("indicators", "read", "--again", "2025-12-31")
    assert "--reason" in typed(app, *again, fails=True)
    assert "v2" in typed(app, *again, "--reason", "因子更正", "--as", "提")
    typed(app, "evaluation", "freeze", 2025, "--as", "提")
    pack = typed(app, "evaluation", "list").partition("#")[2].split()[0]
    approve(app, typed(app, "evaluation", "propose", pack, "--reason", "审定", "--as", "提"))
    assert "final" in typed(app, "evaluation", "list")
    sheet = tmp_path / "2025.xlsx"
    typed(app, "evaluation", "write", pack, sheet)
    first = sheet.read_bytes()
    typed(app, "evaluation", "write", pack, sheet)
    assert sheet.read_bytes() == first
    assert "FILE.xlsx" in typed(app, "evaluation", "write", pack, tmp_path / "2025.doc", fails=True)


def test_money_says_what_it_is_and_what_became_of_it(app: Flask) -> None:
    staff(app)
    typed(app, "funds", "create", "green", "--zh", "绿色资金", "--en", "Green money")
    number = typed(app, "funds", "show").split()[0]
    bought = ("funds", "propose-deposit", "--fund", number, "--points", 1_000, "--amount-fen", 2_000)
    said = ("--reason", "到账", "--as", "提")
    assert "--tag" in typed(app, *bought, "--issuer", "某公司", *said, fails=True)
    assert "/tag/matures_on" in typed(app, *bought, *BOND, *said, fails=True)
    told = typed(app, *bought, *BOND, "--matures-on", "2029-06-30", *said)
    money = told.partition("#")[2].split()[0]
    approve(app, told)
    (bond,) = (json.loads(line) for line in typed(app, "proceeds", "report", "--json").splitlines())
    assert (bond["kind"], bond["received_fen"], bond["unallocated_points"]) == ("green_bond", 2_000, 1_000)
    assert "绿色债 01" in typed(app, "proceeds", "report")
    own = ("--tag", "own", "--instrument", "区财政预算", "--issuer", "区财政局", "--document", "预算批复")
    approve(app, typed(app, "proceeds", "propose-tag", money, *own, "--reason", "填错", "--as", "提"))
    tags = typed(app, "proceeds", "tags", money)
    assert tags.splitlines()[0].startswith("v2")
    assert "填错" in tags
    typed(app, "purses", "create", "topup", "--kind", "sponsor", "--zh", "贴补", "--en", "Top-up")
    approve(app, typed(app, "purses", "propose-pay-in", "topup", "--amount-fen", 500, *own, *said))
    (spent,) = (json.loads(line) for line in typed(app, "proceeds", "report", "--json").splitlines())
    assert (spent["kind"], spent["received_fen"], len(spent["top_ups"])) == ("own", 2_500, 1)
