"""Pushes as partners' own systems make them, written beside the door and not with its code."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import md5, sha256
from itertools import count
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from carbon_credits.partners.contract import Feed, Operation
from integrations import carpool, ev_charging, recycling

BEIJING = timezone(timedelta(hours=8))
Secrets = Mapping[str, str]
Call = tuple[dict[str, str], bytes]
_SEQ = count(1)

SECRETS: Mapping[str, Secrets] = {
    "tcec_102": {
        "operator_id": "MA4FS0001",
        "operator_secret": "operatorSecret0123456789abcdef00",
        "data_secret": "dataSecret012345",
        "data_secret_iv": "dataSecretIv0123",
        "sig_secret": "sigSecret0123456789abcdef0123456",
    },
    "ocpi": {"token": "ocpi-token-of-the-operator-0001"},
    "epcis": {"token": "epcis-token-of-the-recycler-0001"},
    "box": {"app_id": "boxes-1", "secret": "box-secret-of-the-recycler-00001"},
    "registry": {"token": "registry-token-of-the-platform-1"},
}


def written(document: Any) -> bytes:
    """As JSON."""
    return json.dumps(document, ensure_ascii=False).encode()


def tcec(secrets: Secrets, body: bytes, at: datetime, token: str = "", seq: str | None = None) -> Call:
    """In the envelope of T/CEC 102, padded, sealed and signed by hand."""
    fill = 16 - len(body) % 16
    cipher = Cipher(
        algorithms.AES(secrets["data_secret"].encode()), modes.CBC(secrets["data_secret_iv"].encode())
    ).encryptor()
    data = base64.b64encode(cipher.update(body + bytes([fill]) * fill) + cipher.finalize()).decode()
    stamp, number = f"{at.astimezone(BEIJING):%Y%m%d%H%M%S}", seq or f"{next(_SEQ) % 10_000:04}"
    message = secrets["operator_id"] + data + stamp + number
    sig = hmac.new(secrets["sig_secret"].encode(), message.encode(), md5).hexdigest().upper()
    told = {
        "OperatorID": secrets["operator_id"],
        "Data": data,
        "TimeStamp": stamp,
        "Seq": number,
        "Sig": sig,
    }
    return {"Authorization": f"Bearer {token}"}, written(told)


def tcec_opened(secrets: Secrets, answer: Mapping[str, Any]) -> Any:
    """The data of an answer, whose signature is looked at first."""
    message = f"{answer['Ret']}{answer['Msg']}{answer['Data']}"
    sig = hmac.new(secrets["sig_secret"].encode(), message.encode(), md5).hexdigest().upper()
    assert sig == answer["Sig"]
    cipher = Cipher(
        algorithms.AES(secrets["data_secret"].encode()), modes.CBC(secrets["data_secret_iv"].encode())
    ).decryptor()
    plain = cipher.update(base64.b64decode(answer["Data"])) + cipher.finalize()
    return json.loads(plain[: -plain[-1]])


def ocpi(secrets: Secrets, body: bytes, at: datetime) -> Call:
    """With the base64 of the token."""
    return {"Authorization": "Token " + base64.b64encode(secrets["token"].encode()).decode()}, body


def bearer(secrets: Secrets, body: bytes, at: datetime) -> Call:
    """With the token."""
    return {"Authorization": "Bearer " + secrets["token"]}, body


def box(secrets: Secrets, body: bytes, at: datetime, nonce: str | None = None) -> Call:
    """Signed over its headers and its body."""
    stamp, once = str(int(at.timestamp())), nonce or f"nonce-{next(_SEQ):06}"
    message = f"{secrets['app_id']}\n{stamp}\n{once}\n".encode() + body
    sign = hmac.new(secrets["secret"].encode(), message, sha256).hexdigest()
    return {
        "X-App-Id": secrets["app_id"],
        "X-Timestamp": stamp,
        "X-Nonce": once,
        "X-Sign": sign,
    }, body


@dataclass(frozen=True)
class PushSample:
    """A push: how it is signed, what its partner's words for yes and no are, and which change brings which reason.

    `harms` changes the document; the reason is said of the record, and the push itself is answered.
    """

    feed: Feed
    code: str
    sign: Callable[..., Call]
    is_taken: Callable[[int, Mapping[str, Any]], bool]
    acts: int = 1
    harms: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        """The operation."""
        return self.feed.operations[self.code]

    @property
    def path(self) -> str:
        """Where it is pushed to."""
        return f"/partner/v1/feeds/{self.feed.code}/{self.code}"

    @property
    def secrets(self) -> Secrets:
        """What the partner and we know."""
        return SECRETS[self.operation.scheme]

    def document(self, day: date) -> Any:
        """A document of a day, as JSON has it."""
        return json.loads(written(self.operation.example(day)))


def _swapped_cdr(document: Any) -> Any:
    place = document["cdr_location"]["coordinates"]
    place["latitude"], place["longitude"] = place["longitude"], place["latitude"]
    return document


def _swapped_journey(document: Any) -> Any:
    start = document["journeys"][0]["start"]
    start["lat"], start["lon"] = start["lon"], start["lat"]
    return document


def _backwards_order(document: Any) -> Any:
    document["StartTime"], document["EndTime"] = document["EndTime"], document["StartTime"]
    return document


def _backwards_check(document: Any) -> Any:
    document["ChargeOrders"] = [_backwards_order(each) for each in document["ChargeOrders"]]
    return document


def _unknown_material(document: Any) -> Any:
    document["epcisBody"]["eventList"][0]["quantityList"][0]["epcClass"] = (
        "https://id.cc.example/material/moon"
    )
    return document


def _flagged(document: Any) -> Any:
    document["deposits"][0]["violation"] = True
    return document


def _ret_is_0(status: int, told: Mapping[str, Any]) -> bool:
    return status == 200 and told["Ret"] == 0


PUSHES = (
    PushSample(
        ev_charging.FEED,
        "notification_charge_order_info",
        tcec,
        _ret_is_0,
        harms={"ends_before_start": _backwards_order},
    ),
    PushSample(
        ev_charging.FEED,
        "check_charge_orders",
        tcec,
        _ret_is_0,
        acts=2,
        harms={"ends_before_start": _backwards_check},
    ),
    PushSample(
        ev_charging.FEED,
        "cdrs",
        ocpi,
        lambda status, told: status == 200 and told["status_code"] == 1000,
        harms={"coordinates_swapped": _swapped_cdr},
    ),
    PushSample(
        recycling.FEED,
        "capture",
        bearer,
        lambda status, told: status == 202 and told["success"],
        harms={"unknown_material": _unknown_material},
    ),
    PushSample(
        recycling.FEED,
        "deposits",
        box,
        lambda status, told: status == 200 and told["code"] == 0,
        harms={"violation_flagged": _flagged},
    ),
    PushSample(
        carpool.FEED,
        "journeys",
        bearer,
        lambda status, told: status == 201,
        harms={"coordinates_swapped": _swapped_journey},
    ),
)


def now() -> datetime:
    """This instant, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
