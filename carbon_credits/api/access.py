"""Who may call what: one literal table, deny by default.

A route without a row here stops the application from starting, and so does a row without a route.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from flask import Flask

from carbon_credits.rewards.clients import SIGNS_IN, Scope, State


class Who(StrEnum):
    """The audiences. A token for one is worth nothing for another."""

    ANYONE = "anyone"
    RESIDENT = "resident"
    PARTNER = "partner"
    MERCHANT = "merchant"
    # a partner's own format has its own way of showing who sends, and the feed judges it
    FEED = "feed"
    # likewise a provider of payments, known by the signature over what it tells
    PROVIDER = "provider"
    # the console has a table of its own, by role, and a guard that reads it
    STAFF = "staff"
    LOOPBACK = "loopback"


ACCESS: Final[Mapping[str, Who]] = {
    "auth.ask_for_code": Who.ANYONE,
    "auth.sign_in": Who.ANYONE,
    "auth.refresh": Who.ANYONE,
    "auth.sign_out": Who.RESIDENT,
    "me.show": Who.RESIDENT,
    "me.change": Who.RESIDENT,
    "me.consents": Who.RESIDENT,
    "me.consent": Who.RESIDENT,
    "activities.submit": Who.RESIDENT,
    "activities.index": Who.RESIDENT,
    "activities.show": Who.RESIDENT,
    "objections.object_to": Who.RESIDENT,
    "objections.take_back": Who.RESIDENT,
    "receipts.show": Who.RESIDENT,
    "receipts.lend_out": Who.RESIDENT,
    "wallet.show": Who.RESIDENT,
    "wallet.postings": Who.RESIDENT,
    "campaigns.index": Who.RESIDENT,
    "monthly.show": Who.RESIDENT,
    "incentives.index": Who.RESIDENT,
    "incentives.state": Who.RESIDENT,
    "incentives.given": Who.RESIDENT,
    "incentives.revoke": Who.RESIDENT,
    "methodologies.index": Who.ANYONE,
    "methodologies.show": Who.ANYONE,
    "oauth.issue": Who.ANYONE,
    "records.take_in": Who.PARTNER,
    "records.take_back": Who.PARTNER,
    "files.take_in": Who.PARTNER,
    "files.show": Who.PARTNER,
    "files.rejects": Who.PARTNER,
    "questions.index": Who.PARTNER,
    "questions.reply": Who.PARTNER,
    "reconciliations.show": Who.PARTNER,
    "outcomes.report": Who.PARTNER,
    "feeds.push": Who.FEED,
    "keys.publish": Who.ANYONE,
    "statuses.show": Who.ANYONE,
    "probes.alive": Who.ANYONE,
    "probes.ready": Who.ANYONE,
    "probes.metrics": Who.LOOPBACK,
    "documents.show": Who.ANYONE,
    "docs.page": Who.ANYONE,
    "docs.asset": Who.ANYONE,
    "pages.front": Who.ANYONE,
    "pages.methodologies": Who.ANYONE,
    "pages.methodology": Who.ANYONE,
    "pages.release": Who.ANYONE,
    "pages.lent_receipt": Who.ANYONE,
    "pages.asset": Who.ANYONE,
    "lent_statements.show": Who.ANYONE,
    "guide.page": Who.ANYONE,
    "guide.schema": Who.ANYONE,
    "guide.sample": Who.ANYONE,
    "groups.index": Who.RESIDENT,
    "groups.found": Who.RESIDENT,
    "groups.show": Who.RESIDENT,
    "groups.boards": Who.RESIDENT,
    "memberships.history": Who.RESIDENT,
    "memberships.join": Who.RESIDENT,
    "memberships.change": Who.RESIDENT,
    "memberships.ask": Who.RESIDENT,
    "memberships.invite": Who.RESIDENT,
    "memberships.leave": Who.RESIDENT,
    "group_drives.index": Who.RESIDENT,
    "group_drives.ask": Who.RESIDENT,
    "group_drives.withdraw": Who.RESIDENT,
    "offers.index": Who.RESIDENT,
    "offers.show": Who.RESIDENT,
    "applications.apply": Who.ANYONE,
    "pairing.pair": Who.ANYONE,
    "merchant.show": Who.MERCHANT,
    "redemptions.reserve": Who.RESIDENT,
    "redemptions.index": Who.RESIDENT,
    "redemptions.show": Who.RESIDENT,
    "redemptions.cancel": Who.RESIDENT,
    "qr.draw": Who.RESIDENT,
    "gifts.begin": Who.RESIDENT,
    "gifts.index": Who.RESIDENT,
    "gifts.show": Who.RESIDENT,
    "gifts.pledge": Who.RESIDENT,
    "captures.preview": Who.MERCHANT,
    "captures.take": Who.MERCHANT,
    "captures.index": Who.MERCHANT,
    "captures.reverse": Who.MERCHANT,
    "settlements.index": Who.MERCHANT,
    "settlements.show": Who.MERCHANT,
    "settlements.lines": Who.MERCHANT,
    "settlements.table": Who.MERCHANT,
    "coverage.show": Who.ANYONE,
    "pages.coverage": Who.ANYONE,
    "account.show": Who.MERCHANT,
    "account.give": Who.MERCHANT,
    "clients.index": Who.MERCHANT,
    "clients.add": Who.MERCHANT,
    "clients.end": Who.MERCHANT,
    "members.index": Who.MERCHANT,
    "members.add": Who.MERCHANT,
    "members.change_pin": Who.MERCHANT,
    "members.end": Who.MERCHANT,
    "tills.index": Who.MERCHANT,
    "tills.begin_pairing": Who.MERCHANT,
    "tills.show_shift": Who.MERCHANT,
    "tills.begin_shift": Who.MERCHANT,
    "tills.end_shift": Who.MERCHANT,
    "merchant_offers.index": Who.MERCHANT,
    "merchant_offers.show": Who.MERCHANT,
    "merchant_offers.draft": Who.MERCHANT,
    "merchant_offers.change": Who.MERCHANT,
    "merchant_offers.propose": Who.MERCHANT,
    "merchant_offers.take_back": Who.MERCHANT,
    "merchant_offers.pause": Who.MERCHANT,
    "merchant_offers.resume": Who.MERCHANT,
    "merchant_offers.end": Who.MERCHANT,
    "webhooks.hear": Who.PROVIDER,
    "till.page": Who.ANYONE,
    "till.asset": Who.ANYONE,
    "hooks.index": Who.MERCHANT,
    "hooks.add": Who.MERCHANT,
    "hooks.end": Who.MERCHANT,
    "hooks.secret": Who.MERCHANT,
    "hooks.rotate": Who.MERCHANT,
    "hooks.try_out": Who.MERCHANT,
    "hooks.deliveries": Who.MERCHANT,
}


class Need(NamedTuple):
    """What a merchant's client must be allowed, and in which states its merchant may be. No scope: any client."""

    scope: Scope | None
    states: frozenset[State]


