"""What charging operators push: T/CEC 102 orders and the daily check in their envelope, and OCPI CDRs with a token.

The standard's daily check may list less of an order than the push; by our contract it lists all of it. An order that
names no customer of ours is taken note of and disputed with nobody.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import (
    Authentic,
    Item,
    Operation,
    ParseOptions,
    PushAnswer,
    Pushed,
    PushRefusal,
    PushRequest,
    Scheme,
    Secrets,
)
from integrations import ev_envelope, ev_ocpi, ev_orders, ev_push_shapes, push_shapes, readings
from integrations.authenticity import TOKEN, TOKEN_WRONG, fitting
from integrations.ev_sessions import Scale

TCEC, OCPI = "tcec_102", "ocpi"
SCHEMES: Final[Mapping[str, Scheme]] = {
    TCEC: Scheme(
        Text(
            "报文 {OperatorID, Data, TimeStamp, Seq, Sig}：Data 为 AES-128-CBC（PKCS7）密文的 base64；Sig 为 "
            "HMAC-MD5(OperatorID+Data+TimeStamp+Seq) 大写十六进制；时间戳为北京时间，误差不超过 10 分钟；"
            "Seq 同一秒内不重复。"
            "先以 query_token 取得令牌（两小时），其后放在 Authorization: Bearer。应答为 Ret、Msg、Data、Sig。",
            "The envelope {OperatorID, Data, TimeStamp, Seq, Sig}: Data is base64 of AES-128-CBC with PKCS 7; Sig is "
            "HMAC-MD5 over OperatorID+Data+TimeStamp+Seq in capital hexadecimal; the time is Beijing's, within ten "
            "minutes; Seq differs within a second. query_token buys a token for two hours, sent as Authorization: "
            "Bearer. Answers have Ret, Msg, Data and Sig.",
        ),
        ev_envelope.FORMS,
    ),
    OCPI: Scheme(
        Text(
            "请求头 Authorization: Token 加令牌的 base64（OCPI 2.2 起）",
            "The header Authorization: Token with the base64 of the token, as since OCPI 2.2",
        ),
        {"token": TOKEN},
    ),
}
_PLAIN: Final = ParseOptions()
# what no operator did wrong
_NO_DISPUTE: Final = frozenset({"subject_missing"})


def authenticate(request: PushRequest, sets: Sequence[Secrets]) -> Authentic | PushRefusal:
    """OCPI's token (its base64, as since 2.2), or the envelope of T/CEC 102."""
    if request.operation != "cdrs":
        return ev_envelope.authenticate(request, sets)
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    coded = [(base64.b64encode(each["token"].encode()).decode(), each) for each in sets]
    secrets = fitting(told, coded)
    known = scheme.lower() == "token" and secrets is not None
    return Authentic(request.body, secrets or {}) if known else TOKEN_WRONG


def operations(scale: Scale) -> Mapping[str, Operation]:
    """The operations of an operator that tells energy and money in this scale."""
    enveloped = partial(Operation, scheme=TCEC, refuse=ev_envelope.refuse)
    made = (
        enveloped(
            code=ev_envelope.QUERY_TOKEN,
            names=Text("T/CEC 102 获取令牌", "T/CEC 102: ask for a token"),
            schema=_titled("query_token", ev_push_shapes.ASKING),
            example=lambda _: {"OperatorID": "MA4FS0001", "OperatorSecret": "0123456789abcdef"},
            read=lambda _: iter(()),
            accept=_token_told,
        ),
        enveloped(
            code="notification_charge_order_info",
            names=Text("T/CEC 102 充电订单推送", "T/CEC 102: a charging order"),
            schema=_titled("notification_charge_order_info", ev_push_shapes.ORDER),
            example=partial(ev_push_shapes.an_order, 1),
            read=partial(_orders, scale=scale),
            accept=_order_told,
        ),
        enveloped(
            code="check_charge_orders",
            names=Text("T/CEC 102 每日对账", "T/CEC 102: the daily check of orders"),
            schema=_titled("check_charge_orders", ev_push_shapes.CHECK),
            example=ev_push_shapes.a_check,
            read=partial(_orders, scale=scale),
            accept=_check_told,
        ),
        Operation(
            code="cdrs",
            names=Text("OCPI 2.2.1 / 2.3 充电明细", "OCPI 2.2.1 and 2.3: a charge detail record"),
            scheme=OCPI,
            schema=_titled("cdr", ev_push_shapes.CDR),
            example=ev_push_shapes.a_cdr,
            read=_cdr,
            accept=_cdr_told,
            refuse=_cdr_refused,
        ),
    )
    return {operation.code: operation for operation in made}


