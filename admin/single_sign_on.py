"""Signing in by the provider of single sign-on, where there is one: it stands for the password; the code is ours to ask.

What an attempt is recognised by lies in a sealed cookie, `Lax`, for one comes back from another site.
"""

import json
from functools import cache
from typing import Any, Final, cast

from flask import Blueprint, Response, redirect, request, url_for

from admin import guard, keeping, pages, signing_in
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import CannotOpen
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import settings
from carbon_credits.staff import identities, oidc
from carbon_credits.staff import signing_in as steps
from carbon_credits.staff.oidc import Flow, Provider

COOKIE: Final = "single-sign-on"
LIFE_S: Final = 600
_PURPOSE: Final = "staff-single-sign-on"
_PLACE: Final = "staff_identity|flow"
NO_PROVIDER: Final = Text("未启用统一登录", "There is no single sign-on here")
NOT_CONNECTED: Final = Text(
    "该统一登录账号尚未关联。请先用密码登录，在“我的账号”中关联",
    "This identity is not connected. Sign in with your password and connect it under My account",
)

blueprint = Blueprint("single_sign_on", __name__, url_prefix="/single-sign-on")


@blueprint.get("/")
def begin() -> Response:
    """To the provider, in order to sign in."""
    return _send({"next": keeping.within(request.args.get("next", ""))})


@blueprint.get("/connect")
def connect() -> Response:
    """To the provider, in order to connect who is signed in here with who they are there."""
    return _send({"session": guard.member().session_id})


@blueprint.get("/back")
def back() -> Response:
    """What the provider sends back: to the code, or to the connection made."""
    provider, held = _provider_or_none(settings()), _held()
    if provider is None:
        raise NotFound("no_single_sign_on", NO_PROVIDER)
    if held is None:
        raise oidc.refused()
    flow = Flow(held["state"], held["nonce"], held["verifier"])
    subject = provider.finish(flow, request.args.get("state", ""), request.args.get("code", ""), _address())
    response = _connected(provider, held, subject) if "session" in held else _entered(provider, held, subject)
    response.delete_cookie(guard.cookie_name(settings(), COOKIE), path="/")
    return response


@blueprint.post("/end")
def end() -> Response:
    """Nobody comes from the provider as oneself any more."""
    asking = guard.member()
    with transaction() as session:
        identities.end(session, asking.staff_id, asking.actor, clock.now())
    pages.note(Text("已取消关联", "The connection has ended"))
    return cast(Response, redirect(url_for("console.account.show"), 303))


def _entered(provider: Provider, held: dict[str, Any], subject: str) -> Response:
    now, vault = clock.now(), settings().vault
    with reading() as session:
        known = identities.who_may_enter(session, vault, provider.issuer, subject)
    if known is None:
        return keeping.ask_to_sign_in(keeping.NOTHING, fault=NOT_CONNECTED)
    ticket = steps.ticket_for(vault, known.staff_id, known.password_set_at, now)
    return signing_in.ask_for_code(ticket, keeping.Kept(held["next"]))


def _connected(provider: Provider, held: dict[str, Any], subject: str) -> Response:
    with transaction() as session:
        identities.connect(session, settings().vault, held["session"], provider.issuer, subject, clock.now())
    return pages.render("connected.html")


def _send(more: dict[str, Any]) -> Response:
    told = settings()
    provider = _provider_or_none(told)
    if provider is None:
        raise NotFound("no_single_sign_on", NO_PROVIDER)
    flow, address = provider.begin(_address())
    until = clock.now().timestamp() + LIFE_S
    held = {"state": flow.state, "nonce": flow.nonce, "verifier": flow.verifier, "until": until, **more}
    response = cast(Response, redirect(address, 303))
    response.set_cookie(
        guard.cookie_name(told, COOKIE),
        told.vault.seal(_PURPOSE, json.dumps(held).encode(), _PLACE).hex(),
        max_age=LIFE_S,
        path="/",
        secure=guard.is_https(told),
        httponly=True,
        samesite="Lax",
    )
    return response


def _held() -> dict[str, Any] | None:
    """What the attempt that comes back is recognised by; None when there is none, or not any more."""
    try:
        sealed = bytes.fromhex(request.cookies.get(guard.cookie_name(settings(), COOKIE), ""))
        held: dict[str, Any] = json.loads(settings().vault.unseal(_PURPOSE, sealed, _PLACE))
    except (ValueError, CannotOpen):
        return None
    return held if held["until"] > clock.now().timestamp() else None


def _address() -> str:
    """Where the provider sends people back to; it knows this address beforehand."""
    return settings().public_url + url_for("console.single_sign_on.back")


def _provider_or_none(told: Settings) -> Provider | None:
    if not told.oidc_issuer:
        return None
    return _provider(told.oidc_issuer, told.oidc_client_id, told.oidc_client_secret)


@cache
def _provider(issuer: str, client_id: str, client_secret: str) -> Provider:
    return Provider(issuer, client_id, client_secret)
