"""Offers: drafts, two people, who pays what, stock and purse laid out, lists, and an end that gives back."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.ledger import funds
from carbon_credits.residents.service import Street
from carbon_credits.rewards import leaving, offer_approval, offer_list, offers, point_value, purses
from carbon_credits.rewards.merchants import Category
from carbon_credits.rewards.offer_list import Value, Wish, split
from carbon_credits.rewards.offers import MICRO, OfferKind
from carbon_credits.staff.service import Role
from tests.factories.rewards import a_draft, a_merchant, a_point_value, a_purse, an_offer, approved
from tests.residents.together import together
from tests.rewards.test_merchants import a_reserved

NOW = clock.now()


@pytest.fixture
def merchant(session: Session, vault: Vault) -> int:
    """A merchant, and a point that is worth a hundredth of a fen."""
    a_point_value(session)
    return a_merchant(session, vault)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"to_at": NOW - timedelta(days=2)}, "/to", "not_after"),
        ({"to_at": NOW + timedelta(days=400)}, "/to", "too_long"),
        ({"per_person": 101}, "/per_person", "more_than_stock"),
        ({"kind": OfferKind.DONATION, "offline": True}, "/offline", "only_vouchers"),
        ({"points": 100_001}, "/points", "worth_more_than_face"),
    ],
)
def test_a_wrong_offer_is_explained_at_its_field(
    session: Session, merchant: int, change: dict[str, object], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        offers.draft(session, merchant, a_draft(**change), clock.now())
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(pointer, code)]


def test_an_approval_freezes_reserves_and_lays_out(session: Session, merchant: int) -> None:
    purse = a_purse(session, 100_000, "sponsor")
    offer = an_offer(session, merchant, 300, purse, stock=101)
    known = offers.offer(session, offer)
    assert (known.state, known.value_micro_fen, known.subsidy_fen) == ("live", 10_000, 300)
    slots = "select left_n from offer_stock order by slot"
    assert list(session.scalars(text(slots))) == [13] * 5 + [12] * 3
    assert purses.by_code(session, purse).reserved_fen == 101 * 300
    session.commit()
    with pytest.raises(DBAPIError, match="not changed"):
        session.execute(text("update offer set points = 1"))


def test_an_offer_that_changed_since_is_not_approved(session: Session, merchant: int) -> None:
    made = offers.draft(session, merchant, a_draft(), clock.now())
    offers.put_forward(session, merchant, made.offer_id)
    payload = offer_approval.proposal(session, made.offer_id, 0, None)
    number = approved(session, offer_approval.APPROVE, payload)
    offers.take_back(session, merchant, made.offer_id)
    offers.redraft(session, merchant, made.offer_id, a_draft(points=1), clock.now())
    offers.put_forward(session, merchant, made.offer_id)
    with pytest.raises(Conflict, match="not_waiting"):
        offer_approval.enact(session, number, payload)


def test_an_offer_needs_a_value_a_purse_with_money_and_an_active_merchant(
    session: Session, vault: Vault
) -> None:
    merchant = a_merchant(session, vault)
    made = offers.draft(session, merchant, a_draft(), clock.now()).offer_id
    with pytest.raises(Conflict, match="not_waiting"):
        offer_approval.proposal(session, made, 0, None)
    offers.put_forward(session, merchant, made)
    with pytest.raises(Conflict, match="no_point_value"):
        offer_approval.proposal(session, made, 0, None)
    a_point_value(session)
    for subsidy, purse in ((1, None), (0, "x"), (-1, None), (981, "x")):
        with pytest.raises(Invalid) as refused:
            offer_approval.proposal(session, made, subsidy, purse)
        assert refused.value.faults[0].pointer == "/subsidy_fen"
    purse = a_purse(session, 97_999)
    payload = offer_approval.proposal(session, made, 980, purse)
    number = approved(session, offer_approval.APPROVE, payload)
    session.commit()
    with pytest.raises(Conflict, match="purse_short"):
        offer_approval.enact(session, number, payload)
    session.rollback()
    purses.pay_in(session, purses.by_code(session, purse).purse_id, 1, "more")
    leaving.suspend(session, merchant, "…", clock.now())
    with pytest.raises(Conflict, match="merchant_not_active"):
        offer_approval.enact(session, number, payload)


def test_what_replaces_an_offer_ends_it_and_only_one_does(session: Session, merchant: int) -> None:
    old = an_offer(session, merchant)
    drafts = [
        offers.draft(session, merchant, a_draft(points=points, replaces=old), clock.now()).offer_id
        for points in (2_500, 3_000)
    ]
    payloads = []
    for made in drafts:
        offers.put_forward(session, merchant, made)
        payloads.append(offer_approval.proposal(session, made, 0, None))
    numbers = [approved(session, offer_approval.APPROVE, payload) for payload in payloads]
    offer_approval.enact(session, numbers[0], payloads[0])
    assert offers.offer(session, old).state == "ended"
    with pytest.raises(Conflict, match="not_replaceable"):
        offer_approval.enact(session, numbers[1], payloads[1])
    with pytest.raises(NotFound):
        offers.draft(session, merchant + 1, a_draft(replaces=drafts[0]), clock.now())


def test_an_offer_goes_only_where_its_states_allow(session: Session, vault: Vault, merchant: int) -> None:
    offer = an_offer(session, merchant)
    other = a_merchant(session, vault)
    with pytest.raises(NotFound):
        offers.pause(session, other, offer, "…")
    offers.pause(session, merchant, offer, "检修 / repairs")
    with pytest.raises(Conflict, match="offer_state"):
        offers.pause(session, merchant, offer, "…")
    offers.resume(session, merchant, offer)
    offers.end(session, offer, "…")
    with pytest.raises(Conflict):
        offers.resume(session, merchant, offer)
    with pytest.raises(Conflict):
        offers.end(session, offer, "…")
    refused = offers.draft(session, merchant, a_draft(), clock.now()).offer_id
    offers.put_forward(session, merchant, refused)
    assert [known.offer_id for known in offers.waiting(session)] == [refused]
    assert offers.refuse(session, refused, "面值过高 / too dear").state_reason == "面值过高 / too dear"


@given(
    points=st.integers(1, 10_000_000),
    value=st.integers(1, 1_000_000),
    subsidy=st.integers(0, 10_000),
    gift=st.integers(0, 10_000),
    by_sponsor=st.booleans(),
)
def test_who_pays_adds_up_to_the_face_value(
    points: int, value: int, subsidy: int, gift: int, by_sponsor: bool
) -> None:
    face = -(-points * value // MICRO) + subsidy + gift
    parts = split(face, points, value, subsidy, by_sponsor=by_sponsor)
    shares = (parts.subsidy_fen, parts.sponsor_fen, parts.points_fen, parts.merchant_fen)
    assert sum(shares) == face
    assert min(shares) >= 0


def test_the_list_shows_what_is_open_by_what_one_looks_for(
    session: Session, vault: Vault, merchant: int
) -> None:
    now = clock.now()
    purse = a_purse(session, kind="sponsor")
    lunch = an_offer(session, merchant, 300, purse)
    tree = an_offer(session, merchant, category=Category.PLANTING, kind=OfferKind.DONATION, points=50)
    local = an_offer(session, merchant, streets=[Street.SHIWAN])
    later = an_offer(session, merchant, from_at=now + timedelta(days=1))
    offers.pause(session, merchant, an_offer(session, merchant), "…")
    away = a_merchant(session, vault)
    an_offer(session, away)
    leaving.suspend(session, away, "…", now)

    def found(wish: Wish, before: int | None = None, limit: int = 50) -> list[int]:
        return [one.row.offer_id for one in offer_list.to_be_had(session, wish, now, before, limit)]

    assert found(Wish()) == [local, tree, lunch]
    assert found(Wish(), limit=2) == [local, tree]
    assert found(Wish(), before=tree) == [lunch]
    assert found(Wish(category=Category.PLANTING)) == [tree]
    assert found(Wish(street=Street.ZUMIAO)) == [tree, lunch]
    assert found(Wish(street=Street.SHIWAN)) == [local, tree, lunch]
    assert found(Wish(most_points=1_999)) == [tree]
    shown = offer_list.open_offer(session, lunch, now)
    assert shown.value == Value(subsidy_fen=0, sponsor_fen=300, points_fen=20, merchant_fen=680)
    assert shown.row.left_n == 100
    with pytest.raises(NotFound):
        offer_list.open_offer(session, later, now)


def test_what_is_past_its_time_ends_and_its_purse_has_back_what_was_not_used(
    session: Session, merchant: int
) -> None:
    now = clock.now()
    purse = a_purse(session, 30_000)
    offer = an_offer(session, merchant, 300, purse)
    a_reserved(session, merchant, offer)
    late = now + timedelta(days=31)
    assert offers.end_due(session, now, 10) == 0
    assert offers.end_due(session, late, 10) == 1
    after = late + timedelta(minutes=6)
    # one is out: nothing is given back
    assert offer_approval.release_due(session, after, 10) == 0
    session.execute(text("update redemption set state = 'lapsed', resolved_at = clock_timestamp()"))
    assert offer_approval.release_due(session, late, 10) == 0
    assert offer_approval.release_due(session, after, 10) == 1
    known = purses.by_code(session, purse)
    session.refresh(known)
    assert (known.paid_in_fen, known.reserved_fen, known.spent_fen) == (30_000, 0, 0)
    assert offer_approval.release_due(session, after, 10) == 0


def test_a_purse_keeps_what_captures_need_until_they_are_settled(session: Session, merchant: int) -> None:
    now = clock.now()
    purse = a_purse(session, 30_000)
    offer = an_offer(session, merchant, 300, purse)
    offers.end(session, offer, "…")
    kept, undone = (_captured(session, offer, now - timedelta(days=1)) for _ in range(2))
    session.execute(
        text("""
            insert into capture_reversal (capture_id, merchant_id, journal_id, booked_on, reason)
            values (:capture, :merchant, 1, :day, '…')
        """),
        {"capture": undone, "merchant": merchant, "day": clock.day_of(now) - timedelta(days=1)},
    )
    late = now + timedelta(minutes=6)
    settlement = session.execute(
        text("""
            insert into settlement (merchant_id, day, captures, reversals, carried_in, lines_micro_fen, amount_fen,
                                    carried_out, digest)
            values (:merchant, :day, 2, 1, 0, 320000000, 320, 0, sha256('test')) returning settlement_id
        """),
        {"merchant": merchant, "day": clock.day_of(now) - timedelta(days=1)},
    ).scalar_one()
    for capture, kind, sign in ((kept, "capture", 1), (undone, "capture", 1), (undone, "reversal", -1)):
        assert offer_approval.release_due(session, late, 10) == 0, "a line of it is still to come"
        session.execute(
            text("""
                insert into settlement_line (settlement_id, capture_id, kind, micro_fen, subsidy_fen, purse_id)
                select :settlement, capture_id, :kind, :sign * paid_micro_fen, :sign * subsidy_fen, purse_id
                from capture where capture_id = :capture
            """),
            {"settlement": settlement, "capture": capture, "kind": kind, "sign": sign},
        )
    assert offer_approval.release_due(session, late, 10) == 1
    known = purses.by_code(session, purse)
    session.refresh(known)
    assert known.reserved_fen == 300, "what settlement books as spent"


def _captured(session: Session, offer: int, at: datetime) -> str:
    """A capture as its own room writes it."""
    return str(
        session.execute(
            text("""
                insert into capture (redemption_id, shard_id, merchant_id, offer_id, journal_id, occurred_at, booked_on,
                                     points, face_fen, subsidy_fen, purse_id, paid_micro_fen)
                select uuidv7(), 0, merchant_id, offer_id, 1, :at, :day, points, face_fen, subsidy_fen, purse_id,
                       points * value_micro_fen + subsidy_fen * 1000000
                from offer where offer_id = :offer returning capture_id
            """),
            {"offer": offer, "at": at, "day": clock.day_of(at)},
        ).scalar_one()
    )


def test_a_purse_moves_once_for_a_cause_and_never_below_what_it_has(session: Session) -> None:
    code = a_purse(session, 1_000)
    number = purses.by_code(session, code).purse_id
    assert purses.reserve(session, number, 700, "offer:1")
    assert not purses.reserve(session, number, 700, "offer:1")
    session.commit()
    for move in (purses.reserve, purses.refund):
        with pytest.raises(Conflict, match="purse_short"):
            move(session, number, 301, "too much")
        session.rollback()
    assert purses.release(session, number, 700, "offer:1")
    assert purses.refund(session, number, 1_000, "refund:1")
    with pytest.raises(NotFound):
        purses.pay_in(session, number + 1, 1, "nobody's")
    sums = """
