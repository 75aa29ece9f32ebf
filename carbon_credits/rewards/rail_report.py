"""Does a rail's account hold what it should: opening + what moved = closing, and every movement is one of ours.

The balances are the rail's own lines. Each line is set against the row of ours that meant it; what no row meant, and what
a row meant and the rail does not show, is listed and is `unexplained`, which must be 0. All amounts are fen.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

# the words of each rail for what happened, and the line of the report they stand in
GROUPS: Final[dict[str, str]] = {
    "transfer": "transfers",
    "return": "reversals",
    "transfer_refund": "reversals",
    "transfer_cancel": "reversals",
    "transfer_failure": "reversals",
    "charge": "received",
    "payment": "received",
    "refund": "given_back",
    "payment_refund": "given_back",
    "refund_failure": "given_back",
    # between the programme's own accounts; nobody else is concerned
    "topup": "adjustments",
    "topup_reversal": "adjustments",
    "receipt": "adjustments",
    "withdrawal": "adjustments",
    "payout": "adjustments",
    "payout_cancel": "adjustments",
    "payout_failure": "adjustments",
    "fee": "fees",
    "stripe_fee": "fees",
    "refused": "fees",
}
NAMES: Final = ("received", "given_back", "transfers", "reversals", "adjustments")
# a rail may show a payment on its statement this much later
IN_TRANSIT: Final = timedelta(days=2)
# how far back the alarm looks
WATCHED: Final = timedelta(days=35)


@dataclass(frozen=True)
class Finding:
    """What one side says and the other does not, in fen: a rail's line, or a payment, funding or refund of ours."""

    what: str
    reference: str
    fen: int
    at: datetime


@dataclass(frozen=True)
class Report:
    """One rail's account over a period, in fen: opening + moved − fees + other = closing."""

    rail: str
    since: datetime
    until: datetime
    opening: int
    moved: dict[str, int]
    fees: int
    other: int
    closing: int
    in_transit: int
    findings: tuple[Finding, ...]

    @property
    def unexplained(self) -> int:
        """The sum of what is not explained, without regard to its sign: two faults do not cancel out."""
        return sum(abs(finding.fen) for finding in self.findings)


# Promises: each line of the period is explained by exactly one row of ours, of the same amount, or it is listed. Lines
# about money that came back are compared as sums, for a rail may return a payment in parts.
_UNMEANT = text("""
with line as (
  select l.*, cast(:groups as jsonb) ->> l.kind as grp from provider_line l
  where l.provider = :rail and l.occurred_at >= :since and l.occurred_at < :until
),
judged as (
  select line.*, case grp
    when 'transfers' then (select min(-p.amount_fen) from payment p where p.rail = :rail
                             and p.provider_ref = line.source_ref
                             and p.state in ('sent', 'paid', 'reconciled', 'reversed'))
    when 'received' then (select min(f.amount_fen) from funding f where f.state in ('paid', 'refunded')
                            and line.source_ref in (f.provider_ref, f.intent_ref))
    when 'given_back' then (select min(case line.kind when 'refund_failure' then r.amount_fen else -r.amount_fen end)
                            from funding_refund r where r.provider_ref = line.source_ref
                              and (r.state = 'failed' or r.state in ('sent', 'paid') and line.kind <> 'refund_failure'))
    when 'reversals' then line.amount_fen
    when 'adjustments' then line.amount_fen
    when 'fees' then 0 end as meant,
    case when grp in ('transfers', 'received', 'given_back')
         then row_number() over (partition by grp, kind = 'refund_failure', source_ref order by occurred_at, line_id)
         else 1 end as place
  from line
),
compared as (select *, amount_fen - coalesce(case place when 1 then meant else 0 end, 0) as fen from judged)
select 'line:' || kind as what, line_id as reference, fen, occurred_at as at from compared where fen <> 0
order by occurred_at, line_id
""")

# Money that came back, in all and until the end of the period: the lines' sum against the payment's.
_RETURNS = text("""
with told as (
  select source_ref, sum(amount_fen)::bigint as fen, max(occurred_at) as at from provider_line
  where provider = :rail and occurred_at < :until and cast(:groups as jsonb) ->> kind = 'reversals'
  group by source_ref
),
meant as (
  select provider_ref, reversed_fen, changed_at from payment where rail = :rail and reversed_fen > 0
)
select 'return' as what, coalesce(t.source_ref, m.provider_ref, 'none') as reference,
       coalesce(t.fen, 0) - coalesce(m.reversed_fen, 0) as fen, coalesce(t.at, m.changed_at) as at
from told t full join meant m on m.provider_ref = t.source_ref
where coalesce(t.fen, 0) <> coalesce(m.reversed_fen, 0)
  and coalesce(t.at, m.changed_at) >= :since
  and (t.at is not null or m.changed_at < least(cast(:until as timestamptz), cast(:late as timestamptz)))
order by at, reference
""")

