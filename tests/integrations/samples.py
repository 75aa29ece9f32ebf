"""Small partner files, written for these tests: nobody rode these bicycles."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Literal

from carbon_credits.partners.contract import Feed, Item, ParseOptions
from integrations import (
    bike_share,
    bike_share_mds,
    bus_taps,
    carpool,
    ev_charging,
    household_meters,
    metro_taps,
    recycling,
    shop_bills,
    tree_planting,
)
from tests.integrations import partner_samples as told

BIKES = """Trip Duration,Start Time,Stop Time,Start Station ID,Start Station Name,Start Station Latitude,\
Start Station Longitude,End Station ID,End Station Name,End Station Latitude,End Station Longitude,Bike ID,\
User Type,Birth Year,Gender
600,2026-03-02 08:00:00,2026-03-02 08:10:00,1,季华园,23.0130,113.1090,2,"祖庙, 东门",23.0300,113.1120,b1,X,,0
599,2026-03-02 09:00:00,2026-03-02 09:10:00,2,祖庙,23.0300,113.1120,1,季华园,23.0130,113.1090,b1,X,,0
900,2026-03-02 08:05:00,2026-03-02 08:20:00,3,张槎,23.0200,113.0700,3,张槎,23.0200,113.0700,b2,X,,0
60,2026-03-02 08:05:00,2026-03-02 08:20:00,3,张槎,23.0200,113.0700,1,季华园,23.0130,113.1090,b3,X,,0
60,02/03/2026 08:05,2026-03-02 08:20:00,3,张槎,23.0200,113.0700,1,季华园,23.0130,113.1090,b4,X,,0
10860,2026-03-02 12:00:00,2026-03-02 15:01:00,1,季华园,23.0130,113.1090,2,祖庙,23.0300,113.1120,b2,X,,0
""".encode()

MDS = json.dumps(
    {
        "version": "2.0.0",
        "trips": [
            {
                "provider_id": "6f2c0000-0000-4000-8000-000000000001",
                "device_id": "d-1",
                "trip_id": "t-1",
                "start_time": 1772409600000,
                "end_time": 1772410562500,
                "start_location": {"lat": 23.02961, "lng": 113.10672},
                "end_location": {"lat": 23.0097, "lng": 113.10306},
                "duration": 962,
                "distance": 2870,
                "trip_attributes": {"subject_token": "o_7Qm2x", "propulsion": "human"},
            },
            {"device_id": "d-2", "trip_id": "t-2", "start_time": "yesterday"},
        ],
    }
).encode()

TAPS = """deal_date,close_date,card_no,deal_value,deal_type,company_name,car_no,station,conn_mark,deal_money,equ_no
2026-03-02 08:30:00,2026-03-02 00:00:00,c1,500,地铁出站,佛山地铁,OGT-1,祖庙,0,475,1001
2026-03-02 08:02:11,2026-03-02 00:00:00,c1,0,地铁入站,佛山地铁,IGT-1,魁奇路,0,0,1002
2026-03-02 09:00:00,2026-03-02 00:00:00,c1,0,地铁入站,佛山地铁,IGT-1,祖庙,0,0,1001
2026-03-02 08:00:00,2026-03-02 00:00:00,c2,0,地铁入站,佛山地铁,IGT-1,桂城,0,0,1003
2026-03-02 08:00:30,2026-03-02 00:00:00,c2,200,地铁出站,佛山地铁,OGT-1,桂城,0,200,1003
2026-03-02 08:00:00,2026-03-02 00:00:00,c3,200,地铁出站,佛山地铁,OGT-1,桂城,0,200,1003
2026-03-02 08:00:00,2026-03-02 00:00:00,c4,0,地铁入站,佛山地铁,IGT-1,魁奇路,0,0,1002
2026-03-02 08:20:00,2026-03-02 00:00:00,c4,300,地铁出站,佛山地铁,OGT-1,朝安,0,300,1004
2026-03-02 07:00:00,2026-03-02 00:00:00,c5,200,巴士,佛山公交,粤E1,101,0,160,2001
2026-03-02 07:00:00,2026-03-02 00:00:00,c5,200,充值,佛山公交,,,0,160,2001
2026-03-02 07:00,2026-03-02 00:00:00,c5,0,地铁入站,佛山地铁,IGT-1,桂城,0,0,1003
""".encode()

TIDES = """transaction_id,service_date,event_timestamp,fare_action,stop_id,route_id,vehicle_id,device_id,\
fare_media_id,token_id,amount,currency_type,fare_capped
FM-1,2026-03-02,2026-03-02T08:02:11+08:00,Enter,魁奇路,,,AGM-0713,Optical scan,o_7Qm2x,0,CNY,false
FM-2,2026-03-02,2026-03-02T08:21:40+08:00,Exit,祖庙,,,AGM-0802,Optical scan,o_7Qm2x,3.00,CNY,false
LNT-3,2026-03-02,2026-03-02T18:10:05+08:00,Enter,,FS-101,粤E12345D,V-1,Smart card or ticket,o_7Qm2x,1.60,CNY,false
FM-4,2026-03-02,2026-03-02T19:00:00+08:00,Adjust,魁奇路,,,AGM-0713,Optical scan,o_7Qm2x,1.00,CNY,false
FM-5,2026-03-02,2026-03-02T19:00:00,Enter,魁奇路,,,AGM-0713,Optical scan,o_7Qm2x,0,CNY,false
""".encode()

DISTANCES = "from_station,to_station,distance_m\n祖庙,魁奇路,3100\n桂城,祖庙,5200\n".encode()


@dataclass(frozen=True)
class Sample:
    """A file of a feed; `number_of_rows` counts what is told in it.

    `harms` says which change of its bytes brings which reason. A bill has rows of several widths and its own totals.
    """

    feed: Feed
    name: str
    content: bytes
    number_of_rows: int
    options: ParseOptions = field(default_factory=ParseOptions)
    form: Literal["csv", "json", "bill"] = "csv"
    harms: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict)


# latitude and longitude exchanged, in each way they are told
IN_CSV = {"coordinates_swapped": (b"23.04021,113.09877", b"113.09877,23.04021")}
IN_CDR = {
    "coordinates_swapped": (
        b'"latitude": "23.009700", "longitude": "113.103060"',
        b'"latitude": "113.103060", "longitude": "23.009700"',
    ),
    "ends_before_start": (b'"2026-03-02T15:12:44Z"', b'"2026-03-02T13:12:44Z"'),
    "absurd_duration": (b'"2026-03-02T15:12:44Z"', b'"2026-03-22T15:12:44Z"'),
    "implausible_power": (b'"total_energy": 33.0', b'"total_energy": 33000.0'),
}

SAMPLES = (
    Sample(
        bike_share.FEED,
        "public",
        BIKES,
        6,
        ParseOptions(bind_column="Bike ID"),
        harms={
            "coordinates_swapped": (b"23.0130,113.1090", b"113.1090,23.0130"),
            "contradictory_duration": (b"2026-03-02 08:10:00", b"2026-03-02 07:10:00"),
        },
    ),
    Sample(
        bike_share_mds.FEED,
        "mds",
        MDS,
        2,
        form="json",
        harms={
            "coordinates_swapped": (
                b'"lat": 23.02961, "lng": 113.10672',
                b'"lat": 113.10672, "lng": 23.02961',
            ),
            "ends_before_start": (b"1772410562500", b"1772409500000"),
            "absurd_duration": (b"1772410562500", b"1792639762500"),
            "unknown_propulsion": (b'"human"', b'"combustion"'),
        },
    ),
    Sample(metro_taps.FEED, "card", TAPS, 11),
    Sample(metro_taps.FEED, "tides", TIDES, 5),
    Sample(bus_taps.FEED, "tides", told.BUS, 6),
    Sample(ev_charging.FEED, "cdrs", told.CDRS, 3, form="json", harms=IN_CDR),
    Sample(ev_charging.FEED, "cdr-lines", told.CDR_LINES, 2, form="json", harms=IN_CDR),
    Sample(
        ev_charging.FEED,
        "check",
        told.ORDERS,
        2,
        form="json",
        harms={
            "ends_before_start": (b'"2026-03-02 23:12:44"', b'"2026-03-02 21:12:44"'),
            "absurd_duration": (b'"2026-03-02 23:12:44"', b'"2026-10-22 23:12:44"'),
        },
    ),
    Sample(
        ev_charging.FEED,
        "acn",
        told.ACN,
        4,
        ParseOptions(bind_column="stationID"),
        harms={"ends_before_start": (b"2026-03-02 11:00:00", b"2026-03-02 07:00:00")},
    ),
    Sample(
        carpool.FEED,
        "journeys",
        told.CARPOOL,
        7,
        form="json",
        harms={
            "coordinates_swapped": (b'"lat": 23.0296, "lon": 113.1067', b'"lat": 113.1067, "lon": 23.0296'),
            "ends_before_start": (b"2026-03-02T08:31:00", b"2026-03-02T07:31:00"),
            "absurd_duration": (b"2026-03-02T08:31:00", b"2026-10-22T08:31:00"),
        },
    ),
    Sample(recycling.FEED, "events", told.EVENTS, 7, form="json"),
    Sample(recycling.FEED, "rows", told.DEPOSITS, 7),
    Sample(
        tree_planting.FEED,
        "rows",
        told.PLANTINGS,
        5,
        harms={**IN_CSV, "ends_before_start": (b"2026-03-02T09:00:00", b"2024-03-02T09:00:00")},
    ),
    Sample(
        household_meters.FEED,
        "rows",
        told.METERS,
        7,
        harms={
            "ends_before_start": (b"2026-02-28", b"2026-01-28"),
            "absurd_duration": (b"2026-02-28", b"2026-12-28"),
        },
    ),
    Sample(shop_bills.FEED, "lines", told.LINES, 6),
    Sample(shop_bills.FEED, "wechat", told.WECHAT_DAILY, 3, form="bill"),
    Sample(
        shop_bills.FEED, "statement", told.STATEMENT, 2, ParseOptions(bind_column="交易对方"), form="bill"
    ),
    Sample(shop_bills.FEED, "alipay", told.ALIPAY, 3, form="bill"),
)


def parsed(feed: Feed, content: bytes, options: ParseOptions | None = None) -> list[Item]:
    """Everything a feed makes of a file."""
    return list(feed.parse_file(BytesIO(content), options or ParseOptions()))


def packed(content: bytes) -> bytes:
    """The file as gzip."""
    return gzip.compress(content, mtime=0)
