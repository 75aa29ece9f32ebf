"""Where the desks' pages are, over a ground that was laid."""

from carbon_credits.core import clock
from tests.admin.desk_ground import Ground


def pages_of(ground: Ground) -> dict[str, str]:
    """Every page of the desks by a name, as its address under /admin."""
    year = clock.today().year
    return {
        "approvals": "/approvals/",
        "approvals_mine": "/approvals/mine",
        "approvals_decided": "/approvals/decided",
        "settlements": "/settlements/",
        "settlement_day": f"/settlements/days/{ground.day}",
        "settlement": f"/settlements/{ground.settlements[-1]}",
        "payments": "/settlements/payments",
        "rails": "/settlements/rails",
        "drives": "/drives/",
        "drive": "/drives/community",
        "application": f"/drives/applications/{ground.application}",
        "drive_requests": "/drives/requests/",
        "awards": f"/drives/community/awards/{year}",
        "groups": "/groups/",
        "group": f"/groups/{ground.estate}",
        "hub": f"/groups/{ground.hub}",
        "group_requests": "/groups/requests",
        "group_boards": "/groups/boards?kind=estate",
        "group_new": "/groups/new",
        "group_codes": "/groups/codes",
        "merchants": "/merchants/",
        "merchant_applied": f"/merchants/{ground.applied}",
        "merchant": f"/merchants/{ground.active}",
        "offers": "/offers/",
        "offer_put_forward": f"/offers/{ground.put_forward}",
        "offer": f"/offers/{ground.live}",
        "funds": "/funds/",
        "fund": f"/funds/{ground.fund}",
        "fundings": "/funds/fundings",
        "rules": "/rules/",
        "incentives": "/incentives/",
        "incentive": f"/incentives/{ground.programme}",
        "incentive_draft": f"/incentives/{ground.draft}",
        "incentive_edit": f"/incentives/edit?incentive={ground.draft}",
        "incentive_report": "/incentives/reports/green_loan",
    }
