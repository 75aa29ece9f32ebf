"""A district with something on every desk, for the pages that show it; some names are markup, some are formulas."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.i18n import Text
from carbon_credits.groups import drive_requests, drives, figures
from carbon_credits.groups.service import GroupKind
from carbon_credits.incentives import lifecycle
from carbon_credits.ledger import funds
from carbon_credits.programme import service as programme
from carbon_credits.rewards import coverage, merchants, offers
from carbon_credits.rewards.settlement import make_next
from tests.factories.groups import a_group, founded, some_residents
from tests.factories.incentives import a_bank, put_in_force, some_terms
from tests.factories.programme import a_cap, a_rate, approved, two_staff
from tests.factories.redemptions import an_offer
from tests.factories.rewards import (
    a_draft,
    a_member_of,
    a_merchant,
    a_point_value,
    a_purse,
    a_till,
    an_application,
)
from tests.factories.staff import a_member
from tests.rewards.till_ground import Shop, take

MARKUP = "<b onclick=alert(1)>三友</b>"
FORMULA = "=HYPERLINK(1)"
NAMES = Text(MARKUP, FORMULA)


@dataclass(frozen=True)
class Ground:
    """What lies on the desks, by number or code."""

    fund: int
    applied: str
    active: str
    merchant_id: int
    put_forward: int
    live: int
    settlements: tuple[int, ...]
    day: str
    draft: int
    programme: int
    estate: int
    hub: int
    application: int
    purse: str
    asked: int


def laid(app: Flask, vault: Vault, by: int | None = None) -> Ground:
    """Lay it; `by` put the estate forward for the drive of communities, with everything met but one document."""
    with app.app_context(), transaction() as session:
        people = two_staff(session)
        fund = funds.create_fund(session, "base", MARKUP, FORMULA)
        a_point_value(session)
        payload = {"fund_id": fund, "points": 5_000_000, "amount_fen": 60_000}
        funds.deposit(session, fund, 5_000_000, 60_000, approved(session, people, "fund.deposit", payload))
        a_rate(session, people, fund, "A", points_per_mg="0.00005")
        a_cap(session, people, "travel.walking", "count", 4)
        a_cap(session, people, programme.EVERYTHING, "points", 200)
        coverage.read(session, clock.now())
        applied = merchants.apply(session, vault, an_application(names=NAMES), clock.now()).code
        active = a_merchant(session, vault, names=Text("陶都小馆", "Pottery Kitchen"))
        a_till(session, vault, active)
        a_member_of(session, vault, active)
        purse = a_purse(session, 500_000)
        live = an_offer(session, active, points=10, subsidy_fen=0)
        waiting = offers.draft(session, active, a_draft(title=NAMES), clock.now()).offer_id
        offers.put_forward(session, active, waiting)
        code = merchants.merchant(session, active).code
        a_bank(session, vault)
        in_force = put_in_force(session).id
        draft = lifecycle.draft(session, some_terms(code="green_card", name=NAMES._asdict()), people[0]).id
        estate, hub, application = _groups(session, by or people[0])
        asked = _asked(session, vault)
    settled = _settled(app, active, live)
    day = (clock.today() - timedelta(days=1)).isoformat()
    return Ground(
        *(fund, applied, code, active, waiting, live, settled, day),
        *(draft, in_force, estate, hub, application, purse, asked),
    )


def _groups(session: Session, by: int) -> tuple[int, int, int]:
    now = clock.now()
    estate = a_group(session, now, names=NAMES, street="zumiao")
    hub = a_group(session, now, GroupKind.HUB, names=Text("岭南大道枢纽", "Lingnan Avenue hub"), listed=False)
    row = {"members": 200, "active": 60, "people": 1_000, "mg": 8_000_000_000, "group": estate}
    session.execute(
        text("""insert into group_month (group_id, month, members, active, people, verified_mg, claimed_mg, removal_mg,
                                         travel_mg, recycling_mg, computed_on)
                values (:group, :month, :members, :active, :people, :mg, 0, 0, 0, :mg, :today)"""),
        {**row, "month": figures.last_month(clock.today()), "today": clock.today()},
    )
    for statement in (
        "insert into hub_month values (:group, :month, 23, 61, 12345, sha256(''))",
        "insert into hub_month_part values (:group, :month, 1, 23, 61)",
    ):
        session.execute(text(statement), {"group": hub, "month": figures.last_month(clock.today())})
    made = drives.apply(session, "community", estate, clock.today().year, by, now)
    return estate, hub, made.application_id


def _asked(session: Session, vault: Vault) -> int:
    """The request of a household to be put forward as a green family."""
    (founder,) = some_residents(session, vault, 1, clock.now())
    home = founded(session, founder, clock.now())
    return drive_requests.ask(session, "family", home, founder, clock.now())[0].request_id


def _settled(app: Flask, merchant_id: int, offer_id: int) -> tuple[int, ...]:
    """Statements of the last two days."""
    made: list[int] = []
    for days_ago, many in ((2, 3), (1, 12)):
        day = clock.today() - timedelta(days=days_ago)
        with app.app_context(), transaction() as session:
            take(session, Shop(merchant_id, offer_id, 10, 0, None), day, many, undone=1)
        with app.app_context(), transaction() as session:
            # as if it were the day after that day, an hour past its rest
            made += make_next(session, clock.now() - timedelta(days=days_ago - 1) + timedelta(hours=1))
    return tuple(made)


def reviewed(session: Session, application: int) -> None:
    """Every criterion met, and recommended by somebody else."""
    paper = drives.Declared(True, "案卷 7 / file 7", b"\1" * 32)
    known = drives.application(session, application)
    for line in drives.checklist(session, known):
        if line.criterion.filled == "declared":
            drives.declare(session, application, line.criterion.code, paper, known.made_by)
    drives.review(session, application, a_member(session), "资料齐全", recommend=True)
