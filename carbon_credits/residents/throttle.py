"""Exact counters by the hour, in PostgreSQL: what is counted here costs money or guards an account."""

import ipaddress
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import TooMany
from carbon_credits.core.i18n import Text
from carbon_credits.residents.models import Throttle

_HOUR = timedelta(hours=1)


def count(session: Session, bucket: str, subject: bytes, most: int, now: datetime) -> None:
    """Count one use, or raise TooMany when `most` were counted in this clock hour.

    The check and the count are one statement, so parallel callers cannot pass together. A refusal rolls back
    whatever the same transaction counted before it: what was not done is not counted.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    counted = (
        insert(Throttle)
        .values(bucket=bucket, subject=subject, hour=hour, used=1)
        .on_conflict_do_update(
            index_elements=[Throttle.bucket, Throttle.subject, Throttle.hour],
            set_={"used": Throttle.used + 1},
            where=Throttle.used < most,
        )
        .returning(Throttle.used)
    )
    if most < 1 or session.execute(counted).scalar_one_or_none() is None:
        wait = int((hour + _HOUR - now).total_seconds()) + 1
        raise TooMany(
            "too_many_codes",
            Text("请求过于频繁，请稍后再试", "Too many: try again later"),
            retry_after_s=wait,
        )


def network_of(address: str) -> str:
    """Whom an address counts for: an IPv4 address itself, an IPv6 one's /64, which one customer has whole."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
