"""Merchants: application, licence, account, two people, suspension, leaving in good order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.rewards import accounts, clients, leaving, merchants
from carbon_credits.rewards.accounts import Bank, Settlement
from carbon_credits.rewards.licence import check_character, is_licence
from tests.factories.rewards import (
    a_licence,
    a_merchant,
    a_point_value,
    a_system,
    a_till,
    an_account,
    an_application,
    an_offer,
    approved,
)
from tests.residents.together import together

# published examples of GB 32100, and licences that anybody may look up
KNOWN = ("91350100M000100Y43", "91110000600037341L", "914403001922038216")


@pytest.mark.parametrize("number", KNOWN)
def test_a_licences_check_is_the_standards(number: str) -> None:
    assert is_licence(number)
    assert check_character(number[:-1]) == number[-1]
    # each single digit that is read wrong, and each pair that is exchanged, is found
    for place, sign in enumerate(number):
        other = "1" if sign != "1" else "2"
        assert not is_licence(number[:place] + other + number[place + 1 :])
        swapped = number[:place] + number[place + 1 : place + 2] + sign + number[place + 2 :]
        assert swapped == number or not is_licence(swapped)


@pytest.mark.parametrize("number", ["", "91350100M000100Y4", "91350100M000100I43", "９1350100M000100Y43"])
def test_what_is_no_licence_is_none(number: str) -> None:
    assert not is_licence(number)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"licence_no": "91350100M000100Y44"}, "/licence_no", "not_a_licence"),
        ({"code": "Three Friends"}, "/code", "wrong_format"),
        ({"contact_phone": "12345"}, "/contact_phone", "not_a_phone"),
        ({"settlement": Settlement("bank")}, "/settlement/bank", "required"),
        (
            {"settlement": Settlement("stripe", Bank("x", "1" * 8, "1" * 12))},
            "/settlement/bank",
            "not_needed",
        ),
        (
            {"settlement": Settlement("bank", Bank("何", "6222021234567890123", "105588000011"))},
            "/settlement/bank/number",
            "wrong_check_digit",
        ),
        (
            {"settlement": Settlement("bank", Bank("何", "12ab", "105588000011"))},
            "/settlement/bank/number",
            "wrong_format",
        ),
        (
            {"settlement": Settlement("bank", Bank("何", "12345678", "1055"))},
            "/settlement/bank/bank_code",
            "wrong_format",
        ),
        (
            {"settlement": Settlement("bank", Bank(" ", "12345678", "105588000011"))},
            "/settlement/bank/holder",
            "wrong_length",
        ),
    ],
)
def test_a_wrong_application_is_explained_at_its_field(
    session: Session, vault: Vault, change: dict[str, object], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        merchants.apply(session, vault, an_application(**change), clock.now())
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(pointer, code)]


def test_a_card_whose_check_digit_is_right_is_taken(session: Session, vault: Vault) -> None:
    (number,) = [
        f"622202123456789012{last}" for last in range(10) if accounts.passes_luhn(f"622202123456789012{last}")
    ]
    told = an_application(settlement=Settlement("bank", Bank("何三友", number, "105588000011")))
    made = merchants.apply(session, vault, told, clock.now())
    waiting = accounts.proposed(session, made.merchant_id)
    assert waiting is not None
    assert waiting.number_end == number[-4:]


def test_account_and_contact_are_sealed_and_open_again(session: Session, vault: Vault) -> None:
    told = an_application()
    made = merchants.apply(session, vault, told, clock.now())
    waiting = accounts.proposed(session, made.merchant_id)
    assert waiting is not None
    assert accounts.opened(vault, waiting) == told.settlement.bank
    assert merchants.contact(vault, made)["phone"] == told.contact_phone
    rows = "select (select m::text from merchant m) || (select a::text from merchant_account a)"
    stored = session.execute(text(rows)).scalar_one()
    assert told.settlement.bank is not None
    for secret in (told.settlement.bank.number, told.settlement.bank.holder, told.contact_phone):
        assert secret not in stored
        assert secret.encode().hex() not in stored


def test_a_licence_applies_once_and_a_refused_one_again(session: Session, vault: Vault) -> None:
    told = an_application()
    made = merchants.apply(session, vault, told, clock.now())
    with pytest.raises(Conflict, match="licence_known"):
        merchants.apply(session, vault, replace(told, code="another_code"), clock.now())
    with pytest.raises(Conflict, match="code_taken"):
        merchants.apply(session, vault, replace(told, licence_no=a_licence()), clock.now())
    leaving.refuse(session, made.merchant_id, "执照影像不清 / the copy cannot be read", clock.now())
    again = merchants.apply(session, vault, replace(told, address="石湾镇街道"), clock.now())
    assert (again.merchant_id, again.state, again.address) == (made.merchant_id, "applied", "石湾镇街道")
    states = "select state, count(*) from merchant_account group by 1 order by 1"
    assert [tuple(row) for row in session.execute(text(states))] == [("proposed", 1), ("refused", 1)]


def test_ten_who_apply_with_one_licence_are_one(session: Session, vault: Vault, database_url: str) -> None:
    told = an_application()
    heard = together(database_url, 10, lambda own: merchants.apply(own, vault, told, clock.now()).code)
    assert heard.count(told.code) == 1
    assert sum(isinstance(answer, Conflict) for answer in heard) == 9


def test_a_merchant_is_let_in_as_it_was_looked_at(session: Session, vault: Vault) -> None:
    told = an_application()
    made = merchants.apply(session, vault, told, clock.now())
    with pytest.raises(NotFound):
        clients.add_system(session, vault, made.merchant_id, "too early", clock.now())
    payload = merchants.admission(session, made.code)
    number = approved(session, merchants.ADMIT, payload)
    # another account since then is not what two people looked at
    accounts.propose(session, vault, made.merchant_id, an_account(), clock.now())
    session.commit()
    with pytest.raises(Conflict, match="no_account_waits"):
        merchants.admit(session, number, payload)
    session.rollback()
    payload = merchants.admission(session, made.code)
    merchants.admit(session, approved(session, merchants.ADMIT, payload), payload)
    in_force = accounts.in_force(session, made.merchant_id)
    assert in_force is not None
    assert in_force.account_id == payload["account_id"]
    with pytest.raises(Conflict, match="not_waiting"):
        merchants.admission(session, made.code)


def test_the_table_itself_keeps_a_merchant_from_jumping(session: Session, vault: Vault) -> None:
    merchants.apply(session, vault, an_application(), clock.now())
    session.commit()
    with pytest.raises(DBAPIError, match="cannot become"):
        session.execute(text("update merchant set state = 'closed'"))


def test_an_account_changes_with_two_people_and_there_is_one_at_a_time(
    session: Session, vault: Vault
) -> None:
    merchant = a_merchant(session, vault)
    before = accounts.in_force(session, merchant)
    with pytest.raises(Conflict):
        accounts.change(session, merchant)
    accounts.propose(session, vault, merchant, an_account(), clock.now())
    second = accounts.propose(session, vault, merchant, an_account(), clock.now())
    payload = accounts.change(session, merchant)
    assert payload["account_id"] == second
    number = approved(session, accounts.CHANGE, payload)
    accounts.enact_change(session, number, payload)
    after = accounts.in_force(session, merchant)
    assert before is not None
    assert after is not None
    assert (after.account_id, after.approval_id) == (second, number)
    assert accounts.proposed(session, merchant) is None
    with pytest.raises(Conflict):
        accounts.enact_change(session, number, payload)


def test_secrets_rotate_with_two_live_systems(session: Session, vault: Vault, database_url: str) -> None:
    merchant = a_merchant(session, vault)
    session.commit()
    heard = together(database_url, 8, lambda own: a_system(own, vault, merchant))
    assert sum(isinstance(answer, Conflict) for answer in heard) == 6
    # tills are counted apart
    a_till(session, vault, merchant)
    systems = [known for known in clients.clients_of(session, merchant) if known.kind == "system"]
    assert len(systems) == 2
    clients.end(session, merchant, systems[0].client_id, clock.now())
    a_system(session, vault, merchant)
    with pytest.raises(NotFound):
        clients.end(session, merchant + 1, systems[1].client_id, clock.now())


def test_who_is_suspended_comes_back_with_two_people(session: Session, vault: Vault) -> None:
    merchant = a_merchant(session, vault)
    leaving.suspend(session, merchant, "投诉核查 / complaints", clock.now())
    with pytest.raises(Conflict, match="merchant_state"):
        leaving.suspend(session, merchant, "twice", clock.now())
    payload = {"merchant_id": merchant, "code": merchants.merchant(session, merchant).code}
    leaving.resume(session, approved(session, leaving.RESUME, payload), payload)
    known = merchants.merchant(session, merchant)
    assert (known.state, known.state_reason) == ("active", None)


def test_who_leaves_honours_what_is_out_and_closes_with_the_last(session: Session, vault: Vault) -> None:
    a_point_value(session)
    merchant, now = a_merchant(session, vault), clock.now()
    offer, till = an_offer(session, merchant), a_till(session, vault, merchant)
    a_reserved(session, merchant, offer)
    leaving.begin_closing(session, merchant, "搬迁 / moving away", now)
    assert session.execute(text("select state from offer")).scalar_one() == "ended"
    later = now + timedelta(hours=1)
    assert leaving.finish_closing(session, later) == 0
    session.execute(text("update redemption set state = 'lapsed', resolved_at = clock_timestamp()"))
    # who saw the offer a moment before it ended may still be reserving
    assert leaving.finish_closing(session, now + timedelta(minutes=1)) == 0
    assert leaving.finish_closing(session, later) == 1
    assert merchants.merchant(session, merchant).state == "closed"
    assert clients.client_of(session, merchant, till.client_id).ended_at == later
    assert clients.secret_of(session, till.client_id) is None
    assert leaving.finish_closing(session, later) == 0


def a_reserved(session: Session, merchant: int, offer: int) -> None:
    """A redemption that is out, written as its own room writes it."""
    session.execute(
        text("""
            insert into redemption (redemption_id, resident_id, offer_id, points, face_fen, value_micro_fen, subsidy_fen,
                                    merchant_id, purse_id, kind, expires_at, shard_id, slot)
            select uuidv7(), 1, offer_id, points, face_fen, value_micro_fen, subsidy_fen, merchant_id, purse_id,
                   'voucher', clock_timestamp() + interval '15 minutes', 0, 1
            from offer where offer_id = :offer and merchant_id = :merchant
        """),
        {"offer": offer, "merchant": merchant},
    )
