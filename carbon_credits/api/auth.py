"""Who is asking and may they: answered before any view, its body or its arguments are looked at."""

import ipaddress
from typing import Final

from flask import Flask, g, request

from carbon_credits.api import limits
from carbon_credits.api.access import NEEDS, STRICTER, Who
from carbon_credits.api.errors import BEARER
from carbon_credits.api.house import House, house
from carbon_credits.api.problems import Problem
from carbon_credits.core.db import database
from carbon_credits.core.errors import NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.core.tokens import Principal
from carbon_credits.partners import clients as partners
from carbon_credits.residents import sessions
from carbon_credits.rewards import clients as merchants
from carbon_credits.rewards.clients import State

SIGN_IN = Text("需要访问令牌", "An access token is needed")
MAY_NOT: Final = {
    State.SUSPENDED: Text(
        "商户已被暂停，请联系项目方", "The merchant is suspended: please ask the programme why"
    ),
    State.CLOSING: Text(
        "商户正在退出，只能兑付已发出的券", "The merchant is leaving: it only honours what is out"
    ),
}


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
    elif who in (Who.ANYONE, Who.FEED, Who.PROVIDER, Who.STAFF):
        # whose push it is is asked of the feed, in the view and before anything of it is read; staff are asked next
        _count(ours, STRICTER.get(endpoint, "address"), request.remote_addr or "")
    else:
        g.principal = _principal(ours, who)
        _count(ours, who.value, g.principal.actor)
        if who is Who.MERCHANT:
            _require(endpoint, g.principal)


def _principal(ours: House, who: Who) -> Principal:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("not_authenticated", SIGN_IN, headers={"WWW-Authenticate": BEARER})
    # the view's own transaction goes on in this session, so a request takes one connection and begins once
    session = database.session()
    if who is Who.RESIDENT:
        return sessions.authenticate(session, ours.keyring, token.strip())
    if who is Who.MERCHANT:
        return merchants.authenticate(session, ours.keyring, token.strip())
    return partners.authenticate(session, ours.keyring, token.strip())


def _require(endpoint: str, asking: Principal) -> None:
    """Raises NotAllowed where the client lacks the scope, or its merchant's state forbids what is asked."""
    need = NEEDS[endpoint]
    if need.scope is not None and need.scope not in asking.scopes:
        detail = Text(
            f"此凭证没有“{need.scope}”权限", f"This client may not do this: it lacks the scope {need.scope}"
        )
        raise NotAllowed("scope_missing", detail)
    if asking.state not in need.states:
        code = f"merchant_{asking.state}"
        raise NotAllowed(code, MAY_NOT[State(asking.state or "")])


def _count(ours: House, policy: str, caller: str) -> None:
    left = ours.limiter.take(policy, caller)
    g.rate_headers = limits.headers(policy, ours.limiter.per_minute[policy], left)


def _refuse_outsiders() -> None:
    """Only a caller on this machine, and not one who came through a proxy on this machine."""
    outside = not ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104 - no address at all
    if outside or "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        raise Problem("not_found", Text("这里没有您要的内容", "There is nothing here by that name"))
