"""A manifest is read strictly: each key that is wrong is named, and what is signed is one row of bytes."""

import json
from typing import Any

import pytest

from carbon_credits.core.errors import Invalid
from carbon_credits.partners.manifest import MOST_BYTES, canonical_bytes, read_manifest
from carbon_credits.partners.manifest_keys import KEYS
from tests.factories.partner_files import Sender, a_ride, a_table

SENT = Sender().send(a_table([a_ride(1)]))


def faults(told: dict[str, Any]) -> set[str]:
    """Pointers of what is wrong."""
    with pytest.raises(Invalid, match="manifest_wrong") as refused:
        read_manifest(canonical_bytes(told))
    assert all(fault.detail.zh and fault.detail.en for fault in refused.value.faults)
    return {fault.pointer.removeprefix("/manifest/") for fault in refused.value.faults}


def test_a_right_manifest_is_read_whatever_its_blanks_and_order() -> None:
    told = dict(reversed(list(SENT.told.items())))
    read = read_manifest(json.dumps(told, indent=3).encode())
    assert (read.seq, read.rows, read.is_table) == (1, 1, True)
    assert canonical_bytes(read.told) == SENT.manifest


@pytest.mark.parametrize("name", sorted(KEYS))
def test_each_key_is_required(name: str) -> None:
    assert name in faults({key: value for key, value in SENT.told.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seq", 0),
        ("seq", True),
        ("seq", "1"),
        ("version", 1000),
        ("replaces_sha256", "0" * 64),
        ("replaces_sha256", "A" * 64),
        ("service_date", "2026-13-01"),
        ("service_date", "20261120"),
        ("window", {"from": "2026-11-20T12:00:00+08:00", "to": "2026-11-20T11:00:00+08:00"}),
        ("window", {"from": "2026-11-20T12:00:00+08:00"}),
        ("created_at", "2026-11-20T12:00:00"),
        ("crs", "EPSG:4326"),
        ("tz", "Europe/Paris"),
        ("units", {"amount": 1}),
        ("file", "../../etc/passwd"),
        ("file", "rides_test_rides_20261121_1_v1.csv.gz"),
        ("file", "rides_test_rides_20261120_1_v1.zip"),
        ("bytes", 0),
        ("bytes", 2**53),
        ("sha256", "sha256:" + "0" * 57),
        ("rows", -1),
        ("totals", {"amount": "1e9"}),
        ("totals", {"amount": "NaN"}),
        ("totals", []),
        ("by_type", {"Enter": "1"}),
        ("by_type", {"Enter": 2}),
        ("complete_through", None),
    ],
)
def test_a_wrong_value_is_named_by_its_key(name: str, value: object) -> None:
    assert faults({**SENT.told, name: value}) == {name}


def test_an_unknown_key_is_refused_by_name() -> None:
    assert faults({**SENT.told, "row_count": 3}) == {"row_count"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        SENT.manifest.replace(b'"rows":1', b'"rows":1.0'),
        SENT.manifest.replace(b'"rows":1', b'"rows":NaN'),
        SENT.manifest.replace(b'"rows":1', b'"rows":1,"rows":2'),
        SENT.manifest.replace(b'"rows":1', b'"rows":1,"x":"\\ud800"'),
        SENT.manifest.decode().encode("utf-16"),
        b'{"a":' * 100_000,
        SENT.manifest + b" " * MOST_BYTES,
    ],
)
def test_what_two_readers_could_understand_differently_is_not_read(raw: bytes) -> None:
    with pytest.raises(Invalid, match="manifest_unreadable"):
        read_manifest(raw)
