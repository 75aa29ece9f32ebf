"""Every no this door can say in its own name, and how any no is written (RFC 9457).

`code` is what a client may rely on; titles and details are for people, in the reader's language.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from flask import Response, g

from carbon_credits.api.language import language
from carbon_credits.core.errors import FieldFault
from carbon_credits.core.i18n import Text

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:carbon-credits:problem:"


class Kind(NamedTuple):
    """The status and the title of one code."""

    status: int
    title: Text


PROBLEMS: Final[Mapping[str, Kind]] = {
    "bad_request": Kind(400, Text("请求有误", "Bad request")),
    "bad_host": Kind(400, Text("主机名不受信任", "Host not served here")),
    "bad_encoding": Kind(400, Text("编码错误", "Wrong encoding")),
    "bad_json": Kind(400, Text("不是合法的 JSON", "Not JSON")),
    "not_a_number": Kind(400, Text("不是合法的 JSON", "Not JSON")),
    "duplicate_name": Kind(400, Text("名称重复", "A name stands twice")),
    "nul_character": Kind(400, Text("含有空字符", "A NUL character")),
    "lone_surrogate": Kind(400, Text("字符不完整", "Half a character")),
    "too_deep": Kind(400, Text("嵌套过深", "Nested too deeply")),
    "number_too_large": Kind(400, Text("数值过大", "Number too large")),
    "bad_cursor": Kind(400, Text("翻页标记无效", "Bad cursor")),
    "webhook_refused": Kind(400, Text("通知未被接受", "Notice refused")),
    "idempotency_key_missing": Kind(400, Text("缺少 Idempotency-Key", "Idempotency-Key is missing")),
    "bad_idempotency_key": Kind(400, Text("Idempotency-Key 无效", "Bad Idempotency-Key")),
    "not_authenticated": Kind(401, Text("请先登录", "Sign in first")),
    "not_allowed": Kind(403, Text("无权访问", "Not allowed")),
    "not_found": Kind(404, Text("找不到", "Not found")),
    "method_not_allowed": Kind(405, Text("不支持此方法", "Method not allowed")),
    "conflict": Kind(409, Text("与当前状态冲突", "Conflict")),
    "still_running": Kind(409, Text("同一请求仍在处理", "The same request is still running")),
    "too_large": Kind(413, Text("请求体过大", "Body too large")),
    "unsupported_media_type": Kind(415, Text("不支持此内容类型", "Unsupported media type")),
    "invalid": Kind(422, Text("内容无法接受", "Not acceptable as it is")),
    "wrong_fields": Kind(422, Text("字段有误", "Some fields are wrong")),
    "idempotency_key_reused": Kind(
        422, Text("Idempotency-Key 已用于其他请求", "Idempotency-Key used before")
    ),
    "too_many_requests": Kind(429, Text("请求过于频繁", "Too many requests")),
    "internal_error": Kind(500, Text("内部错误", "Internal error")),
    "unavailable": Kind(503, Text("暂时无法服务", "Temporarily unavailable")),
    "not_ready": Kind(503, Text("尚未就绪", "Not ready")),
}
# what stands in for the title of a code that a service chose
BY_STATUS: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
_encode = msgspec.json.Encoder().encode


class Problem(Exception):
    """A no of the door itself. `headers` go with it (Allow, Retry-After, WWW-Authenticate)."""

    def __init__(
        self,
        code: str,
        detail: Text,
        *,
        faults: tuple[FieldFault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}

    @property
    def status(self) -> int:
        """The HTTP status of its code."""
        return PROBLEMS[self.code].status


def title_of(code: str, status: int) -> Text:
    """The title of a code, or of its status where a service chose the code."""
    known = (
        PROBLEMS.get(code)
        or PROBLEMS[BY_STATUS.get(status, "bad_request" if status < 500 else "internal_error")]
    )
    return known.title


def document(status: int, code: str, detail: Text, faults: tuple[FieldFault, ...] = ()) -> dict[str, Any]:
    """The problem document, in the language of the request at hand."""
    reader = language()
    told: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": title_of(code, status).in_language(reader),
        "status": status,
        "detail": detail.in_language(reader),
        "code": code,
        "request_id": g.get("request_id", ""),
    }
    if faults:
        told["errors"] = [_fault(fault, reader) for fault in faults]
    return told


def problem(
    status: int,
    code: str,
    detail: Text,
    *,
    faults: tuple[FieldFault, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem as an answer."""
    g.problem = code
    response = Response(_encode(document(status, code, detail, faults)), status, mimetype=MEDIA_TYPE)
    response.headers["Content-Language"] = language()
    response.headers.extend(headers or {})
    return response


def _fault(fault: FieldFault, reader: str) -> dict[str, str]:
    """A fault of the body carries a JSON pointer; one of the query or a header names the parameter."""
    place = {"parameter": fault.pointer[1:]} if fault.pointer.startswith("?") else {"pointer": fault.pointer}
    return {**place, "code": fault.code, "detail": fault.detail.in_language(reader)}
