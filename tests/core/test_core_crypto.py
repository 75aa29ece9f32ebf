"""Sealing many is sealing each: for its own place alone, and never twice with the same chance."""

from itertools import pairwise

import pytest

from carbon_credits.core.crypto import KEY_BYTES, NONCE_BYTES, CannotOpen, Vault

PLACES = [f"table|column|{number}" for number in range(50)]


def test_what_is_sealed_together_opens_one_by_one_in_its_own_place(vault: Vault) -> None:
    told = [(f"word {number % 3}".encode(), place) for number, place in enumerate(PLACES)]
    sealed = vault.seal_all("set-aside", told)
    opened = [vault.unseal("set-aside", each, place) for each, place in zip(sealed, PLACES, strict=True)]
    assert opened == [plain for plain, _ in told]
    for one, (_, other) in zip(sealed, pairwise(PLACES), strict=False):
        with pytest.raises(CannotOpen):
            vault.unseal("set-aside", one, other)
    with pytest.raises(CannotOpen):
        vault.unseal("phone", sealed[0], PLACES[0])


def test_no_two_are_sealed_with_the_same_chance(vault: Vault) -> None:
    sealed = [each for _ in range(20) for each in vault.seal_all("set-aside", [(b"same", PLACES[0])] * 50)]
    assert len({each[1 : 1 + NONCE_BYTES] for each in sealed}) == len(set(sealed)) == 1_000
    assert vault.seal_all("set-aside", []) == []


def test_many_are_sealed_under_the_newest_key() -> None:
    both = Vault({1: b"1" * KEY_BYTES, 2: b"2" * KEY_BYTES})
    (sealed,) = both.seal_all("set-aside", [(b"word", PLACES[0])])
    assert sealed[0] == both.current == 2
    assert both.unseal("set-aside", sealed, PLACES[0]) == b"word"
