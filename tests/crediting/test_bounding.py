"""Bounds from the database agree with bounds made act by act, capped and restated ones too."""

from datetime import timedelta
from fractions import Fraction
from math import ceil

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.crediting.bounding import bounds
from carbon_credits.methodologies.bounds import Rule, Uncertain, bound, sensitivities
from carbon_credits.methodologies.readings import number

TODAY = clock.today()
CREDITS = text("""
select d.credited_mg, d.counted, d.pool, a.monitored, r.code, r.document
from decision d join activity a using (resident_id, occurred_on, activity_id) join formula_release r using (release_id)
where d.state = 'credited'
""")


def test_sums_in_the_database_are_the_sums_act_by_act(credited: Session) -> None:
    lines = {(line.code, line.pool): line for line in bounds(credited, TODAY - timedelta(days=40), TODAY)}
    assert set(lines) == {
        ("travel.cycling", "claimed"),
        ("travel.metro", "verified"),
        ("", "claimed"),
        ("", "verified"),
    }
    for code, pool in (("travel.cycling", "claimed"), ("travel.metro", "verified")):
        mg, sums = 0, {}  # type: ignore[var-annotated]
        rows = [row for row in credited.execute(CREDITS) if row.code == code]
        for row in rows:
            _, moving = sensitivities(bytes(row.document))
            share = Fraction(row.counted, row.monitored["distance_m"])
            mg += row.credited_mg
            for s in moving:
                key = (s.parameter, s.half_width, s.group)
                sums[key] = sums.get(key, Fraction(0)) + Fraction(number(s.moves, row.monitored)) * share
        parts = [Uncertain(ceil(e), width, group) for (_, width, group), e in sums.items()]
        found = lines[code, pool]
        assert found.acts == len(rows)
        wanted = bound(mg, parts, Rule.LCB95)
        # a capped share is divided in the database to more digits than these sums have, not to all there are
        assert found.bound.central_mg == wanted.central_mg
        assert 0 <= found.bound.half_width_mg - wanted.half_width_mg <= 1
        assert lines["", pool].bound == found.bound
        assert found.bound.conservative_mg < mg


def test_days_without_credits_have_no_lines(credited: Session) -> None:
    assert bounds(credited, TODAY, TODAY) == []
