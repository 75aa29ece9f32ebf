"""The shapes of what charging operators push, and an example of each."""

from datetime import date
from typing import Any, Final

from integrations import push_shapes

ORDER: Final = push_shapes.objects(
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
CHECK: Final = push_shapes.objects(
    {
        "CheckOrderSeq": push_shapes.NAME,
        "StartTime": push_shapes.LOCAL,
        "EndTime": push_shapes.LOCAL,
        "OrderCount": push_shapes.WHOLE,
        "TotalOrderPower": push_shapes.AMOUNT,
        "TotalOrderMoney": push_shapes.AMOUNT,
        "ChargeOrders": push_shapes.lists(ORDER, 0, 5_000),
    }
)
ASKING: Final = push_shapes.objects({"OperatorID": push_shapes.NAME, "OperatorSecret": push_shapes.NAME})
CDR: Final = push_shapes.objects(
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
