"""What the recycler sold on: the most of a material that can have been recycled in a month, however much boxes weighed.

A purchase is a line of a document of the buyer downstream, brought as CSV by a member of staff and approved by a second.
Of a feed, month and material no more is credited than was bought, plus what may lie in stock; the newest acts beyond are
held. Until a month's purchases are known nothing is capped, and the report says so.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE, BY_NUMBER
from carbon_credits.partners.models import Source
from carbon_credits.reconciliation.balance_models import RecyclerPurchase

PURCHASES: Final = "recycling.purchases"
COLUMNS: Final = ("month", "material", "kg", "document_no", "buyer")
# A month's end leaves unsold what came in last: a tenth of a month is three days' worth (our choice, decision 0022).
STOCK_PM: Final = 100
MOST_LINES: Final = 1_000
MOST_G: Final = 10**12

# Of each month with purchases: what was credited, what is held as beyond them, and what was bought.
MONTHS = text("""
with bought as (
  select source_id, month, methodology, sum(bought_g) as bought_g
  from recycler_purchase where month = :month group by 1, 2, 3
), told as (
  select d.source_id, d.methodology, sum(d.mass_g) as told_g,
         sum(d.mass_g) filter (where n.state = 'credited') as credited_g,
         count(*) filter (where h.reason = 'beyond_recycler_purchases') as held,
         sum(d.mass_g) filter (where h.reason = 'beyond_recycler_purchases') as held_g
  from station_deposit d
  left join act_key k using (source_id, ext_key)
  left join lateral (
    select state from decision n
    where n.resident_id = k.resident_id and n.occurred_on = k.occurred_on and n.activity_id = k.activity_id
    order by generation desc limit 1
  ) n on true
  left join mass_hold h on h.source_id = d.source_id and h.ext_key = d.ext_key and h.released_at is null
  where d.withdrawn_at is null
    and d.at >= cast(:month as timestamp) at time zone 'Asia/Shanghai'
    and d.at < (cast(:month as timestamp) + interval '1 month') at time zone 'Asia/Shanghai'
  group by 1, 2
)
select s.feed, methodology, b.bought_g, coalesce(t.told_g, 0) as told_g, coalesce(t.credited_g, 0) as credited_g,
       coalesce(t.held, 0) as held, coalesce(t.held_g, 0) as held_g
from told t full join bought b using (source_id, methodology)
join source s using (source_id)
where cast(:source as smallint) is null or source_id = :source
order by s.feed, methodology
""")


@dataclass(frozen=True)
class Month:
    """A feed's month of one material, in grams. `bought_g` is None where no purchase is known (`purchases_missing`)."""

    feed: str
    material: str
    bought_g: int | None
    cap_g: int | None
    told_g: int
    credited_g: int
    held: int
    held_g: int
    state: str