select kind, sum(amount_fen)::bigint from purse_entry group by kind order by kind
"""
    assert [tuple(row) for row in session.execute(text(sums))] == [
        ("paid_in", 1_000),
        ("refunded", 1_000),
        ("released", 700),
        ("reserved", 700),
    ]


def test_of_ten_who_reserve_at_once_as_many_get_it_as_there_is_money_for(
    session: Session, database_url: str
) -> None:
    number = purses.by_code(session, a_purse(session, 1_000)).purse_id
    session.commit()
    causes = iter(range(10))
    heard = together(database_url, 10, lambda own: purses.reserve(own, number, 150, f"offer:{next(causes)}"))
    assert heard.count(True) == 6
    assert sum(isinstance(answer, Conflict) for answer in heard) == 4
    known = purses.purses(session)[0]
    session.refresh(known)
    assert known.reserved_fen == 900
    # ten with one cause are one
    again = together(database_url, 10, lambda own: purses.release(own, number, 150, "offer:one"))
    assert (again.count(True), again.count(False)) == (1, 9)


def test_a_points_value_is_dated_and_never_changed(session: Session) -> None:
    assert point_value.value_on(session, clock.today()) is None
    a_point_value(session)
    tomorrow = clock.today() + timedelta(days=1)
    payload = {"in_force": tomorrow.isoformat(), "micro_fen": 12_000, "reason": "dearer"}
    number = approved(session, point_value.SET, payload, Role.FINANCE)
    point_value.enact(session, number, payload)
    assert point_value.value_on(session, clock.today()) == 10_000
    assert point_value.value_on(session, tomorrow) == 12_000
    with pytest.raises(Conflict, match="day_has_value"):
        point_value.enact(session, number, payload)
    with pytest.raises(Conflict, match="day_gone_by"):
        point_value.enact(session, number, payload | {"in_force": "2025-02-01"})


def test_points_are_not_bought_below_their_value_once_there_is_one(session: Session) -> None:
    fund = funds.create_fund(session, "test", "测试", "test")
    number = approved(session, "fund.deposit", {}, Role.FINANCE)
    funds.deposit(session, fund, 1_000, 0, number)
    a_point_value(session)
    with pytest.raises(Invalid, match="below_point_value") as refused:
        funds.deposit(session, fund, 1_001, 10, number)
    assert "11" in refused.value.faults[0].detail.en
    funds.deposit(session, fund, 1_001, 11, approved(session, "fund.deposit", {}, Role.FINANCE))


@pytest.mark.parametrize("wrong", [{"micro_fen": 0}, {"in_force": "tomorrow"}, {"reason": ""}])
def test_a_wrong_value_is_explained_at_its_field(wrong: dict[str, object]) -> None:
    payload = {"in_force": "2027-01-01", "micro_fen": 1, "reason": "…", **wrong}
    with pytest.raises(Invalid) as refused:
        point_value.check(payload)
    assert [fault.pointer for fault in refused.value.faults] == ["/" + next(iter(wrong))]
