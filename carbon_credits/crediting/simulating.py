"""What a campaign would have cost in the past: its terms, moved back by whole weeks, over acts that were credited then.

The bonuses are worked out by the statements of the batch (`bonuses`), shard by shard, in working tables alone: while they
run the transaction may only read, so the database itself sees to it that nothing is credited. Whole weeks keep Mondays
Mondays, for themselves and for the caps of the week. People do here what they did without the campaign: that is what it
costs before it brings anything about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from tempfile import TemporaryFile
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.db import undone, wrapped
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import SHARD_SIZE
from carbon_credits.crediting import bonuses
from carbon_credits.crediting.audience import fits
from carbon_credits.crediting.bonus_figures import FIGURES, BonusFigures, of_document
from carbon_credits.crediting.reading import ACT_ORDER, terms
from carbon_credits.crediting.working_tables import working_connection
from carbon_credits.ledger.transfers import cost_micro_fen, quote
from carbon_credits.programme.campaign_checks import known
from carbon_credits.programme.campaign_terms import Terms

# a simulated campaign has a number and a fund that no campaign has
NUMBER: Final = 0
BLOCK: Final = 1 << 20
WEEK: Final = timedelta(days=7)
Told = Callable[[int, int], None]

TUNING: Final = """
select set_config('statement_timeout', '600s', true), set_config('jit', 'off', true), set_config('work_mem', '32MB', true)
"""
WORKING_TABLE: Final = """
create temp table if not exists simulated_bonus (
  place smallint, activity_id bigint, resident_id bigint, occurred_from timestamptz, day date, street text,
  entitled bigint, due_points bigint, points bigint, reasons text[]
) on commit delete rows
"""
EMPTIED: Final = (
    "truncate batch_campaign, batch_decision, batch_act, batch_credited, batch_offered, batch_bonus"
)
SHARDS: Final = "select distinct shard_id from wallet order by 1"
COUNT: Final = """
select count(*) from decision
where occurred_on between %(since)s and %(until)s and methodology = any(%(methodologies)s)
  and state = 'credited' and points > 0
"""
TERMS: Final = f"""
insert into batch_campaign ({bonuses.COLUMNS})
values (%(number)s, %(number)s, %(since)s, %(until)s, null, null, %(methodologies)s, %(reward)s, %(multiplier)s,
        %(bonus_points)s, %(audience)s, %(streets)s, %(group_id)s, %(audience_days)s, %(cap_day)s, %(cap_week)s,
        %(cap_total)s, %(holdout_ppm)s, %(salt)s)
"""  # noqa: S608 - made of constants
ACTS: Final = """
insert into batch_decision (activity_id, resident_id, occurred_from, occurred_to, credited_mg, points, occurred_on,
                            methodology, shard_id, evidence_class, state)
select activity_id, resident_id, occurred_from, occurred_to, credited_mg, points, occurred_on, methodology, shard_id,
       evidence_class, state
from decision
where resident_id between %(first)s and %(last)s and occurred_on between %(since)s and %(until)s
  and methodology = any(%(methodologies)s) and state = 'credited' and points > 0
"""
ORDER: Final = f"""
insert into batch_act (activity_id, act_order)
select activity_id, {ACT_ORDER}
from batch_decision d join activity a using (resident_id, occurred_on, activity_id, shard_id)
"""  # noqa: S608 - made of constants
# As the launch freezes them, or the first act of those who come later; who left would not act again.
OFFERED: Final = f"""
insert into batch_offered
select c.campaign_id, r.resident_id
from resident r cross join batch_campaign c
where r.resident_id between %(first)s and %(last)s and r.status <> 'erased'
  and not held_out(c.salt, r.resident_id, c.holdout_ppm)
  and exists (select from batch_credited b
              where b.resident_id = r.resident_id and ({fits("c.starts_on")} or {fits("b.occurred_on")}))
"""  # noqa: S608 - made of constants
TAKEN_OUT: Final = """
copy (
  select %(place)s, x.activity_id, b.resident_id, b.occurred_from, b.occurred_on + %(days)s, r.street, x.entitled,
         x.due_points, x.points, x.reasons
  from batch_bonus x join batch_credited b using (activity_id) join resident r using (resident_id)
) to stdout
"""
KEPT: Final = "copy simulated_bonus from stdin"
DUE: Final = "select coalesce(sum(due_points), 0)::bigint from simulated_bonus where place = %(place)s"
# All that is due before the fund that cannot pay it, in the tables in which the batch rations.
BEFORE_THE_FUND: Final = (
    """
    insert into batch_bonus (activity_id, fund_id, points, reasons)
    select activity_id, %(number)s, points, reasons from simulated_bonus where place = %(place)s and points > 0
    """,
    """
    insert into batch_decision (activity_id, occurred_from)
    select activity_id, occurred_from from simulated_bonus where place = %(place)s and points > 0
    """,
    bonuses.RATION,
    """
    update simulated_bonus s set points = b.points, reasons = b.reasons
    from batch_bonus b where s.place = %(place)s and b.activity_id = s.activity_id and b.points < s.points
    """,
)
ROWS: Final = """
  select resident_id, street, day, entitled, due_points, points, reasons from simulated_bonus where place = {place}
"""
RUNS_OUT: Final = "select min(day) from simulated_bonus where place = %(place)s and points < due_points"


@dataclass(frozen=True)
class Trial:
    """Terms to try, and the salt that decides who would be held out: the draft's own, or any."""

    terms: Terms
    salt: bytes


