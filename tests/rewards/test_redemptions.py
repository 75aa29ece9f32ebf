"""Reserving, taking, giving up and undoing, one after the other: each no has its code, and the books hold."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import TooMany
from carbon_credits.ledger.holds import reserve as hold
from carbon_credits.rewards import codes, donations, redemptions
from carbon_credits.rewards.captures import captures_of, one_of
from carbon_credits.rewards.looking import look
from carbon_credits.rewards.refusals import CODES, refusal
from tests.factories.ledger import Act, credit
from tests.factories.redemptions import a_merchant, a_till, an_offer, residents_with
from tests.ledger.books import pockets
from tests.rewards.counter import Counter, refused, time_passes


def test_every_no_is_said_in_both_languages_and_says_what_to_do() -> None:
    for code in CODES:
        said = refusal(code)
        assert said.code == code
        assert said.detail.zh != said.detail.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in said.detail.zh)


def test_a_code_is_shown_scanned_and_used_once(counter: Counter) -> None:
    offer_id = counter.offer(
        face_fen=500, points=10, value_micro_fen=20_000_000, subsidy_fen=30, per_person=2
    )
    made = counter.reserve(offer_id, shown_points=10)
    assert counter.pockets() == (190, 10, 0, 0)
    code = codes.long_code(counter.vault, made.id)
    with counter.door() as session:
        seen = look(session, counter.vault, counter.keyring, counter.till, code, clock.now())
    assert (seen.points, seen.face_fen, seen.paid_micro_fen) == (10, 500, 10 * 20_000_000 + 30_000_000)
    taken = counter.take(f" {code.lower()} ", reference="bill 7")
    assert (taken.points, taken.paid_micro_fen, taken.reference) == (10, 230_000_000, "bill 7")
    assert counter.pockets() == (190, 0, 0, 0)
    for shown in (code, codes.short_code(counter.vault, made.id.bytes)):
        with refused("code_used"):
            counter.take(shown)
    with refused("redemption_over"):
        counter.cancel(made.id)
    with counter.door() as session:
        assert [one.id for one in captures_of(session, counter.merchant_id, taken.booked_on, None, 9)] == [
            taken.id
        ]
        assert redemptions.one_of(session, counter.resident_id, made.id).state == "captured"
    assert counter.left(offer_id) == 999


def test_a_short_code_is_read_as_it_was_meant_and_works_at_its_merchant_alone(counter: Counter) -> None:
    made = counter.reserve(counter.offer())
    short = codes.short_code(counter.vault, made.id.bytes)
    typed = f"{short[:5]}-{short[5:]}".lower().replace("0", "o").replace("1", "l")
    with counter.door() as session:
        other = a_till(session, a_merchant(session))
    with refused("code_unknown"):
        counter.take(short, other)
    with refused("code_of_another_merchant"):
        counter.take(codes.long_code(counter.vault, made.id), other)
    assert counter.take(typed).redemption_id == made.id


def test_one_wrong_character_or_two_exchanged_are_noticed_by_the_check(vault: Vault) -> None:
    code = codes.short_code(vault, uuid4().bytes)
    changed = [
        code[:place] + letter + code[place + 1 :]
        for place in range(codes.SHORT)
        for letter in codes.ALPHABET
        if letter != code[place]
    ]
    assert [wrong for wrong in changed if codes.well_typed(wrong) is not None] == []
    assert codes.well_typed(code) == code
    assert codes.well_typed("UUUUUUUUUU") is None


def test_guesses_close_short_codes_at_a_till_and_scanning_goes_on(counter: Counter) -> None:
    made = counter.reserve(counter.offer())
    short, now = codes.short_code(counter.vault, made.id.bytes), clock.now()
    for _ in range(codes.MOST_WRONG):
        wrong = codes.short_code(counter.vault, uuid4().bytes)
        with refused("code_unknown"):
            counter.take(wrong)
        assert codes.is_guess(wrong)
        with counter.door() as session:
            codes.count_guess(session, counter.till.client_id, now)
    with pytest.raises(TooMany) as said:
        counter.take(short, now=now)
    assert said.value.code == "too_many_wrong_codes"
    assert 0 < said.value.retry_after_s <= 3_601
    with counter.door() as session:
        other = a_till(session, counter.merchant_id)
        assert look(session, counter.vault, counter.keyring, other, short, now).redemption_id == made.id
        assert codes.forget_guesses(session, now + timedelta(hours=3)) == 1
    assert counter.take(codes.long_code(counter.vault, made.id), now=now).redemption_id == made.id


def test_cancelling_gives_back_exactly_what_was_taken(counter: Counter) -> None:
    offer_id = counter.offer(per_person=1, stock=3)
    made = counter.reserve(offer_id)
    with refused("per_person_reached"):
        counter.reserve(offer_id)
    assert counter.left(offer_id) == 2
    assert counter.cancel(made.id).state == "cancelled"
    assert (counter.left(offer_id), counter.pockets()) == (3, (200, 0, 0, 0))
    with refused("redemption_over"):
        counter.cancel(made.id)
    with refused("code_expired"):
        counter.take(codes.long_code(counter.vault, made.id))
    with refused("redemption_unknown"), counter.door() as session:
        redemptions.cancel(session, counter.resident_id + 2, made.id, clock.today())
    counter.reserve(offer_id)


def test_what_is_not_used_in_time_lapses_with_everything(counter: Counter) -> None:
    offer_id = counter.offer(per_person=1)
    made = counter.reserve(offer_id)
    late = made.expires_at + timedelta(seconds=1)
    with refused("code_expired"):
        counter.take(codes.long_code(counter.vault, made.id), now=late)
    with counter.door() as session:
        assert redemptions.lapse_due(session, clock.today(), 10) == 0
    time_passes(counter, made)
    with counter.door() as session:
        assert redemptions.lapse_due(session, clock.today(), 10) == 1
    with counter.door() as session:
        assert redemptions.lapse_due(session, clock.today(), 10) == 0
        assert redemptions.one_of(session, counter.resident_id, made.id).state == "lapsed"
    assert (counter.left(offer_id), counter.pockets()) == (1_000, (200, 0, 0, 0))
    counter.reserve(offer_id)


def test_a_reversal_on_the_day_gives_back_lots_stock_and_share_once(counter: Counter) -> None:
    offer_id = counter.offer(per_person=1)
    taken = counter.take(codes.long_code(counter.vault, counter.reserve(offer_id).id))
    with counter.door() as session:
        cashier = a_till(session, counter.merchant_id)
        stranger = a_till(session, a_merchant(session), "manager")
        system = a_till(session, counter.merchant_id, kind="system")
    with refused("manager_needed"):
        counter.undo(taken.id, cashier)
    for number in (taken.id, uuid4()):
        with refused("capture_unknown"):
            counter.undo(number, stranger)
    undone = counter.undo(taken.id, system)
    assert undone.reversed_at is not None
    assert undone.reason == "wrong cup"
    assert (counter.left(offer_id), counter.pockets()) == (1_000, (200, 0, 0, 0))
    with refused("reversed_already"):
        counter.undo(taken.id)
    with counter.door() as session:
        assert one_of(session, counter.merchant_id, taken.id).reason == "wrong cup"
    counter.reserve(offer_id)


def test_a_capture_of_another_day_is_not_reversed(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = counter.take(codes.long_code(counter.vault, counter.reserve(counter.offer()).id))
    tomorrow = clock.today() + timedelta(days=1)
    monkeypatch.setattr(clock, "today", lambda: tomorrow)
    with refused("too_late_to_reverse"):
        counter.undo(taken.id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "draft"}, "offer_unknown"),
        ({"state": "paused"}, "offer_not_open"),
        ({"state": "ended"}, "offer_ended"),
        ({"points": 201, "face_fen": 5_000}, "insufficient_points"),
        ({"streets": ("shiwan",)}, "not_your_street"),
        ({"kind": "group_gift"}, "gift_needed"),
        ({"from_at": clock.now() + timedelta(days=1)}, "offer_not_open"),
        ({"to_at": clock.now() - timedelta(seconds=1)}, "offer_ended"),
    ],
)
def test_an_offer_that_cannot_be_had_says_why(
    counter: Counter, changes: dict[str, object], code: str
) -> None:
    offer_id = counter.offer(**changes)
    with refused(code):
        counter.reserve(offer_id)
    assert counter.pockets() == (200, 0, 0, 0)


def test_prices_stock_and_signed_codes_are_as_the_offer_says(counter: Counter) -> None:
    offer_id = counter.offer(stock=1)
    with refused("price_changed"):
        counter.reserve(offer_id, shown_points=9)
    with refused("not_offline"):
        counter.reserve(offer_id, offline=True)
    with refused("offer_unknown"):
        counter.reserve(offer_id + 10_000)
    counter.reserve(offer_id)
    with refused("sold_out"):
        counter.reserve(offer_id)
    assert counter.pockets() == (190, 10, 0, 0)
    old = counter.offer(state="ended")
    counter.offer(replaces=old)
    with refused("price_changed"):
        counter.reserve(old)


def test_a_suspended_merchant_takes_nothing_and_one_that_leaves_honours_what_is_out(counter: Counter) -> None:
    offer_id = counter.offer()
    code = codes.long_code(counter.vault, counter.reserve(offer_id).id)
    with counter.door() as session:
        nobody = a_till(session, counter.merchant_id, None)
    with refused("no_shift"):
        counter.take(code, nobody)
    counter.say(
        "update merchant set state = 'suspended', state_reason = 'x' where merchant_id = :m",
        m=counter.merchant_id,
    )
    with refused("merchant_suspended"):
        counter.reserve(offer_id)
    with refused("merchant_suspended"):
        counter.take(code)
    counter.say(
        "update merchant set state = 'closing', state_reason = 'x' where merchant_id = :m",
        m=counter.merchant_id,
    )
    with refused("offer_ended"):
        counter.reserve(offer_id)
    assert counter.take(code).points == 10


def test_somebody_in_debt_is_told_so(counter: Counter) -> None:
    with counter.door() as session:
        (poor,) = residents_with(session, 1, 0)
        session.execute(text("update wallet set debt = 5 where resident_id = :who"), {"who": poor})
    offer_id = counter.offer()
    with refused("wallet_in_debt"), counter.door() as session:
        redemptions.reserve(session, counter.vault, poor, offer_id, clock.now())
    with counter.door() as session:
        session.execute(text("update wallet set debt = 0 where resident_id = :who"), {"who": poor})


def test_a_donation_is_taken_at_once(counter: Counter) -> None:
    offer_id = counter.offer(kind="donation")
    with counter.door() as session:
        made = redemptions.reserve(session, counter.vault, counter.resident_id, offer_id, clock.now())
        given = donations.give(session, made, clock.now())
    assert (given.client_id, given.points) == (None, 10)
    assert counter.pockets() == (190, 0, 0, 0)
    with counter.door() as session:
        assert session.execute(text("select count(*) from redemption_code")).scalar_one() == 0


def test_what_lapsed_before_a_reversal_lapses_at_once(counter: Counter) -> None:
    with counter.door() as session:
        (late,) = residents_with(session, 1, 0)
        fund_id = session.execute(text("select max(fund_id) from fund")).scalar_one()
        credit(session, Act(late, points=10, fund_id=fund_id, lot_on=clock.today()), clock.today())
        made = redemptions.reserve(
            session, counter.vault, late, an_offer(session, counter.merchant_id), clock.now()
        )
    taken = counter.take(codes.long_code(counter.vault, made.id))
    assert taken.points == 10
    counter.undo(taken.id)
    assert pockets(counter.door, late) == (10, 0, 0, 0)


def test_a_hold_of_no_redemption_lapses_all_the_same(counter: Counter) -> None:
    with counter.door() as session:
        hold(
            session,
            counter.resident_id,
            5,
            counter.merchant_id,
            clock.now() - timedelta(seconds=1),
            clock.today(),
        )
    with counter.door() as session:
        assert redemptions.lapse_due(session, clock.today(), 10) == 1
    assert counter.pockets() == (200, 0, 0, 0)
