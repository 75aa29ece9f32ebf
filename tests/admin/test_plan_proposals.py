"""Who approves sees what is approved: where an official figure is from, which evaluation, and what money is."""

from flask import Flask

from carbon_credits import approving
from carbon_credits.core import approvals
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import funds, money_tags
from carbon_credits.reporting import evaluation, indicators_official, indicators_readings
from carbon_credits.rewards import fundings, purses
from carbon_credits.staff.service import Role
from tests.admin.conftest import Visits
from tests.admin.test_four_eyes import approve
from tests.reporting.test_indicators import SETTLED, YEAR, a_year
from tests.reporting.test_proceeds import BOND, LOAN, SPECIAL


def test_money_is_seen_for_what_it_is_wherever_it_comes_in(app: Flask, visit: Visits) -> None:
    one, two = visit(Role.FINANCE), visit(Role.FINANCE)
    with app.app_context(), transaction() as session:
        fund = funds.create_fund(session, "green", "绿色资金", "Green money")
        purse = purses.create(session, "topup", "sponsor", Text("贴补", "Top-up"))
        paid = {"fund_id": fund, "points": 100, "amount_fen": 200}
        asked = {"sponsor": "某银行", "purse_id": None, "means": "checkout", **paid}
        numbers = {
            "2029-06-30": approving.propose(
                session, approving.DEPOSIT, paid | {"tag": LOAN}, "到账", one.name
            ),
            "募集说明书": approving.propose(session, fundings.KIND, asked | {"tag": BOND}, "到账", one.name),
            "区专项资金": approving.propose(
                session, purses.PAY_IN, {"purse_id": purse, "amount_fen": 5, "tag": SPECIAL}, "到账", one.name
            ),
            "未标注": approving.propose(session, approving.DEPOSIT, paid, "到账", one.name),
        }
        known = {said: made.approval_id for said, made in numbers.items()}
    for said, number in known.items():
        shown = two.get(f"/approvals/{number}").get_data(as_text=True)
        assert "资金来源" in shown
        assert said in shown
    money = known["2029-06-30"]
    assert approve(app, two, money) == 303
    with app.app_context(), transaction() as session:
        change = {"money_approval": money, "tag": SPECIAL, "reason": "合同更正"}
        number = approving.propose(session, money_tags.RETAG, change, "合同更正", one.name).approval_id
    shown = two.get(f"/approvals/{number}").get_data(as_text=True)
    for said in ("绿色信贷 2026-07", "区专项资金", "合同更正", f"/approvals/{money}"):
        assert said in shown
    assert approve(app, two, number) == 303
    with app.app_context(), transaction() as session:
        assert money_tags.newest(session)[money].kind == "special_fund"


def test_a_bureaus_value_and_a_years_evaluation_are_seen_before_they_stand(
    app: Flask, visit: Visits, vault: Vault
) -> None:
    one, two = visit(Role.PROGRAMME), visit(Role.PROGRAMME)
    value = {
        "indicator": "recycling.nine_materials",
        "street": None,
        "value": 912_000_000_000,
        "as_of": "2025-12-31",
        "source_title": "统计年鉴 <i>",
        "source_address": "https://example.gov.cn/87",
        "source_page": "87",
    }
    with app.app_context(), transaction() as session:
        number = approving.propose(session, indicators_official.KIND, value, "公布", one.name).approval_id
    shown = two.get(f"/approvals/{number}").get_data(as_text=True)
    for said in (
        "九种主要再生资源回收量",
        "912,000 t",
        "912000000000 g",
        "统计年鉴 &lt;i&gt;",
        "https://example.gov.cn/87",
    ):
        assert said in shown
    assert approve(app, two, number) == 303
    with app.app_context(), transaction() as session:
        a_year(session, vault)
        indicators_readings.read_due(session, SETTLED)
        pack = evaluation.freeze(session, YEAR, one.staff_id)
        payload = evaluation.payload_of(session, pack.pack_id)
        final = approvals.propose(session, evaluation.KIND, payload, "审定", one.staff_id).approval_id
        number = pack.pack_id
    shown = two.get(f"/approvals/{final}").get_data(as_text=True)
    assert payload["digest"] in shown
    assert approve(app, two, final) == 303
    with app.app_context(), transaction() as session:
        assert evaluation.pack_of(session, number).state == "final"
