"""Seals: every journal once, chained, in a tree that a stranger can rebuild."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from carbon_credits.ledger import merkle
from carbon_credits.ledger.check import check
from carbon_credits.ledger.sealing import NO_SEAL_BEFORE, seal_once
from tests.factories.ledger import TODAY, Act, a_fund, credit, residents
from tests.ledger.conftest import Door


def journals(door: Door, how_many: int) -> None:
    with door() as session:
        fund_id = a_fund(session)
        (resident_id,) = residents(session, 1)
        for _ in range(how_many):
            credit(session, Act(resident_id, fund_id=fund_id), TODAY)


def broken(door: Door) -> list[str]:
    with door() as session:
        return [finding.name for finding in check(session, seal_delay_s=0) if finding.violations]


def rfc_6962(leaves: list[bytes]) -> bytes:
    """The tree as the RFC words it: split at the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + rfc_6962(leaves[:split]) + rfc_6962(leaves[split:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70))
def test_the_tree_is_the_one_of_the_rfc(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == rfc_6962(leaves)


def test_a_tree_without_leaves_has_no_root() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merkle.root([])


def test_every_journal_is_sealed_once_and_seals_form_a_chain(door: Door) -> None:
    journals(door, 7)
    heads = []
    for _ in range(4):
        with door() as session:
            heads.append(seal_once(session, 3))
    assert [head and head.n_journals for head in heads] == [3, 3, 1, None]
    with door() as session:
        chain = session.execute(text("select prev_hash, hash from seal order by seal_no")).all()
    assert [bytes(prev) for prev, _ in chain] == [NO_SEAL_BEFORE, *[bytes(own) for _, own in chain[:-1]]]
    assert broken(door) == []


def test_a_journal_without_a_seal_is_reported_once_the_delay_is_over(door: Door) -> None:
    journals(door, 1)
    assert broken(door) == ["I11"]
    with door() as session:
        assert [f.name for f in check(session, seal_delay_s=3600) if f.violations] == []


def test_a_journal_that_commits_late_is_in_the_next_seal(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session)
        late, early = residents(session, 2)
    with door() as slow:
        credit(slow, Act(late, fund_id=fund_id), TODAY)
        with door() as quick:
            # another shard and no points, so that nothing but the order of numbers is shared
            credit(quick, Act(early, points=0, fund_id=fund_id), TODAY)
        with door() as session:
            first = seal_once(session, 100)
    with door() as session:
        second = seal_once(session, 100)
    assert first is not None
    assert second is not None
    assert (first.n_journals, second.n_journals) == (1, 1)
    assert broken(door) == []


def test_two_sealers_at_once_seal_nothing_twice(door: Door) -> None:
    journals(door, 40)

    def seal(_: int) -> int:
        with door() as session:
            head = seal_once(session, 6)
        return head.n_journals if head else 0

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(seal, range(12))) == 40
    assert broken(door) == []
