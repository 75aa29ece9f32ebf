"""What charging operators push: T/CEC 102 orders and the daily check in their envelope, and OCPI CDRs with a token.

The standard's daily check may list less of an order than the push; by our contract it lists all of it. An order that
names no customer of ours is taken note of and disputed with nobody.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
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
from integrations import ev_envelope, ev_ocpi, ev_orders, push_shapes, readings
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
_ORDER: Final = push_shapes.objects(
    {
        "StartChargeSeq": push_shapes.NAME,
        "ConnectorID": push_shapes.NAME,
        "StartTime": push_shapes.LOCAL,
        "EndTime": push_shapes.LOCAL,
        "TotalPower": push_shapes.AMOUNT,
        "TotalMoney": push_shapes.AMOUNT,
    },
    {"SubjectToken": push_shapes.OPTIONAL_NAME, "Vin": push_shapes.OPTIONAL_NAME},
)
_CHECK: Final = push_shapes.objects(
    {
        "CheckOrderSeq": push_shapes.NAME,
        "StartTime": push_shapes.LOCAL,
        "EndTime": push_shapes.LOCAL,
        "OrderCount": push_shapes.WHOLE,
        "TotalOrderPower": push_shapes.AMOUNT,
        "TotalOrderMoney": push_shapes.AMOUNT,
        "ChargeOrders": push_shapes.lists(_ORDER, 0, 5_000),
    }
)
_ASKING: Final = push_shapes.objects({"OperatorID": push_shapes.NAME, "OperatorSecret": push_shapes.NAME})
_CDR: Final = push_shapes.objects(
    {
        "country_code": push_shapes.NAME,
        "party_id": push_shapes.NAME,
        "id": push_shapes.NAME,
        "start_date_time": push_shapes.INSTANT,
        "end_date_time": push_shapes.INSTANT,
        "cdr_location": push_shapes.objects(
            {
                "coordinates": push_shapes.objects(
                    {"latitude": push_shapes.degrees(90), "longitude": push_shapes.degrees(180)}
                ),
                "evse_id": push_shapes.NAME,
            },
            {"country": {"type": "string"}, "connector_id": push_shapes.OPTIONAL_NAME},
        ),
        "total_energy": {"type": "number", "minimum": 0, "maximum": 999_999_999},
    },
    {
        "cdr_token": {**push_shapes.objects({}, {"uid": push_shapes.OPTIONAL_NAME})},
        "session_id": push_shapes.OPTIONAL_NAME,
        "credit": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "credit_reference_id": push_shapes.OPTIONAL_NAME,
    },
)


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
            schema=_titled("query_token", _ASKING),
            example=lambda _: {"OperatorID": "MA4FS0001", "OperatorSecret": "0123456789abcdef"},
            read=lambda _: iter(()),
            accept=_token_told,
        ),
        enveloped(
            code="notification_charge_order_info",
            names=Text("T/CEC 102 充电订单推送", "T/CEC 102: a charging order"),
            schema=_titled("notification_charge_order_info", _ORDER),
            example=partial(an_order, 1),
            read=partial(_orders, scale=scale),
            accept=_order_told,
        ),
        enveloped(
            code="check_charge_orders",
            names=Text("T/CEC 102 每日对账", "T/CEC 102: the daily check of orders"),
            schema=_titled("check_charge_orders", _CHECK),
            example=a_check,
            read=partial(_orders, scale=scale),
            accept=_check_told,
        ),
        Operation(
            code="cdrs",
            names=Text("OCPI 2.2.1 / 2.3 充电明细", "OCPI 2.2.1 and 2.3: a charge detail record"),
            scheme=OCPI,
            schema=_titled("cdr", _CDR),
            example=a_cdr,
            read=_cdr,
            accept=_cdr_told,
            refuse=_cdr_refused,
        ),
    )
    return {operation.code: operation for operation in made}


def an_order(number: int, day: date) -> dict[str, Any]:
    """An order of a day, in kilowatt-hours and yuan."""
    return {
        "StartChargeSeq": f"MA4FS0001{day:%Y%m%d}{number:010}",
        "ConnectorID": "44060400120301",
        "StartTime": f"{day} 08:01:10",
        "EndTime": f"{day} 09:12:44",
        "TotalPower": 31.42,
        "TotalElecMoney": 14.77,
        "TotalSeviceMoney": 12.57,
        "TotalMoney": 27.34,
        "StopReason": 2,
        "SubjectToken": "o_7Qm2x",
    }


def a_check(day: date) -> dict[str, Any]:
    """A day's check of two orders."""
    orders = [an_order(1, day), an_order(2, day)]
    return {
        "CheckOrderSeq": f"MA4FS0001{day:%Y%m%d}00001",
        "StartTime": f"{day} 00:00:00",
        "EndTime": f"{day} 23:59:59",
        "OrderCount": 2,
        "TotalOrderPower": 62.84,
        "TotalOrderMoney": 54.68,
        "ChargeOrders": orders,
    }


def a_cdr(day: date) -> dict[str, Any]:
    """A charge detail record of a day in Chancheng."""
    return {
        "country_code": "CN",
        "party_id": "CCX",
        "id": f"CDR-{day:%Y%m%d}-0007",
        "start_date_time": f"{day}T00:01:10Z",
        "end_date_time": f"{day}T01:12:44Z",
        "session_id": f"S-{day:%Y%m%d}-0007",
        "cdr_token": {"uid": "o_7Qm2x", "type": "APP_USER", "contract_id": "o_7Qm2x"},
        "cdr_location": {
            "id": "L12",
            "city": "佛山",
            "country": "CHN",
            "coordinates": {"latitude": "23.009700", "longitude": "113.103060"},
            "evse_id": "CN*CCX*E3",
            "connector_id": "1",
        },
        "currency": "CNY",
        "total_cost": {"before_taxes": 25.79},
        "total_energy": 31.42,
        "total_time": 1.193,
        "last_updated": f"{day}T01:13:02Z",
    }


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