# one that is suspended sees what it has and is owed; one that leaves honours what is out; new things need it active
SEEING: Final = frozenset(SIGNS_IN)
HONOURING: Final = frozenset({State.ACTIVE, State.CLOSING})
TRADING: Final = frozenset({State.ACTIVE})

# what each address of a merchant's needs beyond a token; one without a row here stops the start too
NEEDS: Final[Mapping[str, Need]] = {
    "merchant.show": Need(None, SEEING),
    "captures.preview": Need(Scope.CAPTURES, HONOURING),
    "captures.take": Need(Scope.CAPTURES, HONOURING),
    "captures.index": Need(Scope.CAPTURES, SEEING),
    # undoing gives back to residents, so one that is suspended may
    "captures.reverse": Need(Scope.REVERSALS, SEEING),
    "settlements.index": Need(Scope.SETTLEMENTS, SEEING),
    "settlements.show": Need(Scope.SETTLEMENTS, SEEING),
    "settlements.lines": Need(Scope.SETTLEMENTS, SEEING),
    "settlements.table": Need(Scope.SETTLEMENTS, SEEING),
    "account.show": Need(Scope.SETTLEMENTS, SEEING),
    "account.give": Need(Scope.SETTLEMENTS, HONOURING),
    "clients.index": Need(Scope.STAFF, SEEING),
    "clients.add": Need(Scope.STAFF, HONOURING),
    "clients.end": Need(Scope.STAFF, SEEING),
    "members.index": Need(Scope.STAFF, SEEING),
    "members.add": Need(Scope.STAFF, HONOURING),
    "members.change_pin": Need(Scope.STAFF, HONOURING),
    "members.end": Need(Scope.STAFF, SEEING),
    "tills.index": Need(Scope.STAFF, SEEING),
    # a till has no such scope: there somebody in charge shows their PIN
    "tills.begin_pairing": Need(None, HONOURING),
    "tills.show_shift": Need(Scope.CAPTURES, SEEING),
    "tills.begin_shift": Need(Scope.CAPTURES, HONOURING),
    "tills.end_shift": Need(Scope.CAPTURES, SEEING),
    "merchant_offers.index": Need(Scope.OFFERS, SEEING),
    "merchant_offers.show": Need(Scope.OFFERS, SEEING),
    "merchant_offers.draft": Need(Scope.OFFERS, TRADING),
    "merchant_offers.change": Need(Scope.OFFERS, TRADING),
    "merchant_offers.propose": Need(Scope.OFFERS, TRADING),
    "merchant_offers.take_back": Need(Scope.OFFERS, TRADING),
    "merchant_offers.pause": Need(Scope.OFFERS, SEEING),
    "merchant_offers.resume": Need(Scope.OFFERS, TRADING),
    "merchant_offers.end": Need(Scope.OFFERS, SEEING),
    "hooks.index": Need(Scope.HOOKS, SEEING),
    "hooks.add": Need(Scope.HOOKS, HONOURING),
    "hooks.end": Need(Scope.HOOKS, SEEING),
    "hooks.secret": Need(Scope.HOOKS, SEEING),
    "hooks.rotate": Need(Scope.HOOKS, SEEING),
    "hooks.try_out": Need(Scope.HOOKS, HONOURING),
    "hooks.deliveries": Need(Scope.HOOKS, SEEING),
}

# who needs no token is counted by address; these may be asked less often than others
STRICTER: Final[Mapping[str, str]] = {"applications.apply": "newcomer", "pairing.pair": "newcomer"}


class RouteWithoutRule(Exception):
    """The routes and the table of who may call them do not agree."""


def check(app: Flask, others: Mapping[str, Who] | None = None) -> Mapping[str, Who]:
    """The whole table, once it is known to name every route and nothing else; raises RouteWithoutRule."""
    table = {**ACCESS, **(others or {})}
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    if routes != set(table):
        missing, idle = sorted(routes - set(table)), sorted(set(table) - routes)
        raise RouteWithoutRule(f"routes without a rule: {missing}; rules without a route: {idle}")
    merchants = {endpoint for endpoint, who in table.items() if who is Who.MERCHANT}
    if not set(NEEDS) == merchants or not all(table[endpoint] is Who.ANYONE for endpoint in STRICTER):
        raise RouteWithoutRule(f"merchants' routes and their needs differ: {sorted(merchants ^ set(NEEDS))}")
    return table
