"""A campaign before its second person: every term, what it costs, what stands against it, what a simulation said."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from admin import campaign_words, words
from admin.proposals.shape import Line, Table, Told, points, yuan
from carbon_credits.core import clock
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import simulations
from carbon_credits.ledger import transfers
from carbon_credits.programme import campaign_checks, campaign_terms
from carbon_credits.programme.campaign_models import Campaign
from carbon_credits.reporting.simulated import shown

NOTHING = Text("无", "nothing")
NEWEST = Text("最近一次模拟", "The newest simulation")
NOT_SPENT = Text("不会用完", "it is not spent")
NOT_TRIED = Text("没有做过与此内容一致的模拟", "these terms were never simulated")


def campaign(session: Session, payload: Mapping[str, Any]) -> Told:
    """A campaign's terms, whole."""
    document = payload["terms"]
    known = campaign_words.names(session)
    lines = [Line(line.words, line.value) for line in campaign_words.lines(document, known)]
    return Told(
        Text(f"举办活动“{document['name_zh']}”", f"Hold the campaign “{document['name_en']}”"),
        [*lines, _cost(session, document), _against(session, payload)],
        table=_tried(session, document),
        page=("campaigns.one", {"campaign": payload["campaign_id"]}),
    )


def _cost(session: Session, document: Mapping[str, Any]) -> Line:
    source = {one.code: one for one in transfers.sources(session)}.get(document["source_fund"])
    fen = None if source is None else source.cost_fen(document["budget_points"])
    said = "—" if fen is None else yuan(fen)
    return Line(Text("预算按该资金池现价折合", "The budget at this fund's price today"), said)


def _against(session: Session, payload: Mapping[str, Any]) -> Line:
    """What would refuse it now, were it approved: its day has come, the money is gone, another has the same acts."""
    found = session.get(Campaign, payload["campaign_id"])
    waits = found is not None and found.state == "proposed"
    faults = campaign_checks.contradictions(session, found, clock.today()) if found and waits else ()
    said = [(campaign_words.label(fault.pointer.strip("/")), fault.detail) for fault in faults]
    told = Text(
        "；".join(f"{name.zh}：{detail.zh}" for name, detail in said) or NOTHING.zh,
        "; ".join(f"{name.en}: {detail.en}" for name, detail in said) or NOTHING.en,
    )
    return Line(Text("目前的矛盾与重叠", "What stands against it now"), told)


def _tried(session: Session, document: Mapping[str, Any]) -> Table:
    """What the newest simulation of exactly these terms came to."""
    try:
        found = simulations.newest_of(session, campaign_terms.read(document))
    except Invalid:
        # proposed under other rules than those of today
        found = None
    if found is None:
        return Table(NEWEST, (NEWEST,), [(NOT_TRIED,)])
    outcome = shown(found.outcomes[0])
    fen = None if outcome.cost_micro_fen is None else yuan(-(-outcome.cost_micro_fen // 1_000_000))
    lasts = outcome.runs_out_on
    at = f"#{found.simulation_id}"
    return Table(
        NEWEST,
        (NEWEST, Text(f"{at}，前推 {found.weeks} 周", f"{at}, {found.weeks} weeks back")),
        [
            (Text("费用", "Cost"), fen or "—"),
            (Text("发放", "Given"), points(outcome.points)),
            (Text("预算剩余", "Left"), points(outcome.left)),
            (Text("预算用完", "Spent on"), NOT_SPENT if lasts is None else lasts.isoformat()),
            (Text("受益人数", "People who gain"), campaign_words.people(outcome.people)),
            (Text("限制最多的上限", "What binds most"), words.named(campaign_words.CUTS, outcome.binds_most)),
            (
                Text("前 1% 的人所得", "Share of the top 1 %"),
                campaign_words.top_share(outcome.people, outcome.top_share_ppm),
            ),
        ],
    )
