"""What stands behind the points, by plain arithmetic over what was bought, granted, spent and undone."""

from datetime import timedelta
from fractions import Fraction
from math import ceil

import pytest
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring
from carbon_credits.ledger import funds
from carbon_credits.rewards import coverage, redemptions, reversals
from carbon_credits.rewards.captures import capture
from tests.factories.ledger import Act, credit, months_of, residents
from tests.factories.redemptions import a_merchant, a_point_value, a_till, an_approval, an_offer
from tests.ledger.conftest import Door

VALUE = 950_001


@pytest.fixture
def cheap(door: Door) -> int:
    """A fund that bought under the value, before there was one: a deposit below it is refused since."""
    with door() as session:
        return a_fund(session, "cheap", 700, 300)


@pytest.fixture
def valued(door: Door, cheap: int) -> None:
    """A value is in force."""
    with door() as session:
        a_point_value(session, VALUE)
        months_of(session, clock.today() - timedelta(days=62), clock.today() + timedelta(days=100))


def a_fund(session: Session, code: str, points: int, fen: int) -> int:
    """A fund that bought points once at a price."""
    fund_id = funds.create_fund(session, code, code, code)
    funds.deposit(session, fund_id, points, fen, an_approval(session))
    return fund_id


def read(door: Door) -> coverage.Coverage:
    with door() as session:
        assert coverage.read(session, clock.now())
    with door() as session:
        found = coverage.newest(session)
    assert found is not None
    return found


def test_the_reading_is_what_plain_arithmetic_says(
    door: Door, vault: Vault, keyring: Keyring, cheap: int, valued: None
) -> None:
    today = clock.today()
    with door() as session:
        whole = a_fund(session, "whole", 1_000, 1_000)
        a, b = residents(session, 2)
        credit(session, Act(a, points=400, fund_id=whole), today)
        credit(session, Act(b, points=90, fund_id=cheap), today)
        credit(session, Act(b, points=11, fund_id=cheap, matures_on=today + timedelta(days=7)), today)
        merchant = a_merchant(session)
        till = a_till(session, merchant, role="manager")
        tea = an_offer(session, merchant, points=30, value_micro_fen=VALUE, subsidy_fen=20)
    taken = []
    for _ in range(3):
        with door() as session:
            codes = redemptions.reserve(session, vault, a, tea, clock.now())
            taken.append(
                capture(session, vault, keyring, till, redemptions_code(session, vault, codes), clock.now())
            )
    with door() as session:
        reversals.reverse(session, till, taken[0].id, "wrong cup")
        redemptions.reserve(session, vault, a, tea, clock.now())
    found = read(door)
    outstanding = {"whole": 400 - 2 * 30, "cheap": 101}
    spent = {"whole": 2 * 30 * VALUE, "cheap": 0}
    bought = {"whole": (1_000, 1_000, 600), "cheap": (700, 300, 599)}
    for fund in found.funds:
        points, fen, left = bought[fund.code]
        reserved = fen * 1_000_000 - spent[fund.code] - ceil(Fraction(fen * 1_000_000 * left, points))
        assert (fund.points, fund.not_granted) == (outstanding[fund.code], left)
        assert fund.reserved_micro_fen == reserved
        assert fund.owed_micro_fen == outstanding[fund.code] * VALUE
        assert fund.coverage_ppm == reserved * 1_000_000 // (outstanding[fund.code] * VALUE)
        granted = points - left
        assert (fund.granted_28, fund.days_left) == (granted, left * 28 // granted)
        assert fund.runs_out_on == today + timedelta(days=left * 28 // granted)
    assert found.points == sum(outstanding.values())
    assert found.reserved_micro_fen == sum(fund.reserved_micro_fen for fund in found.funds)
    assert found.coverage_ppm == found.reserved_micro_fen * 1_000_000 // (found.points * VALUE)
    # the fund that bought under the value is seen to be short
    short = next(fund for fund in found.funds if fund.code == "cheap")
    assert short.coverage_ppm is not None
    assert short.coverage_ppm < 500_000


def redemptions_code(session: Session, vault: Vault, made: redemptions.Redemption) -> str:
    """What the resident would show."""
    from carbon_credits.rewards import codes  # noqa: PLC0415

    return codes.long_code(vault, made.id)


def test_without_a_value_there_is_no_reading(door: Door) -> None:
    with door() as session:
        assert not coverage.read(session, clock.now())
        assert coverage.newest(session) is None


def test_what_was_granted_before_the_last_28_days_is_no_pace(door: Door, valued: None) -> None:
    today = clock.today()
    with door() as session:
        fund = a_fund(session, "slow", 1_000, 1_000)
        (resident,) = residents(session, 1)
        credit(session, Act(resident, points=10, fund_id=fund), today - timedelta(days=28))
    slow = read(door).funds[-1]
    assert (slow.points, slow.granted_28, slow.days_left, slow.runs_out_on) == (10, 0, None, None)


@pytest.mark.parametrize(
    ("reserved", "owed", "ratio"), [(0, 0, None), (-5, 10, 0), (2, 3, 666_666), (3, 3, 1_000_000)]
)
def test_a_ratio_is_floored_and_never_better_than_it_is(reserved: int, owed: int, ratio: int | None) -> None:
    assert coverage.ppm(reserved, owed) == ratio
