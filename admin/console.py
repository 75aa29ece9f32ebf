"""The console put together: its addresses under `/admin`, its guard, its answers to what goes wrong."""

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Flask

from admin import (
    access,
    account,
    appeal,
    approvals,
    assets,
    audit,
    campaign_deeds,
    campaign_reports,
    campaign_trials,
    campaigns,
    case,
    drive_requests,
    drive_reviews,
    drives,
    evaluations,
    exports,
    feed,
    file,
    funds,
    group_deeds,
    groups,
    guard,
    home,
    incentives,
    indicators,
    merchants,
    offers,
    pages,
    participation,
    proceeds,
    queue,
    refusals,
    residents,
    review,
    rules,
    settlements,
    signing_in,
    single_sign_on,
    staff,
    welcome,
)
from carbon_credits.config import Settings

NAME: Final = "console"
# in the order of the menu; each module is a noun
DOORS: Final[Sequence[Blueprint]] = (
    assets.blueprint,
    signing_in.blueprint,
    single_sign_on.blueprint,
    welcome.blueprint,
    account.blueprint,
    queue.blueprint,
    approvals.blueprint,
    review.blueprint,
    appeal.blueprint,
    case.blueprint,
    feed.blueprint,
    file.blueprint,
    residents.blueprint,
    staff.blueprint,
    audit.blueprint,
    campaigns.blueprint,
    campaign_deeds.blueprint,
    campaign_trials.blueprint,
    campaign_reports.blueprint,
    groups.blueprint,
    group_deeds.blueprint,
    drives.blueprint,
    drive_requests.blueprint,
    drive_reviews.blueprint,
    incentives.blueprint,
    merchants.blueprint,
    offers.blueprint,
    settlements.blueprint,
    funds.blueprint,
    rules.blueprint,
    participation.blueprint,
    indicators.blueprint,
    evaluations.blueprint,
    proceeds.blueprint,
    exports.blueprint,
    home.blueprint,
)


def install(app: Flask, told: Settings) -> frozenset[str]:
    """Give the application its console; returns its endpoints, for which the guard alone is responsible.

    Raises AddressWithoutRule where an address has no row in the table.
    """
    app.secret_key = told.vault.key("console-notes")
    app.config.update(
        SESSION_COOKIE_NAME=guard.cookie_name(told, "notes"),
        SESSION_COOKIE_SECURE=guard.is_https(told),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
    )
    console = Blueprint(NAME, __name__, url_prefix="/admin")
    console.before_request(guard.admit)
    console.after_request(pages.finish)
    refusals.register(console)
    for door in DOORS:
        console.register_blueprint(door)
    before = {rule.endpoint for rule in app.url_map.iter_rules()}
    app.register_blueprint(console)
    added = frozenset(rule.endpoint for rule in app.url_map.iter_rules()) - before
    access.check({endpoint.removeprefix(NAME + ".") for endpoint in added})
    return added
