"""What a partner says of a file: read strictly, every fault named. Pure: no database and no clock.

The convention is that of file drops: a name `PARTNER_FEED_YYYYMMDD_SEQ_vN.csv.gz`, a sequence that grows by one for
ever, versions for delivering the same number again, counts and control totals of the content, and a detached Ed25519
signature (RFC 8032) over the canonical bytes of the manifest (RFC 8785).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text

MOST_BYTES: Final = 65_536
_GREATEST: Final = 2**53 - 1
_MOST_NAMES: Final = 100
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
_SHA: Final = re.compile(r"[0-9a-f]{64}")
_WORD: Final = re.compile(r"[!-~]{1,100}")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_AMOUNT: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?")
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


class _Wrong(Exception):
    """A value that cannot stand where it stands."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.detail = Text(zh, en)


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
    for name, check in KEYS.items():
        if name not in told:
            faults.append(FieldFault(f"/manifest/{name}", "required", Text("必填", "Required")))
            continue
        try:
            values[name] = check(told[name])
        except _Wrong as wrong:
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


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise _Wrong(f"应为 {least} 至 {most} 的整数", f"Must be a whole number from {least} to {most}")
        return value

    return check


def _text(form: re.Pattern[str], zh: str, en: str, *, may_be_null: bool = False) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value is None and may_be_null:
            return None
        if not isinstance(value, str) or form.fullmatch(value) is None:
            raise _Wrong(zh, en)
        return value

    return check


def _day(value: Any) -> date:
    wrong = _Wrong("应为 YYYY-MM-DD", "Must be YYYY-MM-DD")
    if not isinstance(value, str) or len(value) != len("2026-11-22"):
        raise wrong
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise wrong from None


def _instant(value: Any) -> datetime:
    wrong = _Wrong("应为带时区的 RFC 3339 时间", "Must be an RFC 3339 time with its offset")
    if not isinstance(value, str):
        raise wrong
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None or not 1970 <= found.year < 9999:
            raise wrong
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong from None


def _window(value: Any) -> tuple[datetime, datetime]:
    if not isinstance(value, dict) or value.keys() != {"from", "to"}:
        raise _Wrong("应为 {from, to}", "Must be {from, to}")
    return _instant(value["from"]), _instant(value["to"])


def _named(check: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def each(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > _MOST_NAMES:
            raise _Wrong("应为对象", "Must be an object")
        if any(_NAME.fullmatch(name) is None for name in value):
            raise _Wrong("名称过长或含控制字符", "A name is too long or holds control characters")
        return {name: check(inner) for name, inner in value.items()}

    return each


def _amount(value: Any) -> Decimal:
    told = str(value) if type(value) is int else value
    if not isinstance(told, str) or _AMOUNT.fullmatch(told) is None:
        raise _Wrong("应为整数，或写成文字的小数", 'Must be whole numbers, or fractions as text: "12.50"')
    return Decimal(told)


def _one_of(*words: str | None) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value not in words or isinstance(value, int | float):
            listed = ", ".join(str(word).replace("None", "null") for word in words)
            raise _Wrong(f"应为其一：{listed}", f"Must be one of {listed}")
        return value

    return check


_SHA_WORDS: Final = ("应为 64 位小写十六进制", "Must be 64 lower-case hexadecimal digits")
_CODE_WORDS: Final = ("应为小写代码", "Must be a code in lower case")
# every key of a manifest, all of them required, and how its value is checked
KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "partner": _text(_CODE, *_CODE_WORDS),
    "feed": _text(_CODE, *_CODE_WORDS),
    "seq": _whole(1, 9_999_999_999),
    "version": _whole(1, 999),
    "replaces_sha256": _text(_SHA, *_SHA_WORDS, may_be_null=True),
    "service_date": _day,
    "window": _window,
    "created_at": _instant,
    "schema_id": _text(_WORD, "应为 1–100 个可见字符", "Must be 1 to 100 visible ASCII characters"),
    "crs": _one_of("WGS84", "GCJ02", None),
    "tz": _one_of("Asia/Shanghai", "UTC"),
    "units": _named(_text(_WORD, "单位应为短词", "A unit is a short word")),
    "file": _text(_WORD, "文件名过长或含空格", "The name is too long or holds blanks"),
    "bytes": _whole(1, _GREATEST),
    "sha256": _text(_SHA, *_SHA_WORDS),
    "sha256_raw": _text(_SHA, *_SHA_WORDS),
    "rows": _whole(0, 1_000_000_000),
    "totals": _named(_amount),
    "by_type": _named(_whole(0, 1_000_000_000)),
    "complete_through": _instant,
}
