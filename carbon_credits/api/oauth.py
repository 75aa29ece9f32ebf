"""OAuth 2 client credentials. This one route speaks RFC 6749, errors included, because its callers do."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from flask import Response, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from carbon_credits.api import errors
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house
from carbon_credits.api.reading import read_form
from carbon_credits.core import clients, clock
from carbon_credits.core.db import in_transaction
from carbon_credits.core.errors import NotAuthenticated, ProgrammeError
from carbon_credits.core.tokens import Audience
from carbon_credits.partners import clients as partners
from carbon_credits.rewards import clients as merchants

# whose clients may sign in, and who knows them
ROOMS: Final[Mapping[Audience, clients.SecretOf]] = {
    "partner": partners.secret_of,
    "merchant": merchants.secret_of,
}
FORM: Final = "application/x-www-form-urlencoded"
GRANT: Final = "client_credentials"
KNOWN: Final = frozenset({"grant_type", "client_id", "client_secret", "scope"})
LONGEST: Final = 200
CODES: Final = (
    "invalid_request",
    "invalid_client",
    "unsupported_grant_type",
    "invalid_scope",
    "temporarily_unavailable",
    "server_error",
)
FORM_SCHEMA: Final = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "const": GRANT},
        "client_id": {"type": "string", "minLength": 1, "maxLength": LONGEST},
        "client_secret": {"type": "string", "minLength": 1, "maxLength": LONGEST},
    },
}
TOKEN_SCHEMA: Final = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in"],
    "additionalProperties": False,
    "properties": {
        "access_token": {"type": "string"},
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer", "minimum": 1, "maximum": 86_400},
    },
}
ERROR_SCHEMA: Final = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {"type": "string", "enum": list(CODES)},
        "error_description": {"type": "string"},
    },
}
ERROR_CONTENT: Final = {"application/json": {"schema": ERROR_SCHEMA}}

blueprint = Blueprint(
    "oauth",
    __name__,
    who=Who.ANYONE,
    description="合作方与商户令牌（RFC 6749）。\n\nTokens for partners and merchants (RFC 6749).",
)


class OAuthRefusal(Exception):
    """A no in the words of RFC 6749 §5.2."""

    def __init__(
        self, code: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        self.status = status
        self.headers = headers or {}


def _told(status: str, words: str) -> dict[str, Any]:
    return {status: {"description": words, "content": ERROR_CONTENT}}


@blueprint.route("/oauth/token", methods=["POST"])
@blueprint.doc(
    requestBody={"required": True, "content": {FORM: {"schema": FORM_SCHEMA}}},
    responses={
        "200": {"description": "令牌 / a token", "content": {"application/json": {"schema": TOKEN_SCHEMA}}},
        **_told("400", "请求有误 / a wrong request"),
        **_told("401", "客户端凭证无效 / the client or its secret is wrong"),
        **_told("413", "请求体过大 / too large"),
        **_told("429", "请求过于频繁 / too many requests"),
        **_told("500", "内部错误 / internal error"),
        **_told("503", "暂时无法服务 / temporarily unavailable"),
    },
    security=[],
)
def issue() -> Response:
    """获取访问令牌 / Get an access token

    客户端凭证可放在 HTTP Basic 中，也可放在表单中，不能两者都用。

    The client's id and secret go into HTTP Basic or into the form, never both.
    """
    form = _form()
    given = clients.NewClient(*_credentials(form))
    ours, now = house(), clock.now()
    made = in_transaction(
        lambda session: clients.issue_token(session, ours.vault, ours.keyring, ROOMS, given, now)
    )
    told = {"access_token": made.access_token, "token_type": made.token_type, "expires_in": made.expires_in}
    return answer(told, headers={"Pragma": "no-cache"})


def refusal(code: str, description: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """RFC 6749 §5.2: descriptions are ASCII."""
    g.problem = code
    return answer({"error": code, "error_description": description}, status, headers)


def _of_service(error: ProgrammeError) -> Response:
    if isinstance(error, NotAuthenticated):
        basic = {"WWW-Authenticate": 'Basic realm="carbon-credits"'}
        return refusal("invalid_client", "unknown client or wrong secret", 401, basic)
    return _like(errors.of_service(error))


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 500:
        return refusal("invalid_request", error.name, status if status == 413 else 400)
    return _like(errors.of_http(error))


def _like(problem: Response) -> Response:
    """The same status and Retry-After as the problem would have had."""
    status = problem.status_code
    code = "temporarily_unavailable" if status in {429, 503} else "server_error"
    headers = {"Retry-After": problem.headers["Retry-After"]} if "Retry-After" in problem.headers else None
    return refusal(
        code, "come back later" if headers else "something went wrong on our side", status, headers
    )


def _form() -> dict[str, str]:
    if request.mimetype != FORM:
        raise OAuthRefusal("invalid_request", f"send {FORM}")
    try:
        form = read_form(request)
    except ValueError as error:
        raise OAuthRefusal("invalid_request", "the form cannot be read, or a name stands twice") from error
    if "grant_type" not in form:
        raise OAuthRefusal("invalid_request", "grant_type is missing")
    if form["grant_type"] != GRANT:
        raise OAuthRefusal("unsupported_grant_type", f"only {GRANT}")
    if form.get("scope"):
        raise OAuthRefusal("invalid_scope", "there are no scopes")
    if not form.keys() <= KNOWN:
        raise OAuthRefusal("invalid_request", "an unknown parameter")
    return form


def _credentials(form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        pair = form.get("client_id", ""), form.get("client_secret", "")
    elif "client_secret" in form or scheme.lower() != "basic":
        raise OAuthRefusal("invalid_request", "one way of showing credentials, Basic or form")
    else:
        pair = _basic(given)
    if not all(0 < len(part) <= LONGEST and part.isascii() and part.isprintable() for part in pair):
        raise NotAuthenticated("invalid_client", errors.DETAILS[400])
    return pair


def _basic(given: str) -> tuple[str, str]:
    try:
        name, colon, secret = base64.b64decode(given, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise OAuthRefusal("invalid_request", "the Basic credentials cannot be read") from error
    if not colon:
        raise OAuthRefusal("invalid_request", "the Basic credentials cannot be read")
    return unquote_plus(name), unquote_plus(secret)


# what goes wrong in this blueprint is said in RFC 6749's words, all of it
blueprint.register_error_handler(OAuthRefusal, lambda e: refusal(e.code, e.description, e.status, e.headers))
blueprint.register_error_handler(ProgrammeError, _of_service)
blueprint.register_error_handler(HTTPException, _of_http)
blueprint.register_error_handler(DBAPIError, lambda e: _like(errors.of_database(e)))
blueprint.register_error_handler(PoolTimeout, lambda e: _like(errors.of_pool(e)))
blueprint.register_error_handler(Exception, lambda e: _like(errors.of_ours(e)))
