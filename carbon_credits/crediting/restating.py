"""Restatement: the grams of past credits under another version, as new postings; points are another book.

One order, approved by a second person; then shard by shard, some residents at a time, each step one transaction under
the shard's lock. An act is restated once by the key of `restated`, so a step done again, or an order run again, changes
nothing, and one that was killed goes on. Wallets' points, lots and decisions stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import RowMapping, insert, select, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.crediting.alternative import figures
from carbon_credits.crediting.models import Restatement
from carbon_credits.crediting.releases import publish_these
from carbon_credits.ledger.locks import lock_shard, lock_wallets
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting import post_selected
from carbon_credits.methodologies.alternatives import reaching_back
from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.catalogue import VERSIONS, version_of
from carbon_credits.methodologies.lifecycle import may_credit
from carbon_credits.methodologies.releases import releases

RESTATE: Final = "credits.restate"
STEP_RESIDENTS: Final = 500

_WHICH = """d.state = 'credited' and d.shard_id = :of_shard and d.resident_id > :after and d.resident_id <= :upto
      and not exists (select from restated once where once.resident_id = d.resident_id
                      and once.activity_id = d.activity_id and once.generation = d.generation
                      and once.restatement_id = :order)"""
# Grams alone move: no pocket of points, no lot, and no fund stands on the other side.
_ORDERED = """
ordered as (
  select resident_id, {contra}::smallint as contra_kind, 0 as contra_ref, occurred_on as effective_on,
         0::bigint as available, 0::bigint as held, 0::bigint as pending, 0::bigint as debt,
         case pool when 'v' then new_mg - old_mg else 0 end as verified_mg,
         case pool when 'c' then new_mg - old_mg else 0 end as claimed_mg,
         case pool when 'r' then new_mg - old_mg else 0 end as removal_mg,
         activity_id, generation, null::date as lot_on,
         row_number() over (order by resident_id, occurred_on, activity_id) as place
  from ({figures}) f
  where new_mg <> old_mg
),
"""
_TOUCHED = "select distinct resident_id from ({figures}) f where new_mg <> old_mg"
_REMEMBER = """
insert into restated (restatement_id, resident_id, activity_id, occurred_on, generation, shard_id, from_release,
                      to_release, old_mg, new_mg, raw_mg, reasons, journal_id)
select :order, resident_id, activity_id, occurred_on, generation, shard_id, from_release, to_release, old_mg, new_mg,
       raw_mg, refused, case when new_mg <> old_mg then cast(:journal as bigint) end
from ({figures}) f
"""
_NEXT = text("""
select max(resident_id) from (
  select resident_id from wallet where shard_id = :shard and resident_id > :after order by resident_id limit :most
) next
""")
_OF_ACT = text("""
select r.at, r.old_mg, r.new_mg, r.journal_id, r.reasons, o.restatement_id, o.reason,
       b.code as from_code, b.version as from_version, b.in_force as from_since, encode(b.digest, 'hex') as from_digest,
       t.code as to_code, t.version as to_version, t.in_force as to_since, encode(t.digest, 'hex') as to_digest
