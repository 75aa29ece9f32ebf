"""A district for measuring in: policy as a programme has it, and as many bound residents as are asked for.

Policy is put in force by the same verbs as ever; the people are made by the set, as the database's owner.
"""

from datetime import date
from typing import Any, Final

from sqlalchemy.orm import Session

from carbon_credits.approving import DEPOSIT, decide, propose
from carbon_credits.core import ids
from carbon_credits.crediting.releases import publish
from carbon_credits.ledger.funds import create_fund
from carbon_credits.programme.service import CAP, RATE
from carbon_credits.staff.service import Role, add

PARTNERS: Final = ("bench_travel", "bench_goods")
# feed, its partner, methodology
FEEDS: Final = (
    ("bench_metro", 1, "travel.metro"),
    ("bench_bicycle", 1, "travel.shared_bicycle"),
    ("bench_paper", 2, "recycling.paper"),
    ("bench_orders", 2, "purchases.no_cutlery"),
)
CAPS: Final = (
    ("science", "travel.cycling", "quantity", 20_000),
    ("science", "travel.shared_bicycle", "quantity", 20_000),
    ("science", "travel.metro", "quantity", 60_000),
    ("science", "travel.metro", "count", 8),
    ("science", "recycling.paper", "quantity", 30_000),
    ("science", "purchases.no_cutlery", "count", 3),
    ("policy", "travel", "points", 2_000),
    ("policy", "*", "points", 3_000),
)
RATES: Final = (("A", "0.001", 0), ("B", "0.001", 0), ("C", "0.0005", 7), ("D", "0.0002", 7))
PROPOSER, APPROVER = "提案人", "批准人"

PEOPLE: Final = """
insert into resident (resident_id, shard_id, street)
select resident_id, shard_id, (array['zumiao', 'shiwan', 'zhangcha', 'nanzhuang'])[1 + no % 4] from bench.person;
insert into wallet (resident_id, shard_id) select resident_id, shard_id from bench.person order by resident_id;
insert into consent (resident_id, purpose, partner_id, granted, text_version)
select resident_id, 'partner_records', partner_id, true, 'bench' from bench.person cross join partner;
insert into binding (partner_id, subject_index, resident_id)
select partner_id, bench.subject(partner_id, no), resident_id from partner cross join bench.person;
"""
SCHEMA: Final = """
create schema bench;
create table bench.person (no int primary key, resident_id bigint not null, shard_id smallint not null);
create function bench.some(what text, no bigint) returns bytea immutable language sql
  return substr(sha256(convert_to(what || no, 'UTF8')), 1, 16);
create function bench.subject(partner_id smallint, no int) returns bytea immutable language sql
  return bench.some('subject of ' || partner_id::text || ' ', no);
"""


def rule(session: Session, in_force: date) -> None:
    """Rates, caps and one fund that lasts, proposed by one member of staff and approved by another."""
    roles = [Role.PROGRAMME, Role.FINANCE]
    for name in (PROPOSER, APPROVER):
        add(session, name, roles, "bench")
    fund = create_fund(session, "bench", "测速", "Bench")
    _enact(session, DEPOSIT, {"fund_id": fund, "points": 10**12, "amount_fen": 0})
    since = in_force.isoformat()
    for grade, points, days in RATES:
        rate = {"family": "*", "evidence_class": grade, "points_per_mg": points, "mature_days": days}
        _enact(session, RATE, {**rate, "in_force": since, "fund_id": fund})
    for kind, scope, unit, most in CAPS:
        _enact(session, CAP, {"kind": kind, "scope": scope, "unit": unit, "most": most, "in_force": since})
    publish(session)


def populate(owner: Any, residents: int) -> None:
    """Residents numbered as enrolment numbers them, each with a wallet, bound by consent to every partner."""
    owner.execute(SCHEMA)
    for number, code in enumerate(PARTNERS, start=1):
        owner.execute("insert into partner values (%s, %s, %s, %s)", (number, code, code, code))
    for number, (feed, partner, methodology) in enumerate(FEEDS, start=1):
        owner.execute(
            "insert into source values (%s, %s, %s, 'A', %s, 35)", (number, partner, feed, [methodology])
        )
    with owner.cursor().copy("copy bench.person from stdin") as copy:
        for number in range(1, residents + 1):
            resident = ids.resident_id(number)
            copy.write_row((number, resident, ids.shard_of(resident)))
    owner.execute(PEOPLE)
    for table in ("resident", "wallet", "binding", "consent", "bench.person"):
        owner.execute(f"vacuum (analyze) {table}")


def _enact(session: Session, kind: str, payload: dict[str, Any]) -> None:
    asked = propose(session, kind, payload, "bench", PROPOSER)
    decide(session, asked.approval_id, APPROVER, approve=True)
