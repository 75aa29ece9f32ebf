"""What a partner says of a file: read strictly, every fault named. Pure: no database and no clock.

The convention is that of file drops: a name `PARTNER_FEED_YYYYMMDD_SEQ_vN.csv.gz`, a sequence that grows by one for
ever, versions for delivering the same number again, counts and control totals of the content, and a detached Ed25519
signature (RFC 8032) over the canonical bytes of the manifest (RFC 8785).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.partners.manifest_keys import KEYS, Wrong

MOST_BYTES: Final = 65_536
_ENDING: Final = r"\.(csv|json|jsonl|xml)(\.gz)?"


@dataclass(frozen=True)
class Manifest:
    """A manifest in order. `bytes` and `sha256` are of the file as it is sent, `sha256_raw` of it unpacked.

    `rows` counts data rows without header and trailer; `totals` are sums of columns, `by_type` the rows by the values
    of one column. `told` is the document as it came.
    """

    partner: str
    feed: str
    seq: int
    version: int
    replaces_sha256: str | None
    service_date: date
    window_from: datetime
    window_to: datetime
    created_at: datetime
    schema_id: str
    crs: str | None
    tz: str
    units: Mapping[str, str]
    file: str
    bytes: int
    sha256: str
    sha256_raw: str
    rows: int
    totals: Mapping[str, Decimal]
    by_type: Mapping[str, int]
    complete_through: datetime
    told: Mapping[str, Any]

    @property
    def is_table(self) -> bool:
        """Whether the file is CSV, which is looked at line by line."""
        return re.search(r"\.csv(\.gz)?$", self.file) is not None


def read_manifest(raw: bytes) -> Manifest:
    """A manifest from its bytes. Raises Invalid (`manifest_wrong`) with a fault for each key that is."""
    told = _document(raw)
    values, faults = _checked(told)
    if not faults:
        faults = _together(told, values)
    if faults:
        raise Invalid("manifest_wrong", Text("清单有误", "The manifest is wrong"), faults=tuple(faults))
    window = values.pop("window")
    return Manifest(**values, window_from=window[0], window_to=window[1], told=told)


def canonical_bytes(told: Mapping[str, Any]) -> bytes:
    """What is signed: names in order, no blanks, UTF-8 (RFC 8785; there are no fractions in a manifest)."""
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _document(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise _unreadable(f"不得超过 {MOST_BYTES} 字节", f"It is larger than {MOST_BYTES} bytes")
    try:
        told = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_no_fraction,
            parse_constant=_no_fraction,
        )
        canonical_bytes(told if isinstance(told, dict) else {})
    except (ValueError, RecursionError) as error:
        raise _unreadable(
            "应为 UTF-8 的 JSON，名称不重复，数为整数",
            "It must be JSON in UTF-8, no name twice, numbers whole (fractions as text)",
        ) from error
    if not isinstance(told, dict):
        raise _unreadable("应为 JSON 对象", "It must be a JSON object")
    return told


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_fraction(word: str) -> Any:
    raise ValueError(f"{word} is no whole number")


def _unreadable(zh: str, en: str) -> Invalid:
    return Invalid("manifest_unreadable", Text(f"清单无法读取：{zh}", f"The manifest cannot be read. {en}"))


def _checked(told: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldFault]]:
    values: dict[str, Any] = {}
    faults = [
        FieldFault(f"/manifest/{name}", "unknown_field", Text("没有这个字段", "There is no such key"))
        for name in sorted(told.keys() - KEYS.keys())[:20]
    ]
    for name, key in KEYS.items():
        if name not in told:
            faults.append(FieldFault(f"/manifest/{name}", "required", Text("必填", "Required")))
            continue
        try:
            values[name] = key.check(told[name])
        except Wrong as wrong:
            faults.append(FieldFault(f"/manifest/{name}", "wrong_value", wrong.detail))
    return values, faults


def _together(told: Mapping[str, Any], values: Mapping[str, Any]) -> list[FieldFault]:
    """What each key says must also fit what the others say."""
    day = f"{values['service_date']:%Y%m%d}"
    stem = f"{values['partner']}_{values['feed']}_{day}_0*{values['seq']}_v{values['version']}"
    faults = []
    if re.fullmatch(re.escape(stem).replace(r"0\*", "0*") + _ENDING, values["file"]) is None:
        wanted = stem.replace("0*", "") + ".csv.gz"
        detail = Text(f"文件名应如 {wanted}", f"The name must be like {wanted}")
        faults.append(FieldFault("/manifest/file", "wrong_name", detail))
    if values["window"][1] < values["window"][0]:
        detail = Text("结束早于开始", "It ends before it starts")
        faults.append(FieldFault("/manifest/window", "wrong_value", detail))
    if values["version"] == 1 and values["replaces_sha256"] is not None:
        detail = Text("第一版不替代任何文件", "A first version replaces nothing")
        faults.append(FieldFault("/manifest/replaces_sha256", "wrong_value", detail))
    if values["by_type"] and sum(values["by_type"].values()) != told["rows"]:
        detail = Text("各类之和应等于 rows", "Its numbers must add up to rows")
        faults.append(FieldFault("/manifest/by_type", "by_type_differs", detail))
    return faults
