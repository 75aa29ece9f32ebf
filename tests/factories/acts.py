"""Claimed acts of any evidence class, written as the doors write them."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.service import RECORD
from carbon_credits.core import clock
from carbon_credits.core.crypto import digest
from carbon_credits.core.ids import shard_of
from carbon_credits.methodologies.catalogue import BY_CODE

PARTNER_SOURCE = 900
COLUMNS = {
    "vehicle": "vehicle_key",
    "item": "item_key",
    "transaction": "transaction_key",
    "meter": "meter_key",
}


def a_partner_source(session: Session) -> None:
    """A feed of class A for acts that a partner told of."""
    session.execute(
        text("""insert into partner (partner_id, code, name_zh, name_en) values (900, 'tests', '测试', 'Tests')
                on conflict do nothing""")
    )
    session.execute(
        text("""insert into source (source_id, partner_id, feed, evidence_class, methodologies, late_days)
                values (900, 900, 'tests', 'A', '{}', 35) on conflict do nothing""")
    )


def a_claimed_act(
    session: Session,
    resident_id: int,
    code: str,
    occurred_from: datetime,
    occurred_to: datetime,
    monitored: Mapping[str, int],
    *,
    evidence_class: str = "D",
    keys: Mapping[str, bytes] | None = None,
    number: int = 0,
    match_key: bytes | None = None,
) -> int | None:
    """An act on the work list; its number, or None when it was there before."""
    given = dict.fromkeys(COLUMNS.values()) | {COLUMNS[name]: key for name, key in (keys or {}).items()}
    words = json.dumps([resident_id, code, str(occurred_from), str(occurred_to), number, evidence_class])
    return session.execute(
        RECORD,
        {
            "traced": False,
            "source": PARTNER_SOURCE if evidence_class in "AB" else 0,
            "ext_key": digest("test-act", words.encode())[:16],
            "resident": resident_id,
            "shard": shard_of(resident_id),
            "content": digest("test-content", words.encode())[:16],
            "occurred_on": clock.day_of(occurred_to),
            "occurred_from": occurred_from,
            "occurred_to": occurred_to,
            "methodology": BY_CODE[code][-1].number,
            "evidence_class": evidence_class,
            "monitored": json.dumps(dict(monitored)),
            "evidence": None,
            "match_key": match_key,
            **given,
        },
    ).scalar()
