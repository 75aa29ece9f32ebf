"""Signed codes: taken where nobody could ask us, told later, within the limits that are written down."""

from datetime import timedelta

import jwt
import pytest

from carbon_credits.core import clock, signing
from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring
from carbon_credits.rewards import codes, offline, redemptions
from carbon_credits.rewards.redemptions import Redemption
from tests.factories.redemptions import a_merchant, a_till
from tests.rewards.counter import Counter, refused, time_passes


@pytest.fixture
def voucher(counter: Counter) -> Redemption:
    """A voucher for a till that may be offline."""
    return counter.reserve(counter.offer(offline=True), offline=True)


def signed(counter: Counter, voucher: Redemption) -> str:
    """Its code as the resident shows it."""
    told = {"code": codes.long_code(counter.vault, voucher.id), "mer": voucher.merchant_id}
    with counter.door() as session:
        return offline.sign(session, counter.keyring, told, voucher.reserved_at, voucher.expires_at)


def test_it_is_taken_when_it_was_shown_and_told_up_to_three_days_late(
    counter: Counter, voucher: Redemption
) -> None:
    code, ends = signed(counter, voucher), voucher.expires_at
    assert ends - voucher.reserved_at > offline.VOUCHER_LIFE - timedelta(minutes=1)
    last = ends - timedelta(seconds=1)
    for occurred_at, now in (
        (ends + timedelta(seconds=1), ends + timedelta(days=1)),
        (voucher.reserved_at - timedelta(minutes=6), clock.now()),
        (clock.now() + timedelta(minutes=6), clock.now()),
        (last, ends + offline.LATE + timedelta(seconds=1)),
    ):
        with refused("occurred_at_not_fitting"):
            counter.take(code, now=now, occurred_at=occurred_at)
    with refused("code_expired"):
        counter.take(code, now=ends)
    taken = counter.take(code, now=ends + offline.LATE, occurred_at=last)
    assert (taken.is_offline, taken.occurred_at) == (True, last)
    assert counter.pockets() == (190, 0, 0, 0)


def test_of_two_tills_that_took_it_the_first_to_tell_is_paid(counter: Counter, voucher: Redemption) -> None:
    code, at = signed(counter, voucher), clock.now()
    with counter.door() as session:
        second = a_till(session, counter.merchant_id)
    assert counter.take(code, second, occurred_at=at).client_id == second.client_id
    with refused("code_used"):
        counter.take(code, occurred_at=at - timedelta(seconds=30))


def test_the_points_stay_held_while_it_may_still_be_told(counter: Counter, voucher: Redemption) -> None:
    with counter.door() as session:
        assert redemptions.lapse_due(session, voucher.expires_at.date(), 10) == 0
    time_passes(counter, voucher)
    with counter.door() as session:
        assert redemptions.lapse_due(session, clock.today(), 10) == 1
    assert counter.pockets() == (200, 0, 0, 0)


def test_a_key_that_signed_one_outlives_its_rotation_for_codes_and_not_for_tokens(
    counter: Counter, voucher: Redemption, vault: Vault
) -> None:
    code, before = signed(counter, voucher), clock.now()
    kid = jwt.get_unverified_header(code)["kid"]
    with counter.door() as session:
        signing.rotate(session, vault, before - offline.VOUCHER_LIFE)
    with counter.door() as session:
        signing.retire_old(session, before)
        fresh = Keyring(vault, counter.keyring.issuer)
        assert fresh.public_key(session, kid) is None
        assert offline.code_within(session, fresh, code) == codes.long_code(vault, voucher.id)
        assert kid in {key["kid"] for key in fresh.jwks(session)["keys"]}
        signing.retire_old(session, before + signing.SIGNED_LIFE)
        with refused("code_unknown"):
            offline.code_within(session, Keyring(vault, counter.keyring.issuer), code)


def test_what_we_did_not_sign_or_not_for_this_is_unknown(counter: Counter, voucher: Redemption) -> None:
    code = signed(counter, voucher)
    head, body, signature = code.split(".")
    with counter.door() as session:
        keys = counter.keyring.keys(session)
        claims = jwt.decode(code, options={"verify_signature": False})
        typed = {"kid": keys.signing_kid, "typ": "at+jwt"}
        token = jwt.encode(claims, keys.signing_key, algorithm="ES256", headers=typed)
        elsewhere = jwt.encode(
            {**claims, "iss": "https://other.test"},
            keys.signing_key,
            algorithm="ES256",
            headers={**typed, "typ": offline.TYPE},
        )
        other = a_till(session, a_merchant(session))
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": "x", "typ": offline.TYPE})
    wrong = f"{head}.{body}.{signature[:-4]}AAAA"
    for forged in (token, elsewhere, unsigned, wrong, f"{head}..", "a.b.c", "ü.b.c", f"{code}{'A' * 1_500}"):
        with refused("code_unknown"):
            counter.take(forged, occurred_at=clock.now())
    with refused("code_of_another_merchant"):
        counter.take(code, other, occurred_at=clock.now())
