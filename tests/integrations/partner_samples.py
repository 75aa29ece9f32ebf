"""Small files of the partners that came after bicycles and gates, written for these tests."""

import json
from typing import Any


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()


def _lines(*told: Any) -> bytes:
    return b"".join(_json(each) + b"\n" for each in told)


BUS = """transaction_id,service_date,event_timestamp,fare_action,stop_id,route_id,vehicle_id,device_id,\
fare_media_id,token_id,amount,currency_type,fare_capped,ref_transaction_id
B-1,2026-03-02,2026-03-02T18:10:05+08:00,Enter,祖庙,FS-101,粤E12345D,V-1,Optical scan,o_7Qm2x,1.60,CNY,false,
B-2,2026-03-02,2026-03-02T18:31:00+08:00,Exit,魁奇路,FS-101,粤E12345D,V-2,Optical scan,o_7Qm2x,0,CNY,false,
B-3,2026-03-02,2026-03-02T19:00:00+08:00,Enter,,FS-105,粤E22222D,V-3,Optical scan,o_7Qm2x,1.60,CNY,false,
B-4,2026-03-02,2026-03-02T19:05:00+08:00,Void,,FS-105,粤E22222D,V-3,Optical scan,o_7Qm2x,-1.60,CNY,false,B-3
B-5,2026-03-02,2026-03-02T20:00:00+08:00,Exit,桂城,FS-106,粤E33333D,V-4,Optical scan,o_7Qm2x,0,CNY,false,
B-6,2026-03-02,2026-03-02T21:00:00+08:00,Enter,桂城,,,AGM-1,Optical scan,o_7Qm2x,2.00,CNY,false,
""".encode()


def a_cdr(**changes: Any) -> dict[str, Any]:
    """A charge detail record in Chancheng."""
    return {
        "country_code": "CN",
        "party_id": "CCX",
        "id": "CDR-1",
        "start_date_time": "2026-03-02T14:01:10Z",
        "end_date_time": "2026-03-02T15:12:44Z",
        "session_id": "S-1",
        "cdr_token": {"uid": "o_7Qm2x", "type": "APP_USER"},
        "cdr_location": {
            "id": "L12",
            "city": "佛山",
            "country": "CHN",
            "coordinates": {"latitude": "23.009700", "longitude": "113.103060"},
            "evse_id": "CN*CCX*E3",
            "connector_id": "1",
        },
        "total_cost": {"before_taxes": 25.79},
        "total_energy": 33.0,
        "last_updated": "2026-03-02T15:13:02Z",
        **changes,
    }


CREDIT = {"id": "CDR-2", "credit": True, "credit_reference_id": "CDR-1", "total_cost": {"excl_vat": -25.79}}
CDRS = _json([a_cdr(), a_cdr(**CREDIT), a_cdr(id="CDR-3", total_energy="much")])
CDR_LINES = _lines(a_cdr(), a_cdr(id="CDR-4", session_id="S-4"))


def an_order(number: str, power: float, money: float, **changes: Any) -> dict[str, Any]:
    """A charging order in the words of T/CEC 102."""
    return {
        "StartChargeSeq": f"MA4FS0001{number:0>18}",
        "ConnectorID": "44060400120301",
        "StartTime": "2026-03-02 22:01:10",
        "EndTime": "2026-03-02 23:12:44",
        "TotalPower": power,
        "TotalElecMoney": 1,
        "TotalMoney": money,
        "StopReason": 2,
        "SubjectToken": "o_7Qm2x",
        **changes,
    }


CHECK = {
    "CheckOrderSeq": "MA4FS00012026030200001",
    "StartTime": "2026-03-02 00:00:00",
    "EndTime": "2026-03-02 23:59:59",
    "OrderCount": 2,
    "TotalOrderPower": 41.92,
    "TotalOrderMoney": 37.34,
    "ChargeOrders": [an_order("1", 31.42, 27.34), an_order("2", 10.5, 10.0, Vin="LSVFS000000000001")],
}
ORDERS = _json(CHECK)

ACN = """Charging_Id,connectionTime,disconnectTime,doneChargingTime,ChargingDuration,kWhDelivered,stationID,备注
a-1,2026-03-02 08:00:00,2026-03-02 11:00:00,2026-03-02 10:00:00,02:00:00,3.3,s-1,
a-2,2026-03-02 12:00:00,2026-03-02 15:00:00,2026-03-02 11:59:00,23:59:00,3.3,s-1,
a-3,2026-03-02 12:00:00,2026-03-02 15:00:00,2026-03-02 15:00:01,03:00:01,3.3,s-2,钟差
a-4,2026-03-02 12:00,2026-03-02 15:00:00,,03:00:00,3.3,s-3,
""".encode()


