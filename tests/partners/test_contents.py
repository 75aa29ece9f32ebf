"""What a file holds against what its manifest says; what is made to burst stops at a limit, whatever it is packed in."""

import codecs
import gzip
import io
import zlib
from hashlib import sha256
from typing import Any

import pytest

from carbon_credits.core.errors import Invalid
from carbon_credits.partners import contents
from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.manifest import canonical_bytes, read_manifest
from carbon_credits.partners.unpacking import Limits
from tests.factories.partner_files import HEADER, Sender, a_ride, a_table

ROWS = [a_ride(1, kind="Ride"), a_ride(2, kind="Ride"), a_ride(3, kind="Void", distance_m=700)]
SENDER = Sender()


def looked_at(
    raw: bytes, *, file: bytes | None = None, limits: Limits | None = None, **changes: Any
) -> tuple[set[str], bytes]:
    """Codes of the faults of a file under its manifest, and what goes on of it."""
    sent = SENDER.send(raw, **changes)
    manifest, out = read_manifest(canonical_bytes(sent.told)), io.BytesIO()
    try:
        found = contents.unpack(io.BytesIO(sent.file if file is None else file), [out], manifest, limits)
    except FileFault as fault:
        return {fault.code} if all(fault.detail) else set(), out.getvalue()
    return {fault.code for fault in contents.faults_of(manifest, found)}, out.getvalue()


def test_a_file_that_is_what_it_says_goes_on_as_it_is() -> None:
    raw = a_table(ROWS)
    totals: dict[str, Any] = {"totals": {"distance_m": 3700}, "by_type": {"Ride": 2, "Void": 1}}
    assert looked_at(raw, **totals) == (set(), raw)
    assert looked_at(raw, packed=False, **totals) == (set(), raw)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rows": 4}, "rows_differ"),
        ({"totals": {"distance_m": 3701}}, "totals_differ"),
        ({"totals": {"amount": 1}}, "total_unknown"),
        ({"by_type": {"Ride": 1, "Void": 2}}, "by_type_differs"),
        ({"by_type": {"Enter": 3}}, "by_type_differs"),
        ({"sha256_raw": "0" * 64}, "sha256_raw_differs"),
    ],
)
def test_each_control_figure_that_differs_is_named(changes: dict[str, Any], code: str) -> None:
    assert looked_at(a_table(ROWS), **changes)[0] == {code}


def test_a_trailer_is_checked_and_left_out() -> None:
    raw = a_table([*ROWS, "T,3,3700,6"])
    told: dict[str, Any] = {"rows": 3, "totals": {"distance_m": 3700}}
    assert looked_at(raw, **told) == (set(), a_table(ROWS))
    assert looked_at(a_table([*ROWS, "T,3,3700,6"], end=""), **told) == (set(), a_table(ROWS))
    for wrong in ("T,2,3700,6", "T,3,3701,6", "T,3,3700,7"):
        assert looked_at(a_table([*ROWS, wrong]), **told)[0] == {"trailer_differs"}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (a_table(ROWS, end=""), "cut_short"),
        (a_table(ROWS).decode().encode("utf-16"), "wrong_encoding"),
        (codecs.BOM_UTF16_BE + a_table(ROWS).decode().encode("utf-16-be"), "wrong_encoding"),
        (a_table([a_ride(1, rider="骑手")]).decode().encode("gb18030"), "wrong_encoding"),
        (a_table([a_ride(1, rider="r\0")]), "nul_byte"),
        (a_table(["1,2,3"]), "wrong_columns"),
        (a_table(['1,"2,3']), "broken_row"),
        (b"a,a\n", "wrong_header"),
        (a_table([HEADER + "x" * 70_000]), "line_too_long"),
        (gzip.compress(a_table(ROWS)), "packed_twice"),
    ],
)
def test_what_cannot_be_read_is_named(raw: bytes, code: str) -> None:
    assert looked_at(raw)[0] == {code}


def test_a_byte_order_mark_of_utf_8_is_no_fault() -> None:
    raw = codecs.BOM_UTF8 + a_table(ROWS)
    assert looked_at(raw, totals={"distance_m": 3700})[0] == set()


def test_fifty_megabytes_on_one_line_stop_at_the_length_of_a_line() -> None:
    raw = a_table(["1," + "x" * (50 << 20)])
    for packed in (True, False):
        codes, gone_on = looked_at(raw, packed=packed, limits=Limits(ratio=10_000))
        assert codes == {"line_too_long"}
        assert len(gone_on) < 1_000


def test_a_gzip_bomb_stops_at_its_ratio_or_its_size() -> None:
    raw = a_table([]) + b",,,,,\n" * 1_000_000
    assert looked_at(raw, limits=Limits(ratio_from=1 << 20))[0] == {"unpacks_too_large"}
    assert looked_at(raw, limits=Limits(unpacked=1 << 20, ratio=10_000))[0] == {"unpacks_too_large"}


def test_a_gzip_cut_short_or_damaged_is_named() -> None:
    raw = a_table([a_ride(n) for n in range(2_000)])
    whole = gzip.compress(raw)
    assert looked_at(raw, file=whole[: len(whole) // 2])[0] == {"cut_short"}
    assert looked_at(raw, file=whole[:-4])[0] == {"cut_short"}
    damaged = bytearray(whole)
    damaged[-6] ^= 1
    assert looked_at(raw, file=bytes(damaged))[0] == {"damaged"}


def test_a_gzip_of_several_members_is_all_of_them() -> None:
    raw = a_table(ROWS)
    file = gzip.compress(raw[:40]) + gzip.compress(raw[40:])
    assert looked_at(raw, file=file) == (set(), raw)


def test_pieces_of_any_size_give_the_same_file() -> None:
    raw = a_table([a_ride(n, rider="骑手" * 20) for n in range(5_000)])
    packer = zlib.compressobj(wbits=31)
    file = b"".join(
        packer.compress(raw[at : at + 997]) + packer.flush(zlib.Z_FULL_FLUSH)
        for at in range(0, len(raw), 997)
    )
    assert looked_at(raw, file=file + packer.flush()) == (set(), raw)


@pytest.mark.parametrize(
    "start", [b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh91AY", b"\xfd7zXZ\0"]
)
def test_other_packings_are_refused_by_name_and_leave_nothing(tmp_path: Any, start: bytes) -> None:
    inbox = Inbox(tmp_path)
    with pytest.raises(Invalid, match="packing_not_taken"):
        inbox.store([start + b"x" * 100])
    assert list(inbox.folder.iterdir()) == []


def test_more_bytes_than_allowed_stop_on_the_way_and_leave_nothing(tmp_path: Any) -> None:
    inbox, taken = Inbox(tmp_path), 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 1_000

    with pytest.raises(Invalid, match="file_too_large"):
        inbox.store(endless(), most=10_000)
    assert taken == 11
    assert list(inbox.folder.iterdir()) == []
    stored = inbox.store([b"ab", b"c"])
    assert (stored.sha256, stored.length) == (sha256(b"abc").digest(), 3)
