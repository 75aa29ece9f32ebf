"""Signing in with a code, staying signed in, signing out."""

from typing import Any, Final
from uuid import UUID

from flask import Response, request

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer, empty
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Instant, Line, Whole, Words
from carbon_credits.api.house import house, principal
from carbon_credits.api.reading import no_body
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.core.errors import NotAuthenticated
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.doorbell import DELIVERIES
from carbon_credits.ledger import service as ledger
from carbon_credits.residents import otp, sessions

UUID_FORM: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
A_CHALLENGE: Final = "0a3c2e8e-5b0d-4a55-9d2b-6f1f5b0c9f10"
A_REFRESH_TOKEN: Final = "an-example-of-a-refresh-token"  # noqa: S105 - said to be one
CLOSED: Final = Text("验证码已失效，请重新获取", "The code no longer works: ask for a new one")

blueprint = Blueprint(
    "auth",
    __name__,
    who=Who.ANYONE,
    description="验证码登录；首次登录即注册。\n\nSign-in by code; the first one enrols.",
)


class AskForCode(Body):
    """POST /v1/auth/otp."""

    phone = Line(
        5,
        20,
        required=True,
        metadata={"description": "中国大陆手机号 / a mainland mobile number", "example": "+8613800000001"},
    )


class Challenge(Body):
    """A code is on its way."""

    challenge_id = Words(36, 36, pattern=UUID_FORM, required=True, example=A_CHALLENGE)
    expires_at = Instant(required=True)


class Guess(Body):
    """POST /v1/auth/token."""

    challenge_id = Words(36, 36, pattern=UUID_FORM, required=True, example=A_CHALLENGE)
    code = Words(6, 6, pattern="[0-9]{6}", required=True, metadata={"example": "123456"})


class RefreshToken(Body):
    """POST /v1/auth/refresh."""

    refresh_token = Words(20, 200, pattern="[A-Za-z0-9_-]{20,200}", required=True, example=A_REFRESH_TOKEN)


class Tokens(Body):
    """What a client keeps. The access token lives `expires_in` seconds; the refresh token works once."""

    access_token = Words(1, 4096, required=True, example="eyJhbGciOiJFUzI1NiIsImtpZCI6…")
    refresh_token = Words(20, 200, required=True, example=A_REFRESH_TOKEN)
    token_type = Choice("Bearer", required=True)
    expires_in = Whole(1, 86_400, required=True, example=900)


@blueprint.route("/v1/auth/otp", methods=["POST"])
@blueprint.arguments(AskForCode)
@blueprint.response(202, Challenge)
def ask_for_code(body: dict[str, Any]) -> Response:
    """获取短信验证码 / Ask for a code by text message

    已注册与未注册的号码得到相同的回答。每号码、每地址每小时次数有限。

    Known and unknown numbers get the same answer. So many an hour for one phone and one address.
    """
    ours, now = house(), clock.now()
    settings = ours.settings
    limits = otp.SignInLimits(settings.otp_per_phone, settings.otp_per_address)
    address = request.remote_addr or "0.0.0.0"  # noqa: S104 - counted, never listened on
    made = in_transaction(lambda s: otp.start_sign_in(s, ours.vault, body["phone"], address, limits, now))
    ours.ringer.ring(bells=(DELIVERIES,))
    return answer({"challenge_id": str(made.challenge_id), "expires_at": made.expires_at}, 202)


@blueprint.route("/v1/auth/token", methods=["POST"])
@blueprint.arguments(Guess)
@blueprint.response(200, Tokens)
@blueprint.refuses(401, 403)
def sign_in(body: dict[str, Any]) -> Response:
    """用验证码登录 / Sign in with the code

    最多猜 5 次；首次登录即注册并开通账户。

    Five guesses at most. The first sign-in enrols and opens the wallet.
    """
    ours, now, challenge = house(), clock.now(), UUID(body["challenge_id"])

    def work(session: Any) -> otp.SignedIn | otp.WrongCode | otp.Closed:
        outcome = otp.finish_sign_in(session, ours.vault, ours.keyring, challenge, body["code"], now)
        if isinstance(outcome, otp.SignedIn):
            ledger.open_wallet(session, outcome.resident_id)
        return outcome

    # committed before it is said: a wrong guess stays counted
    outcome = in_transaction(work)
    if isinstance(outcome, otp.SignedIn):
        return _tokens(outcome.tokens)
    if isinstance(outcome, otp.WrongCode):
        left = outcome.guesses_left
        detail = Text(f"验证码不正确，还可尝试 {left} 次", f"The code is wrong; {left} guesses are left")
        raise NotAuthenticated("wrong_code", detail)
    raise NotAuthenticated("challenge_closed", CLOSED)


@blueprint.route("/v1/auth/refresh", methods=["POST"])
@blueprint.arguments(RefreshToken)
@blueprint.response(200, Tokens)
@blueprint.refuses(401)
def refresh(body: dict[str, Any]) -> Response:
    """换取新令牌 / Exchange a refresh token

    每个刷新令牌只能使用一次；重复使用会结束该登录。

    Each works once; one that comes back ends the session it belongs to.
    """
    ours, now = house(), clock.now()
    outcome = in_transaction(
        lambda session: sessions.refresh(session, ours.vault, ours.keyring, body["refresh_token"], now)
    )
    if isinstance(outcome, sessions.Refused):
        raise NotAuthenticated("refresh_refused", Text("请重新登录", "Sign in again"))
    return _tokens(outcome)


@blueprint.route("/v1/auth/logout", methods=["POST"])
@blueprint.response(204)
@blueprint.refuses(401, 422)
@blueprint.doc(security=[{Who.RESIDENT.value: []}])
def sign_out() -> Response:
    """退出登录 / Sign out

    本次登录的所有令牌立即失效。

    Every token of this session is refused from now on.
    """
    no_body()
    session_id, now = principal().session_id, clock.now()
    assert session_id is not None
    in_transaction(lambda session: sessions.sign_out(session, session_id, now))
    return empty()


def _tokens(made: sessions.Tokens) -> Response:
    return answer(
        {
            "access_token": made.access_token,
            "refresh_token": made.refresh_token,
            "token_type": made.token_type,
            "expires_in": made.expires_in,
        }
    )
