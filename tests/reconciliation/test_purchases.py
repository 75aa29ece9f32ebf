"""No more is credited of a month's material than the recycler sold on, once that is known."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed
from carbon_credits.reconciliation import mass_balance, purchases
from carbon_credits.reconciliation.purchases import Month
from carbon_credits.staff.service import Role, add
from tests.factories.recycling import Recycler, Row, a_recycler, as_csv, as_epcis
from tests.factories.residents import NOW

NOVEMBER = date(2026, 11, 1)
SINCE = datetime(2026, 11, 10, 1, 0, tzinfo=NOW.tzinfo)
HEADER = "month,material,kg,document_no,buyer\n"


@pytest.fixture
def recycler(session: Session, vault: Vault) -> Recycler:
    """Two customers who are residents, who brought ten kilograms of paper and four of plastics."""
    made = a_recycler(session, vault, "u1", "u2")
    rows = [
        Row(f"S{hour}", "B1", SINCE + timedelta(hours=hour), "2", who=f"u{1 + hour % 2}") for hour in range(5)
    ]
    rows += [
        Row(f"P{hour}", "B1", SINCE + timedelta(hours=hour), "2", who="u1", category="塑料")
        for hour in range(5, 7)
    ]
    made.tell(as_csv(rows))
    made.credit()
    return made


def bought(session: Session, path: Path, lines: str) -> None:
    """Purchases proposed by one person and approved by another."""
    path.write_text(HEADER + lines, encoding="utf-8")
    for name in ("出纳", "主管"):
        if session.execute(text("select 1 from staff where name = :name"), {"name": name}).first() is None:
            add(session, name, [Role.FINANCE], by="tests")
    payload = purchases.read_csv(path, "recycling")
    proposed = approving.propose(session, purchases.PURCHASES, payload, "invoice", "出纳")
    approving.decide(session, proposed.approval_id, "主管", approve=True)
    session.commit()


def step(session: Session) -> int:
    """One run of the balance."""
    moved = mass_balance.balance_step(session, NOW)
    session.commit()
    return moved


def month_of(session: Session, material: str) -> Month:
    """The month's row of a material."""
    [found] = [each for each in purchases.months(session, NOVEMBER) if each.material == material]
    return found


def test_before_purchases_are_known_nothing_is_capped_and_that_is_said(
    session: Session, recycler: Recycler
) -> None:
    assert step(session) == 0
    paper = month_of(session, "recycling.paper")
    assert (paper.state, paper.cap_g, paper.credited_g) == ("purchases_missing", None, 10_000)


def test_the_newest_acts_beyond_what_was_bought_are_held_in_order(
    session: Session, recycler: Recycler, tmp_path: Path
) -> None:
    bought(session, tmp_path / "p.csv", "2026-11,paper,5,INV-1,大良纸厂\n")
    # five kilograms and a tenth for stock hold two deposits of two; the third to fifth are beyond
    assert step(session) == 3
    beyond = {(SINCE + timedelta(hours=hour)).isoformat(): "beyond_recycler_purchases" for hour in (2, 3, 4)}
    assert recycler.held() == beyond
    recycler.credit()
    assert step(session) == 0
    paper, plastics = month_of(session, "recycling.paper"), month_of(session, "recycling.plastics")
    assert (paper.state, paper.cap_g, paper.credited_g, paper.held, paper.held_g) == (
        "beyond",
        5_500,
        4_000,
        3,
        6_000,
    )
    assert plastics.state == "purchases_missing"
    bought(session, tmp_path / "q.csv", "2026-11,recycling.paper,2.5,INV-2,大良纸厂\n")
    assert step(session) == 2
    assert list(recycler.held()) == [(SINCE + timedelta(hours=4)).isoformat()]
    recycler.credit()
    assert recycler.states() == ["credited"] * 4 + ["held"] + ["credited"] * 2


def test_what_was_bought_in_another_month_or_of_another_material_bears_nothing_out(
    session: Session, recycler: Recycler, tmp_path: Path
) -> None:
    bought(session, tmp_path / "p.csv", "2026-10,paper,100,INV-1,厂\n2026-11,plastics,100,INV-1,厂\n")
    assert step(session) == 0
    assert month_of(session, "recycling.plastics").state == "within"


def test_records_that_name_no_station_take_room_in_the_month(
    session: Session, recycler: Recycler, tmp_path: Path
) -> None:
    session.execute(text("update station_deposit set station = null"))
    session.commit()
    bought(session, tmp_path / "p.csv", "2026-11,paper,5,INV-1,大良纸厂\n")
    assert step(session) == 3


def test_a_credit_note_takes_away_and_a_document_counts_once(
    session: Session, recycler: Recycler, tmp_path: Path
) -> None:
    bought(session, tmp_path / "p.csv", "2026-11,paper,12,INV-1,厂\n2026-11,paper,-7,CN-1,厂\n")
    assert step(session) == 3
    with pytest.raises(Conflict, match="purchase_known"):
        bought(session, tmp_path / "p.csv", "2026-11,paper,12,INV-1,厂\n")
    session.rollback()
    assert month_of(session, "recycling.paper").bought_g == 5_000


@pytest.mark.parametrize(
    "lines",
    [
        "2026-13,paper,5,INV-1,厂\n",
        "2026-11,moon_rock,5,INV-1,厂\n",
        "2026-11,paper,0,INV-1,厂\n",
        "2026-11,paper,0.0005,INV-1,厂\n",
        "2026-11,paper,NaN,INV-1,厂\n",
        "2026-11,paper,5,,厂\n",
        "2026-11,paper,5\n",
    ],
)
def test_wrong_lines_are_refused_by_their_number(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(HEADER + "2026-11,paper,5,INV-0,厂\n" + lines, encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        purchases.read_csv(path, "recycling")
    assert [fault.pointer for fault in refused.value.faults] == ["/lines/3"]


def test_nobody_approves_their_own_purchases(session: Session, recycler: Recycler, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(HEADER + "2026-11,paper,5,INV-1,厂\n", encoding="utf-8")
    add(session, "出纳", [Role.FINANCE], by="tests")
    payload = purchases.read_csv(path, "recycling")
    proposed = approving.propose(session, purchases.PURCHASES, payload, "invoice", "出纳")
    with pytest.raises(NotAllowed):
        approving.decide(session, proposed.approval_id, "出纳", approve=True)


def test_purchases_are_never_changed(session: Session, recycler: Recycler, tmp_path: Path) -> None:
    bought(session, tmp_path / "p.csv", "2026-11,paper,5,INV-1,厂\n")
    with pytest.raises(Exception, match="permission denied"):
        session.execute(text("update recycler_purchase set bought_g = 1"))
    session.rollback()


def test_both_formats_tell_the_same_deposits(session: Session, recycler: Recycler) -> None:
    rows = [Row(f"X{hour}", "B2", SINCE + timedelta(hours=hour), "1.25", who="u1") for hour in range(3)]
    recycler.tell(as_epcis(rows))
    told = session.execute(text("select at, mass_g from station_deposit where station = 'B2' order by at"))
    assert [tuple(row) for row in told] == [(row.at, 1_250) for row in rows]