def an_event(number: int, material: str, mass: float, **changes: Any) -> dict[str, Any]:
    """A deposit as an EPCIS event."""
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:5b0e7c1e-6a51-4a53-9b35-{number:012}",
        "eventTime": "2026-03-02T19:40:12+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "ADD",
        "bizStep": "collecting",
        "readPoint": {"id": "https://id.cc.example/box/CC-BOX-0173"},
        "quantityList": [
            {"epcClass": f"https://id.cc.example/material/{material}", "quantity": mass, "uom": "KGM"}
        ],
        "cc:subjectToken": "o_7Qm2x",
        "cc:session": f"S-{number}",
        **changes,
    }


WRONG = {"declarationTime": "2026-03-03T08:00:00+08:00", "reason": "incorrect_data", "correctiveEventIDs": []}
TICKET = {"sensorReport": [{"type": "Mass", "value": 812.5, "uom": "KGM"}]}
EVENTS = _json(
    {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-03T00:00:00Z",
        "epcisBody": {
            "eventList": [
                an_event(1, "paper", 2.36),
                an_event(2, "textiles", 1.2, **{"cc:contaminationPpm": 20_000}),
                an_event(3, "moon_rock", 1.0),
                an_event(1, "paper", 2.36, errorDeclaration=WRONG),
                an_event(4, "paper", 0, bizStep="receiving", sensorElementList=[TICKET]),
                an_event(5, "paper", 1, action="OBSERVE", bizStep="shipping"),
                an_event(6, "paper", -1),
            ]
        },
    }
)

DEPOSITS = """session_id,machine_code,subject_token,deposited_at,category_code,weight_kg,item_count,barcode,\
unit_price,amount,photo_sha256,status,violation
S-1,CC-BOX-1,o_7Qm2x,2026-03-02 19:40:12,废纸,2.36,1,,0.5,1.18,,投放,0
S-1,CC-BOX-1,o_7Qm2x,2026-03-02 19:41:12,塑料,0.5,1,,0.5,0.25,,投放,0
S-2,CC-BOX-1,o_7Qm2x,2026-03-02 20:40:12,废纸,9.1,1,,0.5,4.55,,投放,1
S-3,CC-BOX-1,o_7Qm2x,2026-03-02 21:40:12,月岩,1,1,,0,0,,投放,0
S-1,CC-BOX-1,o_7Qm2x,2026-03-03 08:00:00,废纸,2.36,1,,0.5,1.18,,分拣,0
S-1,CC-BOX-1,o_7Qm2x,2026-03-03 09:00:00,废纸,2.36,1,,0.5,1.18,,撤销,0
S-4,CC-BOX-1,o_7Qm2x,2026-03-02 22:40:12,废纸,heavy,1,,0,0,,投放,0
""".encode()


def a_journey(number: str, trip: str, **changes: Any) -> dict[str, Any]:
    """A couple's ride across Chancheng."""
    return {
        "operator_journey_id": number,
        "operator_trip_id": trip,
        "operator_class": "C",
        "start": {"datetime": "2026-03-02T08:05:00+08:00", "lat": 23.0296, "lon": 113.1067},
        "end": {"datetime": "2026-03-02T08:31:00+08:00", "lat": 22.9614, "lon": 113.1345},
        "distance": 9800,
        "driver": {"identity": {"operator_user_id": "d91"}, "revenue": 900},
        "passenger": {"identity": {"operator_user_id": f"p-{number}"}, "contribution": 900, "seats": 1},
        "incentives": [],
        **changes,
    }


CARPOOL = _json(
    [
        a_journey("j-1", "t-1"),
        a_journey("j-2", "t-2", operator_class="B"),
        a_journey("j-3", "t-2", operator_class="A"),
        a_journey("j-1", "t-1", record_type="VOID", supersedes="j-1:passenger"),
        a_journey("j-4", "t-3", distance=-1),
    ]
)

PLANTINGS = """activity_id,subject_token,species_code,count,dbh_cm,lat,lon,crs,planted_at,organiser_id,\
photo_sha256,survival_check_at,survival_count,biomass_gain_g,half_width_g
PL-1,o_7Qm2x,榕树,3,,23.04021,113.09877,WGS84,2026-03-02T10:20:00+08:00,ORG-9,9f2c,,,,
PL-2,o_7Qm2x,FICUS-ALT,2,,23.04021,113.09877,WGS84,2025-01-12T10:20:00+08:00,ORG-9,9f2c,2026-03-02T09:00:00+08:00,2,4100,300
PL-3,o_7Qm2x,FICUS-ALT,2,,23.04021,113.09877,WGS84,2025-01-12T10:20:00+08:00,ORG-9,9f2c,2026-03-02T09:00:00+08:00,3,4100,300
PL-4,o_7Qm2x,FICUS-ALT,2,,23.04021,113.09877,BD09,2025-01-12T10:20:00+08:00,ORG-9,9f2c,2026-03-02T09:00:00+08:00,2,4100,300
PL-5,o_7Qm2x,FICUS-ALT,two,,23.04021,113.09877,WGS84,2025-01-12T10:20:00+08:00,ORG-9,9f2c,,,,
""".encode()

