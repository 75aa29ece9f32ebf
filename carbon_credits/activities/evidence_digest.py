"""What an act's evidence digest covers, in one SQL text that both intakes write and every replay asks.

It stands over what is stored, so it can be recomputed for ever from the row alone: whose act, which methodology, when,
what was monitored, the other evidence, the keyed references. (`act_key.content_digest` also covers the references as
they were told, which are not kept.) Big-endian, fixed widths; a key has its length before it, JSON a line end behind.
"""

from collections.abc import Mapping
from typing import Final

_FIXED: Final = {
    "activity_id": "int8send({})",
    "resident_id": "int8send({})",
    "source_id": "int2send({})",
    "methodology": "int2send({})",
    "occurred_from": "timestamptz_send({})",
    "occurred_to": "timestamptz_send({})",
    "occurred_on": "date_send({})",
    "evidence_class": "convert_to({}::text, 'UTF8')",
}
# binary JSON prints one way only, on one line: keys sorted, none twice, one spelling for a number
_TOLD: Final = "convert_to({0}::text || chr(10) || coalesce({1}::text, '-') || chr(10), 'UTF8')"
_KEYS: Final = ("vehicle_key", "item_key", "transaction_key", "meter_key")
COLUMNS: Final = (*_FIXED, "monitored", "evidence", *_KEYS)


def evidence_digest(row: str, **elsewhere: str) -> str:
    """SQL for the 16 bytes over an act. `row` stands before each column's name, its dot included.

    A keyword names the expression of a column that is not found there.
    """
    return _digest({name: elsewhere.get(name, row + name) for name in COLUMNS})


def _digest(column: Mapping[str, str]) -> str:
    parts = [fixed.format(column[name]) for name, fixed in _FIXED.items()]
    parts.append(_TOLD.format(column["monitored"], column["evidence"]))
    parts += [_key(column[name]) for name in _KEYS]
    return f"substr(sha256({' || '.join(parts)}), 1, 16)"


def _key(content: str) -> str:
    return f"coalesce(int4send(length({content})) || {content}, decode('ffffffff', 'hex'))"
