"""Who is asking and may they: answered before any view, its body or its arguments are looked at."""

import ipaddress

from flask import Flask, g, request

from carbon_credits.api import limits
from carbon_credits.api.access import Who
from carbon_credits.api.errors import BEARER
from carbon_credits.api.house import House, house
from carbon_credits.api.problems import Problem
from carbon_credits.core.db import database
from carbon_credits.core.i18n import Text
from carbon_credits.core.tokens import Principal
from carbon_credits.partners import clients
from carbon_credits.residents import sessions

SIGN_IN = Text("需要访问令牌", "An access token is needed")


def register(app: Flask) -> None:
    """Ask before every request."""
    app.before_request(admit)


def admit() -> None:
    """Let in who the table allows; an address without a route goes on to its 404 or 405."""
    endpoint = request.endpoint
    if endpoint is None:
        return
    ours = house()
    who = ours.access[endpoint]
    if who is Who.LOOPBACK:
        _refuse_outsiders()
    elif who in (Who.ANYONE, Who.FEED):
        # whose push it is is asked of the feed, in the view and before anything of it is read
        _count(ours, "address", request.remote_addr or "")
    else:
        g.principal = _principal(ours, who)
        _count(ours, who.value, g.principal.actor)


def _principal(ours: House, who: Who) -> Principal:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("not_authenticated", SIGN_IN, headers={"WWW-Authenticate": BEARER})
    # the view's own transaction goes on in this session, so a request takes one connection and begins once
    session = database.session()
    if who is Who.RESIDENT:
        return sessions.authenticate(session, ours.keyring, token.strip())
    return clients.authenticate(session, ours.keyring, token.strip())


def _count(ours: House, policy: str, caller: str) -> None:
    left = ours.limiter.take(policy, caller)
    g.rate_headers = limits.headers(policy, ours.limiter.per_minute[policy], left)


def _refuse_outsiders() -> None:
    """Only a caller on this machine, and not one who came through a proxy on this machine."""
    outside = not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104 - no address at all
    if outside or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        raise Problem("not_found", Text("这里没有您要的内容", "There is nothing here by that name"))