def read_csv(path: Path, feed: str) -> dict[str, Any]:
    """The proposal that a file of purchases makes: `month,material,kg,document_no,buyer`. Raises Invalid by line."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise _wrong([_fault(1, f"表头应为 {','.join(COLUMNS)}", f"the header is {','.join(COLUMNS)}")])
        lines, faults = [], []
        for number, row in enumerate(reader, 2):
            try:
                lines.append(_line(row))
            except (ValueError, InvalidOperation, TypeError):
                faults.append(
                    _fault(number, "该行有误", "this line is wrong: a month, a material, kilograms")
                )
    if faults:
        raise _wrong(faults)
    return {"feed": feed, "lines": lines}


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid with every fault of proposed purchases; grams are whole numbers, months first days."""
    lines = payload.get("lines")
    if (
        not isinstance(payload.get("feed"), str)
        or not isinstance(lines, list)
        or not 0 < len(lines) <= MOST_LINES
    ):
        raise _wrong([_fault(0, f"应有 1 至 {MOST_LINES} 行", f"a feed and 1 to {MOST_LINES} lines")])
    faults = [
        _fault(place, "该行有误", "this line is wrong")
        for place, line in enumerate(lines, 1)
        if not _is_line(line)
    ]
    keys = [(line["document_no"], line["month"], line["material"]) for line in lines if _is_line(line)]
    if len(set(keys)) < len(keys):
        faults.append(_fault(0, "同一单据重复", "a document is listed twice for a month and material"))
    if faults:
        raise _wrong(faults)


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> int:
    """Write approved purchases down; returns how many lines. Raises Invalid for an unknown feed, Conflict for a document
    that is known for its month and material: a correction is a credit note, a line of its own below zero.
    """
    asked = select(Source.source_id).where(Source.feed == payload["feed"], Source.source_id > 0)
    source_id = session.execute(asked).scalar_one_or_none()
    if source_id is None:
        raise _wrong([_fault(0, "没有这个数据源", "no such feed")])
    rows = [
        {
            "source_id": source_id,
            "month": date.fromisoformat(line["month"]),
            "methodology": BY_CODE[line["material"]][-1].number,
            "document_no": line["document_no"],
            "buyer": line["buyer"],
            "bought_g": line["bought_g"],
            "approval_id": approval_id,
        }
        for line in payload["lines"]
    ]
    written = insert(RecyclerPurchase).on_conflict_do_nothing().returning(RecyclerPurchase.document_no)
    added = len(session.execute(written, rows).all())
    if added < len(rows):
        known = Text("其中有已登记的采购单据", "A document among them is known for its month and material")
        raise Conflict("purchase_known", known)
    return added


def months(session: Session, month: date, source_id: int | None = None) -> list[Month]:
    """What was credited in a month against what was bought, by feed and material."""
    found = session.execute(MONTHS, {"month": month, "source": source_id})
    return [_month(row) for row in found]


def _month(row: Any) -> Month:
    bought = None if row.bought_g is None else int(row.bought_g)
    cap = None if bought is None else max(0, bought) * (1000 + STOCK_PM) // 1000
    state = "purchases_missing" if cap is None else "beyond" if row.held or row.credited_g > cap else "within"
    amounts = (int(row.told_g), int(row.credited_g), row.held, int(row.held_g))
    return Month(row.feed, BY_NUMBER[row.methodology][-1].code, bought, cap, *amounts, state)


def _line(row: Mapping[str, str | None]) -> dict[str, Any]:
    told = {name: (row[name] or "").strip() for name in COLUMNS}
    grams = Decimal(told["kg"]) * 1000
    if grams != int(grams):
        raise ValueError(told["kg"])
    month = datetime.strptime(told["month"], "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    material = told["material"] if "." in told["material"] else f"recycling.{told['material']}"
    line = {"month": month.isoformat(), "material": material, "bought_g": int(grams)}
    line |= {"document_no": told["document_no"], "buyer": told["buyer"]}
    if not _is_line(line):
        raise ValueError(told)
    return line


def _is_line(line: Any) -> bool:
    if not isinstance(line, dict) or set(line) != {"month", "material", "bought_g", "document_no", "buyer"}:
        return False
    grams, material = line["bought_g"], line["material"]
    is_amount = type(grams) is int and 0 < abs(grams) < MOST_G
    is_material = isinstance(material, str) and material.startswith("recycling.") and material in BY_CODE
    is_named = all(
        isinstance(line[name], str) and 0 < len(line[name]) <= 100 for name in ("document_no", "buyer")
    )
    return is_amount and is_material and is_named and _is_month(line["month"])


def _is_month(told: Any) -> bool:
    try:
        return date.fromisoformat(told).day == 1
    except (TypeError, ValueError):
        return False


def _fault(line: int, zh: str, en: str) -> FieldFault:
    return FieldFault(f"/lines/{line}", "wrong_purchase", Text(zh, en))


def _wrong(faults: Sequence[FieldFault]) -> Invalid:
    return Invalid("wrong_purchases", Text("采购数据有误", "These purchases are wrong"), faults=tuple(faults))