def _titled(name: str, shape: push_shapes.Shape) -> push_shapes.Shape:
    return {"$schema": push_shapes.DRAFT, "title": name, **shape}


def _orders(document: Any, scale: Scale) -> Iterator[Item]:
    for told in ev_orders.read(document, 1, _PLAIN, scale):
        yield told.item


def _cdr(document: Any) -> Iterator[Item]:
    yield ev_ocpi.read(document, 1, _PLAIN).item


def _token_told(pushed: Pushed) -> PushAnswer:
    secrets = pushed.authentic.secrets
    told = {
        "OperatorID": secrets["operator_id"],
        "SuccStat": 0,
        "AccessToken": ev_envelope.new_token(secrets, pushed.request.at),
        "TokenAvailableTime": ev_envelope.TOKEN_LIFE_S,
        "FailReason": 0,
    }
    return ev_envelope.answer(0, "ok", told, secrets)


def _disputed(pushed: Pushed) -> dict[int, tuple[str, ...]]:
    return {place: why for place, why in pushed.refused.items() if not _NO_DISPUTE.issuperset(why)}


def _order_told(pushed: Pushed) -> PushAnswer:
    disputed = _disputed(pushed)
    told = {
        "StartChargeSeq": pushed.document["StartChargeSeq"],
        "ConnectorID": pushed.document["ConnectorID"],
        "ConfirmResult": 1 if disputed else 0,
    }
    words = "+".join(disputed[0]) if disputed else "ok"
    return ev_envelope.answer(0, words, told, pushed.authentic.secrets)


def _check_told(pushed: Pushed) -> PushAnswer:
    orders: Sequence[Any] = pushed.document["ChargeOrders"]
    disputed = _disputed(pushed)
    listed = [
        {
            "StartChargeSeq": orders[place]["StartChargeSeq"],
            "TotalPower": orders[place]["TotalPower"],
            "TotalMoney": orders[place]["TotalMoney"],
            # 4 to 99 are ours to give a meaning: not acceptable by the programme's rules, as said in Reason
            "DisputeReason": 4,
            "Reason": "+".join(why),
        }
        for place, why in sorted(disputed.items())
    ]
    told = {
        **{name: pushed.document[name] for name in ("CheckOrderSeq", "StartTime", "EndTime")},
        "TotalDisputeOrder": len(listed),
        "TotalDisputePower": _sum(listed, "TotalPower"),
        "TotalDisputeMoney": _sum(listed, "TotalMoney"),
        "DisputeOrders": listed,
    }
    return ev_envelope.answer(0, "ok", told, pushed.authentic.secrets)


def _sum(listed: Sequence[Mapping[str, Any]], name: str) -> Decimal:
    return sum((readings.decimal(each[name]) for each in listed), Decimal(0))


def _cdr_told(pushed: Pushed) -> PushAnswer:
    if pushed.refused:
        words = f"record refused: {'+'.join(pushed.refused[0])}"
        return PushAnswer(200, _ocpi(2001, words, pushed.request))
    return PushAnswer(200, _ocpi(1000, "Success", pushed.request))


def _cdr_refused(request: PushRequest, refusal: PushRefusal) -> PushAnswer:
    statuses = {"token_wrong": 401, "too_large": 413, "unsupported_media_type": 415}
    words = f"{refusal.detail.en} ({refusal.code})"
    return PushAnswer(statuses.get(refusal.code, 400), _ocpi(2001, words, request))


def _ocpi(code: int, words: str, request: PushRequest) -> Mapping[str, Any]:
    return {
        "status_code": code,
        "status_message": words,
        "timestamp": f"{request.at:%Y-%m-%dT%H:%M:%SZ}",
    }