@dataclass(frozen=True)
class Simulated:
    """What terms would have given, in points; days are the campaign's own.

    `acts` are those it was tried on; `runs_out_on` is the first day on which something due could not be paid;
    `budget_fen` is what the budget would cost at the price of its source today, None where that has no price.
    """

    acts: int
    bonuses: BonusFigures
    budget_points: int
    budget_fen: int | None
    runs_out_on: date | None

    def cost_micro_fen(self, points: int) -> int | None:
        """What so many of the points would cost, in millionths of a fen, rounded up."""
        return (
            None if self.budget_fen is None else cost_micro_fen(points, self.budget_points, self.budget_fen)
        )

    @property
    def left(self) -> int:
        """Points of the budget that nobody got."""
        return self.budget_points - self.bonuses.points


def weeks_back(terms: Terms, today: date) -> int:
    """How many whole weeks at least lie between the campaign and days of which all are over."""
    return max(-(-(terms.ends_on - today + timedelta(days=1)) // WEEK), 0)


def require_over(terms: Terms, weeks: int, today: date) -> None:
    """Raise Invalid unless all days that lie so many weeks before the campaign's are over."""
    fewest = weeks_back(terms, today)
    if weeks < fewest:
        told = Text(f"至少前推 {fewest} 周", f"at least {fewest} weeks back")
        detail = Text("模拟所用的日期须已全部结束", "All days that are replayed must be over")
        raise Invalid("period_not_over", detail, faults=(FieldFault("/weeks", "period_not_over", told),))


def simulate(
    session: Session, trials: Sequence[Trial], weeks: int, today: date, tell: Told = lambda _done, _all: None
) -> list[Simulated]:
    """Try each by itself on the acts of `weeks` weeks before its days; `tell` hears of acts done and of all.

    Leaves nothing in the session's transaction but working tables. Raises Invalid when not all those days are over, or
    where there is no such fund or group.
    """
    for trial in trials:
        require_over(trial.terms, weeks, today)
    with wrapped():
        return _Simulation(session, trials, weeks, tell).run()


class _Simulation:
    def __init__(self, session: Session, trials: Sequence[Trial], weeks: int, tell: Told) -> None:
        self.session = session
        self.connection = working_connection(session)
        bonuses.make_tables(self.connection)
        self.connection.execute(WORKING_TABLE)
        self.connection.execute("truncate simulated_bonus")
        self.connection.execute(TUNING)
        self.given = [
            _given(place, trial, weeks) | {"source": known(session, trial.terms)}
            for place, trial in enumerate(trials)
        ]
        self.tell = tell

    def run(self) -> list[Simulated]:
        counts = [self._number(COUNT, given) for given in self.given]
        done, everything = 0, sum(counts)
        self.tell(0, everything)
        for (shard,) in self.connection.execute(SHARDS).fetchall():
            for given in self.given:
                done += self._shard(given, int(str(shard)))
            self.tell(done, everything)
        return [self._outcome(given, acts) for given, acts in zip(self.given, counts, strict=True)]

    def _shard(self, given: dict[str, Any], shard: int) -> int:
        """Work out a shard's bonuses, residents being a range of numbers, and keep nothing but what they came to."""
        first = shard * SHARD_SIZE + 1
        asked = given | {"first": first, "last": first + SHARD_SIZE - 1}
        self.connection.execute(EMPTIED)
        with TemporaryFile() as taken:
            with undone(self.session), self.connection.cursor() as cursor:
                acts = self._work_out(asked)
                with cursor.copy(TAKEN_OUT, asked) as out:
                    taken.writelines(out)
            taken.seek(0)
            with self.connection.cursor() as cursor, cursor.copy(KEPT) as kept:
                while block := taken.read(BLOCK):
                    kept.write(block)
        return acts

    def _work_out(self, asked: dict[str, Any]) -> int:
        self.connection.execute(TERMS, asked)
        acts = self.connection.execute(ACTS, asked).rowcount
        if acts:
            self.connection.execute(ORDER)
            self.connection.execute("analyze batch_decision, batch_act")
            self.connection.execute(bonuses.CREDITED.format(terms=terms()))
            self.connection.execute("analyze batch_credited")
            self.connection.execute(OFFERED, asked)
            self.connection.execute("analyze batch_offered")
            self.connection.execute(bonuses.BONUSES)
        return acts

    def _outcome(self, given: dict[str, Any], acts: int) -> Simulated:
        if self._number(DUE, given) > given["budget_points"]:
            self.connection.execute(EMPTIED)
            for statement in BEFORE_THE_FUND:
                self.connection.execute(statement, given)
        found = self.session.execute(
            text(FIGURES.format(rows=ROWS.format(place=given["place"])))
        ).scalar_one()
        row = self.connection.execute(RUNS_OUT, given).fetchone()
        runs_out = row[0] if row else None
        assert runs_out is None or isinstance(runs_out, date)
        fen = quote(self.session, given["source"], given["budget_points"])
        return Simulated(acts, of_document(found), given["budget_points"], fen, runs_out)

    def _number(self, statement: str, given: dict[str, Any]) -> int:
        row = self.connection.execute(statement, given).fetchone()
        assert row is not None
        return int(str(row[0]))


def _given(place: int, trial: Trial, weeks: int) -> dict[str, Any]:
    """The parameters of every statement: the terms with their days moved back, and where they stand."""
    terms, moved = trial.terms, weeks * WEEK
    return vars(terms) | {
        "methodologies": terms.numbers(),
        "streets": None if terms.streets is None else list(terms.streets),
        "salt": trial.salt,
        "since": terms.starts_on - moved,
        "until": terms.ends_on - moved,
        "days": moved.days,
        "place": place,
        "number": NUMBER,
        "fund": NUMBER,
        "obtained": terms.budget_points,
    }
