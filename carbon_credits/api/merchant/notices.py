"""What a merchant's system is told, as its document says it: OpenAPI 3.1 `webhooks`, signed as Standard Webhooks are."""

from collections.abc import Mapping
from typing import Any, Final

from carbon_credits.api.strict_json import GREATEST
from carbon_credits.rewards.hooks import EVENTS, TEST, Event

_WORDS: Final[Mapping[str, str]] = {
    "redemption.captured": "券码已核销 / A code was taken",
    "redemption.reversed": "核销已撤销 / A capture was reversed",
    "settlement.paid": "结算已付款 / A settlement was paid",
    TEST: "测试推送 / A test",
}
_HOW: Final = (
    "签名为 `webhook-id.webhook-timestamp.body` 的 HMAC-SHA256（密钥见 `/secret`，去掉 `whsec_` 后为 base64），"
    "写作 `v1,` 与 base64；更换密钥期间有两个，空格分隔。可能重复、可能乱序：以 `webhook-id` 去重。\n\n"
    "The signature is the HMAC-SHA256 of `webhook-id.webhook-timestamp.body` under the secret at `/secret` (base64 "
    "after `whsec_`), written `v1,` and base64; during a rotation there are two with a blank between. It may come "
    "twice and in any order: go by `webhook-id`."
)
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "webhook-id": {"type": "string", "format": "uuid"},
    "webhook-timestamp": {"type": "string", "pattern": "^[0-9]{10}$"},
    "webhook-signature": {"type": "string", "pattern": "^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)?$"},
}
_AMOUNT: Final = {"type": "integer", "minimum": 0, "maximum": GREATEST}
_OR_NULL: Final = {"type": ["string", "null"]}
_CAPTURE: Final[Mapping[str, Any]] = {
    "id": {"type": "string", "format": "uuid"},
    "offer_id": {"type": "string"},
    "points": _AMOUNT,
    "face_fen": _AMOUNT,
    "paid_micro_fen": _AMOUNT,
    "booked_on": {"type": "string", "format": "date"},
    "till": _OR_NULL,
    "reference": _OR_NULL,
    "reason": _OR_NULL,
}
_DATA: Final[Mapping[str, Mapping[str, Any]]] = {
    "redemption.captured": _CAPTURE,
    "redemption.reversed": _CAPTURE,
    "settlement.paid": {
        "id": {"type": "string"},
        "day": {"type": "string", "format": "date"},
        "amount_fen": _AMOUNT,
        "rail": {"type": "string"},
    },
    TEST: {"hook": {"type": "string"}},
}


def webhooks() -> dict[str, Any]:
    """Every event by its name, for the merchant document."""
    return {event: {"post": _told(event)} for event in (*EVENTS, TEST)}


def _told(event: Event | str) -> dict[str, Any]:
    return {
        "summary": _WORDS[event],
        "description": _HOW,
        "tags": ["hooks"],
        "security": [],
        "parameters": [
            {"in": "header", "name": name, "required": True, "schema": dict(schema)}
            for name, schema in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _body(event)}}},
        "responses": {
            "2XX": {"description": "已收到 / Taken"},
            "410": {"description": "不再推送到此地址 / Tell this address no more"},
            "default": {"description": "三天内再试 / Tried again within three days"},
        },
    }


def _body(event: str) -> dict[str, Any]:
    parts = {
        "type": {"const": event},
        "timestamp": {"type": "string", "format": "date-time"},
        "data": _closed(_DATA[event]),
    }
    return _closed(parts)


def _closed(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(parts),
        "additionalProperties": False,
        "properties": {name: dict(schema) for name, schema in parts.items()},
    }
