"""Points of a year and of its campaigns: what one person nearly got alone is told by no sum."""

from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.reporting.evaluation_programme import campaigns, programme
from tests.factories.ledger import TODAY, Act, a_campaign_fund, a_fund, credit, residents


def test_points_nearly_one_persons_are_hidden_with_those_that_would_tell_them(session: Session) -> None:
    fund = a_fund(session)
    # thirteen of whom one got nearly all, fifteen, and forty who got enough to hide that beside
    bonuses = [[5_000, *[10] * 12], [10] * 15, [100] * 40]
    for points in bonuses:
        campaign = a_campaign_fund(session)
        for resident, bonus in zip(residents(session, len(points)), points, strict=True):
            act = Act(resident, points=20 * bonus, fund_id=fund, bonus=bonus, bonus_fund_id=campaign)
            assert credit(session, act, TODAY) is not None
    session.execute(text("update campaign set state = 'running', launched_at = now()"))
    # each of them on a day of its own from then on
    told = campaigns(session, date(2100, 1, 1), date(2200, 1, 1))
    assert [(one["people"], one["points"]) for one in told] == [(13, None), (15, 150), (40, None)]
    assert told[0]["budget_points"] == 1_000_000
    year = TODAY, TODAY + timedelta(days=1)
    points = programme(session, *year)["points"]
    # of all together nobody has so much
    assert (points["bonus"], points["granted"], points["spent"]) == (9_270, 185_400, 0)
    credit(session, Act(residents(session, 1)[0], points=700_000, fund_id=fund), TODAY)
    points = programme(session, *year)["points"]
    assert (points["bonus"], points["granted"]) == (9_270, None)
