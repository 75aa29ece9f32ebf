"""A resident's statement as a paper, in one language, with a code that leads to the same figures online."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from carbon_credits.core.i18n import Language, Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.methodologies.standing import programme_status
from carbon_credits.reporting import numbers, papers
from carbon_credits.reporting.papers import CO2E, Styles, words
from carbon_credits.reporting.statements import Balance, Line, Statement

TITLE: Final = Text("禅城碳普惠月度对账单", "Chancheng carbon rewards: monthly statement")
HEADS: Final = {
    "earned": Text("获得", "Earned"),
    "taken_back": Text("追回", "Taken back"),
    "spent": Text("兑换使用", "Spent"),
    "lapsed": Text("过期", "Lapsed"),
    "adjusted": Text("其他调整", "Other adjustments"),
}
KINDS: Final = {
    "grant": Text("积分发放", "Granted"),
    "bonus": Text("活动加赠", "Bonus"),
    "merchant": Text("商户兑换", "Redeemed"),
    "write_off": Text("核销", "Written off"),
    "breakage": Text("过期", "Lapsed"),
    "clawback": Text("追回", "Taken back"),
    "adjustment": Text("减排量调整", "Grams adjusted"),
}
POOLS: Final = {
    "verified_mg": Text("核证减排量", "Verified"),
    "claimed_mg": Text("申报减排量", "Claimed"),
    "removal_mg": Text("植树清除量", "Removal"),
}
NO_ACT: Final = Text("其他", "Other")
CHECK: Final = Text(
    "扫描右侧二维码可在线查看同一份数字（30 天内有效，任何持有者均可查看，不含姓名、手机号），"
    "网页显示的摘要应与本页一致。在应用中打开任一条记录的凭据，可逐步重算其减排量。核证与申报减排量不相加。",
    "The code on the right leads to the same figures online: for 30 days, for whoever holds it, with no name and no "
    "phone number. The digest on that page and on this one must agree. The receipt of any act, in the app, lets its "
    "grams be recomputed step by step. Verified and claimed grams are never added up.",
)
NOT_OVER: Final = Text("本月尚未结束，以下截至第 {seq} 笔", "The month is not over: up to posting {seq}")
TRIAL: Final = Text("试行方法学的估算值，不可交易。", "Estimates under trial methodologies, not tradable.")
# of the code, and between a page's margins, in points
SIDE: Final = 96
WIDTH: Final = 481


def paper(shown: Statement, language: Language, link: str, font: Path) -> bytes:
    """The PDF. Raises Unavailable where the font is missing."""
    style = papers.styles(font)

    def say(said: Text) -> str:
        return words(said.in_language(language))

    title = TITLE.in_language(language)
    pieces = [
        papers.paragraph(say(TITLE), style.title),
        papers.paragraph(_period(shown, language), style.text),
    ]
    if not shown.is_over:
        said = Text(*(part.format(seq=shown.upto) for part in NOT_OVER))
        pieces.append(papers.paragraph(say(said), style.small))
    pieces += [papers.space(6), _balances(shown, language, style)]
    pieces += [papers.paragraph(say(Text("减排量（按方法学）", "Grams by methodology")), style.heading)]
    pieces += [_grams(shown, language, style)]
    if programme_status() == "trial":
        pieces.append(papers.paragraph(say(TRIAL), style.small))
    pieces += [papers.paragraph(say(Text("如何核对", "How to check")), style.heading)]
    pieces += [_check(shown, language, link, style)]
    pieces += [
        papers.paragraph(say(Text("明细", "Postings")), style.heading),
        _lines(shown.lines, language, style),
    ]
    return papers.printed(pieces, f"{title} {shown.month:%Y-%m}", title)


def _period(shown: Statement, language: Language) -> str:
    span = f"{numbers.day(shown.month)} – {numbers.day(shown.last_day)}"
    return words(Text(f"记账期间 {span}", f"Booked {span}").in_language(language))


def _balances(shown: Statement, language: Language, style: Styles) -> Any:
    """Points and grams from the opening to the closing balance."""
    header = ["", *(_mass_heading(pool, language) for pool in POOLS.values())]
    header.insert(1, words(Text("积分", "Points").in_language(language)))
    rows = [[papers.paragraph(name, style.cell if n == 0 else style.number) for n, name in enumerate(header)]]
    opening, closing = Text("期初", "Opening"), Text("期末", "Closing")
    rows.append(_balance(opening, shown.opening, language, style))
    for head, points in shown.points.items():
        if points or head in ("earned", "spent", "lapsed"):
            amount = papers.paragraph(_signed(points), style.number)
            name = papers.paragraph(words(HEADS[head].in_language(language)), style.cell)
            rows.append([name, amount, "", "", ""])
    moved = {pool: getattr(shown.closing, pool) - getattr(shown.opening, pool) for pool in POOLS}
    change = papers.paragraph(
        words(Text("本期减排量变动", "Grams of the month").in_language(language)), style.cell
    )
    rows.append(
        [change, "", *(papers.paragraph(_signed(mg, grams=True), style.number) for mg in moved.values())]
    )
    rows.append(_balance(closing, shown.closing, language, style))
    return papers.grid(rows, (103, 90, 96, 96, 96))


def _balance(name: Text, balance: Balance, language: Language, style: Styles) -> list[Any]:
    amounts = [numbers.grouped(balance.points), *(_mass(getattr(balance, pool)) for pool in POOLS)]
    cells = [papers.paragraph(f"<b>{amount}</b>", style.number) for amount in amounts]
    return [papers.paragraph(f"<b>{words(name.in_language(language))}</b>", style.cell), *cells]


def _grams(shown: Statement, language: Language, style: Styles) -> Any:
    heading = words(Text("方法学", "Methodology").in_language(language))
    header = [papers.paragraph(heading, style.cell)]
    header += [papers.paragraph(_mass_heading(pool, language), style.number) for pool in POOLS.values()]
    rows = [header]
    for code, of in shown.grams.items():
        amounts = [papers.paragraph(_signed(getattr(of, pool), grams=True), style.number) for pool in POOLS]
        rows.append([papers.paragraph(_methodology(code, language), style.cell), *amounts])
    return papers.grid(rows, (193, 96, 96, 96))


def _check(shown: Statement, language: Language, link: str, style: Styles) -> Any:
    digest = f"SHA-256 {shown.digest[:32]} {shown.digest[32:]}"
    said = [papers.paragraph(words(CHECK.in_language(language)), style.small), papers.space(4)]
    said += [papers.paragraph(digest, style.small)]
    return papers.grid([[said, papers.qr(link, SIDE)]], (WIDTH - SIDE - 12, SIDE + 12), headed=False)


def _lines(lines: Sequence[Line], language: Language, style: Styles) -> Any:
    names = (Text("记账日", "Booked"), Text("类别", "Kind"), Text("记录", "Act"))
    header = [papers.paragraph(words(name.in_language(language)), style.cell) for name in names]
    amounts = (Text("积分", "Points"), Text("减排量（克）", "Grams"), Text("余额", "Balance"))
    header += [papers.paragraph(words(name.in_language(language)), style.number) for name in amounts]
    rows = [header]
    for line in lines:
        act = _methodology(line.methodology, language) + f"<br/>{line.act}" if line.act else ""
        told = (numbers.day(line.booked_on), words(KINDS[line.kind].in_language(language)), act)
        figures = (_signed(line.points), _all_grams(line, language), numbers.grouped(line.balance_after))
        row = [papers.paragraph(one, style.cell) for one in told]
        rows.append(row + [papers.paragraph(one, style.number) for one in figures])
    return papers.grid(rows, (58, 62, 157, 58, 88, 58))


def _all_grams(line: Line, language: Language) -> str:
    told = [(pool, getattr(line, pool)) for pool in POOLS if getattr(line, pool)]
    return "<br/>".join(
        f"{words(POOLS[pool].in_language(language))} {_signed(mg, grams=True)}" for pool, mg in told
    )


def _methodology(code: str | None, language: Language) -> str:
    title = NO_ACT if code is None else Text(*BY_CODE[code][-1].title)
    return words(title.in_language(language))


def _mass_heading(pool: Text, language: Language) -> str:
    return f"{words(pool.in_language(language))} (g {CO2E})"


def _mass(milligrams: int) -> str:
    """Grams with every digit of the books."""
    sign = "-" if milligrams < 0 else ""
    whole, part = divmod(abs(milligrams), 1_000)
    return numbers.grouped(f"{sign}{whole}.{part:03d}")


def _signed(amount: int, *, grams: bool = False) -> str:
    written = _mass(amount) if grams else numbers.grouped(amount)
    return f"+{written}" if amount > 0 else written
