"""One transfer and one booking, whatever the rail answers; after a definite no again; what comes back is owed again."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta

import jsonschema
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.api.merchant.notices import webhooks
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict
from carbon_credits.jobs.settlement import pay_all, read_statements
from carbon_credits.rewards import (
    hook_deliveries,
    hooks,
    paying,
    payments,
    rail_report,
    settlement_approval,
    take_backs,
)
from carbon_credits.rewards.payment_contract import Instruction, Told, Ways
from carbon_credits.rewards.settlement import make_next
from carbon_credits.rewards.settlement_models import Payment, Settlement
from tests.faults.worker import surrounded
from tests.rewards.rail_server import Fault, LoopbackRail, RailServer, running
from tests.rewards.till_ground import (
    Shop,
    Staff,
    a_shop,
    after,
    an_account,
    an_approval,
    take,
    two_of_finance,
)

DAY = date(2026, 11, 2)
A_LONG_TIME = timedelta(days=400)


@contextmanager
def paid_over(
    session: Session, settings: Settings, server: RailServer, patience_s: float = 5.0
) -> Iterator[LoopbackRail]:
    """A worker that pays over this rail."""
    rail = LoopbackRail(server.port, patience_s)
    with surrounded(settings, Ways({"stripe": rail})):
        yield rail
        # while the worker's application is current, the test's session speaks through its connections
        session.rollback()


@pytest.fixture
def staff(session: Session) -> Staff:
    return two_of_finance(session)


@pytest.fixture
def shop(session: Session, staff: Staff) -> Shop:
    """One merchant with an approved settlement of three captures of 100 points."""
    made = a_shop(session, staff)
    approved(session, staff, made)
    return made


def approved(session: Session, staff: Staff, shop: Shop, day: date = DAY, many: int = 3) -> None:
    """Captures on a day, settled and approved."""
    take(session, shop, day, many)
    settled(session, staff, day)


def settled(session: Session, staff: Staff, day: date) -> None:
    """Make and approve whatever there is until a day."""
    while make_next(session, after(day)):
        pass
    approval = an_approval(session, staff, settlement_approval.KIND)
    session.execute(
        text("update settlement set state = 'approved', approval_id = :approval where state = 'frozen'"),
        {"approval": approval},
    )
    session.commit()


def states(session: Session) -> list[tuple[str, int]]:
    """Each payment's state and attempt, in order."""
    session.rollback()
    rows = session.execute(select(Payment.state, Payment.attempt).order_by(Payment.payment_id))
    return [(row.state, row.attempt) for row in rows]


def unexplained(session: Session) -> int:
    now = clock.now()
    found = rail_report.report(session, "stripe", now - A_LONG_TIME, now + timedelta(minutes=1), now)
    told = dict(rail_report.lines(found))
    closing = told["opening"] + sum(told[name] for name in (*rail_report.NAMES, "fees", "other"))
    assert told["closing"] == closing
    return found.unexplained + found.in_transit


def faulty(*plan: tuple[str, int, str]) -> Callable[[str, str, int], Fault]:
    """(verb, how many-th call, what goes wrong)."""
    planned = {(verb, nth): what for verb, nth, what in plan}
    return lambda verb, _key, nth: planned.get((verb, nth))


def test_an_approved_settlement_is_paid_once_and_borne_out_by_the_rails_own_statement(
    session: Session, settings: Settings, shop: Shop, vault: Vault
) -> None:
    hooks.add(session, vault, shop.merchant_id, "https://shop.example.com/", ["settlement.paid"], "tests")
    session.commit()
    with running() as server, paid_over(session, settings, server):
        assert pay_all() == 1
        assert pay_all() == 0
        notice = hook_deliveries.claim(session, vault, clock.now())
        assert notice is not None
        said = json.loads(notice.body)
        operation = webhooks()["settlement.paid"]["post"]
        jsonschema.validate(said, operation["requestBody"]["content"]["application/json"]["schema"])
        assert (said["data"]["id"], said["data"]["amount_fen"]) == (str(number(session)), 285)
        assert hook_deliveries.claim(session, vault, clock.now()) is None
        session.commit()
        assert states(session) == [("paid", 1)]
        read_statements()
        assert states(session) == [("reconciled", 1)]
        assert read_statements() == 0
        amount = session.execute(select(Settlement.amount_fen)).scalar_one()
        assert server.books.balances.total() == amount == 3 * shop.micro_fen // 1_000_000
        assert unexplained(session) == 0
        assert session.execute(select(Settlement.state)).scalar_one() == "paid"


