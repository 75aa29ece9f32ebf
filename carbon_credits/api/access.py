"""Who may call what: one literal table, deny by default.

A route without a row here stops the application from starting, and so does a row without a route.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from flask import Flask


class Who(StrEnum):
    """The audiences. A token for one is worth nothing for another."""

    ANYONE = "anyone"
    RESIDENT = "resident"
    PARTNER = "partner"
    # a partner's own format has its own way of showing who sends, and the feed judges it
    FEED = "feed"
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
    "feeds.push": Who.FEED,
    "keys.publish": Who.ANYONE,
    "probes.alive": Who.ANYONE,
    "probes.ready": Who.ANYONE,
    "probes.metrics": Who.LOOPBACK,
    "documents.show": Who.ANYONE,
    "docs.page": Who.ANYONE,
    "docs.asset": Who.ANYONE,
    "pages.methodologies": Who.ANYONE,
    "pages.methodology": Who.ANYONE,
    "pages.release": Who.ANYONE,
    "pages.lent_receipt": Who.ANYONE,
    "pages.asset": Who.ANYONE,
    "guide.page": Who.ANYONE,
    "guide.schema": Who.ANYONE,
    "guide.sample": Who.ANYONE,
}


class RouteWithoutRule(Exception):
    """The routes and the table of who may call them do not agree."""


def check(app: Flask, others: Mapping[str, Who] | None = None) -> Mapping[str, Who]:
    """The whole table, once it is known to name every route and nothing else; raises RouteWithoutRule."""
    table = {**ACCESS, **(others or {})}
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    if routes != set(table):
        missing, idle = sorted(routes - set(table)), sorted(set(table) - routes)
        raise RouteWithoutRule(f"routes without a rule: {missing}; rules without a route: {idle}")
    return table
