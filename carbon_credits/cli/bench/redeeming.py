"""Redeeming over HTTP, reserve and capture, beside claims on one server; and while partners' records are credited."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from carbon_credits.cli.bench import bulk, claims, web
from carbon_credits.cli.bench.figures import Figure, at_least, at_most, interleaved, percentile
from carbon_credits.cli.bench.ground import Ground, fresh
from carbon_credits.cli.bench.pairs import Pairs, drive, keep_on
from carbon_credits.core import clock, ids, tokens
from carbon_credits.core.db import transaction
from carbon_credits.core.signing import Keyring

NAMES: Final = ("redeem_vs_claims", "redeem_p99_during_bulk")
GOAL, P99_GOAL_S = 0.3, 0.5
POINTS: Final = 10_000_000
RATE: Final = 20.0
CLIENT: Final = "bench-till"
# A merchant, an offer of ten points that does not run out, and a client that signs in: by the set, as the owner.
SHOP: Final = """
insert into approval (kind, payload, digest, reason, proposed_by)
values ('merchant.admit', '{}', sha256('x'), 'bench', 1);
insert into merchant (code, name_zh, name_en, category, address, licence_no, contact, state, approval_id)
select 'bench_shop', '测速', 'Bench', 'food', '测速', '914406040000000000', '\\x00', 'active', max(approval_id)
from approval;
insert into merchant_client (client_id, merchant_id, kind, label, scopes, secret_mac)
select 'bench-till', merchant_id, 'system', 'bench', '{captures}', decode(repeat('00', 16), 'hex') from merchant;
insert into offer (merchant_id, kind, title_zh, title_en, text_zh, text_en, category, points, face_fen, value_micro_fen,
                   stock, from_at, to_at, state, approval_id)
select merchant_id, 'voucher', '茶', 'Tea', '茶', 'Tea', 'food', 10, 500, 20000000, 8000000,
       clock_timestamp() - interval '1 day', clock_timestamp() + interval '9 days', 'live', approval_id from merchant;
insert into offer_stock (offer_id, slot, left_n) select offer_id, slot, 1000000 from offer, generate_series(0, 7) as slot;
"""
# One posting a wallet, out of the fund's unallocated rest.
GIVE: Final = """
with journalled as (
  insert into journal (points_sum, verified_sum, claimed_sum, removal_sum, n, kind, shard_id, content_hash)
  values (%(points)s, 0, 0, 0, 1, 1, %(shard)s, sha256('bench')) returning journal_id
), posted as (
  insert into posting (journal_id, resident_id, points, balance_after, line, wallet_seq, contra_kind, contra_ref,
                       booked_on, effective_on, lot_on, shard_id)
  select journal_id, %(resident)s, %(points)s, %(points)s, 1, 1, 1, 1, %(today)s, %(today)s, %(today)s::date + 300,
         %(shard)s from journalled
), bucket as (
  insert into lot (resident_id, expires_on, fund_id, earned, remaining, shard_id)
  values (%(resident)s, %(today)s::date + 300, 1, %(points)s, %(points)s, %(shard)s)
), paid as (
  update fund set unallocated = unallocated - %(points)s where fund_id = 1
)
update wallet set available = %(points)s, seq = 1 where resident_id = %(resident)s
"""


def against_claims(
    template: Ground, owner_url: str, folder: Path, length: claims.Length, say: Callable[[str], None]
) -> Iterator[Figure]:
    """`redeem_vs_claims`: pairs a second beside accepted claims a second, in turn on one server."""
    with fresh(owner_url, template.settings, template) as ground, _serving(ground, folder) as (pairs, port):
        sender = claims.Sender(ground, port)
        ways = {
            "claims": lambda: sender.send(claims.CLAIM, length.seconds),
            "pairs": lambda: drive(replace(pairs, seconds=length.seconds)).rate,
        }
        sender.send(claims.CLAIM, length.seconds / 2)
        drive(replace(pairs, seconds=length.seconds / 2))
        rates = interleaved(length.rounds, ways)
        say(", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()))
        yield at_least("redeem_vs_claims", rates["pairs"], "pairs/s", GOAL, floor=rates["claims"])


def during_bulk(
    load: bulk.Load, owner_url: str, folder: Path, say: Callable[[str], None]
) -> Iterator[Figure]:
    """`redeem_p99_during_bulk`: how long a reserve or a capture takes while two workers credit records."""
    with (
        fresh(owner_url, load.template.settings, load.template) as ground,
        _serving(ground, folder) as (pairs, _),
    ):
        over = threading.Event()
        waits: list[float] = []
        redeeming = threading.Thread(
            target=lambda: waits.extend(keep_on(replace(pairs, rate=RATE), over).waits)
        )
        redeeming.start()
        try:
            done, seconds = bulk.in_processes(ground, load.folder, 2, bulk.credit)
        finally:
            over.set()
            redeeming.join()
        say(f"{len(waits):,} requests of redemption while {done:,} acts were credited in {seconds:.1f} s")
        yield at_most("redeem_p99_during_bulk", percentile(waits, 99), "s", P99_GOAL_S)


@contextmanager
def _serving(ground: Ground, folder: Path) -> Iterator[tuple[Pairs, int]]:
    """The API on this ground, with a shop in it and points in the first wallets."""
    folder.mkdir()
    with ground.owner() as owner:
        offer_id = _open_shop(owner)
    with web.serving(ground, folder) as (served, _):
        residents = claims.sign_in(ground, claims.RESIDENTS)
        yield (
            Pairs(
                port=served.port,
                residents=residents,
                till=_till(ground),
                offer_id=offer_id,
                headers=web.host_header(ground.settings),
            ),
            served.port,
        )


def _open_shop(owner: Any) -> int:
    owner.execute(SHOP)
    for number in range(1, claims.RESIDENTS + 1):
        resident = ids.resident_id(number)
        given = {"resident": resident, "shard": ids.shard_of(resident), "points": POINTS}
        owner.execute(GIVE, {**given, "today": clock.today()})
    owner.execute("vacuum (analyze) wallet, lot")
    return int(owner.execute("select max(offer_id) from offer").fetchone()[0])


def _till(ground: Ground) -> str:
    keyring = Keyring(ground.settings.vault, ground.settings.public_url)
    with ground.at_work(), transaction() as session:
        return tokens.issue(session, keyring, "merchant", CLIENT, clock.now())