@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_lost_answer_is_asked_for_again_and_is_one_transfer(
    session: Session, settings: Settings, shop: Shop, lost: str
) -> None:
    with (
        running(faulty(("pay", 1, lost), ("find", 2, "before"))) as server,
        paid_over(session, settings, server),
    ):
        for expected in ("created", "created", "paid"):
            pay_all()
            assert states(session) == [(expected, 1)]
        assert len(server.books.transfers) == 1
        # where the transfer had arrived, it is found and not asked for again
        assert server.books.calls["pay", f"settlement:{number(session)}:1"] == (1 if lost == "after" else 2)
        read_statements()
        assert unexplained(session) == 0


def number(session: Session) -> int:
    return session.execute(select(Settlement.settlement_id)).scalar_one()


def test_a_time_out_after_success_is_one_transfer(
    session: Session, settings: Settings, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as server, paid_over(session, settings, server) as rail:
        pay = rail.pay

        def pay_hastily(instruction: Instruction) -> Told:
            with monkeypatch.context() as hasty:
                hasty.setattr(rail, "patience_s", 0.3)
                return pay(instruction)

        monkeypatch.setattr(rail, "pay", pay_hastily)
        server.stop_at = ("pay", "after")
        pay_all()
        assert server.reached.wait(60)
        assert states(session) == [("created", 1)]
        server.go_on.set()
        pay_all()
        assert states(session) == [("paid", 1)]
        assert len(server.books.transfers) == 1


def test_a_short_platform_balance_is_tried_again_by_itself_and_later_each_time(
    session: Session, settings: Settings, shop: Shop
) -> None:
    with running(faulty(("pay", 1, "balance_insufficient"))) as server, paid_over(session, settings, server):
        # each attempt has a key of its own, so each is the first call under it
        pay_all()
        assert states(session) == [("failed", 1)]
        pay_all()
        assert states(session) == [("failed", 1)]
        passed(session, timedelta(minutes=10))
        pay_all()
        passed(session, timedelta(minutes=10))
        pay_all()
        assert states(session) == [("failed", 1), ("failed", 2)]
        passed(session, timedelta(minutes=10))
        server.faults = faulty()
        pay_all()
        assert states(session) == [("failed", 1), ("failed", 2), ("paid", 3)]
        read_statements()
        assert unexplained(session) == 0


def passed(session: Session, time: timedelta) -> None:
    """As if payments had last changed so much earlier."""
    session.execute(text("update payment set changed_at = changed_at - :time"), {"time": time})
    session.commit()


def test_another_refusal_waits_for_a_person_who_may_have_a_new_account_paid(
    session: Session, settings: Settings, shop: Shop, staff: Staff
) -> None:
    with running(faulty(("pay", 1, "account_closed"))) as server, paid_over(session, settings, server):
        pay_all()
        passed(session, timedelta(days=3))
        pay_all()
        assert states(session) == [("failed", 1)]
        server.faults = faulty()
        account = an_account(session, staff, shop.merchant_id)
        payments.retry(session, number(session), staff.asks)
        session.commit()
        with pytest.raises(Conflict):
            payments.retry(session, number(session), staff.asks)
        session.rollback()
        pay_all()
        assert states(session) == [("failed", 1), ("paid", 2)]
        assert (
            session.execute(select(Payment.account_id).where(Payment.state == "paid")).scalar_one() == account
        )


class Confused(LoopbackRail):
    """It names one transfer by another's reference."""

    def pay(self, instruction: Instruction) -> Told:
        told = super().pay(instruction)
        return replace(told, reference="tr_1") if told.reference == "tr_2" else told


def test_an_answer_that_cannot_be_stops_nobody_else(
    session: Session, settings: Settings, staff: Staff
) -> None:
    for _ in range(3):
        take(session, a_shop(session, staff), DAY)
    settled(session, staff, DAY)
    with running() as server, surrounded(settings, Ways({"stripe": Confused(server.port)})):
        assert pay_all() == 2
        assert states(session) == [("paid", 1), ("created", 1), ("paid", 1)]
        pay_all()
        assert states(session) == [("paid", 1)] * 3
        assert len(server.books.transfers) == 3
        session.rollback()


def test_without_an_account_nothing_is_paid_and_it_is_counted_as_stuck(
    session: Session, settings: Settings, staff: Staff
) -> None:
    approved(session, staff, a_shop(session, staff, rail=None))
    with running() as server, paid_over(session, settings, server):
        assert pay_all() == 0
        assert payments.stuck(session, clock.now()) == {"stripe": 0, "bank": 0, "none": 0}
        assert payments.stuck(session, clock.now() + timedelta(days=3))["none"] == 1


@pytest.mark.parametrize("part", [10, 285])
def test_money_that_comes_back_is_owed_again_and_stands_in_the_next_statement(
    session: Session, settings: Settings, shop: Shop, staff: Staff, part: int
) -> None:
    with running() as server, paid_over(session, settings, server) as rail:
        pay_all()
        reference = session.execute(select(Payment.provider_ref)).scalar_one()
        server.books.give_back(str(reference), part)
        today = clock.today()
        assert paying.follow_up(rail, str(reference), today)
        assert paying.follow_up(rail, str(reference), today)
        assert not paying.follow_up(rail, "tr_of_somebody_else", today)
        assert states(session) == [("reversed" if part == 285 else "paid", 1)]
        read_statements()
        assert unexplained(session) == 0
        settled(session, staff, today)
        adjusted, carried_in, amount = session.execute(
            text("select adjusted_fen, carried_in, amount_fen from settlement where day = :day"),
            {"day": today},
        ).one()
        assert (adjusted, carried_in, amount) == (part, 3 * shop.micro_fen % 1_000_000, part)
        pay_all()
        read_statements()
        assert server.books.balances.total() == 285
        assert unexplained(session) == 0


@pytest.mark.parametrize("spent", [True, False])
def test_what_is_asked_back_is_taken_or_borne_by_the_next_statement(
    session: Session, settings: Settings, shop: Shop, staff: Staff, spent: bool
) -> None:
    with running() as server, paid_over(session, settings, server):
        pay_all()
        payment = session.execute(select(Payment)).scalar_one()
        if spent:
            server.books.balances.clear()
        payload = {"payment_id": payment.payment_id, "amount_fen": 200}
        take_backs.enact(session, an_approval(session, staff, take_backs.KIND), payload)
        session.commit()
        with pytest.raises(Conflict):
            take_backs.enact(session, an_approval(session, staff, take_backs.KIND), payload)
        session.rollback()
        pay_all()
        read_statements()
        assert unexplained(session) == 0
        approved(session, staff, shop, clock.today())
        owed = 3 * shop.micro_fen + 3 * shop.micro_fen % 1_000_000
        amount = session.execute(
            text("select amount_fen from settlement where day = :day"), {"day": clock.today()}
        ).scalar_one()
        assert amount == owed // 1_000_000 - (200 if spent else 0)
        assert take_backs.receivable(session) == {}


def test_more_than_a_days_takings_is_carried_as_owed_to_us(
    session: Session, settings: Settings, shop: Shop, staff: Staff
) -> None:
    with running() as server, paid_over(session, settings, server):
        pay_all()
        server.books.balances.clear()
        (payment,) = session.execute(select(Payment.payment_id)).scalars()
        payload = {"payment_id": payment, "amount_fen": 285}
        take_backs.enact(session, an_approval(session, staff, take_backs.KIND), payload)
        session.commit()
        pay_all()
        approved(session, staff, shop, clock.today(), many=1)
        rest = 4 * shop.micro_fen - 2 * 285_000_000
        row = session.execute(
            text("select state, amount_fen, carried_out from settlement where day = :day"),
            {"day": clock.today()},
        ).one()
        assert tuple(row) == ("carried", 0, rest)
        assert take_backs.receivable(session) == {shop.merchant_id: -rest}
        approved(session, staff, shop, clock.today() + timedelta(days=1), many=3)
        assert take_backs.receivable(session) == {}


def test_a_line_nobody_meant_and_a_payment_nobody_shows_are_listed_and_do_not_cancel_out(
    session: Session, settings: Settings, shop: Shop
) -> None:
    with running() as server, paid_over(session, settings, server):
        pay_all()
        server.books.lines.clear()
        server.books.line("transfer", -285, "tr_stranger")
        server.books.line("topup", 1_000_000, None, fee_fen=7)
        read_statements()
        now = clock.now() + timedelta(days=3)
        found = rail_report.report(session, "stripe", now - A_LONG_TIME, now, now)
        assert [(finding.what, finding.fen) for finding in found.findings] == [
            ("line:transfer", -285),
            ("payment", -285),
        ]
        assert found.unexplained == 570
        assert found.closing == 1_000_000 - 7 - 285


def test_taking_money_back_needs_two_people(session: Session, shop: Shop) -> None:
    with pytest.raises(KeyError):
        approving.KINDS["settlement.take_back_alone"]
    assert approving.KINDS[take_backs.KIND].role == "finance"