METERS = """reading_id,meter_id,subject_token,kind,period_from,period_to,used,unit,baseline,city_mean,electricity_kwh,\
added_kwh,note
R-1,E-1,o_7Qm2x,electricity,2026-02-01,2026-02-28,120.5004,kWh,150,160,,,
R-2,G-1,o_7Qm2x,gas,2026-02-01,2026-02-28,12,m3,15.5,16,120.5,0,
R-3,W-1,o_7Qm2x,water,2026-02-01,2026-02-28,9,m3,11,12,120.5,,估读
R-4,S-1,o_7Qm2x,solar,2026-02-01,2026-02-28,301.25,kWh,,,,,
R-5,S-2,o_7Qm2x,solar,2026-02-01,2026-02-28,301.25,m3,,,,,
R-6,H-1,o_7Qm2x,heat,2026-02-01,2026-02-28,1,kWh,,,,,
R-7,E-2,o_7Qm2x,electricity,2026-02-01,2026-02-28,,kWh,150,160,,,
""".encode()

LINES = """order_no,pay_txn_no,invoice_no,subject_token,product_id,qty,amount,paid_at,refund_of,refunded_at,status
M-1,42,,o_7Qm2x,CC-OWN-BAG,1,0.00,2026-03-02T11:02:00+08:00,,,PAID
M-1,42,,o_7Qm2x,无需餐具,1,0.00,2026-03-02T11:02:00+08:00,,,PAID
M-2,43,,o_7Qm2x,EL-AC-1,1,2599.00,2026-03-02T12:02:00+08:00,,,PAID
M-3,44,,o_7Qm2x,CC-OWN-BAG,1,0.00,2026-03-02T13:02:00+08:00,M-1,2026-03-02T13:02:00+08:00,PAID
M-4,45,,o_7Qm2x,CC-OWN-CUP,1,3.00,2026-03-02T14:02:00+08:00,,,OPEN
M-5,46,,o_7Qm2x,CC-OWN-CUP,one,3.00,2026-03-02T14:02:00+08:00,,,PAID
""".encode()

WECHAT_DAILY = """交易时间,公众账号ID,商户号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
订单金额,商户退款单号,\
申请退款金额,商品名称,商户数据包
`2026-03-02 12:00:00,`wx1,`16,`4200001,`M-1,`o_7Qm2x,`JSAPI,`SUCCESS,`12.50,`0,`0.00,`奶茶,`自带杯
`2026-03-02 12:10:00,`wx1,`16,`4200002,`M-2,`o_7Qm2x,`JSAPI,`SUCCESS,`20.00,`0,`0.00,`盒饭,`
`2026-03-02 12:20:00,`wx1,`16,`4200001,`M-1,`o_7Qm2x,`JSAPI,`REFUND,`0.00,`R-1,`12.50,`奶茶,`自带杯
总交易单数,应结订单总金额,订单总金额,申请退款总金额
`3,`20.00,`32.50,`12.50
""".encode()

STATEMENT = """微信支付账单明细,,,,,,,,,,
起始时间：[2026-03-01 00:00:00] 终止时间：[2026-03-02 23:59:59],,,,,,,,,,
共2笔记录,,,,,,,,,,
收入：1笔 0.50元,,,,,,,,,,
支出：1笔 12.00元,,,,,,,,,,
----------------------微信支付账单明细列表--------------------,,,,,,,,,,
交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注
2026-03-02 12:00:00,商户消费,"某奶茶","自带杯 奶茶","支出",¥12.00,"零钱","支付成功","4200003"\t,"M-9"\t,"/"
2026-03-02 13:00:00,微信红包,甲,/,收入,¥0.50,/,已存入零钱,4200004\t,129847129\t,/
""".encode()

ALIPAY = """#支付宝业务明细查询
#账号：[20880000000000000156]
#起始日期：[2026年03月02日 00:00:00]   终止日期：[2026年03月03日 00:00:00]
#-----------------------------------------业务明细列表----------------------------------------
支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,对方账户,订单金额（元）,退款批次号/请求号,备注
20260302001\t,A-1\t,交易\t,无需餐具套餐\t,2026-03-02 11:00:00,2026-03-02 11:00:05,*明(138***)\t,25.00,\t,o_7Qm2x\t
20260302002\t,A-2\t,交易\t,纸巾\t,2026-03-02 11:10:00,2026-03-02 11:10:05,*明(138***)\t,5.00,\t,o_7Qm2x\t
20260302001\t,A-1\t,退款\t,无需餐具套餐\t,2026-03-02 12:00:00,2026-03-02 12:00:05,*明(138***)\t,-25.00,R-7\t,o_7Qm2x\t
#-----------------------------------------业务明细列表结束------------------------------------
#交易合计：2笔，商家实收共30.00元，商家优惠共0.00元
#退款合计：1笔，商家实收退款共-25.00元，商家优惠退款共0.00元
#导出时间：[2026年03月03日 09:00:00]
""".encode()