from restated r
join restatement o using (restatement_id)
join formula_release b on b.release_id = r.from_release
join formula_release t on t.release_id = r.to_release
where r.resident_id = :resident and r.activity_id = :activity
order by r.generation, r.restatement_id
""")


@dataclass(frozen=True)
class Step:
    """What one step did: acts restated, postings written, after which resident the next begins (None: shard done)."""

    acts: int
    postings: int
    after: int | None


def check_order(payload: Mapping[str, Any]) -> None:
    """Raises Invalid unless the payload names a version that credits and a period: code, version, since, until."""
    faults = []
    code, version = payload.get("code"), payload.get("version")
    known = {m.version for m in VERSIONS.get(str(code), ()) if may_credit(m)}
    if version not in known:
        no_such = Text("没有这个可计入的方法学版本", "No such version that credits")
        faults.append(FieldFault("/version", "unknown_version", no_such))
    try:
        since, until = (date.fromisoformat(str(payload.get(name))) for name in ("since", "until"))
        if until < since:
            raise ValueError
    except ValueError:
        faults.append(FieldFault("/since", "wrong_period", Text("期间有误", "The period is wrong")))
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=tuple(faults))


def order(session: Session, approval_id: int, payload: Mapping[str, Any]) -> int:
    """Write down an approved order; it is carried out by `restate_next`. The number of the order."""
    check_order(payload)
    reason = session.execute(
        text("select reason from approval where approval_id = :approval"), {"approval": approval_id}
    ).scalar_one()
    values = {
        "code": payload["code"],
        "methodology": version_of(payload["code"], payload["version"]).number,
        "version": payload["version"],
        "since": date.fromisoformat(payload["since"]),
        "until": date.fromisoformat(payload["until"]),
        "reason": reason,
        "approval_id": approval_id,
    }
    return session.execute(
        insert(Restatement).values(**values).returning(Restatement.restatement_id)
    ).scalar_one()


def order_of(session: Session, approval_id: int) -> Restatement:
    """The order an approval made. Raises NotFound where there is none (yet)."""
    found = session.scalars(select(Restatement).where(Restatement.approval_id == approval_id)).first()
    if found is None:
        raise NotFound(
            "restatement_unknown", Text("没有已批准的重述", "No restatement was approved under this number")
        )
    return found


def shards(session: Session) -> list[int]:
    """Every shard that has wallets."""
    return list(session.execute(text("select distinct shard_id from wallet order by 1")).scalars())


def restate_next(
    session: Session, ordered: Restatement, shard: int, after: int, today: date, most: int = STEP_RESIDENTS
) -> Step:
    """Restate the acts of the shard's next residents after `after`, in the caller's transaction."""
    upto = session.execute(_NEXT, {"shard": shard, "after": after, "most": most}).scalar_one()
    if upto is None:
        return Step(0, 0, None)
    lock_shard(session, shard)
    alternative = _alternative(ordered)
    numbers = publish_these(session, releases(alternative))
    asked = figures(alternative, numbers, _WHICH)
    given = {
        "since": ordered.since,
        "until": ordered.until,
        "of_shard": shard,
        "after": after,
        "upto": upto,
        "order": ordered.restatement_id,
    }
    touched = session.execute(text(_TOUCHED.format(figures=asked)), given)
    lock_wallets(session, shard, list(touched.scalars()))
    ctes = _ORDERED.format(contra=int(ContraKind.ADJUSTMENT), figures=asked)
    posted = post_selected(session, ctes, given, JournalKind.RESTATEMENT, shard, today)
    written = session.execute(
        text(_REMEMBER.format(figures=asked) + " returning 1"), {**given, "journal": posted.journal_id}
    )
    return Step(len(written.all()), posted.n, upto)


def restatements_of(session: Session, resident_id: int, activity_id: int) -> list[dict[str, Any]]:
    """What restatements did to an act's grams, oldest first, JSON-ready; every passage of the act."""
    rows = session.execute(_OF_ACT, {"resident": resident_id, "activity": activity_id}).mappings()
    return [_told(row) for row in rows]


def _alternative(ordered: Restatement) -> Methodology:
    return reaching_back(version_of(ordered.code, ordered.version), ordered.since)


def _told(row: RowMapping) -> dict[str, Any]:
    return {
        "at": row["at"].isoformat().replace("+00:00", "Z"),
        "restatement": row["restatement_id"],
        "from_release": _release(row, "from"),
        "to_release": _release(row, "to"),
        "old_mg": row["old_mg"],
        "new_mg": row["new_mg"],
        "reason": row["reason"],
        "refused_for": list(row["reasons"] or ()),
        "journal": row["journal_id"],
    }


def _release(row: RowMapping, which: str) -> dict[str, Any]:
    return {
        "methodology": row[f"{which}_code"],
        "version": row[f"{which}_version"],
        "since": row[f"{which}_since"].isoformat(),
        "digest": "sha256:" + row[f"{which}_digest"],
    }
