"""A partner's OCPI CDRs as a receiver pulls them: envelope, pages with their headers, times in UTC, units, places."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from carbon_credits.cli.conformance.checks import Report
from carbon_credits.cli.conformance.fetching import Fetched, Fetcher
from carbon_credits.cli.conformance.reading import check_items, expect_stable
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed

NEXT: Final = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')
MOST_PAGES: Final = 20
PAGE: Final = 50
CDRS: Final = Text("明细", "records")


def check(report: Report, fetcher: Fetcher, url: str, feed: Feed) -> None:
    """Look at pages of CDRs, twice. Raises FetchFault."""
    first = fetcher.get(f"{url}{'&' if '?' in url else '?'}offset=0&limit={PAGE}")
    found = Text(f"HTTP {first.status}", f"HTTP {first.status}")
    mend = Text("Authorization: Token + base64 的令牌", "Authorization: Token with the base64 of the token")
    if not report.expect("authorized", first.status == 200, found, mend):
        return
    _envelope(report, first)
    cdrs = _pages(report, fetcher, url, first)
    if check_items(report, feed, cdrs, CDRS):
        _zone(report, cdrs)
        _hours(report, cdrs)
        again = fetcher.get(first.url)
        expect_stable(report, _by_id(_data(first)), _by_id(_data(again)))


def _envelope(report: Report, answer: Fetched) -> None:
    document = answer.document()
    told = document if isinstance(document, dict) else {}
    code, at = told.get("status_code"), told.get("timestamp")
    found = Text(f"status_code {code}，timestamp {at}", f"status_code {code}, timestamp {at}")
    mend = Text("应为 {data, status_code: 1000, timestamp}", "Answer {data, status_code: 1000, timestamp}")
    is_right = code == 1000 and isinstance(at, str) and isinstance(told.get("data"), list)
    report.expect("envelope", is_right, found, mend)


def _pages(report: Report, fetcher: Fetcher, url: str, answer: Fetched) -> list[Any]:
    """All CDRs; notes whether count, links and pages hold together."""
    told_total = answer.headers.get("x-total-count", "")
    cdrs, seen, pages = list(_data(answer)), {answer.url}, 1
    following = _next(answer)
    while following is not None and following not in seen and pages < MOST_PAGES:
        seen.add(following)
        answer = fetcher.get(fetcher.within(url, following))
        cdrs += _data(answer)
        pages += 1
        following = _next(answer)
    twice = len(cdrs) - len(_by_id(cdrs))
    is_cut = following is not None
    whole = is_cut or told_total == str(len(cdrs))
    found = Text(
        f"{pages} 页 {len(cdrs)} 条，X-Total-Count {told_total or '缺'}，{twice} 条重复",
        f"{pages} pages, {len(cdrs)} records, X-Total-Count {told_total or 'missing'}, {twice} told twice",
    )
    mend = Text(
        "给出 X-Total-Count、X-Limit 与 Link rel=next，各页不重复且有终点",
        "Send X-Total-Count, X-Limit and Link rel=next; pages tell nothing twice and end",
    )
    is_circle = following in seen
    report.expect("paging", whole and not twice and not is_circle and told_total.isdecimal(), found, mend)
    return cdrs


def _data(answer: Fetched) -> Sequence[Any]:
    document = answer.document() if answer.status == 200 else {}
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, list) else []


def _next(answer: Fetched) -> str | None:
    found = NEXT.search(answer.headers.get("link", ""))
    return found[1] if found else None


def _by_id(cdrs: Sequence[Any]) -> Mapping[str, Any]:
    return {
        ":".join(str(cdr.get(name)) for name in ("country_code", "party_id", "id")): cdr
        for cdr in cdrs
        if isinstance(cdr, dict)
    }


def _zone(report: Report, cdrs: Sequence[Any]) -> None:
    wrong = [
        cdr
        for cdr in cdrs
        if isinstance(cdr, dict) and not all(_is_utc(cdr.get(f"{end}_date_time")) for end in ("start", "end"))
    ]
    found = Text(f"{len(wrong)} 条时间非 UTC", f"{len(wrong)} records with times that are not in UTC")
    report.expect(
        "time_zone", not wrong, found, Text("时间以 UTC 表示，以 Z 结尾", "Times are UTC and end in Z")
    )


def _is_utc(told: Any) -> bool:
    return isinstance(told, str) and told.endswith("Z")


def _hours(report: Report, cdrs: Sequence[Any]) -> None:
    """Whether `total_time` is in hours, as OCPI has it, beside the times told."""
    wrong = looked_at = 0
    for cdr in cdrs:
        try:
            start, end = (datetime.fromisoformat(cdr[f"{one}_date_time"]) for one in ("start", "end"))
            hours, said = Decimal(int((end - start).total_seconds())) / 3600, Decimal(cdr["total_time"])
        except (KeyError, TypeError, ValueError, ArithmeticError):
            continue
        looked_at += 1
        wrong += abs(said - hours) > max(Decimal("0.1"), hours / 2)
    if not looked_at:
        report.skip("hours", Text("没有 total_time", "there is no total_time"))
        return
    found = Text(
        f"{wrong} 条 total_time 与起止不符", f"{wrong} records whose total_time is not that of their times"
    )
    report.expect("hours", not wrong, found, Text("total_time 为小时", "total_time is in hours"))
