"""Reading a wallet must not depend on how much has happened in it."""

import time
from datetime import date
from typing import Any, Final

from carbon_credits.cli.bench.figures import Figure, at_most, interleaved
from carbon_credits.cli.bench.ground import Ground
from carbon_credits.core import ids
from carbon_credits.core.db import reading
from carbon_credits.ledger.service import expiring, wallet_of

GOAL: Final = 1.2
SHORT: Final = 10
ROUNDS: Final = 9
# One journal a wallet: postings numbered, each with its running balance; the wallet and one lot hold their sum.
HISTORY: Final = """
with journalled as (
  insert into journal (points_sum, verified_sum, claimed_sum, removal_sum, n, kind, shard_id, content_hash)
  values (%(n)s, %(n)s, 0, 0, %(n)s, 1, %(shard)s, sha256('bench')) returning journal_id
), posted as (
  insert into posting (journal_id, resident_id, points, verified_mg, balance_after, line, wallet_seq, contra_kind,
    contra_ref, booked_on, effective_on, lot_on, activity_id, generation, shard_id)
  select journal_id, %(resident)s, 1, 1, k, k, k, 1, 1, %(today)s::date - k %% 30, %(today)s, %(today)s::date + 300,
         k, 1, %(shard)s
  from journalled, generate_series(1, %(n)s::int) k
), bucket as (
  insert into lot (resident_id, expires_on, fund_id, earned, remaining, shard_id)
  values (%(resident)s, %(today)s::date + 300, 1, %(n)s, %(n)s, %(shard)s)
)
insert into wallet (resident_id, shard_id, available, verified_mg, seq)
values (%(resident)s, %(shard)s, %(n)s, %(n)s, %(n)s)
"""


def figures(ground: Ground, today: date, long: int, reads: int) -> list[Figure]:
    """`wallet_read`: the wallet's balances and what expires, with `long` postings beside ten."""
    with ground.owner() as owner:
        residents = {
            "long": _with_history(owner, 1, long, today),
            "short": _with_history(owner, 2, SHORT, today),
        }
        owner.execute("vacuum (analyze) posting, wallet, lot")
    with ground.at_work():
        _seconds(residents["long"], today, reads)
        taken = interleaved(
            ROUNDS,
            {name: lambda who=who: _seconds(who, today, reads) for name, who in residents.items()},  # type: ignore[misc]
        )
    micro = {name: seconds / reads * 1e6 for name, seconds in taken.items()}
    return [at_most("wallet_read", micro["long"], "µs", GOAL, floor=micro["short"])]


def _with_history(owner: Any, number: int, postings: int, today: date) -> int:
    resident = ids.resident_id(number)
    owner.execute(
        HISTORY, {"n": postings, "resident": resident, "shard": ids.shard_of(resident), "today": today}
    )
    return resident


def _seconds(resident: int, today: date, reads: int) -> float:
    began = time.perf_counter()
    for _ in range(reads):
        with reading() as session:
            wallet_of(session, resident)
            expiring(session, resident, today)
    return time.perf_counter() - began
