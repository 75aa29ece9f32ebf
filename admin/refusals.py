"""What goes wrong, said on a page of the console: what it is, in words, and what to do; never more than that."""

from collections.abc import Mapping
from typing import Final

import structlog
from flask import Blueprint, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from admin import pages
from carbon_credits.core import errors
from carbon_credits.core.db import AGAIN, is_away, sqlstate
from carbon_credits.core.i18n import Text

log = structlog.stdlib.get_logger("carbon_credits.console")

STATUS: Final[Mapping[type[errors.ProgrammeError], int]] = {
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
TITLES: Final[Mapping[int, Text]] = {
    400: Text("请求无法理解", "This cannot be understood"),
    401: Text("请先登录", "Please sign in"),
    403: Text("不能进行此操作", "You may not do this"),
    404: Text("没有这个页面", "There is no such page"),
    405: Text("此地址不支持该操作", "This address does not take that"),
    409: Text("情况已变化", "Something has changed meanwhile"),
    413: Text("内容过大", "This is too large"),
    422: Text("填写有误", "Something is filled in wrongly"),
    429: Text("过于频繁", "Too often"),
    500: Text("服务内部出错，已记录", "Something went wrong on our side and has been recorded"),
    503: Text("服务暂时不可用", "We cannot answer just now"),
}
ADVICE: Final = Text("未做任何更改。", "Nothing was changed.")


def register(console: Blueprint) -> None:
    """Every error of the console is answered here."""
    console.register_error_handler(errors.ProgrammeError, of_service)
    console.register_error_handler(HTTPException, of_http)
    console.register_error_handler(DBAPIError, of_database)
    console.register_error_handler(PoolTimeout, of_pool)
    console.register_error_handler(Exception, of_ours)


def status_of(error: errors.ProgrammeError) -> int:
    """The HTTP status of a kind of refusal, nearest class first."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def page(status: int, detail: Text = ADVICE, faults: tuple[errors.FieldFault, ...] = ()) -> Response:
    """A refusal as a page."""
    return pages.render(
        "refusal.html", status, title=TITLES.get(status, TITLES[400]), detail=detail, faults=faults
    )


def of_service(error: errors.ProgrammeError) -> Response:
    """A no of the programme."""
    answer = page(status_of(error), error.detail, error.faults)
    answer.headers["X-Refusal"] = error.code
    if isinstance(error, errors.TooMany | errors.Unavailable):
        answer.headers["Retry-After"] = str(max(1, getattr(error, "retry_after_s", 2)))
    return answer


def of_http(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse."""
    if error.code is not None and 300 <= error.code < 400:
        return Response(status=error.code, headers=error.get_headers())
    status = error.code or 400
    return page(status if status in TITLES else 400)


def of_database(error: DBAPIError) -> Response:
    """A database that is away or overrun is a reason to come back; any other refusal of it is our fault."""
    if is_away(error) or error.connection_invalidated or sqlstate(error) in AGAIN:
        log.warning("database_away", exc_info=error)
        return page(503)
    return of_ours(error)


def of_pool(error: PoolTimeout) -> Response:
    """Every connection is in use."""
    log.warning("pool_exhausted", exc_info=error)
    return page(503)


def of_ours(error: Exception) -> Response:
    """Anything unforeseen: a constant text outside, the places it passed in the log."""
    log.error("unforeseen", exc_info=error)
    return page(500)
