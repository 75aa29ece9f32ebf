"""What can be exported: each kind one statement, its columns, who may have it.

Nobody's name, telephone or number is in any of them: a resident is shown as a keyed pseudonym, the same in every export,
so that tables can be laid beside each other and nobody be found. Rows that add people up say nothing of fewer than ten,
nor, where they are made of people and not of rollups, what is nearly one person's.

Another kind is added by naming it in EXPORTS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import RowMapping, TextClause, text

from carbon_credits.core.dominance import slack
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.export_columns import HEADINGS, cell
from carbon_credits.reporting.sheets import Cell
from carbon_credits.staff.service import Role

FEWEST: Final = 10
# shown where a figure of too few people stands, and where one stands that is nearly one person's
SUPPRESSED: Final = "<10"
ONE_PERSONS: Final = "*"
BY_STREET: Final = (
    "(cast(:streets as text[]) is null or coalesce(r.street, 'unstated') = any(cast(:streets as text[])))"
)


@dataclass(frozen=True)
class Export:
    """A kind of export. `filters` are what it may be narrowed by beside its days; `needs` what it must be.

    `by_street`: a member of staff with a territory may have it, of their streets alone; other kinds are the district's.
    The statement has `:first` and `:last` (days, both included), a parameter for each filter and, by street, `:streets`;
    a column `resident_id` becomes the pseudonym. `suppress` are columns that say nothing where `people` is below ten;
    `of_one` are those that say nothing where one person, or two, gave nearly all: the statement has the two largest
    contributions beside them (`points_two`).
    """

    name: Text
    roles: frozenset[Role]
    columns: tuple[str, ...]
    statement: TextClause
    filters: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    by_street: bool = False
    suppress: tuple[str, ...] = ()
    of_one: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[Text, ...]:
        """The first row."""
        return tuple(HEADINGS[column] for column in self.columns)

    def cells(self, row: RowMapping, pseudonym: Callable[[int], str]) -> list[Cell]:
        """A row as it is written."""
        few = bool(self.suppress) and row["people"] < FEWEST
        return [
            SUPPRESSED if few and c in self.suppress else self._one(c, row, pseudonym) for c in self.columns
        ]

    def _one(self, column: str, row: RowMapping, pseudonym: Callable[[int], str]) -> Cell:
        if column in self.of_one and slack(row[column], row[f"{column}_two"]) < 0:
            return ONE_PERSONS
        return cell(column, row[column], pseudonym)


_ACTS = text(f"""
select array[d.occurred_on::text, d.activity_id::text] as act, d.resident_id, d.occurred_on, d.methodology,
       d.evidence_class, s.feed, d.state, d.pool, d.credited_mg, d.points, d.bonus, d.reasons
from decision d
join activity a using (resident_id, occurred_on, activity_id, shard_id)
join source s using (source_id)
left join resident r on r.resident_id = d.resident_id
where d.occurred_on between :first and :last and {BY_STREET}
  and (cast(:methodology as int) is null or d.methodology = :methodology)
  and not exists (select from decision n where n.resident_id = d.resident_id and n.occurred_on = d.occurred_on
                  and n.activity_id = d.activity_id and n.generation > d.generation)
""")  # noqa: S608 - made of constants
_DECISIONS = text(f"""
select array[d.occurred_on::text, d.activity_id::text] as act, d.generation, d.resident_id, d.occurred_on, d.methodology,
       d.evidence_class, d.state, d.pool, d.raw_mg, d.credited_mg, d.counted, d.points, d.bonus, d.reasons, d.decided_at,
       d.journal_id, f.code || '/' || f.version as release, encode(f.digest, 'hex') as digest
from decision d
left join formula_release f using (release_id)
left join resident r on r.resident_id = d.resident_id
where d.occurred_on between :first and :last and {BY_STREET}
  and (cast(:methodology as int) is null or d.methodology = :methodology)
""")  # noqa: S608 - made of constants
_POSTINGS = text("""
select p.booked_on, p.effective_on, p.journal_id, p.line, p.resident_id, p.contra_kind, p.points, p.verified_mg,
       p.claimed_mg, p.removal_mg, p.lot_on,
       case when p.activity_id is not null then array[p.effective_on::text, p.activity_id::text] end as act
from posting p join fund f on f.fund_id = p.contra_ref
where p.booked_on between :first and :last and f.code = :fund and p.contra_kind in (1, 2, 4, 5, 6)
""")
_SETTLEMENTS = text("""
select s.settlement_id, m.code as merchant, m.name_zh, s.day, s.captures, s.reversals, s.carried_in, s.lines_micro_fen,
       s.adjusted_fen, s.amount_fen, s.carried_out, s.state, s.made_at
from settlement s join merchant m using (merchant_id)
where s.day between :first and :last
order by s.day, s.settlement_id
""")
_CASES = text("""
select c.case_id, c.kind, c.subject, c.state, c.outcome, c.owner_role, s.feed, c.occurred_on, c.reason, c.opened_at,
       c.opened_by, c.deadline, c.decided_by, c.decided_at, c.closed_at
from recon_case c left join source s using (source_id)
where (c.opened_at at time zone 'Asia/Shanghai')::date between :first and :last
order by c.case_id
""")
_AUDIT = text("""
select audit_id, at, actor, action, subject, before, after, reason, request_id
from audit_entry
where at >= cast(:first as date)::timestamp at time zone 'Asia/Shanghai'
  and at < (cast(:last as date) + 1)::timestamp at time zone 'Asia/Shanghai'
