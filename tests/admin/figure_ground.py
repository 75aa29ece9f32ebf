"""A district whose last year was read, stated and frozen, with money that is tagged, for the pages of figures."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.ledger import funds
from carbon_credits.reporting import evaluation, indicators_official, indicators_readings
from carbon_credits.staff.service import Role, add, by_name
from tests.reporting.years import Told, acts, people

FORMULA = "=HYPERLINK(1)"
TAG: dict[str, Any] = {
    "kind": "green_bond",
    "instrument": "绿色债 01",
    "issuer": "禅城某公司",
    "matures_on": "2029-06-30",
    "document": "募集说明书 p. 12",
}


@dataclass(frozen=True)
class Figures:
    """What lies on the pages, by number; `year` is the last whole one."""

    year: int
    pack: int
    fund: int
    money: int


def laid(app: Flask, vault: Vault) -> Figures:
    """Lay it: streets of forty, of twelve and of three people, who walked and handed in paper."""
    year = clock.today().year - 1
    with app.app_context(), transaction() as session:
        for name in ("提", "批"):
            add(session, name, [Role.PROGRAMME, Role.FINANCE], by="tests")
        told = []
        for street, many in (("zumiao", 40), ("shiwan", 12), ("zhangcha", 3)):
            for place, resident in enumerate(people(session, vault, many, street)):
                on = date(year, 1 + place % 12, 5)
                told.append(Told(resident, "travel.walking", on, monitored='{"distance_m": 1500}'))
                told.append(Told(resident, "recycling.paper", on, monitored='{"mass_g": 2500}'))
        acts(session, told)
        fund = funds.create_fund(session, "base", "<b>基础</b>", FORMULA)
    with app.app_context(), transaction() as session:
        payload = {"fund_id": fund, "points": 1_000, "amount_fen": 500_000, "tag": TAG}
        money = agreed(session, approving.DEPOSIT, payload)
        agreed(session, indicators_official.KIND, official(year))
        for day in (date(year, 4, 1), date(year, 10, 1), indicators_readings.settled_on(year)):
            while indicators_readings.read_due(session, day):
                pass
        pack = evaluation.freeze(session, year, by_name(session, "提").staff_id).pack_id
    return Figures(year, pack, fund, money)


def agreed(session: Session, kind: str, payload: dict[str, Any]) -> int:
    """Two people agree; the number of their approval."""
    made = approving.propose(session, kind, payload, "公布", "提").approval_id
    approving.decide(session, made, "批", approve=True, why="与原件相符")
    return made


def official(year: int) -> dict[str, Any]:
    """What a yearbook says of the nine recyclables; its title is a formula."""
    return {
        "indicator": "recycling.nine_materials",
        "street": None,
        "value": 912_345_500_000,
        "as_of": f"{year}-12-31",
        "source_title": FORMULA,
        "source_address": "https://example.gov.cn/yearbook",
        "source_page": "第 87 页",
    }
