"""Telling residents of points that are about to lapse: thirty days before and seven, once for each day of lapsing.

A text message is sent by day. What is told is what could still be used at that moment; held points do not lapse.
"""

import secrets
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import PROGRAMME_ZONE, day_of
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.residents import notices

FIRST, LAST = 30, 7
WAKING: Final = (time(9), time(20))

# Promises: a notice is due where none of its kind was written, for as many points as could be used through that day.
_DUE = text("""
select resident_id, expires_on, points, days_before
from (
  select resident_id, expires_on, sum(remaining)::bigint as points,
         case when expires_on <= :soon then :last else :first end as days_before
  from lot where shard_id = :shard and remaining > 0 and expires_on between :today and :later
  group by resident_id, expires_on
) due
where not exists (select from expiry_notice n
                  where n.resident_id = due.resident_id and n.expires_on = due.expires_on
                    and n.days_before = due.days_before and n.shard_id = :shard)
order by resident_id, expires_on limit :limit
""")


def tell_due(session: Session, vault: Vault, shard_id: int, now: datetime, limit: int) -> int:
    """Tell up to `limit` residents of a shard; returns how many notices were written, 0 when none is left.

    At night nothing is told. Whoever has no telephone any more is noted as not told.
    """
    if not WAKING[0] <= now.astimezone(PROGRAMME_ZONE).time() < WAKING[1]:
        return 0
    today = day_of(now)
    rows = session.execute(
        _DUE,
        {
            "shard": shard_id,
            "today": today,
            "soon": today + timedelta(days=LAST),
            "later": today + timedelta(days=FIRST),
            "first": FIRST,
            "last": LAST,
            "limit": limit,
        },
    ).all()
    for row in rows:
        told = _tell(session, vault, row)
        session.execute(
            text("""
                insert into expiry_notice (resident_id, expires_on, days_before, points, told, shard_id)
                values (:resident, :day, :before, :points, :told, :shard)
            """),
            {
                "resident": row.resident_id,
                "day": row.expires_on,
                "before": row.days_before,
                "points": row.points,
                "told": told,
                "shard": shard_id,
            },
        )
    return len(rows)


def _tell(session: Session, vault: Vault, row: Row[tuple[int, date, int, int]]) -> bool:
    """Too late is once the day is over."""
    until = datetime.combine(row.expires_on + timedelta(days=1), time(), PROGRAMME_ZONE)
    words = Text(
        f"您有{row.points}积分将于{row.expires_on:%Y年%m月%d日}后失效，请及时兑换。",
        f"{row.points} of your points can be used through {row.expires_on.isoformat()} and not after.",
    )
    subject = f"expiry:{row.expires_on.isoformat()}:{secrets.token_hex(8)}"
    return notices.tell(session, vault, row.resident_id, subject, words, until)
