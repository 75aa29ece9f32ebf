"""The programme's terms an act was decided under: the rate its class earned on its day, and the caps that held."""

from datetime import date
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.methodologies.formula import plain

# As the batch reads it: the family's own rate before the general one.
RATE = text("""
select family, points_per_mg, mature_days, in_force, approval_id
from earning_rate
where family in (:family, '*') and evidence_class = :evidence_class
  and in_force <= :day and (until is null or until > :day)
order by family = '*' limit 1
""")
CAPS = text("""
select kind, scope, unit, period, most, in_force, approval_id
from cap
where scope in (:code, :family, '*') and in_force <= :day and (until is null or until > :day)
order by kind desc, scope desc, unit
""")


def terms_of(session: Session, code: str, evidence_class: str, day: date) -> dict[str, Any]:
    """The rate and caps for acts of a methodology on a day, each with the approval that made it, JSON-ready."""
    given = {
        "code": code,
        "family": code.partition(".")[0],
        "evidence_class": evidence_class,
        "day": day,
    }
    rate = session.execute(RATE, given).mappings().one_or_none()
    caps = session.execute(CAPS, given).mappings().all()
    return {"rate": None if rate is None else _rate(rate), "caps": [_cap(cap) for cap in caps]}


def _rate(row: RowMapping) -> dict[str, Any]:
    return {
        "points_per_mg": plain(row["points_per_mg"]),
        "family": row["family"],
        "mature_days": row["mature_days"],
        "in_force": row["in_force"].isoformat(),
        "approval": row["approval_id"],
    }


def _cap(row: RowMapping) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("kind", "scope", "unit", "period", "most")},
        "in_force": row["in_force"].isoformat(),
        "approval": row["approval_id"],
    }
