"""What goes wrong below becomes an answer here: the only table from kinds of error to HTTP."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from flask import Flask, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError

from carbon_credits.api.problems import BY_STATUS, Problem, problem
from carbon_credits.core import errors
from carbon_credits.core.db import AGAIN, is_away, sqlstate
from carbon_credits.core.i18n import Text

STATUS: Final[Mapping[type[errors.ProgrammeError], int]] = {
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
COME_BACK_S: Final = "2"
BEARER: Final = 'Bearer realm="carbon-credits"'
DETAILS: Final[Mapping[int, Text]] = {
    400: Text("请求无法理解", "The request cannot be understood"),
    404: Text("这里没有您要的内容", "There is nothing here by that name"),
    405: Text("此地址不支持该方法", "This address does not take that method"),
    413: Text("请求体超过上限", "The body is larger than allowed"),
    415: Text("请使用 application/json", "Send application/json"),
    500: Text("服务内部出错，已记录", "Something went wrong on our side and has been recorded"),
    503: Text("服务暂时不可用，请稍后重试", "We cannot answer just now: please come back"),
}
log = structlog.stdlib.get_logger("carbon_credits.api")


def register(app: Flask) -> None:
    """Every error of the application is answered here; nothing falls through to an HTML page."""
    app.register_error_handler(Problem, of_door)
    app.register_error_handler(errors.ProgrammeError, of_service)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(DBAPIError, of_database)
    app.register_error_handler(PoolTimeout, of_pool)
    app.register_error_handler(Exception, of_ours)


def status_of(error: errors.ProgrammeError) -> int:
    """The HTTP status of a kind of refusal, nearest class first."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def headers_of(error: errors.ProgrammeError) -> dict[str, str]:
    """When to come back, or how to sign in."""
    if isinstance(error, errors.TooMany | errors.Unavailable):
        return {"Retry-After": str(max(1, error.retry_after_s))}
    if isinstance(error, errors.NotAuthenticated):
        refused = error.code == "token_refused"
        return {"WWW-Authenticate": f'{BEARER}, error="invalid_token"' if refused else BEARER}
    return {}


def of_door(error: Problem) -> Response:
    """A no of the door itself."""
    return problem(error.status, error.code, error.detail, faults=error.faults, headers=error.headers)


def of_service(error: errors.ProgrammeError) -> Response:
    """A no of the programme."""
    status = status_of(error)
    return problem(status, error.code, error.detail, faults=error.faults, headers=headers_of(error))


def of_http(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse: unknown address, method, size, host."""
    status = error.code or 500
    if status not in BY_STATUS:
        status = 400 if status < 500 else 500
    code = "bad_host" if isinstance(error, SecurityError) else BY_STATUS[status]
    headers: dict[str, Any] = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if status == 503:
        headers["Retry-After"] = COME_BACK_S
    return problem(status, code, DETAILS.get(status, DETAILS[400]), headers=headers)


def of_database(error: DBAPIError) -> Response:
    """A database that is away or overrun is a reason to come back; any other refusal of it is our fault."""
    if is_away(error) or error.connection_invalidated or sqlstate(error) in AGAIN:
        log.warning("database_away", exc_info=error)
        return problem(503, "unavailable", DETAILS[503], headers={"Retry-After": COME_BACK_S})
    return of_ours(error)


def of_pool(error: PoolTimeout) -> Response:
    """Every connection is in use: the caller comes back, nobody queues for ever."""
    log.warning("pool_exhausted", exc_info=error)
    return problem(503, "unavailable", DETAILS[503], headers={"Retry-After": COME_BACK_S})


def of_ours(error: Exception) -> Response:
    """Anything unforeseen: a constant text outside, the places it passed in the log."""
    log.error("unforeseen", exc_info=error)
    return problem(500, "internal_error", DETAILS[500])
