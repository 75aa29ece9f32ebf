"""What our own reader makes of a partner's documents: each reason it gives belongs to one named check."""

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, Final

from carbon_credits.activities.reasons import REASONS, explain
from carbon_credits.cli.conformance.checks import Report
from carbon_credits.core import clock
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, FileFault, Item, ParseOptions, Unusable

# check by reason; what is named nowhere is of the schema
CHECKS: Final[Mapping[str, frozenset[str]]] = {
    "schema": frozenset({"not_readable", "unknown_propulsion", "not_a_cdr"}),
    "coordinates": frozenset({"coordinates_swapped", "coordinates_out_of_range"}),
    "times": frozenset({"ends_before_start", "contradictory_duration", "absurd_duration"}),
    "units": frozenset({"implausible_power"}),
    "subject": frozenset({"subject_missing"}),
}
MEND: Final[Mapping[str, Text]] = {
    "schema": Text("按文档改正字段", "Mend the fields by the documents at /docs/partners"),
    "coordinates": Text("纬度在前、WGS-84、十进制度", "Latitude is north-south; WGS-84 in decimal degrees"),
    "times": Text("检查时区与起止时间", "Look at the zone and at start and end"),
    "units": Text("能量 kWh，距离 m，时长 s，时刻按标准", "Energy in kWh, distance in m, duration in s"),
    "subject": Text("提供绑定用户的标识", "Tell whose it is: the customer's token at the programme"),
}


def yesterday() -> date:
    """The day that samples are moved to."""
    return clock.today() - timedelta(days=1)


def sample_of(feed: Feed, name: str) -> list[Item]:
    """What the feed reads of one of its samples, as of yesterday."""
    return list(feed.parse_file(io.BytesIO(feed.samples[name](yesterday())), ParseOptions()))


def read(feed: Feed, documents: Sequence[Any]) -> list[Item]:
    """Every item our reader finds. Raises FileFault."""
    raw = json.dumps(documents, default=_number).encode()
    return list(feed.parse_file(io.BytesIO(raw), ParseOptions()))


def check_items(report: Report, feed: Feed, documents: Sequence[Any], many: Text) -> list[Item]:
    """Note what our reader says of documents, check by check; the items."""
    try:
        items = read(feed, documents) if documents else []
    except FileFault as fault:
        report.expect("schema", False, fault.detail, MEND["schema"])
        return []
    if not items:
        report.skip("schema", Text(f"没有{many.zh}可查", f"there are no {many.en} to look at"))
        return items
    said = Counter(reason for item in items if isinstance(item, Unusable) for reason in item.reasons)
    known = frozenset().union(*CHECKS.values())
    for name, reasons in CHECKS.items():
        found = {r: n for r, n in said.items() if r in reasons or (name == "schema" and _is_other(r, known))}
        good = Text(f"{len(items)} 条{many.zh}", f"{len(items)} {many.en}")
        report.expect(name, not found, _listed(found) if found else good, MEND[name])
    return items


def expect_stable(report: Report, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    """Note whether two fetches told the same things by the same identifiers."""
    gone = first.keys() - second.keys()
    changed = [name for name in first.keys() & second.keys() if first[name] != second[name]]
    found = Text(
        f"第二次取数少了 {len(gone)} 个编号，{len(changed)} 条内容不同",
        f"the second fetch lacks {len(gone)} identifiers and tells {len(changed)} otherwise",
    )
    mend = Text("编号须永久不变，更正另发", "Identifiers never change; a correction is told as one")
    report.expect("stable_ids", not gone and not changed, found, mend)


def expect_speed(report: Report, metres: Sequence[Decimal | int], seconds: Sequence[Decimal | int]) -> None:
    """Note whether distances over durations could be rides, in the middle: 0.5 to 15 m/s."""
    speeds = [Decimal(m) / Decimal(s) for m, s in zip(metres, seconds, strict=True) if s > 0]
    if not speeds:
        report.skip("speed", Text("没有可算的行程", "there is no trip to reckon with"))
        return
    middle = median(speeds)
    found = Text(f"速度中位数 {middle:.3g} m/s", f"the middle speed is {middle:.3g} m/s")
    report.expect("speed", Decimal("0.5") <= middle <= 15, found, MEND["units"])


def _is_other(reason: str, known: frozenset[str]) -> bool:
    # a credit or a void is no fault of a document
    return reason not in known and reason != "correction_waits"


def _listed(found: Mapping[str, int]) -> Text:
    words = [(n, explain(code) if code in REASONS else Text(code, code), code) for code, n in found.items()]
    return Text(
        "；".join(f"{n} 条：{text.zh}（{code}）" for n, text, code in words),
        "; ".join(f"{n}: {text.en} ({code})" for n, text, code in words),
    )


def _number(value: Any) -> Any:
    # a float only to be written: our reader takes its digits, not its bits
    return float(value)