# What we hold to be paid, received, given back, or come back after all, and the rail does not show: signed as its line
# would be. Sponsors pay by Stripe alone.
_UNSHOWN = text("""
with meant as (
  select 'payment' as what, provider_ref as reference, null as other_ref, -amount_fen as fen, changed_at as at,
         'transfers' as grp, null as kind
  from payment where rail = :rail and state in ('paid', 'reconciled', 'reversed')
  union all
  select 'funding', provider_ref, intent_ref, amount_fen, changed_at, 'received', null
  from funding where :rail = 'stripe' and state in ('paid', 'refunded')
  union all
  select 'refund', provider_ref, null, -amount_fen, changed_at, 'given_back', 'refund'
  from funding_refund where :rail = 'stripe' and state = 'paid'
  union all
  select 'refund_failure', provider_ref, null, amount_fen, changed_at, 'given_back', 'refund_failure'
  from funding_refund r where :rail = 'stripe' and state = 'failed'
    and exists (select from provider_line l where l.provider = :rail and l.source_ref = r.provider_ref
                  and l.kind = 'refund')
)
select what, coalesce(reference, 'none') as reference, fen, at from meant m
where at >= :since and at < :until
  and not exists (select from provider_line l where l.provider = :rail and l.source_ref in (m.reference, m.other_ref)
                    and cast(:groups as jsonb) ->> l.kind = m.grp and (m.kind is null or l.kind = m.kind))
order by at, what, reference
""")

_BALANCE = text("""
select coalesce(sum(amount_fen - fee_fen), 0)::bigint from provider_line where provider = :rail and occurred_at < :at
""")
_MOVED = text("""
select kind, sum(amount_fen)::bigint as fen, sum(fee_fen)::bigint as fees from provider_line
where provider = :rail and occurred_at >= :since and occurred_at < :until group by kind
""")


def report(session: Session, rail: str, since: datetime, until: datetime, now: datetime) -> Report:
    """A rail's account from `since` to before `until`.

    What we know of for less than two days before `now` and the rail does not show is in transit, whichever way it goes.
    """
    given = {"rail": rail, "since": since, "until": until, "groups": _groups(), "late": now - IN_TRANSIT}
    moved, fees, other = dict.fromkeys(NAMES, 0), 0, 0
    for row in session.execute(_MOVED, given):
        group = GROUPS.get(row.kind, "")
        fees += row.fees
        if group in moved:
            moved[group] += row.fen
        else:
            other += row.fen
    missing = [Finding(**row) for row in session.execute(_UNSHOWN, given).mappings()]
    late = [finding for finding in missing if finding.at < now - IN_TRANSIT]
    findings = [Finding(**row) for row in session.execute(_UNMEANT, given).mappings()]
    findings += [Finding(**row) for row in session.execute(_RETURNS, given).mappings()]
    findings += late
    return Report(
        rail=rail,
        since=since,
        until=until,
        opening=_balance(session, rail, since),
        moved=moved,
        fees=fees,
        other=other,
        closing=_balance(session, rail, until),
        in_transit=sum(abs(finding.fen) for finding in missing if finding not in late),
        findings=tuple(findings),
    )


def unexplained(session: Session, now: datetime) -> dict[str, int]:
    """What is unexplained of each rail's last 35 days, in fen; both should be 0."""
    return {rail: report(session, rail, now - WATCHED, now, now).unexplained for rail in ("stripe", "bank")}


def lines(found: Report) -> list[tuple[str, int]]:
    """The report as (name, fen), signed so that all but the last two add up to the closing balance."""
    told: Iterable[tuple[str, int]] = (
        ("opening", found.opening),
        *found.moved.items(),
        ("fees", -found.fees),
        ("other", found.other),
        ("closing", found.closing),
        ("in_transit", found.in_transit),
        ("unexplained", found.unexplained),
    )
    return list(told)


def _balance(session: Session, rail: str, at: datetime) -> int:
    balance: Any = session.execute(_BALANCE, {"rail": rail, "at": at}).scalar_one()
    return int(balance)


def _groups() -> str:
    inside = ", ".join(f'"{kind}": "{group}"' for kind, group in GROUPS.items())
    return "{" + inside + "}"