order by audit_id
""")
_ROLLUP = text(f"""
select r.occurred_on, r.methodology, r.street, r.pool, r.people, r.acts, r.mg, r.points, r.reversals
from rollup_day r
where r.occurred_on between :first and :last and {BY_STREET}
  and (cast(:methodology as int) is null or r.methodology = :methodology)
order by 1, 2, 3, 4
""")  # noqa: S608 - made of constants
# added up by person first: the two largest of each sum come out of the same rows
_CAMPAIGNS = text("""
with person as (
  select c.code, b.occurred_on, b.resident_id, count(*) as acts, sum(b.points)::bigint as points,
         sum(b.due_points)::bigint as due_points
  from bonus b
  join campaign c using (campaign_id)
  join decision d using (resident_id, occurred_on, activity_id, generation, shard_id)
  where b.occurred_on between :first and :last and d.state = 'credited'
  group by c.code, b.occurred_on, b.resident_id
)
select code as campaign, occurred_on, count(*) as people, sum(acts)::bigint as acts, sum(points)::bigint as points,
       sum(due_points)::bigint as due_points, (array_agg(acts order by acts desc))[1:2] as acts_two,
       (array_agg(points order by points desc))[1:2] as points_two,
       (array_agg(due_points order by due_points desc))[1:2] as due_points_two
from person
group by code, occurred_on
order by code, occurred_on
""")

EXPORTS: Final[Mapping[str, Export]] = {
    "acts": Export(
        Text("低碳行为", "Acts"),
        frozenset({Role.PROGRAMME, Role.METHODOLOGY, Role.AUDIT}),
        (
            "act",
            "resident_id",
            "occurred_on",
            "methodology",
            "evidence_class",
            "feed",
            "state",
            "pool",
            "credited_mg",
            "points",
            "bonus",
            "reasons",
        ),
        _ACTS,
        filters=("methodology",),
        by_street=True,
    ),
    "decisions": Export(
        Text("核算决定及原因", "Decisions and their reasons"),
        frozenset({Role.PROGRAMME, Role.METHODOLOGY, Role.AUDIT}),
        (
            "act",
            "generation",
            "resident_id",
            "occurred_on",
            "methodology",
            "evidence_class",
            "state",
            "pool",
            "raw_mg",
            "credited_mg",
            "counted",
            "points",
            "bonus",
            "reasons",
            "decided_at",
            "journal_id",
            "release",
            "digest",
        ),
        _DECISIONS,
        filters=("methodology",),
        by_street=True,
    ),
    "postings": Export(
        Text("资金池的账户明细", "Wallet postings of a fund"),
        frozenset({Role.FINANCE, Role.AUDIT}),
        (
            "booked_on",
            "effective_on",
            "journal_id",
            "line",
            "resident_id",
            "contra_kind",
            "points",
            "verified_mg",
            "claimed_mg",
            "removal_mg",
            "lot_on",
            "act",
        ),
        _POSTINGS,
        filters=("fund",),
        needs=("fund",),
    ),
    "settlements": Export(
        Text("商户结算", "Settlements"),
        frozenset({Role.FINANCE, Role.MERCHANT, Role.AUDIT}),
        (
            "settlement_id",
            "merchant",
            "name_zh",
            "day",
            "captures",
            "reversals",
            "carried_in",
            "lines_micro_fen",
            "adjusted_fen",
            "amount_fen",
            "carried_out",
            "state",
            "made_at",
        ),
        _SETTLEMENTS,
    ),
    "cases": Export(
        Text("对账事项", "Cases"),
        frozenset({Role.PROGRAMME, Role.PARTNER, Role.SUPPORT, Role.AUDIT}),
        (
            "case_id",
            "kind",
            "subject",
            "state",
            "outcome",
            "owner_role",
            "feed",
            "occurred_on",
            "reason",
            "opened_at",
            "opened_by",
            "deadline",
            "decided_by",
            "decided_at",
            "closed_at",
        ),
        _CASES,
    ),
    "audit": Export(
        Text("审计记录", "Audit entries"),
        frozenset({Role.AUDIT}),
        ("audit_id", "at", "actor", "action", "subject", "before", "after", "reason", "request_id"),
        _AUDIT,
    ),
    "rollup": Export(
        Text("每日汇总", "Daily rollup"),
        frozenset({Role.PROGRAMME, Role.METHODOLOGY, Role.FINANCE, Role.STREET, Role.AUDIT}),
        ("occurred_on", "methodology", "street", "pool", "people", "acts", "mg", "points", "reversals"),
        _ROLLUP,
        filters=("methodology",),
        by_street=True,
        suppress=("people", "acts", "mg", "points", "reversals"),
    ),
    "campaigns": Export(
        Text("活动支出", "Campaigns' spending"),
        frozenset({Role.PROGRAMME, Role.FINANCE, Role.AUDIT}),
        ("campaign", "occurred_on", "people", "acts", "points", "due_points"),
        _CAMPAIGNS,
        suppress=("people", "acts", "points", "due_points"),
        of_one=("acts", "points", "due_points"),
    ),
}
