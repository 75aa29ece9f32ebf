"""Whether the product's city day and its floor came to the same: row by row what stays, and the promises of the books.

Numbers given on arrival, instants and journals are left out, for they tell of the way; so are what a delivery leaves of
itself (files, marks, messages) and records that waited a while and were placed.
"""

from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection

from carbon_credits.cli.bench.ground import Ground
from carbon_credits.core.db import transaction
from carbon_credits.crediting.ledger_hash import ledger_hash
from carbon_credits.ledger.check import check

A_DAY_S: Final = 86_400
# What of each table is compared, and which of its rows.
KEPT: Final = {
    "act_key": "source_id, ext_key, resident_id, content_digest, occurred_on",
    "act_piece": "source_id, piece_key, ext_key",
    "activity": "resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id, shard_id, evidence_class, "
    "monitored, evidence, vehicle_key, item_key, transaction_key, meter_key, ext_key, match_key",
    "decision": "resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, bonus, counted, release_id, "
    "fund_id, occurred_on, matures_on, lot_on, methodology, generation, shard_id, evidence_class, pool, motion, state, "
    "reasons, against is null",
    "lot": "resident_id, expires_on, fund_id, earned, remaining, held, shard_id",
    "posting": "booked_on, resident_id, contra_kind, contra_ref, points, verified_mg, claimed_mg, removal_mg, lot_on, "
    "effective_on, generation, shard_id",
    "record_match": "resident_id, claim_on, record_on, source_id, shard_id, pass, score, differs, ended_at is null",
    "record_set_aside": "source_id, ext_key, state, reasons",
    "transaction_claim": "transaction_key, resident_id",
    "wallet": "resident_id, shard_id, available, held, pending, debt, verified_mg, claimed_mg, removal_mg, seq",
}
ONLY: Final = {"record_set_aside": "where state <> 'placed'"}
# The number of rows and the sum of their hashes: the same rows in any order give the same.
SUM: Final = (
    "select count(*), coalesce(sum(hashtextextended(row({columns})::text, 0)), 0) from {table} {only}"
)


@dataclass(frozen=True)
class Books:
    """What a day came to: rows and their sum by table, the ledger hash, and which promises of the books are broken."""

    tables: dict[str, tuple[int, int]]
    ledger: str
    broken: tuple[str, ...]


def books(ground: Ground) -> Books:
    """Read how a day ended."""
    with ground.owner() as owner:
        tables = {table: _sum(owner, table, columns) for table, columns in KEPT.items()}
    with ground.at_work(), transaction() as session:
        # no sealer is at work here
        findings = check(session, seal_delay_s=A_DAY_S)
        broken = tuple(f"{each.name} {each.sample[:1]}" for each in findings if each.violations)
        return Books(tables, ledger_hash(session), broken)


def differences(product: Books, floor: Books) -> list[str]:
    """What is not the same, in words; nothing where the floor wrote what the product writes."""
    said = [
        f"{table}: product {product.tables[table]}, floor {floor.tables[table]}"
        for table in KEPT
        if product.tables[table] != floor.tables[table]
    ]
    if product.ledger != floor.ledger:
        said.append(f"ledger hash: product {product.ledger}, floor {floor.ledger}")
    return [
        *said,
        *(f"product breaks {name}" for name in product.broken),
        *(f"floor breaks {name}" for name in floor.broken),
    ]


def _sum(owner: Connection[Any], table: str, columns: str) -> tuple[int, int]:
    row = owner.execute(SUM.format(columns=columns, table=table, only=ONLY.get(table, ""))).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
