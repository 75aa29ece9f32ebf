"""Partners that only the demonstration has: they push records and bring no files."""

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import (
    EvidenceClass,
    Feed,
    FileFault,
    Item,
    ParseOptions,
    Scalar,
)


def _no_files(stream: BinaryIO, options: ParseOptions) -> Iterator[Item]:  # noqa: ARG001
    raise FileFault("no_files", Text("该数据源不接收文件", "This feed takes no files"))


def _no_summary(stream: BinaryIO, options: ParseOptions) -> Mapping[str, int]:  # noqa: ARG001
    return {}


def _nothing(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions) -> Iterator[Item]:  # noqa: ARG001
    return iter(())


def _pushed(
    code: str, partner: Text, records: Text, evidence_class: EvidenceClass, *methodologies: str
) -> Feed:
    return Feed(
        code=code,
        partner=code,
        partner_names=partner,
        names=records,
        evidence_class=evidence_class,
        methodologies=methodologies,
        late_days=35,
        parse_file=_no_files,
        summary=_no_summary,
        place=_nothing,
    )


RECYCLING: Final = _pushed(
    "demo_recycling",
    Text("演示回收站", "Demonstration recycling station"),
    Text("回收投放记录", "Recycling drop-offs"),
    "A",
    "recycling.paper",
    "recycling.plastics",
    "recycling.aluminium",
    "recycling.steel",
    "recycling.copper",
    "recycling.glass",
    "recycling.rubber",
)
TAKEAWAY: Final = _pushed(
    "demo_takeaway",
    Text("演示外卖平台", "Demonstration takeaway platform"),
    Text("无餐具订单", "Orders without cutlery"),
    "B",
    "purchases.no_cutlery",
)
PLANTING: Final = _pushed(
    "demo_planting",
    Text("演示绿化机构", "Demonstration planting body"),
    Text("存活树木检查", "Surveys of surviving trees"),
    "A",
    "planting.tree",
)
FEEDS: Final = (RECYCLING, TAKEAWAY, PLANTING)
